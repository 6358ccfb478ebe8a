//! One interface with its socket: the fellows heard there, and what this node does there about each address.

mod hearing;
mod speaking;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::Action;
use super::announcing::Announcing;
use super::book::Book;
use super::fellows::Fellows;
use super::groups::Groups;
use super::notice::{Cause, Notice};
use super::silence::Silence;
use super::timing::Timing;
use crate::wire::ethernet::Mac;
use crate::wire::hello::{KeyRing, NodeId, Solitude};

/// Pause between two defences of an address against a fellow that answers for it wrongly.
const DEFENCE_INTERVAL: Duration = Duration::from_secs(1);

/// What all segments have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub timing: &'a Timing,
    pub keys: &'a KeyRing,
    pub node: &'a str,
    pub own: NodeId,
    pub book: Option<&'a Book>,
    pub is_stopping: bool,
    pub now: Duration,
}

/// A socket on a usable interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Socket {
    Asked,
    Open,
    Lost { retry: Duration },
}

/// What this node does about an address here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Silent(Silence),
    Answering,
    /// Answers until another does, or this moment has come.
    Leaving {
        until: Duration,
    },
}

/// An address here.
#[derive(Debug)]
struct Place {
    standing: Standing,
    /// The operator has moved it to this node, which has not answered for it since.
    is_promoted: bool,
    /// Whether others are candidates too, who could take it over.
    has_others: bool,
    /// Since when nobody is known to answer.
    vacant: Option<Duration>,
    /// Why the one who answered before does no more, and its last sign of life.
    vacated: Option<(Cause, Option<Duration>)>,
    defended: Option<Duration>,
}

/// A time in which nothing is answered at all.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    reason: Silence,
    since: Duration,
    until: Duration,
}

/// One interface.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each marks work that is put off until everything is settled")]
pub(super) struct Segment {
    pub index: u32,
    pub name: String,
    pub mac: Mac,
    pub is_running: bool,
    pub link_local: Option<Ipv6Addr>,
    pub socket: Socket,
    fellows: Fellows,
    claims: BTreeMap<IpAddr, Vec<NodeId>>,
    places: BTreeMap<IpAddr, Place>,
    dirty: BTreeSet<IpAddr>,
    is_all_dirty: bool,
    wakes: BTreeSet<(Duration, IpAddr)>,
    leaving: usize,
    quiet: Option<Quiet>,
    settles_until: Duration,
    speaking: Duration,
    alone_since: Option<Duration>,
    client_heard: Option<Duration>,
    rejoined: Option<(Duration, Solitude)>,
    last_check: Duration,
    next_check: Duration,
    epoch: u64,
    sequence: u64,
    interval: Duration,
    last_hello: Option<Duration>,
    next_hello: Duration,
    wants_hello: bool,
    statement: u32,
    parts: Vec<Vec<u8>>,
    next_part: usize,
    repeats: u8,
    is_statement_stale: bool,
    groups: Groups,
    /// Something that the status says has changed.
    pub has_news: bool,
}

impl Segment {
    pub fn new(index: u32, name: String, mac: Mac, own: NodeId) -> Self {
        Self {
            index,
            name,
            mac,
            is_running: false,
            link_local: None,
            socket: Socket::Asked,
            fellows: Fellows::new(own),
            claims: BTreeMap::new(),
            places: BTreeMap::new(),
            dirty: BTreeSet::new(),
            is_all_dirty: false,
            wakes: BTreeSet::new(),
            leaving: 0,
            quiet: None,
            settles_until: Duration::ZERO,
            speaking: Duration::ZERO,
            alone_since: None,
            client_heard: None,
            rejoined: None,
            last_check: Duration::ZERO,
            next_check: Duration::MAX,
            epoch: 0,
            sequence: 0,
            interval: Duration::ZERO,
            last_hello: None,
            next_hello: Duration::MAX,
            wants_hello: false,
            statement: 0,
            parts: Vec::new(),
            next_part: 0,
            repeats: 0,
            is_statement_stale: true,
            groups: Groups::default(),
            has_news: true,
        }
    }

    pub fn is_open(&self) -> bool {
        self.socket == Socket::Open
    }

    pub fn fellows(&self) -> &Fellows {
        &self.fellows
    }

    pub fn standing(&self, ip: IpAddr) -> Option<Standing> {
        self.places.get(&ip).map(|place| place.standing)
    }

    pub const fn is_leaving(&self) -> bool {
        self.leaving > 0
    }

