//! Which multicast groups an interface joins for IPv6 addresses, and how switches are told.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{Action, Event, Purpose};
use announcer::wire::ethernet::Mac;
use announcer::wire::ipv6::{ALL_NODES, Envelope, group_mac, solicited_node};
use announcer::wire::mld::GROUPS_CAPACITY;

use crate::lab::{Done, Lab, MINUTE, SECOND, TIMING, VIP, link, mac, sent, vip, with};

const ONE: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, 0x200);
/// Another address with the same group.
const SAME: Ipv6Addr = Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 1, 0x200);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, 0x201);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

fn group(ip: Ipv6Addr) -> Mac {
    group_mac(solicited_node(ip))
}

fn vips(ips: &[Ipv6Addr]) -> Vec<Vip> {
    ips.iter().map(|&ip| vip(ip, &["node-1"])).collect()
}

fn joined(done: &[Done]) -> Vec<Mac> {
    let join = |(_, action): &Done| match action {
        Action::Join(2, group) => Some(*group),
        _ => None,
    };
    done.iter().filter_map(join).collect()
}

fn left(done: &[Done]) -> Vec<Mac> {
    let leave = |(_, action): &Done| match action {
        Action::Leave(2, group) => Some(*group),
        _ => None,
    };
    done.iter().filter_map(leave).collect()
}

fn reports(done: &[Done]) -> Vec<(Duration, Vec<u8>)> {
    let sent = sent(done, |purpose| purpose == Purpose::Membership);
    sent.into_iter().map(|(at, transmission)| (at, transmission.frame)).collect()
}

/// Gives the groups that a report names, once everything else about it is as RFC 3810 has it.
fn named(frame: &[u8], source: Ipv6Addr) -> Vec<Ipv6Addr> {
    let (envelope, payload) = Envelope::read(frame).unwrap();
    let routers: Ipv6Addr = "ff02::16".parse().unwrap();
    assert_eq!((envelope.destination_mac, envelope.destination), (Mac([0x33, 0x33, 0, 0, 0, 0x16]), routers));
    assert_eq!((envelope.source_mac, envelope.source), (mac(2), source));
    assert_eq!((envelope.hop_limit, envelope.next_header), (1, 0));
    let (options, message) = payload.split_at(8);
    assert_eq!(options, [58, 0, 5, 2, 0, 0, 1, 0]);
    assert_eq!(sum(source, routers, message), 0xffff);
    assert_eq!((&message[..2], &message[4..6]), (&[143, 0][..], &[0, 0][..]));
    let records = message[8..].chunks_exact(20);
    assert!(records.remainder().is_empty());
    assert_eq!(usize::from(u16::from_be_bytes([message[6], message[7]])), records.len());
    let group = |record: &[u8]| {
        assert_eq!(record[..4], [2, 0, 0, 0]);
        Ipv6Addr::from(*record.last_chunk::<16>().unwrap())
    };
    records.map(group).collect()
}

/// Gives the sum of a message and its pseudo-header in ones' complement (RFC 1071), from its definition.
fn sum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let mut bytes = [source.octets(), destination.octets()].concat();
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend([0, 0, 0, 58]);
    bytes.extend(message);
    bytes.chunks(2).fold(0, |sum: u16, word| {
        let (sum, carry) = sum.overflowing_add(u16::from_be_bytes([word[0], *word.get(1).unwrap_or(&0)]));
        sum + u16::from(carry)
    })
}

#[test]
fn the_group_of_an_ipv6_address_and_that_of_all_nodes_are_joined_at_once() {
    let mut lab = Lab::on_lan();
    let at = lab.time();
    let done = lab.plan(vips(&[ONE]));
    let all_nodes = Mac([0x33, 0x33, 0, 0, 0, 1]);
    assert_eq!(group_mac(ALL_NODES), all_nodes);
    assert_eq!(BTreeSet::from_iter(joined(&done)), BTreeSet::from([all_nodes, Mac([0x33, 0x33, 0xff, 1, 2, 0])]));
    assert!(done.iter().filter(|(_, action)| matches!(action, Action::Join(..))).all(|(when, _)| *when == at));
}

#[test]
fn an_ipv4_address_joins_nothing() {
    let mut lab = Lab::on_lan();
    let mut done = lab.plan(vec![vip(VIP, &["node-1"])]);
    done.extend(lab.run_for(MINUTE * 2));
    assert!(joined(&done).is_empty() && reports(&done).is_empty());
}

#[test]
fn a_group_is_joined_once_and_left_with_its_last_address() {
    let mut lab = Lab::on_lan();
    let done = lab.plan(vips(&[ONE, SAME]));
    assert_eq!(joined(&done).iter().filter(|joined| **joined == group(ONE)).count(), 1);
    let done = lab.plan(vips(&[SAME, OTHER]));
    assert_eq!((joined(&done), left(&done)), (vec![group(OTHER)], vec![]));
    let done = lab.plan(vips(&[OTHER]));
    assert_eq!((joined(&done), left(&done)), (vec![], vec![group(ONE)]));
    let done = lab.plan(vec![]);
    assert_eq!(BTreeSet::from_iter(left(&done)), BTreeSet::from([group(OTHER), group_mac(ALL_NODES)]));
    let done = lab.plan(vips(&[ONE]));
    assert_eq!(joined(&done).len(), 2);
}

