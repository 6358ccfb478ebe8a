//! Who answers for an address: a state machine from events and the time to actions.
//!
//! No sockets, no clock, no randomness: the time is an argument, counted from any fixed moment, and never goes back.
//! The caller carries out the actions in order and asks [`Responder::deadline`] when to come back.
//!
//! An address is answered while this node is the first candidate ([`Responder::handle`] asks `may_answer`, the one
//! place where the liveness of those above is to be weighed), an interface is usable and its socket is open.

mod announcing;
mod link;
mod notice;
mod silence;
mod timing;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

pub use self::announcing::{ROUND_INTERVAL, ROUNDS_LAST};
pub use self::link::{DEFAULT_EXCLUSIONS, ExclusionError, Exclusions, Link, Traits};
pub use self::notice::{Cause, Notice};
pub use self::silence::Silence;
pub use self::timing::Timing;

use self::announcing::{Announcing, Voice};
use crate::plan::{Answering, AnsweringInterface, Plan, Silent, Status, Vip, Which};
use crate::wire::Malformed;
use crate::wire::arp::{Frame, Operation, Packet};
use crate::wire::ethernet::Mac;
use crate::wire::hello::{HelloFault, KeyRing};

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

/// What comes of one ARP packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// This packet goes back to the one who asked.
    Answer(Packet),
    /// Nothing goes back.
    Silent(Silence),
}

/// What this node does about one address: where it answers and with which MAC address, or why it does not.
type Standing = Result<BTreeMap<u32, Mac>, Silence>;

/// A socket on a usable interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Socket {
    Asked,
    Open,
    Lost { retry: Duration },
}

/// The state machine.
#[derive(Debug)]
pub struct Responder {
    config: Config,
    plan: Option<Plan>,
    knows_links: bool,
    links: BTreeMap<u32, Link>,
    sockets: BTreeMap<u32, Socket>,
    standings: BTreeMap<IpAddr, Standing>,
    announcing: Announcing,
    is_stopping: bool,
    reported: Option<Status>,
}

