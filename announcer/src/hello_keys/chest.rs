//! Which keys are known, and which of them signs. Reads nothing; time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Keys;
use crate::wire::hello::{KEY_LENGTH, Key, KeyRing};

/// How long a key is known before it signs, and how long it checks after it is gone.
const SETTLING: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug)]
struct Kept {
    bytes: [u8; KEY_LENGTH],
    since: Duration,
    /// Since when it is gone, if it is.
    gone: Option<Duration>,
}

/// All keys, and which one signs.
#[derive(Debug, Default)]
pub(super) struct Chest {
    keys: BTreeMap<u64, Kept>,
    signs: Option<u64>,
}

impl Chest {
    /// Gives how many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Gives the number of the key that signs.
    pub const fn signs(&self) -> Option<u64> {
        self.signs
    }

    /// Takes in the keys that are there now, and gives the ring when it changed.
    pub fn take_in(&mut self, found: &Keys, now: Duration) -> Option<KeyRing> {
        let before: Vec<_> = self.keys.iter().map(|(&number, kept)| (number, kept.bytes)).collect();
        if !found.is_empty() {
            for (number, kept) in &mut self.keys {
                kept.gone = if found.contains_key(number) { None } else { kept.gone.or(Some(now)) };
            }
        }
        for (&number, &bytes) in found {
            let kept = self.keys.entry(number).or_insert(Kept { bytes, since: now, gone: None });
            if kept.bytes != bytes {
                *kept = Kept { bytes, since: now, gone: None };
            }
        }
        self.keys.retain(|_, kept| kept.gone.is_none_or(|gone| now < gone + SETTLING));
        let signs = self.signer(now);
        let after: Vec<_> = self.keys.iter().map(|(&number, kept)| (number, kept.bytes)).collect();
        if signs == self.signs && before == after {
            return None;
        }
        self.signs = signs;
        let signer = signs.and_then(|number| self.keys.get(&number)).map(|kept| kept.bytes);
        let others = self.keys.iter().filter(|(number, _)| Some(**number) != signs).map(|(_, kept)| kept.bytes);
        Some(KeyRing::new(signer.into_iter().chain(others).map(|bytes| Key::new(&bytes)).collect()))
    }

    /// Gives the number of the key that signs: the newest that is there, or the one before while that is fresh.
    fn signer(&self, now: Duration) -> Option<u64> {
        let mut newest_first = self.keys.iter().rev().filter(|(_, kept)| kept.gone.is_none());
        let (&newest, kept) = newest_first.next()?;
        match newest_first.next() {
            Some((&previous, _)) if now < kept.since + SETTLING => Some(previous),
            _ => Some(newest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn keys(numbers: &[u64]) -> Keys {
        numbers.iter().map(|&number| (number, [u8::try_from(number).unwrap(); KEY_LENGTH])).collect()
    }

    fn signed_with(ring: &KeyRing, number: u8) -> bool {
        KeyRing::new(vec![Key::new(&[number; KEY_LENGTH])]).sign(b"hello") == ring.sign(b"hello")
    }

    fn checks(ring: &KeyRing, number: u8) -> bool {
        let theirs = KeyRing::new(vec![Key::new(&[number; KEY_LENGTH])]);
        ring.verify(b"hello", &theirs.sign(b"hello").unwrap())
    }

    #[test]
    fn the_only_key_signs_at_once() {
        let ring = Chest::default().take_in(&keys(&[7]), Duration::ZERO).unwrap();
        assert!(signed_with(&ring, 7));
    }

    #[test]
    fn a_newer_key_checks_at_once_and_signs_after_a_minute() {
        let (mut chest, start) = (Chest::default(), Duration::from_secs(5));
        chest.take_in(&keys(&[7]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[7, 9]), start).unwrap();
        assert!(signed_with(&ring, 7) && checks(&ring, 9));
        assert!(chest.take_in(&keys(&[7, 9]), start + MINUTE / 2).is_none());
        let ring = chest.take_in(&keys(&[7, 9]), start + MINUTE).unwrap();
        assert!(signed_with(&ring, 9) && checks(&ring, 7));
    }

    #[test]
    fn a_key_that_is_taken_away_checks_for_another_minute() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7, 9]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[9]), MINUTE).unwrap();
        assert!(signed_with(&ring, 9) && checks(&ring, 7));
        let ring = chest.take_in(&keys(&[9]), MINUTE * 2).unwrap();
        assert!(signed_with(&ring, 9) && !checks(&ring, 7));
    }

    #[test]
    fn an_empty_folder_takes_no_key_away() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7]), Duration::ZERO);
        assert!(chest.take_in(&Keys::new(), MINUTE * 5).is_none());
        assert_eq!(chest.signs, Some(7));
    }
}
