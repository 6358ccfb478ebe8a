//! All spans of time of the protocol, in one place.

use std::time::Duration;

/// Spans of time that the responder keeps to. Fellows may differ in them: each hello says how long its sender may be
/// silent before it counts as dead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    /// Pause between two hellos on an interface, while few fellows are heard there.
    pub interval: Duration,
    /// How many hellos a segment may carry a second, at most; the pause grows so that it stays below.
    pub hellos_per_second: u32,
    /// How many hellos in a row may be missed; with the third the fellow is dead, half a pause after it was due.
    pub missed: u32,
    /// How long a hello waits for the one before it, when something has to be said at once.
    pub spacing: Duration,
    /// How long an address is answered on at most after it was given up, until a fellow answers for it.
    pub handover: Duration,
    /// How long one who comes first may live and not answer, before the next one does.
    pub patience: Duration,
    /// How long changes of the status are gathered before they are reported.
    pub report_delay: Duration,
    /// Pause between two reports, at least.
    pub report_interval: Duration,
    /// Pause between two refreshing announcements of an address, on the average; each is up to a quarter off.
    pub refresh: Duration,
    /// Pause between two membership reports for all multicast groups of an interface (RFC 3810 §9.2: a switch
    /// forgets a group after about 260 s).
    pub membership: Duration,
    /// How long to wait before a socket that failed is opened again.
    pub socket_retry: Duration,
}

impl Timing {
    /// What is used unless something else is asked for.
    pub const DEFAULT: Self = Self {
        interval: Duration::from_millis(100),
        hellos_per_second: 2_000,
        missed: 3,
        spacing: Duration::from_millis(5),
        handover: Duration::from_millis(200),
        patience: Duration::from_millis(700),
        report_delay: Duration::from_millis(20),
        report_interval: Duration::from_millis(250),
        refresh: Duration::from_mins(3),
        membership: Duration::from_mins(1),
        socket_retry: Duration::from_secs(1),
    };

    /// Gives the pause between two hellos on an interface where that many fellows are heard: the shortest one, times
    /// a whole number, so that it changes seldom.
    #[must_use]
    pub fn interval_among(&self, fellows: usize) -> Duration {
        let senders = u32::try_from(fellows).unwrap_or(u32::MAX).saturating_add(1);
        let least = Duration::from_secs(1).saturating_mul(senders) / self.hellos_per_second.max(1);
        let times = least.as_nanos().div_ceil(self.interval.as_nanos().max(1)).max(1);
        self.interval.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX))
    }

    /// Gives after how long a silence the sender of hellos at this pause counts as dead.
    #[must_use]
    pub fn dead_after(&self, interval: Duration) -> Duration {
        interval.saturating_mul(self.missed) + interval / 2
    }

    /// Gives after how long without a hello of its own a node takes itself for one that others may have given up:
    /// half a pause before they do.
    #[must_use]
    pub fn fenced_after(&self, interval: Duration) -> Duration {
        interval.saturating_mul(self.missed)
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_between_hellos_grows_with_the_fellows_and_no_segment_carries_more_than_it_may() {
        let timing = Timing::DEFAULT;
        assert_eq!(timing.interval_among(0), timing.interval);
        assert_eq!(timing.interval_among(199), timing.interval);
        assert_eq!(timing.interval_among(200), timing.interval * 2);
        assert_eq!(timing.interval_among(999), timing.interval * 5);
        for fellows in 0..3_000_usize {
            let each = timing.interval_among(fellows).as_secs_f64().recip();
            let all = each * f64::from(u32::try_from(fellows + 1).unwrap());
            assert!(all <= f64::from(timing.hellos_per_second) + 0.1, "{fellows} fellows: {all} hellos a second");
        }
    }
}
