//! One run: a world, the faults that befall it, and the rules that have to hold all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::node::{Sabotage, State, Station};
use super::random::Random;
use super::world::World;

/// Which faults befall the world, and how hard the rules are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theme {
    /// One node at a time dies, is stopped by a signal, is cut off or loses its carrier, and comes back.
    Crashes,
    /// Nodes end in good order and start again, and plans change.
    Handovers,
    /// Anything at any time, with loss, delay, duplication, reordering and partitions of all kinds.
    Chaos,
    /// As crashes, with dozens of nodes.
    Crowds,
}

#[derive(Clone, Debug)]
pub enum Fault {
    Start(usize),
    Kill(usize),
    Stop(usize),
    Pause(usize),
    GoOn(usize),
    /// Of a node, on a segment.
    Carrier(usize, usize, bool),
    Group(usize, usize, usize),
    /// The first of two stations to the second.
    Deaf(Station, Station),
    Loss(usize),
    /// A new plan arrives at a node; whether it moves each address to the first of its candidates.
    Plan(usize, Vec<Vec<usize>>, bool),
    /// The operator's newest plan, which puts first who answers, arrives; at one that is cut off after that.
    Follow(usize),
    Calm,
    /// A node's clock jumps ahead.
    Jump(usize, Duration),
    /// A client asks for every address; no fault at all.
    Ask,
}

/// The first segment of a network, and the index of an address.
pub type Place = (usize, usize);

pub struct Run {
    pub theme: Theme,
    pub world: World,
    pub orders: Vec<Vec<usize>>,
    pub schedule: BTreeMap<(Duration, u64), Fault>,
    pub serial: u64,
    pub end: Duration,
    /// Since when two nodes have both answered for an address.
    pub both: BTreeMap<(Place, Station, Station), Duration>,
    /// Since when nobody has answered for an address though somebody could.
    pub unanswered: BTreeMap<Place, Duration>,
    /// How long more than one has answered for an address since the last fault.
    pub overlap: BTreeMap<Place, Duration>,
    /// Addresses for which more than one has answered when that was last looked at.
    pub doubled: BTreeSet<Place>,
    /// Who alone answers for an address, and since when.
    pub holders: BTreeMap<Place, (Station, Duration)>,
    /// When something last befell each node on each segment.
    pub befallen: Vec<Vec<Duration>>,
    /// Whether there is an operator that puts first who answers.
    pub is_followed: bool,
    pub generation: u64,
    pub disturbed: Duration,
    pub rewired: Duration,
    /// When a plan last reached a node.
    pub planned: Duration,
    pub before: Duration,
}

/// How often a client asks, on a beat of its own beside the hellos'.
const ASK_INTERVAL: Duration = Duration::from_millis(37);

