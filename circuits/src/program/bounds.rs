//! How large the integers of a program may become: relations are asked in the field, and say what they say of integers only
//! while neither side of one has the size of r.
//!
//! Bounds are binary logarithms of absolute values. Those of committed tensors follow from what is proved of them, and from
//! nothing that a trainer promises: a look-up, a bit, or one relation that defines them by others.

use std::collections::BTreeMap;

use super::contents::Program;
use super::error::GraphError;
use super::form::Form;
use super::primitive::{Addend, Claimed, Identity, Pointwise, Sum, Total};
use super::tensor::Tensor;

/// log2 of the order of the scalar field, rounded down.
const FIELD_BITS: f64 = 253.5;
/// What stays free of it.
const MARGIN_BITS: f64 = 64.0;

/// How large a job may be: binary logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Absolute value of a registered parameter, or of what all jobs before this one made of it.
    pub parameter: f64,
    /// Learning rate over batch, in units of `2^-rate_bits`.
    pub rate: f64,
    /// Rows of all steps that a parameter has been trained in.
    pub rows: f64,
}

/// `log2(2^a + 2^b)`.
fn plus(a: f64, b: f64) -> f64 {
    let (more, less) = (a.max(b), a.min(b));
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp2().ln_1p() / std::f64::consts::LN_2 }
}

fn log2(value: u64) -> f64 {
    (value as f64).log2()
}

/// Bounds of tensors, as far as they are known.
struct Bounds(BTreeMap<Tensor, f64>);

impl Bounds {
    /// A form of tensors that are all bounded.
    fn form(&self, form: &Form) -> Option<f64> {
        let mut sum = log2(form.constant.unsigned_abs());
        for (tensor, factor, _) in &form.terms {
            sum = plus(sum, log2(factor.unsigned_abs()) + self.0.get(tensor)?);
        }
        Some(sum)
    }

    /// Bounds the one tensor of `form` that is not bounded yet, if its factor is one or minus one and `form` is below `total`.
    fn solve(&mut self, form: &Form, total: f64) {
        let mut unknown = form.terms.iter().filter(|(tensor, ..)| !self.0.contains_key(tensor));
        let (Some((tensor, 1 | -1, _)), None) = (unknown.next(), unknown.next()) else { return };
        let others = Form {
            terms: form.terms.iter().filter(|(other, ..)| other != tensor).copied().collect(),
            constant: form.constant,
        };
        if let Some(others) = self.form(&others) {
            self.0.insert(*tensor, plus(others, total));
        }
    }

    /// Bounds what a pointwise relation says is a bit, or equal to an expression of what is bounded.
    fn defined(&mut self, relation: &Pointwise) {
        let known: Vec<Option<f64>> = relation.tensors.iter().map(|(tensor, _)| self.0.get(tensor).copied()).collect();
        for (operand, bound) in relation.formula.definitions(&known) {
            if let Some((tensor, _)) = relation.tensors.get(operand) {
                self.0.entry(*tensor).or_insert(bound);
            }
        }
    }
}

