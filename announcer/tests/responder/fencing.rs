//! When nothing is answered at all: at the start, after a stop, and without a key.

use announcer::responder::{Action, Event, Notice, Purpose, Silence};
use announcer::wire::hello::{Hello, HelloFault, Stance};

use crate::fellow::Fellow;
use crate::lab::{Lab, MILLI, SECOND, TIMING, VIP, announcements, answer, keys, link, notices, opened, request, vip};

#[test]
fn a_node_that_has_just_opened_an_interface_says_that_it_listens_and_answers_only_after_the_dead_time() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.happen(Event::Links(vec![link(2, "lan0")]));
    let dead_after = TIMING.dead_after(TIMING.interval);
    assert_eq!(opened(&lab.hello).listens_for, dead_after);
    let done = lab.run_for(dead_after.saturating_sub(MILLI));
    assert!(announcements(&done).is_empty());
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Listening));
    let done = lab.run_for(MILLI);
    assert!(
        notices(&done).iter().any(|(_, notice)| matches!(notice, Notice::Listened { after: Silence::Listening, .. }))
    );
    assert_eq!(answer(&lab.hear(2, request(VIP))).packet.sender_ip, VIP);
    lab.run_for(TIMING.interval);
    assert!(opened(&lab.hello).listens_for.is_zero());
}

#[test]
fn it_listens_for_as_long_as_the_slowest_fellow_may_be_silent() {
    let mut lab = Lab::new();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.happen(Event::Links(vec![link(2, "lan0")]));
    let mut fellow = Fellow::new("node-2");
    fellow.interval = TIMING.interval * 4;
    lab.happen(fellow.hello(&lab.hello));
    lab.run_for(TIMING.dead_after(fellow.interval).saturating_sub(MILLI));
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Listening));
    lab.run_for(MILLI);
    assert!(lab.answers(VIP));
}

#[test]
fn who_answers_already_when_it_has_listened_is_left_alone() {
    for (nodes, reason) in [(["node-1", "node-2"], Silence::Incumbent), (["node-2", "node-1"], Silence::NotFirst)] {
        let mut lab = Lab::new();
        lab.happen(Event::Links(vec![link(2, "lan0")]));
        let mut fellow = Fellow::new("node-2");
        fellow.state(&[(VIP.into(), Stance::Answers(1))]);
        lab.happen(fellow.hello(&lab.hello));
        lab.plan(vec![vip(VIP, &nodes)]);
        let done = lab.run_with(&mut fellow, SECOND * 3);
        assert!(!lab.answers(VIP) && announcements(&done).is_empty());
        assert_eq!(lab.silence(VIP), Some(reason));
    }
}

#[test]
fn a_stop_of_three_intervals_fences_and_a_shorter_one_does_not() {
    let fenced_after = TIMING.fenced_after(TIMING.interval);
    for (stop, is_fenced) in [(fenced_after.saturating_sub(MILLI), false), (fenced_after, true)] {
        let mut lab = Lab::answering();
        // At this moment a hello has just gone out.
        lab.run_for(lab.responder.deadline().unwrap().saturating_sub(lab.now));
        lab.now += stop;
        let actions = lab.handle(Event::Frame(2, request(VIP).write().to_vec()));
        assert_eq!(actions.contains(&Action::Ignore(Silence::Fenced)), is_fenced, "{actions:?}");
        let noted = Action::Note(Notice::Fenced { link: 2, stalled: stop });
        assert_eq!(actions.first() == Some(&noted), is_fenced, "{actions:?}");
        let is_answer =
            |action: &Action| matches!(action, Action::Send(sent) if sent.purpose == Purpose::Answer(VIP.into()));
        assert_eq!(actions.iter().any(is_answer), !is_fenced, "{actions:?}");
    }
}

#[test]
fn a_fenced_node_answers_again_once_it_has_listened_for_the_dead_time() {
    let mut lab = Lab::answering();
    lab.now += TIMING.dead_after(TIMING.interval);
    lab.handle(Event::Tick);
    lab.run_for(MILLI * 349);
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Fenced));
    let done = lab.run_for(MILLI);
    assert!(notices(&done).iter().any(|(_, notice)| matches!(notice, Notice::Listened { after: Silence::Fenced, .. })));
    assert!(lab.answers(VIP));
}

#[test]
fn hellos_that_queued_while_it_was_stopped_prove_nothing() {
    let mut lab = Lab::answering();
    let mut fellow = lab.meet("node-2");
    let queued: Vec<_> = (0..20).map(|_| fellow.hello(&lab.hello)).collect();
    lab.now += SECOND * 2;
    for hello in queued {
        let actions = lab.happen(hello);
        assert!(actions.contains(&Action::Discard(HelloFault::Unproven)), "{actions:?}");
    }
    assert_eq!(lab.responder.fellows(2), 0);
    lab.happen(fellow.hello(&lab.hello));
    assert_eq!(lab.responder.fellows(2), 1);
}

#[test]
fn a_fenced_node_takes_nothing_back_from_who_has_taken_over_meanwhile() {
    let mut lab = Lab::answering();
    let mut fellow = lab.meet("node-2");
    lab.now += SECOND;
    lab.happen(Event::Tick);
    fellow.state(&[(VIP.into(), Stance::Answers(1))]);
    let done = lab.run_with(&mut fellow, SECOND * 3);
    assert!(!lab.answers(VIP) && announcements(&done).is_empty());
    assert_eq!(lab.silence(VIP), Some(Silence::Incumbent));
}

#[test]
fn a_frame_on_another_interface_does_not_hide_that_it_was_stopped() {
    let mut lab = Lab::new();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.now += SECOND;
    lab.handle(Event::Frame(3, vec![0; 20]));
    for link in [2, 3] {
        assert_eq!(lab.hear(link, request(VIP)), Action::Ignore(Silence::Fenced));
    }
}

#[test]
fn without_a_key_nothing_is_said_or_answered_and_with_one_again_it_listens_first() {
    let mut lab = Lab::without_keys();
    lab.plan(vec![vip(VIP, &["node-1"])]);
    let done = lab.links(vec![link(2, "lan0")]);
    assert!(lab.hello.is_empty() && announcements(&done).is_empty());
    assert_eq!(lab.silence(VIP), Some(Silence::NoKey));
    for _ in 0..2 {
        lab.happen(Event::Keys(keys(&[7])));
        assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::Listening));
        lab.run_for(TIMING.dead_after(TIMING.interval));
        assert!(lab.answers(VIP));
        lab.happen(Event::Keys(keys(&[])));
        assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::NoKey));
        let before = lab.hello.clone();
        lab.run_for(SECOND);
        assert_eq!(lab.hello, before);
    }
}

#[test]
fn keys_are_changed_without_a_pause_and_the_first_one_signs() {
    let mut lab = Lab::answering();
    let mut fellow = lab.meet("node-2");
    for (ring, fellows_key, is_heeded) in
        [(&[7, 8][..], 7, true), (&[8, 7], 7, true), (&[8, 7], 8, true), (&[8], 8, true), (&[8], 7, false)]
    {
        fellow.key = fellows_key;
        lab.happen(Event::Keys(keys(ring)));
        lab.run_for(TIMING.interval);
        let (hello, _) = Hello::open(&lab.hello, &keys(&ring[..1])).unwrap();
        assert!(hello.listens_for.is_zero());
        let actions = lab.happen(fellow.hello(&lab.hello));
        assert_eq!(!actions.contains(&Action::Discard(HelloFault::Forged)), is_heeded, "{ring:?}");
        assert_eq!((lab.responder.fellows(2), lab.answers(VIP)), (1, true), "{ring:?}");
    }
}
