//! What happened inside, for logs and metrics. Nothing has to be done about it.

use std::net::IpAddr;
use std::time::Duration;

use super::Silence;

/// Something worth a log line or a count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// This node starts to answer for an address on an interface.
    TookOver {
        /// The interface.
        link: u32,
        /// The address.
        ip: IpAddr,
        /// Why.
        cause: Cause,
        /// How long nobody answered, as far as can be known: since the last sign of life of the one who did before.
        /// None when nobody did, or when that one answers still.
        vacant: Option<Duration>,
    },
    /// This node stops answering for an address on an interface since a fellow answers for it.
    Yielded {
        /// The interface.
        link: u32,
        /// The address.
        ip: IpAddr,
        /// The fellow's name, as far as it is known.
        to: String,
    },
    /// A fellow is heard on an interface, from now on.
    FellowFound {
        /// The interface.
        link: u32,
        /// Its name.
        name: String,
        /// It is this node itself, on another interface that is attached to the same segment.
        is_twin: bool,
    },
    /// A fellow is heard no longer on an interface, neither by this node nor by another.
    FellowLost {
        /// The interface.
        link: u32,
        /// Its name.
        name: String,
    },
    /// Hellos of a fellow did not arrive, by the gap in their numbers.
    HellosLost {
        /// The interface.
        link: u32,
        /// How many.
        count: u32,
    },
    /// This node was stopped or starved for too long, and answers nothing until it has listened.
    Fenced {
        /// The interface.
        link: u32,
        /// How long it had said nothing.
        stalled: Duration,
    },
    /// This node has listened for long enough on an interface.
    Listened {
        /// The interface.
        link: u32,
        /// How long it took.
        took: Duration,
        /// Why it did: [`Silence::Listening`] when the interface had just been opened, [`Silence::Fenced`], or
        /// [`Silence::Unheard`].
        after: Silence,
    },
}

/// Why this node starts to answer for an address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// Nobody answered before, and it is this node's turn.
    First,
    /// The one who answered is dead.
    Dead,
    /// The one who answered says that it gives the address up.
    HandedOver,
    /// The one who answered has stopped, and lives.
    Released,
    /// The plan puts this node before the one who answers.
    Planned,
    /// Those who come first live, but none of them answers.
    Patience,
}

impl Cause {
    /// Gives the name used in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Dead => "dead",
            Self::HandedOver => "handedOver",
            Self::Released => "released",
            Self::Planned => "planned",
            Self::Patience => "patience",
        }
    }
}
