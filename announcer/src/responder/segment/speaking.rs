//! What this node says to fellows on an interface, and when.

use std::time::Duration;

use super::{Context, Place, Segment, Standing};
use crate::responder::fellows::Stances;
use crate::responder::{Action, Purpose, Timing, Transmission};
use crate::wire::hello::{Hello, Stance, write_stances};

/// How many hellos in a row carry a statement whole after it has changed.
const REPEATS: u8 = 3;

impl Segment {
    /// Says what is due to be said.
    pub(super) fn speak(&mut self, context: &Context<'_>, actions: &mut Vec<Action>) {
        let Context { timing, now, .. } = *context;
        if context.keys.is_empty() || self.next_hello == Duration::MAX {
            return;
        }
        if now < self.hello_due(timing) {
            return;
        }
        self.state(context);
        self.interval = timing.interval_among(self.fellows.senders());
        let all = self.repeats > 0;
        self.repeats = self.repeats.saturating_sub(1);
        let count = if all { self.parts.len() } else { 1 };
        for _ in 0..count {
            self.send_hello(context, actions);
        }
        let is_leaving = self.leaving > 0 || context.is_stopping;
        let pause = if is_leaving { self.interval / 4 } else { self.interval };
        (self.last_hello, self.next_hello, self.wants_hello) = (Some(now), now + pause, false);
    }

    pub(super) fn hello_due(&self, timing: &Timing) -> Duration {
        let urgent = self.last_hello.map_or(Duration::ZERO, |last| last + timing.spacing);
        if self.wants_hello { urgent.min(self.next_hello) } else { self.next_hello }
    }

    /// Brings the statement up to date.
    fn state(&mut self, context: &Context<'_>) {
        if !std::mem::take(&mut self.is_statement_stale) && !self.parts.is_empty() {
            return;
        }
        let mut stances = Stances::new();
        for (&ip, entry) in context.book.iter().flat_map(|book| &book.entries) {
            if let Some(rank) = entry.rank {
                match self.standing(ip) {
                    Some(Standing::Answering) => stances.insert(ip, Stance::Answers(rank)),
                    None => stances.insert(ip, Stance::Declines),
                    Some(_) => None,
                };
            }
        }
        // What another station of this node answers still, or gives up, is not waited for here.
        for (&ip, &stance) in self.fellows.twins().flat_map(|(_, twin)| &twin.stances) {
            let is_candidate =
                context.book.and_then(|book| book.entries.get(&ip)).is_some_and(|entry| entry.rank.is_some());
            if stance != Stance::Declines && !is_candidate {
                stances.insert(ip, Stance::Declines);
            }
        }
        let leaving = |place: &Place| matches!(place.standing, Standing::Leaving { .. });
        let leaving = self.places.iter().filter(|(_, place)| leaving(place));
        stances.extend(leaving.map(|(&ip, _)| (ip, Stance::Leaves)));
        let parts = write_stances(&stances);
        if parts != self.parts {
            self.parts = parts;
            self.statement = self.statement.wrapping_add(1);
            self.repeats = REPEATS;
            self.next_part = 0;
        }
    }

    fn send_hello(&mut self, context: &Context<'_>, actions: &mut Vec<Action>) {
        let now = context.now;
        let part = self.next_part % self.parts.len().max(1);
        self.next_part = part + 1;
        self.sequence += 1;
        let listens_for =
            self.quiet.map_or(Duration::ZERO, |quiet| quiet.until.saturating_sub(now).max(Duration::from_millis(1)));
        let hello = Hello {
            source: self.mac,
            name: context.node,
            station: Some(self.station()),
            epoch: self.epoch,
            sequence: self.sequence,
            interval: self.interval,
            listens_for,
            is_leaving: context.is_stopping,
            solitude: self.solitude(now),
            heard: self.fellows.roll(now),
            statement: self.statement,
            parts: u8::try_from(self.parts.len()).unwrap_or(u8::MAX).max(1),
            part: u8::try_from(part).unwrap_or(u8::MAX),
            stances: self.parts.get(part).map(Vec::as_slice).unwrap_or_default(),
        };
        if let Some(sealed) = hello.seal(context.keys) {
            self.fellows.note_sent(sealed.token, now);
            let transmission = Transmission { link: self.index, purpose: Purpose::Hello, frame: sealed.frame };
            actions.push(Action::Send(transmission));
        }
    }

    /// Says goodbye for good: nothing is answered here any more.
    pub fn part(&mut self, context: &Context<'_>, actions: &mut Vec<Action>) {
        if self.is_open() && !context.keys.is_empty() {
            self.is_statement_stale = true;
            self.next_hello = context.now;
            self.speak(context, actions);
        }
    }
}
