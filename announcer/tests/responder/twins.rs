//! Several stations of one node on one segment: this node's own, and those of fellows.

use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{Action, Event, Notice, Purpose, Silence};
use announcer::wire::hello::{HelloFault, Solitude, Stance, read_stances};

use crate::fellow::Fellow;
use crate::lab::{Done, Lab, MILLI, SECOND, TIMING, VIP, announcements, link, notices, on, opened, request, vip};

const FIRST: u32 = 2;
const SECOND_LINK: u32 = 3;

/// This node with two interfaces, and the wire between them.
struct Twins {
    lab: Lab,
    done: Vec<Done>,
}

impl Twins {
    fn new(vips: Vec<Vip>) -> Self {
        let mut twins = Self { lab: Lab::new(), done: Vec::new() };
        twins.happen(Event::Plan(Plan { generation: 7, vips }));
        twins.happen(Event::Links(vec![link(FIRST, "lan0"), link(SECOND_LINK, "lan1")]));
        twins.run_for(SECOND * 2);
        twins
    }

    /// Lets something happen; what is sent to all on one interface comes in on the other.
    fn happen(&mut self, event: Event) {
        let mut next = vec![event];
        while let Some(event) = next.pop() {
            let at = self.lab.time();
            for action in self.lab.happen(event) {
                if let Action::Send(sent) = &action
                    && !matches!(sent.purpose, Purpose::Answer(_))
                {
                    let other = if sent.link == FIRST { SECOND_LINK } else { FIRST };
                    next.insert(0, Event::Frame(other, sent.frame.clone()));
                }
                self.done.push((at, action));
            }
        }
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.lab.now + duration;
        while let Some(deadline) = self.lab.responder.deadline().filter(|deadline| *deadline <= end) {
            self.lab.now = deadline;
            self.happen(Event::Tick);
        }
        self.lab.now = end;
    }

    /// Lets something happen, and gives it with what follows within a second.
    fn let_happen(&mut self, event: Event) -> Vec<Done> {
        self.done.clear();
        self.happen(event);
        self.run_for(SECOND);
        std::mem::take(&mut self.done)
    }

    /// Gives the last hello that was sent on an interface.
    fn hello(&self, link: u32) -> Option<Vec<u8>> {
        self.done.iter().rev().find_map(|(_, action)| match action {
            Action::Send(sent) if sent.link == link && sent.purpose == Purpose::Hello => Some(sent.frame.clone()),
            _ => None,
        })
    }

    /// Gives a fellow that has proved that it lives, to one interface alone.
    fn meet(&mut self, name: &'static str, link: u32) -> Fellow {
        let mut fellow = Fellow::new(name);
        fellow.link = link;
        for _ in 0..3 {
            let hello = self.hello(link).unwrap();
            self.happen(fellow.hello(&hello));
            self.run_for(TIMING.interval);
        }
        fellow
    }

    /// Gives the interfaces on which the VIP is answered.
    fn answering(&self) -> Vec<u32> {
        self.lab.responder.answers(VIP.into()).collect()
    }
}

/// Gives the hello that a node of another version, or another station, is heard with.
fn heard(lab: &mut Lab, fellow: &mut Fellow) -> Vec<Action> {
    lab.happen(fellow.hello(&lab.hello))
}

/// A fellow with two stations on the segment, both of which have proved that they live.
fn double(lab: &mut Lab) -> [Fellow; 2] {
    let first = lab.meet("node-2");
    let mut second = Fellow::new("node-2");
    (second.station, second.epoch, second.mac.0[4]) = (Some(1), 6, 3);
    heard(lab, &mut second);
    lab.run_for(MILLI * 10);
    heard(lab, &mut second);
    [first, second]
}

/// Moves the clock, while each of them says hello every tenth of a second, in turns.
fn run_with_all(lab: &mut Lab, fellows: &mut [Fellow], duration: Duration) -> Vec<Done> {
    let end = lab.now + duration;
    let mut done = Vec::new();
    while lab.now < end {
        for fellow in fellows.iter_mut() {
            done.extend(lab.run_for(TIMING.interval / 2));
            let at = lab.time();
            done.extend(heard(lab, fellow).into_iter().map(|action| (at, action)));
        }
    }
    done
}

