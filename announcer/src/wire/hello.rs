//! Hellos: what announcers tell one another on each segment, authenticated with HMAC-SHA-256.
//!
//! The format and its reasons are described in `docs/announcer-protocol.md`.

mod fault;
mod keys;
mod stances;

pub use self::fault::HelloFault;
pub use self::keys::{KEY_LENGTH, Key, KeyRing, TAG_LENGTH};
pub use self::stances::{PART_CAPACITY, Stance, read_stances, write_stances};

use std::ops::RangeInclusive;
use std::time::Duration;

use ring::digest;

use super::ethernet::{HEADER_LENGTH, Header, Mac};

/// EtherType of hellos: the first of the two for local experiments (IEEE 802, clause 9.2.3).
pub const ETHERTYPE_HELLO: u16 = 0x88b5;

/// Bytes of a hello's frame at most, header included: what an interface of the usual 1,500 bytes carries.
pub const FRAME_CAPACITY: usize = 1_514;

/// How many fellows a hello can name.
pub const HEARD_CAPACITY: usize = 32;

/// Bytes of a node's name at most: a DNS subdomain's (RFC 1123).
pub const NAME_CAPACITY: usize = 253;

const MAGIC: [u8; 4] = *b"BRTH";
const VERSION: u8 = 1;
const FLAG_LEAVING: u8 = 0x01;
/// The sender tells the stations of a node apart; the number of its own stands in the flags, shifted by so many bits.
const FLAG_STATIONS: u8 = 0x80;
const STATION_SHIFT: u32 = 1;

/// The highest number of a station.
pub const STATION_LAST: u8 = 0x3f;

/// Bytes of the body before the name.
const FIXED_LENGTH: usize = 37;

/// Bytes of one fellow heard.
const HEARD_LENGTH: usize = 14;

/// The age that says nothing about when the fellow was heard.
const NO_AGE: u16 = u16::MAX;

/// A node's number on the wire: the first eight bytes of the SHA-256 of its name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub u64);

impl NodeId {
    /// Gives the number of the node with this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, name.as_bytes());
        Self(hash.as_ref().first_chunk().copied().map_or(0, u64::from_be_bytes))
    }

    /// Gives the station of this number, from 0 to [`STATION_LAST`], that the node has.
    #[must_use]
    pub const fn station(self, number: u8) -> StationId {
        StationId(self.0 ^ (number & STATION_LAST) as u64)
    }

    /// Gives the first and the last of all stations that the node can have.
    pub(crate) const fn stations(self) -> RangeInclusive<StationId> {
        self.station(0).siblings()
    }
}

/// A station's number on the wire: a node is one on each of its interfaces. The node's own number, with the station's in
/// its last six bits, by exclusive or; so that of station 0 is the node's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StationId(pub u64);

impl StationId {
    /// Whether it is one of this node's.
    #[must_use]
    pub fn is_of(self, node: NodeId) -> bool {
        node.stations().contains(&self)
    }

    /// Gives the first and the last of all stations that its node can have.
    pub(crate) const fn siblings(self) -> RangeInclusive<Self> {
        let last = STATION_LAST as u64;
        Self(self.0 & !last)..=Self(self.0 | last)
    }

    /// Gives its number among the stations of this node, whose it is.
    pub(crate) const fn number(self, node: NodeId) -> u8 {
        let [.., last] = (self.0 ^ node.0).to_be_bytes();
        last & STATION_LAST
    }
}

/// How alone a node was on a segment until a moment ago, the least alone first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Solitude {
    /// It heard fellows all the time.
    Together,
    /// It heard clients, but no fellow.
    WithoutFellows,
    /// It heard nothing at all.
    Alone,
}

impl Solitude {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Together,
            1 => Self::WithoutFellows,
            _ => Self::Alone,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Together => 0,
            Self::WithoutFellows => 1,
            Self::Alone => 2,
        }
    }
}

/// A fellow that the sender has heard on this segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Heard {
    /// Who.
    pub id: StationId,
    /// How long ago, in whole milliseconds up to 65,534; none when the fellow has yet to prove that it lives.
    pub age: Option<Duration>,
    /// The token of the hello heard from it last.
    pub echo: u32,
}

