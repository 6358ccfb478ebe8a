//! How addresses are given up in good order.

use std::net::{IpAddr, Ipv4Addr};

use announcer::plan::Plan;
use announcer::responder::{Action, Event, Notice, Purpose, ROUND_INTERVAL, Silence};
use announcer::wire::hello::{Stance, read_stances};

use crate::fellow::Fellow;
use crate::lab::{
    Lab, MILLI, MINUTE, OTHER_VIP, SECOND, TIMING, VIP, announcements, answer, link, notices, opened, request, sent,
    vip,
};

fn with_fellow() -> (Lab, Fellow) {
    let mut lab = Lab::answering();
    let fellow = lab.meet("node-2");
    lab.run_for(TIMING.interval);
    (lab, fellow)
}

fn says(lab: &Lab, ip: Ipv4Addr) -> Option<Stance> {
    read_stances(opened(&lab.hello).stances).unwrap().get(&IpAddr::V4(ip)).copied()
}

/// Where in a series of actions something stands.
fn position(actions: &[Action], is_it: impl Fn(&Action) -> bool) -> Option<usize> {
    actions.iter().position(is_it)
}

fn is_hello(action: &Action) -> bool {
    matches!(action, Action::Send(sent) if sent.purpose == Purpose::Hello)
}

#[test]
fn alone_it_says_so_closes_reports_and_ends_at_once() {
    let mut lab = Lab::answering();
    let actions = lab.happen(Event::Stop);
    let hello = actions.iter().rposition(is_hello).unwrap();
    let close = position(&actions, |action| *action == Action::Close(2)).unwrap();
    let report = position(&actions, |action| matches!(action, Action::Report(_))).unwrap();
    assert!(hello < close && close < report, "{actions:?}");
    assert_eq!(actions.last(), Some(&Action::Finished));
    let goodbye = opened(&lab.hello);
    assert!(goodbye.is_leaving && read_stances(goodbye.stances).unwrap().is_empty());
    assert_eq!(lab.silence(VIP), Some(Silence::Stopping));
}

#[test]
fn after_its_end_it_is_silent_for_good_whatever_happens() {
    let mut lab = Lab::answering();
    lab.happen(Event::Stop);
    assert_eq!(lab.responder.deadline(), None);
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Stopping));
    assert!(lab.run_for(MINUTE).is_empty());
    for event in [
        Event::Links(vec![link(2, "lan0"), link(3, "lan1")]),
        Event::Plan(Plan { generation: 9, vips: vec![vip(OTHER_VIP, &["node-1"])] }),
        Event::Opened(2),
        Event::Stop,
        Event::Tick,
    ] {
        let actions = lab.handle(event.clone());
        assert!(actions.is_empty(), "{event:?}: {actions:?}");
    }
}

#[test]
fn with_a_fellow_the_hello_comes_first_and_the_address_is_answered_until_the_fellow_does() {
    let (mut lab, mut fellow) = with_fellow();
    let actions = lab.happen(Event::Stop);
    assert!(is_hello(&actions[0]) && !actions.contains(&Action::Finished), "{actions:?}");
    assert!(opened(&lab.hello).is_leaving);
    assert_eq!(says(&lab, VIP), Some(Stance::Leaves));
    lab.run_for(MILLI * 30);
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_ip, VIP);
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    let actions = lab.happen(fellow.hello(&lab.hello));
    assert_eq!(actions.last(), Some(&Action::Finished), "{actions:?}");
    assert_eq!(says(&lab, VIP), None);
}

#[test]
fn while_nobody_takes_the_address_the_hello_is_repeated_and_after_the_handover_time_it_ends() {
    let (mut lab, _) = with_fellow();
    let stopped = lab.time();
    lab.happen(Event::Stop);
    let done = lab.run_for(SECOND);
    let mut hellos = sent(&done, |purpose| purpose == Purpose::Hello);
    hellos.retain(|(at, _)| *at < stopped + TIMING.handover);
    let times: Vec<_> = hellos.iter().map(|(at, _)| at.saturating_sub(stopped).as_millis()).collect();
    assert_eq!(times, [25, 50, 75, 100, 125, 150, 175]);
    assert_eq!(done.last(), Some(&(stopped + TIMING.handover, Action::Finished)));
}

