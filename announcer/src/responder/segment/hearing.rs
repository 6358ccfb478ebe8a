//! What this node takes in on an interface: hellos of fellows, and packets that say who has an address.

use std::net::IpAddr;
use std::time::Duration;

use super::{Context, Segment};
use crate::responder::fellows::{Fellow, Stances};
use crate::responder::{Action, Cause, Notice};
use crate::wire::ethernet::Mac;
use crate::wire::hello::{Hello, Stance, StationId};

/// Up to how many fellows a newcomer is greeted at once by all of them.
const PROMPT_CAPACITY: usize = 50;

impl Segment {
    /// Takes in a hello.
    pub fn hear(&mut self, hello: &Hello<'_>, token: u32, context: &Context<'_>, actions: &mut Vec<Action>) {
        let (now, link) = (context.now, self.index);
        let senders = self.fellows.senders();
        let had_company = self.fellows.has_company();
        let heeded = match self.fellows.hear(hello, token, now) {
            Ok(heeded) => heeded,
            Err(fault) => {
                self.wants_hello |= self.fellows.senders() > senders && senders < PROMPT_CAPACITY;
                actions.push(Action::Discard(fault));
                return;
            }
        };
        if !had_company && self.fellows.has_company() {
            self.rejoined = Some((now + context.timing.dead_after(self.interval) * 2, self.solitude(now)));
            self.alone_since = None;
        }
        if let Some(name) = heeded.found {
            let is_twin = name == context.node;
            actions.push(Action::Note(Notice::FellowFound { link, name, is_twin }));
        }
        if heeded.lost > 0 {
            actions.push(Action::Note(Notice::HellosLost { link, count: heeded.lost }));
        }
        if let Some(before) = heeded.before {
            self.reclaim(heeded.id, &before, None, now);
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
    pub(super) fn reclaim(&mut self, id: StationId, before: &Stances, death: Option<Duration>, now: Duration) {
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

    /// Takes in that somebody with this MAC address was heard, who is no fellow as far as is known.
    pub fn note_client(&mut self, mac: Mac, now: Duration) {
        if self.alone_since.is_some() && !self.fellows.twins().any(|(_, twin)| twin.mac == mac) {
            self.client_heard = Some(now);
        }
    }

    /// Takes in that another station of this node is closed, and so answers for nothing any more.
    pub fn drop_twin(&mut self, station: (StationId, u64), now: Duration, actions: &mut Vec<Action>) {
        if let Some(twin) = self.fellows.drop_twin(station, now) {
            let answered = twin.stances.iter().filter(|(_, stance)| matches!(stance, Stance::Answers(_)));
            for (ip, _) in answered {
                if let Some(place) = self.places.get_mut(ip) {
                    place.inherits = true;
                }
            }
            self.mourn(station.0, twin, now, actions);
        }
    }

    /// Takes in that a fellow is dead, whose last sign of life was then.
    pub(super) fn mourn(&mut self, id: StationId, fellow: Fellow, sign: Duration, actions: &mut Vec<Action>) {
        self.reclaim(id, &fellow.stances, Some(sign), sign);
        self.is_all_dirty = true;
        actions.push(Action::Note(Notice::FellowLost { link: self.index, name: fellow.name }));
    }

    /// Takes in a packet that says that whoever has this MAC address has the address. Heeded only of a fellow that is a
    /// candidate; its next hello has the last word.
    pub fn see(&mut self, ip: IpAddr, mac: Mac, context: &Context<'_>) {
        if !self.answers(ip) {
            return;
        }
        let Some((id, node)) = self.fellows.by_mac(mac) else { return };
        let entry = context.book.and_then(|book| book.entries.get(&ip));
        let rank = entry.and_then(|entry| entry.nodes.iter().position(|candidate| *candidate == node));
        let Some(rank) = rank.and_then(|rank| u8::try_from(rank).ok()) else { return };
        if self.fellows.hint(id, ip, Stance::Answers(rank), context.now) {
            let holders = self.claims.entry(ip).or_default();
            if !holders.contains(&id) {
                holders.push(id);
            }
            self.dirty.insert(ip);
        }
    }
}
