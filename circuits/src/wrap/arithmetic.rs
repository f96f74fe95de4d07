//! The gate of sums and products.
//!
//! In a row `a b c d e` with coefficients `m α β γ δ κ` and the public input `p`, which is zero after the first rows:
//!
//! ```text
//! m·ab + α·a + β·b + γ·c + δ·d + κ + p - e = 0        degree 3
//! ```
//!
//! So any polynomial of degree two with one product, and as many terms as there are cells, is one row.
//!
//! # Soundness
//! The public input enters in every row of the gate. It is zero after the first rows only if there are exactly as many public
//! inputs as were published: one more would be added to an equation of the argument. Verifiers require the number.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::plonk::ConstraintSystem;

use super::columns::{ADVICE, Columns};
use super::gate::Gate;
use super::rows::{Cell, Row, Rows, Variable};

/// Adds the gate.
pub fn configure(columns: &Columns, system: &mut ConstraintSystem<bn256::Fr>) {
    columns.gate(system, Gate::Arithmetic, |cells| {
        let [a, b, c, d, e] = cells.here;
        let [product, of_a, of_b, of_c, of_d, constant] = cells.constants;
        let linear = of_a * a.clone() + of_b * b.clone() + of_c * c + of_d * d;
        vec![product * (a * b) + linear + constant + cells.instance - e]
    });
}

/// `constant + Σ coefficient · variable + coefficient · variable · variable`, which fits in one row.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    /// The constant.
    pub constant: Fr,
    /// The product, if there is one.
    pub product: Option<(Fr, Variable, Variable)>,
    /// The linear terms, each variable once.
    pub terms: Vec<(Fr, Variable)>,
}

impl Combination {
    /// A constant.
    pub fn of_constant(constant: Fr) -> Self {
        Self { constant, ..Self::default() }
    }

    /// A variable.
    pub fn of_variable(variable: Variable) -> Self {
        Self { terms: vec![(Fr::one(), variable)], ..Self::default() }
    }

    /// The variable and what is added to it, if the form is that.
    pub fn shifted_variable(&self) -> Option<(Variable, Fr)> {
        match self.terms[..] {
            [(coefficient, variable)] if coefficient.is_one() && self.product.is_none() => {
                Some((variable, self.constant))
            }
            _ => None,
        }
    }

    /// `coefficient · variable + constant`, if the form is that.
    fn affine(&self) -> Option<(Fr, Variable, Fr)> {
        match self.terms[..] {
            [(coefficient, variable)] if self.product.is_none() => Some((coefficient, variable, self.constant)),
            _ => None,
        }
    }

    /// The constant, if the form is nothing else.
    fn only_constant(&self) -> Option<Fr> {
        (self.terms.is_empty() && self.product.is_none()).then_some(self.constant)
    }

    /// The form times a constant.
    pub fn scaled(&self, factor: Fr) -> Self {
        if factor.is_zero() {
            return Self::default();
        }
        Self {
            constant: self.constant * factor,
            product: self.product.map(|(coefficient, a, b)| (coefficient * factor, a, b)),
            terms: self.terms.iter().map(|&(coefficient, variable)| (coefficient * factor, variable)).collect(),
        }
    }

    /// The sum, if it fits in one row.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let product = match (self.product, other.product) {
            (Some(_), Some(_)) => return None,
            (one, other) => one.or(other),
        };
        let mut terms = self.terms.clone();
        for &(coefficient, variable) in &other.terms {
            match terms.iter_mut().find(|(_, known)| *known == variable) {
                Some((sum, _)) => *sum += coefficient,
                None => terms.push((coefficient, variable)),
            }
        }
        terms.retain(|(coefficient, _)| !coefficient.is_zero());
        let sum = Self { constant: self.constant + other.constant, product, terms };
        sum.inputs().map(|_| sum)
    }

    /// The product, if it fits in one row.
    pub fn times(&self, other: &Self) -> Option<Self> {
        if let Some(factor) = self.only_constant() {
            return Some(other.scaled(factor));
        }
        if let Some(factor) = other.only_constant() {
            return Some(self.scaled(factor));
        }
        let ((p, a, q), (r, b, s)) = (self.affine()?, other.affine()?);
        // (p·a + q)(r·b + s)
        let linear = Self { terms: vec![(p * s, a)], ..Self::default() };
        let linear = linear.plus(&Self { terms: vec![(q * r, b)], ..Self::default() })?;
        Some(Self { constant: q * s, product: Some((p * r, a, b)), terms: linear.terms })
    }

    /// The variables of the cells `a b c d`; none if there are too many.
    fn inputs(&self) -> Option<Vec<Variable>> {
        let mut inputs: Vec<Variable> = self.product.map_or(vec![], |(_, a, b)| vec![a, b]);
        for &(_, variable) in &self.terms {
            if !inputs.contains(&variable) {
                inputs.push(variable);
            }
        }
        (inputs.len() < ADVICE).then_some(inputs)
    }

    /// Its value.
    pub fn value(&self, table: &Rows) -> Fr {
        let product = self.product.map_or(Fr::zero(), |(m, a, b)| m * table.value(a) * table.value(b));
        let linear: Fr = self.terms.iter().map(|&(coefficient, variable)| coefficient * table.value(variable)).sum();
        self.constant + product + linear
    }

    /// The row that requires `result` to have the value of the form.
    pub fn row(&self, result: Variable) -> Row {
        let mut row = Row::new(Gate::Arithmetic, [Cell::Unused; ADVICE]);
        let inputs = self.inputs().unwrap_or_default();
        for (cell, &variable) in row.cells.iter_mut().zip(&inputs) {
            *cell = Cell::Shared(variable);
        }
        row.cells[ADVICE - 1] = Cell::Shared(result);
        if let Some((coefficient, _, _)) = self.product {
            row.constants[0] = coefficient;
        }
        for &(coefficient, variable) in &self.terms {
            if let Some(at) = inputs.iter().position(|&input| input == variable) {
                row.constants[1 + at] = coefficient;
            }
        }
        row.constants[ADVICE] = self.constant;
        row
    }
}
