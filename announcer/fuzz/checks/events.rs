//! Makes events out of bytes, most of them such as happen.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{Event, Link, Traits};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Heard, Hello, Key, KeyRing, NodeId, Solitude, Stance, write_stances};
use announcer::wire::ipv6::{group_mac, solicited_node};
use announcer::wire::ndp::{Message, Neighbor};

use super::{World, keys, name};

impl World<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub fn next(&mut self) -> Option<Event> {
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
                moving: nodes >= 128,
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
                    has_ipv6: bits & 0x20 == 0,
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
        let own = echo.map(|&echo| Heard { id: NodeId::of(&name(0)).station(0), age: Some(Duration::ZERO), echo });
        let other =
            Heard { id: NodeId::of(&name(2)).station(who / 12 % 2), age: Some(Duration::from_millis(9)), echo: 0 };
        let stance = match stance {
            0xfe => Stance::Leaves,
            0xff => Stance::Declines,
            rank => Stance::Answers(rank % 4),
        };
        let stances = write_stances(&BTreeMap::from([(address(ip), stance)])).pop()?;
        let hello = Hello {
            source: Mac([2, 0, 0, 0, 1, who % 3]),
            name: &name(who % 3),
            station: (who < 0xc0).then_some(who / 12 % 3),
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
