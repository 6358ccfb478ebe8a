//! The unasked announcements of addresses: rounds when an address starts to be answered on an interface, and a slow
//! refresh as long as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::random::Random;
use crate::wire::arp::{Frame, Operation, Packet};
use crate::wire::ethernet::Mac;
use crate::wire::ipv6::{ALL_NODES, group_mac};
use crate::wire::ndp::{Message, Neighbor};

/// Pause between two rounds of announcements. Upstream's, shorter than `ANNOUNCE_INTERVAL` of RFC 5227 §1.1 (2 s).
pub const ROUND_INTERVAL: Duration = Duration::from_millis(1_100);

/// How long rounds go on after the first. Upstream's; gives five, more than `ANNOUNCE_NUM` of RFC 5227 §1.1 (2).
pub const ROUNDS_LAST: Duration = Duration::from_secs(5);

/// How many places are announced at once; the others follow a millisecond later, so that no queue overflows.
const BATCH: usize = 128;

/// Pause between two batches.
const BATCH_INTERVAL: Duration = Duration::from_millis(1);

/// An address on an interface.
pub(super) type Place = (IpAddr, u32);

#[derive(Clone, Copy, Debug)]
struct Rounds {
    next: Duration,
    end: Duration,
}

/// Which addresses are announced where, and when next.
#[derive(Debug)]
pub(super) struct Announcing {
    rounds: BTreeMap<Place, Rounds>,
    schedule: BTreeSet<(Duration, Place)>,
    refresh: Duration,
    not_before: Duration,
}

impl Announcing {
    /// Gives a memory of nothing announced; the last rounds are followed by one about this often.
    pub const fn new(refresh: Duration) -> Self {
        Self { rounds: BTreeMap::new(), schedule: BTreeSet::new(), refresh, not_before: Duration::ZERO }
    }

    /// Starts the rounds of a place now, anew if they go on already.
    pub fn start(&mut self, place: Place, now: Duration) {
        self.stop(place);
        self.rounds.insert(place, Rounds { next: now, end: now + ROUNDS_LAST });
        self.schedule.insert((now, place));
    }

    /// Ends the announcements of a place.
    pub fn stop(&mut self, place: Place) {
        if let Some(rounds) = self.rounds.remove(&place) {
            self.schedule.remove(&(rounds.next, place));
        }
    }

    /// Ends all announcements on an interface.
    pub fn stop_link(&mut self, link: u32) {
        self.rounds.retain(|(_, index), _| *index != link);
        self.schedule.retain(|(_, (_, index))| *index != link);
    }

    /// Starts the rounds anew for every place that is announced on an interface.
    pub fn restart(&mut self, link: u32, now: Duration) {
        let places: Vec<_> = self.rounds.keys().filter(|(_, index)| *index == link).copied().collect();
        for place in places {
            self.start(place, now);
        }
    }

    /// Gives the places where a round is due, and counts it as sent. One that comes late moves the ones after it.
    pub fn due(&mut self, random: &mut Random, now: Duration) -> Vec<Place> {
        let mut due = Vec::new();
        if now < self.not_before {
            return due;
        }
        while let Some(&(next, place)) = self.schedule.first()
            && next <= now
            && due.len() < BATCH
        {
            self.schedule.pop_first();
            if let Some(rounds) = self.rounds.get_mut(&place) {
                let round = now + ROUND_INTERVAL;
                rounds.next = if round < rounds.end { round } else { now + random.around(self.refresh) };
                self.schedule.insert((rounds.next, place));
                due.push(place);
            }
        }
        if due.len() == BATCH {
            self.not_before = now + BATCH_INTERVAL;
        }
        due
    }

    /// Gives when the next round is due, or none when nothing is announced.
    pub fn deadline(&self) -> Option<Duration> {
        self.schedule.first().map(|(next, _)| (*next).max(self.not_before))
    }
}

/// Gives the frames of one round.
pub(super) fn round(ip: IpAddr, mac: Mac) -> Vec<Vec<u8>> {
    match ip {
        IpAddr::V4(ip) => gratuitous(ip, mac).into(),
        IpAddr::V6(ip) => vec![unsolicited(ip, mac)],
    }
}

/// Gives the same announcement as a request and as a reply, since some hosts heed only one of the two (RFC 5227 §3).
/// Sender and target address are both the announced one, the target MAC all ones as upstream has it.
fn gratuitous(ip: Ipv4Addr, mac: Mac) -> [Vec<u8>; 2] {
    [Operation::Request, Operation::Reply].map(|operation| {
        let packet = Packet { operation, sender_mac: mac, sender_ip: ip, target_mac: Mac::BROADCAST, target_ip: ip };
        Frame { destination: Mac::BROADCAST, source: mac, packet }.write().to_vec()
    })
}

/// Gives an advertisement to all nodes that replaces what they know (RFC 4861 §7.2.6).
pub(super) fn unsolicited(target: Ipv6Addr, mac: Mac) -> Vec<u8> {
    let message = Message::Advertisement { target, target_mac: Some(mac), is_solicited: false, is_override: true };
    let (destination_mac, destination) = (group_mac(ALL_NODES), ALL_NODES);
    Neighbor { destination_mac, source_mac: mac, destination, source: target, message }.write()
}
