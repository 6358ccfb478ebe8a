//! Why nothing was said: each reason can be counted, reported and tested.

use serde::Serialize;

/// Why a frame got no answer, or why an address gets none at all.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Silence {
    /// The packet is a reply or something rarer.
    NotARequest,
    /// The frame is for another station.
    NotForUs,
    /// The packet tells others about its sender's own address (RFC 5227 §3) and asks nothing.
    Announcement,
    /// The sender calls itself a group of stations, so an answer would go to many.
    GroupSender,
    /// The plan does not have the address.
    NotOurs,
    /// The address is answered, but on other interfaces.
    OtherLink,
    /// Another candidate comes first.
    NotFirst,
    /// This node is not among the candidates.
    NotACandidate,
    /// No interface that the plan names is there and up.
    InterfaceMissing,
    /// Interfaces that the plan names are there, but excluded, enslaved or unable to speak ARP.
    InterfaceUnusable,
    /// The plan names no interface and none is usable.
    NoUsableInterface,
    /// Interfaces are usable, but no socket could be opened on any of them so far.
    SocketClosed,
    /// The program is about to end.
    Stopping,
    /// A fellow answers for the address already, and the plan has not moved it since.
    Incumbent,
    /// No key is known, so fellows cannot be told from others.
    NoKey,
    /// This node has just started, or the interface has just come up: it listens first.
    Listening,
    /// This node was stopped or starved for so long that others may have taken over: it listens first.
    Fenced,
    /// Fellows hear one another, but none hears this node: they have taken over.
    Unheard,
    /// The frame comes from this node itself, by its MAC address.
    OwnFrame,
}

impl Silence {
    /// Gives the name used in the status annotation and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotARequest => "notARequest",
            Self::NotForUs => "notForUs",
            Self::Announcement => "announcement",
            Self::GroupSender => "groupSender",
            Self::NotOurs => "notOurs",
            Self::OtherLink => "otherLink",
            Self::NotFirst => "notFirst",
            Self::NotACandidate => "notACandidate",
            Self::InterfaceMissing => "interfaceMissing",
            Self::InterfaceUnusable => "interfaceUnusable",
            Self::NoUsableInterface => "noUsableInterface",
            Self::SocketClosed => "socketClosed",
            Self::Stopping => "stopping",
            Self::Incumbent => "incumbent",
            Self::NoKey => "noKey",
            Self::Listening => "listening",
            Self::Fenced => "fenced",
            Self::Unheard => "unheard",
            Self::OwnFrame => "ownFrame",
        }
    }
}
