//! The protocol under a deterministic simulator: real responders, one or two simulated segments, faults from a seed.
//!
//! `SIM_SEED=n` replays one run with its trace, `SIM_RUNS=n` makes that many runs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "sim/node.rs"]
mod node;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/rules.rs"]
mod rules;
#[path = "sim/run.rs"]
mod run;
#[path = "sim/schedule.rs"]
mod schedule;
#[path = "sim/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use node::Sabotage;
use run::{Run, Theme};

/// How many runs are made of each theme unless the environment says something else.
const RUNS: u64 = 700;

/// The same for dozens of nodes.
const CROWDS: u64 = 8;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Gives what the run breaks, if anything.
fn fails(seed: u64, theme: Theme, sabotage: Sabotage, is_traced: bool) -> Option<String> {
    let run = catch_unwind(AssertUnwindSafe(|| Run::new(seed, theme, sabotage, is_traced).play()));
    match run {
        Ok(outcome) => outcome.err(),
        Err(panic) => Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "panic".to_owned())),
    }
}

fn check(theme: Theme) {
    if let Some(seed) = number("SIM_SEED") {
        if let Some(failure) = fails(seed, theme, Sabotage::None, true) {
            panic!("{failure}");
        }
        return;
    }
    let (next, end) =
        (AtomicU64::new(0), number("SIM_RUNS").unwrap_or(if theme == Theme::Crowds { CROWDS } else { RUNS }));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return None;
            }
            if fails(seed, theme, Sabotage::None, false).is_some() {
                next.store(end, Ordering::Relaxed);
                return Some(seed);
            }
        }
    };
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).min()
    });
    if let Some(seed) = failed {
        let failure = fails(seed, theme, Sabotage::None, true).unwrap();
        panic!("{failure}\nreplay with SIM_SEED={seed} cargo test --test sim");
    }
}

#[test]
fn crashes() {
    check(Theme::Crashes);
}

#[test]
fn handovers() {
    check(Theme::Handovers);
}

#[test]
fn chaos() {
    check(Theme::Chaos);
}

#[test]
fn crowds() {
    check(Theme::Crowds);
}

/// A simulator that cannot fail shows nothing: each way to break the responder is found within a few runs.
#[test]
fn each_sabotage_is_found() {
    for (theme, sabotage) in [
        (Theme::Chaos, Sabotage::FrozenClock),
        (Theme::Crashes, Sabotage::IgnoresHellos),
        (Theme::Crashes, Sabotage::OneForAll),
        (Theme::Chaos, Sabotage::Everywhere),
        (Theme::Handovers, Sabotage::RudeStop),
        (Theme::Crashes, Sabotage::SlowToBury),
    ] {
        let found = (0..60).find(|&seed| fails(seed, theme, sabotage, false).is_some());
        assert!(found.is_some(), "{sabotage:?}");
    }
}
