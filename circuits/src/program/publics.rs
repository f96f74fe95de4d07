//! The public numbers of a proof, and the live counts among them as bits.

use ark_bn254::Fr;

use crate::field::algebra::Algebra;

/// The public numbers of a proof that its relations use.
#[derive(Clone, Debug)]
pub struct Publics<E> {
    /// Digest of statement and commitments, high and low 128 bits.
    pub digest: [E; 2],
    /// Learning rate over batch, in units of `2^-k`.
    pub rate: E,
    /// Position in the epoch, bound through the digest and the leaves of the data.
    pub position: E,
    /// Live steps.
    pub live_steps: E,
    /// Rows of the last live step.
    pub live_rows: E,
}

/// The live counts as bits of `T' - 1` and `B' - 1`, most significant first.
#[derive(Clone, Debug)]
pub struct LiveBits<E> {
    pub(super) last_step: Vec<E>,
    pub(super) last_row: Vec<E>,
}

impl<E: Clone> LiveBits<E> {
    /// Decomposes the public counts, for so many variables of steps and rows.
    ///
    /// # Errors
    /// If a count is out of range.
    pub fn new<A: Algebra<Element = E>>(
        algebra: &mut A,
        [step_vars, row_vars]: [usize; 2],
        publics: &Publics<E>,
    ) -> Result<Self, A::Error> {
        let one = algebra.constant(Fr::from(1));
        let step = algebra.sub(&publics.live_steps, &one);
        let row = algebra.sub(&publics.live_rows, &one);
        Ok(Self { last_step: algebra.bits(&step, step_vars)?, last_row: algebra.bits(&row, row_vars)? })
    }
}
