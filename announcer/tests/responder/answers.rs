//! Which ARP packets get an answer.

use std::net::Ipv4Addr;

use announcer::responder::{Action, Event, Silence};
use announcer::wire::Malformed;
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;

use crate::lab::{CLIENT, CLIENT_MAC, Lab, OTHER_VIP, VIP, answer, mac, request, vip};

type Change = fn(&mut Frame);

#[test]
fn a_request_for_an_address_of_ours_is_answered_to_its_sender_alone() {
    let mut lab = Lab::answering();
    let packet = Packet {
        operation: Operation::Reply,
        sender_mac: mac(2),
        sender_ip: VIP,
        target_mac: CLIENT_MAC,
        target_ip: CLIENT,
    };
    let expected = Frame { destination: CLIENT_MAC, source: mac(2), packet };
    assert_eq!(answer(&lab.hear(2, request(VIP))), expected);
    let unicast = Frame { destination: mac(2), ..request(VIP) };
    assert_eq!(answer(&lab.hear(2, unicast)), expected);
}

#[test]
fn a_probe_is_answered_so_that_its_sender_learns_that_the_address_is_in_use() {
    let mut lab = Lab::answering();
    let mut probe = request(VIP);
    probe.packet.sender_ip = Ipv4Addr::UNSPECIFIED;
    let answer = answer(&lab.hear(2, probe));
    assert_eq!((answer.destination, answer.packet.target_ip), (CLIENT_MAC, Ipv4Addr::UNSPECIFIED));
}

#[test]
fn what_is_not_a_request_to_us_gets_silence_with_its_reason() {
    let changes: [(Change, Silence); 7] = [
        (|frame| frame.packet.operation = Operation::Reply, Silence::NotARequest),
        (|frame| frame.packet.operation = Operation::Other(8), Silence::NotARequest),
        (|frame| frame.destination = mac(9), Silence::NotForUs),
        (|frame| frame.packet.sender_ip = VIP, Silence::Announcement),
        (|frame| frame.packet.sender_mac = Mac::BROADCAST, Silence::GroupSender),
        (|frame| frame.packet.target_ip = Ipv4Addr::new(192, 168, 1, 11), Silence::NotOurs),
        (|frame| frame.packet.target_ip = OTHER_VIP, Silence::NotACandidate),
    ];
    let mut lab = Lab::answering();
    lab.plan(vec![vip(VIP, &["node-1"]), vip(OTHER_VIP, &["node-2"])]);
    for (change, silence) in changes {
        let mut frame = request(VIP);
        change(&mut frame);
        assert_eq!(lab.hear(2, frame), Action::Ignore(silence), "{frame:?}");
    }
    assert_eq!(lab.hear(3, request(VIP)), Action::Ignore(Silence::SocketClosed));
}

#[test]
fn a_frame_that_makes_no_sense_is_dropped() {
    let mut lab = Lab::answering();
    assert_eq!(lab.happen(Event::Frame(2, vec![0; 20])), [Action::Drop(Malformed::EtherType(0))]);
}

#[test]
fn the_first_candidate_that_lives_answers() {
    for (nodes, silence) in [
        (&["node-1"][..], None),
        (&["node-1", "node-2"], None),
        (&["node-2", "node-1"], None),
        (&["node-2"], Some(Silence::NotACandidate)),
        (&["node-10"], Some(Silence::NotACandidate)),
        (&[], Some(Silence::NotACandidate)),
    ] {
        let mut lab = Lab::answering();
        lab.plan(vec![vip(VIP, nodes)]);
        assert_eq!(lab.silence(VIP), silence, "{nodes:?}");
    }
}

#[test]
fn a_frame_from_this_nodes_own_mac_is_its_own_and_tells_nothing() {
    let mut lab = Lab::answering();
    let own = Frame { source: mac(2), ..request(VIP) };
    assert_eq!(lab.hear(2, own), Action::Ignore(Silence::OwnFrame));
}
