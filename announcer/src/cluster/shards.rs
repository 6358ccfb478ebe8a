//! A plan that is too long for one Lease: its other parts are in Leases of their own.
//!
//! The operator writes the parts first and the main Lease last, so that they are there when the main Lease changes. A
//! plan is only taken whole, with all its parts of the same generation.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde::Deserialize;
use thiserror::Error;

use super::lease;
use crate::plan::{Plan, PlanError};

/// Why a plan was not taken; the last one stays in force.
#[derive(Debug, Error)]
pub(super) enum ShardsError {
    /// The main Lease's part, or another, makes no sense.
    #[error("plan was not taken")]
    Plan(#[from] PlanError),
    /// A Lease with a part could not be read.
    #[error("part of the plan could not be read; the last plan stays in force")]
    Unread(#[source] Box<kube::Error>),
    /// A Lease with a part is not there, or not yet, or has no part in it.
    #[error("part {0} of the plan is missing; the last plan stays in force")]
    Missing(u64),
    /// A part is older or newer than the main Lease's.
    #[error("part {shard} of the plan is of generation {found}, not {wanted}; the last plan stays in force")]
    OtherGeneration {
        /// Which part.
        shard: u64,
        /// What it has.
        found: u64,
        /// What the main Lease has.
        wanted: u64,
    },
}

/// What a part says about the others.
#[derive(Deserialize)]
struct Sharding {
    /// On the main Lease: how many parts there are, itself included.
    #[serde(default = "one")]
    shards: u64,
}

const fn one() -> u64 {
    1
}

/// Gives the plan with the addresses of all its parts.
pub(super) async fn whole(leases: &Api<Lease>, node: &str, mut plan: Plan, text: &str) -> Result<Plan, ShardsError> {
    let Sharding { shards } = serde_json::from_str(text).map_err(PlanError::from)?;
    for shard in 1..shards {
        let lease = leases.get_opt(&lease::shard_name(node, shard)).await;
        let lease = lease.map_err(|err| ShardsError::Unread(Box::new(err)))?;
        let part = lease.as_ref().and_then(lease::plan);
        join(&mut plan, shard, part)?;
    }
    Ok(plan)
}

/// Adds a part to the plan.
fn join(plan: &mut Plan, shard: u64, part: Option<&str>) -> Result<(), ShardsError> {
    let part = Plan::read(part.ok_or(ShardsError::Missing(shard))?)?;
    if part.generation != plan.generation {
        return Err(ShardsError::OtherGeneration { shard, found: part.generation, wanted: plan.generation });
    }
    plan.vips.extend(part.vips);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = r#"{"v":1,"generation":7,"shard":1,"vips":[{"ip":"192.168.1.201","nodes":["node-1"]}]}"#;

    fn main_part() -> Plan {
        Plan::read(r#"{"v":1,"generation":7,"shards":2,"vips":[{"ip":"192.168.1.200","nodes":["node-1"]}]}"#).unwrap()
    }

    #[test]
    fn parts_of_one_generation_are_one_plan() {
        let mut plan = main_part();
        join(&mut plan, 1, Some(PART)).unwrap();
        assert_eq!(plan.vips.len(), 2);
        assert_eq!(plan.generation, 7);
    }

    #[test]
    fn a_part_that_is_missing_or_of_another_generation_has_the_plan_refused() {
        assert!(matches!(join(&mut main_part(), 1, None), Err(ShardsError::Missing(1))));
        let other = PART.replace("\"generation\":7", "\"generation\":8");
        let refused = join(&mut main_part(), 1, Some(&other));
        assert!(matches!(refused, Err(ShardsError::OtherGeneration { shard: 1, found: 8, wanted: 7 })));
        assert!(matches!(join(&mut main_part(), 1, Some("{")), Err(ShardsError::Plan(_))));
    }

    #[test]
    fn a_plan_that_names_no_parts_is_whole() {
        let Sharding { shards } = serde_json::from_str(r#"{"v":1}"#).unwrap();
        assert_eq!(shards, 1);
    }

    #[test]
    fn no_two_nodes_or_parts_share_a_name() {
        assert_eq!(lease::shard_name("node-1", 2), "announcer.2.node-1");
    }
}