#[test]
fn one_of_two_interfaces_on_one_network_answers_and_no_other() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    assert_eq!(twins.answering(), [FIRST]);
    let found = notices(&twins.done)
        .into_iter()
        .filter(|(_, notice)| matches!(notice, Notice::FellowFound { is_twin: true, .. }));
    assert_eq!(found.count(), 2, "each hears the other, once");
    assert_eq!(announcements(&twins.done).iter().filter(|(_, sent)| sent.link == SECOND_LINK).count(), 0);
    assert_eq!(twins.lab.hear(SECOND_LINK, request(VIP)), Action::Ignore(Silence::OtherLink));
    twins.run_for(SECOND * 30);
    assert_eq!(twins.answering(), [FIRST]);
}

#[test]
fn the_other_interface_answers_in_the_same_moment_when_one_goes_away_and_keeps_the_address() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    let start = twins.lab.time();
    let done = twins.let_happen(Event::Links(vec![link(SECOND_LINK, "lan1")]));
    let first = announcements(&done).first().map(|(at, sent)| (*at, sent.link));
    assert_eq!(first, Some((start, SECOND_LINK)));
    assert_eq!(twins.answering(), [SECOND_LINK]);
    let done = twins.let_happen(Event::Links(vec![link(FIRST, "lan0"), link(SECOND_LINK, "lan1")]));
    assert_eq!(twins.answering(), [SECOND_LINK], "what comes back takes nothing back");
    assert!(announcements(&done).iter().all(|(_, sent)| sent.link == SECOND_LINK));
}

#[test]
fn what_one_interface_loses_the_other_goes_on_with_whoever_stands_first() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-2", "node-1"])]);
    assert_eq!(twins.answering(), [FIRST]);
    twins.meet("node-2", SECOND_LINK);
    twins.happen(Event::Links(vec![link(SECOND_LINK, "lan1")]));
    assert_eq!(twins.answering(), [SECOND_LINK]);
}

#[test]
fn a_hello_that_a_lost_interface_has_sent_before_does_not_bring_it_back() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    // The next hello of the first interface is on its way while the interface goes.
    let mut late = None;
    while late.is_none() {
        twins.lab.now = twins.lab.responder.deadline().unwrap();
        for action in twins.lab.happen(Event::Tick) {
            match action {
                Action::Send(sent) if sent.link == FIRST && sent.purpose == Purpose::Hello => late = Some(sent.frame),
                Action::Send(sent) if sent.link == SECOND_LINK => twins.happen(Event::Frame(FIRST, sent.frame)),
                _ => {}
            }
        }
    }
    twins.happen(Event::Links(vec![link(SECOND_LINK, "lan1")]));
    assert_eq!(twins.answering(), [SECOND_LINK]);
    let actions = twins.lab.happen(Event::Frame(SECOND_LINK, late.unwrap()));
    assert_eq!(actions.first(), Some(&Action::Discard(HelloFault::Replayed)));
    assert_eq!(twins.answering(), [SECOND_LINK]);
}

#[test]
fn a_pin_to_one_interface_is_kept_and_moves_to_the_other_without_a_gap() {
    let pinned = |name: &str| on(vip(VIP, &["node-1", "node-2"]), &[name]);
    let mut twins = Twins::new(vec![pinned("lan1")]);
    assert_eq!(twins.answering(), [SECOND_LINK]);
    let start = twins.lab.time();
    let done = twins.let_happen(Event::Plan(Plan { generation: 8, vips: vec![pinned("lan0")] }));
    assert_eq!(twins.answering(), [FIRST]);
    assert_eq!(announcements(&done).first().map(|(at, sent)| (*at, sent.link)), Some((start, FIRST)));
}

#[test]
fn an_address_moved_to_this_node_is_answered_on_one_of_its_interfaces() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-2"])]);
    assert!(twins.answering().is_empty());
    let moved = Vip { moving: true, ..vip(VIP, &["node-1", "node-2"]) };
    twins.let_happen(Event::Plan(Plan { generation: 8, vips: vec![moved.clone()] }));
    assert_eq!(twins.answering(), [FIRST]);
    // The word that it is to move stays in the plan for a while; it moves nothing from one interface to the other.
    twins.let_happen(Event::Links(vec![link(SECOND_LINK, "lan1")]));
    twins.let_happen(Event::Links(vec![link(FIRST, "lan0"), link(SECOND_LINK, "lan1")]));
    twins.let_happen(Event::Plan(Plan { generation: 9, vips: vec![moved] }));
    assert_eq!(twins.answering(), [SECOND_LINK]);
}

