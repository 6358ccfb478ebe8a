//! The plan that the operator writes into this node's Lease: a JSON annotation with a version.
//!
//! A plan that cannot be read changes nothing; the caller keeps the one it has.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Annotation on the Lease that holds the plan; the operator's.
pub const PLAN_ANNOTATION: &str = "berth.dev/plan";

/// The version of plans that this program reads.
const VERSION: u64 = 1;

/// Why a plan was not taken.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Not JSON, or not the shape of a plan.
    #[error("plan cannot be read; the last one stays in force")]
    Unreadable(#[from] serde_json::Error),
    /// Written by an operator that speaks another version.
    #[error("plan has version {0}, this announcer reads version {VERSION}; the last one stays in force")]
    UnknownVersion(u64),
}

/// Which addresses concern this node, and who comes first for each.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Plan {
    /// Grows with each change that the operator makes; only echoed, never compared.
    pub generation: u64,
    /// Sorted by address as the operator writes it; no order is relied on.
    pub vips: Vec<Vip>,
}

/// One address and who may answer for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Vip {
    /// The address.
    pub ip: IpAddr,
    /// Candidate nodes in order; the first that lives answers.
    pub nodes: Vec<String>,
    /// Interfaces to answer on; every usable one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// The first candidate is to take over from whoever answers; the operator takes it away once that has happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moving: bool,
}

#[derive(Deserialize)]
struct Envelope {
    v: u64,
}

/// A plan with its version, as it is written.
#[derive(Serialize)]
struct Versioned<'plan> {
    v: u64,
    #[serde(flatten)]
    plan: &'plan Plan,
}

impl Plan {
    /// Reads the annotation's text; fields it does not know are passed over.
    ///
    /// # Errors
    /// Refuses what is not JSON of a plan's shape, and every version but 1.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        match serde_json::from_str(text)? {
            Envelope { v: VERSION } => Ok(serde_json::from_str(text)?),
            Envelope { v } => Err(PlanError::UnknownVersion(v)),
        }
    }

    /// Gives the text that [`Plan::read`] reads.
    #[must_use]
    pub fn write(&self) -> String {
        // A plan is made of numbers, names and addresses, all of which are always JSON.
        serde_json::to_string(&Versioned { v: VERSION, plan: self }).unwrap_or_default()
    }
}

/// Reads a plan only when its text changed, so that a source may be asked as often as it likes.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Hash of the last text.
    last: Option<u64>,
}

impl Inbox {
    /// Gives the plan in the text, or nothing when the text is the same as the last one.
    pub fn take(&mut self, text: &str) -> Option<Result<Plan, PlanError>> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = Some(hasher.finish());
        if self.last == hash {
            return None;
        }
        self.last = hash;
        Some(Plan::read(text))
    }

    /// Reads the same text again when it comes again.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"v":1,"generation":7,"later":[],"vips":[
        {"ip":"192.168.1.200","nodes":["node-2","node-1"],"interfaces":["lan0"],"later":1},
        {"ip":"fd00::1","nodes":[]}]}"#;

    #[test]
    fn a_plan_is_read_and_unknown_fields_are_passed_over() {
        let plan = Plan::read(TEXT).unwrap();
        assert_eq!(plan.generation, 7);
        assert_eq!(plan.vips[0].nodes, ["node-2", "node-1"]);
        assert_eq!(plan.vips[0].interfaces.as_deref(), Some(&["lan0".to_owned()][..]));
        assert_eq!(plan.vips[1].interfaces, None);
    }

    #[test]
    fn another_version_is_refused_whatever_its_shape() {
        let refusal = Plan::read(r#"{"v":2,"addresses":{}}"#);
        assert!(matches!(refusal, Err(PlanError::UnknownVersion(2))));
    }

    #[test]
    fn what_is_not_a_plan_is_refused() {
        for text in ["", "{", "[]", r#"{"generation":1,"vips":[]}"#, r#"{"v":1}"#, r#"{"v":"1"}"#] {
            assert!(matches!(Plan::read(text), Err(PlanError::Unreadable(_))), "{text}");
        }
        let bad_ip = r#"{"v":1,"generation":1,"vips":[{"ip":"192.168.1.0200","nodes":[]}]}"#;
        assert!(matches!(Plan::read(bad_ip), Err(PlanError::Unreadable(_))));
    }

    #[test]
    fn the_same_text_is_read_once() {
        let mut inbox = Inbox::default();
        assert!(inbox.take(TEXT).is_some());
        assert!(inbox.take(TEXT).is_none());
        assert!(inbox.take("{").is_some_and(|result| result.is_err()));
        assert!(inbox.take("{").is_none());
        assert!(inbox.take(TEXT).is_some_and(|result| result.is_ok()));
    }
}