impl Responder {
    /// Gives a responder that knows its node's name and nothing else, and so answers nothing.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            plan: None,
            knows_links: false,
            links: BTreeMap::new(),
            sockets: BTreeMap::new(),
            standings: BTreeMap::new(),
            announcing: Announcing::new(),
            is_stopping: false,
            reported: None,
        }
    }

    /// Gives when to come back with [`Event::Tick`] at the latest, or none when only events matter.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let retries = self.sockets.values().filter_map(|socket| match socket {
            Socket::Lost { retry } => Some(*retry),
            Socket::Asked | Socket::Open => None,
        });
        retries.chain(self.announcing.deadline()).min()
    }

    /// Whether the interfaces are known and a socket is open on each that is usable.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.knows_links && self.sockets.values().all(|socket| *socket == Socket::Open)
    }

    /// Takes in what happened and gives what to do, in order.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        match event {
            Event::Frame(link, bytes) => return vec![self.on_frame(link, &bytes)],
            Event::Plan(plan) => self.plan = Some(plan),
            Event::Links(links) => {
                self.knows_links = true;
                self.links = links.into_iter().map(|link| (link.index, link)).collect();
            }
            Event::Opened(link) => self.set_socket(link, Socket::Open),
            Event::Lost(link) => self.set_socket(link, Socket::Lost { retry: now + self.config.timing.socket_retry }),
            Event::Stop => self.is_stopping = true,
            Event::Tick | Event::Keys(_) => {}
        }
        let mut actions = self.follow_links(now);
        self.standings = self.plan.iter().flat_map(|plan| &plan.vips).map(|vip| (vip.ip, self.standing(vip))).collect();
        self.announcing.follow(&self.places(), now);
        actions.extend(self.announce(now));
        actions.extend(self.report());
        actions.extend(self.is_stopping.then_some(Action::Finished));
        actions
    }

    /// Remembers how the socket on an interface fares, if one is wanted there at all.
    fn set_socket(&mut self, link: u32, state: Socket) {
        if let Some(socket) = self.sockets.get_mut(&link) {
            *socket = state;
        }
    }

    /// Asks for a socket on each usable interface, again where the wait after a failure is over, and gives up those
    /// that are usable no longer.
    fn follow_links(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        let is_usable = |link: &Link| !self.is_stopping && self.config.exclusions.usable(link).is_ok();
        self.sockets.retain(|index, _| {
            let is_kept = self.links.get(index).is_some_and(is_usable);
            if !is_kept {
                actions.push(Action::Close(*index));
            }
            is_kept
        });
        for index in self.links.values().filter(|link| is_usable(link)).map(|link| link.index) {
            let is_wanted = match self.sockets.get(&index) {
                None => true,
                Some(Socket::Lost { retry }) => *retry <= now,
                Some(Socket::Asked | Socket::Open) => false,
            };
            if is_wanted {
                self.sockets.insert(index, Socket::Asked);
                actions.push(Action::Open(index));
            }
        }
        actions
    }

    /// Decides about one address of the plan.
    fn standing(&self, vip: &Vip) -> Standing {
        if self.is_stopping {
            return Err(Silence::Stopping);
        }
        if vip.ip.is_ipv6() {
            return Err(Silence::FamilyNotServed);
        }
        self.may_answer(vip)?;
        self.where_to_answer(vip)
    }

    /// Whether it is this node's turn among the candidates.
    fn may_answer(&self, vip: &Vip) -> Result<(), Silence> {
        match vip.nodes.iter().position(|node| *node == self.config.node) {
            Some(0) => Ok(()),
            Some(_) => Err(Silence::NotFirst),
            None => Err(Silence::NotACandidate),
        }
    }

    /// Gives the interfaces on which an address can be answered, or what stands in the way of all of them.
    fn where_to_answer(&self, vip: &Vip) -> Standing {
        let mut silence = if vip.interfaces.is_some() { Silence::InterfaceMissing } else { Silence::NoUsableInterface };
        let mut places = BTreeMap::new();
        for link in self.links.values().filter(|link| link::is_wanted(vip, &link.name)) {
            match self.config.exclusions.usable(link) {
                Ok(mac) if self.sockets.get(&link.index) == Some(&Socket::Open) => {
                    places.insert(link.index, mac);
                }
                Ok(_) => silence = Silence::SocketClosed,
                Err(Silence::InterfaceUnusable) if silence == Silence::InterfaceMissing => {
                    silence = Silence::InterfaceUnusable;
                }
                Err(_) => {}
            }
        }
        if places.is_empty() { Err(silence) } else { Ok(places) }
    }

    /// Gives every interface on which an IPv4 address is answered, and how.
    fn places(&self) -> BTreeMap<(Ipv4Addr, u32), Voice> {
        let mut places = BTreeMap::new();
        for (ip, standing) in &self.standings {
            if let (IpAddr::V4(ip), Ok(links)) = (ip, standing) {
                places.extend(links.iter().map(|(&link, &mac)| ((*ip, link), self.voice(link, mac))));
            }
        }
        places
    }

    fn voice(&self, link: u32, mac: Mac) -> Voice {
        let is_running = self.links.get(&link).is_some_and(|link| link.traits.is_running);
        Voice { mac, is_running }
    }

    /// Gives the announcements that are due.
    fn announce(&mut self, now: Duration) -> Vec<Action> {
        let sends = |((ip, link), mac)| {
            let purpose = Purpose::Announcement(IpAddr::V4(ip));
            announcing::round(ip, mac).map(|frame| Action::Send(Transmission { link, purpose, frame: frame.to_vec() }))
        };
        self.announcing.due(now).into_iter().flat_map(sends).collect()
    }

    /// Gives a report when there is a plan and what this node does about it differs from what it last reported.
    fn report(&mut self) -> Option<Action> {
        let mut status = Status::new(self.plan.as_ref()?.generation);
        let (mut answering, mut silent) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (&ip, standing) in &self.standings {
            match standing {
                Ok(places) => answering.entry(self.interfaces(places)).or_default().push(ip),
                Err(reason) => silent.entry(*reason).or_default().push(ip),
            }
        }
        let answering = answering.into_iter().map(|(interfaces, ips)| Answering { ips, interfaces });
        status.answering = answering.collect();
        let silent = silent.into_iter().map(|(reason, ips)| Silent { reason, which: Which::of(reason, ips) });
        status.silent = silent.collect();
        if self.reported.as_ref() == Some(&status) {
            return None;
        }
        self.reported = Some(status.clone());
        Some(Action::Report(status))
    }

    fn interfaces(&self, places: &BTreeMap<u32, Mac>) -> Vec<AnsweringInterface> {
        let named = |(index, &mac): (&u32, &Mac)| {
            self.links.get(index).map(|link| AnsweringInterface { name: link.name.clone(), mac })
        };
        places.iter().filter_map(named).collect()
    }

    /// Decides about one frame. Nothing in here changes the state yet; what others say will.
    fn on_frame(&self, link: u32, bytes: &[u8]) -> Action {
        let request = match Frame::read(bytes) {
            Ok(request) => request,
            Err(malformed) => return Action::Drop(malformed),
        };
        match self.on_arp(link, &request) {
            Verdict::Silent(silence) => Action::Ignore(silence),
            Verdict::Answer(packet) => {
                let answer = Frame { destination: packet.target_mac, source: packet.sender_mac, packet };
                let purpose = Purpose::Answer(IpAddr::V4(packet.sender_ip));
                Action::Send(Transmission { link, purpose, frame: answer.write().to_vec() })
            }
        }
    }

    /// Decides whether an ARP packet gets an answer, and gives it. A probe, which has no sender address (RFC 5227
    /// §2.1.1), gets one like every request: so its sender learns that the address is in use.
    #[must_use]
    pub fn on_arp(&self, link: u32, request: &Frame) -> Verdict {
        match self.answer(link, request) {
            Ok(packet) => Verdict::Answer(packet),
            Err(silence) => Verdict::Silent(silence),
        }
    }

    fn answer(&self, link: u32, request: &Frame) -> Result<Packet, Silence> {
        let asked = &request.packet;
        if asked.operation != Operation::Request {
            return Err(Silence::NotARequest);
        }
        if asked.sender_ip == asked.target_ip {
            return Err(Silence::Announcement);
        }
        if asked.sender_mac.is_group() {
            return Err(Silence::GroupSender);
        }
        let places = match self.standings.get(&IpAddr::V4(asked.target_ip)) {
            None => return Err(Silence::NotOurs),
            Some(Err(silence)) => return Err(*silence),
            Some(Ok(places)) => places,
        };
        let mac = *places.get(&link).ok_or(Silence::OtherLink)?;
        if request.destination != Mac::BROADCAST && request.destination != mac {
            return Err(Silence::NotForUs);
        }
        Ok(Packet {
            operation: Operation::Reply,
            sender_mac: mac,
            sender_ip: asked.target_ip,
            target_mac: asked.sender_mac,
            target_ip: asked.sender_ip,
        })
    }
}
