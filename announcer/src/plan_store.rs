//! The last plan on the node's disk, so that a node can start without an API server.
//!
//! One file: a line of JSON about the plan, then the plan's own text. It is written beside the old one and moved into its
//! place. A file that is torn, of another node or of another version is left alone and not used.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::plan::{Plan, PlanError};

/// Name of the file in the folder.
const NAME: &str = "plan";

/// The version of the file that this program reads and writes.
const VERSION: u64 = 1;

/// Why there is no last plan, or none was kept; the program goes on without.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file or the folder cannot be read or written.
    #[error("last plan cannot be read or written")]
    Io(#[from] io::Error),
    /// The file has no first line as this program writes it.
    #[error("last plan has no readable head; it is not used")]
    Head(#[source] Option<serde_json::Error>),
    /// The file was written by another version.
    #[error("last plan's file has version {0}, not {VERSION}; it is not used")]
    UnknownVersion(u64),
    /// The file is of another node: the disk came from elsewhere, or the node has a new name.
    #[error("last plan is for node {0:?}; it is not used")]
    OtherNode(String),
    /// The file is not whole.
    #[error("last plan is not whole, its checksum differs; it is not used")]
    Torn,
    /// The file is whole and holds no plan.
    #[error("last plan is not used")]
    Plan(#[from] PlanError),
}

#[derive(Deserialize, Serialize)]
struct Head {
    v: u64,
    node: String,
    saved_unix_seconds: u64,
    /// Not in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_uid: Option<String>,
    sha256: String,
}

/// A plan as it was kept.
#[derive(Debug)]
pub struct Kept {
    /// The plan.
    pub plan: Plan,
    /// How old it is by the machine's calendar, for people to see; nothing is decided by it.
    pub age: Duration,
    /// The uid of the Lease that it came from, if that is known.
    pub lease_uid: Option<String>,
}

/// The folder where one node keeps its plan.
#[derive(Clone, Debug)]
pub struct PlanStore {
    folder: PathBuf,
    node: String,
}

impl PlanStore {
    /// Gives the store in this folder for this node.
    #[must_use]
    pub const fn new(folder: PathBuf, node: String) -> Self {
        Self { folder, node }
    }

    /// Gives the plan that was kept last, or nothing when none ever was.
    ///
    /// # Errors
    /// Any [`StoreError`]; the file is left as it is.
    pub fn load(&self) -> Result<Option<Kept>, StoreError> {
        let bytes = match std::fs::read(self.folder.join(NAME)) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(StoreError::Head(None))?;
        let (head, body) = bytes.split_at_checked(end + 1).ok_or(StoreError::Torn)?;
        let head: Head = serde_json::from_slice(head).map_err(|err| StoreError::Head(Some(err)))?;
        if head.v != VERSION {
            return Err(StoreError::UnknownVersion(head.v));
        }
        if head.node != self.node {
            return Err(StoreError::OtherNode(head.node));
        }
        if head.sha256 != checksum(body) {
            return Err(StoreError::Torn);
        }
        let plan = Plan::read(std::str::from_utf8(body).map_err(|_| StoreError::Torn)?)?;
        let age = Duration::from_secs(unix_seconds().saturating_sub(head.saved_unix_seconds));
        Ok(Some(Kept { plan, age, lease_uid: head.lease_uid }))
    }

    /// Keeps a plan's text, and the uid of the Lease that it came from: afterwards the file holds either this one or the one
    /// before, whatever happens meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Io`]
    pub fn save(&self, body: &str, lease_uid: Option<&str>) -> Result<(), StoreError> {
        let head = Head {
            v: VERSION,
            node: self.node.clone(),
            saved_unix_seconds: unix_seconds(),
            lease_uid: lease_uid.map(str::to_owned),
            sha256: checksum(body.as_bytes()),
        };
        let head = serde_json::to_string(&head).map_err(io::Error::from)?;
        let (path, next) = (self.folder.join(NAME), self.folder.join("plan.next"));
        let mut file = File::create(&next)?;
        file.write_all(format!("{head}\n").as_bytes())?;
        file.write_all(body.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&next, &path)?;
        // The new name itself is only on the disk once the folder is.
        sync(&self.folder)?;
        Ok(())
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn checksum(body: &[u8]) -> String {
    digest(&SHA256, body).as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UID: &str = "7c1d2a5e-6f0b-4c0e-9d53-0a4c8f6b1e2d";

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("berth-store-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn store(&self, node: &str) -> PlanStore {
            PlanStore::new(self.0.clone(), node.to_owned())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn plan() -> Plan {
        let text = r#"{"v":1,"generation":7,"vips":[{"ip":"192.168.1.200","nodes":["node-1"],"interfaces":["lan0"]},
            {"ip":"fd00::1","nodes":["node-1","node-2"]}]}"#;
        Plan::read(text).unwrap()
    }

    #[test]
    fn what_was_kept_comes_back() {
        let folder = Folder::new("back");
        assert!(folder.store("node-1").load().unwrap().is_none());
        folder.store("node-1").save(&plan().write(), Some(UID)).unwrap();
        let kept = folder.store("node-1").load().unwrap().unwrap();
        assert_eq!(kept.plan, plan());
        assert_eq!(kept.lease_uid.as_deref(), Some(UID));
        assert!(kept.age < Duration::from_mins(1));
    }

    #[test]
    fn a_file_from_before_leases_were_told_apart_is_read() {
        let folder = Folder::new("before");
        let body = plan().write();
        let sum = checksum(body.as_bytes());
        let head = format!(r#"{{"v":1,"node":"node-1","saved_unix_seconds":1,"sha256":"{sum}"}}"#);
        std::fs::write(folder.0.join(NAME), format!("{head}\n{body}")).unwrap();
        let kept = folder.store("node-1").load().unwrap().unwrap();
        assert_eq!((kept.plan, kept.lease_uid), (plan(), None));
    }

    #[test]
    fn another_nodes_plan_is_refused() {
        let folder = Folder::new("other");
        folder.store("node-2").save(&plan().write(), Some(UID)).unwrap();
        assert!(matches!(folder.store("node-1").load(), Err(StoreError::OtherNode(node)) if node == "node-2"));
    }

    #[test]
    fn another_versions_file_is_refused() {
        let folder = Folder::new("version");
        let head = r#"{"v":2,"node":"node-1","saved_unix_seconds":0,"sha256":""}"#;
        std::fs::write(folder.0.join(NAME), format!("{head}\n")).unwrap();
        assert!(matches!(folder.store("node-1").load(), Err(StoreError::UnknownVersion(2))));
    }

    #[test]
    fn a_plan_that_cannot_be_kept_leaves_the_one_before() {
        let folder = Folder::new("full");
        folder.store("node-1").save(&plan().write(), Some(UID)).unwrap();
        std::fs::create_dir(folder.0.join("plan.next")).unwrap();
        assert!(matches!(folder.store("node-1").save(&Plan::default().write(), None), Err(StoreError::Io(_))));
        assert_eq!(folder.store("node-1").load().unwrap().unwrap().plan, plan());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_file_that_is_cut_or_changed_anywhere_is_refused(at: prop::sample::Index, is_cut: bool, flip in 1_u8..) {
            let folder = Folder::new("torn");
            folder.store("node-1").save(&plan().write(), Some(UID)).unwrap();
            let path = folder.0.join(NAME);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            // The date and the Lease's uid are not covered. The one decides nothing, another Lease's plan is not used.
            let place = |field: &[u8]| bytes.windows(field.len()).position(|window| window == field).unwrap();
            let (date, rest) = (place(b"saved_unix_seconds"), place(b"sha256"));
            prop_assume!(is_cut || !(date..rest - 2).contains(&at));
            if is_cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            std::fs::write(&path, &bytes).unwrap();
            prop_assert!(folder.store("node-1").load().is_err());
        }
    }
}
