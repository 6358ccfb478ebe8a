//! Fellows heard on one segment: which of them live, what they say, and whether they say it now.
//!
//! Decides nothing about addresses.

mod fellow;
mod heeding;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::timing::Timing;
use crate::wire::ethernet::Mac;
use crate::wire::hello::{HEARD_CAPACITY, Heard, Hello, NodeId, Solitude, Stance, StationId};

/// How many fellows are kept in mind on a segment, and how many that have yet to prove that they live.
const FELLOWS_CAPACITY: usize = 4_096;

/// How many of this node's own hellos are kept in mind, to know them again in what fellows echo.
const TOKENS_CAPACITY: usize = 256;

/// What one fellow says about addresses.
pub(super) type Stances = BTreeMap<IpAddr, Stance>;

/// A fellow that has proved that it lives: a station of another node, or another one of this node.
#[derive(Debug)]
pub(super) struct Fellow {
    pub node: NodeId,
    pub station: u8,
    pub name: String,
    pub mac: Mac,
    epoch: u64,
    sequence: u64,
    token: u32,
    /// When it was heard last, and first in this epoch.
    pub heard: Duration,
    since: Duration,
    pub interval: Duration,
    /// Until when it answers nothing since it listens.
    pub listens_until: Duration,
    pub is_leaving: bool,
    pub solitude: Solitude,
    /// When it last said that it hears anyone, and that it hears this node.
    heard_someone: Duration,
    heard_us: Option<Duration>,
    pub is_deaf: bool,
    /// What it says about addresses, whole, and the number of that statement.
    pub stances: Stances,
    statement: Option<u32>,
    parts: BTreeMap<u8, Stances>,
    parts_statement: u32,
    /// Addresses that its packets spoke for before its hello did.
    hints: Vec<IpAddr>,
    hints_banned_until: Duration,
}

/// One that has yet to prove that it lives.
#[derive(Debug)]
struct Stranger {
    epoch: u64,
    sequence: u64,
    token: u32,
    heard: Duration,
}

/// What came of a hello.
#[derive(Debug)]
pub(super) struct Heeded {
    /// Whose it is.
    pub id: StationId,
    /// The fellow was not known before, or has begun a new epoch; what it was before is given.
    pub is_new: bool,
    /// Its name, when it was not known at all.
    pub found: Option<String>,
    /// How many of its hellos did not arrive.
    pub lost: u32,
    /// What it said before, when it says something else now.
    pub before: Option<Stances>,
    /// Something about it as a whole has changed: whether it listens, leaves, is deaf or was alone.
    pub has_turned: bool,
}

/// Everyone heard on a segment.
#[derive(Debug)]
pub(super) struct Fellows {
    own: NodeId,
    station: u8,
    known: BTreeMap<StationId, Fellow>,
    strangers: BTreeMap<StationId, Stranger>,
    /// How far epochs had come that are over, and when that was noted; while tokens of that time are still known, their
    /// hellos must not pass for proof.
    past: BTreeMap<(StationId, u64), (u64, Duration)>,
    /// When others heard whom, by what they say.
    witnessed: BTreeMap<StationId, Duration>,
    /// Tokens of this node's own hellos, and when they went out.
    tokens: VecDeque<(Duration, u32)>,
    turn: usize,
}

impl Fellow {
    /// Gives how long it may be silent before it is dead.
    pub fn dead_after(&self, timing: &Timing) -> Duration {
        timing.dead_after(self.interval)
    }

    /// Gives until when it counts as heard by this node itself.
    fn heard_until(&self, timing: &Timing) -> Duration {
        self.heard + self.dead_after(timing)
    }

    fn applies(&self, hello: &Hello<'_>) -> bool {
        self.statement == Some(hello.statement)
    }
}

impl Fellows {
    /// Gives a memory of nobody, for this station of this node.
    pub fn new(own: NodeId, station: u8) -> Self {
        Self {
            own,
            station,
            known: BTreeMap::new(),
            strangers: BTreeMap::new(),
            past: BTreeMap::new(),
            witnessed: BTreeMap::new(),
            tokens: VecDeque::new(),
            turn: 0,
        }
    }

    /// Forgets everyone and everything said, as after a time in which nothing could be heard.
    pub fn forget(&mut self) {
        *self = Self::new(self.own, self.station);
    }

