//! Look-ups by logup-GKR: every range, the activation and the exponential, in one batched tree of fractions.
//!
//! # Paper
//! Papini and Haböck, *Improving logarithmic derivative lookups using GKR*, eprint 2023/1284. With
//! `f = key + η·second + η²·third + η³·table`, the leaves are `1 / (γ - f)` for every look-up and
//! `-multiplicity / (γ - f)` for every key of every table; all together sum to zero.
//!
//! # Soundness
//! The commitments, multiplicities included, are absorbed before γ and η. Each table has its own number inside of the
//! fingerprint, so that no look-up is answered by another table.

use ark_bn254::Fr;

use crate::algebra::Algebra;
use crate::check::Check;
use crate::multilinear::{at_most_index, eq_index, integer, powers};
use crate::sumcheck::eq_sumcheck;
use crate::tensor::Tensor;
use crate::transcript::{Ask, Channel, Party};

/// Variables of the 16-bit tables.
pub const KEY_VARS: usize = 16;

/// A table of the look-up argument; its keys count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Keys `h + 2^15` with `max(h, 0)` and `[h > 0]`.
    Relu,
    /// Keys `[0, 2^16)` with `round(2^fe · exp(-key / 2^fa))`.
    Exponential,
    /// Keys `[0, 2^bits)`.
    Range(u32),
}

impl Table {
    /// Variables that index the keys.
    pub fn vars(&self) -> usize {
        match self {
            Self::Relu | Self::Exponential => KEY_VARS,
            Self::Range(bits) => *bits as usize,
        }
    }

    /// The table's coordinate in the fingerprint, different for each table.
    pub fn number(&self) -> u64 {
        match self {
            Self::Relu => 1,
            Self::Exponential => 2,
            Self::Range(bits) => 16 + u64::from(*bits),
        }
    }

    /// Values beside `key`, where they follow from it by a formula.
    pub fn values(&self, key: usize) -> Vec<i64> {
        match self {
            Self::Relu => {
                let (value, derivative) = crate::arithmetic::relu((key as i32 - (1 << 15)) as i16);
                vec![i64::from(value), i64::from(derivative)]
            }
            Self::Exponential | Self::Range(_) => vec![],
        }
    }

    /// The tensor that holds the values, where they are a public column.
    pub fn column(&self) -> Option<Tensor> {
        (*self == Self::Exponential).then_some(Tensor::ExponentialTable)
    }

    /// Multilinear extensions of key and values at `point`; `column` is the evaluation of [`Table::column`].
    fn entry<A: Algebra>(&self, algebra: &mut A, point: &[A::Element], column: Option<&A::Element>) -> Vec<A::Element> {
        let key = integer(algebra, point);
        match self {
            Self::Range(_) => vec![key],
            Self::Exponential => std::iter::once(key).chain(column.cloned()).collect(),
            Self::Relu => {
                // The top bit is [h ≥ 0]; the rest is h where it is set. The derivative excludes h = 0.
                let (top, rest) = (point[0].clone(), &point[1..]);
                let low = integer(algebra, rest);
                let value = algebra.mul(&top, &low);
                let at_zero = eq_index(algebra, rest, 0);
                let positive = algebra.complement(&at_zero);
                let derivative = algebra.mul(&top, &positive);
                vec![key, value, derivative]
            }
        }
    }
}

/// How a tensor enters an expression over (sample, column).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// It has the expression's own shape.
    Entry,
    /// It has one value a sample.
    Sample {
        /// The value counts in the first so many columns only.
        columns: usize,
    },
}

/// A linear expression of tensors: `constant + Σ factor · tensor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Terms.
    pub terms: Vec<(Tensor, i64, Spread)>,
    /// Constant.
    pub constant: i64,
}

impl Expression {
    /// `tensor + constant`.
    pub fn shifted(tensor: Tensor, constant: i64) -> Self {
        Self { terms: vec![(tensor, 1, Spread::Entry)], constant }
    }
}

/// Tuples of one shape looked up in one table, one tuple an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// Where.
    pub table: Table,
    /// Variables of an entry, (sample, column).
    pub vars: usize,
    /// Variables of the column alone; zero where no part of the tuple has one value a sample.
    pub column_vars: usize,
    /// The key, then the values.
    pub tuple: Vec<Expression>,
}

/// A leaf range of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// First leaf; a multiple of the size.
    pub offset: usize,
    /// Variables of the slot.
    pub vars: usize,
}

/// The batched tree: which leaves hold what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Look-ups, largest first, without gaps from leaf zero.
    pub lookups: Vec<(LookUp, Slot)>,
    /// Tables, after the look-ups.
    pub tables: Vec<(Table, Slot)>,
    /// Variables of the leaves; leaves outside of any slot are `0 / 1`.
    pub vars: usize,
    /// Tensors whose evaluations the leaves need, each once.
    pub tensors: Vec<Evaluated>,
}

