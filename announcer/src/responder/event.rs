//! What the responder is told, and what it says to do.

use std::net::IpAddr;

use super::{Link, Notice, Silence};
use crate::plan::Plan;
use crate::status::Status;
use crate::wire::Malformed;
use crate::wire::ethernet::Mac;
use crate::wire::hello::{HelloFault, KeyRing};

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plan arrived; it replaces the one before.
    Plan(Plan),
    /// All interfaces as they are now, in any order.
    Links(Vec<Link>),
    /// The socket asked for by [`Action::Open`] receives.
    Opened(u32),
    /// The socket on this interface could not be opened, or is of no more use.
    Lost(u32),
    /// The keys in force; they replace the ones before. Until the first nothing is answered.
    Keys(KeyRing),
    /// These bytes came in on this interface.
    Frame(u32, Vec<u8>),
    /// Nothing but that time has passed.
    Tick,
    /// The program is about to end. Go on until [`Action::Finished`], which follows at once or within a few tenths
    /// of a second: what is answered here is handed over first.
    Stop,
}

/// What to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Open a socket on this interface, then say [`Event::Opened`] or [`Event::Lost`].
    Open(u32),
    /// Close the socket on this interface, if it is open.
    Close(u32),
    /// Have the interface receive frames to this group, on the open socket (`PACKET_ADD_MEMBERSHIP`). Closing the
    /// socket ends it; after [`Event::Opened`] all groups are asked for again.
    Join(u32, Mac),
    /// The interface need not receive frames to this group any more.
    Leave(u32, Mac),
    /// Send a frame on an interface.
    Send(Transmission),
    /// Nothing: a frame got no answer.
    Ignore(Silence),
    /// Nothing: a frame made no sense.
    Drop(Malformed),
    /// Nothing: a hello was not heeded.
    Discard(HelloFault),
    /// Nothing but to log and count it.
    Note(Notice),
    /// Tell the operator, since something in here changed.
    Report(Status),
    /// Nothing more follows after [`Event::Stop`]: the program may end.
    Finished,
}

/// A frame to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transmission {
    /// The interface.
    pub link: u32,
    /// Why it is sent.
    pub purpose: Purpose,
    /// Its bytes, without the padding that the interface adds.
    pub frame: Vec<u8>,
}

/// Why a frame is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// It answers a request for this address.
    Answer(IpAddr),
    /// It announces this address unasked.
    Announcement(IpAddr),
    /// It tells fellows about this node.
    Hello,
    /// It tells switches which multicast groups are wanted here (RFC 3810).
    Membership,
}
