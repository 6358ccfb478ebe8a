//! Who answers for an address: a state machine from events and the time to actions.
//!
//! No sockets, no clock, no randomness but the number it starts with: the time is an argument, counted from any fixed
//! moment, and never goes back. The caller carries out the actions in order and asks [`Responder::deadline`] when to
//! come back. The rules and their reasons are in `docs/announcer-protocol.md`.

mod announcing;
mod answer;
mod book;
mod event;
mod fellows;
mod groups;
mod link;
mod links;
mod notice;
mod random;
mod report;
mod segment;
mod silence;
mod timing;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

pub use self::announcing::{ROUND_INTERVAL, ROUNDS_LAST};
pub use self::event::{Action, Event, Purpose, Transmission};
pub use self::link::{DEFAULT_EXCLUSIONS, ExclusionError, Exclusions, Link, Traits};
pub use self::notice::{Cause, Notice};
pub use self::silence::Silence;
pub use self::timing::Timing;

use self::announcing::Announcing;
use self::book::Book;
use self::random::Random;
use self::segment::{Context, Segment, Socket};
use crate::plan::Plan;
use crate::status::Status;
use crate::wire::hello::{KeyRing, NodeId};

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
    /// In boxes, so that the few that are looked for lie close together.
    segments: BTreeMap<u32, Box<Segment>>,
    /// The stations that are open, by their numbers, with the names of their interfaces.
    open: BTreeMap<u8, String>,
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
            open: &$responder.open,
            is_stopping: $responder.is_stopping,
            now: $now,
        }
    };
}
use context;

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
            open: BTreeMap::new(),
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
        self.knows_links && self.segments.values().all(|segment| segment.is_open())
    }

    /// Gives how many fellows are heard on an interface now.
    #[must_use]
    pub fn fellows(&self, link: u32) -> usize {
        self.segments.get(&link).map_or(0, |segment| segment.fellows().len())
    }

    /// Gives the interfaces on which an address is answered now.
    pub fn answers(&self, ip: IpAddr) -> impl Iterator<Item = u32> {
        self.segments.values().filter(move |segment| segment.answers(ip)).map(|segment| segment.index)
    }

    /// Takes in what happened and gives what to do, in order.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Frame(link, bytes) => {
                let mut frame = Vec::new();
                if let Some(ip) = self.answer(link, &bytes, now, &mut frame) {
                    actions.push(Action::Send(Transmission { link, purpose: Purpose::Answer(ip), frame }));
                }
                self.receive(link, &bytes, now, &mut actions);
            }
            event => {
                self.fence(now, &mut actions);
                self.take_in(event, now, &mut actions);
                self.settle(now, &mut actions);
            }
        }
        actions
    }

    /// Takes in what a frame tells, which [`Responder::answer`] has answered if it was to be, and adds what to do. Gives
    /// whether anything follows from it, so that [`Responder::deadline`] may be another now.
    pub fn receive(&mut self, link: u32, frame: &[u8], now: Duration, actions: &mut Vec<Action>) -> bool {
        let is_fenced = self.fence(now, actions);
        let may_follow = self.on_frame(link, frame, now, actions) || is_fenced;
        if may_follow {
            self.settle(now, actions);
        }
        may_follow
    }

    /// Looks, before anything else, whether this node was away for so long that others may have taken over.
    fn fence(&mut self, now: Duration, actions: &mut Vec<Action>) -> bool {
        let context = context!(self, now);
        let mut is_fenced = false;
        for segment in self.segments.values_mut() {
            is_fenced |= segment.fence(&context, &mut self.announcing, actions);
        }
        is_fenced
    }

    fn take_in(&mut self, event: Event, now: Duration, actions: &mut Vec<Action>) {
        match event {
            Event::Plan(plan) => self.follow_plan(&plan, now),
            Event::Links(links) => self.follow_links(links, now, actions),
            Event::Opened(link) => self.open(link, now),
            Event::Lost(link) => self.lose(link, now, actions),
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
        if self.is_stopping && !self.segments.values().any(|segment| segment.is_leaving()) {
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
}
