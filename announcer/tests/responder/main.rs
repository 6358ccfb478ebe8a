//! The responder's rules, on a clock that only the test moves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod announcing;
mod answers;
mod claims;
mod cost;
mod fellow;
mod fellows;
mod fencing;
mod groups;
mod lab;
mod leaving;
mod links;
mod neighbors;
mod reports;
mod twins;
