//! When addresses are announced unasked, and how.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use announcer::plan::Plan;
use announcer::responder::{Action, Event, Purpose, ROUND_INTERVAL, Silence};
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use announcer::wire::ipv6::{ALL_NODES, group_mac};
use announcer::wire::ndp::{Message, Neighbor};

use crate::lab::{
    Lab, MILLI, MINUTE, OTHER_VIP, SECOND, TIMING, VIP, announcements, keys, link, mac, request, rounds, vip,
};

const FIVE_ROUNDS: [u128; 5] = [0, 1_100, 2_200, 3_300, 4_400];

#[test]
fn an_announcement_is_a_request_and_a_reply_about_the_address_itself_to_all() {
    let mut lab = Lab::on_lan();
    let sent = announcements(&lab.plan(vec![vip(VIP, &["node-1"])]));
    assert_eq!(sent.len(), 2);
    for ((_, transmission), operation) in sent.iter().zip([Operation::Request, Operation::Reply]) {
        let (sender_mac, target_mac) = (mac(2), Mac::BROADCAST);
        let packet = Packet { operation, sender_mac, sender_ip: VIP, target_mac, target_ip: VIP };
        let frame = Frame { destination: Mac::BROADCAST, source: mac(2), packet };
        assert_eq!(Frame::read(&transmission.frame), Ok(frame));
        assert_eq!((transmission.link, transmission.purpose), (2, Purpose::Announcement(VIP.into())));
    }
}

#[test]
fn an_ipv6_address_is_announced_to_all_nodes_with_override() {
    let target: Ipv6Addr = "fd00::200".parse().unwrap();
    let mut lab = Lab::on_lan();
    let sent = announcements(&lab.plan(vec![vip(target, &["node-1"])]));
    let [(_, transmission)] = &sent[..] else { panic!("{sent:?}") };
    let message = Message::Advertisement { target, target_mac: Some(mac(2)), is_solicited: false, is_override: true };
    let (destination_mac, destination) = (group_mac(ALL_NODES), ALL_NODES);
    let expected = Neighbor { destination_mac, source_mac: mac(2), destination, source: target, message };
    assert_eq!(Neighbor::read(&transmission.frame), Ok(expected));
}

#[test]
fn an_address_that_starts_to_be_answered_is_announced_five_times_in_five_seconds() {
    let target: Ipv6Addr = "fd00::200".parse().unwrap();
    let mut lab = Lab::on_lan();
    let start = lab.time();
    let mut done = lab.plan(vec![vip(VIP, &["node-1"]), vip(target, &["node-1"])]);
    done.extend(lab.run_for(MINUTE));
    assert_eq!(rounds(&done, VIP, start), FIVE_ROUNDS);
    assert_eq!(rounds(&done, target, start), FIVE_ROUNDS);
    let frames: Vec<_> = announcements(&done).into_iter().map(|(_, sent)| sent).collect();
    assert!(frames.chunks(3).all(|round| round == &frames[..3]), "{frames:?}");
}

#[test]
fn an_address_is_refreshed_every_few_minutes_at_uneven_pauses() {
    let mut lab = Lab::answering();
    let done = lab.run_for(MINUTE * 40);
    let times = rounds(&done, VIP, Duration::ZERO);
    let pauses: Vec<_> = times[3..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 10, "{pauses:?}");
    assert!(pauses.iter().all(|pause| (135_000..=225_000).contains(pause)), "{pauses:?}");
    let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(longest - shortest > 10_000, "{pauses:?}");
    assert_eq!(announcements(&done).len(), times.len() * 2);
}

#[test]
fn addresses_of_one_moment_are_refreshed_at_different_moments() {
    let vips: Vec<_> = (1..=20).map(|last| vip(Ipv4Addr::new(192, 168, 2, last), &["node-1"])).collect();
    let mut lab = Lab::on_lan();
    lab.plan(vips);
    lab.run_for(SECOND * 10);
    let mut moments: Vec<_> = announcements(&lab.run_for(MINUTE * 4)).into_iter().map(|(at, _)| at).collect();
    assert!(moments.len() >= 40);
    moments.dedup();
    assert!(moments.len() >= 20, "{moments:?}");
}

