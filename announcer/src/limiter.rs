//! Keeps a log readable when something happens thousands of times: some lines a second of each kind, and then a count.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long one count lasts.
const WINDOW: Duration = Duration::from_secs(1);

/// Lets so many lines of each kind through in a second.
#[derive(Debug)]
pub struct Limiter {
    lines: u32,
    windows: BTreeMap<&'static str, Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    end: Duration,
    lines: u32,
    kept_back: u64,
}

impl Limiter {
    /// Gives a limiter to this many lines of a kind a second.
    #[must_use]
    pub const fn new(lines: u32) -> Self {
        Self { lines, windows: BTreeMap::new() }
    }

    /// Whether a line of this kind may be printed, and if so how many of the kind were kept back before it.
    pub fn admit(&mut self, kind: &'static str, now: Duration) -> Option<u64> {
        let window = self.windows.entry(kind).or_insert(Window { end: now + WINDOW, lines: 0, kept_back: 0 });
        if now >= window.end {
            *window = Window { end: now + WINDOW, lines: 0, kept_back: window.kept_back };
        }
        if window.lines == self.lines {
            window.kept_back += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_back_is_told_with_the_next_line() {
        let (mut limiter, second) = (Limiter::new(2), Duration::from_secs(1));
        let admitted = [0, 1, 2, 3].map(|millis| limiter.admit("notOurs", Duration::from_millis(millis)));
        assert_eq!(admitted, [Some(0), Some(0), None, None]);
        assert_eq!(limiter.admit("notFirst", Duration::from_millis(4)), Some(0));
        assert_eq!(limiter.admit("notOurs", second), Some(2));
        assert_eq!(limiter.admit("notOurs", second), Some(0));
    }
}
