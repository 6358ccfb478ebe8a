//! The rules that have to hold all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use announcer::responder::Timing;

use super::node::{State, Station, name};
use super::run::{Fault, Place, Run, Theme, seconds};
use super::world::vip;

impl Run {
    pub(super) fn check(&mut self) -> Result<(), String> {
        if let Some(broken) = self.world.broken.take() {
            return Err(format!("{:?}: {broken}", self.world.now));
        }
        for network in self.world.networks() {
            for index in 0..self.orders.len() {
                self.check_place((network, index))?;
            }
        }
        Ok(())
    }

    fn check_place(&mut self, place: Place) -> Result<(), String> {
        let (network, index) = place;
        let answers = |&station: &Station| self.world.answers(station, vip(index));
        let answering: Vec<_> = self.world.stations(network).filter(answers).collect();
        if let Some(unasked) = answering.iter().find(|(_, segment)| !self.world.is_wanted(index, *segment)) {
            return Err(format!("{:?}: {unasked:?} answers at {place:?} unasked", self.world.now));
        }
        self.check_pairs(place, &answering)?;
        self.check_answered(place, &answering)?;
        self.check_overlap(place, &answering)?;
        self.check_moved(place, &answering)?;
        self.check_holder(place, &answering)
    }

    /// Whether a station runs where most are and is to answer for an address by its plan.
    fn is_candidate(&self, index: usize, station: Station) -> bool {
        let slot = &self.world.nodes[station.0];
        let is_named = slot.plan.vips[index].nodes.contains(&name(station.0));
        let is_named = is_named && self.world.is_wanted(index, station.1);
        let is_running = slot.state == State::Running && self.world.port(station).is_usable() && !slot.is_stopping;
        is_running && self.is_main(station) && is_named
    }

    /// Whether a station hears each other one that is where most are, and is heard by it.
    fn is_connected(&self, network: usize, station: Station) -> bool {
        let others = self.world.stations(network).filter(|&other| {
            other != station
                && self.is_main(other)
                && self.world.port(other).is_usable()
                && self.world.nodes[other.0].state == State::Running
        });
        others.into_iter().all(|other| self.world.hears(station, other) && self.world.hears(other, station))
    }

    /// Whether a station is where most are.
    fn is_main(&self, station: Station) -> bool {
        self.world.port(station).group == 0
    }

    /// Two that hear each other on a segment never both answer for longer than the dead time and one interval.
    fn check_pairs(&mut self, place: Place, answering: &[Station]) -> Result<(), String> {
        let now = self.world.now;
        let bound = self.world.dead_after() + self.world.interval();
        let mut both = BTreeMap::new();
        for (position, &one) in answering.iter().enumerate() {
            for &other in &answering[position + 1..] {
                let hear = self.world.loss == 0 && self.world.hears(one, other) && self.world.hears(other, one);
                if hear {
                    let since = self.both.get(&(place, one, other)).copied().unwrap_or(now).max(self.rewired);
                    both.insert((place, one, other), since);
                    if now.saturating_sub(since) > bound {
                        return Err(format!("{now:?}: {one:?} and {other:?} both answer at {place:?} since {since:?}"));
                    }
                }
            }
        }
        self.both.retain(|(other, _, _), _| *other != place);
        self.both.extend(both);
        Ok(())
    }

