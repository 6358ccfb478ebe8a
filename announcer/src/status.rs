//! The status that goes back to the operator in this node's Lease: a JSON annotation with a version.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;

use serde::Serialize;

use crate::responder::Silence;
use crate::wire::ethernet::Mac;

/// Annotation on the Lease that holds the status; the announcer's.
pub const STATUS_ANNOTATION: &str = "berth.dev/status";

/// The version of the document that this program writes.
const VERSION: u64 = 1;

/// From how many bytes on addresses that follow one another are written as ranges. Operators from before ranges read
/// what is shorter.
const PLAIN_CAPACITY: usize = 64 * 1024;

/// How many bytes the ranges may have. All annotations of a Lease together may have 256 KiB, of which the plan takes 100.
const RANGES_CAPACITY: usize = 128 * 1024;

/// What this node does about its plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Status {
    v: u64,
    /// Generation of the plan that this follows.
    pub generation: u64,
    /// Addresses that this node answers for, complete; one entry for each set of interfaces.
    pub answering: Vec<Answering>,
    /// The plan's other addresses; one entry for each reason.
    pub silent: Vec<Silent>,
    /// Names of the interfaces that can be answered on when they are up, sorted; absent while they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
}

/// Addresses that are answered on the same interfaces.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Answering {
    /// The addresses, sorted.
    pub ips: Vec<IpAddr>,
    /// Where, in the kernel's order; never empty.
    pub interfaces: Vec<AnsweringInterface>,
}

/// An interface on which an address is answered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct AnsweringInterface {
    /// Its name.
    pub name: String,
    /// The MAC address given in answers.
    pub mac: Mac,
}

/// Addresses that are not answered, for the same reason.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Silent {
    /// Why.
    pub reason: Silence,
    /// Which ones.
    #[serde(flatten)]
    pub which: Which,
}

/// Addresses, or only how many.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Which {
    /// The addresses, sorted.
    Ips(Vec<IpAddr>),
    /// How many: where another candidate comes first, and where the list would be long.
    Count(usize),
}

impl Which {
    /// How many addresses are named one by one for a reason.
    const NAMED: usize = 200;

    /// Gives the addresses, or how many they are where a list tells nobody anything.
    #[must_use]
    pub fn of(reason: Silence, ips: Vec<IpAddr>) -> Self {
        if reason == Silence::NotFirst || ips.len() > Self::NAMED { Self::Count(ips.len()) } else { Self::Ips(ips) }
    }
}

impl Status {
    /// Gives the status of a plan of which nothing is known yet.
    #[must_use]
    pub const fn new(generation: u64) -> Self {
        Self { v: VERSION, generation, answering: Vec::new(), silent: Vec::new(), interfaces: None }
    }

    /// Gives the annotation's text.
    #[must_use]
    pub fn write(&self) -> String {
        // A status is made of numbers, names and addresses, all of which are always JSON.
        let plain = serde_json::to_string(self).unwrap_or_default();
        if plain.len() <= PLAIN_CAPACITY {
            return plain;
        }
        let mut room = RANGES_CAPACITY;
        let mut unnamed = 0;
        let mut answering = Vec::new();
        for group in &self.answering {
            let mut ips = Vec::new();
            for (range, count) in ranges(&group.ips) {
                // With its quotation marks and the comma.
                match room.checked_sub(range.len() + 3) {
                    Some(rest) => {
                        room = rest;
                        ips.push(range);
                    }
                    None => unnamed += count,
                }
            }
            answering.push(AnsweringRanges { ips, interfaces: &group.interfaces });
        }
        let Self { v, generation, ref silent, ref interfaces, .. } = *self;
        let unnamed = NonZeroUsize::new(unnamed);
        let short = ShortStatus { v, generation, answering, unnamed, silent, interfaces };
        serde_json::to_string(&short).unwrap_or_default()
    }
}

