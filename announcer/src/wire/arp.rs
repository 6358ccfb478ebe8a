//! ARP for IPv4 over Ethernet (RFC 826), read and written as whole frames.

use std::net::Ipv4Addr;

use super::Malformed;
use super::ethernet::{ETHERTYPE_ARP, HEADER_LENGTH, Header, Mac};

/// Bytes of an ARP packet with Ethernet and IPv4 addresses.
pub const PACKET_LENGTH: usize = 28;

/// Bytes of a frame with such a packet, without the padding that the interface adds.
pub const FRAME_LENGTH: usize = HEADER_LENGTH + PACKET_LENGTH;

/// Hardware type of Ethernet, `ares_hrd$Ethernet` (RFC 826).
const HARDWARE_ETHERNET: u16 = 1;

/// Protocol type of IPv4, its EtherType (RFC 826).
const PROTOCOL_IPV4: u16 = 0x0800;

/// Address lengths of Ethernet and IPv4, in bytes.
const HARDWARE_LENGTH: u8 = 6;
const PROTOCOL_LENGTH: u8 = 4;

/// Operation codes `ares_op$REQUEST` and `ares_op$REPLY` (RFC 826).
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// What an ARP packet does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Asks who has the target address.
    Request,
    /// Says who has the sender address.
    Reply,
    /// Neither: RARP, `InARP` and whatever else has a number (RFC 5494).
    Other(u16),
}

impl Operation {
    const fn from_code(code: u16) -> Self {
        match code {
            REQUEST => Self::Request,
            REPLY => Self::Reply,
            other => Self::Other(other),
        }
    }

    const fn code(self) -> u16 {
        match self {
            Self::Request => REQUEST,
            Self::Reply => REPLY,
            Self::Other(code) => code,
        }
    }
}

/// An ARP packet with Ethernet and IPv4 addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet {
    /// What the packet does.
    pub operation: Operation,
    /// MAC address of whoever speaks.
    pub sender_mac: Mac,
    /// IPv4 address of whoever speaks; 0.0.0.0 in a probe (RFC 5227 §2.1.1).
    pub sender_ip: Ipv4Addr,
    /// MAC address of whom it concerns; without meaning in a request.
    pub target_mac: Mac,
    /// IPv4 address that it is about.
    pub target_ip: Ipv4Addr,
}

impl Packet {
    /// Gives the packet that follows an Ethernet header; bytes after it are padding.
    ///
    /// # Errors
    /// Refuses a body that is too short or is not ARP for IPv4 over Ethernet.
    #[inline]
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let Some(packet) = body.first_chunk::<PACKET_LENGTH>() else {
            return Err(Malformed::Short(HEADER_LENGTH + body.len()));
        };
        let [h0, h1, p0, p1, hardware, protocol, o0, o1, addresses @ ..] = *packet;
        let [m0, m1, m2, m3, m4, m5, i0, i1, i2, i3, targets @ ..] = addresses;
        let [n0, n1, n2, n3, n4, n5, j0, j1, j2, j3] = targets;
        match (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1])) {
            (HARDWARE_ETHERNET, PROTOCOL_IPV4) => {}
            (HARDWARE_ETHERNET, other) => return Err(Malformed::ProtocolType(other)),
            (other, _) => return Err(Malformed::HardwareType(other)),
        }
        if (hardware, protocol) != (HARDWARE_LENGTH, PROTOCOL_LENGTH) {
            return Err(Malformed::AddressLengths { hardware, protocol });
        }
        Ok(Self {
            operation: Operation::from_code(u16::from_be_bytes([o0, o1])),
            sender_mac: Mac([m0, m1, m2, m3, m4, m5]),
            sender_ip: Ipv4Addr::new(i0, i1, i2, i3),
            target_mac: Mac([n0, n1, n2, n3, n4, n5]),
            target_ip: Ipv4Addr::new(j0, j1, j2, j3),
        })
    }

    /// Gives the packet's bytes as they follow an Ethernet header.
    #[must_use]
    #[inline]
    pub const fn write(&self) -> [u8; PACKET_LENGTH] {
        let [h0, h1] = HARDWARE_ETHERNET.to_be_bytes();
        let [p0, p1] = PROTOCOL_IPV4.to_be_bytes();
        let [o0, o1] = self.operation.code().to_be_bytes();
        let [m0, m1, m2, m3, m4, m5] = self.sender_mac.0;
        let [i0, i1, i2, i3] = self.sender_ip.octets();
        let [n0, n1, n2, n3, n4, n5] = self.target_mac.0;
        let [j0, j1, j2, j3] = self.target_ip.octets();
        [
            h0,
            h1,
            p0,
            p1,
            HARDWARE_LENGTH,
            PROTOCOL_LENGTH,
            o0,
            o1, //
            m0,
            m1,
            m2,
            m3,
            m4,
            m5,
            i0,
            i1,
            i2,
            i3,
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            j0,
            j1,
            j2,
            j3,
        ]
    }
}

/// An Ethernet frame with an ARP packet in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Whom the frame itself is for.
    pub destination: Mac,
    /// Who sent the frame itself; a bridge or a liar may differ from the packet's sender.
    pub source: Mac,
    /// What it carries.
    pub packet: Packet,
}

impl Frame {
    /// Gives the frame that the bytes hold, which may end in padding.
    ///
    /// # Errors
    /// Refuses what is not an untagged frame with ARP for IPv4 over Ethernet, by the first thing that is wrong.
    #[inline]
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (Header { destination, source, ethertype }, body) = Header::read(bytes)?;
        if ethertype != ETHERTYPE_ARP {
            return Err(Malformed::EtherType(ethertype));
        }
        Ok(Self { destination, source, packet: Packet::read(body)? })
    }

    /// Gives the frame's bytes as they go on the wire, without padding.
    #[must_use]
    #[inline]
    pub fn write(&self) -> [u8; FRAME_LENGTH] {
        let header = Header { destination: self.destination, source: self.source, ethertype: ETHERTYPE_ARP };
        let mut bytes = [0; FRAME_LENGTH];
        let (head, body) = bytes.split_at_mut(HEADER_LENGTH);
        head.copy_from_slice(&header.write());
        body.copy_from_slice(&self.packet.write());
        bytes
    }
}