/// One hello.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hello<'a> {
    /// MAC address of the sender on this segment, which its answers carry; the frame's source.
    pub source: Mac,
    /// The node's name, at most [`NAME_CAPACITY`] bytes.
    pub name: &'a str,
    /// Which of the node's stations it is, up to [`STATION_LAST`]: those on one segment never have the same number. None
    /// of a sender from before stations were told apart, which names nodes where others name stations.
    pub station: Option<u8>,
    /// Drawn anew whenever the sender starts or opens the interface.
    pub epoch: u64,
    /// Grows with each hello of the epoch.
    pub sequence: u64,
    /// The longest pause until the next hello, in whole milliseconds up to 65,535.
    pub interval: Duration,
    /// For how long the sender goes on listening before it answers anything, in whole milliseconds up to 65,535;
    /// zero when it need not.
    pub listens_for: Duration,
    /// Whether the sender is about to end.
    pub is_leaving: bool,
    /// How alone it was.
    pub solitude: Solitude,
    /// Fellows heard, at most [`HEARD_CAPACITY`]; the rest follows in other hellos.
    pub heard: Vec<Heard>,
    /// Number of the statement that this hello carries a part of; grows whenever it changes.
    pub statement: u32,
    /// Into how many parts the statement is split, at least one.
    pub parts: u8,
    /// Which part this is, counted from zero.
    pub part: u8,
    /// The part: what [`write_stances`] gave.
    pub stances: &'a [u8],
}

/// A hello's frame, and the token that names it when a fellow says that it was heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// The frame's bytes.
    pub frame: Vec<u8>,
    /// The first four bytes of its tag: nobody without the key can tell them beforehand.
    pub token: u32,
}

impl<'a> Hello<'a> {
    /// Gives the signed frame, to all stations of the segment: a hello reaches whom an ARP request reaches. None
    /// without a key, or when something is longer than it may be.
    #[must_use]
    pub fn seal(&self, keys: &KeyRing) -> Option<Sealed> {
        let name = u8::try_from(self.name.len()).ok().filter(|_| self.name.len() <= NAME_CAPACITY)?;
        let heard = u8::try_from(self.heard.len()).ok().filter(|_| self.heard.len() <= HEARD_CAPACITY)?;
        let length = FIXED_LENGTH + self.name.len() + self.heard.len() * HEARD_LENGTH + self.stances.len() + TAG_LENGTH;
        let header = Header { destination: Mac::BROADCAST, source: self.source, ethertype: ETHERTYPE_HELLO };
        let mut frame = Vec::with_capacity(HEADER_LENGTH + length);
        frame.extend(header.write());
        frame.extend(MAGIC);
        let leaving = if self.is_leaving { FLAG_LEAVING } else { 0 };
        let station = self.station.map_or(0, |number| FLAG_STATIONS | (number & STATION_LAST) << STATION_SHIFT);
        frame.extend([VERSION, leaving | station]);
        frame.extend(u16::try_from(length).ok()?.to_be_bytes());
        frame.extend(self.epoch.to_be_bytes());
        frame.extend(self.sequence.to_be_bytes());
        frame.extend(millis(self.interval).to_be_bytes());
        frame.extend(millis(self.listens_for).to_be_bytes());
        frame.extend([self.solitude.code(), heard, self.parts, self.part]);
        frame.extend(self.statement.to_be_bytes());
        frame.push(name);
        frame.extend(self.name.as_bytes());
        for heard in &self.heard {
            frame.extend(heard.id.0.to_be_bytes());
            frame.extend(heard.age.map_or(NO_AGE, |age| millis(age).min(NO_AGE - 1)).to_be_bytes());
            frame.extend(heard.echo.to_be_bytes());
        }
        frame.extend(self.stances);
        let tag = keys.sign(&frame)?;
        frame.extend(tag);
        let token = token(&tag);
        (frame.len() <= FRAME_CAPACITY).then_some(Sealed { frame, token })
    }

