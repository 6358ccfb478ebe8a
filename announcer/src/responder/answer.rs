//! Frames from the wire: which of them get an answer, and which of them tell something.
//!
//! The two are apart, and the answer comes first: whoever asks waits for it, and what is to be learned from the question
//! can wait until it is on its way.

use std::net::IpAddr;
use std::time::Duration;

use super::announcing::unsolicited;
use super::segment::{Context, Segment};
use super::{Action, Responder, Silence, context};
use crate::wire::Malformed;
use crate::wire::arp::{FRAME_LENGTH, Frame, Operation, Packet};
use crate::wire::ethernet::{ETHERTYPE_ARP, Header, Mac};
use crate::wire::hello::{ETHERTYPE_HELLO, Hello};
use crate::wire::ipv6::ETHERTYPE_IPV6;
use crate::wire::ndp::{Message, Neighbor};

impl Responder {
    /// Gives the address that a frame asks for, if that is answered now, and puts the answer in place of what the buffer
    /// holds. Changes nothing: [`Responder::receive`] takes in what the same frame tells, and says why one gets no answer.
    ///
    /// It touches as little memory as it can. A program that waited has none of it in the processor's caches any more, and
    /// fetching it costs more than all that is done here.
    #[inline]
    pub fn answer(&self, link: u32, frame: &[u8], now: Duration, answer: &mut Vec<u8>) -> Option<IpAddr> {
        let (header, _) = Header::read(frame).ok()?;
        let segment = self.segments.get(&link)?;
        if !segment.is_open() || header.source == segment.mac || segment.stalled(&self.config.timing, now).is_some() {
            return None;
        }
        answer.clear();
        match header.ethertype {
            ETHERTYPE_ARP => {
                let request = Frame::read(frame).ok()?;
                let ip = asked_by_arp(segment.mac, &request, |ip| segment.admit(ip)).ok()?;
                answer.extend_from_slice(&reply(segment.mac, &request));
                Some(ip)
            }
            ETHERTYPE_IPV6 => {
                let neighbor = Neighbor::read(frame).ok()?;
                let ip = asked_by_neighbor(segment.mac, &neighbor, |ip| segment.admit(ip)).ok()?;
                answer.extend_from_slice(&advertisement(segment.mac, &neighbor));
                Some(ip)
            }
            _ => None,
        }
    }

    /// Takes in what one frame tells; gives whether more may follow from it.
    pub(super) fn on_frame(&mut self, link: u32, bytes: &[u8], now: Duration, actions: &mut Vec<Action>) -> bool {
        let header = match Header::read(bytes) {
            Ok((header, _)) => header,
            Err(malformed) => {
                actions.push(Action::Drop(malformed));
                return false;
            }
        };
        let silence = if self.is_finished { Silence::Stopping } else { Silence::SocketClosed };
        let context = context!(self, now);
        let Some(segment) = self.segments.get_mut(&link).filter(|segment| segment.is_open()) else {
            actions.push(Action::Ignore(silence));
            return false;
        };
        if header.source == segment.mac {
            actions.push(Action::Ignore(Silence::OwnFrame));
            return false;
        }
        let asked = match header.ethertype {
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
        match asked {
            Ok(Ok(_answered)) => false,
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

/// Gives why an address is not answered here, if it is not.
fn admit(segment: &Segment, ip: IpAddr, context: &Context<'_>) -> Result<(), Silence> {
    let is_known = || context.book.is_some_and(|book| book.entries.contains_key(&ip));
    segment.admit(ip).map_err(|silence| match silence {
        Silence::NotOurs if segment.standing(ip).is_none() && is_known() => Silence::OtherLink,
        silence => silence,
    })
}

/// Takes in an ARP packet: that its sender was heard, and that an address is answered elsewhere, where it says so.
fn on_arp(segment: &mut Segment, request: &Frame, context: &Context<'_>) -> Result<IpAddr, Silence> {
    let asked = &request.packet;
    segment.note_client(request.source, context.now);
    if !asked.sender_ip.is_unspecified() && asked.sender_mac == request.source {
        segment.see(asked.sender_ip.into(), asked.sender_mac, context);
    }
    asked_by_arp(segment.mac, request, |ip| admit(segment, ip, context))
}

/// Gives the address that an ARP packet asks the station with this MAC address for, or why there is none that is
/// answered. A probe, which has no sender address (RFC 5227 §2.1.1), asks like every request: so its sender learns that
/// the address is in use.
fn asked_by_arp(
    mac: Mac,
    request: &Frame,
    admit: impl FnOnce(IpAddr) -> Result<(), Silence>,
) -> Result<IpAddr, Silence> {
    let asked = &request.packet;
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
    admit(ip)?;
    if request.destination != Mac::BROADCAST && request.destination != mac {
        return Err(Silence::NotForUs);
    }
    Ok(ip)
}

/// Gives the answer to an ARP request.
fn reply(mac: Mac, request: &Frame) -> [u8; FRAME_LENGTH] {
    let asked = &request.packet;
    let packet = Packet {
        operation: Operation::Reply,
        sender_mac: mac,
        sender_ip: asked.target_ip,
        target_mac: asked.sender_mac,
        target_ip: asked.sender_ip,
    };
    Frame { destination: packet.target_mac, source: mac, packet }.write()
}

/// Takes in a message of Neighbor Discovery as [`on_arp`] does a packet.
fn on_neighbor(segment: &mut Segment, neighbor: &Neighbor, context: &Context<'_>) -> Result<IpAddr, Silence> {
    segment.note_client(neighbor.source_mac, context.now);
    if let Message::Advertisement { target, target_mac, .. } = neighbor.message
        && target_mac.is_none_or(|mac| mac == neighbor.source_mac)
    {
        segment.see(target.into(), neighbor.source_mac, context);
    }
    asked_by_neighbor(segment.mac, neighbor, |ip| admit(segment, ip, context))
}

/// Gives the address that a message of Neighbor Discovery asks for, or why there is none that is answered (RFC 4861
/// §7.2.3, §7.2.4). With or without the asker's MAC address in it, to the group or to this node alone, a solicitation
/// gets its answer.
fn asked_by_neighbor(
    mac: Mac,
    neighbor: &Neighbor,
    admit: impl FnOnce(IpAddr) -> Result<(), Silence>,
) -> Result<IpAddr, Silence> {
    let Message::Solicitation { target, .. } = neighbor.message else { return Err(Silence::NotARequest) };
    if asker(neighbor).is_group() {
        return Err(Silence::GroupSender);
    }
    let ip = IpAddr::V6(target);
    admit(ip)?;
    if !neighbor.destination_mac.is_group() && neighbor.destination_mac != mac {
        return Err(Silence::NotForUs);
    }
    Ok(ip)
}

/// Gives the MAC address that a solicitation is to be answered to.
fn asker(neighbor: &Neighbor) -> Mac {
    match neighbor.message {
        Message::Solicitation { source_mac: Some(mac), .. } => mac,
        _ => neighbor.source_mac,
    }
}

/// Gives the answer to a solicitation; one that looks whether the address is free gets it for all to hear.
fn advertisement(mac: Mac, neighbor: &Neighbor) -> Vec<u8> {
    let (Message::Solicitation { target, .. } | Message::Advertisement { target, .. }) = neighbor.message;
    if neighbor.source.is_unspecified() {
        return unsolicited(target, mac);
    }
    let message = Message::Advertisement { target, target_mac: Some(mac), is_solicited: true, is_override: false };
    let (destination_mac, source_mac) = (asker(neighbor), mac);
    Neighbor { destination_mac, source_mac, destination: neighbor.source, source: target, message }.write()
}
