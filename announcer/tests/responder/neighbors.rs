//! Which messages of Neighbor Discovery get an answer, and which one.

use std::net::{IpAddr, Ipv6Addr};

use announcer::responder::{Action, Event, Purpose, Silence, Transmission};
use announcer::wire::Malformed;
use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{Stance, read_stances};
use announcer::wire::ipv6::{ALL_NODES, Envelope, NEXT_ICMPV6, checksum, group_mac, solicited_node};
use announcer::wire::ndp::{Message, Neighbor};

use crate::lab::{CLIENT_MAC, Lab, SECOND, VIP, link, mac, opened, vip, with};

const TARGET: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x200);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x201);
const ASKER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x50);
const OPTION_MAC: Mac = Mac([2, 0, 0, 0, 0, 51]);

fn answering() -> Lab {
    let mut lab = Lab::on_lan();
    lab.plan(vec![vip(TARGET, &["node-1"]), vip(OTHER, &["node-2"])]);
    lab
}

/// Asks the group of the target for its MAC address, as one does that knows nothing.
fn question() -> Neighbor {
    let destination = solicited_node(TARGET);
    let message = Message::Solicitation { target: TARGET, source_mac: Some(OPTION_MAC) };
    Neighbor { destination_mac: group_mac(destination), source_mac: CLIENT_MAC, destination, source: ASKER, message }
}

fn hear(lab: &mut Lab, frame: Vec<u8>) -> Action {
    let actions = lab.happen(Event::Frame(2, frame));
    let [action] = <[Action; 1]>::try_from(actions).unwrap();
    action
}

