//! What the probes are told: whether the loop still turns, and whether this node does what its plan asks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long the loop may be silent before it counts as stuck; it beats each second.
const BEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// Set by the tasks, read by the probes.
#[derive(Debug, Default)]
pub struct Health {
    last_beat_millis: AtomicU64,
    has_seen_source: AtomicBool,
    is_listening: AtomicBool,
}

impl Health {
    /// Notes that the loop turns.
    pub fn beat(&self, now: Duration) {
        self.last_beat_millis.store(millis(now), Ordering::Relaxed);
    }

    /// Notes that the Lease, or the file in its place, was seen; whether it held a plan does not matter.
    pub fn note_source(&self) {
        self.has_seen_source.store(true, Ordering::Relaxed);
    }

    /// Notes whether a socket is open on every interface that can be used.
    pub fn note_listening(&self, is_listening: bool) {
        self.is_listening.store(is_listening, Ordering::Relaxed);
    }

    /// Whether the loop turns.
    #[must_use]
    pub fn is_alive(&self, now: Duration) -> bool {
        millis(now).saturating_sub(self.last_beat_millis.load(Ordering::Relaxed)) <= millis(BEAT_TIMEOUT)
    }

    /// Whether this node does what its plan asks, as far as it knows.
    #[must_use]
    pub fn is_ready(&self, now: Duration) -> bool {
        self.is_alive(now) && self.has_seen_source.load(Ordering::Relaxed) && self.is_listening.load(Ordering::Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_does_not_turn_is_neither_alive_nor_ready() {
        let health = Health::default();
        health.beat(Duration::from_secs(1));
        health.note_source();
        health.note_listening(true);
        assert!(health.is_ready(Duration::from_secs(6)));
        assert!(!health.is_alive(Duration::from_millis(6_001)));
        assert!(!health.is_ready(Duration::from_millis(6_001)));
    }

    #[test]
    fn ready_needs_the_lease_and_the_sockets() {
        let health = Health::default();
        assert!(health.is_alive(Duration::ZERO) && !health.is_ready(Duration::ZERO));
        health.note_source();
        assert!(!health.is_ready(Duration::ZERO));
        health.note_listening(true);
        assert!(health.is_ready(Duration::ZERO));
    }
}
