//! A set of 32-bit keys as a decision tree over ranges, and over blocks of which a word says who is in it.

use super::assembler::{Assembler, Label};

/// The resolution at which a key is taken exactly.
pub(super) const FINEST: u32 = 0;

/// The coarsest resolution: one word has a bit for each 32nd of all keys.
pub(super) const LONGEST_SHIFT: u32 = 27;

/// Bits of a word, as a power of two.
const WORD_SHIFT: u32 = 5;

/// From how many ranges on a word says more cheaply which keys of a block are in the set.
const RANGES_PER_WORD: usize = 3;

/// What is known about all keys from one on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    Rejected,
    Accepted,
    /// A bit for each part of the block; the key's place in it is in the index.
    Word(u32),
}

/// A set of keys.
#[derive(Debug)]
pub(super) struct Keys {
    /// Sorted, each once.
    sorted: Vec<u32>,
}

impl Keys {
    /// Gives the set of these keys.
    pub fn new(keys: impl IntoIterator<Item = u32>) -> Self {
        let mut sorted: Vec<u32> = keys.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted }
    }

    /// Adds the decision whether the accumulator is in the set, give or take the lowest `shift` bits.
    pub fn assemble(&self, program: &mut Assembler, shift: u32) -> Label {
        let pieces = self.pieces(shift);
        let needs_index = pieces.iter().any(|(_, piece)| matches!(piece, Piece::Word(_)));
        let bit = needs_index.then(|| program.bit());
        let root = branch(program, &pieces, bit);
        if needs_index { program.index_from_bits(shift, root) } else { root }
    }

    /// Gives each first key of a piece with the piece, in order, starting at 0.
    fn pieces(&self, shift: u32) -> Vec<(u32, Piece)> {
        let mut pieces = vec![(0, Piece::Rejected)];
        let block_shift = shift + WORD_SHIFT;
        for block in self.sorted.chunk_by(|a, b| a.checked_shr(block_shift) == b.checked_shr(block_shift)) {
            let word = block.iter().fold(0_u32, |word, key| word | 1 << (key >> shift & 31));
            let Some(first) = block.first().map(|key| u64::from(*key) >> block_shift << block_shift) else { continue };
            let end = first + (1 << block_shift);
            if runs(word).count() >= RANGES_PER_WORD {
                push(&mut pieces, first, Piece::Word(word));
                push(&mut pieces, end, Piece::Rejected);
                continue;
            }
            for (from, to) in runs(word) {
                push(&mut pieces, first + (u64::from(from) << shift), Piece::Accepted);
                push(&mut pieces, first + (u64::from(to) << shift), Piece::Rejected);
            }
        }
        pieces
    }
}

/// Begins a piece, in place of one that has just begun there, and as part of the one before when that is alike. Nothing
/// begins after the last key.
fn push(pieces: &mut Vec<(u32, Piece)>, first: u64, piece: Piece) {
    let Ok(first) = u32::try_from(first) else { return };
    pieces.pop_if(|(last, _)| *last == first);
    if pieces.last().is_none_or(|(_, last)| *last != piece || matches!(piece, Piece::Word(_))) {
        pieces.push((first, piece));
    }
}

/// Gives the runs of set bits in a word, each as its first bit and the one after its last.
fn runs(word: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + word.checked_shr(from)?.trailing_zeros();
        let length = word.checked_shr(start)?.trailing_ones();
        from = start + length;
        Some((start, from))
    })
}

/// Adds the decision among pieces that lie side by side.
fn branch(program: &mut Assembler, pieces: &[(u32, Piece)], bit: Option<Label>) -> Label {
    let (lower, upper) = pieces.split_at(pieces.len() / 2);
    match (lower, upper) {
        ([], [(_, piece), ..]) => verdict(program, *piece, bit),
        (_, [(first, _), ..]) => {
            let there = branch(program, upper, bit);
            let here = branch(program, lower, bit);
            program.if_not_less(*first, there, here)
        }
        (_, []) => program.rejected(),
    }
}

fn verdict(program: &mut Assembler, piece: Piece, bit: Option<Label>) -> Label {
    match (piece, bit) {
        (Piece::Word(word), Some(bit)) => program.load_constant(word, bit),
        (Piece::Accepted | Piece::Word(_), _) => program.accepted(),
        (Piece::Rejected, _) => program.rejected(),
    }
}
