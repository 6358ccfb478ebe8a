//! Who answers for an address: a state machine from events and the time to actions.
//!
//! No sockets, no clock, no randomness but the number it starts with: the time is an argument, counted from any fixed
//! moment, and never goes back. The caller carries out the actions in order and asks [`Responder::deadline`] when to
//! come back. The rules and their reasons are in `docs/announcer-protocol.md`.

mod announcing;
mod answer;
mod book;
mod fellows;
mod groups;
mod link;
mod notice;
mod random;
mod segment;
mod silence;
mod timing;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

pub use self::announcing::{ROUND_INTERVAL, ROUNDS_LAST};
pub use self::link::{DEFAULT_EXCLUSIONS, ExclusionError, Exclusions, Link, Traits};
pub use self::notice::{Cause, Notice};
pub use self::silence::Silence;
pub use self::timing::Timing;

use self::announcing::Announcing;
use self::book::{Book, Entry};
use self::random::Random;
use self::segment::{Context, Segment, Socket, Standing};
use crate::plan::{Answering, AnsweringInterface, Plan, Silent, Status, Which};
use crate::wire::Malformed;
use crate::wire::ethernet::Mac;
use crate::wire::hello::{HelloFault, KeyRing, NodeId};

/// What a responder is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's name, as in the plan.
    pub node: String,
    /// Interfaces that are never used.
    pub exclusions: Exclusions,
    /// A number that this node has never used before and that nobody can guess: made anew at each start. Everything
    /// random in here comes from it.
    pub epoch: u64,
    /// The spans of time.
    pub timing: Timing,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plan arrived; it replaces the one before.
    Plan(Plan),
    /// All interfaces as they are now, in any order.
    Links(Vec<Link>),
    /// The socket asked for by [`Action::Open`] receives.
    Opened(u32),
    /// The socket on this interface could not be opened, or is of no more use.
    Lost(u32),
    /// The keys in force; they replace the ones before. Until the first nothing is answered.
    Keys(KeyRing),
    /// These bytes came in on this interface.
    Frame(u32, Vec<u8>),
    /// Nothing but that time has passed.
    Tick,
    /// The program is about to end. Go on until [`Action::Finished`], which follows at once or within a few tenths
    /// of a second: what is answered here is handed over first.
    Stop,
}

/// What to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Open a socket on this interface, then say [`Event::Opened`] or [`Event::Lost`].
    Open(u32),
    /// Close the socket on this interface, if it is open.
    Close(u32),
    /// Have the interface receive frames to this group, on the open socket (`PACKET_ADD_MEMBERSHIP`). Closing the
    /// socket ends it; after [`Event::Opened`] all groups are asked for again.
    Join(u32, Mac),
    /// The interface need not receive frames to this group any more.
    Leave(u32, Mac),
    /// Send a frame on an interface.
    Send(Transmission),
    /// Nothing: a frame got no answer.
    Ignore(Silence),
    /// Nothing: a frame made no sense.
    Drop(Malformed),
    /// Nothing: a hello was not heeded.
    Discard(HelloFault),
    /// Nothing but to log and count it.
    Note(Notice),
    /// Tell the operator, since something in here changed.
    Report(Status),
    /// Nothing more follows after [`Event::Stop`]: the program may end.
    Finished,
}

/// A frame to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transmission {
    /// The interface.
    pub link: u32,
    /// Why it is sent.
    pub purpose: Purpose,
    /// Its bytes, without the padding that the interface adds.
    pub frame: Vec<u8>,
}

/// Why a frame is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// It answers a request for this address.
    Answer(IpAddr),
    /// It announces this address unasked.
    Announcement(IpAddr),
    /// It tells fellows about this node.
    Hello,
    /// It tells switches which multicast groups are wanted here (RFC 3810).
    Membership,
}