    pub fn get(&self, id: StationId) -> Option<&Fellow> {
        self.known.get(&id)
    }

    /// Gives the number of this very station.
    pub const fn station(&self) -> u8 {
        self.station
    }

    /// Gives the stations of a node that this one knows, or that others have heard.
    pub fn stations_of(&self, node: NodeId) -> impl Iterator<Item = StationId> {
        let known = self.known.range(node.stations()).map(|(&id, _)| id);
        let witnessed = self.witnessed.range(node.stations()).map(|(&id, _)| id);
        known.chain(witnessed.filter(|id| !self.known.contains_key(id)))
    }

    /// Gives the other stations of this node on this segment, as long as they are heard.
    pub fn twins(&self) -> impl Iterator<Item = (StationId, &Fellow)> {
        self.known.range(self.own.stations()).map(|(&id, fellow)| (id, fellow))
    }

    /// Whether any other node is heard.
    pub fn has_company(&self) -> bool {
        self.known.len() > self.twins().count()
    }

    /// Forgets a station of this node that has just lost its socket or interface; what it has sent in that epoch and is
    /// still on its way proves nothing.
    pub fn drop_twin(&mut self, (id, epoch): (StationId, u64), now: Duration) -> Option<Fellow> {
        self.witnessed.remove(&id);
        self.strangers.remove(&id);
        self.past.insert((id, epoch), (u64::MAX, now));
        self.known.remove(&id)
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Gives how many send hellos here as far as is known, this node left out.
    pub fn senders(&self) -> usize {
        self.known.len() + self.strangers.len()
    }

    /// Gives the longest time that any fellow may be silent.
    pub fn longest_dead_after(&self, timing: &Timing) -> Duration {
        self.known.values().map(|fellow| fellow.dead_after(timing)).max().unwrap_or_default()
    }

    /// Gives the station with this MAC address, and its node.
    pub fn by_mac(&self, mac: Mac) -> Option<(StationId, NodeId)> {
        self.known.iter().find(|(_, fellow)| fellow.mac == mac).map(|(&id, fellow)| (id, fellow.node))
    }

    /// Gives when it is dead if nobody hears it any more, or none when nobody ever did; this node may not hear it itself.
    pub fn dies(&self, id: StationId, timing: &Timing, own_interval: Duration) -> Option<Duration> {
        let fellow = self.known.get(&id);
        let sign = fellow.map(|fellow| fellow.heard).max(self.witnessed.get(&id).copied())?;
        Some(sign + timing.dead_after(fellow.map_or(own_interval, |fellow| fellow.interval)))
    }

    /// Whether only others hear it.
    pub fn is_distant(&self, id: StationId, timing: &Timing, now: Duration) -> bool {
        self.known.get(&id).is_none_or(|fellow| now >= fellow.heard_until(timing))
    }

    /// Remembers a hello of this node itself.
    pub fn note_sent(&mut self, token: u32, now: Duration) {
        self.tokens.push_back((now, token));
        if self.tokens.len() > TOKENS_CAPACITY {
            self.tokens.pop_front();
        }
    }

    /// Forgets tokens sent before this, and strangers and testimonies that are as old.
    pub fn prune(&mut self, oldest: Duration) {
        while self.tokens.front().is_some_and(|(sent, _)| *sent < oldest) {
            self.tokens.pop_front();
        }
        self.strangers.retain(|_, stranger| stranger.heard >= oldest);
        self.past.retain(|_, (_, noted)| *noted >= oldest);
        self.witnessed.retain(|_, sign| *sign >= oldest);
    }

    /// Takes an address for answered by a fellow, since its packet says so. Gives whether that is new. One that gives the
    /// address up has sent the packet before it said that.
    pub fn hint(&mut self, id: StationId, ip: IpAddr, stance: Stance, now: Duration) -> bool {
        let Some(fellow) = self.known.get_mut(&id) else { return false };
        let is_said = fellow.is_leaving || matches!(fellow.stances.get(&ip), Some(Stance::Answers(_) | Stance::Leaves));
        if is_said || now < fellow.hints_banned_until || fellow.hints.len() >= HEARD_CAPACITY {
            return false;
        }
        fellow.hints.push(ip);
        fellow.stances.insert(ip, stance);
        true
    }

    /// Gives those that are dead by now, with the time of their last sign of life, and forgets them.
    pub fn bury(&mut self, timing: &Timing, now: Duration) -> Vec<(StationId, Fellow, Duration)> {
        let witnessed = &self.witnessed;
        let sign = |id: &StationId, fellow: &Fellow| fellow.heard.max(witnessed.get(id).copied().unwrap_or_default());
        let dead = self.known.extract_if(.., |id, fellow| now >= sign(id, fellow) + fellow.dead_after(timing));
        let dead =
            dead.map(|(id, fellow)| (id, sign(&id, &fellow), fellow)).map(|(id, sign, fellow)| (id, fellow, sign));
        let dead: Vec<_> = dead.collect();
        self.past.extend(dead.iter().map(|(id, fellow, _)| ((*id, fellow.epoch), (fellow.sequence, now))));
        dead
    }

    /// Judges anew who is deaf: says for longer than it may that it hears nobody, though this node speaks since
    /// `speaking`. Gives whether anything changed.
    pub fn judge_hearing(&mut self, timing: &Timing, speaking: Duration, now: Duration) -> bool {
        let mut has_changed = false;
        for fellow in self.known.values_mut() {
            // Of one that only others hear, nothing is known about what it hears since; but what it was until then it stays,
            // also where nobody looked in time.
            let deaf_at = fellow.deaf_at(timing, speaking);
            let is_deaf = now >= deaf_at && deaf_at < fellow.heard_until(timing);
            has_changed |= is_deaf != fellow.is_deaf;
            fellow.is_deaf = is_deaf;
        }
        has_changed
    }

    /// Whether any stopped listening after one moment and until another.
    pub fn has_listened(&self, after: Duration, until: Duration) -> bool {
        self.known.values().any(|fellow| fellow.listens_until > after && fellow.listens_until <= until)
    }

    /// Whether this node is not heard though others hear one another: each fellow that hears anyone has not named it
    /// for longer than it may.
    pub fn is_mute(&self, timing: &Timing, speaking: Duration, now: Duration) -> bool {
        let others = self.known.values().filter(|fellow| fellow.node != self.own);
        let mut hearing = others.filter(|fellow| !fellow.is_deaf).peekable();
        hearing.peek().is_some()
            && hearing.all(|fellow| {
                let named = fellow.heard_us.unwrap_or_default().max(fellow.since).max(speaking);
                now >= named + fellow.dead_after(timing).max(timing.dead_after(timing.interval)) * 2
            })
    }

    /// Gives when somebody may be dead or deaf, if nothing more is heard.
    pub fn next_change(&self, timing: &Timing, speaking: Duration, now: Duration) -> Option<Duration> {
        let death = |(id, fellow): (&StationId, &Fellow)| {
            let sign = fellow.heard.max(self.witnessed.get(id).copied().unwrap_or_default());
            let deaf =
                Some(fellow.deaf_at(timing, speaking)).filter(|&at| !fellow.is_deaf && at < fellow.heard_until(timing));
            let listens = Some(fellow.listens_until).filter(|&until| until > now);
            (sign + fellow.dead_after(timing)).min(deaf.unwrap_or(Duration::MAX)).min(listens.unwrap_or(Duration::MAX))
        };
        self.known.iter().map(death).min()
    }

    /// Gives the fellows that the next hello names: those that have to hear that they are heard first, then the
    /// others, taking turns.
    pub fn roll(&mut self, now: Duration) -> Vec<Heard> {
        let strangers = self.strangers.iter().map(|(&id, stranger)| Heard { id, age: None, echo: stranger.token });
        let mut roll: Vec<_> = strangers.take(HEARD_CAPACITY).collect();
        let heard = |(&id, fellow): (&StationId, &Fellow)| {
            let age = Some(now.saturating_sub(fellow.heard));
            Heard { id, age, echo: fellow.token }
        };
        let room = (HEARD_CAPACITY - roll.len()).min(self.known.len());
        let first = self.turn % self.known.len().max(1);
        roll.extend(self.known.iter().cycle().skip(first).take(room).map(heard));
        self.turn = first + room;
        roll
    }
}
