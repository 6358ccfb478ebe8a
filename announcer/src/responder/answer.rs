//! Frames from the wire: which of them get an answer, and which of them tell something.

use std::net::IpAddr;
use std::time::Duration;

use super::announcing::unsolicited;
use super::segment::{Context, Segment, Standing};
use super::{Action, Purpose, Responder, Silence, Transmission};
use crate::wire::Malformed;
use crate::wire::arp::{Frame, Operation, Packet};
use crate::wire::ethernet::{ETHERTYPE_ARP, Header, Mac};
use crate::wire::hello::{ETHERTYPE_HELLO, Hello};
use crate::wire::ipv6::ETHERTYPE_IPV6;
use crate::wire::ndp::{Message, Neighbor};

impl Responder {
    /// Takes in one frame; gives whether more may follow from it.
    pub(super) fn on_frame(&mut self, link: u32, bytes: &[u8], now: Duration, actions: &mut Vec<Action>) -> bool {
        let header = match Header::read(bytes) {
            Ok((header, _)) => header,
            Err(malformed) => {
                actions.push(Action::Drop(malformed));
                return false;
            }
        };
        let silence = if self.is_finished { Silence::Stopping } else { Silence::SocketClosed };
        let Some(segment) = self.segments.get_mut(&link).filter(|segment| segment.is_open()) else {
            actions.push(Action::Ignore(silence));
            return false;
        };
        if header.source == segment.mac {
            actions.push(Action::Ignore(Silence::OwnFrame));
            return false;
        }
        let context = Context {
            timing: &self.config.timing,
            keys: &self.keys,
            node: &self.config.node,
            own: self.own,
            book: self.book.as_ref(),
            open: &self.open,
            is_stopping: self.is_stopping,
            now,
        };
        let answer = match header.ethertype {
            ETHERTYPE_HELLO => {
                match Hello::open(bytes, context.keys) {
                    Ok((hello, token)) => segment.hear(&hello, token, &context, actions),
                    Err(fault) => actions.push(Action::Discard(fault)),
                }
                return true;
            }
            ETHERTYPE_ARP => Frame::read(bytes).map(|frame| on_arp(segment, &frame, &context)),
            ETHERTYPE_IPV6 => Neighbor::read(bytes).map(|neighbor| on_neighbor(segment, &neighbor, &context)),
            other => Err(Malformed::EtherType(other)),
        };
        match answer {
            Ok(Ok((ip, frame))) => {
                actions.push(Action::Send(Transmission { link, purpose: Purpose::Answer(ip), frame }));
                false
            }
            Ok(Err(silence)) => {
                actions.push(Action::Ignore(silence));
                matches!(silence, Silence::NotARequest | Silence::Announcement)
            }
            Err(malformed) => {
                actions.push(Action::Drop(malformed));
                false
            }
        }
    }
}

/// Whether an address is answered here, or why not.
fn standing(segment: &Segment, ip: IpAddr, context: &Context<'_>) -> Result<(), Silence> {
    match segment.standing(ip) {
        Some(Standing::Answering | Standing::Leaving { .. }) => Ok(()),
        Some(Standing::Silent(silence)) => Err(silence),
        None if context.book.is_some_and(|book| book.entries.contains_key(&ip)) => Err(Silence::OtherLink),
        None => Err(Silence::NotOurs),
    }
}

/// Decides whether an ARP packet gets an answer, and gives it. A probe, which has no sender address (RFC 5227
/// §2.1.1), gets one like every request: so its sender learns that the address is in use. What says that an address is
/// answered elsewhere is taken in.
fn on_arp(segment: &mut Segment, request: &Frame, context: &Context<'_>) -> Result<(IpAddr, Vec<u8>), Silence> {
    let asked = &request.packet;
    segment.note_client(request.source, context.now);
    if !asked.sender_ip.is_unspecified() && asked.sender_mac == request.source {
        segment.see(asked.sender_ip.into(), asked.sender_mac, context);
    }
    if asked.operation != Operation::Request {
        return Err(Silence::NotARequest);
    }
    if asked.sender_ip == asked.target_ip {
        return Err(Silence::Announcement);
    }
    if asked.sender_mac.is_group() {
        return Err(Silence::GroupSender);
    }
    let ip = IpAddr::V4(asked.target_ip);
    standing(segment, ip, context)?;
    if request.destination != Mac::BROADCAST && request.destination != segment.mac {
        return Err(Silence::NotForUs);
    }
    let packet = Packet {
        operation: Operation::Reply,
        sender_mac: segment.mac,
        sender_ip: asked.target_ip,
        target_mac: asked.sender_mac,
        target_ip: asked.sender_ip,
    };
    let answer = Frame { destination: packet.target_mac, source: segment.mac, packet };
    Ok((ip, answer.write().to_vec()))
}

/// Decides the same about a message of Neighbor Discovery (RFC 4861 §7.2.3, §7.2.4). With or without the asker's MAC
/// address in it, to the group or to this node alone, a solicitation gets its answer; one that looks whether the address
/// is free gets it for all to hear.
fn on_neighbor(
    segment: &mut Segment,
    neighbor: &Neighbor,
    context: &Context<'_>,
) -> Result<(IpAddr, Vec<u8>), Silence> {
    segment.note_client(neighbor.source_mac, context.now);
    let (target, asker) = match neighbor.message {
        Message::Solicitation { target, source_mac } => (target, source_mac.unwrap_or(neighbor.source_mac)),
        Message::Advertisement { target, target_mac, .. } => {
            if target_mac.is_none_or(|mac| mac == neighbor.source_mac) {
                segment.see(target.into(), neighbor.source_mac, context);
            }
            return Err(Silence::NotARequest);
        }
    };
    if asker.is_group() {
        return Err(Silence::GroupSender);
    }
    let ip = IpAddr::V6(target);
    standing(segment, ip, context)?;
    if !neighbor.destination_mac.is_group() && neighbor.destination_mac != segment.mac {
        return Err(Silence::NotForUs);
    }
    if neighbor.source.is_unspecified() {
        return Ok((ip, unsolicited(target, segment.mac)));
    }
    let message =
        Message::Advertisement { target, target_mac: Some(segment.mac), is_solicited: true, is_override: false };
    let (destination_mac, source_mac) = (asker, segment.mac);
    let answer = Neighbor { destination_mac, source_mac, destination: neighbor.source, source: target, message };
    Ok((ip, answer.write()))
}
