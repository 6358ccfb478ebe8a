//! The program's own clock. It goes on while the machine sleeps, so that a node that was suspended knows that it was.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A clock that starts near zero and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Duration,
}

impl Clock {
    /// Gives a clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: since_boot() }
    }

    /// Gives the time since the start.
    #[must_use]
    #[inline]
    pub fn now(self) -> Duration {
        since_boot().saturating_sub(self.start)
    }
}

/// Every Linux since 2.6.39 has this clock; without it the time stands still, and nothing is ever due.
#[inline]
fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}
