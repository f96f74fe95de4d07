//! The sumcheck of one layer of the tree.

use std::ops::Range;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use rayon::prelude::*;

use super::layer::Layer;
use crate::kernels::eq::EqPrefixes;
use crate::kernels::packed::{LANES, Loose, Packed, Sum, Unsettled};
use crate::kernels::tables::linear_form;

/// Groups made by one task.
const CHUNK: usize = 1 << 8;

/// `a, b, d0, d1` of four terms: see [`LayerSumcheck`].
type Term = [Packed; 4];
/// `d0 + λ, d1 + λ` of four terms whose numerators are one.
type Short = [Packed; 2];

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

/// The terms that are left, in groups of four: children as they are before the first challenge, then bound ones.
enum Terms {
    /// The leading denominators, with numerators one, have λ added.
    Children(Layer),
    Bound {
        short: Vec<Short>,
        rest: Vec<Term>,
    },
}

/// Elements at even places of two groups, and at odd ones, part by part.
#[inline]
fn deinterleave<const N: usize>(first: &[Packed; N], second: &[Packed; N]) -> ([Packed; N], [Packed; N]) {
    let parts: [_; N] = std::array::from_fn(|i| Packed::deinterleave(first[i], second[i]));
    (parts.map(|(even, _)| even), parts.map(|(_, odd)| odd))
}

/// `low + r·(high - low)`, part by part.
#[inline]
fn line<const N: usize>(low: &[Packed; N], high: &[Packed; N], r: Loose) -> [Packed; N] {
    let products = Unsettled::of(std::array::from_fn(|i| high[i] - low[i]), [r; N]);
    std::array::from_fn(|i| products[i].plus(low[i]).reduced())
}

/// `a` and `b` from numerators and denominators of both children.
#[inline]
fn weighted(n0: Packed, d0: Packed, n1: Packed, d1: Packed, weight: Loose) -> Term {
    let [a, b] = Unsettled::of([n0.into(), n1.into()], [weight; 2]);
    [a.plus(d0).reduced(), b.reduced(), d0, d1]
}

/// λ in the forms that the rounds need.
#[derive(Clone, Copy)]
struct Weight {
    factor: Loose,
    element: Packed,
    negated: Packed,
}

impl Terms {
    /// Number of leading groups in short form, and of all groups.
    fn groups(&self) -> (usize, usize) {
        match self {
            Self::Children(layer) => (layer.ones.groups() / 2, layer.groups().div_ceil(2)),
            Self::Bound { short, rest } => (short.len(), short.len() + rest.len()),
        }
    }

    #[inline]
    fn short(&self, g: usize) -> Short {
        match self {
            Self::Children(layer) => {
                let (left, right) = Packed::deinterleave(layer.ones.group(2 * g), layer.ones.group(2 * g + 1));
                [left, right]
            }
            Self::Bound { short, .. } => short[g],
        }
    }

    #[inline]
    fn term(&self, g: usize, weight: &Weight) -> Term {
        let short = self.groups().0;
        if g < short {
            let [left, right] = self.short(g);
            return [left, weight.element, left.plus(weight.negated), right.plus(weight.negated)];
        }
        match self {
            Self::Children(layer) => {
                let ([n0, d0], [n1, d1]) = layer.children(g);
                weighted(n0, d0, n1, d1, weight.factor)
            }
            Self::Bound { rest, .. } => rest.get(g - short).copied().unwrap_or_else(|| {
                let [zero, one] = [Fr::zero(), Fr::one()].map(Packed::splat);
                [one, zero, one, one]
            }),
        }
    }

    /// The terms with their lowest variable bound to `r`, leading ones in short form as long as they pair up.
    fn bound(&self, r: Fr, weight: &Weight) -> Self {
        let r = Loose::splat(r);
        let (ones, all) = self.groups();
        let whole = if ones.is_multiple_of(2) { ones / 2 } else { 0 };
        let short = (0..whole).into_par_iter().with_min_len(CHUNK).map(|g| {
            let (low, high) = deinterleave(&self.short(2 * g), &self.short(2 * g + 1));
            line(&low, &high, r)
        });
        let rest = (whole..all.div_ceil(2)).into_par_iter().with_min_len(CHUNK).map(|g| match self {
            // The weight is multiplied in after the binding, which leaves half as many terms. Leading ones have theirs.
            Self::Children(layer) if ones.is_multiple_of(2) => {
                let (first, second) = (layer.children(2 * g), layer.children(2 * g + 1));
                let left = deinterleave(&first.0, &second.0);
                let right = deinterleave(&first.1, &second.1);
                let ([n0, d0], [n1, d1]) = (line(&left.0, &left.1, r), line(&right.0, &right.1, r));
                weighted(n0, d0, n1, d1, weight.factor)
            }
            _ => {
                let (low, high) = deinterleave(&self.term(2 * g, weight), &self.term(2 * g + 1, weight));
                let ([l0, l1, l2, l3], [h0, h1, h2, h3]) = (low, high);
                let ([a, b], [d0, d1]) = (line(&[l0, l1], &[h0, h1], r), line(&[l2, l3], &[h2, h3], r));
                [a, b, d0, d1]
            }
        });
        Self::Bound { short: short.collect(), rest: rest.collect() }
    }
}

