//! Which faults befall the world when, drawn from a seed.

use std::time::Duration;

use super::random::Random;
use super::run::{self, Fault, Run, seconds};

impl Run {
    /// One fault at a time, each healed before the next.
    pub(super) fn crashes(&mut self, random: &mut Random, count: usize) {
        let nodes = self.world.nodes.len();
        let mut at = self.world.now + seconds(2);
        for turn in 0..count {
            // Whoever stands first, and then whoever has taken over.
            let holder = self.orders[0][turn % 2];
            let node = if random.chance(70) { holder } else { random.below(nodes) };
            let back = at + random.millis(900, 2_500);
            let segment = random.below(self.world.segments);
            let there = self.world.nodes.iter().filter(|node| node.ports[segment].is_present).count();
            let kinds = if there > 2 { 4 } else { 3 };
            let (fault, heal) = match random.below(kinds) {
                0 => (Fault::Kill(node), Fault::Start(node)),
                1 => (Fault::Pause(node), Fault::GoOn(node)),
                2 => (Fault::Carrier(node, segment, false), Fault::Carrier(node, segment, true)),
                _ => (Fault::Group(node, segment, 1), Fault::Group(node, segment, 0)),
            };
            self.add(at, fault);
            self.add(back, heal);
            at = back + random.millis(1_800, 2_500);
        }
        self.end = at;
    }

    pub(super) fn handovers(&mut self, random: &mut Random) {
        let nodes = self.world.nodes.len();
        let mut at = self.world.now + seconds(2);
        for _ in 0..3 {
            let node = if random.chance(70) { self.orders[0][0] } else { random.below(nodes) };
            if random.chance(50) {
                self.add(at, Fault::Stop(node));
                at += random.millis(600, 1_500);
                self.add(at, Fault::Start(node));
            } else {
                let moving = random.chance(50);
                for order in &mut self.orders {
                    random.shuffle(order);
                }
                for node in 0..nodes {
                    let late = at + random.millis(0, 300);
                    self.add(late, Fault::Plan(node, self.orders.clone(), moving));
                }
            }
            at += random.millis(1_800, 2_500);
        }
        self.end = at;
    }

    pub(super) fn chaos(&mut self, random: &mut Random) {
        let nodes = self.world.nodes.len();
        let start = self.world.now;
        for _ in 0..3 + random.below(12) {
            let at = start + random.millis(0, 7_000);
            let (node, other) = (random.below(nodes), random.below(nodes));
            let segment = random.below(self.world.segments);
            let back = at + random.millis(20, 2_500);
            match random.below(13) {
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
                    self.add(at, Fault::Carrier(node, segment, false));
                    self.add(back, Fault::Carrier(node, segment, true));
                }
                5 => {
                    for member in 0..nodes {
                        let group = random.below(2);
                        self.add(at, Fault::Group(member, segment, group));
                        self.add(back, Fault::Group(member, segment, 0));
                    }
                }
                6 | 7 => self.add(at, Fault::Deaf((node, segment), (other, random.below(self.world.segments)))),
                8 | 9 => {
                    let is_deaf = random.chance(50);
                    for other in self.world.stations(segment) {
                        let (to, from) = if is_deaf { ((node, segment), other) } else { (other, (node, segment)) };
                        self.add(at, Fault::Deaf(to, from));
                    }
                }
                10 => self.add(at, Fault::Jump(node, random.millis(20, 2_500))),
                11 => {
                    self.add(at, Fault::Loss(random.below(60)));
                    self.add(back, Fault::Loss(0));
                }
                _ => {
                    let moving = random.chance(50);
                    for order in &mut self.orders {
                        *order = run::order(random, nodes);
                    }
                    for node in 0..nodes {
                        let late = at + random.millis(0, 1_500);
                        self.add(late, Fault::Plan(node, self.orders.clone(), moving));
                    }
                }
            }
        }
        let calm = start + seconds(10);
        self.add(calm, Fault::Calm);
        self.end = calm + seconds(5);
    }
}
