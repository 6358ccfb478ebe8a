//! A plan from a file instead of a Lease, for running outside Kubernetes. Reads, and writes nothing.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::chain::chain;
use crate::clock::Clock;
use crate::health::Health;
use crate::mailbox::Sender;
use crate::metrics::Metrics;
use crate::plan::{Inbox, Plan, PlanError};
use crate::responder::Event;

/// How often the file is read again. It is small, and a test waits for it.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What tells a file from the one before: its number, its length and when it was written.
type Seen = (u64, u64, SystemTime);

/// Why the file gave no plan; the last one stays in force.
#[derive(Debug, Error)]
enum PlanFileError {
    #[error("plan file cannot be read; the last plan stays in force")]
    Unreadable(#[from] io::Error),
    #[error("plan file was not taken")]
    Refused(#[from] PlanError),
}

/// Follows a file until told to stop or nobody listens any more.
pub async fn follow(
    path: PathBuf,
    events: Sender,
    (health, metrics, clock): (Arc<Health>, Arc<Metrics>, Clock),
    stop: CancellationToken,
) {
    let follow = async {
        let mut inbox = Inbox::default();
        let (mut was_well, mut seen) = (true, None);
        let mut hangups = signal(SignalKind::hangup()).ok();
        while !events.is_closed() {
            match read(&path, &mut inbox, &mut seen) {
                Ok(None) => health.note_source(),
                Ok(Some(plan)) => {
                    health.note_source();
                    was_well = true;
                    metrics.note_plan(clock.now(), None);
                    info!(generation = plan.generation, vips = plan.vips.len(), "plan arrived");
                    // Nobody listens only when the program ends.
                    let _ = events.send(Event::Plan(plan)).await;
                }
                Err(err) => {
                    if was_well || matches!(err, PlanFileError::Refused(_)) {
                        metrics.count_refused_plan();
                        warn!(err = chain(&err), "plan not taken");
                    }
                    was_well = false;
                }
            }
            tokio::select! {
                Some(()) = wait_for(&mut hangups) => {}
                () = sleep(POLL_INTERVAL) => {}
            }
        }
    };
    stop.run_until_cancelled(follow).await;
}

/// Waits for SIGHUP, which people send to have a file read again; here it only must not end the program.
async fn wait_for(hangups: &mut Option<Signal>) -> Option<()> {
    hangups.as_mut()?.recv().await
}

/// Gives the plan when the file changed, and its text with it.
fn read(path: &Path, inbox: &mut Inbox, seen: &mut Option<Seen>) -> Result<Option<Plan>, PlanFileError> {
    let metadata = std::fs::metadata(path)?;
    let now = Some((metadata.ino(), metadata.len(), metadata.modified()?));
    if *seen == now {
        return Ok(None);
    }
    *seen = now;
    let text = std::fs::read_to_string(path)?;
    Ok(inbox.take(&text).transpose()?)
}
