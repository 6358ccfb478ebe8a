//! The keys that hellos are signed and checked with.

use std::fmt;

use ring::hmac;

/// Bytes of a key.
pub const KEY_LENGTH: usize = 32;

/// Bytes of a tag.
pub const TAG_LENGTH: usize = 32;

/// One shared key; prints as nothing that helps to guess it.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// Gives a key from its bytes.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key")
    }
}

/// The keys in force: the first signs, each one checks.
#[derive(Clone, Debug, Default)]
pub struct KeyRing(Vec<Key>);

impl KeyRing {
    /// Gives a ring of these keys, of which the first signs. Without any, nothing can be said or heard.
    #[must_use]
    pub const fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// Whether there is no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the tag of these bytes by the first key, or none without a key.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Option<[u8; TAG_LENGTH]> {
        let Self(keys) = self;
        hmac::sign(&keys.first()?.0, bytes).as_ref().first_chunk().copied()
    }

    /// Whether any key made the tag of these bytes. Takes the same time whatever is wrong with it.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], tag: &[u8]) -> bool {
        self.0.iter().any(|Key(key)| hmac::verify(key, bytes, tag).is_ok())
    }
}
