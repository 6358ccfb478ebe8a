//! Keeps each plan on the node's disk, at leisure: several that come within a second are written once.

use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::chain::chain;
use crate::plan_store::PlanStore;

/// How long a plan waits for the next one before it is written.
const DELAY: Duration = Duration::from_secs(1);

/// A plan to be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct ToKeep {
    /// Its text.
    pub text: String,
    /// The uid of the Lease that it came from.
    pub lease_uid: Option<String>,
}

/// Writes what comes in.
pub(super) struct Keeper {
    store: PlanStore,
    plans: Mutex<watch::Receiver<ToKeep>>,
}

impl Keeper {
    /// Gives a keeper of these plans.
    pub fn new(store: PlanStore, plans: watch::Receiver<ToKeep>) -> Self {
        Self { store, plans: Mutex::new(plans) }
    }

    /// Writes each new plan until dropped.
    pub async fn follow(&self) {
        let mut plans = self.plans.lock().await;
        loop {
            let mut peek = plans.clone();
            if peek.changed().await.is_err() {
                return;
            }
            sleep(DELAY).await;
            let plan = plans.borrow_and_update().clone();
            self.save(plan).await;
        }
    }

    /// Writes what has not been written yet.
    pub async fn finish(&self) {
        let mut plans = self.plans.lock().await;
        if plans.has_changed().unwrap_or(false) {
            let plan = plans.borrow_and_update().clone();
            self.save(plan).await;
        }
    }

    async fn save(&self, ToKeep { text, lease_uid }: ToKeep) {
        let store = self.store.clone();
        match spawn_blocking(move || store.save(&text, lease_uid.as_deref())).await {
            Ok(Ok(())) => debug!("plan kept"),
            Ok(Err(err)) => warn!(err = chain(&err), "plan not kept; a restart without the API server would lack it"),
            Err(err) => warn!(err = chain(&err), "plan not kept"),
        }
    }
}
