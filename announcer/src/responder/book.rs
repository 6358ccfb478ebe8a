//! The plan in force, with names turned into numbers and what thousands of addresses share kept once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::plan::{Plan, Vip};
use crate::wire::hello::NodeId;

/// One address of the plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    /// Candidates in order.
    pub nodes: Arc<[NodeId]>,
    /// This node's place among them.
    pub rank: Option<u8>,
    interfaces: Option<Arc<[String]>>,
    /// The operator has it moved to this node, which is to take over whenever it comes to know that.
    pub is_moving_here: bool,
}

impl Entry {
    /// Whether it is to be answered on an interface of this name.
    pub fn is_wanted_on(&self, name: &str) -> bool {
        self.interfaces.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// Whether the plan names interfaces.
    pub const fn names_interfaces(&self) -> bool {
        self.interfaces.is_some()
    }

    /// Gives the candidates before this node.
    pub fn above(&self) -> &[NodeId] {
        self.nodes.get(..self.rank.map_or(0, usize::from)).unwrap_or_default()
    }
}

/// A plan.
#[derive(Debug)]
pub(super) struct Book {
    pub generation: u64,
    pub entries: BTreeMap<IpAddr, Entry>,
}

/// What a plan changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Addresses whose entries are new, gone or different.
    pub touched: BTreeSet<IpAddr>,
    /// Those of them which this node has moved up for, by the will of the operator.
    pub promoted: BTreeSet<IpAddr>,
}

impl Book {
    pub fn new(plan: &Plan, own: NodeId) -> Self {
        let mut lists = BTreeMap::<&[String], Arc<[NodeId]>>::new();
        let mut names = BTreeMap::<&[String], Arc<[String]>>::new();
        let mut entries = BTreeMap::new();
        for Vip { ip, nodes, interfaces, moving } in &plan.vips {
            let ids = || nodes.iter().map(|node| NodeId::of(node)).collect();
            let nodes = Arc::clone(lists.entry(nodes).or_insert_with(ids));
            let shared = |wanted| Arc::clone(names.entry(wanted).or_insert_with(|| wanted.into()));
            let interfaces = interfaces.as_deref().map(shared);
            let rank = nodes.iter().position(|id| *id == own).and_then(|rank| u8::try_from(rank).ok());
            let is_moving_here = *moving && rank == Some(0);
            entries.insert(*ip, Entry { nodes, rank, interfaces, is_moving_here });
        }
        Self { generation: plan.generation, entries }
    }

    /// Gives what is different from the plan before. The first plan promotes nobody: it tells a node that has just
    /// started where it stands, not that it is to take over.
    pub fn changes(&self, before: Option<&Self>) -> Changes {
        let mut changes = Changes::default();
        for (&ip, entry) in &self.entries {
            let old = before.and_then(|book| book.entries.get(&ip));
            if old == Some(entry) {
                continue;
            }
            changes.touched.insert(ip);
            let has_risen = match (entry.rank, old.and_then(|old| old.rank)) {
                (Some(_), None) => true,
                (Some(rank), Some(old)) => rank < old,
                (None, _) => false,
            };
            if before.is_some() && has_risen {
                changes.promoted.insert(ip);
            }
        }
        let gone = before.into_iter().flat_map(|book| book.entries.keys());
        changes.touched.extend(gone.filter(|ip| !self.entries.contains_key(ip)));
        changes
    }
}