    /// An address that a node could answer for is answered for.
    fn check_answered(&mut self, place: Place, answering: &[Station]) -> Result<(), String> {
        let now = self.world.now;
        let (network, index) = place;
        let could = |station: Station| {
            self.is_candidate(index, station)
                && now >= self.world.port(station).silent_until
                && self.is_connected(network, station)
        };
        let is_calm = self.world.loss == 0;
        let is_answered = answering.iter().any(|&station| self.is_main(station));
        if is_answered || !is_calm || !self.world.stations(network).any(could) {
            self.unanswered.remove(&place);
            return Ok(());
        }
        let since = *self.unanswered.entry(place).or_insert(now);
        let delay = Duration::from_millis(u64::try_from(self.world.delay.1).unwrap());
        let bound = match self.theme {
            Theme::Crashes | Theme::Crowds => self.world.dead_after() + self.world.interval() + delay,
            // Plans that reach one node after the other may have two yield to each other, until their next hello.
            Theme::Handovers if now < self.planned + seconds(1) => delay + Timing::DEFAULT.spacing + delay,
            Theme::Handovers if now > Duration::from_secs(102) => delay,
            // At the start everybody listens, and those who come first are waited for.
            Theme::Handovers | Theme::Chaos => seconds(2),
        };
        let since = if self.theme == Theme::Chaos { since.max(self.disturbed) } else { since };
        if now.saturating_sub(since) > bound {
            return Err(format!("{now:?}: nobody answers at {place:?} since {since:?}"));
        }
        Ok(())
    }

    /// While addresses are handed over, two answer for a moment only.
    fn check_overlap(&mut self, place: Place, answering: &[Station]) -> Result<(), String> {
        let bound = match self.theme {
            Theme::Handovers => Duration::from_millis(20),
            Theme::Crashes => Duration::from_millis(110),
            Theme::Chaos | Theme::Crowds => return Ok(()),
        };
        let main = answering.iter().filter(|&&station| self.is_main(station)).count();
        if main < 2 {
            self.doubled.remove(&place);
            return Ok(());
        }
        let now = self.world.now;
        let since = if self.doubled.insert(place) { now } else { self.before.max(self.disturbed) };
        let overlap = self.overlap.entry(place).or_default();
        *overlap += now.saturating_sub(since);
        if *overlap > bound {
            return Err(format!("{now:?}: {answering:?} answer at {place:?} for {overlap:?}"));
        }
        Ok(())
    }

    /// An address that the operator has moved to a node is soon answered by that one alone.
    fn check_moved(&mut self, place: Place, answering: &[Station]) -> Result<(), String> {
        let (now, (network, index)) = (self.world.now, place);
        let settled = self.planned.max(self.disturbed) + seconds(1);
        let [plan, others @ ..] = &self.world.nodes[..] else { return Ok(()) };
        let vip = &plan.plan.vips[index];
        let is_known = vip.moving && others.iter().all(|node| node.plan.vips[index] == *vip);
        if self.theme != Theme::Handovers || !is_known || now < settled {
            return Ok(());
        }
        let is_first = |&station: &Station| vip.nodes.first() == Some(&name(station.0));
        let may =
            |&station: &Station| self.is_candidate(index, station) && now >= self.world.port(station).silent_until;
        let there = self.world.stations(network).filter(is_first).any(|station| may(&station));
        let has_moved = answering.iter().filter(|&&station| self.is_main(station)).all(is_first);
        if there && !has_moved {
            return Err(format!(
                "{now:?}: {answering:?} answers at {place:?}, which was moved to {:?}",
                vip.nodes.first()
            ));
        }
        Ok(())
    }

    /// An address stays with the station that answers for it unless something befalls that one.
    fn check_holder(&mut self, place: Place, answering: &[Station]) -> Result<(), String> {
        let now = self.world.now;
        let main: Vec<_> = answering.iter().copied().filter(|&station| self.is_main(station)).collect();
        let [holder] = main[..] else { return Ok(()) };
        if !matches!(self.theme, Theme::Crashes | Theme::Crowds) {
            return Ok(());
        }
        match self.holders.get(&place) {
            Some(&(before, _)) if before == holder => {}
            Some(&(before, since)) if self.befallen[before.0][before.1] < since => {
                return Err(format!("{now:?}: {place:?} moves from {before:?} to {holder:?}, and nothing befell it"));
            }
            _ => {
                self.holders.insert(place, (holder, now));
                self.follow(place, holder.0);
            }
        }
        Ok(())
    }

    /// Has the operator put first who answers, as soon as it has heard of it; on the first network where the address is
    /// wanted, when that is not the same node everywhere.
    fn follow(&mut self, (network, index): Place, holder: usize) {
        if (0..network).any(|before| self.world.is_wanted(index, before)) {
            return;
        }
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
