//! What must hold whatever the bytes are. The fuzz targets and a plain test both call it.

#[path = "checks/events.rs"]
mod events;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use announcer::plan::Plan;
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing, Transmission,
};
use announcer::wire::arp::Frame;
use announcer::wire::ethernet::Header;
use announcer::wire::hello::{ETHERTYPE_HELLO, Hello, Key, KeyRing, NodeId, read_stances, write_stances};
use announcer::wire::ipv6::Envelope;
use announcer::wire::ndp::{Message, Neighbor};

/// Compiled once, since that takes longer than all the rest.
static EXCLUSIONS: LazyLock<Exclusions> = LazyLock::new(|| Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap());

/// Whatever is read as a frame is written as the same bytes, less the padding.
pub fn wire(bytes: &[u8]) {
    if let Ok((header, body)) = Header::read(bytes) {
        assert_eq!([&header.write()[..], body].concat(), bytes);
    }
    if let Ok((hello, token)) = Hello::open(bytes, &keys()) {
        let written = hello.seal(&keys()).unwrap();
        assert_eq!(Hello::open(&written.frame, &keys()), Ok((hello.clone(), written.token)));
        assert!(!bytes.starts_with(&written.frame) || written.token == token);
    }
    if let Some(stances) = read_stances(bytes) {
        let parts = write_stances(&stances);
        assert_eq!(parts.iter().flat_map(|part| read_stances(part).unwrap()).collect::<BTreeMap<_, _>>(), stances);
    }
    if let Ok(neighbor) = Neighbor::read(bytes) {
        assert_eq!(Neighbor::read(&neighbor.write()), Ok(neighbor));
    }
    if let Ok(frame) = Frame::read(bytes) {
        assert!(bytes.starts_with(&frame.write()));
    }
}

/// Whatever happens in whatever order: frames go out only on open sockets, from the interface's own MAC address, for
/// addresses that this node is a candidate for or was until a moment ago, never without a key or after the end; and the
/// responder never asks to be woken in the past.
pub fn responder(bytes: &[u8]) {
    let exclusions = EXCLUSIONS.clone();
    let mut world = World { bytes, has_keys: true, ..World::default() };
    let mut responder = Responder::new(Config { node: name(0), exclusions, epoch: 1, timing: Timing::DEFAULT });
    responder.handle(Event::Keys(keys()), world.now);
    while let Some(event) = world.next() {
        world.note(&event);
        let (actions, is_settled) = match event {
            Event::Frame(link, frame) => take_in(&mut responder, link, &frame, world.now),
            event => (responder.handle(event, world.now), true),
        };
        for action in actions {
            world.check(&action);
        }
        assert!(!is_settled || responder.deadline().is_none_or(|deadline| deadline > world.now));
    }
}

/// Gives what follows from a frame as the program has it, which asks for the answer first, and whether everything due has
/// been done. Each frame but a hello has either an answer or a reason why there is none; and one of which nothing follows
/// leaves the time to wake at where it was.
fn take_in(responder: &mut Responder, link: u32, frame: &[u8], now: Duration) -> (Vec<Action>, bool) {
    let (mut answer, mut actions, deadline) = (Vec::new(), Vec::new(), responder.deadline());
    let answered = responder.answer(link, frame, now, &mut answer);
    let is_settled = responder.receive(link, frame, now, &mut actions);
    assert!(is_settled || responder.deadline() == deadline);
    let is_refused = actions.iter().any(|action| matches!(action, Action::Ignore(_) | Action::Drop(_)));
    assert!(is_settled || actions.len() == usize::from(is_refused));
    let is_hello = Header::read(frame).is_ok_and(|(header, _)| header.ethertype == ETHERTYPE_HELLO);
    assert!(is_hello || answered.is_some() != is_refused);
    let answer = answered.map(|ip| Transmission { link, purpose: Purpose::Answer(ip), frame: answer });
    actions.splice(0..0, answer.map(Action::Send));
    (actions, is_settled)
}

/// Makes events out of bytes and knows what they amount to.
#[derive(Default)]
struct World<'a> {
    bytes: &'a [u8],
    now: Duration,
    plan: Plan,
    /// Plans of before, and until when what they said may be kept to.
    past: Vec<(Duration, Plan)>,
    links: Vec<Link>,
    open: BTreeSet<u32>,
    has_keys: bool,
    is_over: bool,
    /// The token of the hello sent last on each interface.
    tokens: BTreeMap<u32, u32>,
    sequence: u64,
}

impl World<'_> {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Plan(plan) => {
                let before = std::mem::replace(&mut self.plan, plan.clone());
                self.past.push((self.now + Timing::DEFAULT.handover, before));
            }
            Event::Links(links) => self.links.clone_from(links),
            Event::Lost(link) => {
                self.open.remove(link);
            }
            Event::Opened(link) => {
                self.open.insert(*link);
            }
            Event::Keys(keys) => self.has_keys = !keys.is_empty(),
            Event::Frame(..) | Event::Tick | Event::Stop => {}
        }
    }

    fn check(&mut self, action: &Action) {
        match action {
            Action::Close(link) => {
                self.open.remove(link);
            }
            Action::Open(_) | Action::Join(..) | Action::Leave(..) => assert!(!self.is_over),
            Action::Finished => self.is_over = true,
            Action::Send(transmission) => {
                assert!(!self.is_over && self.open.contains(&transmission.link));
                self.check_frame(transmission);
            }
            _ => {}
        }
    }

    fn check_frame(&mut self, transmission: &Transmission) {
        let Transmission { link, purpose, frame } = transmission;
        let own_mac = self.links.iter().find(|known| known.index == *link).unwrap().mac.unwrap();
        let (header, _) = Header::read(frame).unwrap();
        assert!(header.source == own_mac && frame.len() <= 1_514);
        match *purpose {
            Purpose::Hello => {
                let (hello, token) = Hello::open(frame, &keys()).unwrap();
                let own = NodeId::of(&name(0)).station(hello.station.unwrap());
                let names_itself = hello.heard.iter().any(|heard| heard.id == own);
                assert!(self.has_keys && hello.name == name(0) && !names_itself);
                self.tokens.insert(*link, token);
            }
            Purpose::Membership => assert_eq!(Envelope::read(frame).unwrap().0.hop_limit, 1),
            Purpose::Answer(ip) | Purpose::Announcement(ip) => {
                let is_candidate =
                    |plan: &Plan| plan.vips.iter().any(|vip| vip.ip == ip && vip.nodes.contains(&name(0)));
                let was = |(until, plan): &(Duration, Plan)| self.now <= *until && is_candidate(plan);
                assert!(self.has_keys && (is_candidate(&self.plan) || self.past.iter().any(was)));
                let is_for_all = matches!(purpose, Purpose::Announcement(_));
                match ip {
                    IpAddr::V4(ip) => {
                        let packet = Frame::read(frame).unwrap().packet;
                        assert_eq!((packet.sender_mac, packet.sender_ip), (own_mac, ip));
                        assert_eq!(header.destination.is_group(), is_for_all);
                    }
                    IpAddr::V6(ip) => {
                        let message = Neighbor::read(frame).unwrap().message;
                        let is_solicited = !header.destination.is_group();
                        let is_override = !is_solicited;
                        let target_mac = Some(own_mac);
                        let expected = Message::Advertisement { target: ip, target_mac, is_solicited, is_override };
                        assert!(message == expected && (is_override || !is_for_all));
                    }
                }
            }
        }
    }
}

fn keys() -> KeyRing {
    KeyRing::new(vec![Key::new(&[7; 32])])
}

fn name(node: u8) -> String {
    format!("node-{node}")
}
