//! The node's network interfaces and their link-local addresses, from the kernel over rtnetlink. Needs no capability.
//!
//! It hands on what the kernel says and judges nothing: which interfaces are fit is the responder's to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use futures_util::StreamExt;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::chain::chain;
use crate::mailbox::Sender;
use crate::responder::{Event, Link, Traits};
use crate::wire::ethernet::Mac;

/// How often the whole list is read again, should the kernel have dropped a message. Upstream's scan interval.
const LIST_INTERVAL: Duration = Duration::from_secs(10);

/// How long to wait before asking the kernel again after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// Why the interfaces are not followed for a moment; the ones known so far stay.
#[derive(Debug, Error)]
pub enum LinksError {
    /// No netlink socket could be opened.
    #[error("netlink socket cannot be opened; the interfaces known so far stay")]
    Open(#[from] std::io::Error),
    /// The kernel did not give its list.
    #[error("interfaces cannot be listed; the ones known so far stay")]
    List(#[from] rtnetlink::Error),
    /// The socket was closed.
    #[error("netlink socket was closed; the interfaces known so far stay")]
    Closed,
}

/// Sends all interfaces at the start and whenever one changes, until told to stop or nobody listens any more.
pub async fn follow(events: Sender, stop: CancellationToken) {
    let follow = async {
        while !events.is_closed() {
            if let Err(err) = follow_once(&events).await {
                warn!(err = chain(&err), "interfaces are not followed for a moment");
            }
            sleep(RETRY).await;
        }
    };
    stop.run_until_cancelled(follow).await;
}

async fn follow_once(events: &Sender) -> Result<(), LinksError> {
    let groups = [MulticastGroup::Link, MulticastGroup::Ipv6Ifaddr];
    let (connection, handle, mut messages) = new_multicast_connection(&groups)?;
    // Ends by itself when the handle is dropped, which is when this function returns or is dropped.
    tokio::spawn(connection);
    let mut sent = None;
    loop {
        let mut world = list(&handle).await?;
        let next_list = Instant::now() + LIST_INTERVAL;
        loop {
            let links = world.links();
            if sent.as_ref() != Some(&links) {
                if events.send(Event::Links(links.clone())).await.is_err() {
                    return Ok(());
                }
                sent = Some(links);
            }
            let Ok(message) = timeout_at(next_list, messages.next()).await else { break };
            let (message, _) = message.ok_or(LinksError::Closed)?;
            if !world.take_in(message) {
                break;
            }
        }
    }
}

async fn list(handle: &Handle) -> Result<World, LinksError> {
    let mut world = World::default();
    let mut messages = handle.link().get().execute();
    while let Some(message) = messages.next().await {
        let link = read(&message?);
        world.links.insert(link.index, link);
    }
    let mut messages = handle.address().get().execute();
    while let Some(message) = messages.next().await {
        world.add(&message?);
    }
    Ok(world)
}

/// What the kernel has told.
#[derive(Debug, Default)]
struct World {
    links: BTreeMap<u32, Link>,
    /// Addresses of IPv6, each with its interface, in whatever state: where IPv6 is off, there is none.
    addresses: BTreeSet<(u32, Ipv6Addr)>,
    /// The link-local ones of them that are in use; an interface may have several.
    link_locals: BTreeSet<(u32, Ipv6Addr)>,
}

impl World {
    /// Gives the interfaces in the kernel's order, each with the least of its link-local addresses.
    fn links(&self) -> Vec<Link> {
        let first = |of: &BTreeSet<(u32, Ipv6Addr)>, index| of.iter().find(|(of, _)| *of == index).map(|(_, ip)| *ip);
        let complete = |link: &Link| {
            let link_local = first(&self.link_locals, link.index);
            let traits = Traits { has_ipv6: first(&self.addresses, link.index).is_some(), ..link.traits };
            Link { link_local, traits, ..link.clone() }
        };
        self.links.values().map(complete).collect()
    }

    /// Takes in what the kernel tells; false when the whole list has to be read again: it lost messages, or an interface has
    /// come into operation, of whose link-local address it tells only once that has been checked.
    fn take_in(&mut self, message: NetlinkMessage<RouteNetlinkMessage>) -> bool {
        match message.payload {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(message)) if is_whole(&message) => {
                let link = read(&message);
                let (index, is_running) = (link.index, link.traits.is_running);
                let before = self.links.insert(index, link);
                return !is_running || before.is_some_and(|link| link.traits.is_running);
            }
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(message)) if is_whole(&message) => {
                self.links.remove(&message.header.index);
            }
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(message)) => self.add(&message),
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelAddress(message)) => {
                if let Some(ip) = ipv6(&message) {
                    self.addresses.remove(&(message.header.index, ip));
                    self.link_locals.remove(&(message.header.index, ip));
                }
            }
            NetlinkPayload::Overrun(_) => return false,
            _ => {}
        }
        true
    }

    /// Takes in an address; one that is still being checked, or was found to be another's, is not in use.
    fn add(&mut self, message: &AddressMessage) {
        let Some(ip) = ipv6(message) else { return };
        let address = (message.header.index, ip);
        let unfit = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
        self.addresses.insert(address);
        if !ip.is_unicast_link_local() || message.header.flags.intersects(unfit) {
            self.link_locals.remove(&address);
        } else {
            self.link_locals.insert(address);
        }
    }
}

