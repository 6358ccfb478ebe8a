//! Another node, of which there is no more than what it says.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use announcer::responder::Event;
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Heard, Hello, NodeId, Solitude, Stance, TAG_LENGTH, write_stances};

use crate::lab::{CLIENT, CLIENT_MAC, MILLI, TIMING, keys};

/// Another node of which there is no more than its hellos.
#[derive(Clone)]
pub struct Fellow {
    pub name: &'static str,
    /// Which station of its node it is; none when it is of a version that knows of nodes only.
    pub station: Option<u8>,
    pub mac: Mac,
    /// The interface of this node that hears it.
    pub link: u32,
    pub epoch: u64,
    pub sequence: u64,
    pub interval: Duration,
    pub listens_for: Duration,
    pub is_leaving: bool,
    pub solitude: Solitude,
    pub key: u8,
    /// Whom it hears besides.
    pub hears: Option<&'static str>,
    pub hears_station: u8,
    stances: Vec<u8>,
    statement: u32,
}

impl Fellow {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            station: Some(0),
            mac: Mac([2, 0, 0, 0, 2, name.bytes().last().unwrap()]),
            link: 2,
            epoch: 5,
            sequence: 0,
            interval: TIMING.interval,
            listens_for: Duration::ZERO,
            is_leaving: false,
            solitude: Solitude::Together,
            key: 7,
            hears: None,
            hears_station: 0,
            stances: Vec::new(),
            statement: 1,
        }
    }

    /// From its next hello on it says this.
    pub fn state(&mut self, stances: &[(IpAddr, Stance)]) {
        let mut parts = write_stances(&stances.iter().copied().collect());
        self.stances = parts.pop().unwrap();
        self.statement += 1;
    }

    /// Gives its next hello, which names the node that sent this one; of nobody when it hears nothing.
    pub fn hello(&mut self, heard: &[u8]) -> Event {
        self.sequence += 1;
        let us = token(heard).map(|echo| Heard { id: NodeId::of("node-1").station(0), age: Some(MILLI), echo });
        let other = self.hears.map(|name| Heard {
            id: NodeId::of(name).station(self.hears_station),
            age: Some(MILLI),
            echo: 0,
        });
        let hello = Hello {
            source: self.mac,
            name: self.name,
            station: self.station,
            epoch: self.epoch,
            sequence: self.sequence,
            interval: self.interval,
            listens_for: self.listens_for,
            is_leaving: self.is_leaving,
            solitude: self.solitude,
            heard: us.into_iter().chain(other).collect(),
            statement: self.statement,
            parts: 1,
            part: 0,
            stances: &self.stances,
        };
        Event::Frame(self.link, hello.seal(&keys(&[self.key])).unwrap().frame)
    }

    /// Gives the packet with which it answers for an IPv4 address.
    pub fn arp(&self, ip: Ipv4Addr) -> Frame {
        let packet = Packet {
            operation: Operation::Reply,
            sender_mac: self.mac,
            sender_ip: ip,
            target_mac: CLIENT_MAC,
            target_ip: CLIENT,
        };
        Frame { destination: Mac::BROADCAST, source: self.mac, packet }
    }
}

/// Gives the token of a hello's frame: the first bytes of its tag.
fn token(frame: &[u8]) -> Option<u32> {
    let (_, tag) = frame.split_last_chunk::<TAG_LENGTH>()?;
    tag.first_chunk().copied().map(u32::from_be_bytes)
}
