//! One simulated node: a real responder, and an interface on each segment.

use std::time::Duration;

use announcer::plan::Plan;
use announcer::responder::{Link, Responder, Traits};
use announcer::wire::ethernet::Mac;

/// Index of the interface on the first segment; the others follow.
pub const FIRST_LINK: u32 = 2;

/// How the nodes are built wrongly on purpose, to see that the rules can be broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sabotage {
    None,
    /// The clock stands still while the node is stopped, so it cannot know that it was.
    FrozenClock,
    /// Hellos do not reach the responder.
    IgnoresHellos,
    /// The interfaces of a node are one to its responder, so that a fellow heard on one of them counts on all.
    OneForAll,
    /// The plan names no interfaces.
    Everywhere,
    /// The program ends without a word when it is told to stop.
    RudeStop,
    /// Fellows are given up much later than the rules say.
    SlowToBury,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    Running,
    /// Stopped by a signal; frames queue up.
    Paused,
    Off,
}

/// A node, and which of its interfaces.
pub type Station = (usize, usize);

/// An interface, on the segment of the same number.
pub struct Port {
    /// Whether the node has it at all.
    pub is_present: bool,
    pub has_carrier: bool,
    /// Only those of one group are connected.
    pub group: usize,
    /// Until when it has to be silent at least.
    pub silent_until: Duration,
}

impl Default for Port {
    fn default() -> Self {
        Self { is_present: true, has_carrier: true, group: 0, silent_until: Duration::ZERO }
    }
}

impl Port {
    pub fn is_usable(&self) -> bool {
        self.is_present && self.has_carrier
    }
}

pub struct Node {
    pub responder: Responder,
    pub state: State,
    pub ports: Vec<Port>,
    pub was_paused: Duration,
    /// By how much its clock has jumped ahead.
    pub ahead: Duration,
    pub paused_at: Duration,
    pub is_stopping: bool,
    pub plan: Plan,
    pub queue: Vec<(usize, Vec<u8>)>,
    pub wake: Duration,
}

impl Node {
    pub fn new(responder: Responder, segments: usize, now: Duration) -> Self {
        Self {
            responder,
            state: State::Off,
            ports: (0..segments).map(|_| Port::default()).collect(),
            was_paused: Duration::ZERO,
            ahead: Duration::ZERO,
            paused_at: now,
            is_stopping: false,
            plan: Plan::default(),
            queue: Vec::new(),
            wake: Duration::MAX,
        }
    }

    /// Has every interface be silent until then at least.
    pub fn silence(&mut self, until: Duration) {
        self.ports.iter_mut().for_each(|port| port.silent_until = until);
    }

    /// Gives the interfaces as the responder is told them.
    pub fn links(&self, node: usize) -> Vec<Link> {
        let present = self.ports.iter().enumerate().filter(|(_, port)| port.is_present);
        present.map(|(segment, port)| link(node, segment, port.has_carrier)).collect()
    }
}

/// Gives the index of a node's interface on a segment.
pub fn link_of(segment: usize) -> u32 {
    FIRST_LINK + u32::try_from(segment).unwrap()
}

pub fn segment_of(link: u32) -> usize {
    usize::try_from(link - FIRST_LINK).unwrap()
}

/// Gives the name of every node's interface on a segment.
pub fn link_name(segment: usize) -> String {
    format!("lan{segment}")
}

pub fn link(node: usize, segment: usize, has_carrier: bool) -> Link {
    let traits = Traits {
        is_up: has_carrier,
        is_running: has_carrier,
        is_ethernet: true,
        can_broadcast: true,
        has_no_arp: false,
        has_master: false,
        has_ipv6: true,
    };
    let (index, name, mac) = (link_of(segment), link_name(segment), Some(mac(node, segment)));
    Link { index, name, mac, link_local: None, traits }
}

fn mac(node: usize, segment: usize) -> Mac {
    Mac([2, 0, 0, 0, u8::try_from(segment).unwrap(), u8::try_from(node).unwrap()])
}

pub fn name(node: usize) -> String {
    format!("node-{node}")
}
