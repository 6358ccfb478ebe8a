//! ARP against itself and against smoltcp's reader.

use std::net::Ipv4Addr;

use announcer::wire::Malformed;
use announcer::wire::arp::{FRAME_LENGTH, Frame, Operation, Packet};
use announcer::wire::ethernet::{ETHERTYPE_ARP, Header, Mac};
use proptest::prelude::*;
use smoltcp::wire::{
    ArpHardware, ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr,
};

use crate::mac;

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![Just(Operation::Request), Just(Operation::Reply), (3_u16..).prop_map(Operation::Other)]
}

fn packet() -> impl Strategy<Value = Packet> {
    let addresses = (mac(), any::<Ipv4Addr>(), mac(), any::<Ipv4Addr>());
    (operation(), addresses).prop_map(|(operation, (sender_mac, sender_ip, target_mac, target_ip))| Packet {
        operation,
        sender_mac,
        sender_ip,
        target_mac,
        target_ip,
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    (mac(), mac(), packet()).prop_map(|(destination, source, packet)| Frame { destination, source, packet })
}

proptest! {
    #[test]
    fn reading_undoes_writing_whatever_the_padding(frame in frame(), padding in 0_usize..40) {
        let mut bytes = frame.write().to_vec();
        bytes.resize(bytes.len() + padding, 0);
        prop_assert_eq!(Frame::read(&bytes), Ok(frame));
    }

    #[test]
    fn writing_undoes_reading(bytes in proptest::collection::vec(any::<u8>(), FRAME_LENGTH)) {
        let mut bytes = bytes;
        bytes[12..20].copy_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4]);
        prop_assert_eq!(&Frame::read(&bytes).unwrap().write()[..], &bytes[..]);
    }

    #[test]
    fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _ = Header::read(&bytes);
        let _ = Packet::read(&bytes);
        let _ = Frame::read(&bytes);
    }

    #[test]
    fn a_frame_cut_short_anywhere_is_refused_as_short(frame in frame(), length in 0..FRAME_LENGTH) {
        prop_assert_eq!(Frame::read(&frame.write()[..length]), Err(Malformed::Short(length)));
    }

    #[test]
    fn smoltcp_reads_what_we_write(frame in frame()) {
        let bytes = frame.write();
        let outer = EthernetFrame::new_checked(&bytes[..]).unwrap();
        let expected = EthernetRepr {
            src_addr: EthernetAddress(frame.source.0),
            dst_addr: EthernetAddress(frame.destination.0),
            ethertype: EthernetProtocol::Arp,
        };
        prop_assert_eq!(EthernetRepr::parse(&outer).unwrap(), expected);
        let inner = ArpPacket::new_checked(outer.payload()).unwrap();
        prop_assert_eq!(inner.hardware_type(), ArpHardware::Ethernet);
        let operation = match frame.packet.operation {
            Operation::Request => ArpOperation::Request,
            Operation::Reply => ArpOperation::Reply,
            Operation::Other(code) => ArpOperation::Unknown(code),
        };
        let expected = ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: EthernetAddress(frame.packet.sender_mac.0),
            source_protocol_addr: frame.packet.sender_ip,
            target_hardware_addr: EthernetAddress(frame.packet.target_mac.0),
            target_protocol_addr: frame.packet.target_ip,
        };
        prop_assert_eq!(ArpRepr::parse(&inner).unwrap(), expected);
    }
}

/// Gives a sound request with some bytes replaced from an offset on.
fn broken(offset: usize, bytes: &[u8]) -> Result<Frame, Malformed> {
    let packet = Packet {
        operation: Operation::Request,
        sender_mac: Mac([2, 0, 0, 0, 0, 1]),
        sender_ip: Ipv4Addr::new(192, 168, 1, 50),
        target_mac: Mac([0; 6]),
        target_ip: Ipv4Addr::new(192, 168, 1, 200),
    };
    let frame = Frame { destination: Mac::BROADCAST, source: packet.sender_mac, packet };
    let mut written = frame.write();
    written[offset..offset + bytes.len()].copy_from_slice(bytes);
    Frame::read(&written)
}

#[test]
fn what_is_not_arp_for_ipv4_over_ethernet_is_refused_by_name() {
    assert!(broken(0, &[]).is_ok());
    for (offset, bytes, refusal) in [
        (12, &[0x81, 0x00][..], Malformed::Tagged(0x8100)),
        (12, &[0x88, 0xa8], Malformed::Tagged(0x88a8)),
        (12, &[0x08, 0x00], Malformed::EtherType(0x0800)),
        (14, &[0, 6], Malformed::HardwareType(6)),
        (16, &[0x86, 0xdd], Malformed::ProtocolType(0x86dd)),
        (18, &[8], Malformed::AddressLengths { hardware: 8, protocol: 4 }),
        (19, &[16], Malformed::AddressLengths { hardware: 6, protocol: 16 }),
    ] {
        assert_eq!(broken(offset, bytes), Err(refusal));
    }
}

#[test]
fn an_ethernet_header_is_read_and_written_whatever_it_carries() {
    let header = Header { destination: Mac::BROADCAST, source: Mac([2, 0, 0, 0, 0, 1]), ethertype: 0x86dd };
    let mut bytes = header.write().to_vec();
    bytes.push(9);
    assert_eq!(Header::read(&bytes), Ok((header, &[9][..])));
    assert_ne!(header.ethertype, ETHERTYPE_ARP);
}

#[test]
fn a_mac_prints_as_hex_pairs_and_knows_when_it_is_a_group() {
    assert_eq!(Mac([2, 0, 0x5e, 0xff, 0, 1]).to_string(), "02:00:5e:ff:00:01");
    assert!(Mac::BROADCAST.is_group() && Mac([1, 0, 0x5e, 0, 0, 1]).is_group());
    assert!(!Mac([2, 0, 0, 0, 0, 1]).is_group());
}
