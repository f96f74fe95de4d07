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
        self.contractions.append(&mut other.contractions);
        self.addends.append(&mut other.addends);
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

    /// The form that it is, if it is only one.
    pub fn signal(&self) -> Option<Signal> {
        match (&self.contractions[..], &self.addends[..]) {
            ([], [(Addend::Form(form), 0)]) => {
                Some(Signal { form: form.clone(), columns: self.columns, scale: self.scale })
            }
            _ => None,
        }
    }
}
