//! Numbers that nobody else counts on: for jitter and epochs, made from the one that the program starts with.

use std::time::Duration;

/// A series of numbers (splitmix64, Steele and others 2014), the same for the same seed.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Gives a time from three quarters to five quarters of this one.
    pub fn around(&mut self, span: Duration) -> Duration {
        let share = u32::try_from(self.next() % 1_024).unwrap_or(0);
        span * 3 / 4 + span / 2 * share / 1_024
    }
}
