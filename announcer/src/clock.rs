//! The program's own clock: time since the start, from tokio, so that tests can stop it.

use std::time::Duration;

use tokio::time::Instant;

/// A clock that starts at zero and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Gives a clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Gives the time since the start.
    #[must_use]
    pub fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Gives the moment at which [`Clock::now`] reads this, for tokio's timers.
    #[must_use]
    pub fn at(self, time: Duration) -> Instant {
        self.0 + time
    }
}
