//! The multicast groups of one interface that IPv6 addresses there need, and the reports that switches learn them from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::timing::Timing;
use super::{Action, Purpose, Transmission};
use crate::wire::ethernet::Mac;
use crate::wire::ipv6::{ALL_NODES, group_mac, solicited_node};
use crate::wire::mld;

/// Pause between a report and its repetition (RFC 3810 §9.11).
const REPEAT: Duration = Duration::from_secs(1);

/// How long new groups are gathered before they are reported.
const DELAY: Duration = Duration::from_millis(10);

/// Groups, by how many addresses need each.
#[derive(Debug, Default)]
pub(super) struct Groups {
    wanted: BTreeMap<Ipv6Addr, usize>,
    joined: BTreeSet<Ipv6Addr>,
    /// When to report next; zero while there are groups to be joined.
    due: Option<Duration>,
    will_repeat: bool,
}

fn of(ip: IpAddr) -> impl Iterator<Item = Ipv6Addr> {
    let groups = match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(ip) => Some([ALL_NODES, solicited_node(ip)]),
    };
    groups.into_iter().flatten()
}

impl Groups {
    /// Counts in the groups of an address.
    pub fn want(&mut self, ip: IpAddr) {
        for group in of(ip) {
            let count = self.wanted.entry(group).or_insert(0);
            *count += 1;
            if *count == 1 {
                self.due = Some(Duration::ZERO);
            }
        }
    }

    /// Counts an address out, and gives the groups that were joined and that no other needs.
    pub fn give_up(&mut self, ip: IpAddr) -> Vec<Mac> {
        let mut left = Vec::new();
        for group in of(ip) {
            let Some(count) = self.wanted.get_mut(&group) else { continue };
            *count -= 1;
            if *count == 0 {
                self.wanted.remove(&group);
                left.extend(self.joined.remove(&group).then(|| group_mac(group)));
            }
        }
        left
    }

    /// A new socket has joined nothing.
    pub fn begin_anew(&mut self) {
        self.joined.clear();
        self.due = Some(Duration::ZERO).filter(|_| !self.wanted.is_empty());
    }

    /// Gives when there is something to do.
    pub const fn deadline(&self) -> Option<Duration> {
        self.due
    }

    /// Joins what is new, and reports all groups when that is due.
    pub fn tell(
        &mut self,
        (link, mac, link_local): (u32, Mac, Option<Ipv6Addr>),
        timing: &Timing,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(due) = self.due else { return };
        if due == Duration::ZERO {
            let new = self.wanted.keys().filter(|&&group| self.joined.insert(group));
            actions.extend(new.map(|&group| Action::Join(link, group_mac(group))));
            (self.due, self.will_repeat) = (Some(now + DELAY), true);
        } else if due <= now {
            let groups: Vec<_> = self.wanted.keys().filter(|&&group| group != ALL_NODES).copied().collect();
            let reports = groups.chunks(mld::GROUPS_CAPACITY).map(|chunk| mld::report(mac, link_local, chunk));
            let purpose = Purpose::Membership;
            actions.extend(reports.map(|frame| Action::Send(Transmission { link, purpose, frame })));
            let pause = if self.will_repeat { REPEAT } else { timing.membership };
            self.due = Some(now + pause).filter(|_| !groups.is_empty());
            self.will_repeat = false;
        }
    }
}
