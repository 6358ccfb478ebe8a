//! One interface with its socket: the fellows heard there, and what this node does there about each address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::announcing::Announcing;
use super::book::{Book, Entry};
use super::fellows::{Fellow, Fellows, Stances};
use super::notice::{Cause, Notice};
use super::silence::Silence;
use super::timing::Timing;
use super::{Action, Purpose, Transmission};
use crate::wire::ethernet::Mac;
use crate::wire::hello::{Hello, KeyRing, NodeId, Solitude, Stance, write_stances};
use crate::wire::ipv6::{ALL_NODES, group_mac, solicited_node};
use crate::wire::mld;

/// Up to how many fellows a newcomer is greeted at once by all of them.
const PROMPT_CAPACITY: usize = 50;

/// How many hellos in a row carry a statement whole after it has changed.
const REPEATS: u8 = 3;

/// Pause between a report of groups and its repetition (RFC 3810 §9.11), and how long changes are gathered.
const MEMBERSHIP_REPEAT: Duration = Duration::from_secs(1);
const MEMBERSHIP_DELAY: Duration = Duration::from_millis(10);

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
    groups: BTreeMap<Ipv6Addr, usize>,
    joined: BTreeSet<Ipv6Addr>,
    membership: Option<Duration>,
    membership_repeats: bool,
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
            groups: BTreeMap::new(),
            joined: BTreeSet::new(),
            membership: None,
            membership_repeats: false,
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
            place.is_promoted = is_promoted.unwrap_or(place.is_promoted) && self.quiet.is_none();
            return;
        }
        let standing = Standing::Silent(Silence::NotFirst);
        let is_promoted = is_promoted.is_some_and(|is_promoted| is_promoted && self.quiet.is_none());
        let (vacant, vacated, defended) = (None, None, None);
        self.places.insert(ip, Place { standing, is_promoted, has_others, vacant, vacated, defended });
        self.join(ip);
    }

    fn join(&mut self, ip: IpAddr) {
        let IpAddr::V6(ip) = ip else { return };
        for group in [ALL_NODES, solicited_node(ip)] {
            let count = self.groups.entry(group).or_insert(0);
            *count += 1;
            if *count == 1 {
                self.membership = Some(Duration::ZERO);
            }
        }
    }

    fn leave(&mut self, ip: IpAddr, actions: &mut Vec<Action>) {
        let IpAddr::V6(ip) = ip else { return };
        for group in [ALL_NODES, solicited_node(ip)] {
            let Some(count) = self.groups.get_mut(&group) else { continue };
            *count -= 1;
            if *count == 0 {
                self.groups.remove(&group);
                if self.joined.remove(&group) && self.is_open() {
                    actions.push(Action::Leave(self.index, group_mac(group)));
                }
            }
        }
    }

    /// The socket receives: everything begins anew.
    pub fn open(&mut self, epoch: u64, context: &Context<'_>, announcing: &mut Announcing) {
        self.socket = Socket::Open;
        self.epoch = epoch;
        self.sequence = 0;
        let reason = if context.keys.is_empty() { Silence::NoKey } else { Silence::Listening };
        self.listen(reason, context, announcing);
        self.joined.clear();
        self.membership = Some(Duration::ZERO).filter(|_| !self.groups.is_empty());
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

    /// Takes in a hello.
    pub fn hear(&mut self, hello: &Hello<'_>, token: u32, context: &Context<'_>, actions: &mut Vec<Action>) {
        let (now, link) = (context.now, self.index);
        let senders = self.fellows.senders();
        let was_empty = self.fellows.is_empty();
        let heeded = match self.fellows.hear(hello, token, now) {
            Ok(heeded) => heeded,
            Err(fault) => {
                self.wants_hello |= self.fellows.senders() > senders && senders < PROMPT_CAPACITY;
                actions.push(Action::Discard(fault));
                return;
            }
        };
        if was_empty {
            self.rejoined = Some((now + context.timing.dead_after(self.interval) * 2, self.solitude(now)));
            self.alone_since = None;
        }
        if let Some(name) = heeded.found {
            actions.push(Action::Note(Notice::FellowFound { link, name }));
        }
        if heeded.lost > 0 {
            actions.push(Action::Note(Notice::HellosLost { link, count: heeded.lost }));
        }
        if let Some(before) = heeded.before {
            self.reclaim(NodeId::of(hello.name), &before, None, now);
        }
        if heeded.is_new || heeded.has_turned {
            self.is_all_dirty = true;
            self.next_check = now;
            self.wants_hello |= heeded.is_new && senders < PROMPT_CAPACITY;
        }
        if let Some(quiet) = self.quiet.as_mut().filter(|quiet| quiet.until < Duration::MAX) {
            quiet.until = quiet.until.max(quiet.since + self.fellows.longest_dead_after(context.timing));
        }
    }

    /// Brings the index of who answers into line with what a fellow says now.
    fn reclaim(&mut self, id: NodeId, before: &Stances, death: Option<Duration>, now: Duration) {
        let empty = Stances::new();
        let after = self.fellows.get(id).map_or(&empty, |fellow| &fellow.stances);
        let (claims, places, dirty) = (&mut self.claims, &mut self.places, &mut self.dirty);
        let mut note = |ip: IpAddr, old: Option<Stance>, new: Option<Stance>| {
            if old == new {
                return;
            }
            dirty.insert(ip);
            let answers = |stance| matches!(stance, Some(Stance::Answers(_)));
            if answers(new) {
                let holders = claims.entry(ip).or_default();
                if !holders.contains(&id) {
                    holders.push(id);
                }
            } else if let Some(holders) = claims.get_mut(&ip) {
                holders.retain(|holder| *holder != id);
                if holders.is_empty() {
                    claims.remove(&ip);
                }
            }
            if answers(old)
                && !answers(new)
                && let Some(place) = places.get_mut(&ip)
            {
                place.vacated = Some(match (death, new) {
                    (Some(sign), _) => (Cause::Dead, Some(sign)),
                    (None, Some(Stance::Leaves)) => (Cause::HandedOver, None),
                    (None, _) => (Cause::Released, Some(now)),
                });
            }
        };
        for (&ip, &old) in before {
            note(ip, Some(old), after.get(&ip).copied());
        }
        for (&ip, &new) in after.iter().filter(|(ip, _)| !before.contains_key(ip)) {
            note(ip, None, Some(new));
        }
    }

    /// Takes in that somebody who is no fellow, as far as is known, was heard.
    pub const fn note_client(&mut self, now: Duration) {
        if self.alone_since.is_some() {
            self.client_heard = Some(now);
        }
    }

    /// Takes in a packet that says that whoever has this MAC address has the address. Heeded only of a fellow that is a
    /// candidate; its next hello has the last word.
    pub fn see(&mut self, ip: IpAddr, mac: Mac, context: &Context<'_>) {
        let is_ours = self.standing(ip).is_some_and(|standing| !matches!(standing, Standing::Silent(_)));
        let Some((id, _)) = self.fellows.by_mac(mac).filter(|_| is_ours) else { return };
        let entry = context.book.and_then(|book| book.entries.get(&ip));
        let rank = entry.and_then(|entry| entry.nodes.iter().position(|node| *node == id));
        let Some(rank) = rank.and_then(|rank| u8::try_from(rank).ok()) else { return };
        if self.fellows.hint(id, ip, Stance::Answers(rank), context.now) {
            let holders = self.claims.entry(ip).or_default();
            if !holders.contains(&id) {
                holders.push(id);
            }
            self.dirty.insert(ip);
        }
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
        self.report_groups(context, actions);
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
            self.leave(ip, actions);
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

    /// Gives the fellows that answer for an address, and at which place of the candidates they stand by their plan.
    fn rivals(&self, ip: IpAddr) -> impl Iterator<Item = (NodeId, &Fellow, u8)> {
        let holders = self.claims.get(&ip).map(Vec::as_slice).unwrap_or_default();
        holders.iter().filter_map(move |&id| {
            let fellow = self.fellows.get(id).filter(|fellow| !fellow.is_deaf)?;
            match fellow.stances.get(&ip) {
                Some(&Stance::Answers(rank)) => Some((id, fellow, rank)),
                _ => None,
            }
        })
    }

    /// Whether it is this node's turn to answer for an address, and why or why not; and when to ask again, if that may
    /// change by itself.
    fn turn(&self, ip: IpAddr, entry: &Entry, context: &Context<'_>) -> (Result<Cause, Silence>, Option<Duration>) {
        if let Some(quiet) = self.quiet {
            return (Err(quiet.reason), None);
        }
        let (Some(rank), Some(place)) = (entry.rank, self.places.get(&ip)) else {
            return (Err(Silence::NotACandidate), None);
        };
        if context.is_stopping {
            return (Err(Silence::Stopping), None);
        }
        let is_answering = !matches!(place.standing, Standing::Silent(_));
        let own = (self.solitude(context.now), rank, context.own);
        let mut cause = Cause::First;
        for (id, fellow, claimed) in self.rivals(ip) {
            let comes_first = own < (fellow.solitude, claimed, id);
            if !comes_first || !(is_answering || place.is_promoted) {
                let is_above = entry.above().contains(&id);
                return (Err(if is_above { Silence::NotFirst } else { Silence::Incumbent }), None);
            }
            cause = Cause::Planned;
        }
        if is_answering {
            return (Ok(cause), None);
        }
        for &id in entry.above() {
            match self.hurdle(id, ip, place, context) {
                Hurdle::None => {}
                Hurdle::Overdue => cause = Cause::Patience,
                Hurdle::Until(wake) => return (Err(Silence::NotFirst), Some(wake)),
                Hurdle::Lasting => return (Err(Silence::NotFirst), None),
            }
        }
        (Ok(cause), None)
    }

    /// Whether a candidate that comes first keeps this node from answering.
    fn hurdle(&self, id: NodeId, ip: IpAddr, place: &Place, context: &Context<'_>) -> Hurdle {
        let Context { timing, now, .. } = *context;
        let dies = self.fellows.dies(id, timing, self.interval).filter(|&dies| now < dies);
        let Some(dies) = dies else { return Hurdle::None };
        let Some(fellow) = self.fellows.get(id) else { return Hurdle::Until(dies) };
        let gives_up = matches!(fellow.stances.get(&ip), Some(Stance::Declines | Stance::Leaves));
        if fellow.is_deaf || fellow.is_leaving || gives_up {
            return Hurdle::None;
        }
        if fellow.listens_until > now {
            let wake = fellow.listens_until.min(self.settles_until);
            return if wake > now { Hurdle::Until(wake) } else { Hurdle::None };
        }
        if self.fellows.is_distant(id, timing, now) {
            return Hurdle::Lasting;
        }
        let overdue = place.vacant.unwrap_or(now) + timing.patience;
        if overdue <= now { Hurdle::Overdue } else { Hurdle::Until(overdue) }
    }

    /// Says what is due to be said.
    fn speak(&mut self, context: &Context<'_>, actions: &mut Vec<Action>) {
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
        let pause = if self.leaving > 0 { self.interval / 4 } else { self.interval };
        (self.last_hello, self.next_hello, self.wants_hello) = (Some(now), now + pause, false);
    }

    fn hello_due(&self, timing: &Timing) -> Duration {
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
            actions.push(self.transmission(Purpose::Hello, sealed.frame));
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

    fn report_groups(&mut self, context: &Context<'_>, actions: &mut Vec<Action>) {
        let Some(due) = self.membership else { return };
        let Context { timing, now, .. } = *context;
        if due == Duration::ZERO {
            let new = self.groups.keys().filter(|&&group| self.joined.insert(group));
            actions.extend(new.map(|&group| Action::Join(self.index, group_mac(group))));
            (self.membership, self.membership_repeats) = (Some(now + MEMBERSHIP_DELAY), true);
        } else if due <= now {
            let groups: Vec<_> = self.groups.keys().filter(|&&group| group != ALL_NODES).copied().collect();
            let reports =
                groups.chunks(mld::GROUPS_CAPACITY).map(|chunk| mld::report(self.mac, self.link_local, chunk));
            actions.extend(reports.map(|frame| self.transmission(Purpose::Membership, frame)));
            let pause = if self.membership_repeats { MEMBERSHIP_REPEAT } else { timing.membership };
            self.membership = Some(now + pause).filter(|_| !groups.is_empty());
            self.membership_repeats = false;
        }
    }

    const fn transmission(&self, purpose: Purpose, frame: Vec<u8>) -> Action {
        Action::Send(Transmission { link: self.index, purpose, frame })
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
        let fixed = [Some(self.hello_due(timing)), Some(self.next_check), quiet, wake, self.membership];
        fixed.into_iter().flatten().filter(|&due| due != Duration::MAX).min()
    }
}

/// What stands between this node and an address.
enum Hurdle {
    None,
    /// It should have answered by now.
    Overdue,
    Until(Duration),
    Lasting,
}

/// Whether the reason lies in this node or its plan, so that others take over in good order.
const fn is_own_doing(reason: Silence) -> bool {
    matches!(reason, Silence::NotACandidate | Silence::NotOurs | Silence::Stopping)
}
