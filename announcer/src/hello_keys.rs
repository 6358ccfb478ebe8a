//! The keys that hellos are signed with: files `key-N` in the folder where a Secret is mounted.
//!
//! N is a decimal number, greater for a newer key. Every key checks. The second newest signs, or the only one: kubelet
//! brings a change to one node a minute or more after another, so a key signs only when the next one comes, which is long
//! after it has come to every node itself. The operator keeps three for that, the one that signed before among them.
//!
//! A key that is gone still checks for an hour, and signs for three minutes where only new ones are there in its place. A
//! folder that is empty or cannot be read leaves what is known as it is.

mod chest;
#[cfg(test)]
mod spread;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::chest::Chest;
use crate::chain::chain;
use crate::clock::Clock;
use crate::mailbox::Sender;
use crate::responder::Event;
use crate::wire::hello::KEY_LENGTH;

/// How often the folder is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

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
        let (mut chest, mut told, mut had_keys) = (Chest::default(), String::new(), false);
        while !events.is_closed() {
            let mut found = Keys::new();
            match read(&folder) {
                Ok(keys) => {
                    found = keys;
                    told.clear();
                }
                Err(err) if told == chain(&err) => {}
                Err(err) => {
                    told = chain(&err);
                    warn!(err = told, "keys of hellos not read");
                }
            }
            had_keys |= !found.is_empty();
            let fetched = elsewhere.borrow_and_update().clone();
            if !had_keys {
                // The folder follows the Secret; what was fetched once does not.
                found = fetched;
            }
            if let Some(ring) = chest.take_in(&found, clock.now()) {
                info!(keys = chest.len(), signer = chest.signs(), "keys of hellos changed");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::{Receiver, mailbox};
    use crate::wire::hello::{Key, KeyRing};

    /// A folder of keys, those that were fetched, and what comes of both.
    struct Lab {
        folder: PathBuf,
        fetched: watch::Sender<Keys>,
        events: Receiver,
        stop: CancellationToken,
    }

    impl Lab {
        fn start(name: &str, numbers: &[u8]) -> Self {
            let folder = std::env::temp_dir().join(format!("berth-keys-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let (events_in, events) = mailbox(16).unwrap();
            let (fetched, elsewhere) = watch::channel(Keys::new());
            let lab = Self { folder, fetched, events, stop: CancellationToken::new() };
            lab.hold(numbers);
            tokio::spawn(follow(lab.folder.clone(), events_in, elsewhere, Clock::start(), lab.stop.clone()));
            lab
        }

        /// The folder holds these keys and nothing else.
        fn hold(&self, numbers: &[u8]) {
            self.clear();
            for number in numbers {
                std::fs::write(self.folder.join(format!("key-{number}")), [*number; KEY_LENGTH]).unwrap();
            }
        }

        fn clear(&self) {
            for entry in self.folder.read_dir().unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }

        fn fetch(&self, numbers: &[u8]) {
            self.fetched.send_replace(numbers.iter().map(|&number| (number.into(), [number; KEY_LENGTH])).collect());
        }

        /// Gives the ring of a moment later, if it is another.
        async fn ring(&mut self) -> Option<KeyRing> {
            sleep(POLL_INTERVAL * 3).await;
            let mut last = None;
            while let Some(Event::Keys(ring)) = self.events.take() {
                last = Some(ring);
            }
            last
        }
    }

    impl Drop for Lab {
        fn drop(&mut self) {
            self.stop.cancel();
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn checks(ring: &KeyRing, number: u8) -> bool {
        ring.verify(b"hello", &KeyRing::new(vec![Key::new(&[number; KEY_LENGTH])]).sign(b"hello").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_fetched_counts_until_the_folder_has_had_keys() {
        let mut lab = Lab::start("fetched", &[]);
        assert!(lab.ring().await.is_none());
        lab.fetch(&[3]);
        assert!(checks(&lab.ring().await.unwrap(), 3));
        lab.hold(&[3, 4]);
        assert!(checks(&lab.ring().await.unwrap(), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_missing_or_unreadable_folder_leaves_what_is_known_as_it_is() {
        let mut lab = Lab::start("left", &[7, 8]);
        lab.fetch(&[3]);
        let ring = lab.ring().await.unwrap();
        assert!(checks(&ring, 7) && checks(&ring, 8) && !checks(&ring, 3));
        lab.clear();
        assert!(lab.ring().await.is_none());
        std::fs::write(lab.folder.join("key-9"), b"short").unwrap();
        assert!(lab.ring().await.is_none());
        std::fs::remove_dir_all(&lab.folder).unwrap();
        assert!(lab.ring().await.is_none());
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
