//! The keys that hellos are signed with: files `key-N` in the folder where a Secret is mounted.
//!
//! N is a decimal number, greater for a newer key. Every key checks; the newest signs once this process has known it for
//! a minute, until then the one before does, so that by then every node can check it. A key that is taken away still
//! checks for a minute. A folder that is gone or empty takes no key away.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::chain::chain;
use crate::clock::Clock;
use crate::mailbox::Sender;
use crate::responder::Event;
use crate::wire::hello::{KEY_LENGTH, Key, KeyRing};

/// How often the folder is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a key is known before it signs, and how long it checks after it is gone.
const SETTLING: Duration = Duration::from_mins(1);

/// What a key's file, or its entry in the Secret, is called before its number.
const PREFIX: &str = "key-";

/// Keys by their number.
pub type Keys = BTreeMap<u64, [u8; KEY_LENGTH]>;

/// Why no key, or not all of them, could be read; the ones known so far stay.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The folder or a file in it cannot be read.
    #[error("keys of hellos cannot be read; the ones known so far stay")]
    Unreadable(#[from] io::Error),
    /// A file has the name of a key and not its length.
    #[error("key {name:?} of hellos has {length} bytes, not {KEY_LENGTH}; it is left out")]
    Length {
        /// What it is called.
        name: String,
        /// How many bytes it has.
        length: usize,
    },
}

/// Gives the number and the bytes of a key, or nothing when the name is not that of a key.
///
/// # Errors
/// [`KeysError::Length`]
pub fn read_entry(name: &str, bytes: &[u8]) -> Result<Option<(u64, [u8; KEY_LENGTH])>, KeysError> {
    let Some(number) = name.strip_prefix(PREFIX).and_then(|number| number.parse().ok()) else { return Ok(None) };
    match bytes.try_into() {
        Ok(key) => Ok(Some((number, key))),
        Err(_) => Err(KeysError::Length { name: name.to_owned(), length: bytes.len() }),
    }
}

/// Follows the folder, and what comes from elsewhere, until told to stop or nobody listens any more. Each change of the
/// keys, or of which one signs, is sent on.
pub async fn follow(
    folder: PathBuf,
    events: Sender,
    mut elsewhere: watch::Receiver<Keys>,
    clock: Clock,
    stop: CancellationToken,
) {
    let follow = async {
        let (mut chest, mut told) = (Chest::default(), String::new());
        while !events.is_closed() {
            let mut found = elsewhere.borrow_and_update().clone();
            match read(&folder) {
                Ok(keys) => {
                    // The folder follows the Secret; what was fetched once does not.
                    found = if keys.is_empty() { found } else { keys };
                    told.clear();
                }
                Err(err) if told == chain(&err) => {}
                Err(err) => {
                    told = chain(&err);
                    warn!(err = told, "keys of hellos not read");
                }
            }
            if let Some(ring) = chest.take_in(&found, clock.now()) {
                info!(keys = chest.keys.len(), signer = chest.signs, "keys of hellos changed");
                // Nobody listens only when the program ends.
                let _ = events.send(Event::Keys(ring)).await;
            }
            tokio::select! {
                Ok(()) = elsewhere.changed() => {}
                () = sleep(POLL_INTERVAL) => {}
            }
        }
    };
    stop.run_until_cancelled(follow).await;
}

/// Gives the keys in the folder; none when there is no such folder.
fn read(folder: &Path) -> Result<Keys, KeysError> {
    let entries = match folder.read_dir() {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            debug!(?folder, "folder of the keys of hellos is not there");
            return Ok(Keys::new());
        }
        entries => entries?,
    };
    let mut keys = Keys::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.starts_with(PREFIX) {
            continue;
        }
        // A file that is swapped away meanwhile is read in the next round.
        keys.extend(read_entry(name, &std::fs::read(&path)?)?);
    }
    Ok(keys)
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    bytes: [u8; KEY_LENGTH],
    since: Duration,
    /// Since when it is gone, if it is.
    gone: Option<Duration>,
}

/// All keys, and which one signs.
#[derive(Debug, Default)]
struct Chest {
    keys: BTreeMap<u64, Kept>,
    signs: Option<u64>,
}

impl Chest {
    /// Takes in the keys that are there now, and gives the ring when it changed.
    fn take_in(&mut self, found: &Keys, now: Duration) -> Option<KeyRing> {
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

    #[test]
    fn a_file_that_is_no_key_is_passed_over_and_one_of_another_length_is_refused() {
        for name in ["..data", "key-", "key-x", "tls.key", "key--1"] {
            assert!(read_entry(name, &[0; KEY_LENGTH]).unwrap().is_none(), "{name}");
        }
        assert_eq!(read_entry("key-12", &[1; KEY_LENGTH]).unwrap(), Some((12, [1; KEY_LENGTH])));
        assert!(matches!(read_entry("key-12", &[1; 31]), Err(KeysError::Length { length: 31, .. })));
    }
}
