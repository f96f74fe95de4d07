//! `eq · m · V` for bits `m` and integers `V`: the relation that most of the entries of a proof are in.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use gradproof_circuits::program::Tensor;
use rayon::prelude::*;

use crate::kernels::dot::{Accumulator, WideAccumulator};
use crate::kernels::eq::EqPrefixes;
use crate::kernels::tables::bound;
use crate::witness::{Witness, WitnessError};

/// Entries made by one task.
const CHUNK: usize = 1 << 11;

/// The two factors: integers before the first challenge, field elements after it.
enum Factors<'a> {
    Integers(&'a [i32], &'a [i64]),
    Bound(Vec<Fr>, Vec<Fr>),
}

/// The sum of one relation.
pub struct MaskedSum<'a> {
    factors: Factors<'a>,
    weight: Fr,
    eq: EqPrefixes,
    vars: usize,
}

/// Adds `w·v`, for a `v` of at most 100 bits: a difference of two products has one more bit than they have.
#[inline]
fn add_exactly(sum: &mut Accumulator, w: &Fr, v: i128) {
    const LOW_BITS: u32 = 40;
    match i64::try_from(v) {
        Ok(v) => sum.add_wide(w, v),
        Err(_) => {
            sum.add_wide(w, (v & ((1 << LOW_BITS) - 1)) as i64);
            sum.add_wide(&(*w * Fr::from(1u64 << LOW_BITS)), (v >> LOW_BITS) as i64);
        }
    }
}

impl<'a> MaskedSum<'a> {
    /// The sum of `mask·product`, weighted, at the part of the point that they have variables for.
    ///
    /// # Errors
    /// The witness lacks one of them.
    pub fn new(
        witness: &'a Witness,
        mask: Tensor,
        product: Tensor,
        weight: Fr,
        point: &[Fr],
    ) -> Result<Self, WitnessError> {
        let factors = Factors::Integers(witness.small(mask)?, witness.wide(product)?);
        Ok(Self { factors, weight, eq: EqPrefixes::new(point), vars: point.len() })
    }

    /// Sums of `eq · q(0)` and `eq · (leading coefficient of q)`; the value alone when all variables are bound.
    pub fn sums(&self) -> [Fr; 2] {
        if self.vars == 0 {
            let [m, v] = self.values();
            return [self.weight * m * v, Fr::zero()];
        }
        let eq = self.eq.first(self.vars - 1);
        let inner = eq.inner.len();
        let sum = eq
            .outer
            .par_iter()
            .enumerate()
            .with_min_len((CHUNK / inner).max(1))
            .map(|(block, outer)| {
                let pairs = (block * inner..).zip(eq.inner);
                let sums = match &self.factors {
                    Factors::Integers(m, v) => {
                        let mut sums = [Accumulator::default(); 2];
                        for (j, e) in pairs {
                            let [m0, m1] = [2 * j, 2 * j + 1].map(|i| i128::from(m[i]));
                            let [v0, v1] = [2 * j, 2 * j + 1].map(|i| i128::from(v[i]));
                            add_exactly(&mut sums[0], e, m0 * v0);
                            add_exactly(&mut sums[1], e, (m1 - m0) * (v1 - v0));
                        }
                        sums.map(Accumulator::finish)
                    }
                    Factors::Bound(m, v) => {
                        let mut sums = [WideAccumulator::default(); 2];
                        for (j, e) in pairs {
                            sums[0].add_product(e, &(m[2 * j] * v[2 * j]));
                            sums[1].add_product(e, &((m[2 * j + 1] - m[2 * j]) * (v[2 * j + 1] - v[2 * j])));
                        }
                        sums.map(WideAccumulator::finish)
                    }
                };
                sums.map(|sum| *outer * sum)
            })
            .reduce(|| [Fr::zero(); 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        sum.map(|sum| self.weight * sum)
    }

    /// Binds the lowest variable that is left, if any is.
    pub fn bind(&mut self, r: Fr) {
        if self.vars == 0 {
            return;
        }
        self.vars -= 1;
        self.factors = match &self.factors {
            Factors::Bound(m, v) => Factors::Bound(bound(m, r), bound(v, r)),
            Factors::Integers(m, v) => {
                let line = |low: i64, high: i64| {
                    let mut sum = Accumulator::default();
                    sum.add_wide(&Fr::one(), low);
                    add_exactly(&mut sum, &r, i128::from(high) - i128::from(low));
                    sum.finish()
                };
                // Two bits have four lines through them.
                let lines = [[Fr::zero(), r], [Fr::one() - r, Fr::one()]];
                let pairs = || (0..m.len() / 2).into_par_iter().with_min_len(CHUNK);
                let bit = |i: usize| match (m[2 * i], m[2 * i + 1]) {
                    (low @ 0..=1, high @ 0..=1) => lines[low as usize][high as usize],
                    (low, high) => line(i64::from(low), i64::from(high)),
                };
                Factors::Bound(pairs().map(bit).collect(), pairs().map(|i| line(v[2 * i], v[2 * i + 1])).collect())
            }
        };
    }

    /// `m` and `V` when all variables are bound.
    pub fn values(&self) -> [Fr; 2] {
        match &self.factors {
            Factors::Integers(m, v) => {
                [m.first().map_or(Fr::zero(), |&m| Fr::from(m)), v.first().map_or(Fr::zero(), |&v| Fr::from(v))]
            }
            Factors::Bound(m, v) => [m, v].map(|table| table.first().copied().unwrap_or_default()),
        }
    }
}
