//! What fellows say, and what follows from it for this node.

use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{Action, Cause, Event, Notice, Silence};
use announcer::wire::hello::{HelloFault, Solitude, Stance};

use crate::fellow::Fellow;
use crate::lab::{Done, Lab, MILLI, SECOND, TIMING, VIP, announcements, link, notices, opened, rounds, vip};

type Change = fn(&mut Fellow);

const MINE: Stance = Stance::Answers(0);

/// Gives when and why it took the address over.
fn takeover(done: &[Done]) -> Option<(Duration, Cause, Option<Duration>)> {
    let takeover = |(at, notice): &(Duration, Notice)| match notice {
        Notice::TookOver { cause, vacant, .. } => Some((*at, *cause, *vacant)),
        _ => None,
    };
    notices(done).iter().find_map(takeover)
}

/// This node second, and the first answers.
fn behind_a_fellow() -> (Lab, Fellow) {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    fellow.state(&[(VIP.into(), MINE)]);
    lab.happen(fellow.hello(&lab.hello));
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    lab.run_with(&mut fellow, SECOND);
    assert!(!lab.answers(VIP));
    (lab, fellow)
}

#[test]
fn the_addresses_of_a_fellow_that_dies_are_taken_over_after_the_dead_time() {
    let (mut lab, _) = behind_a_fellow();
    let heard = lab.time();
    let dead_after = TIMING.dead_after(TIMING.interval);
    assert!(takeover(&lab.run_for(dead_after.saturating_sub(MILLI))).is_none());
    let done = lab.run_for(MILLI);
    assert_eq!(takeover(&done), Some((heard + dead_after, Cause::Dead, Some(dead_after))));
    assert_eq!(announcements(&done).len(), 2);
}

#[test]
fn an_address_that_a_fellow_gives_up_is_taken_over_at_once_and_said_at_once() {
    let (mut lab, mut fellow) = behind_a_fellow();
    fellow.state(&[(VIP.into(), Stance::Leaves)]);
    lab.run_for(MILLI * 20);
    let at = lab.time();
    let actions = lab.happen(fellow.hello(&lab.hello));
    let done: Vec<_> = actions.into_iter().map(|action| (at, action)).collect();
    assert_eq!(takeover(&done), Some((at, Cause::HandedOver, None)));
    lab.run_for(TIMING.spacing);
    assert!(!opened(&lab.hello).stances.is_empty());
}

#[test]
fn an_address_that_a_living_fellow_no_longer_answers_is_taken_over_after_patience() {
    let (mut lab, mut fellow) = behind_a_fellow();
    fellow.state(&[]);
    let start = lab.time();
    lab.happen(fellow.hello(&lab.hello));
    let (at, cause, _) = takeover(&lab.run_with(&mut fellow, SECOND)).unwrap();
    assert_eq!((at.saturating_sub(start), cause), (TIMING.patience, Cause::Patience));
}

#[test]
fn one_that_comes_first_lives_and_does_not_answer_is_passed_over_after_patience() {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    let start = lab.time();
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    let (at, cause, vacant) = takeover(&lab.run_with(&mut fellow, SECOND)).unwrap();
    assert_eq!((at.saturating_sub(start), cause, vacant), (TIMING.patience, Cause::Patience, None));
}

#[test]
fn one_that_comes_first_is_not_waited_for_when_it_declines_leaves_or_listens() {
    let changes: [(&str, Change); 3] = [
        ("declines", |fellow| fellow.state(&[(VIP.into(), Stance::Declines)])),
        ("leaves", |fellow| fellow.is_leaving = true),
        ("listens", |fellow| fellow.listens_for = SECOND),
    ];
    for (name, change) in changes {
        let mut lab = Lab::on_lan();
        let mut fellow = lab.meet("node-2");
        change(&mut fellow);
        lab.happen(fellow.hello(&lab.hello));
        lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
        assert!(lab.answers(VIP), "{name}");
    }
}

#[test]
fn one_that_hears_nobody_is_passed_over_though_it_answers() {
    let (mut lab, mut fellow) = behind_a_fellow();
    let start = lab.time();
    let mut took = None;
    for _ in 0..10 {
        let mut done = lab.run_for(TIMING.interval);
        let at = lab.time();
        done.extend(lab.happen(fellow.hello(&[])).into_iter().map(|action| (at, action)));
        took = took.or(takeover(&done));
    }
    let deaf_after = TIMING.dead_after(TIMING.interval) + TIMING.interval;
    assert_eq!(took.unwrap().0.saturating_sub(start), deaf_after);
}

#[test]
fn one_that_only_another_fellow_hears_any_more_keeps_what_it_answers_for() {
    let (mut lab, _) = behind_a_fellow();
    let mut witness = lab.meet("node-3");
    witness.hears = Some("node-2");
    lab.run_with(&mut witness, SECOND * 3);
    assert!(!lab.answers(VIP));
    witness.hears = None;
    lab.run_with(&mut witness, SECOND);
    assert!(lab.answers(VIP), "nobody hears it any more");
}