fn answer(action: &Action) -> Neighbor {
    match action {
        Action::Send(Transmission { purpose: Purpose::Answer(ip), frame, link: 2 }) if *ip == TARGET => {
            Neighbor::read(frame).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn solicited(destination_mac: Mac) -> Neighbor {
    let message =
        Message::Advertisement { target: TARGET, target_mac: Some(mac(2)), is_solicited: true, is_override: false };
    Neighbor { destination_mac, source_mac: mac(2), destination: ASKER, source: TARGET, message }
}

#[test]
fn a_solicitation_is_answered_to_the_mac_that_it_names() {
    let mut lab = answering();
    assert_eq!(answer(&hear(&mut lab, question().write())), solicited(OPTION_MAC));
}

#[test]
fn a_solicitation_without_a_mac_in_it_is_answered_to_the_frames_sender() {
    let mut lab = answering();
    let message = Message::Solicitation { target: TARGET, source_mac: None };
    let asked = Neighbor { message, ..question() };
    assert_eq!(answer(&hear(&mut lab, asked.write())), solicited(CLIENT_MAC));
}

#[test]
fn who_looks_whether_a_known_neighbor_is_still_there_asks_it_alone_and_is_answered() {
    let mut lab = answering();
    let message = Message::Solicitation { target: TARGET, source_mac: None };
    let asked = Neighbor { destination_mac: mac(2), destination: TARGET, message, ..question() };
    assert_eq!(answer(&hear(&mut lab, asked.write())), solicited(CLIENT_MAC));
}

#[test]
fn who_looks_whether_the_address_is_free_is_answered_for_all_to_hear() {
    let mut lab = answering();
    let message = Message::Solicitation { target: TARGET, source_mac: None };
    let asked = Neighbor { source: Ipv6Addr::UNSPECIFIED, message, ..question() };
    let message =
        Message::Advertisement { target: TARGET, target_mac: Some(mac(2)), is_solicited: false, is_override: true };
    let (destination_mac, destination) = (group_mac(ALL_NODES), ALL_NODES);
    let expected = Neighbor { destination_mac, source_mac: mac(2), destination, source: TARGET, message };
    assert_eq!(answer(&hear(&mut lab, asked.write())), expected);
}

#[test]
fn what_is_not_a_solicitation_to_us_gets_silence_with_its_reason() {
    let ask = |target| Message::Solicitation { target, source_mac: None };
    let unknown = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 9);
    let advertisement =
        Message::Advertisement { target: OTHER, target_mac: None, is_solicited: false, is_override: true };
    let of_group = Message::Solicitation { target: TARGET, source_mac: Some(Mac::BROADCAST) };
    for (asked, silence) in [
        (Neighbor { message: ask(unknown), ..question() }, Silence::NotOurs),
        (Neighbor { message: ask(OTHER), ..question() }, Silence::NotACandidate),
        (Neighbor { destination_mac: mac(9), ..question() }, Silence::NotForUs),
        (Neighbor { message: of_group, ..question() }, Silence::GroupSender),
        (Neighbor { message: advertisement, ..question() }, Silence::NotARequest),
        (Neighbor { source_mac: mac(2), ..question() }, Silence::OwnFrame),
    ] {
        assert_eq!(hear(&mut answering(), asked.write()), Action::Ignore(silence), "{asked:?}");
    }
    let mut lab = answering();
    lab.links(vec![link(2, "lan0"), link(3, "lan1")]);
    let actions = lab.happen(Event::Frame(4, question().write()));
    assert_eq!(actions, [Action::Ignore(Silence::SocketClosed)]);
}

/// Gives a message with a right checksum, in a packet like this.
fn packet(envelope: Envelope, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let sum = checksum(envelope.source, envelope.destination, &message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    envelope.write(&message)
}

/// Gives a solicitation for the target without its options.
fn message() -> Vec<u8> {
    [&[135, 0, 0, 0, 0, 0, 0, 0][..], &TARGET.octets()].concat()
}

fn envelope() -> Envelope {
    Envelope {
        destination_mac: group_mac(solicited_node(TARGET)),
        source_mac: CLIENT_MAC,
        destination: solicited_node(TARGET),
        source: ASKER,
        hop_limit: 255,
        next_header: NEXT_ICMPV6,
    }
}

#[test]
fn a_message_that_fails_any_check_of_its_rfc_is_dropped() {
    let sound = packet(envelope(), &message());
    assert_eq!(answer(&hear(&mut answering(), sound.clone())), solicited(CLIENT_MAC));
    let with_option = |option: &[u8]| packet(envelope(), &[&message()[..], option].concat());
    let patched = |offset: usize, value: u8| {
        let mut message = message();
        message[offset] = value;
        packet(envelope(), &message)
    };
    let mut wrong_sum = sound.clone();
    *wrong_sum.last_mut().unwrap() ^= 1;
    let mut version = sound.clone();
    version[14] = 0x40;
    let source_option = [1, 1, 2, 0, 0, 0, 0, 51];
    let unspecified = Envelope { source: Ipv6Addr::UNSPECIFIED, ..envelope() };
    let probe_with_option = packet(unspecified, &[&message()[..], &source_option].concat());
    let direct_probe = packet(Envelope { destination: TARGET, ..unspecified }, &message());
    let solicited_to_all =
        Message::Advertisement { target: OTHER, target_mac: None, is_solicited: true, is_override: true };
    for (name, frame, refusal) in [
        ("passed a router", packet(Envelope { hop_limit: 254, ..envelope() }, &message()), Malformed::Neighbor),
        ("checksum", wrong_sum, Malformed::Neighbor),
        ("code", patched(1, 1), Malformed::Neighbor),
        ("target is a group", patched(8, 0xff), Malformed::Neighbor),
        ("option of no length", with_option(&[1, 0, 0, 0, 0, 0, 0, 0]), Malformed::Neighbor),
        ("option too long", with_option(&[1, 2, 0, 0, 0, 0, 0, 0]), Malformed::Neighbor),
        ("half an option", with_option(&[1]), Malformed::Neighbor),
        ("a probe with a MAC in it", probe_with_option, Malformed::Neighbor),
        ("a probe not to the group", direct_probe, Malformed::Neighbor),
        (
            "solicited advertisement to all",
            Neighbor { message: solicited_to_all, ..question() }.write(),
            Malformed::Neighbor,
        ),
        ("short", packet(envelope(), &message()[..20]), Malformed::Short(74)),
        ("cut off", sound[..70].to_vec(), Malformed::Short(70)),
        ("router solicitation", patched(0, 133), Malformed::IcmpType(133)),
        ("UDP", packet(Envelope { next_header: 17, ..envelope() }, &message()), Malformed::NextHeader(17)),
        ("IP version", version, Malformed::IpVersion(4)),
    ] {
        assert_eq!(hear(&mut answering(), frame), Action::Drop(refusal), "{name}");
    }
}

#[test]
fn unknown_options_before_the_one_that_counts_are_passed_over() {
    let options = [14, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 51];
    let frame = packet(envelope(), &[&message()[..], &options].concat());
    assert_eq!(answer(&hear(&mut answering(), frame)), solicited(OPTION_MAC));
}

#[test]
fn where_ipv6_is_switched_off_no_address_of_it_is_answered_and_others_need_not_wait_for_this_node() {
    let mut lab = Lab::on_lan();
    lab.plan(vec![vip(TARGET, &["node-1", "node-2"]), vip(VIP, &["node-1", "node-2"])]);
    let mut fellow = lab.meet("node-2");
    let lan = |has_ipv6| vec![with(link(2, "lan0"), |link| link.traits.has_ipv6 = has_ipv6)];
    for has_ipv6 in [false, true] {
        lab.happen(Event::Links(lan(has_ipv6)));
        lab.run_with(&mut fellow, SECOND);
        assert_eq!((lab.answers(TARGET), lab.answers(VIP)), (has_ipv6, true));
        let said = read_stances(opened(&lab.hello).stances).unwrap().get(&IpAddr::V6(TARGET)).copied();
        assert_eq!(said, Some(if has_ipv6 { Stance::Answers(0) } else { Stance::Declines }));
    }
    lab.happen(Event::Links(lan(false)));
    lab.run_with(&mut fellow, SECOND);
    assert_eq!(lab.silence(TARGET), Some(Silence::NoUsableInterface));
}
