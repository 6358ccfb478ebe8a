//! What the operator is told: which addresses are answered where, and why the others are not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::book::{Book, Entry};
use super::segment::{Segment, Standing};
use super::{Action, Responder, Silence, Timing};
use crate::status::{Answering, AnsweringInterface, Silent, Status, Which};

impl Responder {
    /// Gives a report when there is a plan, what this node does about it differs from what it last reported, and enough
    /// time has passed.
    pub(super) fn report(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(book) = &self.book else { return };
        let Timing { report_delay, report_interval, .. } = self.config.timing;
        if std::mem::take(&mut self.has_news) && self.report_due.is_none() {
            let earliest = self.reported_at.map_or(Duration::ZERO, |last| last + report_interval);
            self.report_due = Some(earliest.max(now + report_delay));
        }
        let is_due = self.report_due.is_some_and(|due| due <= now) || self.is_finished;
        if !is_due {
            return;
        }
        self.report_due = None;
        let status = self.status(book);
        if self.reported.as_ref() != Some(&status) {
            self.reported_at = Some(now);
            self.reported = Some(status.clone());
            actions.push(Action::Report(status));
        }
    }

    /// Gives what this node does about each address of the plan now.
    fn status(&self, book: &Book) -> Status {
        let (mut answering, mut silent) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (&ip, entry) in &book.entries {
            let links: Vec<_> = self.answers(ip).collect();
            if links.is_empty() {
                silent.entry(self.silence(ip, entry)).or_default().push(ip);
            } else {
                answering.entry(links).or_default().push(ip);
            }
        }
        let mut status = Status::new(book.generation);
        let answering =
            answering.into_iter().map(|(links, ips)| Answering { ips, interfaces: self.interfaces(&links) });
        status.answering = answering.collect();
        let silent = silent.into_iter().map(|(reason, ips)| Silent { reason, which: Which::of(reason, ips) });
        status.silent = silent.collect();
        status.interfaces = self.knows_links.then(|| self.fit_interfaces());
        status
    }

    /// Gives the names of the interfaces that can be answered on, those included that are down.
    fn fit_interfaces(&self) -> Vec<String> {
        let fit = self.links.values().filter(|(_, fault)| *fault != Some(Silence::InterfaceUnusable));
        let names: BTreeSet<_> = fit.map(|(name, _)| name.clone()).collect();
        names.into_iter().collect()
    }

    fn interfaces(&self, links: &[u32]) -> Vec<AnsweringInterface> {
        let segments = links.iter().filter_map(|index| self.segments.get(index));
        segments.map(|segment| AnsweringInterface { name: segment.name.clone(), mac: segment.mac }).collect()
    }

    /// Gives what stands in the way of an address that is answered nowhere.
    fn silence(&self, ip: IpAddr, entry: &Entry) -> Silence {
        if self.is_finished {
            return Silence::Stopping;
        }
        if entry.rank.is_none() {
            return Silence::NotACandidate;
        }
        let of_place = |segment: &Segment| match segment.standing(ip)? {
            Standing::Silent(_) if !segment.is_open() => Some(Silence::SocketClosed),
            Standing::Silent(silence) => Some(silence),
            Standing::Answering | Standing::Leaving { .. } => None,
        };
        if let Some(silence) = self.segments.values().filter_map(|segment| of_place(segment)).max() {
            return silence;
        }
        if !entry.names_interfaces() {
            return Silence::NoUsableInterface;
        }
        let wanted = self.links.values().filter(|(name, _)| entry.is_wanted_on(name));
        if wanted.into_iter().any(|(_, fault)| *fault == Some(Silence::InterfaceUnusable)) {
            Silence::InterfaceUnusable
        } else {
            Silence::InterfaceMissing
        }
    }
}