/// A status of many addresses.
#[derive(Serialize)]
struct ShortStatus<'status> {
    v: u64,
    generation: u64,
    answering: Vec<AnsweringRanges<'status>>,
    /// How many more are answered, for which there was no room.
    #[serde(skip_serializing_if = "Option::is_none")]
    unnamed: Option<NonZeroUsize>,
    silent: &'status [Silent],
    #[serde(skip_serializing_if = "Option::is_none")]
    interfaces: &'status Option<Vec<String>>,
}

/// Addresses that are answered on the same interfaces, such as `192.168.1.200` and `192.168.1.210-192.168.1.220`.
#[derive(Serialize)]
struct AnsweringRanges<'status> {
    ips: Vec<String>,
    interfaces: &'status [AnsweringInterface],
}

/// Gives sorted addresses as ranges of those that follow one another, and how many are in each.
fn ranges(ips: &[IpAddr]) -> Vec<(String, usize)> {
    let runs = ips.chunk_by(|&one, &next| follows(one) == Some(next));
    let range = |run: &[IpAddr]| match *run {
        [first, .., last] => Some((format!("{first}-{last}"), run.len())),
        [only] => Some((only.to_string(), 1)),
        [] => None,
    };
    runs.filter_map(range).collect()
}

/// Gives the next address of the family.
fn follows(ip: IpAddr) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(ip) => ip.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_prints_as_the_contract_says() {
        let mut status = Status::new(7);
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let [first, second] = [200, 201].map(|last| IpAddr::from([192, 168, 1, last]));
        let interfaces = vec![AnsweringInterface { name: "lan0".to_owned(), mac }];
        status.answering.push(Answering { ips: vec![first, second], interfaces });
        status.silent.push(Silent { reason: Silence::InterfaceMissing, which: Which::Ips(vec![first]) });
        status.silent.push(Silent { reason: Silence::NotFirst, which: Which::Count(4_000) });
        let text = status.write();
        assert_eq!(
            text,
            concat!(
                r#"{"v":1,"generation":7,"answering":[{"ips":["192.168.1.200","192.168.1.201"],"#,
                r#""interfaces":[{"name":"lan0","mac":"02:00:00:00:00:01"}]}],"#,
                r#""silent":[{"reason":"interfaceMissing","ips":["192.168.1.200"]},{"reason":"notFirst","count":4000}]}"#
            )
        );
    }

    fn answering(ips: impl Iterator<Item = u32>) -> Status {
        let mut status = Status::new(7);
        let interfaces = vec![AnsweringInterface { name: "lan0".to_owned(), mac: Mac([2, 0, 0, 0, 0, 1]) }];
        let ips = ips.map(|bits| Ipv4Addr::from_bits(bits).into()).collect();
        status.answering.push(Answering { ips, interfaces });
        status
    }

    #[test]
    fn many_addresses_are_written_as_ranges() {
        let first = Ipv4Addr::new(10, 0, 0, 0).to_bits();
        let status = answering((first..first + 9_000).filter(|bits| (bits - first) % 1_000 != 1));
        let text = status.write();
        assert!(text.contains(r#""ips":["10.0.0.0","10.0.0.2-10.0.3.232","10.0.3.234-"#), "{text}");
        assert!(text.len() < 1_000 && !text.contains("unnamed"), "{text}");
    }

    #[test]
    fn addresses_for_which_there_is_no_room_are_counted_so_that_the_lease_is_never_refused() {
        let first = Ipv4Addr::new(100, 100, 100, 0).to_bits();
        let text = answering((first..first + 40_000).step_by(2)).write();
        assert!(text.len() < RANGES_CAPACITY + 1_024, "{}", text.len());
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let named = status["answering"][0]["ips"].as_array().unwrap().len();
        assert_eq!(named + usize::try_from(status["unnamed"].as_u64().unwrap()).unwrap(), 20_000);
    }

    #[test]
    fn the_last_address_of_a_family_is_followed_by_none() {
        assert_eq!(follows(IpAddr::from([255; 4])), None);
        assert_eq!(follows("fd00::ffff".parse().unwrap()), Some("fd00::1:0".parse().unwrap()));
    }
}