    /// Takes up the whole plan, or what an interface of a new name makes of it.
    pub fn follow(&mut self, context: &Context<'_>) {
        let Some(book) = context.book else { return };
        let gone: Vec<_> = self.places.keys().filter(|ip| !book.entries.contains_key(ip)).copied().collect();
        for ip in gone {
            self.dirty.insert(ip);
        }
        for &ip in book.entries.keys() {
            self.take_up(ip, context, None);
        }
        self.is_statement_stale = true;
    }

    /// Takes up what the plan says about one address now; and, when the plan is new, whether it has moved it here.
    pub fn take_up(&mut self, ip: IpAddr, context: &Context<'_>, is_promoted: Option<bool>) {
        let entry = context.book.and_then(|book| book.entries.get(&ip));
        self.dirty.insert(ip);
        self.is_statement_stale = true;
        self.has_news = true;
        let Some(entry) = entry.filter(|entry| entry.is_wanted_on(&self.name)) else { return };
        let has_others = entry.nodes.len() > 1;
        if let Some(place) = self.places.get_mut(&ip) {
            place.has_others |= has_others;
            // One that answers has nothing left to begin with: kept, it would take the address back from another later.
            let is_silent = matches!(place.standing, Standing::Silent(_));
            place.is_promoted = is_promoted.unwrap_or(place.is_promoted) && self.quiet.is_none() && is_silent;
            return;
        }
        let standing = Standing::Silent(Silence::NotFirst);
        let is_promoted = is_promoted.is_some_and(|is_promoted| is_promoted && self.quiet.is_none());
        let (vacant, vacated, defended) = (None, None, None);
        self.places.insert(ip, Place { standing, is_promoted, has_others, vacant, vacated, defended });
        self.groups.want(ip);
    }

    /// The socket receives: everything begins anew.
    pub fn open(&mut self, epoch: u64, context: &Context<'_>, announcing: &mut Announcing) {
        self.socket = Socket::Open;
        self.epoch = epoch;
        self.sequence = 0;
        let reason = if context.keys.is_empty() { Silence::NoKey } else { Silence::Listening };
        self.listen(reason, context, announcing);
        self.groups.begin_anew();
    }

    /// Begins to say nothing but that it listens.
    pub fn listen(&mut self, reason: Silence, context: &Context<'_>, announcing: &mut Announcing) {
        let Context { timing, now, .. } = *context;
        self.fellows.forget();
        self.claims.clear();
        self.wakes.clear();
        self.interval = timing.interval_among(0);
        self.last_hello = None;
        self.next_hello = if reason == Silence::NoKey { Duration::MAX } else { now };
        self.wants_hello = false;
        self.next_check = Duration::MAX;
        self.last_check = now;
        self.alone_since = Some(now);
        self.client_heard = None;
        self.rejoined = None;
        self.speaking = now;
        self.settles_until = now;
        self.hush(reason, context, announcing);
        if reason == Silence::NoKey {
            self.quiet = Some(Quiet { reason, since: now, until: Duration::MAX });
        }
    }

    /// Silences every address for as long as a fellow may be silent.
    fn hush(&mut self, reason: Silence, context: &Context<'_>, announcing: &mut Announcing) {
        let Context { timing, now, .. } = *context;
        self.quiet = Some(Quiet { reason, since: now, until: now + timing.dead_after(self.interval) });
        let index = self.index;
        for (&ip, place) in &mut self.places {
            announcing.stop((ip, index));
            place.standing = Standing::Silent(reason);
            (place.is_promoted, place.vacant, place.vacated) = (false, None, None);
        }
        self.is_all_dirty = true;
        self.leaving = 0;
        self.is_statement_stale = true;
        self.has_news = true;
    }

    /// Whether it has said nothing for so long that fellows may have taken it for dead; then it listens again.
    pub fn fence(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        let Some(last) = self.last_hello.filter(|_| self.is_open()) else { return };
        let stalled = context.now.saturating_sub(last);
        if stalled < context.timing.fenced_after(self.interval) {
            return;
        }
        self.listen(Silence::Fenced, context, announcing);
        actions.push(Action::Note(Notice::Fenced { link: self.index, stalled }));
    }

    fn solitude(&self, now: Duration) -> Solitude {
        match (self.alone_since, self.rejoined) {
            (Some(since), _) if self.client_heard.is_some_and(|heard| heard >= since) => Solitude::WithoutFellows,
            (Some(_), _) => Solitude::Alone,
            (None, Some((until, solitude))) if now < until => solitude,
            (None, _) => Solitude::Together,
        }
    }

