//! Reports of multicast membership (RFC 3810), so that switches with MLD snooping let solicitations through.

use std::net::Ipv6Addr;

use super::ethernet::Mac;
use super::ipv6::{Envelope, NEXT_ICMPV6, checksum, group_mac};

/// How many groups one report names, so that it fits 1,500 bytes.
pub const GROUPS_CAPACITY: usize = 70;

/// Where reports go: all routers that understand version 2 (RFC 3810 §5.2.14).
const ALL_MLD_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

/// ICMPv6 type of a version 2 report (RFC 3810 §5.2).
const REPORT: u8 = 143;

/// Record type `MODE_IS_EXCLUDE`, which leaves nobody out: the group is wanted from all (RFC 3810 §5.2.12).
const MODE_IS_EXCLUDE: u8 = 2;

/// The hop-by-hop header with the router alert for MLD that each report carries (RFC 3810 §5, RFC 2711).
const ROUTER_ALERT: [u8; 8] = [NEXT_ICMPV6, 0, 5, 2, 0, 0, 1, 0];

/// Gives the frame of a report that these groups are wanted, of which only the first [`GROUPS_CAPACITY`] count. Without
/// a link-local address it comes from the unspecified one, which switches heed (RFC 3810 §5.2.13).
#[must_use]
pub fn report(source_mac: Mac, link_local: Option<Ipv6Addr>, groups: &[Ipv6Addr]) -> Vec<u8> {
    let source = link_local.unwrap_or(Ipv6Addr::UNSPECIFIED);
    let groups = groups.get(..GROUPS_CAPACITY).unwrap_or(groups);
    let mut message = vec![REPORT, 0, 0, 0, 0, 0];
    message.extend(u16::try_from(groups.len()).unwrap_or(0).to_be_bytes());
    for group in groups {
        message.extend([MODE_IS_EXCLUDE, 0, 0, 0]);
        message.extend(group.octets());
    }
    let sum = checksum(source, ALL_MLD_ROUTERS, &message).to_be_bytes();
    for (byte, value) in message.iter_mut().skip(2).zip(sum) {
        *byte = value;
    }
    let envelope = Envelope {
        destination_mac: group_mac(ALL_MLD_ROUTERS),
        source_mac,
        destination: ALL_MLD_ROUTERS,
        source,
        hop_limit: 1,
        next_header: 0,
    };
    envelope.write(&[&ROUTER_ALERT[..], &message].concat())
}
