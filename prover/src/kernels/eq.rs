//! Tables of `eq(point, ·)` over the cube.

use ark_bn254::Fr;
use ark_ff::One;
use rayon::prelude::*;

/// Tables shorter than this are made on one thread.
const PARALLEL: usize = 1 << 12;

/// `eq(point, x)` for every `x` of the cube, the first coordinate the most significant bit.
pub fn eq_table(point: &[Fr]) -> Vec<Fr> {
    let mut table = vec![Fr::one()];
    for r in point {
        table = extended(&table, r);
    }
    table
}

/// The table with one more variable at the low end.
fn extended(table: &[Fr], r: &Fr) -> Vec<Fr> {
    let split = |value: &Fr| {
        let high = *value * r;
        [*value - high, high]
    };
    if table.len() < PARALLEL {
        table.iter().flat_map(split).collect()
    } else {
        table.par_iter().flat_map_iter(split).collect()
    }
}

/// `eq` tables of every prefix of a point, as products of two short tables.
///
/// A sumcheck that binds its lowest variable first needs, in each round, `eq` over the variables that are left. Two tables of
/// half the variables serve all rounds.
pub struct EqPrefixes {
    high: Vec<Vec<Fr>>,
    low: Vec<Vec<Fr>>,
}

/// `eq` over the first variables of a point: entry `(i, j)` is `outer[i] · inner[j]`.
pub struct SplitEq<'a> {
    /// Over the high variables.
    pub outer: &'a [Fr],
    /// Over the low variables.
    pub inner: &'a [Fr],
}

impl EqPrefixes {
    /// Prepares the prefixes of `point`.
    pub fn new(point: &[Fr]) -> Self {
        let (high, low) = point.split_at(point.len() / 2);
        Self { high: prefixes(high), low: prefixes(low) }
    }

    /// `eq` over the first `vars` variables.
    pub fn first(&self, vars: usize) -> SplitEq<'_> {
        let half = self.high.len() - 1;
        if vars > half {
            SplitEq { outer: &self.high[half], inner: &self.low[vars - half] }
        } else {
            SplitEq { outer: &self.low[0], inner: &self.high[vars] }
        }
    }
}

fn prefixes(point: &[Fr]) -> Vec<Vec<Fr>> {
    let mut tables = vec![vec![Fr::one()]];
    for r in point {
        let next = extended(&tables[tables.len() - 1], r);
        tables.push(next);
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_the_tables() {
        let point: Vec<Fr> = (1..8u64).map(|i| Fr::from(i * i + 3)).collect();
        let prefixes = EqPrefixes::new(&point);
        for vars in 0..=point.len() {
            let split = prefixes.first(vars);
            let product: Vec<Fr> = split.outer.iter().flat_map(|o| split.inner.iter().map(move |i| *o * i)).collect();
            assert_eq!(product, eq_table(&point[..vars]));
        }
    }
}
