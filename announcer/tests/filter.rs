//! The socket filter, run by an interpreter of classic BPF and held against what it is to let through.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use announcer::filter::{Instruction, LONGEST, SHORTEST, all, arp, ndp};
use announcer::wire::arp::{Frame, Operation, Packet};
use announcer::wire::ethernet::Mac;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

const BROADCAST: u32 = 1;
const OTHER_HOST: u32 = 3;
const SENDER: Mac = Mac([2, 0, 0, 0, 0, 50]);

/// Runs a program the way the kernel does (`bpf_prog_run` after `bpf_check_classic`); how many bytes are kept, and after
/// how many instructions.
fn run(program: &[Instruction], frame: &[u8], whose: u32) -> (u32, usize) {
    let (mut a, mut x, mut scratch, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
    for steps in 1.. {
        let Instruction { code, if_true, if_false, value } = program[at];
        at += 1;
        let load = |length: usize| {
            let bytes = frame.get(value as usize..value as usize + length)?;
            Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
        };
        match code {
            0x20 if value == 0xffff_f004 => a = whose,
            0x20 | 0x28 => match load(if code == 0x20 { 4 } else { 2 }) {
                Some(loaded) => a = loaded,
                None => return (0, steps),
            },
            0x00 => a = value,
            0x60 => a = scratch[value as usize],
            0x02 => scratch[value as usize] = a,
            0x07 => x = a,
            0x54 => a &= value,
            0x74 => a >>= value,
            0x7c => a >>= x,
            0xac => a ^= x,
            0x84 => a = a.wrapping_neg(),
            0x05 => at += value as usize,
            0x15 => at += usize::from(if a == value { if_true } else { if_false }),
            0x35 => at += usize::from(if a >= value { if_true } else { if_false }),
            0x06 => return (value, steps),
            0x16 => return (a, steps),
            other => panic!("the kernel's interpreter is not asked for {other:#x}"),
        }
    }
    unreachable!()
}

fn passes(program: &[Instruction], frame: &[u8]) -> bool {
    match run(program, frame, BROADCAST).0 {
        0 => false,
        u32::MAX => true,
        cut => panic!("{cut} bytes kept"),
    }
}

fn arp_frame(operation: Operation, sender_ip: Ipv4Addr, target_ip: Ipv4Addr) -> [u8; 42] {
    let packet = Packet { operation, sender_mac: SENDER, sender_ip, target_mac: Mac([0; 6]), target_ip };
    Frame { destination: Mac::BROADCAST, source: SENDER, packet }.write()
}

fn ndp_frame(kind: u8, target: Ipv6Addr) -> [u8; 78] {
    let mut frame = [0; 78];
    frame[12..14].copy_from_slice(&[0x86, 0xdd]);
    frame[20..22].copy_from_slice(&[58, 255]);
    frame[54] = kind;
    frame[62..78].copy_from_slice(&target.octets());
    frame
}

/// What an ARP frame has to say about one of the addresses.
fn concerns(vips: &BTreeSet<Ipv4Addr>, operation: Operation, sender: Ipv4Addr, target: Ipv4Addr) -> bool {
    match operation {
        Operation::Request => vips.contains(&target),
        Operation::Reply => vips.contains(&sender),
        Operation::Other(_) => false,
    }
}

/// Addresses close together, far apart, and at both ends.
fn address() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![
        (0_u32..200).prop_map(|low| Ipv4Addr::from(0x0a00_0000 + low)),
        (0_u32..4).prop_map(|low| Ipv4Addr::from(u32::MAX - low)),
        (0_u32..4).prop_map(Ipv4Addr::from),
        any::<Ipv4Addr>(),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => Just(Operation::Request),
        4 => Just(Operation::Reply),
        1 => (3_u16..).prop_map(Operation::Other)
    ]
}

