//! Which hellos are heeded: those of fellows that have proved that they live, each once and in order.

use std::time::Duration;

use super::{FELLOWS_CAPACITY, Fellow, Fellows, Heeded, Stranger};
use crate::wire::hello::{Hello, HelloFault, NodeId, read_stances};

impl Fellows {
    /// Takes in a hello whose tag is right.
    pub(in crate::responder) fn hear(
        &mut self,
        hello: &Hello<'_>,
        token: u32,
        now: Duration,
    ) -> Result<Heeded, HelloFault> {
        let id = NodeId::of(hello.name);
        if id == self.own {
            return Err(HelloFault::OwnName);
        }
        let part = match self.known.get(&id) {
            Some(fellow) if fellow.epoch == hello.epoch && fellow.applies(hello) => None,
            _ => Some(read_stances(hello.stances).ok_or(HelloFault::Malformed)?),
        };
        let is_echoed = hello.heard.iter().any(|heard| heard.id == self.own && self.is_token(heard.echo));
        let mut heeded = Heeded::default();
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
                let before = self.known.insert(id, Fellow::new(hello, token, now));
                if let Some(before) = &before {
                    self.past.insert((id, before.epoch), (u64::MAX, now));
                }
                heeded.before = before.map(|fellow| fellow.stances);
            }
        }
        self.witness(hello, now);
        let own = self.own;
        if let Some(fellow) = self.known.get_mut(&id) {
            heeded.has_turned |= fellow.note(hello, token, now);
            if hello.heard.iter().any(|heard| heard.id == own) && is_echoed {
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

    fn note_stranger(&mut self, id: NodeId, hello: &Hello<'_>, token: u32, now: Duration) -> HelloFault {
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
        for heard in &hello.heard {
            let Some(age) = heard.age.filter(|_| heard.id != self.own) else { continue };
            let sign = now.saturating_sub(age);
            if self.witnessed.len() < FELLOWS_CAPACITY || self.witnessed.contains_key(&heard.id) {
                let known = self.witnessed.entry(heard.id).or_insert(sign);
                *known = sign.max(*known);
            }
        }
    }
}