impl Fault {
    /// Whether it disturbs anything.
    const fn is_one(&self) -> bool {
        !matches!(self, Self::Follow(..) | Self::Ask)
    }
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Run {
    pub fn new(seed: u64, theme: Theme, sabotage: Sabotage, is_traced: bool) -> Self {
        let mut random = Random(seed);
        let nodes = match theme {
            Theme::Crowds => 10 + random.below(if seed < 2 { 10 } else { 41 }),
            Theme::Chaos => 2 + random.below(6),
            Theme::Crashes | Theme::Handovers => 2 + random.below(4),
        };
        let segments = if theme == Theme::Crowds { 1 } else { 1 + random.below(2) };
        let mut world = World::new(random.next(), nodes, segments, sabotage);
        world.is_traced = is_traced;
        if theme == Theme::Chaos {
            world.delay = (0, 1 + random.below(30));
            world.duplication = random.below(20);
        }
        let orders: Vec<_> = (0..=random.below(3)).map(|_| order(&mut random, nodes)).collect();
        if segments > 1 {
            world.is_bridged = random.chance(50);
            world.wanted = orders.iter().map(|_| random.chance(60).then(|| random.below(segments))).collect();
            // Now and then a node that is not on both.
            if random.chance(if world.is_bridged { 70 } else { 30 }) {
                let (node, segment) = (random.below(nodes), random.below(segments));
                world.nodes[node].ports[segment].is_present = false;
            }
        } else {
            world.wanted = vec![None; orders.len()];
        }
        let start = world.now;
        let mut run = Self {
            theme,
            world,
            orders,
            schedule: BTreeMap::new(),
            serial: 0,
            end: start,
            both: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            overlap: BTreeMap::new(),
            doubled: BTreeSet::new(),
            holders: BTreeMap::new(),
            befallen: vec![vec![start; segments]; nodes],
            is_followed: theme == Theme::Crashes && random.chance(50),
            generation: 1,
            disturbed: start,
            rewired: start,
            planned: Duration::ZERO,
            before: start,
        };
        run.add(start, Fault::Ask);
        for node in 0..nodes {
            run.world.nodes[node].plan = run.world.plan(&run.orders, 1, false);
            let at = start + random.millis(0, 300);
            run.add(at, Fault::Start(node));
        }
        match theme {
            Theme::Crashes => run.crashes(&mut random, 3),
            Theme::Crowds => run.crashes(&mut random, 1),
            Theme::Handovers => run.handovers(&mut random),
            Theme::Chaos => run.chaos(&mut random),
        }
        run
    }

    pub fn add(&mut self, at: Duration, fault: Fault) {
        self.serial += 1;
        self.schedule.insert((at, self.serial), fault);
    }

    fn befall(&mut self, fault: Fault) {
        if !matches!(fault, Fault::Ask) {
            self.world.log(|| format!("-- {fault:?}"));
        }
        if fault.is_one() {
            self.disturbed = self.world.now;
            self.overlap.clear();
        }
        let now = self.world.now;
        match fault {
            Fault::Start(node) if self.world.nodes[node].state == State::Off => self.world.start(node),
            Fault::Kill(node) => {
                self.befallen[node].fill(now);
                self.world.kill(node);
            }
            Fault::Stop(node) if self.world.nodes[node].state == State::Running => {
                self.befallen[node].fill(now);
                self.world.stop(node);
            }
            Fault::Pause(node) if self.world.nodes[node].state == State::Running => {
                self.befallen[node].fill(now);
                self.world.pause(node);
            }
            Fault::GoOn(node) if self.world.nodes[node].state == State::Paused => self.world.go_on(node),
            Fault::Carrier(node, segment, has_carrier) => {
                self.befallen[node][segment] = now;
                self.world.set_carrier(node, segment, has_carrier);
            }
            Fault::Group(node, segment, group) => {
                self.befallen[node][segment] = now;
                self.rewired = now;
                self.world.nodes[node].ports[segment].group = group;
            }
            Fault::Deaf(to, from) => {
                self.rewired = now;
                self.world.deaf.push((to, from));
            }
            Fault::Loss(loss) => {
                self.rewired = now;
                self.world.loss = loss;
            }
            Fault::Plan(node, orders, moving) => {
                self.planned = now;
                self.befallen.iter_mut().for_each(|node| node.fill(now));
                self.world.set_plan(node, self.world.plan(&orders, 2, moving));
            }
            Fault::Follow(node) if self.world.nodes[node].ports.iter().all(|port| port.group == 0) => {
                self.generation += 1;
                // The operator goes by the first network; on the others the plan moves what is answered there.
                if !self.world.is_bridged {
                    self.befallen.iter_mut().for_each(|node| node[1..].fill(now));
                }
                self.world.set_plan(node, self.world.plan(&self.orders, self.generation, false));
            }
            Fault::Follow(node) => {
                let again = now + self.world.random.millis(500, 2_000);
                self.add(again, Fault::Follow(node));
            }
            Fault::Calm => self.calm(),
            Fault::Jump(node, by) => {
                self.befallen[node].fill(now);
                self.world.jump(node, by);
            }
            Fault::Ask => {
                (0..self.orders.len()).for_each(|index| self.world.ask(index));
                self.add(now + ASK_INTERVAL, Fault::Ask);
            }
            Fault::Start(_) | Fault::Stop(_) | Fault::Pause(_) | Fault::GoOn(_) => {}
        }
    }

    fn calm(&mut self) {
        (self.rewired, self.world.loss) = (self.world.now, 0);
        self.world.deaf.clear();
        let last = self.world.plan(&self.orders, 3, false);
        for node in 0..self.world.nodes.len() {
            for segment in 0..self.world.segments {
                self.world.nodes[node].ports[segment].group = 0;
                if !self.world.nodes[node].ports[segment].has_carrier {
                    self.world.set_carrier(node, segment, true);
                }
            }
            match self.world.nodes[node].state {
                State::Paused => self.world.go_on(node),
                State::Off => self.world.start(node),
                State::Running => {}
            }
            self.world.set_plan(node, last.clone());
        }
    }

    /// Plays it to the end, or to the first rule that is broken.
    pub fn play(mut self) -> Result<(), String> {
        while self.world.now < self.end {
            let fault = self.schedule.keys().next().map_or(Duration::MAX, |(at, _)| *at);
            self.world.now = self.world.next().min(fault).min(self.end);
            while let Some((&key, _)) = self.schedule.first_key_value()
                && key.0 <= self.world.now
            {
                let fault = self.schedule.remove(&key).unwrap();
                self.befall(fault);
            }
            let mut steps = 0;
            while self.world.step() {
                steps += 1;
                assert!(steps < 100_000, "the world stands still");
            }
            if let Err(broken) = self.check() {
                let order = format!("{:?}", self.orders);
                return Err(format!("{}\n{broken}\norders {order}", self.world.trace.join("\n")));
            }
            self.before = self.world.now;
        }
        Ok(())
    }
}

pub fn order(random: &mut Random, nodes: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..nodes).collect();
    random.shuffle(&mut order);
    order.truncate(2 + random.below(4));
    order
}