/// Gives the address that the message is about, if it is one of IPv6.
fn ipv6(message: &AddressMessage) -> Option<Ipv6Addr> {
    message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(IpAddr::V6(ip)) => Some(*ip),
        _ => None,
    })
}

/// Whether the message is about the interface itself: not about its place in a bridge, which looks alike and is
/// "deleted" when it only leaves the bridge, and not a wireless event, which leaves most attributes out.
fn is_whole(message: &LinkMessage) -> bool {
    let is_wireless = message.attributes.iter().any(|attribute| matches!(attribute, LinkAttribute::Wireless(_)));
    message.header.interface_family == AddressFamily::Unspec && !is_wireless
}

fn read(message: &LinkMessage) -> Link {
    let flags = message.header.flags;
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        mac: None,
        link_local: None,
        traits: Traits {
            is_up: flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
            is_running: flags.contains(LinkFlags::Running),
            is_ethernet: message.header.link_layer_type == LinkLayerType::Ether,
            can_broadcast: flags.contains(LinkFlags::Broadcast),
            has_no_arp: flags.contains(LinkFlags::Noarp),
            has_master: false,
            has_ipv6: false,
        },
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Address(bytes) => link.mac = bytes.as_slice().try_into().ok().map(Mac),
            LinkAttribute::Controller(index) => link.traits.has_master = *index != 0,
            _ => {}
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(family: AddressFamily, attributes: Vec<LinkAttribute>) -> LinkMessage {
        let mut message = LinkMessage::default();
        message.header.interface_family = family;
        message.header.index = 7;
        message.header.link_layer_type = LinkLayerType::Ether;
        message.header.flags = LinkFlags::Up | LinkFlags::LowerUp | LinkFlags::Running | LinkFlags::Broadcast;
        message.attributes =
            vec![LinkAttribute::IfName("lan0".to_owned()), LinkAttribute::Address(vec![2, 0, 0, 0, 0, 7])];
        message.attributes.extend(attributes);
        message
    }

    fn netlink(message: RouteNetlinkMessage) -> NetlinkMessage<RouteNetlinkMessage> {
        NetlinkMessage::from(message)
    }

    #[test]
    fn an_interface_is_read_with_its_name_its_mac_and_its_flags() {
        let link = read(&message(AddressFamily::Unspec, vec![]));
        assert_eq!((link.index, link.name.as_str(), link.mac), (7, "lan0", Some(Mac([2, 0, 0, 0, 0, 7]))));
        let traits =
            Traits { is_up: true, is_running: true, is_ethernet: true, can_broadcast: true, ..Traits::default() };
        assert_eq!(link.traits, traits);
    }

    #[test]
    fn an_interface_without_a_carrier_is_not_up() {
        let mut message = message(AddressFamily::Unspec, vec![]);
        message.header.flags = LinkFlags::Up | LinkFlags::Broadcast;
        assert!(!read(&message).traits.is_up);
    }

    #[test]
    fn an_enslaved_interface_has_a_master() {
        assert!(read(&message(AddressFamily::Unspec, vec![LinkAttribute::Controller(3)])).traits.has_master);
        assert!(!read(&message(AddressFamily::Unspec, vec![LinkAttribute::Controller(0)])).traits.has_master);
    }

    #[test]
    fn an_address_of_another_length_is_no_mac() {
        let infiniband = LinkAttribute::Address(vec![0; 20]);
        assert_eq!(read(&message(AddressFamily::Unspec, vec![infiniband])).mac, None);
    }

    #[test]
    fn an_interface_that_leaves_a_bridge_is_still_there() {
        let mut world = World::default();
        world.take_in(netlink(RouteNetlinkMessage::NewLink(message(AddressFamily::Unspec, vec![]))));
        assert!(world.take_in(netlink(RouteNetlinkMessage::DelLink(message(AddressFamily::Bridge, vec![])))));
        assert_eq!(world.links().len(), 1);
        assert!(world.take_in(netlink(RouteNetlinkMessage::DelLink(message(AddressFamily::Unspec, vec![])))));
        assert!(world.links().is_empty());
    }

    #[test]
    fn lost_messages_have_the_list_read_again() {
        let mut lost = netlink(RouteNetlinkMessage::NewLink(LinkMessage::default()));
        lost.payload = NetlinkPayload::Overrun(vec![]);
        assert!(!World::default().take_in(lost));
    }

    #[test]
    fn an_interface_that_comes_into_operation_has_the_list_read_again() {
        let running = || netlink(RouteNetlinkMessage::NewLink(message(AddressFamily::Unspec, vec![])));
        let mut stopped = message(AddressFamily::Unspec, vec![]);
        stopped.header.flags = LinkFlags::Up | LinkFlags::Broadcast;
        let stopped = || netlink(RouteNetlinkMessage::NewLink(stopped.clone()));
        let mut world = World::default();
        let whole: Vec<_> =
            [stopped(), running(), running(), stopped(), running()].map(|told| world.take_in(told)).into();
        assert_eq!(whole, [true, false, true, true, false]);
    }

    #[test]
    fn a_link_local_address_counts_once_it_has_been_checked_and_ipv6_is_on_with_any() {
        let address = |ip: &str, flags| {
            let mut message = AddressMessage::default();
            (message.header.index, message.header.flags) = (7, flags);
            message.attributes = vec![AddressAttribute::Address(ip.parse().unwrap())];
            message
        };
        let mut world = World::default();
        world.take_in(netlink(RouteNetlinkMessage::NewLink(message(AddressFamily::Unspec, vec![]))));
        let (add, remove) = (RouteNetlinkMessage::NewAddress, RouteNetlinkMessage::DelAddress);
        let none = AddressHeaderFlags::empty();
        for (told, link_local, has_ipv6) in [
            (add(address("192.168.1.11", none)), None, false),
            (add(address("fd00::1", none)), None, true),
            (remove(address("fd00::1", none)), None, false),
            (add(address("fe80::2", AddressHeaderFlags::Tentative)), None, true),
            (add(address("fe80::2", AddressHeaderFlags::Permanent)), Some("fe80::2"), true),
            (add(address("fe80::2", AddressHeaderFlags::Dadfailed)), None, true),
            (remove(address("fe80::2", none)), None, false),
        ] {
            assert!(world.take_in(netlink(told.clone())));
            let expected = (link_local.map(|ip| ip.parse().unwrap()), has_ipv6);
            assert_eq!((world.links()[0].link_local, world.links()[0].traits.has_ipv6), expected, "{told:?}");
        }
    }
}
