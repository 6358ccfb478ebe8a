//! Which keys are known, and which of them signs. Reads nothing; time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Keys;
use crate::wire::hello::{KEY_LENGTH, Key, KeyRing};

/// How long a key is known before this process goes over to it from one that is gone: kubelet brings a Secret to every
/// node where it works in 60 to 90 s. No longer than it takes, since who starts meanwhile does not know the one that is gone.
pub(super) const SPREADING: Duration = Duration::from_mins(3);

/// How long a key checks after it is gone.
pub(super) const CHECKING: Duration = Duration::from_hours(1);

/// A key's number and its bytes: one that is written over is another.
type Entry = (u64, [u8; KEY_LENGTH]);

#[derive(Clone, Copy, Debug)]
struct Kept {
    since: Duration,
    /// Since when it is gone, if it is.
    gone: Option<Duration>,
}

/// All keys, and which one signs.
#[derive(Debug, Default)]
pub(super) struct Chest {
    keys: BTreeMap<Entry, Kept>,
    signs: Option<Entry>,
}

impl Chest {
    /// Gives how many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Gives the number of the key that signs.
    pub fn signs(&self) -> Option<u64> {
        self.signs.map(|(number, _)| number)
    }

    /// Takes in the keys that are there now, and gives the ring when it changed. None at all take none away.
    pub fn take_in(&mut self, found: &Keys, now: Duration) -> Option<KeyRing> {
        let before: Vec<_> = self.keys.keys().copied().collect();
        if !found.is_empty() {
            for ((number, bytes), kept) in &mut self.keys {
                kept.gone = if found.get(number) == Some(bytes) { None } else { kept.gone.or(Some(now)) };
            }
        }
        for (&number, &bytes) in found {
            self.keys.entry((number, bytes)).or_insert(Kept { since: now, gone: None });
        }
        self.keys.retain(|_, kept| kept.gone.is_none_or(|gone| now < gone + CHECKING));
        let signs = self.signer(now);
        if signs == self.signs && self.keys.keys().eq(&before) {
            return None;
        }
        self.signs = signs;
        let others = self.keys.keys().copied().filter(|&entry| Some(entry) != signs);
        Some(KeyRing::new(signs.into_iter().chain(others).map(|(_, bytes)| Key::new(&bytes)).collect()))
    }

    /// Gives the key that signs: of those that are there, the one before the newest, or the only one. Not yet when it came
    /// a moment ago: then an older one that is there, or else the one that signed until now, even if it is gone.
    fn signer(&self, now: Duration) -> Option<Entry> {
        let mut there: Vec<_> = self.keys.iter().filter(|(_, kept)| kept.gone.is_none()).collect();
        if there.len() > 1 {
            // It may have yet to come to some node; that there is one after it will say that it has come to all.
            there.pop();
        }
        let settled = there.iter().rev().find(|(_, kept)| now >= kept.since + SPREADING);
        let known = self.signs.filter(|entry| self.keys.contains_key(entry));
        settled.map(|&(&entry, _)| entry).or(known).or(there.last().map(|&(&entry, _)| entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const HOUR: Duration = Duration::from_hours(1);

    fn keys(numbers: &[u64]) -> Keys {
        numbers.iter().map(|&number| (number, [u8::try_from(number).unwrap(); KEY_LENGTH])).collect()
    }

    fn ring_of(number: u8) -> KeyRing {
        KeyRing::new(vec![Key::new(&[number; KEY_LENGTH])])
    }

    fn signed_with(ring: &KeyRing, number: u8) -> bool {
        ring_of(number).sign(b"hello") == ring.sign(b"hello")
    }

    fn checks(ring: &KeyRing, number: u8) -> bool {
        ring.verify(b"hello", &ring_of(number).sign(b"hello").unwrap())
    }

    #[test]
    fn the_only_key_signs_at_once() {
        let ring = Chest::default().take_in(&keys(&[7]), Duration::ZERO).unwrap();
        assert!(signed_with(&ring, 7));
    }

    #[test]
    fn a_new_key_checks_at_once_and_signs_only_when_it_has_a_follower() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[7, 8]), MINUTE).unwrap();
        assert!(signed_with(&ring, 7) && checks(&ring, 8));
        assert!(chest.take_in(&keys(&[7, 8]), HOUR * 24 * 365).is_none());
        let ring = chest.take_in(&keys(&[7, 8, 9]), HOUR * 24 * 366).unwrap();
        assert!(signed_with(&ring, 8) && checks(&ring, 7) && checks(&ring, 9));
    }

    #[test]
    fn who_starts_signs_with_the_second_newest_key_at_once() {
        let ring = Chest::default().take_in(&keys(&[7, 8, 9]), HOUR).unwrap();
        assert!(signed_with(&ring, 8) && checks(&ring, 7) && checks(&ring, 9));
    }

    #[test]
    fn a_key_that_is_gone_signs_until_the_one_in_its_place_has_reached_every_node() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7, 8]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[9]), HOUR).unwrap();
        assert!(signed_with(&ring, 7) && checks(&ring, 9));
        assert!(chest.take_in(&keys(&[9]), HOUR + MINUTE * 2).is_none());
        assert!(signed_with(&chest.take_in(&keys(&[9]), HOUR + SPREADING).unwrap(), 9));
    }

    #[test]
    fn a_key_that_is_gone_signs_no_longer_where_another_has_been_known_for_long() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[6, 7, 8]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[8, 9, 10]), HOUR).unwrap();
        assert!(signed_with(&ring, 8));
        assert!(signed_with(&chest.take_in(&keys(&[8, 9, 10]), HOUR + SPREADING).unwrap(), 9));
    }

    #[test]
    fn a_key_that_is_gone_checks_for_another_hour() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[6, 7, 8]), Duration::ZERO);
        let ring = chest.take_in(&keys(&[7, 8, 9]), MINUTE * 5).unwrap();
        assert!(signed_with(&ring, 8) && checks(&ring, 6));
        assert!(chest.take_in(&keys(&[7, 8, 9]), MINUTE * 64).is_none());
        let ring = chest.take_in(&keys(&[7, 8, 9]), MINUTE * 65).unwrap();
        assert!(signed_with(&ring, 8) && !checks(&ring, 6));
    }

    #[test]
    fn a_key_that_is_written_over_is_one_that_is_gone() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7]), Duration::ZERO);
        let over = Keys::from([(7, [70; KEY_LENGTH])]);
        let ring = chest.take_in(&over, HOUR).unwrap();
        assert!(signed_with(&ring, 7) && checks(&ring, 70));
        let ring = chest.take_in(&over, HOUR + SPREADING).unwrap();
        assert!(signed_with(&ring, 70) && checks(&ring, 7));
    }

    #[test]
    fn no_keys_at_all_take_none_away() {
        let mut chest = Chest::default();
        chest.take_in(&keys(&[7]), Duration::ZERO);
        assert!(chest.take_in(&Keys::new(), HOUR * 5).is_none());
        assert_eq!(chest.signs(), Some(7));
    }
}
