//! Programs for the kernel's socket filter (classic BPF): which frames are worth waking this program for.
//!
//! Pure: addresses in, instructions out. A filter may let through more than concerns an address, never less; the
//! responder judges once more what comes through. A program tests a frame's address with some twelve comparisons, the
//! same for one address as for thousands.

mod assembler;
mod keys;

use std::net::{Ipv4Addr, Ipv6Addr};

use self::assembler::{Assembler, Label};
use self::keys::{FINEST, Keys, LONGEST_SHIFT};

/// The longest program that the kernel takes (`BPF_MAXINSNS`).
pub const LONGEST: usize = 4_096;

/// What a program may always be as long as; no set of addresses needs more, if need be by letting all of them through.
pub const SHORTEST: usize = 64;

/// Where a frame's fields are, in bytes from its first (RFC 826; RFC 8200 §3; RFC 4861 §4.3, §4.4).
const ARP_TYPES: u32 = 14;
const ARP_LENGTHS: u32 = 18;
const ARP_OPERATION: u32 = 20;
const ARP_SENDER_IP: u32 = 28;
const ARP_TARGET_IP: u32 = 38;
const IPV6_NEXT_HEADER: u32 = 20;
const ICMPV6_TYPE: u32 = 54;
const NDP_TARGET: u32 = 62;

/// Hardware and protocol type of Ethernet and IPv4 in an ARP packet, and the lengths of their addresses.
const ETHERNET_AND_IPV4: u32 = 0x0001_0800;
const LENGTHS_6_AND_4: u32 = 0x0604;

/// Operation codes (RFC 826).
const REQUEST: u32 = 1;
const REPLY: u32 = 2;

/// Next header `ICMPv6` and, beside it, the hop limit that a packet has only on the link it started on (RFC 4861 §7.1).
const ICMPV6_OF_THIS_LINK: u32 = 0x3aff;

/// Neighbor Solicitation and Neighbor Advertisement, each with code 0.
const SOLICITATION: u32 = 0x8700;
const ADVERTISEMENT: u32 = 0x8800;

/// Where the kernel shows whose a frame is (`SKF_AD_OFF + SKF_AD_PKTTYPE`), and what it shows for another station's
/// (`PACKET_OTHERHOST`).
const WHOSE: u32 = 0xffff_f004;
const ANOTHERS: u32 = 3;

/// One instruction as the kernel reads it (`struct sock_filter`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to pass over when the test holds.
    pub if_true: u8,
    /// How many to pass over when it does not.
    pub if_false: u8,
    /// A constant, an offset or a distance.
    pub value: u32,
}

/// Gives a program that lets through ARP requests for one of the addresses, and the announcements and replies of
/// whoever claims to have one. Frames for other stations, which only a promiscuous interface shows, do not pass.
///
/// No longer than asked: where scattered addresses would need more, their neighbours pass as well.
#[must_use]
pub fn arp(vips: impl IntoIterator<Item = Ipv4Addr>, longest: usize) -> Vec<Instruction> {
    shortened(&Keys::new(vips.into_iter().map(u32::from)), longest, |program, is_wanted| {
        let from_sender = program.load_word(ARP_SENDER_IP, is_wanted);
        // An announcement by request has the same address as its target.
        let from_target = program.load_word(ARP_TARGET_IP, is_wanted);
        let rejected = program.rejected();
        let not_request = program.if_equal(REPLY, from_sender, rejected);
        let operation = program.if_equal(REQUEST, from_target, not_request);
        let operation = program.load_half(ARP_OPERATION, operation);
        let rejected = program.rejected();
        let lengths = program.if_equal(LENGTHS_6_AND_4, operation, rejected);
        let lengths = program.load_half(ARP_LENGTHS, lengths);
        let types = program.if_equal(ETHERNET_AND_IPV4, lengths, rejected);
        program.load_word(ARP_TYPES, types)
    })
}

/// Gives a program that lets through Neighbor Solicitations and Advertisements whose target is one of the addresses,
/// as far as an extract of 32 bits tells. Otherwise like [`arp`].
#[must_use]
pub fn ndp(vips: impl IntoIterator<Item = Ipv6Addr>, longest: usize) -> Vec<Instruction> {
    shortened(&Keys::new(vips.into_iter().map(extract)), longest, |program, is_wanted| {
        let mut next = is_wanted;
        for word in [3, 2, 1] {
            next = program.exclusive_or_index(next);
            next = program.load_word(NDP_TARGET + 4 * word, next);
            next = program.index_from_accumulator(next);
        }
        let target = program.load_word(NDP_TARGET, next);
        let rejected = program.rejected();
        let not_solicitation = program.if_equal(ADVERTISEMENT, target, rejected);
        let kind = program.if_equal(SOLICITATION, target, not_solicitation);
        let kind = program.load_half(ICMPV6_TYPE, kind);
        let rejected = program.rejected();
        let protocol = program.if_equal(ICMPV6_OF_THIS_LINK, kind, rejected);
        program.load_half(IPV6_NEXT_HEADER, protocol)
    })
}

/// Gives a program that lets through everything that is for this node or for all.
#[must_use]
pub fn all() -> Vec<Instruction> {
    let mut program = Assembler::new();
    let accepted = program.accepted();
    begin(&mut program, accepted);
    program.finish()
}

/// Gives the exclusive or of an address's four words. Addresses that follow one another in an aligned block still do so.
fn extract(ip: Ipv6Addr) -> u32 {
    ip.octets().as_chunks().0.iter().fold(0, |sum, word| sum ^ u32::from_be_bytes(*word))
}

/// Gives the most exact program that is short enough; `head` leads from the first test of a frame's bytes to the label
/// that decides about the key in the accumulator, and gives where it begins.
fn shortened(keys: &Keys, longest: usize, head: impl Fn(&mut Assembler, Label) -> Label) -> Vec<Instruction> {
    let mut program = Vec::new();
    for shift in FINEST..=LONGEST_SHIFT {
        let mut assembler = Assembler::new();
        let is_wanted = keys.assemble(&mut assembler, shift);
        let first = head(&mut assembler, is_wanted);
        begin(&mut assembler, first);
        program = assembler.finish();
        if program.len() <= longest {
            break;
        }
    }
    program
}

/// Begins a program: what is another station's is rejected at once.
fn begin(program: &mut Assembler, next: Label) {
    let rejected = program.rejected();
    let test = program.if_equal(ANOTHERS, rejected, next);
    program.load_word(WHOSE, test);
}
