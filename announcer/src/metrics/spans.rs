//! Time that several interfaces tell of and that passes only once.

use std::collections::VecDeque;
use std::time::Duration;

/// How many spans are remembered. An interface that tells of a longer time than they cover has some of it counted again.
const CAPACITY: usize = 64;

/// What has been counted, oldest first, no two of which overlap.
#[derive(Debug, Default)]
pub(super) struct Spans(VecDeque<(Duration, Duration)>);

impl Spans {
    /// Takes in the time that ends now, and gives how much of it had not been counted. Now never goes back.
    pub fn add(&mut self, span: Duration, now: Duration) -> Duration {
        let start = now.saturating_sub(span);
        let (mut from, mut fresh) = (start, now.saturating_sub(start));
        while let Some((begin, end)) = self.0.pop_back_if(|&mut (_, end)| end >= start) {
            fresh = fresh.saturating_sub(end.saturating_sub(begin.max(start)));
            from = from.min(begin);
        }
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((from, now));
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_once_whoever_tells_of_it() {
        for (told, expected) in [
            (vec![(5, 10), (5, 10)], 5),
            (vec![(5, 10), (7, 10)], 7),
            (vec![(5, 10), (5, 12)], 7),
            (vec![(2, 6), (2, 8), (9, 10)], 9),
            (vec![(2, 6), (2, 9)], 4),
            (vec![(2, 6), (1, 9), (6, 9)], 6),
        ] {
            let mut spans = Spans::default();
            let seconds = Duration::from_secs;
            let total: Duration = told.iter().map(|&(span, now)| spans.add(seconds(span), seconds(now))).sum();
            assert_eq!(total, seconds(expected), "{told:?}");
        }
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut spans = Spans::default();
        for second in 0..10_000 {
            spans.add(Duration::from_millis(1), Duration::from_secs(second));
        }
        assert_eq!(spans.0.len(), CAPACITY);
    }
}
