//! Puts a program together from its end to its beginning, so that every jump knows how far it goes.

use super::Instruction;

/// Operation codes of classic BPF (`linux/bpf_common.h`).
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_CONSTANT: u16 = 0x00;
const LOAD_SCRATCH: u16 = 0x60;
const STORE_SCRATCH: u16 = 0x02;
const INDEX_FROM_ACCUMULATOR: u16 = 0x07;
const AND_CONSTANT: u16 = 0x54;
const SHIFT_RIGHT_CONSTANT: u16 = 0x74;
const SHIFT_RIGHT_INDEX: u16 = 0x7c;
const EXCLUSIVE_OR_INDEX: u16 = 0xac;
const NEGATE: u16 = 0x84;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_NOT_LESS: u16 = 0x35;
const RETURN_CONSTANT: u16 = 0x06;
const RETURN_ACCUMULATOR: u16 = 0x16;

/// Bytes kept of a frame that passes: all of them.
const WHOLE: u32 = u32::MAX;

/// How near a verdict must be to be used again; a jump reaches 255 instructions, and more may come in between.
const NEAR: usize = 200;

/// An instruction that others can go on with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Label(usize);

/// A program that grows at its beginning.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// The last instruction first.
    reversed: Vec<Instruction>,
    rejected: Option<Label>,
    accepted: Option<Label>,
}

impl Assembler {
    /// Gives an empty program.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the program, which begins with what was added last.
    pub fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }

    /// Gives the verdict that the frame does not pass.
    pub fn rejected(&mut self) -> Label {
        let label = self.near(self.rejected).unwrap_or_else(|| self.push(RETURN_CONSTANT, 0));
        self.rejected = Some(label);
        label
    }

    /// Gives the verdict that the frame passes.
    pub fn accepted(&mut self) -> Label {
        let label = self.near(self.accepted).unwrap_or_else(|| self.push(RETURN_CONSTANT, WHOLE));
        self.accepted = Some(label);
        label
    }

    /// Gives the verdict that the frame passes when the accumulator's bit is set whose number is in the index.
    pub fn bit(&mut self) -> Label {
        self.push(RETURN_ACCUMULATOR, 0);
        // 1 becomes all ones, which is to say the whole frame.
        self.push(NEGATE, 0);
        self.push(AND_CONSTANT, 1);
        self.push(SHIFT_RIGHT_INDEX, 0)
    }

    /// Loads a word of the frame into the accumulator.
    pub fn load_word(&mut self, offset: u32, next: Label) -> Label {
        self.then(LOAD_WORD, offset, next)
    }

    /// Loads half a word of the frame into the accumulator.
    pub fn load_half(&mut self, offset: u32, next: Label) -> Label {
        self.then(LOAD_HALF, offset, next)
    }

    /// Loads a constant into the accumulator.
    pub fn load_constant(&mut self, value: u32, next: Label) -> Label {
        self.then(LOAD_CONSTANT, value, next)
    }

    /// Copies the accumulator into the index.
    pub fn index_from_accumulator(&mut self, next: Label) -> Label {
        self.then(INDEX_FROM_ACCUMULATOR, 0, next)
    }

    /// Combines the accumulator with the index.
    pub fn exclusive_or_index(&mut self, next: Label) -> Label {
        self.then(EXCLUSIVE_OR_INDEX, 0, next)
    }

    /// Takes the five bits of the accumulator that follow the lowest `shift` into the index; the accumulator stays.
    pub fn index_from_bits(&mut self, shift: u32, next: Label) -> Label {
        let next = self.then(LOAD_SCRATCH, 0, next);
        let next = self.then(INDEX_FROM_ACCUMULATOR, 0, next);
        let next = self.then(AND_CONSTANT, 31, next);
        let next = self.then(SHIFT_RIGHT_CONSTANT, shift, next);
        self.then(STORE_SCRATCH, 0, next)
    }

    /// Goes on here when the accumulator equals the value, and there when it does not.
    pub fn if_equal(&mut self, value: u32, here: Label, there: Label) -> Label {
        self.branch(JUMP_IF_EQUAL, value, here, there)
    }

    /// Goes on here when the accumulator is the value or greater, and there when it is less.
    pub fn if_not_less(&mut self, value: u32, here: Label, there: Label) -> Label {
        self.branch(JUMP_IF_NOT_LESS, value, here, there)
    }

    fn near(&self, label: Option<Label>) -> Option<Label> {
        label.filter(|label| self.distance(*label) < NEAR)
    }

    /// How many instructions an instruction added now would pass over to get there.
    fn distance(&self, label: Label) -> usize {
        self.reversed.len() - label.0 - 1
    }

    fn push(&mut self, code: u16, value: u32) -> Label {
        self.reversed.push(Instruction { code, if_true: 0, if_false: 0, value });
        Label(self.reversed.len() - 1)
    }

    /// Adds an instruction with `next` after it.
    fn then(&mut self, code: u16, value: u32, next: Label) -> Label {
        self.reachable(next, 0);
        self.push(code, value)
    }

    fn branch(&mut self, code: u16, value: u32, here: Label, there: Label) -> Label {
        // Making way to one moves the other away by one.
        let here = self.reachable(here, usize::from(u8::MAX) - 1);
        let there = self.reachable(there, usize::from(u8::MAX));
        let distance = |label| u8::try_from(self.distance(label)).unwrap_or(u8::MAX);
        let (if_true, if_false) = (distance(here), distance(there));
        self.reversed.push(Instruction { code, if_true, if_false, value });
        Label(self.reversed.len() - 1)
    }

    /// Gives a label from which it goes on at the same place, at most so far from the instruction added next.
    fn reachable(&mut self, label: Label, farthest: usize) -> Label {
        match self.distance(label) {
            distance if distance <= farthest => label,
            distance => self.push(JUMP, u32::try_from(distance).unwrap_or(u32::MAX)),
        }
    }
}