#[test]
fn a_node_that_answers_yields_to_a_fellow_that_comes_first() {
    for (solitude, stance, wins) in [
        (Solitude::Together, Stance::Answers(0), true),
        (Solitude::Together, Stance::Answers(2), false),
        (Solitude::Alone, Stance::Answers(0), false),
    ] {
        let mut lab = Lab::on_lan();
        let mut fellow = lab.meet("node-2");
        // Long enough with company that nobody is taken for alone any more.
        lab.run_with(&mut fellow, SECOND * 2);
        lab.plan(vec![vip(VIP, &["node-3", "node-1", "node-2"])]);
        lab.run_with(&mut fellow, SECOND);
        assert!(lab.answers(VIP));
        fellow.solitude = solitude;
        fellow.state(&[(VIP.into(), stance)]);
        let actions = lab.happen(fellow.hello(&lab.hello));
        let yielded = Notice::Yielded { link: 2, ip: VIP.into(), to: "node-2".to_owned() };
        assert_eq!(actions.contains(&Action::Note(yielded)), wins, "{solitude:?} {stance:?}");
        assert_eq!(lab.answers(VIP), !wins, "{solitude:?} {stance:?}");
        assert!(wins || !announcements(&with_time(&lab, actions)).is_empty(), "the winner tells the clients");
    }
}

fn with_time(lab: &Lab, actions: Vec<Action>) -> Vec<Done> {
    let at = lab.time();
    actions.into_iter().map(|action| (at, action)).collect()
}

#[test]
fn a_fellow_that_answers_wrongly_makes_it_announce_once_a_second_at_most() {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    lab.run_with(&mut fellow, SECOND * 2);
    lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    lab.run_with(&mut fellow, SECOND * 10);
    let start = lab.time();
    let mut done = Vec::new();
    for rank in [1, 2].into_iter().cycle().take(20) {
        fellow.state(&[(VIP.into(), Stance::Answers(rank))]);
        done.extend(lab.run_with(&mut fellow, TIMING.interval));
    }
    assert!(lab.answers(VIP));
    let announced = rounds(&done, VIP, start);
    assert!(matches!(announced[..], [100, 1_100]), "{announced:?}");
}

