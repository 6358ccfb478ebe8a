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

/// Writes what comes in.
pub(super) struct Keeper {
    store: PlanStore,
    texts: Mutex<watch::Receiver<String>>,
}

impl Keeper {
    /// Gives a keeper of these texts.
    pub fn new(store: PlanStore, texts: watch::Receiver<String>) -> Self {
        Self { store, texts: Mutex::new(texts) }
    }

    /// Writes each new text until dropped.
    pub async fn follow(&self) {
        let mut texts = self.texts.lock().await;
        loop {
            let mut peek = texts.clone();
            if peek.changed().await.is_err() {
                return;
            }
            sleep(DELAY).await;
            let text = texts.borrow_and_update().clone();
            self.save(text).await;
        }
    }

    /// Writes what has not been written yet.
    pub async fn finish(&self) {
        let mut texts = self.texts.lock().await;
        if texts.has_changed().unwrap_or(false) {
            let text = texts.borrow_and_update().clone();
            self.save(text).await;
        }
    }

    async fn save(&self, text: String) {
        let store = self.store.clone();
        match spawn_blocking(move || store.save(&text)).await {
            Ok(Ok(())) => debug!("plan kept"),
            Ok(Err(err)) => warn!(err = chain(&err), "plan not kept; a restart without the API server would lack it"),
            Err(err) => warn!(err = chain(&err), "plan not kept"),
        }
    }
}
