//! Nodes with real responders on one simulated segment, on a clock that only the simulation moves.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing, Traits,
};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Key, KeyRing};

use super::random::Random;

pub const LINK: u32 = 2;

/// How the nodes are built wrongly on purpose, to see that the rules can be broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sabotage {
    None,
    /// The clock stands still while the node is stopped, so it cannot know that it was.
    FrozenClock,
    /// Hellos do not reach the responder.
    IgnoresHellos,
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

pub struct Node {
    pub responder: Responder,
    pub state: State,
    pub has_carrier: bool,
    pub group: usize,
    pub was_paused: Duration,
    pub paused_at: Duration,
    /// When it began to run, was continued or got its carrier back.
    pub since: Duration,
    /// Since when it has to be silent, and until when at least.
    pub silent_until: Duration,
    pub is_stopping: bool,
    pub plan: Plan,
    queue: Vec<Vec<u8>>,
    wake: Duration,
}

pub struct World {
    pub now: Duration,
    pub nodes: Vec<Node>,
    pub random: Random,
    pub loss: usize,
    pub duplication: usize,
    pub delay: (usize, usize),
    /// Pairs of which the first does not hear the second.
    pub deaf: Vec<(usize, usize)>,
    pub sabotage: Sabotage,
    pub timing: Timing,
    pub trace: Vec<String>,
    pub is_traced: bool,
    pub sent: usize,
    frames: BTreeMap<(Duration, u64), (usize, Vec<u8>)>,
    serial: u64,
    exclusions: Exclusions,
}

fn link(node: usize, has_carrier: bool) -> Link {
    let traits = Traits {
        is_up: has_carrier,
        is_running: has_carrier,
        is_ethernet: true,
        can_broadcast: true,
        has_no_arp: false,
        has_master: false,
    };
    Link { index: LINK, name: "lan0".to_owned(), mac: Some(mac(node)), link_local: None, traits }
}

pub fn mac(node: usize) -> Mac {
    Mac([2, 0, 0, 0, 0, u8::try_from(node).unwrap()])
}

pub fn name(node: usize) -> String {
    format!("node-{node}")
}

pub fn vip(index: usize) -> IpAddr {
    let last = u8::try_from(index).unwrap();
    if index.is_multiple_of(2) { IpAddr::from([192, 168, 1, last]) } else { format!("fd00::{last}").parse().unwrap() }
}

pub fn plan(orders: &[Vec<usize>], generation: u64) -> Plan {
    let vip = |(index, nodes): (usize, &Vec<usize>)| Vip {
        ip: vip(index),
        nodes: nodes.iter().map(|&node| name(node)).collect(),
        interfaces: None,
    };
    Plan { generation, vips: orders.iter().enumerate().map(vip).collect() }
}