#[test]
fn an_address_joins_also_while_another_candidate_answers() {
    let mut lab = Lab::on_lan();
    let done = lab.plan(vec![vip(ONE, &["node-2"])]);
    assert!(joined(&done).contains(&group(ONE)));
}

#[test]
fn after_its_socket_is_opened_again_an_interface_joins_all_groups_again() {
    let mut lab = Lab::on_lan();
    lab.plan(vips(&[ONE, SAME, OTHER]));
    let all = BTreeSet::from([group(ONE), group(OTHER), group_mac(ALL_NODES)]);
    lab.handle(Event::Lost(2));
    let done = lab.run_for(SECOND * 2);
    assert_eq!((joined(&done).len(), BTreeSet::from_iter(joined(&done))), (3, all.clone()));
    let down = with(link(2, "lan0"), |link| link.traits.is_up = false);
    assert!(joined(&lab.links(vec![down])).is_empty());
    let done = lab.links(vec![link(2, "lan0")]);
    assert_eq!((joined(&done).len(), BTreeSet::from_iter(joined(&done))), (3, all));
}

#[test]
fn what_has_left_the_plan_while_the_socket_was_closed_is_not_joined_again() {
    let mut lab = Lab::on_lan();
    lab.plan(vips(&[ONE, OTHER]));
    lab.handle(Event::Lost(2));
    let done = lab.happen(Event::Plan(Plan { generation: 8, vips: vips(&[OTHER]) }));
    assert!(!done.iter().any(|action| matches!(action, Action::Leave(..))));
    let done = lab.run_for(SECOND * 2);
    assert_eq!(BTreeSet::from_iter(joined(&done)), BTreeSet::from([group(OTHER), group_mac(ALL_NODES)]));
}

#[test]
fn switches_are_told_at_once_again_after_a_second_and_every_minute() {
    let mut lab = Lab::new();
    lab.links(vec![with(link(2, "lan0"), |link| link.link_local = Some(LINK_LOCAL))]);
    let start = lab.time();
    let mut done = lab.plan(vips(&[ONE, SAME, OTHER]));
    done.extend(lab.run_for(MINUTE * 3));
    let reports = reports(&done);
    let times: Vec<_> = reports.iter().map(|(at, _)| at.saturating_sub(start).as_millis()).collect();
    assert_eq!(times, [10, 1_010, 61_010, 121_010]);
    for (_, frame) in reports {
        assert_eq!(named(&frame, LINK_LOCAL), [solicited_node(ONE), solicited_node(OTHER)]);
    }
}

#[test]
fn only_a_group_that_is_new_is_told_before_its_time() {
    let mut lab = Lab::on_lan();
    lab.plan(vips(&[ONE]));
    lab.run_for(SECOND * 10);
    assert!(reports(&lab.plan(vips(&[ONE, SAME]))).is_empty());
    let done = lab.plan(vips(&[ONE, SAME, OTHER]));
    let [(_, frame)] = &reports(&done)[..] else { panic!("{done:?}") };
    assert_eq!(named(frame, Ipv6Addr::UNSPECIFIED), [solicited_node(ONE), solicited_node(OTHER)]);
    lab.run_for(SECOND * 10);
    assert!(reports(&lab.plan(vips(&[ONE]))).is_empty());
    lab.plan(vec![]);
    assert!(reports(&lab.run_for(MINUTE * 5)).is_empty());
}

#[test]
fn thousands_of_groups_are_told_in_reports_that_fit_a_frame() {
    let count = u16::try_from(GROUPS_CAPACITY * 2 + 1).unwrap();
    let ips: Vec<_> = (0..count).map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)).collect();
    let mut lab = Lab::on_lan();
    let done = lab.let_happen(Event::Plan(Plan { generation: 7, vips: vips(&ips) }));
    let reports = reports(&done);
    assert_eq!(reports.len(), 3);
    let wanted: BTreeSet<_> = ips.iter().map(|&ip| solicited_node(ip)).collect();
    let told = reports.iter().flat_map(|(_, frame)| named(frame, Ipv6Addr::UNSPECIFIED)).collect();
    assert_eq!(wanted, told);
    assert!(reports.iter().all(|(_, frame)| frame.len() <= 1_514));
}

#[test]
fn an_address_that_is_given_up_stays_in_its_group_until_a_fellow_answers() {
    let mut lab = Lab::on_lan();
    lab.plan(vec![vip(ONE, &["node-1", "node-2"])]);
    lab.meet("node-2");
    let actions = lab.happen(Event::Plan(Plan { generation: 8, vips: vec![] }));
    assert!(!actions.contains(&Action::Leave(2, group(ONE))) && lab.answers(IpAddr::V6(ONE)));
    let at = lab.time();
    let done = lab.run_for(TIMING.handover);
    assert!(done.contains(&(at + TIMING.handover, Action::Leave(2, group(ONE)))), "{done:?}");
}