#[test]
fn a_new_plan_in_which_it_has_risen_lets_it_begin_beside_the_one_who_answers() {
    let (mut lab, mut fellow) = behind_a_fellow();
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.run_with(&mut fellow, SECOND * 2);
    assert!(!lab.answers(VIP));
    let at = lab.time();
    let actions = lab.happen(Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-1", "node-2"])] }));
    assert_eq!(takeover(&with_time(&lab, actions)), Some((at, Cause::Planned, None)));
}

#[test]
fn a_plan_that_only_says_who_answers_already_takes_nothing_back_later() {
    let (mut lab, mut fellow) = behind_a_fellow();
    lab.run_for(SECOND);
    assert!(lab.answers(VIP));
    // The operator puts whoever answers first, so that it stays.
    lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    // This node was cut off, as it finds out now; meanwhile the other one had taken over.
    fellow.epoch += 1;
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.run_with(&mut fellow, MILLI * 500);
    assert_eq!(lab.silence(VIP), Some(Silence::Incumbent));
    lab.run_with(&mut fellow, SECOND * 5);
    assert!(!lab.answers(VIP));
}

#[test]
fn an_old_plan_read_again_after_a_start_takes_nothing_over() {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.run_with(&mut fellow, SECOND * 2);
    lab.happen(Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-1", "node-2"])] }));
    lab.run_with(&mut fellow, SECOND * 2);
    assert!(!lab.answers(VIP));
    assert_eq!(lab.silence(VIP), Some(Silence::Incumbent));
}

#[test]
fn an_address_that_is_being_moved_here_is_taken_over_after_a_start_too() {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.run_with(&mut fellow, SECOND * 2);
    let at = lab.time();
    let moving = Vip { moving: true, ..vip(VIP, &["node-1", "node-2"]) };
    let actions = lab.happen(Event::Plan(Plan { generation: 8, vips: vec![moving] }));
    assert_eq!(takeover(&with_time(&lab, actions)), Some((at, Cause::Planned, None)));
}

#[test]
fn an_address_that_was_moved_here_while_the_interface_was_gone_is_taken_over_once_it_has_listened() {
    let (mut lab, mut fellow) = behind_a_fellow();
    lab.links(vec![]);
    lab.plan(vec![Vip { moving: true, ..vip(VIP, &["node-1", "node-2"]) }]);
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.links(vec![link(2, "lan0")]);
    lab.run_with(&mut fellow, TIMING.interval);
    assert!(!lab.answers(VIP));
    lab.run_with(&mut fellow, SECOND * 2);
    assert!(lab.answers(VIP));
}

#[test]
fn hellos_of_a_fellow_that_did_not_arrive_are_told_by_their_number() {
    let (mut lab, mut fellow) = behind_a_fellow();
    fellow.sequence += 3;
    let actions = lab.happen(fellow.hello(&lab.hello));
    let done = with_time(&lab, actions);
    assert!(matches!(notices(&done)[..], [(_, Notice::HellosLost { count: 3, .. })]), "{done:?}");
}

#[test]
fn one_that_others_hear_is_alive_though_this_node_does_not_hear_it() {
    let mut lab = Lab::on_lan();
    let mut witness = lab.meet("node-3");
    witness.hears = Some("node-2");
    lab.happen(witness.hello(&lab.hello));
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    lab.run_with(&mut witness, SECOND * 3);
    assert!(!lab.answers(VIP));
    witness.hears = None;
    lab.run_with(&mut witness, SECOND);
    assert!(lab.answers(VIP));
}

#[test]
fn one_that_nobody_names_though_they_hear_others_is_silent_until_it_is_named() {
    let mut lab = Lab::answering();
    let mut fellow = lab.meet("node-2");
    fellow.hears = Some("node-3");
    for _ in 0..20 {
        lab.run_for(TIMING.interval);
        lab.happen(fellow.hello(&[]));
    }
    assert!(!lab.answers(VIP));
    assert_eq!(lab.silence(VIP), Some(Silence::Unheard));
    lab.run_with(&mut fellow, SECOND * 2);
    assert!(lab.answers(VIP));
}

#[test]
fn those_that_never_prove_that_they_live_are_named_for_a_while_and_then_forgotten() {
    let mut lab = Lab::on_lan();
    let mut stranger = Fellow::new("node-2");
    lab.happen(stranger.hello(&[]));
    lab.run_for(TIMING.interval);
    assert_eq!(opened(&lab.hello).heard.len(), 1);
    lab.run_for(SECOND * 2);
    assert!(opened(&lab.hello).heard.is_empty());
}

#[test]
fn an_old_hello_of_this_node_proves_nothing_any_more() {
    let mut lab = Lab::on_lan();
    let old = lab.hello.clone();
    lab.run_for(SECOND * 2);
    let mut fellow = Fellow::new("node-2");
    assert_eq!(lab.happen(fellow.hello(&old))[0], Action::Discard(HelloFault::Unproven));
}

#[test]
fn one_that_is_heard_no_more_since_a_moment_after_it_was_deaf_does_not_have_the_loop_turn_without_a_pause() {
    let (mut lab, mut deaf) = behind_a_fellow();
    let mut witness = lab.meet("node-3");
    // Once more it says that it hears somebody, then for the last time, a moment late, that it hears nobody.
    lab.run_for(TIMING.interval);
    lab.happen(deaf.hello(&lab.hello));
    lab.happen(witness.hello(&lab.hello));
    lab.run_for(TIMING.interval);
    lab.now += Duration::from_micros(300);
    lab.happen(deaf.hello(&[]));
    witness.hears = Some("node-2");
    for _ in 0..20 {
        lab.happen(witness.hello(&lab.hello));
        let end = lab.now + TIMING.interval;
        while let Some(deadline) = lab.responder.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > lab.now, "a deadline that is over does not move the clock");
            // A wait ends at a whole millisecond, so up to one later than it was asked to.
            lab.now = deadline + Duration::from_micros(700);
            lab.happen(Event::Tick);
        }
        lab.now = end.max(lab.now);
    }
}

#[test]
fn a_death_of_long_ago_is_not_what_an_address_was_vacant_since() {
    let (mut lab, mut first) = behind_a_fellow();
    lab.plan(vec![vip(VIP, &["node-2", "node-3", "node-1"])]);
    let mut second = lab.meet("node-3");
    for _ in 0..5 {
        lab.run_with(&mut second, TIMING.interval);
        lab.happen(first.hello(&lab.hello));
    }
    assert!(!lab.answers(VIP));
    // The first dies, and the second takes over.
    lab.run_with(&mut second, MILLI * 300);
    second.state(&[(VIP.into(), Stance::Answers(1))]);
    lab.run_with(&mut second, SECOND * 60);
    assert!(!lab.answers(VIP));
    // A minute later the second one hears nobody any more.
    let mut took = None;
    for _ in 0..10 {
        let mut done = lab.run_for(TIMING.interval);
        let at = lab.time();
        done.extend(lab.happen(second.hello(&[])).into_iter().map(|action| (at, action)));
        took = took.or(takeover(&done));
    }
    let (_, cause, vacant) = took.unwrap();
    assert!(vacant.is_none_or(|vacant| vacant < SECOND), "{cause:?} {vacant:?}");
}