impl LayerSumcheck {
    /// The sumcheck over the fractions of `children`, claimed at `point`, numerators weighted by λ.
    pub fn new(children: Layer, point: &[Fr], weight: Fr) -> Self {
        let children = Layer { ones: children.ones.shifted(weight), rest: children.rest };
        Self { weight, eq: EqPrefixes::new(point), vars: point.len(), terms: Terms::Children(children) }
    }

    fn weight(&self) -> Weight {
        Weight {
            factor: Loose::splat(self.weight),
            element: Packed::splat(self.weight),
            negated: Packed::splat(-self.weight),
        }
    }

    /// One round.
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, w: Fr) -> Vec<Fr> {
        if let Some(r) = challenge {
            self.bind(r);
        }
        let split = self.eq.first(self.vars - 1);
        // Groups of four need four entries of the inner table.
        let eq = if split.inner.len() < LANES {
            let all =
                split.outer.iter().flat_map(|outer| split.inner.iter().map(move |inner| *outer * inner)).collect();
            PackedEq::new(vec![Fr::one()], all)
        } else {
            PackedEq::new(split.outer.to_vec(), split.inner.to_vec())
        };
        let (weight, square) = (self.weight(), Packed::splat(self.weight.square() + Fr::one()));
        let one = Packed::splat(Fr::one());
        let (ones, all) = self.terms.groups();
        let short = if ones.is_multiple_of(2) { ones / 2 } else { 0 };
        let low = eq.sums(0..short, |g| self.terms.short_pair(g, square));
        let high = eq.sums(short..all.div_ceil(2), |g| self.terms.pair(g, &weight, one));
        linear_form(claim, w, Fr::one() + low[0] + high[0], low[1] + high[1])
    }

    fn bind(&mut self, r: Fr) {
        self.terms = self.terms.bound(r, &self.weight());
        self.vars -= 1;
    }

    /// The children's fractions `n0 n1 d0 d1` after the last challenge.
    pub fn children(mut self, challenge: Fr) -> Vec<Fr> {
        self.bind(challenge);
        let [a, b, d0, d1] = self.terms.term(0, &self.weight()).map(|part| part.elements()[0]);
        let inverse = self.weight.inverse().unwrap_or_default();
        vec![(a - d0) * inverse, b * inverse, d0, d1]
    }
}

/// `g(0) - 1` and the leading coefficient of `g`, for four pairs of terms.
impl Terms {
    #[inline]
    fn short_pair(&self, g: usize, square: Packed) -> [Loose; 2] {
        let ([l0, r0], [l1, r1]) = deinterleave(&self.short(2 * g), &self.short(2 * g + 1));
        let [at_zero, leading] = Unsettled::of([l0.into(), l1 - l0], [r0.into(), r1 - r0]);
        [at_zero.minus(square), leading.loose()]
    }

    #[inline]
    fn pair(&self, g: usize, weight: &Weight, one: Packed) -> [Loose; 2] {
        let ([a0, b0, l0, r0], [a1, b1, l1, r1]) =
            deinterleave(&self.term(2 * g, weight), &self.term(2 * g + 1, weight));
        let [at_zero, leading] =
            Unsettled::of_two([a0.into(), a1 - a0], [r0.into(), r1 - r0], [b0.into(), b1 - b0], [l0.into(), l1 - l0]);
        [at_zero.minus(one), leading.loose()]
    }
}

/// `eq` over pairs of terms: entry `(i, j)` is `outer[i] · inner[j]`.
struct PackedEq {
    outer: Vec<Fr>,
    inner: Vec<Packed>,
}

impl PackedEq {
    fn new(outer: Vec<Fr>, mut inner: Vec<Fr>) -> Self {
        inner.resize(inner.len().next_multiple_of(LANES), Fr::zero());
        let inner = inner.chunks(LANES).map(|lanes| Packed::new(std::array::from_fn(|i| lanes[i]))).collect();
        Self { outer, inner }
    }

    /// `Σ eq·term` over groups of pairs.
    fn sums<const N: usize>(&self, groups: Range<usize>, terms: impl Fn(usize) -> [Loose; N] + Sync) -> [Fr; N] {
        let inner = self.inner.len();
        let blocks = groups.start / inner..groups.end.div_ceil(inner);
        blocks
            .into_par_iter()
            .with_min_len((CHUNK / inner).max(1))
            .map(|block| {
                let mut sums = [Sum::default(); N];
                let range = (block * inner).max(groups.start)..((block + 1) * inner).min(groups.end);
                for (g, e) in range.clone().zip(&self.inner[range.start - block * inner..]) {
                    for (sum, term) in sums.iter_mut().zip(terms(g)) {
                        sum.add(*e, term);
                    }
                }
                sums.map(|sum| self.outer[block] * sum.finish())
            })
            .reduce(|| [Fr::zero(); N], |a, b| std::array::from_fn(|i| a[i] + b[i]))
    }
}
