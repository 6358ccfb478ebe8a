//! What can be wrong with a hello.

use thiserror::Error;

/// Why a hello was not heeded; in each case nothing changes.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, Ord, PartialEq, PartialOrd)]
pub enum HelloFault {
    /// It ends early, or its parts contradict one another.
    #[error("hello makes no sense; ignored")]
    Malformed,
    /// It is something else with the same EtherType.
    #[error("frame is no hello of Berth; ignored")]
    Foreign,
    /// It speaks another version.
    #[error("hello has another version; ignored")]
    UnknownVersion,
    /// No key at hand made its tag.
    #[error("hello is signed with no key known here; ignored")]
    Forged,
    /// It is not newer than what its sender has said already.
    #[error("hello is a replay, or was overtaken; ignored")]
    Replayed,
    /// Its sender has yet to prove that it lives now, by naming a recent hello of this node.
    #[error("hello's sender has yet to prove that it lives; noted")]
    Unproven,
    /// It calls itself this very station.
    #[error("hello carries this station's own name; ignored")]
    OwnName,
    /// More fellows than there is room for.
    #[error("hello comes from one fellow too many; ignored")]
    TooMany,
    /// No key is known.
    #[error("hello cannot be checked without a key; ignored")]
    NoKey,
}

impl HelloFault {
    /// Gives the name used in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Foreign => "foreign",
            Self::UnknownVersion => "unknownVersion",
            Self::Forged => "forged",
            Self::Replayed => "replayed",
            Self::Unproven => "unproven",
            Self::OwnName => "ownName",
            Self::TooMany => "tooMany",
            Self::NoKey => "noKey",
        }
    }
}
