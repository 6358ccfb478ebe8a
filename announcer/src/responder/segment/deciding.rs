//! What this node does about each address from now on, and what follows from a change of it.

use std::net::IpAddr;
use std::time::Duration;

use super::{Context, Segment, Socket, Standing};
use crate::responder::announcing::Announcing;
use crate::responder::{Action, Cause, Notice, Silence};

/// Pause between two defences of an address against a fellow that answers for it wrongly.
const DEFENCE_INTERVAL: Duration = Duration::from_secs(1);

impl Segment {
    pub(super) fn decide_all(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
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
        let entry = entry.filter(|entry| self.wants(ip, entry));
        let (turn, wake) = match entry {
            Some(entry) => self.turn(ip, entry, context),
            None => (Err(Silence::NotOurs), None),
        };
        let is_held = self.rivals(ip).next().is_some();
        let (after, wake) = match (turn, before) {
            (Ok(_), _) => (Standing::Answering, None),
            (Err(reason), Standing::Answering) if self.may_linger(ip, reason, context) && !is_held => {
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
        // Of who answered before the one who does now, nothing follows any more.
        place.vacated = place.vacated.filter(|_| !is_held);
        place.inherits = false;
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

    /// Whether an address that this node gives up of its own accord may be answered until a fellow does; or until another
    /// station of this node does, where the plan has moved it to that one's interface.
    fn may_linger(&self, ip: IpAddr, reason: Silence, context: &Context<'_>) -> bool {
        let has_others = self.places.get(&ip).is_some_and(|place| place.has_others);
        let is_ours_still = || context.book.is_some_and(|book| book.entries.contains_key(&ip));
        // Where it was the only candidate, the plan of another node that has it now may come a moment later than this one's.
        let may_be_others = || has_others || reason == Silence::NotOurs && !is_ours_still();
        let may_twin = || reason == Silence::NotOurs && self.fellows.twins().next().is_some() && is_ours_still();
        is_own_doing(reason) && (self.fellows.has_company() && may_be_others() || may_twin())
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
            // It is answered for those who still ask here, and nobody is called here any more: whoever takes it over may have
            // announced it already.
            (Standing::Answering, Standing::Leaving { .. }) => announcing.stop((ip, link)),
            (Standing::Leaving { .. }, Standing::Answering) => announcing.start((ip, link), now),
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
}

/// Whether the reason lies in this node or its plan, so that others take over in good order.
const fn is_own_doing(reason: Silence) -> bool {
    matches!(reason, Silence::NotACandidate | Silence::NotOurs | Silence::Stopping)
}
