//! Whether a plan kept on the disk is still this cluster's: pure.
//!
//! A Lease that is deleted and made anew has another uid. So has that of a cluster which was set up anew, or has Berth
//! anew, with nodes of the same names: what was planned before is no longer to be answered there.

use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::watcher::Event;

/// What the API server shows of this node's Lease.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) enum Shown {
    /// Nothing yet.
    #[default]
    Nothing,
    /// That there is none.
    Missing,
    /// That there is one, of this uid.
    Lease(String),
}

impl Shown {
    /// Takes in a change; whether the Lease is another one now.
    pub fn take_in(&mut self, change: &Event<Lease>) -> bool {
        let now = match change {
            Event::Apply(lease) | Event::InitApply(lease) => {
                lease.metadata.uid.clone().map_or(Self::Nothing, Self::Lease)
            }
            // None was shown since the list began.
            Event::InitDone if *self == Self::Nothing => Self::Missing,
            Event::InitDone | Event::Init => return false,
            Event::Delete(_) => Self::Missing,
        };
        let is_another = *self != now;
        *self = now;
        is_another
    }

    /// Whether a plan that was kept from a Lease of this uid, as far as that is known, is another Lease's.
    pub fn disowns(&self, kept: Option<&str>) -> bool {
        match (self, kept) {
            (Self::Nothing, _) | (_, None) => false,
            (Self::Missing, Some(_)) => true,
            (Self::Lease(uid), Some(kept)) => uid != kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(uid: &str) -> Lease {
        let mut lease = Lease::default();
        lease.metadata.uid = Some(uid.to_owned());
        lease
    }

    #[test]
    fn a_plan_is_disowned_by_another_lease_and_by_none_but_not_before_either_is_shown() {
        let mut shown = Shown::default();
        for (change, is_disowned) in [
            (Event::Init, false),
            (Event::InitApply(lease("a")), false),
            (Event::InitDone, false),
            (Event::Apply(lease("a")), false),
            (Event::Delete(lease("a")), true),
            (Event::Apply(lease("b")), true),
        ] {
            shown.take_in(&change);
            assert_eq!(shown.disowns(Some("a")), is_disowned, "{change:?}");
            assert!(!shown.disowns(None), "{change:?}");
        }
        let mut shown = Shown::default();
        shown.take_in(&Event::Init);
        assert!(!shown.disowns(Some("a")));
        shown.take_in(&Event::InitDone);
        assert!(shown.disowns(Some("a")));
    }

    #[test]
    fn a_lease_that_was_made_anew_is_another_one() {
        let mut shown = Shown::default();
        let changes = [Event::InitApply(lease("a")), Event::Apply(lease("a")), Event::Apply(lease("b"))];
        assert_eq!(changes.map(|change| shown.take_in(&change)), [true, false, true]);
    }
}
