//! In which order products and updates are asked for: the same for every prover and verifier.

use super::form::Form;
use super::primitive::{Addend, Parameter, Sum};

/// Where an index of a parameter is read: the part of a point that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The column where this sum is claimed.
    Column(usize),
    /// The inner index where the sumcheck over the products ended, of this contraction.
    Inner(usize),
}

/// Which of all contractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractionIndex {
    /// Its sum.
    pub sum: usize,
    /// Which of the sum's contractions.
    pub index: usize,
}

/// A value of a parameter at a step that has to be explained by its first value and the updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The parameter.
    pub parameter: usize,
    /// The contraction that reads it, or the addend.
    pub reader: Reader,
    /// Where its row is read, if it has any.
    pub row: Option<At>,
    /// Where its column is read.
    pub column: At,
    /// True for the first reading of the parameter: there its last value is explained as well.
    pub first: bool,
}

/// What reads a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// This contraction.
    Product(usize),
    /// This addend, counted over all sums.
    Addend {
        /// Which.
        index: usize,
        /// Its sum.
        sum: usize,
    },
}

/// A factor of updates, evaluated where the sumcheck over the updates ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Over (step, row, index of the parameter).
    pub form: Form,
    /// Where that index is read.
    pub at: At,
}

/// The updates that have one right factor in common: `right · Σ (share of a reading) · left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateGroup {
    /// Which of the factors.
    pub right: usize,
    /// The terms.
    pub terms: Vec<UpdateTerm>,
}

/// A term of a [`UpdateGroup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateTerm {
    /// The reading that it explains.
    pub read: usize,
    /// Which of the factors; one where there is none.
    pub left: Option<usize>,
    /// Power of two of the update.
    pub exponent: u32,
}

/// What is asked for, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The contractions.
    pub products: Vec<ContractionIndex>,
    /// The addends: sum, and which of its addends.
    pub addends: Vec<(usize, usize)>,
    /// The readings of parameters.
    pub reads: Vec<Read>,
    /// The factors of the updates.
    pub factors: Vec<Factor>,
    /// The updates.
    pub groups: Vec<UpdateGroup>,
}

impl Schedule {
    /// The order for these sums and parameters.
    pub fn new(sums: &[Sum], parameters: &[Parameter]) -> Self {
        let mut schedule = Self::default();
        for (sum, claimed) in sums.iter().enumerate() {
            for (index, contraction) in claimed.contractions.iter().enumerate() {
                let product = schedule.products.len();
                schedule.products.push(ContractionIndex { sum, index });
                let (inner, outer) = (At::Inner(product), At::Column(sum));
                let (row, column) = if contraction.transposed { (outer, inner) } else { (inner, outer) };
                schedule.reads_parameter(contraction.parameter, Reader::Product(product), Some(row), column);
            }
            for (index, (addend, _)) in claimed.addends.iter().enumerate() {
                schedule.addends.push((sum, index));
                if let Addend::Parameter(parameter) = addend {
                    let reader = Reader::Addend { index: schedule.addends.len() - 1, sum };
                    schedule.reads_parameter(*parameter, reader, None, At::Column(sum));
                }
            }
        }
        for read in 0..schedule.reads.len() {
            let Read { parameter, row, column, .. } = schedule.reads[read];
            for update in &parameters[parameter].updates {
                let left = match (&update.left, row) {
                    (Some(form), Some(at)) => Some(schedule.factor(form, at)),
                    _ => None,
                };
                let right = schedule.factor(&update.right, column);
                let term = UpdateTerm { read, left, exponent: update.exponent };
                match schedule.groups.iter_mut().find(|group| group.right == right) {
                    Some(group) => group.terms.push(term),
                    None => schedule.groups.push(UpdateGroup { right, terms: vec![term] }),
                }
            }
        }
        schedule
    }

    fn reads_parameter(&mut self, parameter: usize, reader: Reader, row: Option<At>, column: At) {
        let first = !self.reads.iter().any(|read| read.parameter == parameter);
        self.reads.push(Read { parameter, reader, row, column, first });
    }

    fn factor(&mut self, form: &Form, at: At) -> usize {
        let known = self.factors.iter().position(|factor| factor.at == at && factor.form == *form);
        known.unwrap_or_else(|| {
            self.factors.push(Factor { form: form.clone(), at });
            self.factors.len() - 1
        })
    }

    /// Evaluations of parameters that are asked for.
    pub fn parameter_evaluations(&self) -> usize {
        self.reads.iter().map(|read| if read.first { 2 } else { 1 }).sum()
    }
}
