//! On which interfaces addresses are answered, and what becomes of them when interfaces change.

use std::collections::BTreeMap;

use announcer::responder::{Action, Event, Exclusions, Purpose, Silence};
use announcer::wire::arp::Frame;
use announcer::wire::hello::{Stance, read_stances};

use crate::lab::{
    Done, Lab, MINUTE, SECOND, TIMING, VIP, announcements, answer, link, mac, on, opened, request, rounds, sent, vip,
    with,
};

#[test]
fn without_named_interfaces_every_usable_one_answers() {
    let mut lab = Lab::new();
    lab.links(vec![
        link(2, "lan0"),
        link(3, "lan1"),
        link(4, "veth12ab"),
        link(5, "docker0"),
        link(6, "lo"),
        with(link(7, "down0"), |link| link.traits.is_up = false),
        with(link(8, "slave0"), |link| link.traits.has_master = true),
        with(link(9, "quiet0"), |link| link.traits.has_no_arp = true),
        with(link(10, "ppp0"), |link| link.traits.can_broadcast = false),
        with(link(11, "ib0"), |link| link.traits.is_ethernet = false),
        with(link(12, "nomac0"), |link| link.mac = None),
        link(13, "local0"),
    ]);
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let interfaces = &lab.status.unwrap().answering[0].interfaces;
    let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["lan0", "lan1", "local0"]);
}

#[test]
fn a_named_interface_that_cannot_be_used_means_silence_with_the_reason() {
    for (names, silence) in [
        (&["lan0"][..], None),
        (&["lan9", "lan0"], None),
        (&["lan9"], Some(Silence::InterfaceMissing)),
        (&["down0"], Some(Silence::InterfaceMissing)),
        (&["slave0"], Some(Silence::InterfaceUnusable)),
        (&["docker0", "lan9"], Some(Silence::InterfaceUnusable)),
        (&[], Some(Silence::InterfaceMissing)),
    ] {
        let mut lab = Lab::new();
        lab.links(vec![
            link(2, "lan0"),
            with(link(3, "down0"), |link| link.traits.is_up = false),
            with(link(4, "slave0"), |link| link.traits.has_master = true),
            link(5, "docker0"),
        ]);
        lab.plan(vec![on(vip(VIP, &["node-1"]), names)]);
        assert_eq!(lab.silence(VIP), silence, "{names:?}");
    }
}

#[test]
fn without_any_usable_interface_nothing_is_answered() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
    lab.links(vec![link(2, "veth0")]);
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
}

#[test]
fn an_address_is_answered_only_where_the_plan_names_the_interface() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    lab.plan(vec![on(vip(VIP, &["node-1"]), &["lan1"])]);
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::OtherLink));
    assert_eq!(answer(&lab.hear(3, request(VIP))).packet.sender_mac, mac(3));
}

#[test]
fn on_the_other_interfaces_it_says_that_it_declines_so_that_nobody_waits_for_it_there() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    lab.plan(vec![on(vip(VIP, &["node-1", "node-2"]), &["lan1"])]);
    let hellos = sent(&lab.run_for(SECOND), |purpose| purpose == Purpose::Hello);
    for (wanted, stance) in [(2, Stance::Declines), (3, Stance::Answers(0))] {
        let (_, last) = hellos.iter().rfind(|(_, sent)| sent.link == wanted).unwrap();
        let stances = read_stances(opened(&last.frame).stances).unwrap();
        assert_eq!(stances, BTreeMap::from([(VIP.into(), stance)]));
    }
}

#[test]
fn an_exclusion_that_is_no_regular_expression_is_refused() {
    assert!(Exclusions::new(&["^lan", "("]).is_err());
}

fn opens(done: &[Done], wanted: &Action) -> bool {
    done.iter().any(|(_, action)| action == wanted)
}

#[test]
fn an_interface_that_comes_up_is_announced_on_and_the_others_are_not() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let new = announcements(&lab.links(vec![link(2, "lan0"), link(3, "lan1")]));
    assert!(new.iter().all(|(_, sent)| sent.link == 3) && new.len() == 2, "{new:?}");
}

