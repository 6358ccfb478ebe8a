//! One interface with its socket: the fellows heard there, and what this node does there about each address.

mod deciding;
mod hearing;
mod quiet;
mod speaking;
mod turn;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use foldhash::fast::FixedState;

use super::Action;
use super::announcing::Announcing;
use super::book::{Book, Entry};
use super::fellows::Fellows;
use super::groups::Groups;
use super::notice::Cause;
use super::silence::Silence;
use super::timing::Timing;
use crate::wire::ethernet::Mac;
use crate::wire::hello::{KeyRing, NodeId, Solitude, StationId};

/// Hashes addresses. Those of a pool differ in their last bits only, which in IPv6 weaker hashes leave where a table does
/// not look. Always the same, since an address comes from the plan and not from whoever would slow this node down.
type Spread = FixedState;

/// What all segments have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub timing: &'a Timing,
    pub keys: &'a KeyRing,
    pub node: &'a str,
    pub own: NodeId,
    pub book: Option<&'a Book>,
    /// This node's stations that are open, by their numbers, with the names of their interfaces.
    pub open: &'a BTreeMap<u8, String>,
    pub is_stopping: bool,
    pub now: Duration,
}

/// A socket on a usable interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Socket {
    Asked,
    Open,
    Lost { retry: Duration },
}

/// What this node does about an address here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Silent(Silence),
    Answering,
    /// Answers until another does, or this moment has come.
    Leaving {
        until: Duration,
    },
}

/// An address here.
#[derive(Debug)]
struct Place {
    standing: Standing,
    /// The operator has moved it to this node, which has not answered for it since.
    is_promoted: bool,
    /// Another station of this node has answered for it until just now, when it was closed: to fellows, it still does.
    inherits: bool,
    /// Whether others are candidates too, who could take it over.
    has_others: bool,
    /// Since when nobody is known to answer.
    vacant: Option<Duration>,
    /// Why the one who answered before does no more, and its last sign of life.
    vacated: Option<(Cause, Option<Duration>)>,
    defended: Option<Duration>,
}

/// A time in which nothing is answered at all.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    reason: Silence,
    since: Duration,
    until: Duration,
}

/// One interface.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each marks work that is put off until everything is settled")]
pub(super) struct Segment {
    pub index: u32,
    pub name: String,
    pub mac: Mac,
    pub is_running: bool,
    pub link_local: Option<Ipv6Addr>,
    pub has_ipv6: bool,
    pub socket: Socket,
    fellows: Fellows,
    claims: BTreeMap<IpAddr, Vec<StationId>>,
    /// In no order, and nothing depends on it: looking up one of thousands is what each answer begins with.
    places: HashMap<IpAddr, Place, Spread>,
    dirty: BTreeSet<IpAddr>,
    is_all_dirty: bool,
    wakes: BTreeSet<(Duration, IpAddr)>,
    leaving: usize,
    quiet: Option<Quiet>,
    settles_until: Duration,
    speaking: Duration,
    alone_since: Option<Duration>,
    client_heard: Option<Duration>,
    rejoined: Option<(Duration, Solitude)>,
    last_check: Duration,
    next_check: Duration,
    epoch: u64,
    sequence: u64,
    interval: Duration,
    last_hello: Option<Duration>,
    next_hello: Duration,
    wants_hello: bool,
    statement: u32,
    parts: Vec<Vec<u8>>,
    next_part: usize,
    repeats: u8,
    is_statement_stale: bool,
    groups: Groups,
    /// Something that the status says has changed.
    pub has_news: bool,
}

impl Segment {
    pub fn new(index: u32, name: String, mac: Mac, (own, station): (NodeId, u8)) -> Self {
        Self {
            index,
            name,
            mac,
            is_running: false,
            link_local: None,
            has_ipv6: false,
            socket: Socket::Asked,
            fellows: Fellows::new(own, station),
            claims: BTreeMap::new(),
            places: HashMap::default(),
            dirty: BTreeSet::new(),
            is_all_dirty: false,
            wakes: BTreeSet::new(),
            leaving: 0,
            quiet: None,
            settles_until: Duration::ZERO,
            speaking: Duration::ZERO,
            alone_since: None,
            client_heard: None,
            rejoined: None,
            last_check: Duration::ZERO,
            next_check: Duration::MAX,
            epoch: 0,
            sequence: 0,
            interval: Duration::ZERO,
            last_hello: None,
            next_hello: Duration::MAX,
            wants_hello: false,
            statement: 0,
            parts: Vec::new(),
            next_part: 0,
            repeats: 0,
            is_statement_stale: true,
            groups: Groups::default(),
            has_news: true,
        }
    }

    pub fn is_open(&self) -> bool {
        self.socket == Socket::Open
    }

    pub fn fellows(&self) -> &Fellows {
        &self.fellows
    }

    pub const fn station(&self) -> u8 {
        self.fellows.station()
    }

    /// Gives the epoch of its hellos.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    #[inline]
    pub fn standing(&self, ip: IpAddr) -> Option<Standing> {
        self.places.get(&ip).map(|place| place.standing)
    }

