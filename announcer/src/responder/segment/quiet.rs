//! Times in which nothing is answered: listening after a start, being fenced, being unheard.

use std::time::Duration;

use super::{Context, Quiet, Segment, Socket, Standing};
use crate::responder::announcing::Announcing;
use crate::responder::{Action, Notice, Silence, Timing};

impl Segment {
    /// The socket receives: everything begins anew.
    pub(in crate::responder) fn open(&mut self, epoch: u64, context: &Context<'_>, announcing: &mut Announcing) {
        self.socket = Socket::Open;
        self.epoch = epoch;
        self.sequence = 0;
        let reason = if context.keys.is_empty() { Silence::NoKey } else { Silence::Listening };
        self.listen(reason, context, announcing);
        self.groups.begin_anew();
    }

    /// Begins to say nothing but that it listens.
    pub(in crate::responder) fn listen(&mut self, reason: Silence, context: &Context<'_>, announcing: &mut Announcing) {
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

    /// Gives for how long it has said nothing, if that is so long that fellows may have taken it for dead.
    #[inline]
    pub fn stalled(&self, timing: &Timing, now: Duration) -> Option<Duration> {
        let stalled = now.saturating_sub(self.last_hello?);
        (self.is_open() && stalled >= timing.fenced_after(self.interval)).then_some(stalled)
    }

    /// Has it listen again, if fellows may have taken it for dead; gives whether that is so.
    pub(in crate::responder) fn fence(
        &mut self,
        context: &Context<'_>,
        announcing: &mut Announcing,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(stalled) = self.stalled(context.timing, context.now) else { return false };
        self.listen(Silence::Fenced, context, announcing);
        actions.push(Action::Note(Notice::Fenced { link: self.index, stalled }));
        true
    }

    /// Looks who has died or is deaf, and whether it has listened for long enough.
    pub(super) fn check(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        let Context { timing, now, .. } = *context;
        if now >= self.next_check {
            for (id, fellow, sign) in self.fellows.bury(timing, now) {
                self.mourn(id, fellow, sign, actions);
            }
            if !self.fellows.has_company() && self.alone_since.is_none() {
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
        actions.push(Action::Note(Notice::Listened { link, took, after: quiet.reason }));
    }
}
