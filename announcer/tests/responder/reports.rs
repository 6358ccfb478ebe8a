//! When the status is reported, and how changes are gathered.

use std::time::Duration;

use announcer::plan::Plan;
use announcer::responder::{Action, Event, Silence};
use announcer::status::Status;

use crate::lab::{Done, Lab, MILLI, OTHER_VIP, SECOND, TIMING, VIP, link, vip};

fn reports(done: &[Done]) -> Vec<(Duration, &Status)> {
    let report = |(at, action): &'_ Done| match action {
        Action::Report(_) => Some(*at),
        _ => None,
    };
    let statuses = done.iter().filter_map(|(_, action)| match action {
        Action::Report(status) => Some(status),
        _ => None,
    });
    done.iter().filter_map(report).zip(statuses).collect()
}

#[test]
fn without_a_plan_nothing_is_reported() {
    let mut lab = Lab::on_lan();
    assert!(reports(&lab.run_for(SECOND)).is_empty());
}

#[test]
fn the_status_is_reported_when_it_changes_and_only_then() {
    let mut lab = Lab::answering();
    assert!(reports(&lab.plan(vec![vip(VIP, &["node-1", "node-2"])])).is_empty());
    assert!(reports(&lab.links(vec![link(2, "lan0")])).is_empty());
    assert!(reports(&lab.run_for(SECOND * 300)).is_empty());
    assert_eq!(reports(&lab.plan(vec![])).len(), 1);
    let newer = lab.let_happen(Event::Plan(Plan { generation: 8, vips: vec![] }));
    assert!(matches!(reports(&newer)[..], [(_, status)] if status.generation == 8));
}

#[test]
fn the_status_names_the_interfaces_that_can_be_answered_on_once_they_are_up() {
    let mut lab = Lab::answering();
    let (mut down, mut tunnel) = (link(3, "lan1"), link(4, "tunnel0"));
    down.traits.is_up = false;
    tunnel.traits.is_ethernet = false;
    let mut done = lab.links(vec![link(2, "lan0"), tunnel, down]);
    done.extend(lab.run_for(SECOND));
    let [(_, status)] = reports(&done)[..] else { panic!("{done:?}") };
    assert_eq!(status.interfaces.as_deref(), Some(&["lan0".to_owned(), "lan1".to_owned()][..]));
}

#[test]
fn changes_of_one_moment_are_reported_once_and_the_next_ones_no_sooner_than_a_report_may_follow() {
    let mut lab = Lab::on_lan();
    let start = lab.time();
    let mut done = Vec::new();
    for (generation, pause) in [(1, 5), (2, 5), (3, 50), (4, 30), (5, 1_000)] {
        let vips = vec![vip(VIP, &["node-1"])];
        let now = lab.happen(Event::Plan(Plan { generation, vips }));
        let at = lab.time();
        done.extend(now.into_iter().map(|action| (at, action)));
        done.extend(lab.run_for(MILLI * pause));
    }
    let reported: Vec<_> =
        reports(&done).into_iter().map(|(at, status)| (at.saturating_sub(start), status.generation)).collect();
    let first = TIMING.report_delay;
    assert_eq!(reported, [(first, 3), (first + TIMING.report_interval, 5)]);
}

#[test]
fn a_status_that_has_changed_back_before_it_was_reported_is_not_reported() {
    let mut lab = Lab::answering();
    let both = vec![vip(VIP, &["node-1", "node-2"]), vip(OTHER_VIP, &["node-1"])];
    lab.happen(Event::Plan(Plan { generation: 7, vips: both }));
    lab.run_for(TIMING.report_delay / 2);
    assert!(reports(&lab.plan(vec![vip(VIP, &["node-1", "node-2"])])).is_empty());
}

#[test]
fn what_it_listens_for_is_reported_as_the_reason() {
    let mut lab = Lab::new();
    lab.happen(Event::Links(vec![link(2, "lan0")]));
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-1"])] }));
    lab.run_for(TIMING.report_delay);
    assert_eq!(lab.silence(VIP), Some(Silence::Listening));
    lab.run_for(SECOND);
    assert_eq!(lab.silence(VIP), None);
}
