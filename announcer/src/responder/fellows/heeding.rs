//! Which hellos are heeded: those of fellows that have proved that they live, each once and in order.

use std::time::Duration;

use super::{FELLOWS_CAPACITY, Fellow, Fellows, Heeded, Stranger};
use crate::wire::hello::{Hello, HelloFault, NodeId, StationId, read_stances};

impl Fellows {
    /// Takes in a hello whose tag is right.
    pub(in crate::responder) fn hear(
        &mut self,
        hello: &Hello<'_>,
        token: u32,
        now: Duration,
    ) -> Result<Heeded, HelloFault> {
        let node = NodeId::of(hello.name);
        let id = node.station(hello.station.unwrap_or_default());
        if id == self.own.station(self.station) {
            return Err(HelloFault::OwnName);
        }
        let part = match self.known.get(&id) {
            Some(fellow) if fellow.epoch == hello.epoch && fellow.applies(hello) => None,
            _ => Some(read_stances(hello.stances).ok_or(HelloFault::Malformed)?),
        };
        let is_echoed = hello.heard.iter().any(|heard| heard.id.is_of(self.own) && self.is_token(heard.echo));
        let mut heeded = Heeded { id, is_new: false, found: None, lost: 0, before: None, has_turned: false };
        match self.known.get(&id) {
            Some(fellow) if fellow.epoch == hello.epoch => {
                if hello.sequence <= fellow.sequence {
                    return Err(HelloFault::Replayed);
                }
                let gap = hello.sequence - fellow.sequence - 1;
                heeded.lost = u32::try_from(gap).unwrap_or(u32::MAX);
            }
            _ if self.past.get(&(id, hello.epoch)).is_some_and(|(last, _)| hello.sequence <= *last) => {
                return Err(HelloFault::Replayed);
            }
            _ if !is_echoed => return Err(self.note_stranger(id, hello, token, now)),
            known => {
                if self.known.len() >= FELLOWS_CAPACITY {
                    return Err(HelloFault::TooMany);
                }
                heeded.is_new = true;
                heeded.found = known.is_none().then(|| hello.name.to_owned());
                self.strangers.remove(&id);
                let before = self.known.insert(id, Fellow::new(node, hello, token, now));
                if let Some(before) = &before {
                    self.past.insert((id, before.epoch), (u64::MAX, now));
                }
                heeded.before = before.map(|fellow| fellow.stances);
            }
        }
        // That a node hears itself does not mean that it hears anyone, except to itself.
        let hears_someone = hello.heard.iter().any(|heard| node == self.own || !heard.id.is_of(node));
        if hears_someone {
            self.witness(hello, now);
        }
        if let Some(fellow) = self.known.get_mut(&id) {
            heeded.has_turned |= fellow.note(hello, (token, hears_someone), now);
            if is_echoed {
                fellow.heard_us = Some(now);
            }
            if let Some(before) = fellow.take_part(hello, part, now) {
                heeded.before.get_or_insert(before);
            }
        }
        Ok(heeded)
    }

    fn is_token(&self, echo: u32) -> bool {
        self.tokens.iter().any(|(_, token)| *token == echo)
    }

    fn note_stranger(&mut self, id: StationId, hello: &Hello<'_>, token: u32, now: Duration) -> HelloFault {
        let (epoch, sequence) = (hello.epoch, hello.sequence);
        let is_old = |stranger: &Stranger| stranger.epoch == epoch && sequence <= stranger.sequence;
        if self.strangers.get(&id).is_some_and(is_old) {
            return HelloFault::Replayed;
        }
        if self.strangers.len() >= FELLOWS_CAPACITY {
            return HelloFault::TooMany;
        }
        self.strangers.insert(id, Stranger { epoch, sequence, token, heard: now });
        HelloFault::Unproven
    }

    fn witness(&mut self, hello: &Hello<'_>, now: Duration) {
        let own = self.own.station(self.station);
        for heard in &hello.heard {
            let id = if hello.station.is_some() { Some(heard.id) } else { self.meant(heard.id) };
            let (Some(age), Some(id)) = (heard.age, id.filter(|&id| id != own)) else { continue };
            let sign = now.saturating_sub(age);
            if self.witnessed.len() < FELLOWS_CAPACITY || self.witnessed.contains_key(&id) {
                let known = self.witnessed.entry(id).or_insert(sign);
                *known = sign.max(*known);
            }
        }
    }

    /// Gives the station that a fellow means which names nodes only: the one of the node that was heard last.
    fn meant(&self, node: StationId) -> Option<StationId> {
        if node.is_of(self.own) {
            return None;
        }
        let stations = self.known.range(node.siblings());
        Some(stations.max_by_key(|(_, fellow)| fellow.heard).map_or(node, |(&id, _)| id))
    }
}
