//! The sumcheck of one layer of the tree.

use std::ops::Range;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use rayon::prelude::*;

use super::layer::{Layer, SumOfTwo};
use crate::dot::WideAccumulator;
use crate::eq::{EqPrefixes, SplitEq};
use crate::tables::linear_form;

/// Terms made by one task.
const CHUNK: usize = 1 << 10;

/// `a, b, d0, d1` of a term: see [`LayerSumcheck`].
type Term = [Fr; 4];
/// `d0 + λ, d1 + λ` of a term whose numerators are one.
type Short = [Fr; 2];

/// Sumcheck over `eq · (λ·(n0·d1 + n1·d0) + d0·d1)`, lowest variable first.
///
/// With `a = λ·n0 + d0` and `b = λ·n1` the fraction is `a·d1 + b·d0`. Where both numerators are one it is
/// `(d0 + λ)(d1 + λ) - λ²`, a single product. Terms past the stored ones are `0/1` fractions, whose value is one.
pub struct LayerSumcheck {
    weight: Fr,
    eq: EqPrefixes,
    vars: usize,
    terms: Terms,
}

/// The terms that are left: children as they are before the first challenge, then bound ones.
enum Terms {
    Children(Layer),
    Bound { short: Vec<Short>, rest: Vec<Term> },
}

/// A padded term: both fractions are `0 / 1`.
fn padding() -> Term {
    [Fr::one(), Fr::zero(), Fr::one(), Fr::one()]
}

/// `low + r·(high - low)`, part by part.
#[inline]
fn line<const N: usize>(low: &[Fr; N], high: &[Fr; N], r: Fr) -> [Fr; N] {
    std::array::from_fn(|i| low[i] + r * (high[i] - low[i]))
}

impl Terms {
    /// Number of leading terms in short form, and of all terms.
    fn len(&self) -> (usize, usize) {
        match self {
            Self::Children(layer) => (layer.ones.len() / 2, layer.len().div_ceil(2)),
            Self::Bound { short, rest } => (short.len(), short.len() + rest.len()),
        }
    }

    #[inline]
    fn short(&self, i: usize, weight: Fr) -> Short {
        match self {
            Self::Children(layer) => [layer.ones[2 * i] + weight, layer.ones[2 * i + 1] + weight],
            Self::Bound { short, .. } => short[i],
        }
    }

    #[inline]
    fn term(&self, i: usize, weight: Fr) -> Term {
        match self {
            Self::Children(layer) => {
                let ([n0, d0], [n1, d1]) = (layer.get(2 * i), layer.get(2 * i + 1));
                [weight * n0 + d0, weight * n1, d0, d1]
            }
            Self::Bound { short, rest } => match short.get(i) {
                Some([left, right]) => [*left, weight, *left - weight, *right - weight],
                None => rest.get(i - short.len()).copied().unwrap_or_else(padding),
            },
        }
    }

    /// The terms with their lowest variable bound to `r`, leading ones in short form as long as they pair up.
    fn bound(&self, r: Fr, weight: Fr) -> Self {
        let (ones, all) = self.len();
        let whole = if ones % 2 == 0 { ones / 2 } else { 0 };
        let short = (0..whole)
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|i| line(&self.short(2 * i, weight), &self.short(2 * i + 1, weight), r))
            .collect();
        let rest = (whole..all.div_ceil(2))
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|i| match self {
                // The weight is multiplied in after the binding, which leaves half as many terms.
                Self::Children(layer) => {
                    let [low0, low1, high0, high1] = std::array::from_fn(|k| layer.get(4 * i + k));
                    let ([n0, d0], [n1, d1]) = (line(&low0, &high0, r), line(&low1, &high1, r));
                    [weight * n0 + d0, weight * n1, d0, d1]
                }
                Self::Bound { .. } => line(&self.term(2 * i, weight), &self.term(2 * i + 1, weight), r),
            })
            .collect();
        Self::Bound { short, rest }
    }
}

impl LayerSumcheck {
    /// The sumcheck over the fractions of `children`, claimed at `point`, numerators weighted by λ.
    pub fn new(children: Layer, point: &[Fr], weight: Fr) -> Self {
        Self { weight, eq: EqPrefixes::new(point), vars: point.len(), terms: Terms::Children(children) }
    }

    /// One round.
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, w: Fr) -> Vec<Fr> {
        if let Some(r) = challenge {
            self.bind(r);
        }
        let eq = self.eq.first(self.vars - 1);
        let (ones, all) = self.terms.len();
        let short = if ones % 2 == 0 { ones / 2 } else { 0 };
        let sums = [self.sums(0..short, &eq, Self::short_pair), self.sums(short..all.div_ceil(2), &eq, Self::pair)];
        let [at_zero, leading] = [0, 1].map(|i| sums[0][i] + sums[1][i]);
        linear_form(claim, w, Fr::one() + at_zero, leading)
    }

    fn bind(&mut self, r: Fr) {
        self.terms = self.terms.bound(r, self.weight);
        self.vars -= 1;
    }

    /// Sums of `eq·(g(0) - 1)` and `eq·(leading coefficient of g)` over some pairs.
    fn sums(&self, pairs: Range<usize>, eq: &SplitEq<'_>, pair: impl Fn(&Self, usize) -> [Fr; 2] + Sync) -> [Fr; 2] {
        let inner = eq.inner.len();
        let blocks = pairs.start / inner..pairs.end.div_ceil(inner);
        blocks
            .into_par_iter()
            .with_min_len((CHUNK / 4 / inner).max(1))
            .map(|block| {
                let mut sums = [WideAccumulator::default(); 2];
                let range = (block * inner).max(pairs.start)..((block + 1) * inner).min(pairs.end);
                for (j, e) in range.clone().zip(&eq.inner[range.start - block * inner..]) {
                    for (sum, part) in sums.iter_mut().zip(pair(self, j)) {
                        sum.add_product(e, &part);
                    }
                }
                sums.map(|sum| eq.outer[block] * sum.finish())
            })
            .reduce(|| [Fr::zero(); 2], |a, b| [a[0] + b[0], a[1] + b[1]])
    }

    #[inline]
    fn short_pair(&self, j: usize) -> [Fr; 2] {
        let ([l0, r0], [l1, r1]) = (self.terms.short(2 * j, self.weight), self.terms.short(2 * j + 1, self.weight));
        [l0 * r0 - self.weight.square() - Fr::one(), (l1 - l0) * (r1 - r0)]
    }

    #[inline]
    fn pair(&self, j: usize) -> [Fr; 2] {
        let [a0, b0, l0, r0] = self.terms.term(2 * j, self.weight);
        let [a1, b1, l1, r1] = self.terms.term(2 * j + 1, self.weight);
        [Fr::sum_of(a0, r0, b0, l0) - Fr::one(), Fr::sum_of(a1 - a0, r1 - r0, b1 - b0, l1 - l0)]
    }

    /// The children's fractions `n0 n1 d0 d1` after the last challenge.
    pub fn children(mut self, challenge: Fr) -> Vec<Fr> {
        self.bind(challenge);
        let [a, b, d0, d1] = self.terms.term(0, self.weight);
        let inverse = self.weight.inverse().unwrap_or_default();
        vec![(a - d0) * inverse, b * inverse, d0, d1]
    }
}