#[test]
fn a_node_that_hears_nobody_but_itself_says_that_it_is_alone() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    let solitude = |twins: &Twins| opened(&twins.hello(FIRST).unwrap()).solitude;
    assert_eq!(solitude(&twins), Solitude::Alone);
    let second = twins.hello(SECOND_LINK).unwrap();
    assert_eq!(opened(&second).solitude, Solitude::Alone, "what the first announces comes from no client");
    let mut fellow = twins.meet("node-2", FIRST);
    for _ in 0..20 {
        let hello = twins.hello(FIRST).unwrap();
        twins.happen(fellow.hello(&hello));
        twins.run_for(TIMING.interval);
    }
    assert_eq!(solitude(&twins), Solitude::Together);
    twins.run_for(SECOND);
    assert_eq!(solitude(&twins), Solitude::Alone);
}

#[test]
fn both_interfaces_say_that_they_leave_at_once() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    twins.meet("node-2", FIRST);
    twins.run_for(TIMING.spacing);
    twins.done.clear();
    twins.happen(Event::Stop);
    twins.run_for(TIMING.spacing);
    let leaving = |(_, action): &Done| match action {
        Action::Send(sent) if sent.purpose == Purpose::Hello && opened(&sent.frame).is_leaving => Some(sent.link),
        _ => None,
    };
    let mut links: Vec<_> = twins.done.iter().filter_map(leaving).collect();
    links.sort_unstable();
    links.dedup();
    assert_eq!(links, [FIRST, SECOND_LINK]);
}

#[test]
fn a_fellow_that_answers_on_one_of_its_two_interfaces_keeps_the_address() {
    let mut lab = Lab::on_lan();
    let mut fellows = double(&mut lab);
    fellows[0].state(&[(VIP.into(), Stance::Answers(0))]);
    fellows[1].state(&[(VIP.into(), Stance::Declines)]);
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    let mut done = run_with_all(&mut lab, &mut fellows, SECOND * 5);
    done.retain(|(_, action)| matches!(action, Action::Discard(_) | Action::Note(_)));
    assert_eq!(done, []);
    assert!(!lab.answers(VIP));
}

#[test]
fn a_fellow_of_which_one_interface_is_dead_is_waited_for_while_the_other_can_answer() {
    let mut lab = Lab::on_lan();
    let [mut first, second] = double(&mut lab);
    first.state(&[(VIP.into(), Stance::Answers(0))]);
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    let mut fellows = [first, second];
    run_with_all(&mut lab, &mut fellows, SECOND);
    let [_, mut second] = fellows;
    // The first falls silent; the second has half a second to take over, and does.
    run_with_all(&mut lab, std::slice::from_mut(&mut second), TIMING.dead_after(TIMING.interval) + MILLI * 100);
    assert!(!lab.answers(VIP));
    second.state(&[(VIP.into(), Stance::Answers(0))]);
    run_with_all(&mut lab, std::slice::from_mut(&mut second), SECOND * 2);
    assert!(!lab.answers(VIP));
    lab.run_for(TIMING.dead_after(TIMING.interval));
    assert!(lab.answers(VIP), "both are dead");
}

#[test]
fn a_fellow_that_hears_nobody_but_itself_is_deaf() {
    let mut lab = Lab::on_lan();
    let mut fellow = lab.meet("node-2");
    fellow.state(&[(VIP.into(), Stance::Answers(0))]);
    heard(&mut lab, &mut fellow);
    lab.happen(Event::Plan(Plan { generation: 7, vips: vec![vip(VIP, &["node-2", "node-1"])] }));
    (fellow.hears, fellow.hears_station) = (Some("node-2"), 1);
    for _ in 0..10 {
        lab.run_for(TIMING.interval);
        lab.happen(fellow.hello(&[]));
    }
    assert!(lab.answers(VIP));
}