proptest! {
    #[test]
    fn what_concerns_an_address_passes_and_nothing_else(
        vips in btree_set(address(), 0..80), operation in operation(), sender in address(), target in address(),
    ) {
        let program = arp(vips.iter().copied(), LONGEST);
        let frame = arp_frame(operation, sender, target);
        prop_assert_eq!(passes(&program, &frame), concerns(&vips, operation, sender, target));
        for &vip in &vips {
            prop_assert!(passes(&program, &arp_frame(Operation::Request, sender, vip)));
            prop_assert!(passes(&program, &arp_frame(Operation::Reply, vip, target)));
        }
    }

    #[test]
    fn a_program_is_never_longer_than_asked_and_never_loses_what_concerns_an_address(
        vips in btree_set(any::<Ipv4Addr>(), 1..400), longest in SHORTEST..1_000,
    ) {
        let program = arp(vips.iter().copied(), longest);
        prop_assert!(program.len() <= longest);
        for &vip in &vips {
            prop_assert!(passes(&program, &arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, vip)));
        }
    }

    #[test]
    fn any_bytes_are_safe(vips in btree_set(address(), 0..20), bytes in vec(any::<u8>(), 0..100), whose in 0_u32..6) {
        run(&arp(vips.clone(), LONGEST), &bytes, whose);
        run(&ndp(vips.iter().map(Ipv4Addr::to_ipv6_mapped), LONGEST), &bytes, whose);
    }

    #[test]
    fn a_solicitation_or_advertisement_for_an_address_passes(vips in btree_set(any::<Ipv6Addr>(), 1..50), other: Ipv6Addr) {
        let program = ndp(vips.iter().copied(), LONGEST);
        for &vip in &vips {
            prop_assert!(passes(&program, &ndp_frame(135, vip)) && passes(&program, &ndp_frame(136, vip)));
            prop_assert!(!passes(&program, &ndp_frame(134, vip)) && !passes(&program, &ndp_frame(128, vip)));
        }
        // That two of so few extracts are alike happens once in eighty million.
        prop_assert_eq!(passes(&program, &ndp_frame(135, other)), vips.contains(&other));
    }
}

#[test]
fn five_thousand_addresses_in_a_row_are_tested_exactly_and_in_a_few_steps() {
    let vips = (0..5_000).map(|low| Ipv4Addr::from(0x0a00_0000 + low));
    let program = arp(vips, LONGEST);
    assert!(program.len() < 30, "{}", program.len());
    assert!(passes(&program, &arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 0, 19, 135))));
    assert!(!passes(&program, &arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 0, 19, 136))));
}

#[test]
fn every_third_of_fifteen_thousand_addresses_is_tested_exactly_and_in_a_few_steps() {
    let program = arp((0..5_000).map(|place| Ipv4Addr::from(0x0a00_0000 + 3 * place)), LONGEST);
    assert!(program.len() <= LONGEST, "{}", program.len());
    for place in 0..15_000 {
        let frame = arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, Ipv4Addr::from(0x0a00_0000 + place));
        assert_eq!(passes(&program, &frame), place % 3 == 0, "{place}");
        assert!(run(&program, &frame, BROADCAST).1 < 40);
    }
}

#[test]
fn five_thousand_scattered_addresses_let_no_stranger_from_elsewhere_through() {
    let vips: Vec<_> =
        (0..5_000_u32).map(|place| Ipv4Addr::from(0x0a00_0000 + place.wrapping_mul(0x9e37_79b9) % (1 << 20))).collect();
    let program = arp(vips.iter().copied(), LONGEST);
    assert!(program.len() <= LONGEST, "{}", program.len());
    let strangers = (0..10_000_u32).map(|place| Ipv4Addr::from(0xc0a8_0000 + place));
    for stranger in strangers {
        assert!(!passes(&program, &arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, stranger)), "{stranger}");
    }
    for vip in vips {
        assert!(passes(&program, &arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, vip)));
    }
}

#[test]
fn frames_of_another_station_do_not_pass() {
    let vip = Ipv4Addr::new(192, 168, 1, 200);
    let frame = arp_frame(Operation::Request, Ipv4Addr::UNSPECIFIED, vip);
    assert_eq!(run(&arp([vip], LONGEST), &frame, OTHER_HOST).0, 0);
    assert_eq!(run(&all(), &frame, OTHER_HOST).0, 0);
    assert_eq!(run(&all(), &frame, BROADCAST).0, u32::MAX);
}

#[test]
fn without_an_address_nothing_passes() {
    let nobody = Ipv4Addr::UNSPECIFIED;
    assert!(!passes(&arp([], LONGEST), &arp_frame(Operation::Request, nobody, nobody)));
    assert!(!passes(&ndp([], LONGEST), &ndp_frame(135, Ipv6Addr::UNSPECIFIED)));
}

#[test]
fn a_packet_from_beyond_a_router_does_not_pass() {
    let vip = Ipv6Addr::LOCALHOST;
    let mut frame = ndp_frame(135, vip);
    frame[21] = 254;
    assert!(!passes(&ndp([vip], LONGEST), &frame));
}