#[test]
fn an_interface_that_lost_its_carrier_for_a_moment_listens_and_is_announced_on_again() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let down = with(link(2, "lan0"), |link| link.traits.is_up = false);
    assert!(opens(&lab.links(vec![down]), &Action::Close(2)));
    assert_eq!(lab.silence(VIP), Some(Silence::NoUsableInterface));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::SocketClosed));
    let up = lab.time();
    let done = lab.links(vec![link(2, "lan0")]);
    assert_eq!(done[0], (up, Action::Open(2)));
    assert_eq!(rounds(&done, VIP, up), [350]);
    assert_eq!(rounds(&lab.run_for(MINUTE), VIP, up), [1_450, 2_550, 3_650, 4_750]);
}

#[test]
fn an_interface_that_has_just_got_its_carrier_answers_and_announces_again_when_it_surely_sends() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let early = with(link(2, "lan0"), |link| link.traits.is_running = false);
    assert_eq!(announcements(&lab.links(vec![early])).len(), 2);
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_mac, mac(2));
    lab.run_for(MINUTE);
    let running = lab.time();
    let mut done = lab.links(vec![link(2, "lan0")]);
    done.extend(lab.run_for(MINUTE));
    assert_eq!(rounds(&done, VIP, running), [0, 1_100, 2_200, 3_300, 4_400]);
}

#[test]
fn a_new_mac_is_announced_and_answered_with_at_once_and_is_in_the_next_hello() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    let changed = lab.time();
    let mut done = lab.links(vec![with(link(2, "lan0"), |link| link.mac = Some(mac(77)))]);
    assert_eq!(Frame::read(&announcements(&done)[0].1.frame).unwrap().packet.sender_mac, mac(77));
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_mac, mac(77));
    assert_eq!(crate::lab::opened(&lab.hello).source, mac(77));
    done.extend(lab.run_for(MINUTE));
    assert_eq!(rounds(&done, VIP, changed), [0, 1_100, 2_200, 3_300, 4_400]);
    assert_eq!(lab.status.unwrap().answering[0].interfaces[0].mac, mac(77));
}

#[test]
fn a_socket_that_fails_is_opened_again_after_a_while_and_nothing_is_claimed_meanwhile() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    assert_eq!(lab.handle(Event::Links(vec![link(2, "lan0")])), [Action::Open(2)]);
    lab.handle(Event::Lost(2));
    let lost = lab.now;
    assert!(!lab.responder.is_listening());
    for attempt in 1..=3 {
        lab.now = lost + TIMING.socket_retry * attempt;
        lab.now = lab.now.saturating_sub(TIMING.report_interval);
        lab.handle(Event::Tick);
        assert_eq!(lab.silence(VIP), Some(Silence::SocketClosed));
        assert_eq!(lab.responder.deadline(), Some(lost + TIMING.socket_retry * attempt));
        lab.now = lost + TIMING.socket_retry * attempt;
        assert_eq!(lab.handle(Event::Tick), [Action::Open(2)]);
        lab.handle(Event::Lost(2));
    }
    lab.now += TIMING.socket_retry;
    lab.handle(Event::Tick);
    lab.handle(Event::Opened(2));
    assert!(lab.responder.is_listening());
    assert_eq!(announcements(&lab.run_for(SECOND)).len(), 2);
    assert_eq!(lab.silence(VIP), None);
}

#[test]
fn a_socket_that_is_lost_silences_its_interface_alone() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.handle(Event::Lost(2));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::SocketClosed));
    assert_eq!(answer(&lab.hear(3, request(VIP))).packet.sender_mac, mac(3));
    let done = lab.run_for(SECOND / 2);
    assert!(announcements(&done).iter().all(|(_, sent)| sent.link == 3));
}

#[test]
fn an_interface_that_is_renamed_follows_the_plan_under_its_new_name() {
    let mut lab = Lab::on_lan();
    lab.plan(vec![on(vip(VIP, &["node-1"]), &["lan0"])]);
    lab.links(vec![link(2, "uplink")]);
    assert_eq!(lab.silence(VIP), Some(Silence::InterfaceMissing));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::OtherLink));
    lab.links(vec![link(2, "lan0")]);
    assert_eq!(lab.silence(VIP), None);
}

#[test]
fn it_listens_once_the_interfaces_are_known_also_with_an_empty_plan_or_no_interface() {
    let mut lab = Lab::new();
    assert!(!lab.responder.is_listening());
    lab.links(vec![]);
    assert!(lab.responder.is_listening());
    lab.links(vec![link(2, "lan0")]);
    assert!(lab.responder.is_listening());
}