/// A tensor that the leaves need, and the part of the leaf point where it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The tensor.
    pub tensor: Tensor,
    /// Its variables.
    pub vars: usize,
    /// Trailing coordinates of the leaf point that it does not have: the column's, for one value a sample.
    pub skipped: usize,
}

impl Evaluated {
    /// The part of the leaf point `point`.
    pub fn of<'p, E>(&self, point: &'p [E]) -> &'p [E] {
        let end = point.len() - self.skipped;
        &point[end - self.vars..end]
    }
}

impl Tree {
    /// Arranges look-ups and every table they use.
    pub fn new(mut lookups: Vec<LookUp>) -> Self {
        lookups.sort_by_key(|lookup| std::cmp::Reverse(lookup.vars));
        let mut tables: Vec<Table> = lookups.iter().map(|lookup| lookup.table).collect();
        tables.sort_by_key(|table| (std::cmp::Reverse(table.vars()), *table));
        tables.dedup();
        let mut end = 0usize;
        let mut place = |vars: usize| {
            let offset = end.next_multiple_of(1 << vars);
            end = offset + (1 << vars);
            Slot { offset, vars }
        };
        let lookups: Vec<_> =
            lookups.into_iter().map(|lookup| (place(lookup.vars), lookup)).map(|(s, l)| (l, s)).collect();
        let tables: Vec<_> = tables.into_iter().map(|table| (table, place(table.vars()))).collect();
        let vars = end.next_power_of_two().trailing_zeros() as usize;

        let mut tensors: Vec<Evaluated> = Vec::new();
        let mut add = |tensor: Tensor, vars: usize, skipped: usize| {
            if !tensors.iter().any(|known| known.tensor == tensor) {
                tensors.push(Evaluated { tensor, vars, skipped });
            }
        };
        for (lookup, _) in &lookups {
            for (tensor, _, spread) in lookup.tuple.iter().flat_map(|expression| &expression.terms) {
                match spread {
                    Spread::Entry => add(*tensor, lookup.vars, 0),
                    Spread::Sample { .. } => add(*tensor, lookup.vars - lookup.column_vars, lookup.column_vars),
                }
            }
        }
        for (table, _) in &tables {
            add(Tensor::Multiplicity(*table), table.vars(), 0);
            if let Some(column) = table.column() {
                add(column, table.vars(), 0);
            }
        }
        Self { lookups, tables, vars, tensors }
    }

    /// Number of leaves that are look-ups: they come first and have numerator one.
    pub fn lookup_leaves(&self) -> usize {
        self.lookups.iter().map(|(_, slot)| 1 << slot.vars).sum()
    }
}

/// What the look-up argument leaves: the leaf point and the evaluations of [`Tree::tensors`] there.
pub struct LookedUp<E> {
    /// Leaf point.
    pub point: Vec<E>,
    /// Evaluations in the order of [`Tree::tensors`].
    pub values: Vec<(Evaluated, E)>,
}

impl<E: Clone> LookedUp<E> {
    /// The evaluation of `tensor`, if it is looked up.
    pub fn value(&self, tensor: Tensor) -> Option<&E> {
        self.values.iter().find(|(known, _)| known.tensor == tensor).map(|(_, value)| value)
    }

    /// The last `vars` coordinates of the leaf point.
    pub fn suffix(&self, vars: usize) -> &[E] {
        &self.point[self.point.len() - vars..]
    }
}

/// Verifies the look-up argument of `tree`.
///
/// # Transcript
/// γ, η ← challenge; root fractions; then for each layer: weight ← challenge, its rounds, the children, one challenge;
/// last the evaluations of the tensors.
///
/// # Errors
/// The check that failed.
pub fn verify<A: Algebra, P: Party<A>>(
    channel: &mut Channel<'_, A, P>,
    tree: &Tree,
) -> Result<LookedUp<A::Element>, A::Error> {
    let offset = channel.challenge();
    let combine = channel.challenge();
    let [n0, n1, d0, d1] = channel.ask_array(Ask::LookupRoot { offset: &offset, combine: &combine })?;
    let root = cross_sum(channel.algebra, &n0, &n1, &d0, &d1);
    channel.algebra.require_zero(Check::LookupSum, &root)?;
    let denominator = channel.algebra.mul(&d0, &d1);
    channel.algebra.require_nonzero(Check::LookupDenominator, &denominator)?;

    let last = channel.challenge();
    let mut numerator = channel.algebra.interpolate(&n0, &n1, &last);
    let mut denominator = channel.algebra.interpolate(&d0, &d1, &last);
    let mut point = vec![last];
    while point.len() < tree.vars {
        let weight = channel.challenge();
        channel.ask(Ask::LookupLayer { point: &point, weight: &weight }, 0)?;
        let claim = channel.algebra.mul_add(&weight, &numerator, &denominator);
        let (mut next, claim) = eq_sumcheck(channel, &point, claim)?;
        let [n0, n1, d0, d1] = channel.ask_array(Ask::LookupChildren { challenge: &next[0] })?;
        let cross = cross_sum(channel.algebra, &n0, &n1, &d0, &d1);
        let product = channel.algebra.mul(&d0, &d1);
        let fraction = channel.algebra.mul_add(&weight, &cross, &product);
        let difference = channel.algebra.sub(&claim, &fraction);
        channel.algebra.require_zero(Check::LookupLayer, &difference)?;
        let last = channel.challenge();
        numerator = channel.algebra.interpolate(&n0, &n1, &last);
        denominator = channel.algebra.interpolate(&d0, &d1, &last);
        next.push(last);
        point = next;
    }

    let values = channel.ask(Ask::LookupEvaluations { point: &point }, tree.tensors.len())?;
    leaves(channel.algebra, tree, point, values, &offset, &combine, numerator, denominator)
}

