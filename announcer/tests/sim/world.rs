//! Nodes with real responders on simulated segments, on a clock that only the simulation moves.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing};
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Key, KeyRing};

use super::node::{FIRST_LINK, Node, Port, Sabotage, State, Station, link, link_name, link_of, name, segment_of};
use super::random::Random;

pub struct World {
    pub now: Duration,
    pub nodes: Vec<Node>,
    pub segments: usize,
    pub random: Random,
    pub loss: usize,
    pub duplication: usize,
    pub delay: (usize, usize),
    /// Whether all segments are one network, so that a node hears itself on another of its interfaces.
    pub is_bridged: bool,
    /// Pairs of stations of which the first does not hear the second.
    pub deaf: Vec<(Station, Station)>,
    /// The only segment on which each address is to be answered, if there is one.
    pub wanted: Vec<Option<usize>>,
    pub sabotage: Sabotage,
    /// A rule that was broken by what a node has sent.
    pub broken: Option<String>,
    pub trace: Vec<String>,
    pub is_traced: bool,
    timing: Timing,
    frames: BTreeMap<(Duration, u64), (Station, Vec<u8>)>,
    serial: u64,
    exclusions: Exclusions,
}

pub fn vip(index: usize) -> IpAddr {
    let last = u8::try_from(index).unwrap();
    if index.is_multiple_of(2) { IpAddr::from([192, 168, 1, last]) } else { format!("fd00::{last}").parse().unwrap() }
}

impl World {
    pub fn new(seed: u64, nodes: usize, segments: usize, sabotage: Sabotage) -> Self {
        let mut timing = Timing::DEFAULT;
        if sabotage == Sabotage::SlowToBury {
            timing.missed = 12;
        }
        let mut world = Self {
            now: Duration::from_secs(100),
            nodes: Vec::new(),
            segments,
            random: Random(seed),
            loss: 0,
            duplication: 0,
            delay: (0, 2),
            is_bridged: false,
            deaf: Vec::new(),
            wanted: Vec::new(),
            sabotage,
            broken: None,
            trace: Vec::new(),
            is_traced: false,
            timing,
            frames: BTreeMap::new(),
            serial: 0,
            exclusions: Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap(),
        };
        for node in 0..nodes {
            let responder = world.responder(node);
            world.nodes.push(Node::new(responder, segments, world.now));
        }
        world
    }

    fn responder(&mut self, node: usize) -> Responder {
        let (exclusions, timing) = (self.exclusions.clone(), self.timing);
        Responder::new(Config { node: name(node), exclusions, epoch: self.random.next(), timing })
    }

    pub fn log(&mut self, text: impl FnOnce() -> String) {
        if self.is_traced {
            self.trace.push(format!("{:>9.3} {}", self.now.as_secs_f64() - 100.0, text()));
        }
    }

    /// Gives a plan with these candidates for each address, to which the first one is to take it over where it is moving.
    pub fn plan(&self, orders: &[Vec<usize>], generation: u64, moving: bool) -> Plan {
        let names = |segment: usize| vec![link_name(segment)];
        let vip = |(index, nodes): (usize, &Vec<usize>)| Vip {
            ip: vip(index),
            nodes: nodes.iter().map(|&node| name(node)).collect(),
            interfaces: self.wanted[index].filter(|_| self.sabotage != Sabotage::Everywhere).map(names),
            moving,
        };
        Plan { generation, vips: orders.iter().enumerate().map(vip).collect() }
    }

    /// Whether an address is to be answered on a segment.
    pub fn is_wanted(&self, index: usize, segment: usize) -> bool {
        self.wanted[index].is_none_or(|wanted| wanted == segment)
    }

    /// Gives the first segment of each network.
    pub const fn networks(&self) -> Range<usize> {
        0..if self.is_bridged { 1 } else { self.segments }
    }

    /// Gives the stations on a network.
    pub fn stations(&self, network: usize) -> impl Iterator<Item = Station> + use<> {
        let segments = if self.is_bridged { 0..self.segments } else { network..network + 1 };
        (0..self.nodes.len()).flat_map(move |node| segments.clone().map(move |segment| (node, segment)))
    }

    pub fn port(&self, (node, segment): Station) -> &Port {
        &self.nodes[node].ports[segment]
    }

    /// Whether the first hears the second.
    pub fn hears(&self, to: Station, from: Station) -> bool {
        let [a, b] = [to, from].map(|station| self.port(station));
        let are_connected = self.is_bridged || to.1 == from.1;
        are_connected && a.is_usable() && b.is_usable() && a.group == b.group && !self.deaf.contains(&(to, from))
    }

