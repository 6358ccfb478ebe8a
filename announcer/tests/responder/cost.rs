//! What events cost with thousands of addresses and a hundred fellows. Measures, and judges nothing:
//! `cargo test --release --test responder cost -- --ignored --nocapture`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use announcer::plan::Plan;
use announcer::responder::{Action, Event, Purpose};
use announcer::wire::hello::Stance;

use crate::fellow::Fellow;
use crate::lab::{Lab, MILLI, SECOND, request, vip};

const VIPS: u16 = 5_000;
const FELLOWS: usize = 100;

fn ip(index: u16) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + u32::from(index))
}

/// A node that stands first for half of the addresses and second for the rest, which a hundred fellows answer.
struct Crowd {
    lab: Lab,
    fellows: Vec<Fellow>,
    shares: Vec<Vec<IpAddr>>,
}

impl Crowd {
    fn new() -> Self {
        let names: Vec<&'static str> = (0..FELLOWS).map(|node| &*format!("fellow-{node:03}").leak()).collect();
        let mut lab = Lab::on_lan();
        let mut fellows: Vec<_> = names.iter().map(|name| Fellow::new(name)).collect();
        let (mut vips, mut shares) = (Vec::new(), vec![Vec::new(); FELLOWS]);
        for index in 0..VIPS {
            let node = usize::from(index / 2) % FELLOWS;
            if index % 2 == 0 {
                vips.push(vip(ip(index), &["node-1", names[node]]));
            } else {
                vips.push(vip(ip(index), &[names[node], "node-1"]));
                shares[node].push(ip(index).into());
            }
        }
        for (fellow, share) in fellows.iter_mut().zip(&shares) {
            let stances: Vec<_> = share.iter().map(|&ip| (ip, Stance::Answers(0))).collect();
            fellow.state(&stances);
        }
        let mut crowd = Self { lab, fellows, shares };
        crowd.speak(2);
        lab = crowd.lab;
        lab.happen(Event::Plan(Plan { generation: 1, vips }));
        crowd = Self { lab, ..crowd };
        crowd.speak(30);
        let answered = (0..VIPS).filter(|&index| crowd.lab.answers(ip(index))).count();
        assert_eq!((answered, crowd.lab.responder.fellows(2)), (usize::from(VIPS / 2), FELLOWS));
        crowd
    }

    /// Every fellow says hello, so many times, spread over a tenth of a second each.
    fn speak(&mut self, times: usize) {
        for _ in 0..times {
            for fellow in &mut self.fellows {
                self.lab.run_for(MILLI);
                self.lab.happen(fellow.hello(&self.lab.hello));
            }
        }
    }
}

/// Gives the middle and the 99th of a hundred of these times.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let middle = times[times.len() / 2];
    format!("median {middle:?}, 99 % {:?}, {} events", times[times.len() * 99 / 100], times.len())
}

fn time(crowd: &mut Crowd, frame: &[u8], actions: &mut Vec<Action>) -> Duration {
    actions.clear();
    let (responder, now) = (&mut crowd.lab.responder, crowd.lab.now);
    let (mut answer, start) = (Vec::with_capacity(64), Instant::now());
    let answered = responder.answer(2, frame, now, &mut answer);
    responder.receive(2, frame, now, actions);
    let took = start.elapsed();
    let is_refused = actions.iter().any(|action| matches!(action, Action::Ignore(_)));
    assert!(answered.is_none() || !is_refused);
    took
}

fn bytes(event: Event) -> Vec<u8> {
    match event {
        Event::Frame(_, frame) => frame,
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "measures"]
fn cost() {
    let mut crowd = Crowd::new();
    let mut actions = Vec::new();
    for (name, first, step) in [("answered", 0, 2), ("of a fellow", 1, 2), ("unknown", VIPS, 1)] {
        let mut times = Vec::new();
        for index in (first..first + 4_000).step_by(step) {
            let frame = request(ip(index)).write();
            times.push(time(&mut crowd, &frame, &mut actions));
        }
        println!("ARP request, {name}: {}", spread(times));
    }
    let (mut same, mut ticks) = (Vec::new(), Vec::new());
    for round in 0..3_000 {
        crowd.lab.now += MILLI;
        let start = Instant::now();
        if crowd.lab.responder.deadline().is_some_and(|deadline| deadline <= crowd.lab.now) {
            for action in crowd.lab.handle(Event::Tick) {
                assert!(!matches!(action, Action::Send(sent) if matches!(sent.purpose, Purpose::Answer(_))));
            }
            ticks.push(start.elapsed());
        }
        let hello = bytes(crowd.fellows[round % FELLOWS].hello(&crowd.lab.hello));
        same.push(time(&mut crowd, &hello, &mut actions));
    }
    println!("hello that changes nothing, {FELLOWS} fellows: {}", spread(same));
    println!("tick that is due (own hello, refreshes): {}", spread(ticks));
    let mut changed = Vec::new();
    for round in 0..FELLOWS {
        crowd.lab.run_for(MILLI);
        let stance = Stance::Leaves;
        let stances: Vec<_> = crowd.shares[round].iter().map(|&ip| (ip, stance)).collect();
        crowd.fellows[round].state(&stances);
        let hello = bytes(crowd.fellows[round].hello(&crowd.lab.hello));
        changed.push(time(&mut crowd, &hello, &mut actions));
    }
    println!("hello that hands 25 addresses over: {}", spread(changed));

    let mut crowd = Crowd::new();
    crowd.lab.run_for(MILLI * 340);
    let start = Instant::now();
    let done = crowd.lab.run_for(SECOND / 5);
    let took = start.elapsed();
    let takeovers = done.iter().filter(|(_, action)| matches!(action, Action::Note(_))).count();
    println!("all {FELLOWS} fellows die, {takeovers} notices: {took:?} for everything until 200 ms later");
}
