//! What a node says about each address, packed: addresses of one pool differ in the last byte mostly, so they go
//! into blocks of 256 that share the rest.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of one part of a statement at most. With the longest name and all fellows a hello still fits its frame.
pub const PART_CAPACITY: usize = 720;

/// What a node says about an address on a segment; nothing said means that it is silent, but could answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stance {
    /// It answers, and its plan has it at this place of the candidates, counted from zero, up to 239.
    Answers(u8),
    /// It answers still, until another does.
    Leaves,
    /// It is a candidate by its plan, but cannot answer on this segment.
    Declines,
}

const CODE_LEAVES: u8 = 0xfe;
const CODE_DECLINES: u8 = 0xff;
const RANK_LAST: u8 = 0xef;

/// In a block's first byte: its addresses are of IPv6.
const BLOCK_IPV6: u8 = 0x80;
/// In a block's first byte: a bit for each address follows, instead of the last byte of each.
const BLOCK_BITMAP: u8 = 0x40;
/// In a block's first byte: how many last bytes follow.
const BLOCK_COUNT: u8 = 0x1f;
const BITMAP_LENGTH: usize = 32;

impl Stance {
    const fn code(self) -> u8 {
        match self {
            Self::Answers(rank) if rank < RANK_LAST => rank,
            Self::Answers(_) => RANK_LAST,
            Self::Leaves => CODE_LEAVES,
            Self::Declines => CODE_DECLINES,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0..=RANK_LAST => Some(Self::Answers(code)),
            CODE_LEAVES => Some(Self::Leaves),
            CODE_DECLINES => Some(Self::Declines),
            _ => None,
        }
    }
}

/// The bytes that the addresses of a block share.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Prefix {
    V4([u8; 3]),
    V6([u8; 15]),
}

fn split(ip: IpAddr) -> (Prefix, u8) {
    match ip {
        IpAddr::V4(ip) => {
            let [prefix @ .., last] = ip.octets();
            (Prefix::V4(prefix), last)
        }
        IpAddr::V6(ip) => {
            let [prefix @ .., last] = ip.octets();
            (Prefix::V6(prefix), last)
        }
    }
}

fn join(prefix: Prefix, last: u8) -> IpAddr {
    match prefix {
        Prefix::V4([a, b, c]) => Ipv4Addr::new(a, b, c, last).into(),
        Prefix::V6(prefix) => Ipv6Addr::from_bits(
            prefix.iter().fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte)) << 8 | u128::from(last),
        )
        .into(),
    }
}

/// Gives the parts of a statement, at least one, each at most [`PART_CAPACITY`] bytes.
#[must_use]
pub fn write_stances(stances: &BTreeMap<IpAddr, Stance>) -> Vec<Vec<u8>> {
    let mut blocks = BTreeMap::<(u8, Prefix), Vec<u8>>::new();
    for (&ip, stance) in stances {
        let (prefix, last) = split(ip);
        blocks.entry((stance.code(), prefix)).or_default().push(last);
    }
    let mut parts = vec![Vec::new()];
    for ((code, prefix), lasts) in blocks {
        let block = write_block(code, prefix, &lasts);
        match parts.last_mut() {
            Some(part) if part.len() + block.len() <= PART_CAPACITY => part.extend(block),
            _ => parts.push(block),
        }
    }
    parts
}

fn write_block(code: u8, prefix: Prefix, lasts: &[u8]) -> Vec<u8> {
    let short = u8::try_from(lasts.len()).ok().filter(|&count| count <= BLOCK_COUNT);
    let kind = short.unwrap_or(BLOCK_BITMAP);
    let mut block = vec![code];
    match prefix {
        Prefix::V4(prefix) => {
            block.push(kind);
            block.extend(prefix);
        }
        Prefix::V6(prefix) => {
            block.push(kind | BLOCK_IPV6);
            block.extend(prefix);
        }
    }
    if short.is_some() {
        block.extend(lasts);
        return block;
    }
    let mut bits = [0_u8; BITMAP_LENGTH];
    for &last in lasts {
        if let Some(byte) = bits.get_mut(usize::from(last / 8)) {
            *byte |= 1 << (last % 8);
        }
    }
    block.extend(bits);
    block
}

/// Gives what a part says, or none when it makes no sense. An address that stands in it twice has the later stance.
#[must_use]
pub fn read_stances(part: &[u8]) -> Option<BTreeMap<IpAddr, Stance>> {
    let mut stances = BTreeMap::new();
    let mut rest = part;
    while let [code, kind, tail @ ..] = rest {
        let stance = Stance::from_code(*code)?;
        let (prefix, tail) = if kind & BLOCK_IPV6 == 0 {
            let (prefix, tail) = tail.split_first_chunk()?;
            (Prefix::V4(*prefix), tail)
        } else {
            let (prefix, tail) = tail.split_first_chunk()?;
            (Prefix::V6(*prefix), tail)
        };
        if kind & BLOCK_BITMAP == 0 {
            let (lasts, tail) = tail.split_at_checked(usize::from(kind & BLOCK_COUNT))?;
            stances.extend(lasts.iter().map(|&last| (join(prefix, last), stance)));
            rest = tail;
        } else {
            let (bits, tail) = tail.split_first_chunk::<BITMAP_LENGTH>()?;
            let is_set = |last: &u8| bits.get(usize::from(last / 8)).is_some_and(|byte| byte >> (last % 8) & 1 == 1);
            stances.extend((0..=u8::MAX).filter(is_set).map(|last| (join(prefix, last), stance)));
            rest = tail;
        }
    }
    rest.is_empty().then_some(stances)
}