    /// Gives the hello in a frame, which may end in padding, and its token. What the stances say is not looked at.
    ///
    /// # Errors
    /// [`HelloFault::Foreign`], [`HelloFault::UnknownVersion`], [`HelloFault::Malformed`], [`HelloFault::NoKey`] and
    /// [`HelloFault::Forged`], in this order.
    pub fn open(frame: &'a [u8], keys: &KeyRing) -> Result<(Self, u32), HelloFault> {
        let (header, body) = Header::read(frame).map_err(|_| HelloFault::Foreign)?;
        let Some((&[m0, m1, m2, m3, version, flags, l0, l1], _)) = body.split_first_chunk() else {
            return Err(HelloFault::Foreign);
        };
        if header.ethertype != ETHERTYPE_HELLO || [m0, m1, m2, m3] != MAGIC {
            return Err(HelloFault::Foreign);
        }
        if version != VERSION {
            return Err(HelloFault::UnknownVersion);
        }
        let whole = HEADER_LENGTH + usize::from(u16::from_be_bytes([l0, l1]));
        let frame = frame.get(..whole.min(FRAME_CAPACITY)).filter(|frame| frame.len() == whole);
        let (signed, tag) = frame.and_then(<[u8]>::split_last_chunk::<TAG_LENGTH>).ok_or(HelloFault::Malformed)?;
        let body = signed.get(HEADER_LENGTH..).ok_or(HelloFault::Malformed)?;
        let hello = Self::read(header.source, flags, body).ok_or(HelloFault::Malformed)?;
        if keys.is_empty() {
            return Err(HelloFault::NoKey);
        }
        if keys.verify(signed, tag) { Ok((hello, token(tag))) } else { Err(HelloFault::Forged) }
    }

    fn read(source: Mac, flags: u8, body: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = body.split_first_chunk::<FIXED_LENGTH>()?;
        let (_, numbers) = fixed.split_first_chunk::<8>()?;
        let (epoch, numbers) = numbers.split_first_chunk()?;
        let (sequence, numbers) = numbers.split_first_chunk()?;
        let [i0, i1, l0, l1, solitude, heard, parts, part, s0, s1, s2, s3, name] = *numbers.first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(name))?;
        let (fellows, stances) = rest.split_at_checked(usize::from(heard) * HEARD_LENGTH)?;
        let name = str::from_utf8(name).ok().filter(|name| !name.is_empty() && name.len() <= NAME_CAPACITY)?;
        let is_sound = part < parts && usize::from(heard) <= HEARD_CAPACITY && !source.is_group();
        is_sound.then_some(Self {
            source,
            name,
            station: (flags & FLAG_STATIONS != 0).then_some(flags >> STATION_SHIFT & STATION_LAST),
            epoch: u64::from_be_bytes(*epoch),
            sequence: u64::from_be_bytes(*sequence),
            interval: Duration::from_millis(u64::from(u16::from_be_bytes([i0, i1]))),
            listens_for: Duration::from_millis(u64::from(u16::from_be_bytes([l0, l1]))),
            is_leaving: flags & FLAG_LEAVING != 0,
            solitude: Solitude::from_code(solitude),
            heard: fellows.as_chunks::<HEARD_LENGTH>().0.iter().map(read_heard).collect(),
            statement: u32::from_be_bytes([s0, s1, s2, s3]),
            parts,
            part,
            stances,
        })
    }
}

fn read_heard(bytes: &[u8; HEARD_LENGTH]) -> Heard {
    let [i0, i1, i2, i3, i4, i5, i6, i7, a0, a1, e0, e1, e2, e3] = *bytes;
    let age = u16::from_be_bytes([a0, a1]);
    Heard {
        id: StationId(u64::from_be_bytes([i0, i1, i2, i3, i4, i5, i6, i7])),
        age: (age != NO_AGE).then(|| Duration::from_millis(u64::from(age))),
        echo: u32::from_be_bytes([e0, e1, e2, e3]),
    }
}

fn millis(duration: Duration) -> u16 {
    u16::try_from(duration.as_millis()).unwrap_or(u16::MAX)
}

fn token(tag: &[u8; TAG_LENGTH]) -> u32 {
    let [t0, t1, t2, t3, ..] = *tag;
    u32::from_be_bytes([t0, t1, t2, t3])
}
