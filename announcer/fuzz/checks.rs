//! What must hold whatever the bytes are. The fuzz targets and a plain test both call it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing, Traits, Transmission,
};
use announcer::wire::arp::Frame;
use announcer::wire::ethernet::{Header, Mac};
use announcer::wire::hello::{Heard, Hello, Key, KeyRing, NodeId, Solitude, Stance, read_stances, write_stances};
use announcer::wire::ipv6::{Envelope, group_mac, solicited_node};
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
        for action in responder.handle(event, world.now) {
            world.check(&action);
        }
        assert!(responder.deadline().is_none_or(|deadline| deadline > world.now));
    }
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
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn next(&mut self) -> Option<Event> {
        let kind = self.byte()?;
        let argument = self.byte()?;
        let link = u32::from(argument % 4);
        Some(match kind % 8 {
            0 => Event::Plan(self.plan(argument)?),
            1 => Event::Links(self.links(argument)?),
            2 => Event::Opened(link),
            3 => Event::Lost(link),
            4 => Event::Frame(link, self.sound_frame()?),
            5 => {
                let length = usize::from(self.byte()?).min(self.bytes.len());
                let (frame, rest) = self.bytes.split_at(length);
                self.bytes = rest;
                Event::Frame(link, frame.to_vec())
            }
            6 => {
                let argument = u64::from(argument);
                self.now += Duration::from_millis(if argument < 0xc0 { argument * 5 } else { (argument - 0xbf) * 100 });
                Event::Tick
            }
            _ if argument == 0xff => Event::Stop,
            _ => match argument / 4 % 4 {
                0 => Event::Frame(link, self.solicitation()?),
                1 | 2 => Event::Frame(link, self.hello(link)?),
                _ if argument & 0x80 == 0 => Event::Keys(keys()),
                _ => Event::Keys(KeyRing::default()),
            },
        })
    }

    fn plan(&mut self, vips: u8) -> Option<Plan> {
        let vips = (0..vips % 4).map(|_| {
            let (ip, nodes, interfaces) = (self.byte()?, self.byte()?, self.byte()?);
            let named = vec![link_name(interfaces)];
            Some(Vip {
                ip: address(ip),
                nodes: vec![name(nodes % 3), name(nodes / 3 % 3)],
                interfaces: (interfaces < 128).then_some(named),
            })
        });
        Some(Plan { generation: 1, vips: vips.collect::<Option<_>>()? })
    }

    fn links(&mut self, links: u8) -> Option<Vec<Link>> {
        let links = (0..links % 4).map(|index| {
            let (bits, mac) = (self.byte()?, self.byte()?);
            Some(Link {
                index: u32::from(index),
                name: link_name(bits),
                link_local: None,
                mac: (mac != 0).then_some(Mac([2, 0, 0, 0, 0, mac])),
                traits: Traits {
                    is_up: bits & 1 == 0,
                    is_running: bits & 128 == 0,
                    is_ethernet: bits & 2 == 0,
                    can_broadcast: bits & 4 == 0,
                    has_no_arp: bits & 8 != 0,
                    has_master: bits & 0x10 != 0,
                },
            })
        });
        links.collect()
    }

    /// Gives a hello of a fellow, which names this node or not, now and then an old one or of another key.
    fn hello(&mut self, link: u32) -> Option<Vec<u8>> {
        let (who, bits, ip, stance) = (self.byte()?, self.byte()?, self.byte()?, self.byte()?);
        self.sequence += u64::from(bits & 1 == 0);
        let echo = self.tokens.get(&link).filter(|_| bits & 2 == 0);
        let own = echo.map(|&echo| Heard { id: NodeId::of(&name(0)), age: Some(Duration::ZERO), echo });
        let other = Heard { id: NodeId::of(&name(2)), age: Some(Duration::from_millis(9)), echo: 0 };
        let stance = match stance {
            0xfe => Stance::Leaves,
            0xff => Stance::Declines,
            rank => Stance::Answers(rank % 4),
        };
        let stances = write_stances(&BTreeMap::from([(address(ip), stance)])).pop()?;
        let hello = Hello {
            source: Mac([2, 0, 0, 0, 1, who % 3]),
            name: &name(who % 3),
            epoch: u64::from(who / 3 % 4),
            sequence: self.sequence,
            interval: Duration::from_millis(if bits & 0x40 == 0 { 100 } else { 700 }),
            listens_for: Duration::from_millis(if bits & 8 == 0 { 0 } else { 350 }),
            is_leaving: bits & 0x10 != 0,
            solitude: if bits & 0x20 == 0 { Solitude::Together } else { Solitude::Alone },
            heard: own.into_iter().chain(Some(other).filter(|_| bits & 4 != 0)).collect(),
            statement: u32::from(ip) << 8 | u32::from(bits),
            parts: 1,
            part: 0,
            stances: &stances,
        };
        let ring = if bits & 0x80 == 0 { keys() } else { KeyRing::new(vec![Key::new(&[8; 32])]) };
        Some(hello.seal(&ring)?.frame)
    }

    /// Gives a question for an IPv6 address, with single bytes of it wrong now and then.
    fn solicitation(&mut self) -> Option<Vec<u8>> {
        let (ip, offset, value) = (self.byte()?, self.byte()?, self.byte()?);
        let target = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, u16::from(ip % 4));
        let source_mac = Mac([2, 0, 0, 0, 0, 50]);
        let destination = solicited_node(target);
        let source = if ip & 0x10 == 0 { Ipv6Addr::LOCALHOST } else { Ipv6Addr::UNSPECIFIED };
        let message = Message::Solicitation { target, source_mac: (ip & 0x30 == 0).then_some(source_mac) };
        let destination_mac = group_mac(destination);
        let mut bytes = Neighbor { destination_mac, source_mac, destination, source, message }.write();
        if let Some(byte) = bytes.get_mut(usize::from(offset)) {
            *byte = value;
        }
        Some(bytes)
    }

    /// Gives a request, with single bytes of it wrong now and then.
    fn sound_frame(&mut self) -> Option<Vec<u8>> {
        let (ip, offset, value) = (self.byte()?, self.byte()?, self.byte()?);
        let mut bytes = vec![0xff; 6];
        bytes.extend([2, 0, 0, 0, 0, 50, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 50, 192, 168, 1, 50]);
        bytes.extend([0; 6]);
        bytes.extend([192, 168, 1, 200 + ip % 4]);
        if let Some(byte) = bytes.get_mut(usize::from(offset)) {
            *byte = value;
        }
        Some(bytes)
    }

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
                assert!(
                    self.has_keys
                        && hello.name == name(0)
                        && hello.heard.iter().all(|heard| heard.id != NodeId::of(&name(0)))
                );
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

fn link_name(bits: u8) -> String {
    ["lan0", "lan1", "veth0", "docker0"][usize::from(bits / 32 % 4)].to_owned()
}

fn address(byte: u8) -> IpAddr {
    let last = byte % 4;
    if byte & 4 == 0 {
        Ipv4Addr::new(192, 168, 1, 200 + last).into()
    } else {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last.into()).into()
    }
}
