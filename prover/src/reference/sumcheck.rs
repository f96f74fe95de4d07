//! Any sumcheck: a polynomial in the values of whole tables, summed over the cube point by point.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

use super::cube;

/// A polynomial from the values of the tables at a point.
type Summand<'a> = Box<dyn Fn(&[Fr]) -> Fr + 'a>;

/// `Σ_z summand(tables at z)`, with `eq(point, z)` before the summand where there is a point.
///
/// Variables are bound lowest first.
pub struct Sumcheck<'a> {
    tables: Vec<Vec<Fr>>,
    degree: usize,
    /// The coordinates whose variables are not bound.
    point: Option<Vec<Fr>>,
    summand: Summand<'a>,
}

impl<'a> Sumcheck<'a> {
    /// The sum of `summand`, of degree `degree` in each variable, over tables of one length.
    pub fn plain(tables: Vec<Vec<Fr>>, degree: usize, summand: impl Fn(&[Fr]) -> Fr + 'a) -> Self {
        Self { tables, degree, point: None, summand: Box::new(summand) }
    }

    /// The sum of `eq(point, ·)·summand`, the summand of degree two in each variable.
    pub fn with_eq(tables: Vec<Vec<Fr>>, point: &[Fr], summand: impl Fn(&[Fr]) -> Fr + 'a) -> Self {
        Self { tables, degree: 2, point: Some(point.to_vec()), summand: Box::new(summand) }
    }

    /// The sum over all variables that are left: what is claimed before the round.
    pub fn total(&self) -> Fr {
        let at = |index: usize| {
            let row: Vec<Fr> = self.tables.iter().map(|table| table[index]).collect();
            let eq = self.point.as_ref().map_or(Fr::one(), |point| cube::eq(point, index));
            eq * (self.summand)(&row)
        };
        (0..self.tables.first().map_or(0, Vec::len)).map(at).sum()
    }

    /// The next round's coefficients, constant first: of the round polynomial without the linear one, or, where there is an
    /// `eq`, of the polynomial by which its `eq` of this variable is multiplied, without the constant.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        if let Some(challenge) = challenge {
            self.bind(challenge);
        }
        let mut coefficients = interpolated(&self.sums());
        coefficients.remove(if self.point.is_some() { 0 } else { 1 });
        coefficients
    }

    /// The sums over all variables but the lowest, which is 0, 1, … up to the degree, and whose own `eq` is left out.
    fn sums(&self) -> Vec<Fr> {
        let rest = self.point.as_ref().map(|point| &point[..point.len() - 1]);
        let mut sums = vec![Fr::zero(); self.degree + 1];
        let mut row = vec![Fr::zero(); self.tables.len()];
        for index in 0..self.tables.first().map_or(0, |table| table.len() / 2) {
            let eq = rest.map_or(Fr::one(), |rest| cube::eq(rest, index));
            for (x, sum) in sums.iter_mut().enumerate() {
                let x = Fr::from(x as u64);
                row.iter_mut().zip(&self.tables).for_each(|(value, table)| *value = line(table, index, x));
                *sum += eq * (self.summand)(&row);
            }
        }
        sums
    }

    /// Binds the lowest variable that is left.
    pub fn bind(&mut self, r: Fr) {
        for table in &mut self.tables {
            *table = (0..table.len() / 2).map(|index| line(table, index, r)).collect();
        }
        if let Some(point) = &mut self.point {
            point.pop();
        }
    }

    /// What the tables are at the end, when all variables are bound.
    pub fn values(&self) -> Vec<Fr> {
        self.tables.iter().map(|table| table[0]).collect()
    }
}

/// `table(index, x)`: the lowest variable of a table at `x`.
fn line(table: &[Fr], index: usize, x: Fr) -> Fr {
    table[2 * index] + x * (table[2 * index + 1] - table[2 * index])
}

/// The coefficients of the polynomial that takes `values` at 0, 1, 2, …, by Lagrange's formula.
fn interpolated(values: &[Fr]) -> Vec<Fr> {
    let mut sum = vec![Fr::zero(); values.len()];
    for (i, value) in values.iter().enumerate() {
        let mut basis = vec![Fr::one()];
        let mut scale = Fr::one();
        for j in (0..values.len()).filter(|&j| j != i) {
            // Times (X - j).
            let mut next = vec![Fr::zero(); basis.len() + 1];
            for (k, coefficient) in basis.iter().enumerate() {
                next[k + 1] += coefficient;
                next[k] -= Fr::from(j as u64) * coefficient;
            }
            basis = next;
            scale *= Fr::from(i as u64) - Fr::from(j as u64);
        }
        let weight = *value * scale.inverse().unwrap_or_default();
        sum.iter_mut().zip(&basis).for_each(|(sum, coefficient)| *sum += weight * coefficient);
    }
    sum
}
