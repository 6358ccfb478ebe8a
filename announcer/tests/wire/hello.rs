//! Hellos and what they say about addresses, against themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use announcer::wire::ethernet::Mac;
use announcer::wire::hello::{
    FRAME_CAPACITY, HEARD_CAPACITY, Heard, Hello, HelloFault, Key, KeyRing, NAME_CAPACITY, NodeId, PART_CAPACITY,
    STATION_LAST, Solitude, Stance, StationId, read_stances, write_stances,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::mac;

fn ring(byte: u8) -> KeyRing {
    KeyRing::new(vec![Key::new(&[byte; 32])])
}

fn hello(stances: &[u8]) -> Hello<'_> {
    Hello {
        source: Mac([2, 0, 0, 0, 0, 1]),
        name: "node-1",
        station: Some(2),
        epoch: 7,
        sequence: 8,
        interval: Duration::from_millis(100),
        listens_for: Duration::from_millis(350),
        is_leaving: true,
        solitude: Solitude::WithoutFellows,
        heard: vec![
            Heard { id: NodeId::of("node-2").station(0), age: Some(Duration::from_millis(30)), echo: 9 },
            Heard { id: NodeId::of("node-3").station(STATION_LAST), age: None, echo: 10 },
        ],
        statement: 3,
        parts: 1,
        part: 0,
        stances,
    }
}

#[test]
fn a_hello_is_read_as_it_was_written_whatever_the_padding() {
    let mut sealed = hello(&[1, 2, 3]).seal(&ring(1)).unwrap();
    sealed.frame.extend([0; 9]);
    assert_eq!(Hello::open(&sealed.frame, &ring(1)), Ok((hello(&[1, 2, 3]), sealed.token)));
}

#[test]
fn either_key_of_a_ring_opens_a_hello_and_no_other_does() {
    let sealed = hello(&[]).seal(&ring(1)).unwrap();
    let both = KeyRing::new(vec![Key::new(&[2; 32]), Key::new(&[1; 32])]);
    assert!(Hello::open(&sealed.frame, &both).is_ok());
    assert_eq!(Hello::open(&sealed.frame, &ring(2)), Err(HelloFault::Forged));
    assert_eq!(Hello::open(&sealed.frame, &KeyRing::default()), Err(HelloFault::NoKey));
}

#[test]
fn no_byte_of_a_hello_can_be_changed() {
    let sealed = hello(&[0, 1, 10, 0, 0, 1]).seal(&ring(1)).unwrap();
    for offset in 0..sealed.frame.len() {
        let mut frame = sealed.frame.clone();
        frame[offset] ^= 1;
        assert!(Hello::open(&frame, &ring(1)).is_err(), "{offset}");
    }
}

fn stance() -> impl Strategy<Value = Stance> {
    prop_oneof![(0_u8..240).prop_map(Stance::Answers), Just(Stance::Leaves), Just(Stance::Declines)]
}

fn dense_ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 2]>().prop_map(|[third, last]| IpAddr::from([10, 0, third % 4, last])),
        any::<[u8; 2]>().prop_map(|[third, last]| IpAddr::from([
            0xfd00,
            0,
            0,
            0,
            0,
            0,
            u16::from(third % 2),
            last.into()
        ])),
    ]
}

proptest! {
    #[test]
    fn stances_are_read_as_they_were_written(
        stances in proptest::collection::btree_map(dense_ip(), stance(), 0..600),
    ) {
        let parts = write_stances(&stances);
        prop_assert!(parts.iter().all(|part| part.len() <= announcer::wire::hello::PART_CAPACITY));
        let read: BTreeMap<_, _> = parts.iter().flat_map(|part| read_stances(part).unwrap()).collect();
        prop_assert_eq!(read, stances);
    }

    #[test]
    fn any_hello_is_read_as_it_was_written_and_fits_a_frame(sent in sent(), padding in 0_usize..40) {
        let mut sealed = sent.hello().seal(&ring(1)).unwrap();
        prop_assert!(sealed.frame.len() <= FRAME_CAPACITY);
        sealed.frame.resize(sealed.frame.len() + padding, 0);
        prop_assert_eq!(Hello::open(&sealed.frame, &ring(1)), Ok((sent.hello(), sealed.token)));
    }

    #[test]
    fn a_hello_with_a_bit_turned_or_cut_short_is_refused(sent in sent(), bit in any::<Index>(), end in any::<Index>()) {
        let frame = sent.hello().seal(&ring(1)).unwrap().frame;
        let mut turned = frame.clone();
        let bit = bit.index(frame.len() * 8);
        turned[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Hello::open(&turned, &ring(1)).is_err(), "bit {}", bit);
        prop_assert!(Hello::open(&frame[..end.index(frame.len())], &ring(1)).is_err());
    }

    #[test]
    fn any_bytes_are_safe_as_hello_and_stances(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Hello::open(&bytes, &ring(1));
        let _ = read_stances(&bytes);
    }
}

