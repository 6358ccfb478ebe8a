//! Interfaces as they come, change and go, and their sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use super::segment::{Context, Segment, Socket};
use super::{Action, Link, Responder, Silence, context};
use crate::wire::ethernet::Mac;

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
            self.segments.remove(&index);
            self.announcing.stop_link(index);
            actions.push(Action::Close(index));
        }
        for (link, mac) in usable.into_values() {
            self.follow_link(link, mac, now, actions);
        }
    }

    fn follow_link(&mut self, link: Link, mac: Mac, now: Duration, actions: &mut Vec<Action>) {
        let context = context!(self, now);
        let is_running = link.traits.is_running;
        if let Some(segment) = self.segments.get_mut(&link.index) {
            if segment.mac != mac || (is_running && !segment.is_running) {
                self.announcing.restart(link.index, now);
            }
            let is_renamed = segment.name != link.name;
            (segment.mac, segment.is_running, segment.link_local) = (mac, is_running, link.link_local);
            segment.name = link.name;
            if is_renamed {
                segment.follow(&context);
            }
        } else {
            let mut segment = Segment::new(link.index, link.name, mac, self.own);
            (segment.is_running, segment.link_local) = (is_running, link.link_local);
            segment.follow(&context);
            self.segments.insert(link.index, segment);
            actions.push(Action::Open(link.index));
        }
    }

    pub(super) fn open(&mut self, link: u32, now: Duration) {
        let epoch = self.random.next();
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.open(epoch, &context, &mut self.announcing);
            self.has_news = true;
        }
    }

    pub(super) fn lose(&mut self, link: u32, now: Duration) {
        let context = context!(self, now);
        if let Some(segment) = self.segments.get_mut(&link) {
            segment.listen(Silence::SocketClosed, &context, &mut self.announcing);
            segment.socket = Socket::Lost { retry: now + self.config.timing.socket_retry };
            self.has_news = true;
        }
    }
}
