//! One layer of the tree of fractions, four nodes at a time.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use rayon::prelude::*;

use super::leaves::Leaves;
use crate::kernels::packed::{Packed, Unsettled};

/// Groups made by one task.
const CHUNK: usize = 1 << 9;

/// Numerators and denominators of four nodes.
pub type Fractions = [Packed; 2];

/// The nodes of one layer; past the stored ones stand fractions `0 / 1`.
pub struct Layer {
    /// The leading nodes, whose numerators are one.
    pub ones: Leaves,
    /// The nodes after them.
    pub rest: Vec<Fractions>,
}

impl Layer {
    /// Number of stored groups.
    pub fn groups(&self) -> usize {
        self.ones.groups() + self.rest.len()
    }

    /// Group `g`.
    #[inline]
    pub fn group(&self, g: usize) -> Fractions {
        if g < self.ones.groups() {
            return [Packed::splat(Fr::one()), self.ones.group(g)];
        }
        let padding = || [Packed::splat(Fr::zero()), Packed::splat(Fr::one())];
        self.rest.get(g - self.ones.groups()).copied().unwrap_or_else(padding)
    }

    /// Left and right children of four nodes of the layer above: numerators and denominators.
    #[inline]
    pub fn children(&self, g: usize) -> (Fractions, Fractions) {
        let ([n0, d0], [n1, d1]) = (self.group(2 * g), self.group(2 * g + 1));
        let ((n0, n1), (d0, d1)) = (Packed::deinterleave(n0, n1), Packed::deinterleave(d0, d1));
        ([n0, d0], [n1, d1])
    }

    /// The layer above: sums of neighbouring fractions.
    pub fn parents(&self) -> Self {
        let whole = self.ones.groups() / 2;
        let nodes = (0..self.groups().div_ceil(2))
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|g| {
                if g < whole {
                    let (left, right) = Packed::deinterleave(self.ones.group(2 * g), self.ones.group(2 * g + 1));
                    let [product] = Unsettled::of([left.into()], [right.into()]);
                    return [left.plus(right), product.reduced()];
                }
                let (left, right) = self.children(g);
                Unsettled::fraction(left, right).map(Unsettled::reduced)
            })
            .collect();
        Self { ones: Leaves::default(), rest: nodes }
    }
}
