//! Berth's announcer: makes the addresses of `LoadBalancer` Services reachable on the links of this node.
//!
//! The operator decides which nodes may speak for an address and writes that, as a [`plan`], into this node's Lease
//! ([`cluster`]). The announcer decides whether it answers *now* ([`responder`]) from that plan and from the node's
//! interfaces ([`links`]), and says so on the wire ([`wire`], [`socket`]); [`run`] joins them. It chooses no addresses
//! and reads no Services. An address is never bound to an interface: a dead process is a silent one.

pub mod chain;
pub mod clock;
pub mod cluster;
pub mod filter;
pub mod flags;
pub mod health;
pub mod hello_keys;
pub mod http;
pub mod limiter;
pub mod links;
pub mod mailbox;
pub mod metrics;
pub mod plan;
pub mod plan_file;
pub mod plan_store;
pub mod ports;
pub mod responder;
pub mod run;
#[allow(unsafe_code, reason = "bind(2) and setsockopt(2) take raw values")]
pub mod socket;
pub mod status;
pub mod wire;
