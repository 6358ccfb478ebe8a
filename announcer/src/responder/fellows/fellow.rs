//! What one fellow has said last.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Fellow, Stances};
use crate::responder::timing::Timing;
use crate::wire::hello::{Hello, NodeId};

/// For how long a fellow's packets prove nothing, after its hello has denied what they seemed to say.
const HINTS_BAN: Duration = Duration::from_secs(10);

impl Fellow {
    pub(super) fn new(node: NodeId, hello: &Hello<'_>, token: u32, now: Duration) -> Self {
        Self {
            node,
            station: hello.station.unwrap_or_default(),
            name: hello.name.to_owned(),
            mac: hello.source,
            epoch: hello.epoch,
            sequence: hello.sequence,
            token,
            heard: now,
            since: now,
            interval: hello.interval,
            listens_until: Duration::ZERO,
            is_leaving: false,
            solitude: hello.solitude,
            heard_someone: now,
            heard_us: None,
            is_deaf: false,
            stances: Stances::new(),
            statement: None,
            parts: BTreeMap::new(),
            parts_statement: 0,
            hints: Vec::new(),
            hints_banned_until: Duration::ZERO,
        }
    }

    pub(super) fn deaf_at(&self, timing: &Timing, speaking: Duration) -> Duration {
        self.heard_someone.max(self.since).max(speaking) + self.dead_after(timing) + self.interval
    }

    /// Takes in everything but the stances, and whether the fellow hears anyone; gives whether something about it as a
    /// whole has changed.
    pub(super) fn note(&mut self, hello: &Hello<'_>, (token, hears_someone): (u32, bool), now: Duration) -> bool {
        let listened = self.listens_until > now;
        let before = (listened, self.is_leaving, self.solitude, self.is_deaf);
        self.mac = hello.source;
        self.sequence = hello.sequence;
        self.token = token;
        self.heard = now;
        self.interval = hello.interval;
        self.listens_until = now + hello.listens_for;
        self.is_leaving = hello.is_leaving;
        self.solitude = hello.solitude;
        if hears_someone {
            self.heard_someone = now;
            self.is_deaf = false;
        }
        before != (!hello.listens_for.is_zero(), self.is_leaving, self.solitude, self.is_deaf)
    }

    /// Takes in a part of a statement; gives what was said before once the statement is whole and differs.
    pub(super) fn take_part(&mut self, hello: &Hello<'_>, part: Option<Stances>, now: Duration) -> Option<Stances> {
        let Some(part) = part else { return self.deny_hints(now) };
        if self.parts_statement != hello.statement {
            self.parts.clear();
            self.parts_statement = hello.statement;
        }
        self.parts.insert(hello.part, part);
        if self.parts.len() < usize::from(hello.parts) {
            return None;
        }
        let whole = std::mem::take(&mut self.parts).into_values().flatten().collect();
        self.statement = Some(hello.statement);
        self.hints.clear();
        Some(std::mem::replace(&mut self.stances, whole))
    }

    /// What packets said and the statement, still the same, does not: gives what was thought before.
    fn deny_hints(&mut self, now: Duration) -> Option<Stances> {
        if self.hints.is_empty() {
            return None;
        }
        let before = self.stances.clone();
        for ip in self.hints.drain(..) {
            self.stances.remove(&ip);
        }
        self.hints_banned_until = now + HINTS_BAN;
        // What the hints covered is said again in the next hello.
        self.statement = None;
        Some(before)
    }
}