#[test]
fn an_address_without_other_candidates_is_not_waited_for() {
    let mut lab = Lab::on_lan();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.meet("node-2");
    assert_eq!(lab.happen(Event::Stop).last(), Some(&Action::Finished));
}

#[test]
fn an_interface_that_comes_up_while_it_leaves_is_not_opened() {
    let (mut lab, _) = with_fellow();
    lab.happen(Event::Stop);
    let actions = lab.happen(Event::Links(vec![link(2, "lan0"), link(3, "lan1")]));
    assert!(!actions.contains(&Action::Open(3)), "{actions:?}");
}

#[test]
fn an_interface_lost_while_it_leaves_does_not_keep_it_from_ending() {
    let (mut lab, _) = with_fellow();
    lab.happen(Event::Stop);
    assert_eq!(lab.happen(Event::Lost(2)).last(), Some(&Action::Finished));
}

#[test]
fn a_plan_that_takes_the_address_away_hands_it_over_the_same_way() {
    for (vips, silence) in [(vec![], Silence::NotOurs), (vec![vip(VIP, &["node-2"])], Silence::NotACandidate)] {
        let (mut lab, mut fellow) = with_fellow();
        let actions = lab.happen(Event::Plan(Plan { generation: 8, vips }));
        assert!(is_hello(&actions[0]), "{actions:?}");
        assert_eq!(says(&lab, VIP), Some(Stance::Leaves));
        assert!(!opened(&lab.hello).is_leaving);
        assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_ip, VIP);
        fellow.state(&[(VIP.into(), Stance::Answers(0))]);
        let actions = lab.happen(fellow.hello(&lab.hello));
        let yielded = Notice::Yielded { link: 2, ip: VIP.into(), to: "node-2".to_owned() };
        assert!(actions.contains(&Action::Note(yielded)), "{actions:?}");
        assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(silence));
    }
}

#[test]
fn an_address_of_which_it_was_the_only_candidate_goes_to_another_node_without_a_gap() {
    let mut lab = Lab::on_lan();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let mut fellow = lab.meet("node-2");
    // The other node's plan, which has it as the only candidate now, comes a moment later.
    lab.happen(Event::Plan(Plan { generation: 8, vips: vec![] }));
    assert_eq!(says(&lab, VIP), Some(Stance::Leaves));
    lab.run_for(MILLI * 50);
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_ip, VIP);
    fellow.state(&[(VIP.into(), Stance::Answers(0))]);
    lab.happen(fellow.hello(&lab.hello));
    assert!(!lab.answers(VIP));
}

#[test]
fn an_address_that_is_given_back_while_it_leaves_is_kept_without_a_gap() {
    let (mut lab, mut fellow) = with_fellow();
    lab.happen(Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-2"])] }));
    lab.run_for(MILLI * 50);
    let mut done = lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    done.extend(lab.run_with(&mut fellow, SECOND));
    assert!(lab.answers(VIP));
    assert!(!notices(&done).iter().any(|(_, notice)| matches!(notice, Notice::Yielded { .. })));
    assert_eq!(says(&lab, VIP), Some(Stance::Answers(0)));
    assert!(announcements(&done).len() <= 8, "{done:?}");
}

#[test]
fn what_is_given_up_is_answered_for_a_while_and_announced_no_more_until_it_comes_back() {
    let (mut lab, mut fellow) = with_fellow();
    let mut round = Vec::new();
    while round.is_empty() {
        round = announcements(&lab.run_with(&mut fellow, MILLI));
    }
    // The next round would come while it is given up.
    lab.run_with(&mut fellow, ROUND_INTERVAL.saturating_sub(MILLI * 50));
    lab.happen(Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-2"])] }));
    let done = lab.run_with(&mut fellow, MILLI * 100);
    assert!(lab.answers(VIP) && announcements(&done).is_empty(), "{done:?}");
    let done = lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    assert!(lab.answers(VIP) && !announcements(&done).is_empty(), "{done:?}");
}
