//! What passes between the nodes of a graph while it is lowered.

use super::form::Form;
use super::primitive::{Addend, Contraction};
use crate::network::precision::log2_ceil;

/// A form of committed tensors, at a scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// The form, over (step, row, column).
    pub form: Form,
    /// Columns that are not padded.
    pub columns: usize,
    /// Bits after the binary point.
    pub scale: u32,
}

/// Products and forms that are added, at one scale, and not rounded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrounded {
    /// Products.
    pub contractions: Vec<Contraction>,
    /// What is added to them.
    pub addends: Vec<(Addend, u32)>,
    /// Columns that are not padded.
    pub columns: usize,
    /// Bits after the binary point.
    pub scale: u32,
}

/// The output of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Committed.
    Signal(Signal),
    /// For whoever rounds it.
    Sum(Unrounded),
}

impl Edge {
    /// Columns that are not padded.
    pub fn columns(&self) -> usize {
        match self {
            Self::Signal(signal) => signal.columns,
            Self::Sum(sum) => sum.columns,
        }
    }
}

impl Unrounded {
    /// Nothing, at any scale.
    pub fn zero(columns: usize) -> Self {
        Self { contractions: vec![], addends: vec![], columns, scale: 0 }
    }

    /// A form.
    pub fn of(Signal { form, columns, scale }: Signal) -> Self {
        Self { contractions: vec![], addends: vec![(Addend::Form(form), 0)], columns, scale }
    }

    /// `factor·W`, or `factor·Wᵀ`, for a parameter of `bits` bits after the binary point.
    pub fn product(factor: &Signal, parameter: usize, columns: usize, transposed: bool, bits: u32) -> Self {
        let inner_vars = log2_ceil(factor.columns);
        let contraction = Contraction { factor: factor.form.clone(), inner_vars, parameter, transposed, exponent: 0 };
        Self { contractions: vec![contraction], addends: vec![], columns, scale: bits + factor.scale }
    }

    /// With a parameter of one row added, times a power of two.
    pub fn plus_parameter(mut self, parameter: usize, exponent: u32) -> Self {
        self.addends.push((Addend::Parameter(parameter), exponent));
        self
    }

    /// The sum, at the larger scale.
    pub fn plus(mut self, mut other: Self) -> Self {
        if self.is_zero() {
            return other;
        }
        let scale = self.scale.max(other.scale);
        self.raise(scale);
        other.raise(scale);
        // What is there twice is there once, doubled: a gradient that a node gives back twice does not grow with the depth.
        for mut contraction in other.contractions {
            while let Some(same) = self.contractions.iter().position(|known| *known == contraction) {
                self.contractions.remove(same);
                contraction.exponent += 1;
            }
            self.contractions.push(contraction);
        }
        for (addend, exponent) in other.addends {
            let known = self.addends.iter_mut().find_map(|(known, at)| match known {
                Addend::Form(form) if *at == exponent => Some(form),
                _ => None,
            });
            match (known, addend) {
                (Some(known), Addend::Form(form)) => *known = std::mem::take(known).plus(&form),
                (_, addend) => self.addends.push((addend, exponent)),
            }
        }
        self
    }

    fn is_zero(&self) -> bool {
        self.contractions.is_empty() && self.addends.is_empty()
    }

    fn raise(&mut self, scale: u32) {
        let more = scale - self.scale;
        self.contractions.iter_mut().for_each(|contraction| contraction.exponent += more);
        self.addends.iter_mut().for_each(|(_, exponent)| *exponent += more);
        self.scale = scale;
    }

    /// The form that it is, if there are no products and no parameters in it.
    pub fn signal(&self) -> Option<Signal> {
        if !self.contractions.is_empty() || self.addends.is_empty() {
            return None;
        }
        let mut sum = Form::default();
        for (addend, exponent) in &self.addends {
            let Addend::Form(form) = addend else { return None };
            let factor = 1i64.checked_shl(*exponent)?;
            sum = sum.plus(&Form {
                terms: form
                    .terms
                    .iter()
                    .map(|&(tensor, by, spread)| (tensor, by.saturating_mul(factor), spread))
                    .collect(),
                constant: form.constant.saturating_mul(factor),
            });
        }
        Some(Signal { form: sum, columns: self.columns, scale: self.scale })
    }
}
