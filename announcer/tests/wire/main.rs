//! The wire modules against themselves and against other readers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod arp;
mod hello;
mod neighbor;

use announcer::wire::ethernet::Mac;
use proptest::prelude::*;

fn mac() -> impl Strategy<Value = Mac> {
    any::<[u8; 6]>().prop_map(Mac)
}
