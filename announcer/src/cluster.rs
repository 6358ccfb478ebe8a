//! This node's Lease: the plan comes out of it, the sign of life and the status go into it.
//!
//! Nothing here is on the path of an answer: while the API server is away, the last plan stays in force and the writes
//! are tried again. The Lease may appear later than this program, and may go and come back; a plan that is gone is no
//! reason to fall silent. A program that starts and is told no plan goes on with the one kept on the node's disk, unless the
//! API server shows that it is another Lease's.

mod backoff;
mod keeping;
mod keys;
mod lease;
mod origin;
mod shards;
mod watching;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Config};
use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::backoff::Backoff;
use self::keeping::{Keeper, ToKeep};
use self::lease::{FIELD_MANAGER, Signs};
use crate::chain::chain;
use crate::clock::Clock;
use crate::flags::Flags;
use crate::health::Health;
use crate::hello_keys::Keys;
use crate::mailbox::Sender;
use crate::metrics::Metrics;
use crate::plan_store::PlanStore;
use crate::status::Status;

/// How often the Lease is renewed.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// How long to wait for more changes before the status is written.
const STATUS_DELAY: Duration = Duration::from_millis(50);

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long giving up the Lease may take; the process ends after it either way.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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
        events: Sender,
        mut statuses: watch::Receiver<Option<Arc<Status>>>,
        keys: watch::Sender<Keys>,
        stop: CancellationToken,
    ) {
        let (plans, plans_out) = watch::channel(ToKeep::default());
        let keeper = Keeper::new(self.store.clone(), plans_out);
        let all = async {
            tokio::join!(
                self.follow_plan(&events, &plans),
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
