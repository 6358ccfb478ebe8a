//! How long to wait before the API server is asked again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(400);

/// The longest wait, before its share of spread is added: with it, within two seconds.
const LONGEST: Duration = Duration::from_millis(1_500);

/// Waits that double up to a bound, spread by up to a quarter, so that nodes that failed together do not come back
/// together.
#[derive(Debug)]
pub(super) struct Backoff {
    seed: u64,
    attempt: u32,
}

impl Backoff {
    /// Gives waits whose spread follows from the name.
    pub fn new(name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Self { seed: hasher.finish(), attempt: 0 }
    }

    /// Whether nothing has failed since the last success.
    pub const fn is_fresh(&self) -> bool {
        self.attempt == 0
    }

    /// Starts over, after a success; true when failures came before it.
    pub const fn reset(&mut self) -> bool {
        let had_failed = !self.is_fresh();
        self.attempt = 0;
        had_failed
    }

    /// Gives the next wait.
    pub fn next(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.attempt.min(10)).min(LONGEST);
        self.attempt = self.attempt.saturating_add(1);
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = u32::try_from(self.seed >> 56).unwrap_or(0);
        wait + wait * share / 1_024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_bound_and_start_over_after_a_success() {
        let mut backoff = Backoff::new("announcer-node-1");
        let waits = [(); 6].map(|()| backoff.next());
        assert!(waits[0] >= FIRST && waits[0] <= FIRST * 5 / 4, "{waits:?}");
        assert!(waits[1] >= FIRST * 2 && waits[1] <= FIRST * 5 / 2, "{waits:?}");
        assert!(waits[5] >= LONGEST && waits[5] <= LONGEST * 5 / 4, "{waits:?}");
        assert!(backoff.reset() && !backoff.reset());
        assert!(backoff.next() < FIRST * 2);
    }

    #[test]
    fn nodes_wait_for_different_times() {
        let waits = ["announcer-a", "announcer-b", "announcer-c"].map(|name| Backoff::new(name).next());
        assert!(waits[0] != waits[1] && waits[1] != waits[2], "{waits:?}");
    }
}
