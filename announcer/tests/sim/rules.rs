//! The rules that have to hold all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::run::{Fault, Run, Theme, seconds};
use super::world::{State, vip};

impl Run {
    pub(super) fn check(&mut self) -> Result<(), String> {
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
