//! Bytes from and for the wire as values, and back.
//!
//! Nothing here opens a socket, keeps state or panics: any bytes give a value or a named refusal.

pub mod arp;
pub mod ethernet;
pub mod hello;
pub mod ipv6;
pub mod mld;
pub mod ndp;

use thiserror::Error;

/// Why a frame is not one that this program reads; in each case the frame is dropped and no state changes.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Malformed {
    /// The frame ends before its headers do.
    #[error("frame ends after {0} bytes, inside its headers; dropped")]
    Short(usize),
    /// An IEEE 802.1Q or 802.1ad tag: the frame belongs to a VLAN sub-interface, if to anyone here.
    #[error("frame carries a VLAN tag (0x{0:04x}); dropped")]
    Tagged(u16),
    /// Another protocol than the one asked for.
    #[error("frame carries EtherType 0x{0:04x}, not the one expected; dropped")]
    EtherType(u16),
    /// ARP for another kind of link than Ethernet.
    #[error("ARP packet has hardware type {0}, not Ethernet; dropped")]
    HardwareType(u16),
    /// ARP for another protocol than IPv4.
    #[error("ARP packet has protocol type 0x{0:04x}, not IPv4; dropped")]
    ProtocolType(u16),
    /// Address lengths that do not fit Ethernet and IPv4.
    #[error("ARP packet has addresses of {hardware} and {protocol} bytes, not 6 and 4; dropped")]
    AddressLengths {
        /// Length of a hardware address, in bytes.
        hardware: u8,
        /// Length of a protocol address, in bytes.
        protocol: u8,
    },
    /// An IPv6 frame without an IPv6 packet.
    #[error("packet has IP version {0}, not 6; dropped")]
    IpVersion(u8),
    /// Another protocol than ICMPv6.
    #[error("packet carries next header {0}, not ICMPv6; dropped")]
    NextHeader(u8),
    /// Another message than a Neighbor Solicitation or Advertisement.
    #[error("ICMPv6 message has type {0}, not one of Neighbor Discovery; dropped")]
    IcmpType(u8),
    /// A message that a neighbor does not send (RFC 4861 §7.1).
    #[error("message of Neighbor Discovery fails its checks; dropped")]
    Neighbor,
}
