//! The keys that hellos are signed with: files `key-N` in the folder where a Secret is mounted.
//!
//! N is a decimal number, greater for a newer key. Every key checks; the newest signs once this process has known it for
//! a minute, until then the one before does, so that by then every node can check it. A key that is taken away still
//! checks for a minute. A folder that is gone or empty takes no key away.

mod chest;

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

    #[test]
    fn a_file_that_is_no_key_is_passed_over_and_one_of_another_length_is_refused() {
        for name in ["..data", "key-", "key-x", "tls.key", "key--1"] {
            assert!(read_entry(name, &[0; KEY_LENGTH]).unwrap().is_none(), "{name}");
        }
        assert_eq!(read_entry("key-12", &[1; KEY_LENGTH]).unwrap(), Some((12, [1; KEY_LENGTH])));
        assert!(matches!(read_entry("key-12", &[1; 31]), Err(KeysError::Length { length: 31, .. })));
    }
}
