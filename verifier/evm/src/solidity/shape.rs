//! What the contract needs to know of a verifying key.

use halo2_axiom::halo2curves::bn256::{Fr, G1Affine};
use halo2_axiom::plonk::{Any, Column, Expression, VerifyingKey};

use super::error::GenerateError;

/// A verifying key, and the numbers that follow from it.
pub(super) struct Shape<'a> {
    /// The key itself.
    pub key: &'a VerifyingKey<G1Affine>,
    /// Values in each instance column.
    pub instances: &'a [usize],
    /// Advice columns and rotations at which they are evaluated, in the order of the proof.
    pub advice_queries: Vec<(usize, i32)>,
    /// The same of fixed columns.
    pub fixed_queries: Vec<(usize, i32)>,
    /// Instance columns and rotations that the gates use.
    pub instance_queries: Vec<(usize, i32)>,
    /// Columns of the permutation argument.
    pub permuted: Vec<Column<Any>>,
    /// Columns of one product of the permutation argument.
    pub chunk: usize,
    /// Products of the permutation argument.
    pub products: usize,
    /// Pieces of the quotient.
    pub pieces: usize,
    /// Rows at the end of a column that hold blinding, less one that separates them.
    pub blinding: usize,
}

impl<'a> Shape<'a> {
    /// The shape of a key that a contract can verify.
    pub fn new(key: &'a VerifyingKey<G1Affine>, instances: &'a [usize]) -> Result<Self, GenerateError> {
        let system = key.cs();
        let refuse = |is: bool, feature| if is { Err(GenerateError::Unsupported { feature }) } else { Ok(()) };
        refuse(!system.lookups().is_empty(), "look-ups")?;
        refuse(system.num_selectors() != 0, "selectors")?;
        refuse(system.num_challenges() != 0, "challenges")?;
        refuse(system.advice_column_phase().iter().any(|phase| *phase != 0), "several phases")?;
        refuse(system.num_advice_columns() == 0, "no advice column")?;
        if instances.len() != system.num_instance_columns() {
            let (expected, got) = (system.num_instance_columns(), instances.len());
            return Err(GenerateError::InstanceColumns { expected, got });
        }
        let (pieces, blinding) = (key.get_domain().get_quotient_poly_degree(), system.blinding_factors());
        let usable = (key.get_domain().get_n() as usize).saturating_sub(blinding + 1);
        if let Some(&got) = instances.iter().find(|got| **got > usable) {
            return Err(GenerateError::TooManyInstances { expected: usable, got });
        }
        // The verifying key keeps its degree to itself; the quotient has one piece less.
        let degree = pieces + 1;
        let polynomials = system.gates().iter().flat_map(|gate| gate.polynomials());
        match polynomials.map(Expression::degree).max() {
            Some(got) if got > degree => return Err(GenerateError::Degree { expected: degree, got }),
            _ => {}
        }
        let permuted = system.permutation().get_columns();
        let chunk = degree.saturating_sub(2).max(1);
        Ok(Self {
            key,
            instances,
            advice_queries: system.advice_queries().iter().map(|(column, at)| (column.index(), at.0)).collect(),
            fixed_queries: system.fixed_queries().iter().map(|(column, at)| (column.index(), at.0)).collect(),
            instance_queries: system.instance_queries().iter().map(|(column, at)| (column.index(), at.0)).collect(),
            products: permuted.len().div_ceil(chunk),
            permuted,
            chunk,
            pieces,
            blinding,
        })
    }

    /// Rows of the circuit.
    pub fn rows(&self) -> i64 {
        self.key.get_domain().get_n() as i64
    }

    /// Generator of the domain to the power `exponent`.
    pub fn root(&self, exponent: i64) -> Fr {
        let exponent = exponent.rem_euclid(self.rows()) as u64;
        halo2_axiom::halo2curves::ff::Field::pow_vartime(&self.key.get_domain().get_omega(), [exponent])
    }

    /// The rotation at which all products but the last are opened: the last usable row.
    pub fn last(&self) -> i32 {
        -(self.blinding as i32 + 1)
    }

    /// Indices of the Lagrange polynomials that are evaluated: from the first up to but not with the second.
    pub fn lagrange(&self) -> (i64, i64) {
        let first = i64::from(self.last());
        self.instance_queries.iter().fold((first, 1), |(low, high), (column, at)| {
            let start = -i64::from(*at);
            let length = self.instances.get(*column).map_or(0, |length| *length as i64);
            (low.min(start), high.max(start + length))
        })
    }

    /// Names of the evaluations that the proof brings, in their order.
    pub fn evaluations(&self) -> Vec<String> {
        let advice = self.advice_queries.iter().map(|(column, at)| name("ADVICE", *column, *at));
        let fixed = self.fixed_queries.iter().map(|(column, at)| name("FIXED", *column, *at));
        let sigma = (0..self.permuted.len()).map(|column| name("SIGMA", column, 0));
        let products = (0..self.products).flat_map(|product| {
            let last = (product + 1 < self.products).then(|| name("PRODUCT", product, self.last()));
            [name("PRODUCT", product, 0), name("PRODUCT", product, 1)].into_iter().chain(last)
        });
        advice.chain(fixed).chain([String::from("RANDOM")]).chain(sigma).chain(products).collect()
    }
}

/// Name of the evaluation of a column: at its own row, or with the rotation.
pub(super) fn name(kind: &str, column: usize, rotation: i32) -> String {
    match rotation {
        0 => format!("{kind}_{column}"),
        1 => format!("{kind}_{column}_NEXT"),
        2.. => format!("{kind}_{column}_AFTER_{rotation}"),
        _ => format!("{kind}_{column}_BEFORE_{}", rotation.unsigned_abs()),
    }
}
