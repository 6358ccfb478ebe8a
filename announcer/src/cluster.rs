//! This node's Lease: the plan comes out of it, the sign of life and the status go into it.
//!
//! Nothing here is on the path of an answer: while the API server is away, the last plan stays in force and the writes
//! are tried again. The Lease may appear later than this program, and may go and come back; a plan that is gone is no
//! reason to fall silent. A program that starts and is told no plan goes on with the one kept on the node's disk.

mod backoff;
mod keeping;
mod keys;
mod lease;
mod shards;

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, Config};
use thiserror::Error;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::backoff::Backoff;
use self::keeping::Keeper;
use self::lease::{FIELD_MANAGER, Signs};
use self::shards::ShardsError;
use crate::chain::chain;
use crate::clock::Clock;
use crate::flags::Flags;
use crate::health::Health;
use crate::hello_keys::Keys;
use crate::metrics::Metrics;
use crate::plan::{Inbox, Status};
use crate::plan_store::PlanStore;
use crate::responder::Event;

/// How often the Lease is renewed.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// How long to wait for more changes before the status is written.
const STATUS_DELAY: Duration = Duration::from_millis(50);

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long giving up the Lease may take; the process ends after it either way.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a watch may be silent. Every renewal shows up in it, so a longer silence means a broken connection.
const WATCH_SILENCE: Duration = Duration::from_secs(25);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a program that has just started waits for the API server before it goes on with the plan it kept.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// What went wrong with the cluster; the plan in force stays in force.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// Neither a kubeconfig nor a pod's own configuration can be read; the program does not start.
    #[error("no cluster is configured; the announcer does not start")]
    Unconfigured(#[source] Box<dyn Error + Send + Sync>),
    /// The API server did not take a write, or could not be asked.
    #[error("Lease was not written; it is tried again")]
    Api(#[source] Box<kube::Error>),
    /// The API server did not answer in time.
    #[error("Lease was not written in time; it is tried again")]
    Slow,
}

impl From<kube::Error> for ClusterError {
    fn from(err: kube::Error) -> Self {
        Self::Api(Box::new(err))
    }
}

/// The connection to this node's Lease.
#[derive(Debug)]
pub struct Cluster {
    leases: Api<Lease>,
    secrets: Api<Secret>,
    signs: Signs,
    store: PlanStore,
    /// Says that the API server can be reached again.
    reached: Notify,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    clock: Clock,
}

impl Cluster {
    /// Reads how the cluster is reached: from a kubeconfig, or else from what a pod is given. Does not connect yet.
    ///
    /// # Errors
    /// [`ClusterError::Unconfigured`]
    pub async fn new(
        flags: &Flags,
        (health, metrics): (Arc<Health>, Arc<Metrics>),
        clock: Clock,
    ) -> Result<Self, ClusterError> {
        let mut config = Config::infer().await.map_err(|err| ClusterError::Unconfigured(Box::new(err)))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let client = Client::try_from(config).map_err(|err| ClusterError::Unconfigured(Box::new(err)))?;
        let leases = Api::namespaced(client.clone(), &flags.namespace);
        let secrets = Api::namespaced(client, &flags.namespace);
        let signs = Signs::new(&flags.node_name, flags.pod_name.clone(), Timestamp::now());
        let store = PlanStore::new(flags.state_dir.clone(), flags.node_name.clone());
        Ok(Self { leases, secrets, signs, store, reached: Notify::new(), health, metrics, clock })
    }

    /// Follows the plan and keeps the Lease until told to stop, then gives the Lease up. Keys found in the Secret go out
    /// until some are found.
    pub async fn follow(
        self,
        events: mpsc::Sender<Event>,
        mut statuses: watch::Receiver<Option<Arc<Status>>>,
        keys: watch::Sender<Keys>,
        stop: CancellationToken,
    ) {
        let (texts, texts_out) = watch::channel(String::new());
        let keeper = Keeper::new(self.store.clone(), texts_out);
        let all = async {
            tokio::join!(
                self.follow_plan(&events, &texts),
                self.keep(&mut statuses),
                self::keys::fetch(&self.secrets, &keys),
                keeper.follow(),
            )
        };
        stop.run_until_cancelled(Box::pin(all)).await;
        keeper.finish().await;
        let status = statuses.borrow().clone();
        match timeout(RELEASE_TIMEOUT, self.release(status.as_deref())).await {
            Ok(Ok(())) => info!("Lease given up"),
            Ok(Err(err)) => warn!(err = chain(&err), "Lease not given up"),
            Err(_) => warn!("Lease not given up in time"),
        }
    }

    async fn follow_plan(&self, events: &mpsc::Sender<Event>, texts: &watch::Sender<String>) {
        let selector = format!("metadata.name={}", self.signs.name);
        let mut inbox = Inbox::default();
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
                    self.start_from_disk(events).await;
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
                        if self.take_in(change, &mut inbox, events, texts).await {
                            start = None;
                        }
                    }
                    Some(Err(err)) => {
                        log_failure(&backoff, &err, "watch the Lease");
                        if start.take().is_some() {
                            self.start_from_disk(events).await;
                        }
                        // A write that went through shows before the wait is over that trying again is worth it.
                        let _ = timeout(backoff.next(), self.reached.notified()).await;
                    }
                }
            }
            debug!("Lease is watched anew");
        }
    }

    /// Goes on with the plan that was kept on the node's disk, if there is one.
    async fn start_from_disk(&self, events: &mpsc::Sender<Event>) {
        match self.store.load() {
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
                // Nobody listens only when the program ends.
                let _ = events.send(Event::Plan(kept.plan)).await;
            }
            Ok(None) => info!("no plan to be had, and none is kept here"),
            Err(err) => warn!(err = chain(&err), "no plan to be had, and the one kept here is of no use"),
        }
    }

    /// Takes in a change of the Lease; whether it brought a plan.
    async fn take_in(
        &self,
        change: watcher::Event<Lease>,
        inbox: &mut Inbox,
        events: &mpsc::Sender<Event>,
        texts: &watch::Sender<String>,
    ) -> bool {
        let lease = match change {
            watcher::Event::Apply(lease) | watcher::Event::InitApply(lease) => lease,
            watcher::Event::Delete(_) => {
                warn!("Lease was deleted; the last plan stays in force");
                return false;
            }
            watcher::Event::Init | watcher::Event::InitDone => return false,
        };
        self.health.note_source();
        let Some(text) = lease::plan(&lease) else { return false };
        let Some(read) = inbox.take(text) else { return false };
        let whole = match read {
            Ok(plan) => shards::whole(&self.leases, &self.signs.node, plan, text).await,
            Err(err) => Err(ShardsError::Plan(err)),
        };
        match whole {
            Ok(plan) => {
                info!(generation = plan.generation, vips = plan.vips.len(), "plan arrived");
                self.metrics.note_plan(self.clock.now(), None);
                texts.send_replace(plan.write());
                // Nobody listens only when the program ends.
                let _ = events.send(Event::Plan(plan)).await;
                true
            }
            Err(err) => {
                // Read again with the next renewal, should no other come before.
                if !matches!(err, ShardsError::Plan(_)) {
                    inbox.forget();
                }
                self.metrics.count_refused_plan();
                warn!(err = chain(&err), "plan not taken");
                false
            }
        }
    }

    /// Renews the Lease in time, and writes each new status soon.
    async fn keep(&self, statuses: &mut watch::Receiver<Option<Arc<Status>>>) {
        let mut backoff = Backoff::new(&self.signs.name);
        loop {
            let status = statuses.borrow_and_update().clone();
            let result = self.write(status.as_deref()).await;
            self.metrics.count_lease_write(result.is_ok(), self.clock.now());
            let wait = match result {
                Ok(()) => {
                    if backoff.reset() {
                        info!("Lease is written again");
                        self.reached.notify_waiters();
                    }
                    RENEW_INTERVAL
                }
                Err(err) => {
                    log_failure(&backoff, &err, "write the Lease");
                    backoff.next()
                }
            };
            let next = Instant::now() + wait;
            tokio::select! {
                Ok(()) = statuses.changed() => sleep(STATUS_DELAY).await,
                () = sleep_until(next) => {}
            }
        }
    }

    async fn write(&self, status: Option<&Status>) -> Result<(), ClusterError> {
        let lease = self.signs.of_life(status, Timestamp::now());
        timeout(WRITE_TIMEOUT, self.apply(&lease)).await.map_err(|_| ClusterError::Slow)?
    }

    /// Takes this pod's name off the Lease, unless another pod has written its own there meanwhile.
    async fn release(&self, status: Option<&Status>) -> Result<(), ClusterError> {
        let current = self.leases.get(&self.signs.name).await?;
        if !self.signs.is_holder(&current) {
            return Ok(());
        }
        let mut lease = self.signs.of_leaving(status, Timestamp::now());
        // The version makes the API server refuse the write if anyone wrote in between.
        lease.metadata.resource_version = current.metadata.resource_version;
        self.apply(&lease).await
    }

    async fn apply(&self, lease: &Lease) -> Result<(), ClusterError> {
        let as_owner = PatchParams::apply(FIELD_MANAGER).force();
        self.leases.patch(&self.signs.name, &as_owner, &Patch::Apply(lease)).await?;
        Ok(())
    }
}

/// Logs the first failure as a warning and the ones that follow for those who look for them.
fn log_failure(backoff: &Backoff, err: &(dyn Error + 'static), doing: &'static str) {
    if backoff.is_fresh() {
        warn!(err = chain(err), doing, "API server is of no help; tried again until it is");
    } else {
        debug!(err = chain(err), doing, "API server is of no help yet");
    }
}
