//! What stands in the Lease: pure, from and to the API's own type.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;

use crate::plan::PLAN_ANNOTATION;
use crate::status::{STATUS_ANNOTATION, Status};

/// Owner of the fields that this program writes.
pub(super) const FIELD_MANAGER: &str = "berth-announcer";

/// How long a holder counts as alive after it renewed.
const DURATION_SECONDS: i32 = 40;

/// Gives the plan's text, when the operator has written one.
pub(super) fn plan(lease: &Lease) -> Option<&str> {
    lease.metadata.annotations.as_ref()?.get(PLAN_ANNOTATION).map(String::as_str)
}

/// Gives the name of a further Lease that holds a part of a node's plan. The main one begins `announcer-`, and the part's
/// number ends at the first dot after the first, so that no two nodes or parts share a name.
pub(super) fn shard_name(node: &str, shard: u64) -> String {
    format!("announcer.{shard}.{node}")
}

/// What this program writes about itself: always all of its fields, since what a server-side apply leaves out is
/// removed.
#[derive(Debug)]
pub(super) struct Signs {
    /// The Lease's name.
    pub name: String,
    /// The node's name.
    pub node: String,
    holder: String,
    acquired: Timestamp,
}

impl Signs {
    /// Gives the signs of a pod on a node that began at this time.
    pub fn new(node: &str, holder: String, acquired: Timestamp) -> Self {
        Self { name: format!("announcer-{node}"), node: node.to_owned(), holder, acquired }
    }

    /// Whether this pod is the one that the Lease names.
    pub fn is_holder(&self, lease: &Lease) -> bool {
        lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_ref()) == Some(&self.holder)
    }

    /// Gives what a living announcer writes.
    pub fn of_life(&self, status: Option<&Status>, now: Timestamp) -> Lease {
        self.lease(status, now, Some(self.holder.clone()))
    }

    /// Gives what a leaving announcer writes: the same, with nobody's name on it.
    pub fn of_leaving(&self, status: Option<&Status>, now: Timestamp) -> Lease {
        self.lease(status, now, None)
    }

    fn lease(&self, status: Option<&Status>, now: Timestamp, holder_identity: Option<String>) -> Lease {
        let annotations = status.map(Status::write).map(|text| BTreeMap::from([(STATUS_ANNOTATION.to_owned(), text)]));
        Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), annotations, ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                holder_identity,
                lease_duration_seconds: Some(DURATION_SECONDS),
                acquire_time: Some(MicroTime(self.acquired)),
                renew_time: Some(MicroTime(now)),
                ..LeaseSpec::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs() -> Signs {
        Signs::new("node-1", "announcer-abcde".to_owned(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_living_announcer_writes_its_own_fields_and_no_others() {
        let lease = signs().of_life(Some(&Status::new(7)), Timestamp::from_second(1_800_000_000).unwrap());
        let expected = serde_json::json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "announcer-node-1",
                "annotations": {"berth.dev/status": r#"{"v":1,"generation":7,"answering":[],"silent":[]}"#},
            },
            "spec": {
                "holderIdentity": "announcer-abcde",
                "leaseDurationSeconds": 40,
                "acquireTime": "1970-01-01T00:00:00.000000Z",
                "renewTime": "2027-01-15T08:00:00.000000Z",
            },
        });
        assert_eq!(serde_json::to_value(lease).unwrap(), expected);
    }

    #[test]
    fn before_there_is_a_plan_there_is_no_status() {
        assert_eq!(signs().of_life(None, Timestamp::UNIX_EPOCH).metadata.annotations, None);
    }

    #[test]
    fn a_leaving_announcer_takes_its_name_off() {
        let (living, left) =
            (signs().of_life(None, Timestamp::UNIX_EPOCH), signs().of_leaving(None, Timestamp::UNIX_EPOCH));
        assert!(signs().is_holder(&living));
        assert!(!signs().is_holder(&left) && !signs().is_holder(&Lease::default()));
        assert_eq!(left.spec.unwrap().holder_identity, None);
    }

    #[test]
    fn the_plan_is_found_in_its_annotation() {
        let mut lease = Lease::default();
        assert_eq!(plan(&lease), None);
        lease.metadata.annotations = Some(BTreeMap::from([("berth.dev/plan".to_owned(), "{}".to_owned())]));
        assert_eq!(plan(&lease), Some("{}"));
    }
}
