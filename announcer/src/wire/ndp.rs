//! Neighbor Discovery for IPv6 (RFC 4861): solicitations and advertisements, read and written as whole frames.

use std::net::Ipv6Addr;

use super::Malformed;
use super::ethernet::Mac;
use super::ipv6::{Envelope, NEXT_ICMPV6, checksum};

/// ICMPv6 types (RFC 4861 §4.3, §4.4).
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// ICMPv6 type of an advertisement.
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// What a packet of Neighbor Discovery must have gone through: no router (RFC 4861 §7.1).
const HOP_LIMIT: u8 = 255;

/// Bytes of a message without its options.
const MESSAGE_LENGTH: usize = 24;

/// Option types of link-layer addresses (RFC 4861 §4.6.1).
const OPTION_SOURCE: u8 = 1;
const OPTION_TARGET: u8 = 2;

/// Bits of an advertisement (RFC 4861 §4.4).
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// A Neighbor Solicitation or Advertisement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Message {
    /// Who has the target?
    Solicitation {
        /// The address asked for.
        target: Ipv6Addr,
        /// The asker's MAC address, if it says so.
        source_mac: Option<Mac>,
    },
    /// I have the target.
    Advertisement {
        /// The address.
        target: Ipv6Addr,
        /// Its MAC address, if it says so.
        target_mac: Option<Mac>,
        /// Whether it answers a solicitation.
        is_solicited: bool,
        /// Whether it is to replace what is known already.
        is_override: bool,
    },
}

/// A frame with such a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbor {
    /// Whom the frame is for.
    pub destination_mac: Mac,
    /// Who sent the frame.
    pub source_mac: Mac,
    /// Whom the packet is for.
    pub destination: Ipv6Addr,
    /// Who sent the packet; unspecified from one that looks whether the address is free (RFC 4862 §5.4.2).
    pub source: Ipv6Addr,
    /// What it says.
    pub message: Message,
}

impl Neighbor {
    /// Gives the message that a frame holds, which may end in padding.
    ///
    /// # Errors
    /// Refuses what is not a Neighbor Solicitation or Advertisement, and what does not pass every check of RFC 4861
    /// §7.1.1 or §7.1.2.
    pub fn read(frame: &[u8]) -> Result<Self, Malformed> {
        let (envelope, payload) = Envelope::read(frame)?;
        if envelope.next_header != NEXT_ICMPV6 {
            return Err(Malformed::NextHeader(envelope.next_header));
        }
        let Some((message, options)) = payload.split_first_chunk::<MESSAGE_LENGTH>() else {
            return Err(Malformed::Short(frame.len()));
        };
        let [kind, code, _, _, bits, _, _, _, target @ ..] = *message;
        if kind != NEIGHBOR_SOLICITATION && kind != NEIGHBOR_ADVERTISEMENT {
            return Err(Malformed::IcmpType(kind));
        }
        let is_whole = checksum(envelope.source, envelope.destination, payload) == 0;
        let target = Ipv6Addr::from(target);
        if envelope.hop_limit != HOP_LIMIT || code != 0 || !is_whole || target.is_multicast() {
            return Err(Malformed::Neighbor);
        }
        let wanted = if kind == NEIGHBOR_SOLICITATION { OPTION_SOURCE } else { OPTION_TARGET };
        let mac = link_layer(options, wanted)?;
        let Envelope { destination_mac, source_mac, destination, source, .. } = envelope;
        let (is_solicited, is_override) = (bits & SOLICITED != 0, bits & OVERRIDE != 0);
        let message = if kind == NEIGHBOR_SOLICITATION {
            let is_probe = source.is_unspecified();
            if is_probe && (mac.is_some() || !is_solicited_node(destination)) {
                return Err(Malformed::Neighbor);
            }
            Message::Solicitation { target, source_mac: mac }
        } else {
            if is_solicited && destination.is_multicast() {
                return Err(Malformed::Neighbor);
            }
            Message::Advertisement { target, target_mac: mac, is_solicited, is_override }
        };
        Ok(Self { destination_mac, source_mac, destination, source, message })
    }

    /// Gives the frame's bytes as they go on the wire.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let (kind, bits, target, option, mac) = match self.message {
            Message::Solicitation { target, source_mac } => {
                (NEIGHBOR_SOLICITATION, 0, target, OPTION_SOURCE, source_mac)
            }
            Message::Advertisement { target, target_mac, is_solicited, is_override } => {
                let solicited = if is_solicited { SOLICITED } else { 0 };
                let bits = solicited | if is_override { OVERRIDE } else { 0 };
                (NEIGHBOR_ADVERTISEMENT, bits, target, OPTION_TARGET, target_mac)
            }
        };
        let mut message = vec![kind, 0, 0, 0, bits, 0, 0, 0];
        message.extend(target.octets());
        if let Some(mac) = mac {
            message.extend([option, 1]);
            message.extend(mac.0);
        }
        let [high, low] = checksum(self.source, self.destination, &message).to_be_bytes();
        for (byte, value) in message.iter_mut().skip(2).zip([high, low]) {
            *byte = value;
        }
        let envelope = Envelope {
            destination_mac: self.destination_mac,
            source_mac: self.source_mac,
            destination: self.destination,
            source: self.source,
            hop_limit: HOP_LIMIT,
            next_header: NEXT_ICMPV6,
        };
        envelope.write(&message)
    }
}

const fn is_solicited_node(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0xff02, 0, 0, 0, 0, 1, 0xff00..=0xffff, _])
}

/// Gives the MAC address in the first option of this type, if there is one.
fn link_layer(options: &[u8], wanted: u8) -> Result<Option<Mac>, Malformed> {
    let mut found = None;
    let mut rest = options;
    while let [kind, units, ..] = rest {
        let length = usize::from(*units) * 8;
        if length == 0 {
            return Err(Malformed::Neighbor);
        }
        let (option, tail) = rest.split_at_checked(length).ok_or(Malformed::Neighbor)?;
        if let [_, 1, mac @ ..] = option
            && *kind == wanted
        {
            found = found.or(mac.first_chunk().copied().map(Mac));
        }
        rest = tail;
    }
    if rest.is_empty() { Ok(found) } else { Err(Malformed::Neighbor) }
}
