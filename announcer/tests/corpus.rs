//! Replays the committed fuzz corpus, and random bytes, through the checks of the fuzz targets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../fuzz/checks.rs"]
mod checks;

use proptest::prelude::*;

/// Gives the number of cases that passed.
fn replay(target: &str, check: fn(&[u8])) -> usize {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let cases = std::fs::read_dir(folder).unwrap();
    cases.map(|case| check(&std::fs::read(case.unwrap().path()).unwrap())).count()
}

#[test]
fn the_wire_corpus_passes() {
    assert!(replay("wire", checks::wire) > 0);
}

#[test]
fn the_responder_corpus_passes() {
    assert!(replay("responder", checks::responder) > 0);
}

proptest! {
    #[test]
    fn random_bytes_pass_the_wire_checks(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        checks::wire(&bytes);
    }

    #[test]
    fn random_events_pass_the_responder_checks(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        checks::responder(&bytes);
    }
}

/// An interface that comes up, a plan with an address of each kind, and the time of listening.
const ANSWERING: [u8; 22] = [1, 1, 0, 7, 2, 0, 0, 2, 0, 3, 0x80, 4, 3, 0x80, 6, 50, 6, 50, 6, 10, 6, 10];

proptest! {
    #[test]
    fn random_events_pass_the_checks_of_a_node_that_answers(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        checks::responder(&[&ANSWERING[..], &bytes].concat());
    }
}
