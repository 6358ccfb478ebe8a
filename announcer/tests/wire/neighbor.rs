//! Neighbor Discovery and membership reports, against themselves and against bytes made by another program.

use std::net::Ipv6Addr;

use announcer::wire::ethernet::Mac;
use announcer::wire::ipv6::{group_mac, solicited_node};
use announcer::wire::mld;
use announcer::wire::ndp::{Message, Neighbor};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::mac;

fn unicast() -> impl Strategy<Value = Ipv6Addr> {
    any::<Ipv6Addr>().prop_filter("not one node", |ip| !ip.is_multicast() && !ip.is_unspecified())
}

/// Gives messages that a neighbor may send (RFC 4861 §7.1).
fn neighbor() -> impl Strategy<Value = Neighbor> {
    let mac_option = proptest::option::of(mac());
    let message = (unicast(), mac_option, any::<[bool; 3]>(), unicast(), unicast());
    (message, mac(), mac()).prop_map(|((target, named, bits, source, to), destination_mac, source_mac)| {
        let [is_question, is_special, is_override] = bits;
        let group = solicited_node(target);
        let (source, destination, message) = match (is_question, is_special) {
            (true, false) => (source, to, Message::Solicitation { target, source_mac: named }),
            (true, true) => (Ipv6Addr::UNSPECIFIED, group, Message::Solicitation { target, source_mac: None }),
            (false, is_solicited) => {
                let message = Message::Advertisement { target, target_mac: named, is_solicited, is_override };
                (source, if is_solicited { to } else { group }, message)
            }
        };
        Neighbor { destination_mac, source_mac, destination, source, message }
    })
}

proptest! {
    #[test]
    fn any_message_is_read_as_it_was_written_whatever_the_padding(sent in neighbor(), padding in 0_usize..40) {
        let mut frame = sent.write();
        frame.resize(frame.len() + padding, 0);
        prop_assert_eq!(Neighbor::read(&frame), Ok(sent));
    }

    #[test]
    fn a_message_with_a_bit_turned_never_passes_for_the_same(sent in neighbor(), bit in any::<Index>()) {
        let mut frame = sent.write();
        let bit = bit.index(frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        // Traffic class and flow label may be anything.
        let is_free = (15..18).contains(&(bit / 8)) || (bit / 8 == 14 && bit % 8 < 4);
        prop_assert_eq!(Neighbor::read(&frame) == Ok(sent), is_free, "bit {}", bit);
        // No checksum covers the addresses of the frame; all else is refused.
        prop_assert!(is_free || bit / 8 < 12 || Neighbor::read(&frame).is_err(), "bit {}", bit);
    }

    #[test]
    fn a_message_cut_short_anywhere_is_refused(sent in neighbor(), end in any::<Index>()) {
        let frame = sent.write();
        prop_assert!(Neighbor::read(&frame[..end.index(frame.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_safe_also_after_sound_headers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Neighbor::read(&bytes);
        let mut frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd][..], &bytes].concat();
        let _ = Neighbor::read(&frame);
        for (byte, value) in frame.iter_mut().skip(14).zip([0x60, 0, 0, 0, 0, 32, 58, 255]) {
            *byte = value;
        }
        let _ = Neighbor::read(&frame);
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

const OWN: Mac = Mac([2, 0, 0, 0, 1, 2]);

#[test]
fn an_advertisement_is_the_bytes_that_another_program_makes_of_it() {
    let target = "fd00::200".parse().unwrap();
    let sent = Neighbor {
        destination_mac: Mac([2, 0, 0, 0, 0, 0x32]),
        source_mac: OWN,
        destination: "fe80::50".parse().unwrap(),
        source: target,
        message: Message::Advertisement { target, target_mac: Some(OWN), is_solicited: true, is_override: false },
    };
    let expected = [
        "02000000003202000000010286dd",
        "6000000000203afffd000000000000000000000000000200fe800000000000000000000000000050",
        "880035cf40000000fd0000000000000000000000000002000201020000000102",
    ];
    assert_eq!(sent.write(), bytes(&expected.concat()));
}

#[test]
fn a_report_is_the_bytes_that_another_program_makes_of_it() {
    let group = solicited_node("fd00::200".parse().unwrap());
    let report = mld::report(OWN, Some("fe80::1".parse().unwrap()), &[group]);
    let expected = [
        "33330000001602000000010286dd",
        "6000000000240001fe800000000000000000000000000001ff020000000000000000000000000016",
        "3a00050200000100",
        "8f0071080000000102000000ff0200000000000000000001ff000200",
    ];
    assert_eq!(report, bytes(&expected.concat()));
}

#[test]
fn groups_have_the_addresses_that_rfc_4291_and_rfc_2464_give_them() {
    let group = solicited_node("4037::1:800:200e:8c6c".parse().unwrap());
    assert_eq!(group, "ff02::1:ff0e:8c6c".parse::<Ipv6Addr>().unwrap());
    assert_eq!(group_mac(group), Mac([0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c]));
}