    pub fn answers(&self, (node, segment): Station, ip: IpAddr) -> bool {
        let is_one = self.sabotage == Sabotage::OneForAll;
        let link = if is_one { FIRST_LINK } else { link_of(segment) };
        let node = &self.nodes[node];
        let is_connected = node.state == State::Running && node.ports[segment].is_usable();
        is_connected && node.responder.answers(ip).any(|answered| answered == link)
    }

    pub fn start(&mut self, node: usize) {
        let responder = self.responder(node);
        let silent_until = self.now + self.dead_after();
        let slot = &mut self.nodes[node];
        slot.responder = responder;
        slot.state = State::Running;
        (slot.was_paused, slot.is_stopping) = (Duration::ZERO, false);
        slot.silence(silent_until);
        let plan = slot.plan.clone();
        self.give(node, Event::Keys(KeyRing::new(vec![Key::new(&[7; 32])])));
        self.give(node, Event::Links(self.links(node)));
        self.give(node, Event::Plan(plan));
    }

    fn links(&self, node: usize) -> Vec<Link> {
        if self.sabotage == Sabotage::OneForAll {
            let is_connected = self.nodes[node].ports.iter().any(Port::is_usable);
            return vec![link(node, 0, is_connected)];
        }
        self.nodes[node].links(node)
    }

    pub fn kill(&mut self, node: usize) {
        self.nodes[node].state = State::Off;
        self.nodes[node].queue.clear();
    }

    pub fn stop(&mut self, node: usize) {
        if self.sabotage == Sabotage::RudeStop {
            return self.kill(node);
        }
        self.nodes[node].is_stopping = true;
        self.give(node, Event::Stop);
    }

    pub fn pause(&mut self, node: usize) {
        self.nodes[node].state = State::Paused;
        self.nodes[node].paused_at = self.now;
    }

    /// Continues a node, which finds the frames that came meanwhile.
    pub fn go_on(&mut self, node: usize) {
        let (now, dead) = (self.now, self.dead_after());
        let slot = &mut self.nodes[node];
        let paused = now.saturating_sub(slot.paused_at);
        slot.state = State::Running;
        if self.sabotage == Sabotage::FrozenClock {
            slot.was_paused += paused;
        }
        if paused > dead {
            slot.silence(now + dead);
        }
        for (segment, frame) in std::mem::take(&mut slot.queue) {
            self.receive(node, segment, frame);
        }
        // What has become of the interfaces meanwhile.
        self.give(node, Event::Links(self.links(node)));
    }

    /// Has a node's clock jump ahead, as that of a machine does which was stopped as a whole.
    pub fn jump(&mut self, node: usize, by: Duration) {
        let silent_until = self.now + self.dead_after();
        let slot = &mut self.nodes[node];
        slot.ahead += by;
        // It counts by its own clock for how long it has listened.
        slot.ports.iter_mut().for_each(|port| port.silent_until = port.silent_until.saturating_sub(by));
        if slot.state == State::Running {
            // As far as it can tell, it has been silent for so long.
            if by >= silent_until.saturating_sub(self.now) {
                slot.silence(silent_until);
            }
            self.give(node, Event::Tick);
        }
    }

    /// A client of every segment asks for an address, as one does that has no entry for it.
    pub fn ask(&mut self, index: usize) {
        let IpAddr::V4(target_ip) = vip(index) else { return };
        let (source, sender_ip, target_mac) = (Mac([2, 0, 0, 1, 0, 0]), Ipv4Addr::new(192, 168, 1, 250), Mac([0; 6]));
        let packet = Packet { operation: Operation::Request, sender_mac: source, sender_ip, target_mac, target_ip };
        let bytes = Frame { destination: Mac::BROADCAST, source, packet }.write();
        for segment in 0..self.segments {
            for to in 0..self.nodes.len() {
                let arrival = self.now + self.random.millis(self.delay.0, self.delay.1);
                self.serial += 1;
                self.frames.insert((arrival, self.serial), ((to, segment), bytes.to_vec()));
            }
        }
    }

    pub fn set_carrier(&mut self, node: usize, segment: usize, has_carrier: bool) {
        let silent_until = self.now + self.dead_after();
        let before = std::mem::replace(&mut self.nodes[node].ports[segment].has_carrier, has_carrier);
        if self.nodes[node].state == State::Running {
            if has_carrier && !before {
                self.nodes[node].ports[segment].silent_until = silent_until;
            }
            self.give(node, Event::Links(self.links(node)));
        }
    }