#[test]
fn what_concerns_other_addresses_or_interfaces_does_not_start_the_rounds_anew() {
    let own = || vip(VIP, &["node-1", "node-2"]);
    let other = || vip(OTHER_VIP, &["node-1"]);
    let changes: [(&str, Event); 7] = [
        ("another address", Event::Plan(Plan { generation: 8, vips: vec![own(), other()] })),
        ("the same plan", Event::Plan(Plan { generation: 8, vips: vec![own()] })),
        ("a lower candidate", Event::Plan(Plan { generation: 8, vips: vec![vip(VIP, &["node-1", "node-3"])] })),
        ("another interface", Event::Links(vec![link(2, "lan0"), link(3, "lan1")])),
        ("the same interfaces", Event::Links(vec![link(2, "lan0")])),
        ("another key", Event::Keys(keys(&[8, 7]))),
        ("a request", Event::Frame(2, request(VIP).write().to_vec())),
    ];
    for (name, change) in changes {
        let mut lab = Lab::on_lan();
        let start = lab.time();
        let mut done = lab.plan(vec![own()]);
        done.extend(lab.run_for(ROUND_INTERVAL));
        done.extend(lab.let_happen(change).into_iter().filter(|(_, action)| is_on_lan(action)));
        done.extend(lab.run_for(MINUTE).into_iter().filter(|(_, action)| is_on_lan(action)));
        assert_eq!(rounds(&done, VIP, start), FIVE_ROUNDS, "{name}");
    }
}

fn is_on_lan(action: &Action) -> bool {
    matches!(action, Action::Send(sent) if sent.link == 2)
}

#[test]
fn fellows_that_come_and_go_do_not_start_the_rounds_anew() {
    let mut lab = Lab::on_lan();
    let start = lab.time();
    let mut done = lab.plan(vec![vip(VIP, &["node-1", "node-2"])]);
    let mut fellow = lab.meet("node-2");
    done.extend(lab.run_with(&mut fellow, SECOND));
    done.extend(lab.run_for(MINUTE));
    assert_eq!(lab.responder.fellows(2), 0);
    assert_eq!(rounds(&done, VIP, start), FIVE_ROUNDS);
}

#[test]
fn an_address_that_is_given_away_is_not_announced_any_more() {
    let mut lab = Lab::answering();
    assert!(announcements(&lab.plan(vec![])).is_empty());
    assert!(announcements(&lab.run_for(MINUTE * 5)).is_empty());
    assert_eq!(lab.hear(2, request(VIP)), Action::Ignore(Silence::NotOurs));
}

#[test]
fn an_address_that_comes_back_is_announced_again() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    assert!(announcements(&lab.plan(vec![vip(VIP, &["node-2"])])).is_empty());
    assert!(announcements(&lab.run_for(MINUTE * 5)).is_empty());
    assert_eq!(announcements(&lab.plan(vec![vip(VIP, &["node-1", "node-2"])])).len(), 2);
}

#[test]
fn a_late_round_moves_the_ones_after_it_instead_of_making_up_for_them() {
    let mut lab = Lab::on_lan();
    let start = lab.time();
    let mut done = lab.plan(vec![vip(VIP, &["node-1"])]);
    lab.now += MILLI * 250;
    let at = lab.time();
    done.extend(lab.happen(Event::Tick).into_iter().map(|action| (at, action)));
    done.extend(lab.run_for(MINUTE));
    assert_eq!(rounds(&done, VIP, start), [0, 1_250, 2_350, 3_450, 4_550]);
}

#[test]
fn thousands_of_addresses_are_announced_in_batches_and_each_of_them_at_once() {
    let ip = |index: u16| Ipv4Addr::from(0x0a00_0000 + u32::from(index));
    let vips: Vec<_> = (0..1_000).map(|index| vip(ip(index), &["node-1"])).collect();
    let mut lab = Lab::on_lan();
    let start = lab.time();
    let sent = announcements(&lab.plan(vips));
    assert_eq!(sent.len(), 2_000);
    let last = sent.last().unwrap().0.saturating_sub(start);
    assert!(last <= MILLI * 10, "{last:?}");
    for batch in sent.chunk_by(|(one, _), (other, _)| one == other) {
        assert!(batch.len() <= 256, "{}", batch.len());
    }
    let again = announcements(&lab.run_for(ROUND_INTERVAL));
    assert_eq!(again.len(), 2_000);
}

#[test]
fn after_listening_since_it_was_fenced_an_address_is_announced_again() {
    let mut lab = Lab::answering();
    lab.run_for(MINUTE);
    lab.now += SECOND;
    let fenced = lab.time();
    let done = lab.let_happen(Event::Tick);
    assert_eq!(rounds(&done, IpAddr::V4(VIP), fenced), [TIMING.dead_after(TIMING.interval).as_millis()]);
}
