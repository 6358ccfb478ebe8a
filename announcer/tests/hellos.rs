//! Which hellos are believed, on a clock that only the test moves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use announcer::plan::{Plan, Vip};
use announcer::responder::{
    Action, Config, DEFAULT_EXCLUSIONS, Event, Exclusions, Link, Purpose, Responder, Timing, Traits,
};
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{HelloFault, Key, KeyRing};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 200);
const MILLI: Duration = Duration::from_millis(1);

fn mac(node: usize) -> Mac {
    Mac([2, 0, 0, 0, 0, u8::try_from(node).unwrap()])
}

/// Two nodes, of which the first stands first, and every frame that they sent.
struct Pair {
    nodes: [Option<Responder>; 2],
    now: Duration,
    hellos: Vec<(usize, Vec<u8>)>,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self { nodes: [None, None], now: Duration::from_secs(9), hellos: Vec::new() };
        pair.start(0, 1, 7);
        pair.start(1, 2, 7);
        pair.run(1_500);
        assert_eq!(pair.answering(), [true, false]);
        pair
    }

    fn start(&mut self, node: usize, epoch: u64, key: u8) {
        let exclusions = Exclusions::new(&DEFAULT_EXCLUSIONS).unwrap();
        let config = Config { node: format!("node-{node}"), exclusions, epoch, timing: Timing::DEFAULT };
        self.nodes[node] = Some(Responder::new(config));
        let traits =
            Traits { is_up: true, is_running: true, is_ethernet: true, can_broadcast: true, ..Traits::default() };
        let link = Link { index: 2, name: "lan0".to_owned(), mac: Some(mac(node)), link_local: None, traits };
        let nodes = vec!["node-0".to_owned(), "node-1".to_owned()];
        self.give(node, Event::Keys(KeyRing::new(vec![Key::new(&[key; 32])])));
        self.give(node, Event::Links(vec![link]));
        self.give(
            node,
            Event::Plan(Plan {
                generation: 1,
                vips: vec![Vip { ip: VIP.into(), nodes, interfaces: None, moving: false }],
            }),
        );
    }

    /// Gives what was discarded, and hands hellos to the other node.
    fn give(&mut self, node: usize, event: Event) -> Vec<HelloFault> {
        let (mut next, mut faults) = (vec![(node, event)], Vec::new());
        while let Some((to, event)) = next.pop() {
            let Some(responder) = &mut self.nodes[to] else { continue };
            for action in responder.handle(event, self.now) {
                match action {
                    Action::Open(link) => next.push((to, Event::Opened(link))),
                    Action::Discard(fault) if to == node => faults.push(fault),
                    Action::Send(sent) if sent.purpose == Purpose::Hello => {
                        self.hellos.push((to, sent.frame.clone()));
                        next.push((1 - to, Event::Frame(2, sent.frame)));
                    }
                    _ => {}
                }
            }
        }
        faults
    }

    fn run(&mut self, millis: u32) {
        for _ in 0..millis {
            self.now += MILLI;
            for node in 0..2 {
                let deadline = self.nodes[node].as_ref().and_then(Responder::deadline);
                if deadline.is_some_and(|deadline| deadline <= self.now) {
                    self.give(node, Event::Tick);
                }
            }
        }
    }

    fn answering(&self) -> [bool; 2] {
        let answers =
            |node: &Option<Responder>| node.as_ref().is_some_and(|node| node.answers(IpAddr::V4(VIP)).next().is_some());
        [answers(&self.nodes[0]), answers(&self.nodes[1])]
    }

    fn last_hello(&self, node: usize) -> Vec<u8> {
        self.hellos.iter().rev().find(|(sender, _)| *sender == node).unwrap().1.clone()
    }
}

#[test]
fn a_hello_played_again_is_ignored() {
    let mut pair = Pair::new();
    let hello = pair.last_hello(0);
    assert_eq!(pair.give(1, Event::Frame(2, hello)), [HelloFault::Replayed]);
}

#[test]
fn recordings_do_not_keep_a_dead_node_alive_nor_bring_it_back() {
    let mut pair = Pair::new();
    pair.nodes[0] = None;
    let recordings: Vec<_> = pair.hellos.iter().filter(|(sender, _)| *sender == 0).cloned().collect();
    for (_, hello) in recordings {
        pair.run(30);
        let faults = pair.give(1, Event::Frame(2, hello));
        assert!(matches!(faults[..], [HelloFault::Replayed | HelloFault::Unproven]), "{faults:?}");
    }
    assert_eq!(pair.answering(), [false, true]);
}

#[test]
fn an_old_epoch_does_not_unseat_a_living_one() {
    let mut pair = Pair::new();
    let old = pair.last_hello(0);
    pair.start(0, 3, 7);
    pair.run(250);
    assert_eq!(pair.give(1, Event::Frame(2, old.clone())), [HelloFault::Replayed]);
    pair.run(1_000);
    assert_eq!(pair.answering(), [false, true]);
    assert_eq!(pair.give(1, Event::Frame(2, old)), [HelloFault::Unproven]);
    assert_eq!(pair.nodes[1].as_ref().unwrap().fellows(2), 1);
    pair.run(1_000);
    assert_eq!(pair.answering(), [false, true]);
}

#[test]
fn a_node_with_another_key_is_not_heard() {
    let mut pair = Pair::new();
    pair.nodes[0] = None;
    pair.start(0, 3, 8);
    let hello = pair.last_hello(0);
    assert_eq!(pair.give(1, Event::Frame(2, hello)), [HelloFault::Forged]);
}

#[test]
fn keys_are_changed_without_a_fellow_lost() {
    let mut pair = Pair::new();
    let ring = |keys: &[u8]| KeyRing::new(keys.iter().map(|&key| Key::new(&[key; 32])).collect());
    for keys in [&[7, 8][..], &[8, 7], &[8]] {
        for node in 0..2 {
            pair.give(node, Event::Keys(ring(keys)));
            pair.run(500);
            assert_eq!(pair.answering(), [true, false], "{keys:?}");
        }
    }
}

#[test]
fn a_packet_of_a_higher_fellow_is_its_word_and_one_of_a_stranger_is_not() {
    let mut pair = Pair::new();
    pair.start(0, 3, 7);
    pair.run(1_500);
    assert_eq!(pair.answering(), [false, true]);
    let packet = Packet {
        operation: Operation::Reply,
        sender_mac: mac(0),
        sender_ip: VIP,
        target_mac: Mac::BROADCAST,
        target_ip: VIP,
    };
    let forged = Frame { destination: Mac::BROADCAST, source: mac(0), packet }.write().to_vec();
    let stranger =
        Frame { destination: Mac::BROADCAST, source: mac(9), packet: Packet { sender_mac: mac(9), ..packet } };
    pair.give(1, Event::Frame(2, stranger.write().to_vec()));
    assert_eq!(pair.answering(), [false, true]);
    pair.give(1, Event::Frame(2, forged));
    pair.run(250);
    assert_eq!(pair.answering(), [true, false]);
}
