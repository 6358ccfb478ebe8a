//! Interfaces as they come, change and go, and their sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use super::segment::{Context, Segment, Socket};
use super::{Action, Link, Responder, Silence, context};
use crate::wire::ethernet::Mac;
use crate::wire::hello::STATION_LAST;

impl Responder {
    /// Asks for a socket on each interface that has become usable, and gives up those that are usable no longer.
    pub(super) fn follow_links(&mut self, links: Vec<Link>, now: Duration, actions: &mut Vec<Action>) {
        self.knows_links = true;
        self.has_news = true;
        self.links.clear();
        let mut usable = BTreeMap::new();
        for link in links {
            let mac = self.config.exclusions.usable(&link);
            self.links.insert(link.index, (link.name.clone(), mac.err()));
            if let (Ok(mac), false) = (mac, self.is_stopping && !self.segments.contains_key(&link.index)) {
                usable.insert(link.index, (link, mac));
            }
        }
        let gone: Vec<_> = self.segments.keys().filter(|index| !usable.contains_key(index)).copied().collect();
        for index in gone {
            if let Some(segment) = self.segments.remove(&index) {
                self.close((segment.station(), segment.epoch()), now, actions);
            }
            self.announcing.stop_link(index);
            actions.push(Action::Close(index));
        }
        for (link, mac) in usable.into_values() {
            self.follow_link(link, mac, now, actions);
        }
    }

    fn follow_link(&mut self, link: Link, mac: Mac, now: Duration, actions: &mut Vec<Action>) {
        if let Some(segment) = self.segments.get(&link.index)
            && let Some(name) = self.open.get_mut(&segment.station())
        {
            name.clone_from(&link.name);
        }
        let context = context!(self, now);
        let is_running = link.traits.is_running;
        if let Some(segment) = self.segments.get_mut(&link.index) {
            if segment.mac != mac || (is_running && !segment.is_running) {
                self.announcing.restart(link.index, now);
            }
            let wants_others = segment.name != link.name || segment.has_ipv6 != link.traits.has_ipv6;
            (segment.mac, segment.is_running, segment.link_local) = (mac, is_running, link.link_local);
            (segment.name, segment.has_ipv6) = (link.name, link.traits.has_ipv6);
            if wants_others {
                segment.follow(&context);
            }
        } else {
            let station = self.free_station();
            let mut segment = Segment::new(link.index, link.name, mac, (self.own, station));
            (segment.is_running, segment.link_local) = (is_running, link.link_local);
            segment.has_ipv6 = link.traits.has_ipv6;
            segment.follow(&context);
            self.segments.insert(link.index, Box::new(segment));
            actions.push(Action::Open(link.index));
        }
    }

    pub(super) fn open(&mut self, link: u32, now: Duration) {
        let epoch = self.random.next();
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.open(epoch, &context, &mut self.announcing);
            self.open.insert(segment.station(), segment.name.clone());
            self.has_news = true;
        }
    }

    /// Gives the lowest number that no station of this node has; stations on one segment are told apart by it.
    fn free_station(&self) -> u8 {
        let is_free = |number: &u8| self.segments.values().all(|segment| segment.station() != *number);
        (0..STATION_LAST).find(is_free).unwrap_or(STATION_LAST)
    }

    /// Tells the other stations of this node that one is closed.
    fn close(&mut self, (station, epoch): (u8, u64), now: Duration, actions: &mut Vec<Action>) {
        self.open.remove(&station);
        let id = self.own.station(station);
        self.segments.values_mut().for_each(|segment| segment.drop_twin((id, epoch), now, actions));
    }

    pub(super) fn lose(&mut self, link: u32, now: Duration, actions: &mut Vec<Action>) {
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.listen(Silence::SocketClosed, &context, &mut self.announcing);
            segment.socket = Socket::Lost { retry: now + self.config.timing.socket_retry };
            self.has_news = true;
            let station = (segment.station(), segment.epoch());
            self.close(station, now, actions);
        }
    }
}
