//! smoltcp reads what is written for IPv6: each message of Neighbor Discovery, and membership reports.
//!
//! Stands here since only here smoltcp has IPv6; run it with `cargo test` in this folder.
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::Ipv6Addr;

use announcer::wire::ethernet::Mac;
use announcer::wire::ipv6::{ALL_NODES, group_mac, solicited_node};
use announcer::wire::mld;
use announcer::wire::ndp::{Message, Neighbor};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, Icmpv6Packet, Icmpv6Repr, IpProtocol, Ipv6ExtHeader, Ipv6HopByHopHeader,
    Ipv6HopByHopRepr, Ipv6OptionRepr, Ipv6OptionRouterAlert, Ipv6Packet, Ipv6Repr, MldAddressRecord, MldRecordType,
    MldRepr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress,
};

const OWN: Mac = Mac([2, 0, 0, 0, 1, 2]);
const TARGET: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x200);
const ASKER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x50);

/// Gives the header and the payload of the IPv6 packet in a frame.
fn packet(frame: &[u8]) -> (Ipv6Repr, &[u8]) {
    let frame = EthernetFrame::new_checked(frame).unwrap();
    assert_eq!(frame.ethertype(), EthernetProtocol::Ipv6);
    let packet = Ipv6Packet::new_checked(frame.payload()).unwrap();
    (Ipv6Repr::parse(&packet).unwrap(), packet.payload())
}

#[test]
fn smoltcp_reads_every_message_of_a_neighbor() {
    let hardware = Some(RawHardwareAddress::from_bytes(&OWN.0));
    let advertisement = |is_solicited, is_override| Message::Advertisement {
        target: TARGET,
        target_mac: Some(OWN),
        is_solicited,
        is_override,
    };
    let advert = |flags| NdiscRepr::NeighborAdvert { flags, target_addr: TARGET, lladdr: hardware };
    let solicit = |lladdr| NdiscRepr::NeighborSolicit { target_addr: TARGET, lladdr };
    let ask = |source_mac| Message::Solicitation { target: TARGET, source_mac };
    for (message, source, destination, expected) in [
        (advertisement(true, false), TARGET, ASKER, advert(NdiscNeighborFlags::SOLICITED)),
        (advertisement(false, true), TARGET, ALL_NODES, advert(NdiscNeighborFlags::OVERRIDE)),
        (ask(Some(OWN)), ASKER, solicited_node(TARGET), solicit(hardware)),
        (ask(None), Ipv6Addr::UNSPECIFIED, solicited_node(TARGET), solicit(None)),
    ] {
        let destination_mac = group_mac(destination);
        let frame = Neighbor { destination_mac, source_mac: OWN, destination, source, message }.write();
        let (header, payload) = packet(&frame);
        let payload_len = payload.len();
        let next_header = IpProtocol::Icmpv6;
        let whole = Ipv6Repr { src_addr: source, dst_addr: destination, next_header, payload_len, hop_limit: 255 };
        assert_eq!(header, whole);
        let icmp = Icmpv6Packet::new_checked(payload).unwrap();
        let read = Icmpv6Repr::parse(&source, &destination, &icmp, &ChecksumCapabilities::default());
        assert_eq!(read.unwrap(), Icmpv6Repr::Ndisc(expected));
    }
}

#[test]
fn smoltcp_reads_a_report_of_two_groups() {
    let groups = [TARGET, ASKER].map(solicited_node);
    let frame = mld::report(OWN, Some(ASKER), &groups);
    let (header, payload) = packet(&frame);
    assert_eq!((header.hop_limit, header.next_header), (1, IpProtocol::HopByHop));
    let extension = Ipv6ExtHeader::new_checked(payload).unwrap();
    assert_eq!(extension.next_header(), IpProtocol::Icmpv6);
    let options = Ipv6HopByHopHeader::new_checked(extension.payload()).unwrap();
    let options = Ipv6HopByHopRepr::parse(&options).unwrap().options;
    let alert = Ipv6OptionRepr::RouterAlert(Ipv6OptionRouterAlert::MulticastListenerDiscovery);
    assert_eq!(options.first(), Some(&alert));
    let icmp = Icmpv6Packet::new_checked(&payload[8..]).unwrap();
    let checked = ChecksumCapabilities::default();
    let read = Icmpv6Repr::parse(&header.src_addr, &header.dst_addr, &icmp, &checked).unwrap();
    let Icmpv6Repr::Mld(MldRepr::Report { nr_mcast_addr_rcrds: 2, data }) = read else { panic!("{read:?}") };
    let (first, second) = data.split_at(20);
    for (record, group) in [first, second].into_iter().zip(groups) {
        let record = MldAddressRecord::new_checked(record).unwrap();
        assert_eq!((record.record_type(), record.mcast_addr()), (MldRecordType::ModeIsExclude, group));
    }
}