/// What a hello is made of, without what it borrows.
#[derive(Clone, Debug)]
struct Sent {
    name: String,
    stances: Vec<u8>,
    hello: Hello<'static>,
}

impl Sent {
    fn hello(&self) -> Hello<'_> {
        Hello { name: &self.name, stances: &self.stances, ..self.hello.clone() }
    }
}

fn heard() -> impl Strategy<Value = Heard> {
    (any::<u64>(), proptest::option::of(0_u64..65_535), any::<u32>()).prop_map(|(id, age, echo)| Heard {
        id: StationId(id),
        age: age.map(Duration::from_millis),
        echo,
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let name = "[a-z0-9.-]{1,253}|[ä-ü]{1,126}".prop_filter("too long", |name| name.len() <= NAME_CAPACITY);
    let heard = proptest::collection::vec(heard(), 0..=HEARD_CAPACITY);
    let stances = proptest::collection::vec(any::<u8>(), 0..=PART_CAPACITY);
    let source = mac().prop_filter("a group sends nothing", |mac| !mac.is_group());
    let solitude = select(vec![Solitude::Together, Solitude::WithoutFellows, Solitude::Alone]);
    let part = (1_u8..).prop_flat_map(|parts| (Just(parts), 0..parts));
    let flags = (any::<bool>(), proptest::option::of(0..=STATION_LAST));
    let numbers = (any::<u64>(), any::<u64>(), any::<u16>(), any::<u16>(), flags, any::<u32>());
    let whole = (name, heard, stances, source, solitude, part, numbers);
    whole.prop_map(|(name, heard, stances, source, solitude, (parts, part), numbers)| {
        let (epoch, sequence, interval, listens_for, (is_leaving, station), statement) = numbers;
        let [interval, listens_for] = [interval, listens_for].map(|millis| Duration::from_millis(millis.into()));
        let hello = Hello {
            source,
            name: "",
            station,
            epoch,
            sequence,
            interval,
            listens_for,
            is_leaving,
            solitude,
            heard,
            statement,
            parts,
            part,
            stances: &[],
        };
        Sent { name, stances, hello }
    })
}

#[test]
fn each_station_of_a_node_has_a_number_of_its_own_and_that_of_the_first_is_the_nodes() {
    let [one, other] = ["node-1", "node-2"].map(NodeId::of);
    let stations: BTreeSet<_> = (0..=STATION_LAST).map(|number| one.station(number)).collect();
    assert_eq!((stations.len(), one.station(0)), (usize::from(STATION_LAST) + 1, StationId(one.0)));
    assert!(stations.iter().all(|id| id.is_of(one) && !id.is_of(other)));
}

#[test]
fn what_does_not_fit_a_hello_is_not_sealed() {
    let long = "n".repeat(NAME_CAPACITY + 1);
    assert_eq!(Hello { name: &long, ..hello(&[]) }.seal(&ring(1)), None);
    let crowd = vec![Heard { id: StationId(1), age: None, echo: 1 }; HEARD_CAPACITY + 1];
    assert_eq!(Hello { heard: crowd, ..hello(&[]) }.seal(&ring(1)), None);
    assert_eq!(hello(&[0; FRAME_CAPACITY]).seal(&ring(1)), None);
    assert_eq!(hello(&[]).seal(&KeyRing::default()), None);
}

#[test]
fn a_hello_of_another_protocol_version_or_shape_is_refused_by_name() {
    let sealed = hello(&[]).seal(&ring(1)).unwrap().frame;
    for (offset, value, fault) in [
        (12, 0x08, HelloFault::Foreign),
        (14, b'X', HelloFault::Foreign),
        (18, 2, HelloFault::UnknownVersion),
        (6, 3, HelloFault::Malformed),
        (20, 0xff, HelloFault::Malformed),
        (21, 0, HelloFault::Malformed),
        (43, 33, HelloFault::Malformed),
        (44, 0, HelloFault::Malformed),
        (45, 1, HelloFault::Malformed),
        (50, 0, HelloFault::Malformed),
        (50, 0xff, HelloFault::Malformed),
        (51, 0xff, HelloFault::Malformed),
        (22, 0xff, HelloFault::Forged),
    ] {
        let mut frame = sealed.clone();
        frame[offset] = value;
        assert_eq!(Hello::open(&frame, &ring(1)), Err(fault), "offset {offset}");
    }
}
