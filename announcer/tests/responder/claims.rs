//! ARP packets and Neighbor Advertisements by which a fellow shows that it answers.

use std::net::Ipv6Addr;

use announcer::responder::Event;
use announcer::wire::arp::{Frame, Packet};
use announcer::wire::ipv6::{ALL_NODES, group_mac};
use announcer::wire::ndp::{Message, Neighbor};

use crate::fellow::Fellow;
use crate::lab::{CLIENT_MAC, Lab, MILLI, SECOND, VIP, vip};

/// This node answers for the VIP and lives with node-2, which stands before it, and node-3, which is no candidate.
fn answering_with_two() -> (Lab, Fellow, Fellow) {
    let mut lab = Lab::on_lan();
    let (mut first, stranger) = (lab.meet("node-2"), lab.meet("node-3"));
    lab.run_with(&mut first, SECOND * 2);
    lab.plan(vec![vip(VIP, &["node-2", "node-1"])]);
    lab.run_with(&mut first, SECOND);
    let mut other = stranger;
    lab.happen(other.hello(&lab.hello));
    lab.run_for(MILLI * 10);
    lab.happen(other.hello(&lab.hello));
    assert_eq!((lab.answers(VIP), lab.responder.fellows(2)), (true, 2));
    (lab, first, other)
}

#[test]
fn an_arp_packet_is_the_word_of_a_known_fellow_that_is_a_candidate_and_of_nobody_else() {
    let (_, first, other) = answering_with_two();
    let of_first = first.arp(VIP);
    let by = |sender_mac| Packet { sender_mac, ..of_first.packet };
    for (name, frame, is_heeded) in [
        ("the first candidate", of_first, true),
        ("its announcement", Frame { packet: Packet { target_ip: VIP, ..of_first.packet }, ..of_first }, true),
        ("a client", Frame { source: CLIENT_MAC, packet: by(CLIENT_MAC), ..of_first }, false),
        ("a fellow that is no candidate", other.arp(VIP), false),
        ("one unknown in the name of the first", Frame { source: CLIENT_MAC, ..of_first }, false),
        ("the first about another", Frame { packet: by(CLIENT_MAC), ..of_first }, false),
    ] {
        let (mut lab, ..) = answering_with_two();
        lab.happen(Event::Frame(2, frame.write().to_vec()));
        assert_eq!(lab.answers(VIP), !is_heeded, "{name}");
    }
}

#[test]
fn a_neighbor_advertisement_is_the_word_of_a_known_fellow_in_the_same_way() {
    let target: Ipv6Addr = "fd00::200".parse().unwrap();
    for (source_mac, names, is_heeded) in
        [(None, None, true), (None, Some(CLIENT_MAC), false), (Some(CLIENT_MAC), None, false)]
    {
        let mut lab = Lab::on_lan();
        let mut first = lab.meet("node-2");
        lab.run_with(&mut first, SECOND * 2);
        lab.plan(vec![vip(target, &["node-2", "node-1"])]);
        lab.run_with(&mut first, SECOND);
        assert!(lab.answers(target));
        let source_mac = source_mac.unwrap_or(first.mac);
        let message = Message::Advertisement { target, target_mac: names, is_solicited: false, is_override: true };
        let (destination_mac, destination) = (group_mac(ALL_NODES), ALL_NODES);
        let frame = Neighbor { destination_mac, source_mac, destination, source: target, message };
        lab.happen(Event::Frame(2, frame.write()));
        assert_eq!(lab.answers(target), !is_heeded, "{frame:?}");
    }
}

#[test]
fn a_hello_that_denies_what_a_packet_said_has_the_last_word_and_packets_prove_nothing_for_a_while() {
    let (mut lab, mut first, _) = answering_with_two();
    let forged = || Event::Frame(2, Fellow::new("node-2").arp(VIP).write().to_vec());
    lab.happen(forged());
    assert!(!lab.answers(VIP));
    lab.run_with(&mut first, SECOND * 2);
    assert!(lab.answers(VIP));
    lab.happen(forged());
    assert!(lab.answers(VIP));
    lab.run_with(&mut first, SECOND * 10);
    lab.happen(forged());
    assert!(!lab.answers(VIP));
}

#[test]
fn a_packet_that_a_hello_has_overtaken_takes_back_nothing_that_the_hello_gave_up() {
    for is_leaving in [true, false] {
        let (mut lab, mut first, _) = answering_with_two();
        first.is_leaving = is_leaving;
        lab.happen(first.hello(&lab.hello));
        lab.happen(Event::Frame(2, first.arp(VIP).write().to_vec()));
        assert_eq!(lab.answers(VIP), is_leaving);
    }
}
