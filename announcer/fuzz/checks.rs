//! What must hold whatever the bytes are. The fuzz targets and a plain test both call it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing, Traits, Transmission,
};
use announcer::wire::arp::Frame;
use announcer::wire::ethernet::{Header, Mac};
use announcer::wire::hello::{Hello, Key, KeyRing, read_stances};
use announcer::wire::ndp::Neighbor;

/// Compiled once, since that takes longer than all the rest.
static EXCLUSIONS: LazyLock<Exclusions> = LazyLock::new(|| Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap());

/// Whatever is read as a frame is written as the same bytes, less the padding.
pub fn wire(bytes: &[u8]) {
    if let Ok((header, body)) = Header::read(bytes) {
        assert_eq!([&header.write()[..], body].concat(), bytes);
    }
    let _ = Hello::open(bytes, &KeyRing::new(vec![Key::new(&[7; 32])]));
    let _ = read_stances(bytes);
    if let Ok(neighbor) = Neighbor::read(bytes) {
        assert_eq!(Neighbor::read(&neighbor.write()), Ok(neighbor));
    }
    if let Ok(frame) = Frame::read(bytes) {
        assert!(bytes.starts_with(&frame.write()));
    }
}

/// Whatever happens in whatever order: frames go out only on open sockets, from the interface's own MAC address, for
/// addresses that this node is a candidate for, never after the end; and the responder never asks to be woken in the past.
pub fn responder(bytes: &[u8]) {
    let exclusions = EXCLUSIONS.clone();
    let mut world = World { bytes, now: Duration::ZERO, plan: Plan::default(), links: Vec::new(), is_over: false };
    let mut responder = Responder::new(Config { node: name(0), exclusions, epoch: 1, timing: Timing::DEFAULT });
    let mut open = BTreeSet::new();
    responder.handle(Event::Keys(KeyRing::new(vec![Key::new(&[7; 32])])), world.now);
    while let Some(event) = world.next() {
        world.note(&event, &mut open);
        for action in responder.handle(event, world.now) {
            world.check(&action, &mut open);
        }
        assert!(responder.deadline().is_none_or(|deadline| deadline > world.now));
    }
}

/// Makes events out of bytes and knows what they amount to.
struct World<'a> {
    bytes: &'a [u8],
    now: Duration,
    plan: Plan,
    links: Vec<Link>,
    is_over: bool,
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
                self.now += Duration::from_millis(u64::from(argument) * 20);
                Event::Tick
            }
            _ if argument == 0xff => Event::Stop,
            _ => Event::Tick,
        })
    }

    fn plan(&mut self, vips: u8) -> Option<Plan> {
        let vips = (0..vips % 4).map(|_| {
            let (ip, nodes, interfaces) = (self.byte()?, self.byte()?, self.byte()?);
            let named = vec![link_name(interfaces)];
            Some(Vip {
                ip: address(ip).into(),
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
                    has_master: bits & 16 != 0,
                },
            })
        });
        links.collect()
    }

    /// Gives a request, with single bytes of it wrong now and then.
    fn sound_frame(&mut self) -> Option<Vec<u8>> {
        let (ip, offset, value) = (self.byte()?, self.byte()?, self.byte()?);
        let mut bytes = vec![0xff; 6];
        bytes.extend([2, 0, 0, 0, 0, 50, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 50, 192, 168, 1, 50]);
        bytes.extend([0; 6]);
        bytes.extend(address(ip).octets());
        if let Some(byte) = bytes.get_mut(usize::from(offset)) {
            *byte = value;
        }
        Some(bytes)
    }

    fn note(&mut self, event: &Event, open: &mut BTreeSet<u32>) {
        match event {
            Event::Plan(plan) => self.plan = plan.clone(),
            Event::Links(links) => self.links.clone_from(links),
            Event::Stop => self.is_over = true,
            Event::Lost(link) => {
                open.remove(link);
            }
            Event::Opened(link) => {
                open.insert(*link);
            }
            Event::Frame(..) | Event::Keys(_) | Event::Tick => {}
        }
    }

    fn check(&self, action: &Action, open: &mut BTreeSet<u32>) {
        match action {
            Action::Close(link) => {
                open.remove(link);
            }
            Action::Open(_) => assert!(!self.is_over),
            Action::Send(transmission) if transmission.purpose == Purpose::Hello => {
                assert!(open.contains(&transmission.link));
                Hello::open(&transmission.frame, &KeyRing::new(vec![Key::new(&[7; 32])])).unwrap();
            }
            Action::Send(transmission) => self.check_frame(transmission, open),
            _ => {}
        }
    }

    fn check_frame(&self, transmission: &Transmission, open: &BTreeSet<u32>) {
        let Transmission { link, purpose, frame } = transmission;
        let frame = Frame::read(frame).unwrap();
        let (Purpose::Answer(IpAddr::V4(ip)) | Purpose::Announcement(IpAddr::V4(ip))) = *purpose else { panic!() };
        let own_mac = self.links.iter().find(|known| known.index == *link).unwrap().mac.unwrap();
        assert!(!self.is_over && open.contains(link));
        assert_eq!((frame.source, frame.packet.sender_mac, frame.packet.sender_ip), (own_mac, own_mac, ip));
        assert_eq!(frame.destination.is_group(), matches!(purpose, Purpose::Announcement(_)));
        let is_candidate = |vip: &Vip| vip.ip == ip && vip.nodes.contains(&name(0));
        assert!(self.plan.vips.iter().any(is_candidate));
    }
}

fn name(node: u8) -> String {
    format!("node-{node}")
}

fn link_name(bits: u8) -> String {
    ["lan0", "lan1", "veth0", "docker0"][usize::from(bits / 32 % 4)].to_owned()
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 1, 200 + last % 4)
}
