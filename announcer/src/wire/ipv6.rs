//! IPv6 headers in Ethernet frames (RFC 8200, RFC 2464) and the checksum of ICMPv6 (RFC 4443 §2.3).

use std::net::Ipv6Addr;

use super::Malformed;
use super::ethernet::{HEADER_LENGTH, Header, Mac};

/// EtherType of IPv6 (RFC 2464 §3).
pub const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Next header of ICMPv6 (RFC 4443 §1).
pub const NEXT_ICMPV6: u8 = 58;

/// Bytes of an IPv6 header.
pub const IPV6_LENGTH: usize = 40;

/// All nodes of the link (RFC 4291 §2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Gives the MAC address of an IPv6 group (RFC 2464 §7).
#[must_use]
pub const fn group_mac(group: Ipv6Addr) -> Mac {
    let [.., g0, g1, g2, g3] = group.octets();
    Mac([0x33, 0x33, g0, g1, g2, g3])
}

/// Gives the solicited-node group of an address (RFC 4291 §2.7.1).
#[must_use]
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let low = u16::from_be_bytes([b, c]);
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | a as u16, low)
}

/// An IPv6 packet in a frame, without what it carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Envelope {
    /// Whom the frame is for.
    pub destination_mac: Mac,
    /// Who sent the frame.
    pub source_mac: Mac,
    /// Whom the packet is for.
    pub destination: Ipv6Addr,
    /// Who sent the packet.
    pub source: Ipv6Addr,
    /// How many routers it may still pass.
    pub hop_limit: u8,
    /// What the packet carries first.
    pub next_header: u8,
}

impl Envelope {
    /// Gives the envelope and the payload, without the frame's padding.
    ///
    /// # Errors
    /// Refuses what is not an untagged frame with a whole IPv6 packet.
    pub fn read(frame: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let (Header { destination, source, ethertype }, packet) = Header::read(frame)?;
        if ethertype != ETHERTYPE_IPV6 {
            return Err(Malformed::EtherType(ethertype));
        }
        let Some((header, rest)) = packet.split_first_chunk::<IPV6_LENGTH>() else {
            return Err(Malformed::Short(frame.len()));
        };
        let [version, _, _, _, l0, l1, next_header, hop_limit, addresses @ ..] = header;
        if version >> 4 != 6 {
            return Err(Malformed::IpVersion(version >> 4));
        }
        let payload = rest.get(..usize::from(u16::from_be_bytes([*l0, *l1]))).ok_or(Malformed::Short(frame.len()))?;
        let (from, to) = addresses.split_at(16);
        let address = |bytes: &[u8]| bytes.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes));
        let (Some(from), Some(to)) = (address(from), address(to)) else { return Err(Malformed::Short(frame.len())) };
        let envelope = Self {
            destination_mac: destination,
            source_mac: source,
            destination: to,
            source: from,
            hop_limit: *hop_limit,
            next_header: *next_header,
        };
        Ok((envelope, payload))
    }

    /// Gives the frame that carries this payload.
    #[must_use]
    pub fn write(&self, payload: &[u8]) -> Vec<u8> {
        let (destination, source) = (self.destination_mac, self.source_mac);
        let header = Header { destination, source, ethertype: ETHERTYPE_IPV6 };
        let mut frame = Vec::with_capacity(HEADER_LENGTH + IPV6_LENGTH + payload.len());
        frame.extend(header.write());
        frame.extend([0x60, 0, 0, 0]);
        frame.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        frame.extend([self.next_header, self.hop_limit]);
        frame.extend(self.source.octets());
        frame.extend(self.destination.octets());
        frame.extend(payload);
        frame
    }
}

/// Gives the checksum of an ICMPv6 message whose own checksum field is zero, or zero for one whose field is right.
#[must_use]
pub fn checksum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    let next = [0, 0, 0, NEXT_ICMPV6];
    let pieces: [&[u8]; 5] = [&source.octets(), &destination.octets(), &length, &next, message];
    // Every piece but the last has an even length, so words do not straddle pieces.
    let words = pieces.into_iter().flat_map(|piece| piece.chunks(2)).map(|chunk| match chunk {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let mut sum = words.fold(0_u32, u32::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}