    /// Whether an address is answered here now.
    pub fn answers(&self, ip: IpAddr) -> bool {
        self.admit(ip).is_ok()
    }

    /// Gives why an address is not answered here now, as far as an interface knows, if it is not.
    #[inline]
    pub fn admit(&self, ip: IpAddr) -> Result<(), Silence> {
        match self.standing(ip) {
            Some(Standing::Answering | Standing::Leaving { .. }) => Ok(()),
            Some(Standing::Silent(silence)) => Err(silence),
            None => Err(Silence::NotOurs),
        }
    }

    pub const fn is_leaving(&self) -> bool {
        self.leaving > 0
    }

    /// Takes up the whole plan, or what an interface of a new name makes of it.
    pub fn follow(&mut self, context: &Context<'_>) {
        let Some(book) = context.book else { return };
        let gone: Vec<_> = self.places.keys().filter(|ip| !book.entries.contains_key(ip)).copied().collect();
        for ip in gone {
            self.dirty.insert(ip);
        }
        for &ip in book.entries.keys() {
            self.take_up(ip, context, None);
        }
        self.is_statement_stale = true;
    }

    /// Takes up what the plan says about one address now; and, when the plan is new, whether it has moved it here.
    pub fn take_up(&mut self, ip: IpAddr, context: &Context<'_>, is_promoted: Option<bool>) {
        let entry = context.book.and_then(|book| book.entries.get(&ip));
        self.dirty.insert(ip);
        self.is_statement_stale = true;
        self.has_news = true;
        // What another station gives up is waited for here unless this one says at once that it has no part in it.
        self.wants_hello |= self.fellows.twins().next().is_some();
        let Some(entry) = entry.filter(|entry| self.wants(ip, entry)) else { return };
        let has_others = entry.nodes.len() > 1;
        if let Some(place) = self.places.get_mut(&ip) {
            place.has_others |= has_others;
            // One that answers has nothing left to begin with: kept, it would take the address back from another later.
            let is_silent = matches!(place.standing, Standing::Silent(_));
            place.is_promoted = is_promoted.unwrap_or(place.is_promoted) && self.quiet.is_none() && is_silent;
            return;
        }
        let standing = Standing::Silent(Silence::NotFirst);
        let is_promoted = is_promoted.is_some_and(|is_promoted| is_promoted && self.quiet.is_none());
        let (vacant, vacated, defended) = (None, None, None);
        let inherits = false;
        self.places.insert(ip, Place { standing, is_promoted, inherits, has_others, vacant, vacated, defended });
        self.groups.want(ip);
    }

    /// Whether an address is to be answered here. Not one of IPv6 where that is switched off: what it calls in, the kernel drops.
    fn wants(&self, ip: IpAddr, entry: &Entry) -> bool {
        entry.is_wanted_on(&self.name) && (ip.is_ipv4() || self.has_ipv6)
    }

    fn solitude(&self, now: Duration) -> Solitude {
        match (self.alone_since, self.rejoined) {
            (Some(since), _) if self.client_heard.is_some_and(|heard| heard >= since) => Solitude::WithoutFellows,
            (Some(_), _) => Solitude::Alone,
            (None, Some((until, solitude))) if now < until => solitude,
            (None, _) => Solitude::Together,
        }
    }

    /// Does what is due.
    pub fn settle(&mut self, context: &Context<'_>, announcing: &mut Announcing, actions: &mut Vec<Action>) {
        if !self.is_open() {
            return;
        }
        self.check(context, announcing, actions);
        self.decide_all(context, announcing, actions);
        self.speak(context, actions);
        self.groups.tell((self.index, self.mac, self.link_local), context.timing, context.now, actions);
    }

    /// Gives when to come back.
    pub fn deadline(&self, timing: &Timing) -> Option<Duration> {
        if !self.is_open() {
            return match self.socket {
                Socket::Lost { retry } => Some(retry),
                Socket::Asked | Socket::Open => None,
            };
        }
        let wake = self.wakes.first().map(|(wake, _)| *wake);
        let quiet = self.quiet.map(|quiet| quiet.until);
        let fixed = [Some(self.hello_due(timing)), Some(self.next_check), quiet, wake, self.groups.deadline()];
        fixed.into_iter().flatten().filter(|&due| due != Duration::MAX).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    #[test]
    fn neighbouring_addresses_are_spread_over_a_table() {
        let spread = Spread::default();
        let v4 = (0..4_096).map(|index| IpAddr::from((0x0a00_0000_u32 + index).to_be_bytes()));
        let v6 = (0..4_096).map(|index| IpAddr::from(((0xfd_u128 << 120) + index).to_be_bytes()));
        for family in [v4.collect::<Vec<_>>(), v6.collect()] {
            let hashes: Vec<_> = family.iter().map(|ip| spread.hash_one(ip)).collect();
            let slots: BTreeSet<_> = hashes.iter().map(|hash| hash & 0xfff).collect();
            let tags: BTreeSet<_> = hashes.iter().map(|hash| hash >> 57).collect();
            // Thrown at random, they would hit 63 % of the slots, and each tag.
            assert!(slots.len() > 2_000 && tags.len() > 120, "{}: {}, {}", family[0], slots.len(), tags.len());
        }
    }
}
