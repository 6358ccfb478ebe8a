//! The unasked announcements that follow when an address starts to be answered on an interface.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::wire::arp::{FRAME_LENGTH, Frame, Operation, Packet};
use crate::wire::ethernet::Mac;

/// Pause between two rounds of announcements. Upstream's, shorter than `ANNOUNCE_INTERVAL` of RFC 5227 §1.1 (2 s).
pub const ROUND_INTERVAL: Duration = Duration::from_millis(1_100);

/// How long rounds go on after the first. Upstream's; gives five, more than `ANNOUNCE_NUM` of RFC 5227 §1.1 (2).
pub const ROUNDS_LAST: Duration = Duration::from_secs(5);

/// An address on an interface.
type Place = (Ipv4Addr, u32);

/// How an address is announced on an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Voice {
    /// The MAC address that answers carry.
    pub mac: Mac,
    /// Whether what is sent surely goes out.
    pub is_running: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rounds {
    voice: Voice,
    /// When the next round is due; none once the last is over.
    next: Option<Duration>,
    end: Duration,
}

/// Which addresses were announced where, with which MAC address, and what is still due.
#[derive(Debug)]
pub(super) struct Announcing(BTreeMap<Place, Rounds>);

impl Announcing {
    /// Gives a memory of nothing announced.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Takes over where addresses are answered: a place that is new, has a new MAC address or has only now come into
    /// full operation starts its rounds now, the others go on undisturbed, and what is gone ends.
    pub fn follow(&mut self, places: &BTreeMap<Place, Voice>, now: Duration) {
        self.0.retain(|place, _| places.contains_key(place));
        for (&place, &voice) in places {
            let fresh = Rounds { voice, next: Some(now), end: now + ROUNDS_LAST };
            let rounds = self.0.entry(place).or_insert(fresh);
            let has_come_up = voice.is_running && !rounds.voice.is_running;
            if rounds.voice.mac != voice.mac || has_come_up {
                *rounds = fresh;
            }
            rounds.voice = voice;
        }
    }

    /// Gives the places where a round is due and with which MAC address, and counts it as sent. A round that comes
    /// late moves the ones after it.
    pub fn due(&mut self, now: Duration) -> Vec<(Place, Mac)> {
        let mut due = Vec::new();
        for (&place, rounds) in &mut self.0 {
            if rounds.next.is_some_and(|next| next <= now) {
                rounds.next = Some(now + ROUND_INTERVAL).filter(|&next| next < rounds.end);
                due.push((place, rounds.voice.mac));
            }
        }
        due
    }

    /// Gives when the next round is due, or none when all is said.
    pub fn deadline(&self) -> Option<Duration> {
        self.0.values().filter_map(|rounds| rounds.next).min()
    }
}

/// Gives one round: the same announcement as a request and as a reply, since some hosts heed only one of the two
/// (RFC 5227 §3). Sender and target address are both the announced one, the target MAC all ones as upstream has it.
pub(super) fn round(ip: Ipv4Addr, mac: Mac) -> [[u8; FRAME_LENGTH]; 2] {
    [Operation::Request, Operation::Reply].map(|operation| {
        let packet = Packet { operation, sender_mac: mac, sender_ip: ip, target_mac: Mac::BROADCAST, target_ip: ip };
        Frame { destination: Mac::BROADCAST, source: mac, packet }.write()
    })
}