/// `n0·d1 + n1·d0`, the numerator of the sum of two fractions.
fn cross_sum<A: Algebra>(
    algebra: &mut A,
    n0: &A::Element,
    n1: &A::Element,
    d0: &A::Element,
    d1: &A::Element,
) -> A::Element {
    let right = algebra.mul(n1, d0);
    algebra.mul_add(n0, d1, &right)
}

/// Checks the claims on the leaves against the evaluations of the tensors.
#[expect(clippy::too_many_arguments, reason = "the whole state of the argument meets here, once")]
fn leaves<A: Algebra>(
    algebra: &mut A,
    tree: &Tree,
    point: Vec<A::Element>,
    values: Vec<A::Element>,
    offset: &A::Element,
    combine: &A::Element,
    numerator: A::Element,
    denominator: A::Element,
) -> Result<LookedUp<A::Element>, A::Error> {
    let values = tree.tensors.iter().copied().zip(values).collect();
    let looked_up = LookedUp { point, values };
    let combines = powers(algebra, combine, 4);

    // Starts from the padding 0/1 everywhere and replaces it slot by slot.
    let mut rest_numerator = numerator;
    let one = algebra.constant(Fr::from(1));
    let mut rest_denominator = algebra.sub(&denominator, &one);
    for (lookup, slot) in &tree.lookups {
        let prefix = eq_index(algebra, &looked_up.point[..tree.vars - slot.vars], slot.offset >> slot.vars);
        let column = looked_up.suffix(lookup.column_vars);
        let mut tuple = Vec::with_capacity(lookup.tuple.len());
        for expression in &lookup.tuple {
            let mut sum = algebra.constant(Fr::from(expression.constant));
            for (tensor, factor, spread) in &expression.terms {
                let Some(value) = looked_up.value(*tensor) else { continue };
                let mut term = value.clone();
                if let Spread::Sample { columns } = spread {
                    let mask = at_most_index(algebra, column, columns - 1);
                    term = algebra.mul(&term, &mask);
                }
                let term = algebra.scale(&term, Fr::from(*factor));
                sum = algebra.add(&sum, &term);
            }
            tuple.push(sum);
        }
        let fingerprint = fingerprint(algebra, &tuple, lookup.table, &combines);
        let leaf = algebra.sub(offset, &fingerprint);
        let leaf = algebra.sub(&leaf, &one);
        let term = algebra.mul(&prefix, &leaf);
        rest_denominator = algebra.sub(&rest_denominator, &term);
        rest_numerator = algebra.sub(&rest_numerator, &prefix);
    }
    for (table, slot) in &tree.tables {
        let prefix = eq_index(algebra, &looked_up.point[..tree.vars - slot.vars], slot.offset >> slot.vars);
        let column = table.column().and_then(|column| looked_up.value(column));
        let entry = table.entry(algebra, looked_up.suffix(slot.vars), column);
        let fingerprint = fingerprint(algebra, &entry, *table, &combines);
        let leaf = algebra.sub(offset, &fingerprint);
        let leaf = algebra.sub(&leaf, &one);
        let term = algebra.mul(&prefix, &leaf);
        rest_denominator = algebra.sub(&rest_denominator, &term);
        if let Some(multiplicity) = looked_up.value(Tensor::Multiplicity(*table)) {
            rest_numerator = algebra.mul_add(&prefix, multiplicity, &rest_numerator);
        }
    }
    algebra.require_zero(Check::LookupNumerator, &rest_numerator)?;
    algebra.require_zero(Check::LookupFingerprint, &rest_denominator)?;
    Ok(looked_up)
}

/// `Σ η^i · tuple_i + η³ · table`.
fn fingerprint<A: Algebra>(algebra: &mut A, tuple: &[A::Element], table: Table, combines: &[A::Element]) -> A::Element {
    let mut sum = algebra.scale(&combines[3], Fr::from(table.number()));
    for (part, power) in tuple.iter().zip(combines) {
        sum = algebra.mul_add(part, power, &sum);
    }
    sum
}
