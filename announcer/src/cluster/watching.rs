//! The plan as it comes: out of the watched Lease, or from the node's disk when a start is told none.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::watcher::{self, watcher};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::keeping::ToKeep;
use super::origin::Shown;
use super::shards::ShardsError;
use super::{Cluster, lease, log_failure, shards};
use crate::chain::chain;
use crate::mailbox::Sender;
use crate::plan::{Inbox, Plan};
use crate::responder::Event;

/// How long a watch may be silent. Every renewal shows up in it, so a longer silence means a broken connection.
const WATCH_SILENCE: Duration = Duration::from_secs(25);

/// How long a program that has just started waits for the API server before it goes on with the plan it kept.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// What is known of the plan.
#[derive(Debug, Default)]
struct Known {
    inbox: Inbox,
    shown: Shown,
    /// The uid of the Lease from which the plan in force was kept, where it is one from the disk and that is known.
    kept: Option<String>,
}

impl Cluster {
    /// Follows the plan; the last one stays in force while the API server is away.
    pub(super) async fn follow_plan(&self, events: &Sender, plans: &watch::Sender<ToKeep>) {
        let selector = format!("metadata.name={}", self.signs.name);
        let mut known = Known::default();
        let mut backoff = Backoff::new(&self.signs.name);
        let mut start = Some(Instant::now() + START_PATIENCE);
        loop {
            let mut changes = pin!(watcher(self.leases.clone(), watcher::Config::default().fields(&selector)));
            let mut silence = Instant::now() + WATCH_SILENCE;
            loop {
                let deadline = start.map_or(silence, |start| start.min(silence));
                let Ok(change) = timeout_at(deadline, changes.next()).await else {
                    if start.take().is_none() {
                        break;
                    }
                    self.start_from_disk(&mut known, events).await;
                    continue;
                };
                silence = Instant::now() + WATCH_SILENCE;
                match change {
                    None => break,
                    Some(Ok(change)) => {
                        // A new round only begins with this one; it has not succeeded yet.
                        if !matches!(change, watcher::Event::Init) && backoff.reset() {
                            info!("Lease is watched again");
                        }
                        if self.take_in(change, &mut known, events, plans).await {
                            start = None;
                        }
                    }
                    Some(Err(err)) => {
                        log_failure(&backoff, &err, "watch the Lease");
                        if start.take().is_some() {
                            self.start_from_disk(&mut known, events).await;
                        }
                        // A write that went through shows before the wait is over that trying again is worth it.
                        let _ = timeout(backoff.next(), self.reached.notified()).await;
                    }
                }
            }
            debug!("Lease is watched anew");
        }
    }

    /// Goes on with the plan that was kept on the node's disk, if there is one and the API server does not show that it is
    /// another Lease's.
    async fn start_from_disk(&self, known: &mut Known, events: &Sender) {
        match self.store.load() {
            Ok(Some(kept)) if known.shown.disowns(kept.lease_uid.as_deref()) => {
                warn!("no plan to be had, and the one kept here is of a Lease that is no more; it is not used");
            }
            Ok(Some(kept)) => {
                self.metrics.note_plan(self.clock.now(), Some(kept.age));
                self.health.note_source();
                let (generation, vips) = (kept.plan.generation, kept.plan.vips.len());
                warn!(
                    generation,
                    vips,
                    age_seconds = kept.age.as_secs(),
                    "no plan to be had; the one kept here is used"
                );
                known.kept = kept.lease_uid;
                // Nobody listens only when the program ends.
                let _ = events.send(Event::Plan(kept.plan)).await;
            }
            Ok(None) => info!("no plan to be had, and none is kept here"),
            Err(err) => warn!(err = chain(&err), "no plan to be had, and the one kept here is of no use"),
        }
    }

    /// Gives up what is answered by a kept plan, once the API server shows that it is another Lease's.
    async fn disown(&self, known: &mut Known, events: &Sender) {
        let Known { shown, kept, .. } = known;
        if kept.take_if(|kept| shown.disowns(Some(kept))).is_some() {
            warn!("plan kept here is of a Lease that is no more; its addresses are given up until a plan comes");
            self.metrics.forget_plan();
            // Nobody listens only when the program ends.
            let _ = events.send(Event::Plan(Plan::default())).await;
        }
    }

    /// Takes in a change of the Lease; whether it brought a plan.
    async fn take_in(
        &self,
        change: watcher::Event<Lease>,
        known: &mut Known,
        events: &Sender,
        plans: &watch::Sender<ToKeep>,
    ) -> bool {
        // The same text in another Lease is a plan of its own, to be kept as such.
        if known.shown.take_in(&change) {
            known.inbox.forget();
        }
        let lease = match change {
            watcher::Event::Apply(lease) | watcher::Event::InitApply(lease) => lease,
            watcher::Event::Delete(_) => {
                warn!("Lease was deleted; the last plan stays in force");
                return false;
            }
            watcher::Event::Init | watcher::Event::InitDone => return false,
        };
        self.health.note_source();
        let Some(text) = lease::plan(&lease) else {
            self.disown(known, events).await;
            return false;
        };
        let Some(read) = known.inbox.take(text) else { return false };
        let whole = match read {
            Ok(plan) => shards::whole(&self.leases, &self.signs.node, plan, text).await,
            Err(err) => Err(ShardsError::Plan(err)),
        };
        match whole {
            Ok(plan) => {
                info!(generation = plan.generation, vips = plan.vips.len(), "plan arrived");
                self.metrics.note_plan(self.clock.now(), None);
                plans.send_replace(ToKeep { text: plan.write(), lease_uid: lease.metadata.uid.clone() });
                known.kept = None;
                // Nobody listens only when the program ends.
                let _ = events.send(Event::Plan(plan)).await;
                true
            }
            Err(err) => {
                // Read again with the next renewal, should no other come before.
                if !matches!(err, ShardsError::Plan(_)) {
                    known.inbox.forget();
                }
                self.metrics.count_refused_plan();
                warn!(err = chain(&err), "plan not taken");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