/// The state machine.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent of one another")]
pub struct Responder {
    config: Config,
    own: NodeId,
    keys: KeyRing,
    random: Random,
    book: Option<Book>,
    knows_links: bool,
    /// All interfaces with their names, and why they are not used where they are not.
    links: BTreeMap<u32, (String, Option<Silence>)>,
    segments: BTreeMap<u32, Segment>,
    announcing: Announcing,
    is_stopping: bool,
    is_finished: bool,
    has_news: bool,
    report_due: Option<Duration>,
    reported_at: Option<Duration>,
    reported: Option<Status>,
}

/// Gives what all segments have in common, without borrowing the segments.
macro_rules! context {
    ($responder:ident, $now:expr) => {
        Context {
            timing: &$responder.config.timing,
            keys: &$responder.keys,
            node: &$responder.config.node,
            own: $responder.own,
            book: $responder.book.as_ref(),
            is_stopping: $responder.is_stopping,
            now: $now,
        }
    };
}

impl Responder {
    /// Gives a responder that knows its node's name and nothing else, and so answers nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            own: NodeId::of(&config.node),
            keys: KeyRing::default(),
            random: Random::new(config.epoch),
            book: None,
            knows_links: false,
            links: BTreeMap::new(),
            segments: BTreeMap::new(),
            announcing: Announcing::new(config.timing.refresh),
            is_stopping: false,
            is_finished: false,
            has_news: false,
            report_due: None,
            reported_at: None,
            reported: None,
            config,
        }
    }

    /// Gives when to come back with [`Event::Tick`] at the latest, or none when only events matter.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.is_finished {
            return None;
        }
        let segments = self.segments.values().filter_map(|segment| segment.deadline(&self.config.timing));
        segments.chain(self.announcing.deadline()).chain(self.report_due).min()
    }

    /// Whether the interfaces are known and a socket is open on each that is usable.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.knows_links && self.segments.values().all(Segment::is_open)
    }

    /// Gives how many fellows are heard on an interface now.
    #[must_use]
    pub fn fellows(&self, link: u32) -> usize {
        self.segments.get(&link).map_or(0, |segment| segment.fellows().len())
    }

    /// Gives the interfaces on which an address is answered now.
    pub fn answers(&self, ip: IpAddr) -> impl Iterator<Item = u32> {
        let is_answered = move |segment: &&Segment| {
            segment.standing(ip).is_some_and(|standing| !matches!(standing, Standing::Silent(_)))
        };
        self.segments.values().filter(is_answered).map(|segment| segment.index)
    }

    /// Takes in what happened and gives what to do, in order.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Frame(link, bytes) => self.receive(link, &bytes, now, &mut actions),
            event => {
                self.fence(now, &mut actions);
                self.take_in(event, now, &mut actions);
                self.settle(now, &mut actions);
            }
        }
        actions
    }

    /// Takes in a frame as [`Event::Frame`] does, and adds what to do.
    pub fn receive(&mut self, link: u32, frame: &[u8], now: Duration, actions: &mut Vec<Action>) {
        self.fence(now, actions);
        if self.on_frame(link, frame, now, actions) || self.deadline().is_some_and(|deadline| deadline <= now) {
            self.settle(now, actions);
        }
    }

    /// Looks, before anything else, whether this node was away for so long that others may have taken over.
    fn fence(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.is_finished {
            return;
        }
        let context = context!(self, now);
        for segment in self.segments.values_mut() {
            segment.fence(&context, &mut self.announcing, actions);
        }
    }

    fn take_in(&mut self, event: Event, now: Duration, actions: &mut Vec<Action>) {
        match event {
            Event::Plan(plan) => self.follow_plan(&plan, now),
            Event::Links(links) => self.follow_links(links, now, actions),
            Event::Opened(link) => self.open(link, now),
            Event::Lost(link) => self.lose(link, now),
            Event::Keys(keys) => self.take_keys(keys, now),
            Event::Stop => self.is_stopping = true,
            Event::Tick | Event::Frame(..) => {}
        }
        if self.is_stopping {
            let context = context!(self, now);
            self.segments.values_mut().for_each(|segment| segment.follow(&context));
        }
    }

    fn follow_plan(&mut self, plan: &Plan, now: Duration) {
        let book = Book::new(plan, self.own);
        let changes = book.changes(self.book.as_ref());
        self.book = Some(book);
        self.has_news = true;
        let context = context!(self, now);
        for segment in self.segments.values_mut() {
            for &ip in &changes.touched {
                segment.take_up(ip, &context, Some(changes.promoted.contains(&ip)));
            }
        }
    }

    /// Asks for a socket on each interface that has become usable, and gives up those that are usable no longer.
    fn follow_links(&mut self, links: Vec<Link>, now: Duration, actions: &mut Vec<Action>) {
        self.knows_links = true;
        self.has_news = true;
        self.links.clear();
        let mut usable = BTreeMap::new();
        for link in links {
            let mac = self.config.exclusions.usable(&link);
            self.links.insert(link.index, (link.name.clone(), mac.err()));
            if let (Ok(mac), false) = (mac, self.is_stopping && !self.segments.contains_key(&link.index)) {
                usable.insert(link.index, (link, mac));
            }
        }
        let gone: Vec<_> = self.segments.keys().filter(|index| !usable.contains_key(index)).copied().collect();
        for index in gone {
            self.segments.remove(&index);
            self.announcing.stop_link(index);
            actions.push(Action::Close(index));
        }
        for (link, mac) in usable.into_values() {
            self.follow_link(link, mac, now, actions);
        }
    }

    fn follow_link(&mut self, link: Link, mac: Mac, now: Duration, actions: &mut Vec<Action>) {
        let context = context!(self, now);
        let is_running = link.traits.is_running;
        if let Some(segment) = self.segments.get_mut(&link.index) {
            if segment.mac != mac || (is_running && !segment.is_running) {
                self.announcing.restart(link.index, now);
            }
            let is_renamed = segment.name != link.name;
            (segment.mac, segment.is_running, segment.link_local) = (mac, is_running, link.link_local);
            segment.name = link.name;
            if is_renamed {
                segment.follow(&context);
            }
        } else {
            let mut segment = Segment::new(link.index, link.name, mac, self.own);
            (segment.is_running, segment.link_local) = (is_running, link.link_local);
            segment.follow(&context);
            self.segments.insert(link.index, segment);
            actions.push(Action::Open(link.index));
        }
    }

    fn open(&mut self, link: u32, now: Duration) {
        let epoch = self.random.next();
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.open(epoch, &context, &mut self.announcing);
            self.has_news = true;
        }
    }

    fn lose(&mut self, link: u32, now: Duration) {
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.listen(Silence::SocketClosed, &context, &mut self.announcing);
            segment.socket = Socket::Lost { retry: now + self.config.timing.socket_retry };
            self.has_news = true;
        }
    }

    fn take_keys(&mut self, keys: KeyRing, now: Duration) {
        let had_none = self.keys.is_empty();
        self.keys = keys;
        let reason = if self.keys.is_empty() { Silence::NoKey } else { Silence::Listening };
        let context = context!(self, now);
        for segment in self.segments.values_mut().filter(|segment| segment.is_open()) {
            if had_none || context.keys.is_empty() {
                segment.listen(reason, &context, &mut self.announcing);
            }
        }
    }

    /// Does everything that is due.
    fn settle(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.is_finished {
            return;
        }
        let context = context!(self, now);
        for segment in self.segments.values_mut() {
            if let Socket::Lost { retry } = segment.socket
                && retry <= now
            {
                segment.socket = Socket::Asked;
                actions.push(Action::Open(segment.index));
            }
            segment.settle(&context, &mut self.announcing, actions);
            self.has_news |= std::mem::take(&mut segment.has_news);
        }
        self.announce(now, actions);
        if self.is_stopping && !self.segments.values().any(Segment::is_leaving) {
            self.finish(now, actions);
        }
        self.report(now, actions);
        actions.extend(self.is_finished.then_some(Action::Finished));
    }

    /// Gives the announcements that are due.
    fn announce(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (ip, link) in self.announcing.due(&mut self.random, now) {
            let Some(segment) = self.segments.get(&link) else { continue };
            let purpose = Purpose::Announcement(ip);
            let frames = announcing::round(ip, segment.mac).into_iter();
            actions.extend(frames.map(|frame| Action::Send(Transmission { link, purpose, frame })));
        }
    }

    /// Everything is handed over: the last hellos go out, and the sockets are closed.
    fn finish(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let context = context!(self, now);
        for segment in self.segments.values_mut() {
            segment.part(&context, actions);
        }
        actions.extend(self.segments.keys().map(|&index| Action::Close(index)));
        self.segments.clear();
        self.is_finished = true;
        self.has_news = true;
    }

    /// Gives a report when there is a plan, what this node does about it differs from what it last reported, and enough
    /// time has passed.
    fn report(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(book) = &self.book else { return };
        let Timing { report_delay, report_interval, .. } = self.config.timing;
        if std::mem::take(&mut self.has_news) && self.report_due.is_none() {
            let earliest = self.reported_at.map_or(Duration::ZERO, |last| last + report_interval);
            self.report_due = Some(earliest.max(now + report_delay));
        }
        let is_due = self.report_due.is_some_and(|due| due <= now) || self.is_finished;
        if !is_due {
            return;
        }
        self.report_due = None;
        let status = self.status(book);
        if self.reported.as_ref() != Some(&status) {
            self.reported_at = Some(now);
            self.reported = Some(status.clone());
            actions.push(Action::Report(status));
        }
    }

    /// Gives what this node does about each address of the plan now.
    fn status(&self, book: &Book) -> Status {
        let (mut answering, mut silent) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (&ip, entry) in &book.entries {
            let links: Vec<_> = self.answers(ip).collect();
            if links.is_empty() {
                silent.entry(self.silence(ip, entry)).or_default().push(ip);
            } else {
                answering.entry(links).or_default().push(ip);
            }
        }
        let mut status = Status::new(book.generation);
        let answering =
            answering.into_iter().map(|(links, ips)| Answering { ips, interfaces: self.interfaces(&links) });
        status.answering = answering.collect();
        let silent = silent.into_iter().map(|(reason, ips)| Silent { reason, which: Which::of(reason, ips) });
        status.silent = silent.collect();
        status
    }

    fn interfaces(&self, links: &[u32]) -> Vec<AnsweringInterface> {
        let segments = links.iter().filter_map(|index| self.segments.get(index));
        segments.map(|segment| AnsweringInterface { name: segment.name.clone(), mac: segment.mac }).collect()
    }

    /// Gives what stands in the way of an address that is answered nowhere.
    fn silence(&self, ip: IpAddr, entry: &Entry) -> Silence {
        if self.is_finished {
            return Silence::Stopping;
        }
        if entry.rank.is_none() {
            return Silence::NotACandidate;
        }
        let of_place = |segment: &Segment| match segment.standing(ip)? {
            Standing::Silent(_) if !segment.is_open() => Some(Silence::SocketClosed),
            Standing::Silent(silence) => Some(silence),
            Standing::Answering | Standing::Leaving { .. } => None,
        };
        if let Some(silence) = self.segments.values().filter_map(of_place).max() {
            return silence;
        }
        if !entry.names_interfaces() {
            return Silence::NoUsableInterface;
        }
        let wanted = self.links.values().filter(|(name, _)| entry.is_wanted_on(name));
        if wanted.into_iter().any(|(_, fault)| *fault == Some(Silence::InterfaceUnusable)) {
            Silence::InterfaceUnusable
        } else {
            Silence::InterfaceMissing
        }
    }
}
