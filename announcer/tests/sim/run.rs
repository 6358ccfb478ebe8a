//! One run: a world, the faults that befall it, and the rules that have to hold all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::random::Random;
use super::world::{Sabotage, State, World, plan, vip};

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
enum Fault {
    Start(usize),
    Kill(usize),
    Stop(usize),
    Pause(usize),
    GoOn(usize),
    Carrier(usize, bool),
    Group(usize, usize),
    Deaf(usize, usize),
    Loss(usize),
    Plan(usize, Vec<Vec<usize>>),
    /// The operator's newest plan, which puts first who answers, arrives; at one that is cut off after that.
    Follow(usize),
    Calm,
}

pub struct Run {
    theme: Theme,
    world: World,
    orders: Vec<Vec<usize>>,
    schedule: BTreeMap<(Duration, u64), Fault>,
    serial: u64,
    end: Duration,
    /// Since when two nodes have both answered for an address.
    both: BTreeMap<(usize, usize, usize), Duration>,
    /// Since when nobody has answered for an address though somebody could.
    unanswered: BTreeMap<usize, Duration>,
    /// How long more than one has answered for an address since the last fault.
    overlap: BTreeMap<usize, Duration>,
    /// Who alone answers for an address, and since when.
    holders: BTreeMap<usize, (usize, Duration)>,
    befallen: Vec<Duration>,
    /// Whether there is an operator that puts first who answers.
    is_followed: bool,
    generation: u64,
    disturbed: Duration,
    rewired: Duration,
    before: Duration,
}