impl Program {
    /// Checks that no relation can wrap around in the field, whatever an honest job of these limits computes.
    ///
    /// # Errors
    /// A tensor that nothing bounds, or a relation whose sides may be too large, by name.
    pub fn check_bounds(&self, limits: &Limits) -> Result<(), GraphError> {
        let mut bounds = Bounds(BTreeMap::new());
        // Registered: values of 16 bits, and labels that are bits.
        bounds.0.extend([(Tensor::input(), 15.0), (Tensor::labels(), 0.0)]);
        // What bounds a tensor may itself wait for another: as often as there are tensors at most.
        for _ in 0..=self.committed.len() {
            let before = bounds.0.len();
            self.spread(&mut bounds);
            if bounds.0.len() == before {
                break;
            }
        }
        if let Some((tensor, _)) = self.committed.iter().find(|(tensor, _)| !bounds.0.contains_key(tensor)) {
            return Err(too_large(*tensor, "nothing bounds it".into()));
        }
        let parameters = self.parameters.iter().map(|parameter| {
            let mut bound = limits.parameter;
            for update in &parameter.updates {
                let left = update.left.as_ref().map_or(Some(0.0), |form| bounds.form(form))?;
                let term = left + bounds.form(&update.right)? + f64::from(update.exponent);
                bound = plus(bound, limits.rate + limits.rows + term);
            }
            Some(bound)
        });
        let parameters: Option<Vec<f64>> = parameters.collect();
        let unbounded = || GraphError::Bound { tensor: Tensor::input(), what: "an update is not bounded".into() };
        let parameters = parameters.ok_or_else(unbounded)?;
        for sum in &self.sums {
            let bound = total(sum, &parameters, &bounds).ok_or_else(unbounded)?;
            fits(sum.tensor, bound)?;
            bounds.0.insert(sum.tensor, bound);
            if let Claimed::Rounded(rounding) = &sum.claimed {
                let quotient = bounds.form(&rounding.quotient).ok_or_else(unbounded)?;
                fits(sum.tensor, plus(quotient, 0.0) + f64::from(rounding.shift))?;
            }
        }
        for relation in &self.pointwise {
            let operands: Option<Vec<f64>> =
                relation.tensors.iter().map(|(tensor, _)| bounds.0.get(tensor).copied()).collect();
            let Some((tensor, _)) = relation.tensors.first() else { continue };
            let largest = operands.and_then(|operands| relation.formula.largest(&operands)).ok_or_else(unbounded)?;
            fits(*tensor, largest)?;
            if let Some(rounding) = &relation.rounding {
                let quotient = bounds.form(&rounding.quotient).ok_or_else(unbounded)?;
                fits(*tensor, plus(quotient, 0.0) + f64::from(rounding.shift))?;
            }
        }
        Ok(())
    }

    /// Bounds what follows from look-ups, identities and relations and what is bounded already.
    fn spread(&self, bounds: &mut Bounds) {
        for lookup in &self.lookups {
            let (key, values) = lookup.table.bounds();
            for (i, form) in lookup.tuple.iter().enumerate() {
                let total = if i == 0 { Some(key) } else { values.get(i - 1).copied() };
                // A value that counts in some columns only is not bounded in the others; but there it is not used.
                if let Some(total) = total {
                    bounds.solve(form, total);
                }
            }
        }
        for identity in &self.identities {
            if let Identity::Sum { tensor, column_vars, total: Total::Shifted(sum, constant), .. } = identity
                && let Some(entry) = bounds.0.get(tensor).copied()
            {
                bounds.0.entry(*sum).or_insert(plus(entry + *column_vars as f64, log2(*constant)));
            }
        }
        // What a rounding had before is not zero.
        for relation in self.pointwise.iter().filter(|relation| relation.rounding.is_none()) {
            bounds.defined(relation);
        }
    }
}

/// A sum before rounding.
fn total(sum: &Sum, parameters: &[f64], bounds: &Bounds) -> Option<f64> {
    let mut bound = f64::NEG_INFINITY;
    for contraction in &sum.contractions {
        let term = bounds.form(&contraction.factor)? + parameters.get(contraction.parameter)?;
        bound = plus(bound, term + contraction.inner_vars as f64 + f64::from(contraction.exponent));
    }
    for (addend, exponent) in &sum.addends {
        let term = match addend {
            Addend::Parameter(parameter) => *parameters.get(*parameter)?,
            Addend::Form(form) => bounds.form(form)?,
        };
        bound = plus(bound, term + f64::from(*exponent));
    }
    Some(bound)
}

fn fits(tensor: Tensor, bound: f64) -> Result<(), GraphError> {
    let most = FIELD_BITS - MARGIN_BITS;
    if bound <= most {
        Ok(())
    } else {
        Err(too_large(tensor, format!("it may reach 2^{bound:.1}, at most 2^{most} works")))
    }
}

fn too_large(tensor: Tensor, what: String) -> GraphError {
    GraphError::Bound { tensor, what }
}