    /// Does what is due.
    pub fn settle(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        if !self.is_open() {
            return;
        }
        self.check(context, announcing, actions);
        self.decide_all(context, announcing, actions);
        self.speak(context, actions);
        self.groups.tell((self.index, self.mac, self.link_local), context.timing, context.now, actions);
    }

    /// Looks who has died or is deaf, and whether it has listened for long enough.
    fn check(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        let Context { timing, now, .. } = *context;
        if now >= self.next_check {
            for (id, fellow, sign) in self.fellows.bury(timing, now) {
                self.reclaim(id, &fellow.stances, Some(sign), now);
                self.is_all_dirty = true;
                actions.push(Action::Note(Notice::FellowLost { link: self.index, name: fellow.name }));
            }
            if self.fellows.is_empty() && self.alone_since.is_none() {
                (self.alone_since, self.client_heard) = (Some(now), None);
            }
            self.is_all_dirty |= self.fellows.judge_hearing(timing, self.speaking, now);
            self.is_all_dirty |= self.fellows.has_listened(self.last_check, now);
            if self.rejoined.is_some_and(|(until, _)| until <= now) {
                self.rejoined = None;
                self.is_all_dirty = true;
            }
            let memory = timing.dead_after(self.interval).max(self.fellows.longest_dead_after(timing)) * 2;
            self.fellows.prune(now.saturating_sub(memory));
            let is_mute = self.fellows.is_mute(timing, self.speaking, now);
            if self.quiet.is_none() && is_mute && !context.is_stopping {
                self.hush(Silence::Unheard, context, announcing);
                self.wants_hello = true;
            }
            self.last_check = now;
        }
        if let Some(quiet) = self.quiet.filter(|quiet| quiet.until <= now) {
            self.end_quiet(quiet, context, actions);
        }
        // Not only when somebody may be dead: hellos put that off for ever, while tokens and strangers grow old, and who
        // is not heard is to notice it.
        let routine = self.last_check + timing.dead_after(self.interval);
        let rejoined = self.rejoined.map(|(until, _)| until);
        let change = self.fellows.next_change(timing, self.speaking, now);
        self.next_check = change.into_iter().chain(rejoined).fold(routine, Duration::min);
    }

    fn end_quiet(&mut self, quiet: Quiet, context: &Context<'_>, actions: &mut Vec<Action>) {
        let Context { timing, now, .. } = *context;
        let dead_after = timing.dead_after(self.interval);
        if quiet.reason == Silence::Unheard && self.fellows.is_mute(timing, self.speaking, now) {
            self.quiet = Some(Quiet { until: now + dead_after, ..quiet });
            return;
        }
        self.quiet = None;
        self.settles_until = if quiet.reason == Silence::Listening { now + dead_after } else { now };
        self.is_all_dirty = true;
        self.is_statement_stale = true;
        self.wants_hello = true;
        let (link, took) = (self.index, now.saturating_sub(quiet.since));
        let was_fenced = quiet.reason != Silence::Listening;
        actions.push(Action::Note(Notice::Listened { link, took, was_fenced }));
    }

    fn decide_all(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        while let Some(&(wake, ip)) = self.wakes.first()
            && wake <= context.now
        {
            self.wakes.pop_first();
            self.dirty.insert(ip);
        }
        if std::mem::take(&mut self.is_all_dirty) {
            self.dirty.extend(self.places.keys().copied());
        }
        for ip in std::mem::take(&mut self.dirty) {
            self.decide(ip, context, announcing, actions);
        }
    }

