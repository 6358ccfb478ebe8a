//! Network interfaces as the responder sees them, and which of them are fit to answer on.

use std::net::Ipv6Addr;

use regex::Regex;
use thiserror::Error;

use super::Silence;
use crate::wire::ethernet::Mac;

/// Interfaces never answered on unless the exclusions are set otherwise: those that container tools make,
/// the same that upstream leaves out.
pub const DEFAULT_EXCLUSIONS: [&str; 14] = [
    "^docker.*",
    "^cbr.*",
    "^dummy.*",
    "^virbr.*",
    "^lxcbr.*",
    "^veth.*",
    "^lo$",
    "^cali.*",
    "^tunl.*",
    "^flannel.*",
    "^kube-ipvs.*",
    "^cni.*",
    "^nodelocaldns.*",
    "^lxc.*",
];

/// A network interface at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The kernel's number for it, never used twice while the node is up.
    pub index: u32,
    /// Its name, which may change.
    pub name: String,
    /// Its MAC address now; none when its addresses are not of 6 bytes.
    pub mac: Option<Mac>,
    /// Its IPv6 link-local address now, if it has one that is not tentative; membership reports come from it.
    pub link_local: Option<Ipv6Addr>,
    /// What the kernel says about it.
    pub traits: Traits,
}

/// What decides whether an interface can be used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "they are the kernel's own flags")]
pub struct Traits {
    /// Switched on and with a carrier (`IFF_UP`, `IFF_LOWER_UP`): it receives.
    pub is_up: bool,
    /// The kernel has it in full operation (`IFF_RUNNING`), which may come up to a second after the carrier; until
    /// then it may lose what it sends.
    pub is_running: bool,
    /// Its link layer is Ethernet (`ARPHRD_ETHER`).
    pub is_ethernet: bool,
    /// It can send to all stations (`IFF_BROADCAST`).
    pub can_broadcast: bool,
    /// It is told not to speak ARP (`IFF_NOARP`).
    pub has_no_arp: bool,
    /// It belongs to a bond, bridge, team or VRF, which speaks in its place.
    pub has_master: bool,
    /// IPv6 is switched on there: it has an address of IPv6, in whatever state.
    pub has_ipv6: bool,
}

impl Link {
    /// Gives the MAC address to answer with, or none when ARP cannot or must not be spoken here whatever its name.
    fn arp_mac(&self) -> Option<Mac> {
        let Traits { is_ethernet, can_broadcast, has_no_arp, has_master, .. } = self.traits;
        let is_fit = is_ethernet && can_broadcast && !has_no_arp && !has_master;
        self.mac.filter(|_| is_fit)
    }
}

/// Why the exclusions were not taken; the program does not start with them.
#[derive(Debug, Error)]
#[error("interface exclusion {pattern:?} is not a regular expression")]
pub struct ExclusionError {
    pattern: String,
    source: regex::Error,
}

/// Names of interfaces that are never answered on.
#[derive(Clone, Debug)]
pub struct Exclusions(Vec<Regex>);

impl Exclusions {
    /// Gives exclusions from regular expressions, any of which may match anywhere in a name.
    ///
    /// # Errors
    /// Refuses the first pattern that is not a regular expression.
    pub fn new<P: AsRef<str>>(patterns: &[P]) -> Result<Self, ExclusionError> {
        let compile = |pattern: &P| {
            let pattern = pattern.as_ref();
            Regex::new(pattern).map_err(|source| ExclusionError { pattern: pattern.to_owned(), source })
        };
        patterns.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    fn cover(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(name))
    }

    /// Gives the MAC address to answer with on this interface now, or why it is not used.
    ///
    /// # Errors
    /// [`Silence::InterfaceUnusable`] for one that is excluded or cannot speak ARP, [`Silence::InterfaceMissing`] for
    /// one that could but is down.
    pub fn usable(&self, link: &Link) -> Result<Mac, Silence> {
        let mac = link.arp_mac().filter(|_| !self.cover(&link.name)).ok_or(Silence::InterfaceUnusable)?;
        if link.traits.is_up { Ok(mac) } else { Err(Silence::InterfaceMissing) }
    }
}