    pub fn set_plan(&mut self, node: usize, plan: Plan) {
        self.nodes[node].plan = plan.clone();
        if self.nodes[node].state == State::Running {
            self.give(node, Event::Plan(plan));
        }
    }

    pub fn dead_after(&self) -> Duration {
        Timing::DEFAULT.dead_after(self.interval())
    }

    pub fn interval(&self) -> Duration {
        Timing::DEFAULT.interval_among(self.nodes.len() - 1)
    }

    fn give(&mut self, node: usize, event: Event) {
        let mut next = vec![event];
        while let Some(event) = next.pop() {
            let slot = &mut self.nodes[node];
            let now = (self.now + slot.ahead).saturating_sub(slot.was_paused);
            for action in slot.responder.handle(event, now) {
                match action {
                    Action::Open(link) => next.push(Event::Opened(link)),
                    Action::Send(sent) => {
                        let segment = segment_of(sent.link);
                        let speaks = matches!(sent.purpose, Purpose::Answer(_) | Purpose::Announcement(_));
                        let is_listening = self.now < self.nodes[node].ports[segment].silent_until;
                        if speaks && is_listening {
                            self.broken.get_or_insert_with(|| format!("{node} speaks for an address while it listens"));
                        }
                        // The switch brings an answer to who has asked and to nobody else.
                        if !matches!(sent.purpose, Purpose::Answer(_)) {
                            self.send(node, segment, &sent.frame);
                        }
                    }
                    Action::Note(notice) => self.log(|| format!("node-{node} {notice:?}")),
                    Action::Finished => self.nodes[node].state = State::Off,
                    _ => {}
                }
            }
        }
        let slot = &mut self.nodes[node];
        let wake = |deadline: Duration| (deadline + slot.was_paused).saturating_sub(slot.ahead);
        slot.wake = slot.responder.deadline().map_or(Duration::MAX, wake).max(self.now);
    }

    fn send(&mut self, from: usize, segment: usize, frame: &[u8]) {
        if self.sabotage == Sabotage::OneForAll {
            return (0..self.segments).for_each(|segment| self.broadcast(from, segment, frame));
        }
        self.broadcast(from, segment, frame);
    }

    fn broadcast(&mut self, from: usize, segment: usize, frame: &[u8]) {
        let from = (from, segment);
        for to in self.stations(segment) {
            if to == from || !self.hears(to, from) || self.random.chance(self.loss) {
                continue;
            }
            let copies = if self.random.chance(self.duplication) { 2 } else { 1 };
            for _ in 0..copies {
                let arrival = self.now + self.random.millis(self.delay.0, self.delay.1);
                self.serial += 1;
                self.frames.insert((arrival, self.serial), (to, frame.to_vec()));
            }
        }
    }

    /// Gives when something happens next.
    pub fn next(&self) -> Duration {
        let frame = self.frames.keys().next().map_or(Duration::MAX, |(arrival, _)| *arrival);
        let running = self.nodes.iter().filter(|node| node.state == State::Running);
        running.map(|node| node.wake).min().unwrap_or(Duration::MAX).min(frame)
    }

    /// Lets one thing happen that is due now, if there is one.
    pub fn step(&mut self) -> bool {
        if let Some((&key, _)) = self.frames.first_key_value()
            && key.0 <= self.now
        {
            let (to, frame) = self.frames.remove(&key).unwrap();
            self.deliver(to, frame);
            return true;
        }
        let due = |node: &Node| node.state == State::Running && node.wake <= self.now;
        let Some(node) = self.nodes.iter().position(due) else { return false };
        self.give(node, Event::Tick);
        true
    }

    fn deliver(&mut self, (to, segment): Station, frame: Vec<u8>) {
        let is_lost = self.sabotage == Sabotage::IgnoresHellos && frame[12..14] == [0x88, 0xb5];
        match self.nodes[to].state {
            _ if !self.nodes[to].ports[segment].is_usable() || is_lost => {}
            State::Running => self.receive(to, segment, frame),
            State::Paused => self.nodes[to].queue.push((segment, frame)),
            State::Off => {}
        }
    }

    fn receive(&mut self, node: usize, segment: usize, frame: Vec<u8>) {
        let is_one = self.sabotage == Sabotage::OneForAll;
        self.give(node, Event::Frame(if is_one { FIRST_LINK } else { link_of(segment) }, frame));
    }
}