    /// Decides about one address, and carries it out.
    fn decide(&mut self, ip: IpAddr, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        let Some(before) = self.places.get(&ip).map(|place| place.standing) else { return };
        let entry = context.book.and_then(|book| book.entries.get(&ip));
        let entry = entry.filter(|entry| entry.is_wanted_on(&self.name));
        let (turn, wake) = match entry {
            Some(entry) => self.turn(ip, entry, context),
            None => (Err(Silence::NotOurs), None),
        };
        let is_held = self.rivals(ip).next().is_some();
        let (after, wake) = match (turn, before) {
            (Ok(_), _) => (Standing::Answering, None),
            (Err(reason), Standing::Answering) if self.may_linger(ip, reason) && !is_held => {
                let until = context.now + context.timing.handover;
                (Standing::Leaving { until }, Some(until))
            }
            (Err(reason), Standing::Leaving { until }) if is_own_doing(reason) && !is_held && context.now < until => {
                (Standing::Leaving { until }, Some(until))
            }
            (Err(reason), _) => (Standing::Silent(reason), wake),
        };
        if let Some(wake) = wake {
            self.wakes.insert((wake, ip));
        }
        let is_answering = after == Standing::Answering;
        let Some(place) = self.places.get_mut(&ip) else { return };
        place.vacant =
            if is_answering || is_held || self.quiet.is_some() { None } else { place.vacant.or(Some(context.now)) };
        place.standing = after;
        if after != before {
            self.carry_out(ip, before, (after, turn), context, announcing, actions);
        } else if is_answering && is_held {
            self.defend(ip, context.now, announcing);
        }
        if entry.is_none() && matches!(after, Standing::Silent(_)) {
            self.places.remove(&ip);
            let given_up = self.groups.give_up(ip).into_iter().filter(|_| self.socket == Socket::Open);
            actions.extend(given_up.map(|group| Action::Leave(self.index, group)));
        }
    }

    /// Whether an address that this node gives up of its own accord may be answered until a fellow does.
    fn may_linger(&self, ip: IpAddr, reason: Silence) -> bool {
        let has_others = self.places.get(&ip).is_some_and(|place| place.has_others);
        is_own_doing(reason) && has_others && !self.fellows.is_empty()
    }

    fn carry_out(
        &mut self,
        ip: IpAddr,
        before: Standing,
        (after, turn): (Standing, Result<Cause, Silence>),
        context: &Context<'_>,
        announcing: &mut Announcing,
        actions: &mut Vec<Action>,
    ) {
        let (now, link) = (context.now, self.index);
        let counts = |standing| usize::from(matches!(standing, Standing::Leaving { .. }));
        self.leaving = (self.leaving + counts(after)).saturating_sub(counts(before));
        self.has_news = true;
        if matches!((before, after), (Standing::Silent(_), Standing::Silent(_))) {
            return;
        }
        self.is_statement_stale = true;
        self.wants_hello = true;
        match (before, after) {
            (Standing::Silent(_), Standing::Answering) => {
                announcing.start((ip, link), now);
                let Some(place) = self.places.get_mut(&ip) else { return };
                place.is_promoted = false;
                let vacated = place.vacated.take();
                let turn = turn.unwrap_or(Cause::First);
                let cause = vacated.filter(|_| turn == Cause::First).map_or(turn, |(cause, _)| cause);
                let sign = vacated.and_then(|(_, sign)| sign);
                let vacant = sign.filter(|_| cause != Cause::Planned).map(|sign| now.saturating_sub(sign));
                actions.push(Action::Note(Notice::TookOver { link, ip, cause, vacant }));
            }
            (_, Standing::Silent(_)) => {
                announcing.stop((ip, link));
                if let Some((_, fellow, _)) = self.rivals(ip).next() {
                    actions.push(Action::Note(Notice::Yielded { link, ip, to: fellow.name.clone() }));
                }
            }
            _ => {}
        }
    }

    /// Announces an address again that a fellow claims which has to yield, so that clients come back.
    fn defend(&mut self, ip: IpAddr, now: Duration, announcing: &mut Announcing) {
        let index = self.index;
        let Some(place) = self.places.get_mut(&ip) else { return };
        if place.defended.is_none_or(|last| now >= last + DEFENCE_INTERVAL) {
            place.defended = Some(now);
            announcing.start((ip, index), now);
        }
    }

    /// Gives when to come back.
    pub fn deadline(&self, timing: &Timing) -> Option<Duration> {
        if !self.is_open() {
            return match self.socket {
                Socket::Lost { retry } => Some(retry),
                Socket::Asked | Socket::Open => None,
            };
        }
        let wake = self.wakes.first().map(|(wake, _)| *wake);
        let quiet = self.quiet.map(|quiet| quiet.until);
        let fixed = [Some(self.hello_due(timing)), Some(self.next_check), quiet, wake, self.groups.deadline()];
        fixed.into_iter().flatten().filter(|&due| due != Duration::MAX).min()
    }
}

/// Whether the reason lies in this node or its plan, so that others take over in good order.
const fn is_own_doing(reason: Silence) -> bool {
    matches!(reason, Silence::NotACandidate | Silence::NotOurs | Silence::Stopping)
}
