//! The node's network interfaces, from the kernel over rtnetlink. Needs no capability.
//!
//! It hands on what the kernel says and judges nothing: which interfaces are fit is the responder's to decide.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::chain::chain;
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
pub async fn follow(events: mpsc::Sender<Event>, stop: CancellationToken) {
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

async fn follow_once(events: &mpsc::Sender<Event>) -> Result<(), LinksError> {
    let (connection, handle, mut messages) = new_multicast_connection(&[MulticastGroup::Link])?;
    // Ends by itself when the handle is dropped, which is when this function returns or is dropped.
    tokio::spawn(connection);
    let mut sent = None;
    loop {
        let mut links = list(&handle).await?;
        let next_list = Instant::now() + LIST_INTERVAL;
        loop {
            if sent.as_ref() != Some(&links) {
                let event = Event::Links(links.values().cloned().collect());
                if events.send(event).await.is_err() {
                    return Ok(());
                }
                sent = Some(links.clone());
            }
            let Ok(message) = timeout_at(next_list, messages.next()).await else { break };
            let (message, _) = message.ok_or(LinksError::Closed)?;
            if !take_in(&mut links, message) {
                break;
            }
        }
    }
}

async fn list(handle: &Handle) -> Result<BTreeMap<u32, Link>, LinksError> {
    let mut messages = handle.link().get().execute();
    let mut links = BTreeMap::new();
    while let Some(message) = messages.next().await {
        let link = read(&message?);
        links.insert(link.index, link);
    }
    Ok(links)
}

/// Takes in what the kernel tells; false when it lost messages, so that the whole list has to be read again.
fn take_in(links: &mut BTreeMap<u32, Link>, message: NetlinkMessage<RouteNetlinkMessage>) -> bool {
    match message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(message)) if is_whole(&message) => {
            let link = read(&message);
            links.insert(link.index, link);
            true
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(message)) if is_whole(&message) => {
            links.remove(&message.header.index);
            true
        }
        NetlinkPayload::Overrun(_) => false,
        _ => true,
    }
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
        let mut links = BTreeMap::new();
        assert!(take_in(&mut links, netlink(RouteNetlinkMessage::NewLink(message(AddressFamily::Unspec, vec![])))));
        assert!(take_in(&mut links, netlink(RouteNetlinkMessage::DelLink(message(AddressFamily::Bridge, vec![])))));
        assert_eq!(links.len(), 1);
        assert!(take_in(&mut links, netlink(RouteNetlinkMessage::DelLink(message(AddressFamily::Unspec, vec![])))));
        assert!(links.is_empty());
    }

    #[test]
    fn lost_messages_have_the_list_read_again() {
        let mut lost = netlink(RouteNetlinkMessage::NewLink(LinkMessage::default()));
        lost.payload = NetlinkPayload::Overrun(vec![]);
        assert!(!take_in(&mut BTreeMap::new(), lost));
    }
}
