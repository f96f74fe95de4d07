//! Dishonest training that more than one family of tests forges proofs of.

use gradproof_circuits::network::arithmetic::{SoftmaxRow, round_shift, softmax_row};
use gradproof_circuits::relations::Subject;
use gradproof_prover::witness::Witness;

use crate::forge::{count, fixture};
use crate::reference::{At, Cheat, Task};

/// The witness of a cheat, with its multiplicities.
pub fn cheated(task: &Task, cheat: &dyn Cheat) -> Witness {
    counted(task.train(cheat))
}

/// The witness with its multiplicities.
pub fn counted(mut witness: Witness) -> Witness {
    count(&mut witness, &fixture().key.relations(Subject::Segment).tree);
    witness
}

/// Rounds down a live entry where it should be rounded as it is, the remainder one unit above its range.
pub struct WrongRounding {
    /// In the backward pass.
    pub backward: bool,
    /// With the remainder that keeps the product, or the honest one.
    pub keep_product: bool,
}

impl WrongRounding {
    fn round(&self, at: At, product: i64, bits: u32) -> (i64, i64) {
        let (quotient, remainder) = round_shift(product, bits);
        // Rows 0 and 1 have equal inputs: two entries with one wrong value.
        if (at.layer, at.step, at.column) != (1, 0, 0) || at.row > 1 {
            return (quotient, remainder);
        }
        (quotient - 1, if self.keep_product { remainder + (1 << bits) } else { remainder })
    }
}

impl Cheat for WrongRounding {
    fn forward(&self, at: At, product: i64, bits: u32) -> (i64, i64) {
        if self.backward { round_shift(product, bits) } else { self.round(at, product, bits) }
    }
    fn backward(&self, at: At, product: i64, bits: u32) -> (i64, i64) {
        if self.backward { self.round(at, product, bits) } else { round_shift(product, bits) }
    }
}

/// Learns at another rate in some layer and steps.
pub struct Rate(pub fn(layer: usize, step: usize) -> i64);

impl Cheat for Rate {
    fn rate(&self, layer: usize, step: usize, _: i64) -> i64 {
        self.0(layer, step)
    }
}

/// Another softmax in the first row of a step.
pub struct Softmax(pub fn(&mut SoftmaxRow, logits: &[i16], table: &[u16], gradient_bits: u32));

impl Cheat for Softmax {
    fn softmax(&self, at: At, logits: &[i16], table: &[u16], gradient_bits: u32) -> SoftmaxRow {
        let mut row = softmax_row(logits, table, gradient_bits);
        if at.row == 0 {
            self.0(&mut row, logits, table, gradient_bits);
        }
        row
    }
}