/// A version that knows of nodes only names this node by the number of its first station, whichever it means.
#[test]
fn what_an_older_version_says_of_a_node_is_taken_for_the_only_station_of_it_that_is_known() {
    let mut lab = Lab::new();
    // The fellow is on the segment of the second interface, and the two are not one.
    lab.links(vec![link(SECOND_LINK, "lan1"), link(1, "lan0")]);
    assert_eq!(opened(&lab.hello).station, Some(1));
    let mut old = Fellow::new("node-2");
    (old.station, old.link) = (None, SECOND_LINK);
    heard(&mut lab, &mut old);
    lab.run_for(MILLI * 10);
    heard(&mut lab, &mut old);
    lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    run_with_all(&mut lab, std::slice::from_mut(&mut old), SECOND);
    assert!(lab.responder.answers(VIP.into()).any(|link| link == SECOND_LINK), "nothing is waited for");
}

/// As with a macvlan interface and the one that it is on: the kernel keeps them from hearing each other.
#[test]
fn a_station_that_only_others_hear_is_not_waited_for_where_the_plan_names_this_one_alone() {
    for (names, is_answered) in [(&["lan1"][..], true), (&["lan0", "lan1"], false)] {
        let mut lab = Lab::new();
        lab.links(vec![link(FIRST, "lan0"), link(SECOND_LINK, "lan1")]);
        let mut fellow = Fellow::new("node-2");
        (fellow.link, fellow.hears, fellow.hears_station) = (SECOND_LINK, Some("node-1"), 0);
        run_with_all(&mut lab, std::slice::from_mut(&mut fellow), SECOND);
        lab.happen(Event::Plan(Plan { generation: 7, vips: vec![on(vip(VIP, &["node-1"]), names)] }));
        run_with_all(&mut lab, std::slice::from_mut(&mut fellow), SECOND * 2);
        let answers = lab.responder.answers(VIP.into()).any(|link| link == SECOND_LINK);
        assert_eq!(answers, is_answered, "{names:?}");
    }
}

#[test]
fn a_station_that_nobody_hears_but_its_own_node_is_unheard() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    let mut fellow = twins.meet("node-2", FIRST);
    fellow.hears = Some("node-3");
    twins.done.clear();
    for _ in 0..20 {
        twins.happen(fellow.hello(&[]));
        twins.run_for(TIMING.interval);
    }
    assert!(!twins.answering().contains(&FIRST));
    let left = |notice: &Notice| matches!(notice, Notice::Listened { link: FIRST, after: Silence::Unheard, .. });
    assert!(!notices(&twins.done).iter().any(|(_, notice)| left(notice)), "it stays unheard");
}

#[test]
fn an_address_that_goes_to_another_node_is_declined_on_the_interface_that_did_not_answer() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    twins.meet("node-2", FIRST);
    twins.done.clear();
    twins.happen(Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-2"])] }));
    twins.run_for(TIMING.spacing);
    for (wanted, stance) in [(FIRST, Stance::Leaves), (SECOND_LINK, Stance::Declines)] {
        let hello = twins.hello(wanted);
        let stances = read_stances(opened(&hello.unwrap()).stances).unwrap();
        assert_eq!(stances.get(&VIP.into()), Some(&stance), "interface {wanted}");
    }
}

#[test]
fn a_pin_that_moves_leaves_no_moment_in_which_nobody_answers_also_with_one_candidate() {
    let pinned = |name: &str| on(vip(VIP, &["node-1"]), &[name]);
    let mut twins = Twins::new(vec![pinned("lan1")]);
    // What is sent on one interface has yet to come in on the other.
    let actions = twins.lab.happen(Event::Plan(Plan { generation: 8, vips: vec![pinned("lan0")] }));
    assert_eq!(twins.answering(), [SECOND_LINK]);
    for action in actions {
        if let Action::Send(sent) = action {
            let other = if sent.link == FIRST { SECOND_LINK } else { FIRST };
            twins.happen(Event::Frame(other, sent.frame));
        }
    }
    twins.run_for(SECOND);
    assert_eq!(twins.answering(), [FIRST]);
}

#[test]
fn without_another_node_it_ends_at_once() {
    let mut twins = Twins::new(vec![vip(VIP, &["node-1", "node-2"])]);
    let actions = twins.lab.happen(Event::Stop);
    assert_eq!(actions.last(), Some(&Action::Finished));
}
