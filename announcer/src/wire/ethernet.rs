//! Ethernet II headers (IEEE 802.3 clause 3, RFC 894) and MAC addresses.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Malformed;

/// Bytes of an untagged Ethernet header.
pub const HEADER_LENGTH: usize = 14;

/// EtherType of ARP (RFC 826).
pub const ETHERTYPE_ARP: u16 = 0x0806;

/// Each `EtherType` that announces a VLAN tag: IEEE 802.1Q, 802.1ad and the older double tag.
const ETHERTYPES_TAG: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// The group bit of the first octet (IEEE 802 §8.2.2): set on multicast and broadcast addresses.
const GROUP_BIT: u8 = 0x01;

/// A 48-bit MAC address; prints as lower-case hex pairs joined by colons.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// All ones: every station on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether the address names a group of stations, the broadcast address included, and so never a single sender.
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & GROUP_BIT != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(formatter, "{first:02x}")?;
        rest.iter().try_for_each(|octet| write!(formatter, ":{octet:02x}"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An untagged Ethernet header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Whom the frame is for.
    pub destination: Mac,
    /// Who sent it.
    pub source: Mac,
    /// What the frame carries, such as [`ETHERTYPE_ARP`].
    pub ethertype: u16,
}

impl Header {
    /// Gives the header and the bytes after it, which may end in padding.
    ///
    /// # Errors
    /// Refuses a frame that is [`Malformed::Short`] or [`Malformed::Tagged`].
    #[inline]
    pub fn read(frame: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let Some((header, body)) = frame.split_first_chunk::<HEADER_LENGTH>() else {
            return Err(Malformed::Short(frame.len()));
        };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        let ethertype = u16::from_be_bytes([t0, t1]);
        if ETHERTYPES_TAG.contains(&ethertype) {
            return Err(Malformed::Tagged(ethertype));
        }
        let destination = Mac([d0, d1, d2, d3, d4, d5]);
        let source = Mac([s0, s1, s2, s3, s4, s5]);
        Ok((Self { destination, source, ethertype }, body))
    }

    /// Gives the header's bytes as they go on the wire.
    #[must_use]
    #[inline]
    pub const fn write(&self) -> [u8; HEADER_LENGTH] {
        let [d0, d1, d2, d3, d4, d5] = self.destination.0;
        let [s0, s1, s2, s3, s4, s5] = self.source.0;
        let [t0, t1] = self.ethertype.to_be_bytes();
        [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1]
    }
}