impl World {
    pub fn new(seed: u64, nodes: usize, sabotage: Sabotage) -> Self {
        let mut timing = Timing::DEFAULT;
        if sabotage == Sabotage::SlowToBury {
            timing.missed = 12;
        }
        let mut world = Self {
            now: Duration::from_secs(100),
            nodes: Vec::new(),
            random: Random(seed),
            loss: 0,
            duplication: 0,
            delay: (0, 2),
            deaf: Vec::new(),
            sabotage,
            timing,
            trace: Vec::new(),
            is_traced: false,
            sent: 0,
            frames: BTreeMap::new(),
            serial: 0,
            exclusions: Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap(),
        };
        for node in 0..nodes {
            let responder = world.responder(node);
            let now = world.now;
            world.nodes.push(Node {
                responder,
                state: State::Off,
                has_carrier: true,
                group: 0,
                was_paused: Duration::ZERO,
                paused_at: now,
                since: now,
                silent_until: Duration::ZERO,
                is_stopping: false,
                plan: Plan::default(),
                queue: Vec::new(),
                wake: Duration::MAX,
            });
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

    /// Whether the first hears the second.
    pub fn hears(&self, to: usize, from: usize) -> bool {
        let [a, b] = [to, from].map(|node| &self.nodes[node]);
        a.has_carrier && b.has_carrier && a.group == b.group && !self.deaf.contains(&(to, from))
    }

    pub fn answers(&self, node: usize, ip: IpAddr) -> bool {
        let node = &self.nodes[node];
        node.state == State::Running && node.has_carrier && node.responder.answers(ip).next().is_some()
    }

    pub fn start(&mut self, node: usize) {
        let responder = self.responder(node);
        let (now, dead) = (self.now, self.dead_after());
        let slot = &mut self.nodes[node];
        slot.responder = responder;
        slot.state = State::Running;
        (slot.since, slot.was_paused, slot.is_stopping) = (now, Duration::ZERO, false);
        slot.silent_until = now + dead;
        let (plan, has_carrier) = (slot.plan.clone(), slot.has_carrier);
        self.give(node, Event::Keys(KeyRing::new(vec![Key::new(&[7; 32])])));
        self.give(node, Event::Links(vec![link(node, has_carrier)]));
        self.give(node, Event::Plan(plan));
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
        let now = self.now;
        let (fenced, dead) = (self.dead_after(), self.dead_after());
        let slot = &mut self.nodes[node];
        let paused = now.saturating_sub(slot.paused_at);
        slot.state = State::Running;
        slot.since = now;
        if self.sabotage == Sabotage::FrozenClock {
            slot.was_paused += paused;
        }
        if paused > fenced {
            slot.silent_until = now + dead;
        }
        for frame in std::mem::take(&mut slot.queue) {
            self.give(node, Event::Frame(LINK, frame));
        }
        self.give(node, Event::Tick);
    }

    pub fn set_carrier(&mut self, node: usize, has_carrier: bool) {
        let dead = self.dead_after();
        let now = self.now;
        let slot = &mut self.nodes[node];
        slot.has_carrier = has_carrier;
        if has_carrier {
            (slot.since, slot.silent_until) = (now, now + dead);
        }
        if slot.state == State::Running {
            self.give(node, Event::Links(vec![link(node, has_carrier)]));
        }
    }

    pub fn set_plan(&mut self, node: usize, plan: Plan) {
        self.nodes[node].plan = plan.clone();
        if self.nodes[node].state == State::Running {
            self.give(node, Event::Plan(plan));
        }
    }

    pub fn dead_after(&self) -> Duration {
        let timing = Timing::DEFAULT;
        timing.dead_after(timing.interval_among(self.nodes.len() - 1))
    }

    pub fn interval(&self) -> Duration {
        Timing::DEFAULT.interval_among(self.nodes.len() - 1)
    }

    pub fn give(&mut self, node: usize, event: Event) {
        let mut next = vec![event];
        while let Some(event) = next.pop() {
            let slot = &mut self.nodes[node];
            let now = self.now.saturating_sub(slot.was_paused);
            let is_listening = self.now < slot.silent_until;
            for action in slot.responder.handle(event, now) {
                match action {
                    Action::Open(link) => next.push(Event::Opened(link)),
                    Action::Send(sent) => {
                        let speaks = matches!(sent.purpose, Purpose::Answer(_) | Purpose::Announcement(_));
                        assert!(!(speaks && is_listening), "node {node} speaks for an address while it has to listen");
                        self.broadcast(node, &sent.frame);
                    }
                    Action::Note(notice) => self.log(|| format!("node-{node} {notice:?}")),
                    Action::Finished => self.nodes[node].state = State::Off,
                    _ => {}
                }
            }
        }
        let slot = &mut self.nodes[node];
        let deadline = slot.responder.deadline().map_or(Duration::MAX, |deadline| deadline + slot.was_paused);
        slot.wake = deadline.max(self.now);
    }

    fn broadcast(&mut self, from: usize, frame: &[u8]) {
        if !self.nodes[from].has_carrier {
            return;
        }
        self.sent += 1;
        for to in 0..self.nodes.len() {
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

    fn deliver(&mut self, to: usize, frame: Vec<u8>) {
        let is_lost = self.sabotage == Sabotage::IgnoresHellos && frame[12..14] == [0x88, 0xb5];
        match self.nodes[to].state {
            _ if !self.nodes[to].has_carrier || is_lost => {}
            State::Running => self.give(to, Event::Frame(LINK, frame)),
            State::Paused => self.nodes[to].queue.push(frame),
            State::Off => {}
        }
    }
}