fn seconds(count: u64) -> Duration {
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
        let mut world = World::new(random.next(), nodes, sabotage);
        world.is_traced = is_traced;
        if theme == Theme::Chaos {
            world.delay = (0, 1 + random.below(30));
            world.duplication = random.below(20);
        }
        let orders = (0..=random.below(3)).map(|_| order(&mut random, nodes)).collect();
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
            holders: BTreeMap::new(),
            befallen: vec![start; nodes],
            is_followed: theme == Theme::Crashes && random.chance(50),
            generation: 1,
            disturbed: start,
            rewired: start,
            before: start,
        };
        for node in 0..nodes {
            run.world.nodes[node].plan = plan(&run.orders, 1);
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

    fn add(&mut self, at: Duration, fault: Fault) {
        self.serial += 1;
        self.schedule.insert((at, self.serial), fault);
    }

    /// One fault at a time, each healed before the next.
    fn crashes(&mut self, random: &mut Random, count: usize) {
        let nodes = self.world.nodes.len();
        let mut at = self.world.now + seconds(2);
        for turn in 0..count {
            // Whoever stands first, and then whoever has taken over.
            let holder = self.orders[0][turn % 2];
            let node = if random.chance(70) { holder } else { random.below(nodes) };
            let back = at + random.millis(900, 2_500);
            let kinds = if nodes > 2 { 4 } else { 3 };
            let (fault, heal) = match random.below(kinds) {
                0 => (Fault::Kill(node), Fault::Start(node)),
                1 => (Fault::Pause(node), Fault::GoOn(node)),
                2 => (Fault::Carrier(node, false), Fault::Carrier(node, true)),
                _ => (Fault::Group(node, 1), Fault::Group(node, 0)),
            };
            self.add(at, fault);
            self.add(back, heal);
            at = back + random.millis(1_800, 2_500);
        }
        self.end = at;
    }

    fn handovers(&mut self, random: &mut Random) {
        let nodes = self.world.nodes.len();
        let mut at = self.world.now + seconds(2);
        for _ in 0..3 {
            let node = if random.chance(70) { self.orders[0][0] } else { random.below(nodes) };
            if random.chance(50) {
                self.add(at, Fault::Stop(node));
                at += random.millis(600, 1_500);
                self.add(at, Fault::Start(node));
            } else {
                for order in &mut self.orders {
                    random.shuffle(order);
                }
                for node in 0..nodes {
                    let late = at + random.millis(0, 300);
                    self.add(late, Fault::Plan(node, self.orders.clone()));
                }
            }
            at += random.millis(1_800, 2_500);
        }
        self.end = at;
    }

    fn chaos(&mut self, random: &mut Random) {
        let nodes = self.world.nodes.len();
        let start = self.world.now;
        for _ in 0..3 + random.below(12) {
            let at = start + random.millis(0, 7_000);
            let (node, other) = (random.below(nodes), random.below(nodes));
            let back = at + random.millis(20, 2_500);
            match random.below(12) {
                0 => {
                    self.add(at, Fault::Kill(node));
                    self.add(back, Fault::Start(node));
                }
                1 => {
                    self.add(at, Fault::Stop(node));
                    self.add(back.max(at + Duration::from_millis(300)), Fault::Start(node));
                }
                2 | 3 => {
                    self.add(at, Fault::Pause(node));
                    self.add(back, Fault::GoOn(node));
                }
                4 => {
                    self.add(at, Fault::Carrier(node, false));
                    self.add(back, Fault::Carrier(node, true));
                }
                5 => {
                    for member in 0..nodes {
                        let group = random.below(2);
                        self.add(at, Fault::Group(member, group));
                        self.add(back, Fault::Group(member, 0));
                    }
                }
                6 | 7 => self.add(at, Fault::Deaf(node, other)),
                8 => (0..nodes).for_each(|other| self.add(at, Fault::Deaf(node, other))),
                9 => (0..nodes).for_each(|other| self.add(at, Fault::Deaf(other, node))),
                10 => {
                    self.add(at, Fault::Loss(random.below(60)));
                    self.add(back, Fault::Loss(0));
                }
                _ => {
                    for order in &mut self.orders {
                        *order = crate::run::order(random, nodes);
                    }
                    for node in 0..nodes {
                        let late = at + random.millis(0, 1_500);
                        self.add(late, Fault::Plan(node, self.orders.clone()));
                    }
                }
            }
        }
        let calm = start + seconds(10);
        self.add(calm, Fault::Calm);
        self.end = calm + seconds(5);
    }

    fn befall(&mut self, fault: Fault) {
        self.world.log(|| format!("-- {fault:?}"));
        if !matches!(fault, Fault::Follow(..)) {
            self.disturbed = self.world.now;
            self.overlap.clear();
        }
        let now = self.world.now;
        match fault {
            Fault::Start(node) if self.world.nodes[node].state == State::Off => self.world.start(node),
            Fault::Kill(node) => {
                self.befallen[node] = now;
                self.world.kill(node);
            }
            Fault::Stop(node) if self.world.nodes[node].state == State::Running => {
                self.befallen[node] = now;
                self.world.stop(node);
            }
            Fault::Pause(node) if self.world.nodes[node].state == State::Running => {
                self.befallen[node] = now;
                self.world.pause(node);
            }
            Fault::GoOn(node) if self.world.nodes[node].state == State::Paused => self.world.go_on(node),
            Fault::Carrier(node, has_carrier) => {
                self.befallen[node] = now;
                self.world.set_carrier(node, has_carrier);
            }
            Fault::Group(node, group) => {
                self.befallen[node] = now;
                self.rewired = now;
                self.world.nodes[node].group = group;
            }
            Fault::Deaf(node, other) => {
                self.rewired = now;
                self.world.deaf.push((node, other));
            }
            Fault::Loss(loss) => {
                self.rewired = now;
                self.world.loss = loss;
            }
            Fault::Plan(node, orders) => {
                self.befallen.fill(now);
                self.world.set_plan(node, plan(&orders, 2));
            }
            Fault::Follow(node) if self.world.nodes[node].group == 0 => {
                self.generation += 1;
                self.world.set_plan(node, plan(&self.orders, self.generation));
            }
            Fault::Follow(node) => {
                let again = now + self.world.random.millis(500, 2_000);
                self.add(again, Fault::Follow(node));
            }
            Fault::Calm => self.calm(),
            Fault::Start(_) | Fault::Stop(_) | Fault::Pause(_) | Fault::GoOn(_) => {}
        }
    }

    fn calm(&mut self) {
        (self.rewired, self.world.loss) = (self.world.now, 0);
        self.world.deaf.clear();
        let last = plan(&self.orders, 3);
        for node in 0..self.world.nodes.len() {
            self.world.nodes[node].group = 0;
            if !self.world.nodes[node].has_carrier {
                self.world.set_carrier(node, true);
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

    fn check(&mut self) -> Result<(), String> {
        for index in 0..self.orders.len() {
            let ip = vip(index);
            let answering: Vec<_> = (0..self.world.nodes.len()).filter(|&node| self.world.answers(node, ip)).collect();
            self.check_pairs(index, &answering)?;
            self.check_answered(index, &answering)?;
            self.check_overlap(index, &answering)?;
            self.check_holder(index, &answering)?;
        }
        Ok(())
    }

    /// Two that hear each other never both answer for longer than the dead time and one interval.
    fn check_pairs(&mut self, index: usize, answering: &[usize]) -> Result<(), String> {
        let now = self.world.now;
        let bound = self.world.dead_after() + self.world.interval();
        let mut both = BTreeMap::new();
        for (position, &one) in answering.iter().enumerate() {
            for &other in &answering[position + 1..] {
                let hear = self.world.loss == 0 && self.world.hears(one, other) && self.world.hears(other, one);
                if hear {
                    let since = self.both.get(&(index, one, other)).copied().unwrap_or(now).max(self.rewired);
                    both.insert((index, one, other), since);
                    if now.saturating_sub(since) > bound {
                        return Err(format!("{now:?}: {one} and {other} both answer for vip {index} since {since:?}"));
                    }
                }
            }
        }
        self.both.retain(|(other, _, _), _| *other != index);
        self.both.extend(both);
        Ok(())
    }

    /// An address that a node could answer for is answered for.
    fn check_answered(&mut self, index: usize, answering: &[usize]) -> Result<(), String> {
        let now = self.world.now;
        let is_main = |node: usize| self.world.nodes[node].group == 0;
        let could = |node: usize| {
            let slot = &self.world.nodes[node];
            let is_candidate = slot.plan.vips[index].nodes.contains(&super::world::name(node));
            let is_running = slot.state == State::Running && slot.has_carrier && !slot.is_stopping;
            is_running && is_main(node) && now >= slot.silent_until && is_candidate
        };
        let is_calm = self.world.deaf.is_empty() && self.world.loss == 0;
        let is_answered = answering.iter().any(|&node| is_main(node));
        if is_answered || !is_calm || !(0..self.world.nodes.len()).any(could) {
            self.unanswered.remove(&index);
            return Ok(());
        }
        let since = *self.unanswered.entry(index).or_insert(now);
        let delay = Duration::from_millis(u64::try_from(self.world.delay.1).unwrap());
        let bound = match self.theme {
            Theme::Crashes | Theme::Crowds => self.world.dead_after() + self.world.interval() + delay,
            // At the start everybody listens, and those who come first are waited for.
            Theme::Handovers if now > Duration::from_secs(102) => delay,
            Theme::Handovers | Theme::Chaos => seconds(2),
        };
        let since = if self.theme == Theme::Chaos { since.max(self.disturbed) } else { since };
        if now.saturating_sub(since) > bound {
            return Err(format!("{now:?}: nobody answers for vip {index} since {since:?}"));
        }
        Ok(())
    }

    /// While addresses are handed over, two answer for a moment only.
    fn check_overlap(&mut self, index: usize, answering: &[usize]) -> Result<(), String> {
        let bound = match self.theme {
            Theme::Handovers => Duration::from_millis(20),
            Theme::Crashes => Duration::from_millis(110),
            Theme::Chaos | Theme::Crowds => return Ok(()),
        };
        let main = answering.iter().filter(|&&node| self.world.nodes[node].group == 0).count();
        if main < 2 {
            return Ok(());
        }
        let now = self.world.now;
        let since = self.before.max(self.disturbed);
        let overlap = self.overlap.entry(index).or_default();
        *overlap += now.saturating_sub(since);
        if *overlap > bound {
            return Err(format!("{now:?}: {answering:?} answer for vip {index} for {overlap:?}"));
        }
        Ok(())
    }

    /// An address stays with the node that answers for it unless something befalls that node.
    fn check_holder(&mut self, index: usize, answering: &[usize]) -> Result<(), String> {
        let now = self.world.now;
        let main: Vec<_> = answering.iter().copied().filter(|&node| self.world.nodes[node].group == 0).collect();
        let [holder] = main[..] else { return Ok(()) };
        if !matches!(self.theme, Theme::Crashes | Theme::Crowds) {
            return Ok(());
        }
        match self.holders.get(&index) {
            Some(&(before, _)) if before == holder => {}
            Some(&(before, since)) if self.befallen[before] < since => {
                return Err(format!(
                    "{now:?}: vip {index} moves from {before} to {holder}, and nothing befell {before}"
                ));
            }
            _ => {
                self.holders.insert(index, (holder, now));
                self.follow(index, holder);
            }
        }
        Ok(())
    }

    /// Has the operator put first who answers, as soon as it has heard of it.
    fn follow(&mut self, index: usize, holder: usize) {
        let order = &mut self.orders[index];
        if !self.is_followed || order.first() == Some(&holder) {
            return;
        }
        order.retain(|&node| node != holder);
        order.insert(0, holder);
        for node in 0..self.world.nodes.len() {
            let at = self.world.now + self.world.random.millis(50, 1_000);
            self.add(at, Fault::Follow(node));
        }
    }
}

fn order(random: &mut Random, nodes: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..nodes).collect();
    random.shuffle(&mut order);
    order.truncate(2 + random.below(4));
    order
}
