//! Whose turn it is to answer for an address on an interface.

use std::net::IpAddr;
use std::time::Duration;

use super::{Context, Place, Segment, Standing};
use crate::responder::book::Entry;
use crate::responder::fellows::Fellow;
use crate::responder::{Cause, Silence};
use crate::wire::hello::{Stance, StationId};

/// What stands between this node and an address.
enum Hurdle {
    None,
    /// It should have answered by now.
    Overdue,
    Until(Duration),
    Lasting,
}

impl Segment {
    /// Gives the fellows that answer for an address, and at which place of the candidates they stand by their plan.
    pub(super) fn rivals(&self, ip: IpAddr) -> impl Iterator<Item = (StationId, &Fellow, u8)> {
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
    pub(super) fn turn(
        &self,
        ip: IpAddr,
        entry: &Entry,
        context: &Context<'_>,
    ) -> (Result<Cause, Silence>, Option<Duration>) {
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
        let own = (self.solitude(context.now), rank, context.own, self.station());
        let mut cause = Cause::First;
        for (_, fellow, claimed) in self.rivals(ip) {
            let comes_first = own < (fellow.solitude, claimed, fellow.node, fellow.station);
            let is_twin = fellow.node == context.own;
            let may_begin = !is_twin && (place.is_promoted || entry.is_moving_here);
            if !comes_first || !(is_answering || may_begin) {
                let silence = match (is_twin, entry.above().contains(&fellow.node)) {
                    (true, _) => Silence::OtherLink,
                    (false, true) => Silence::NotFirst,
                    (false, false) => Silence::Incumbent,
                };
                return (Err(silence), None);
            }
            cause = Cause::Planned;
        }
        if is_answering || place.inherits {
            return (Ok(cause), None);
        }
        let above = entry.above().iter().flat_map(|&node| self.fellows.stations_of(node));
        for id in above.chain(self.stations_above(entry, context)) {
            match self.hurdle(id, ip, place, context) {
                Hurdle::None => {}
                Hurdle::Overdue => cause = Cause::Patience,
                Hurdle::Until(wake) => return (Err(Silence::NotFirst), Some(wake)),
                Hurdle::Lasting => return (Err(Silence::NotFirst), None),
            }
        }
        (Ok(cause), None)
    }

    /// Gives the stations of this node on this segment that come before this one and are to answer as well. Others may
    /// speak for a while of one that this node has closed, and of one that this one never hears.
    fn stations_above(&self, entry: &Entry, context: &Context<'_>) -> impl Iterator<Item = StationId> {
        let Context { own, open, .. } = *context;
        let is_above = move |id: &StationId| {
            let number = id.number(own);
            number < self.station() && open.get(&number).is_some_and(|name| entry.is_wanted_on(name))
        };
        self.fellows.stations_of(own).filter(is_above)
    }

    /// Whether a station that comes first keeps this one from answering.
    fn hurdle(&self, id: StationId, ip: IpAddr, place: &Place, context: &Context<'_>) -> Hurdle {
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
}
