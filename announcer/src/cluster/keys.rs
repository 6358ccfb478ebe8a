//! The keys of hellos straight from their Secret, until the first is found: kubelet may need a minute to bring a Secret
//! into a pod that was there before it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::chain::chain;
use crate::hello_keys::{Keys, read_entry};

/// The Secret that the operator makes.
const SECRET: &str = "announcer-hello";

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sends the keys in the Secret once there are any.
pub(super) async fn fetch(secrets: &Api<Secret>, keys: &watch::Sender<Keys>) {
    loop {
        match secrets.get_opt(SECRET).await {
            Ok(secret) => {
                let found = secret.map(|secret| read(&secret)).unwrap_or_default();
                if !found.is_empty() {
                    keys.send_replace(found);
                    return;
                }
            }
            Err(err) => debug!(err = chain(&err), "keys of hellos not read from their Secret"),
        }
        sleep(INTERVAL).await;
    }
}

fn read(secret: &Secret) -> Keys {
    let mut keys = Keys::new();
    for (name, bytes) in secret.data.iter().flatten() {
        match read_entry(name, &bytes.0) {
            Ok(entry) => keys.extend(entry),
            Err(err) => warn!(err = chain(&err), "key of hellos left out"),
        }
    }
    keys
}
