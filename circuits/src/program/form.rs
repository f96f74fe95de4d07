//! Linear forms of tensors.

use std::borrow::Cow;

use super::tensor::Tensor;

/// How a tensor enters a form over (sample, column).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spread {
    /// It has the form's own shape.
    Entry,
    /// It has one value a sample.
    Sample {
        /// The value counts in the first so many columns only.
        columns: usize,
    },
}

/// A linear form of tensors: `constant + Σ factor · tensor`. It is never committed: claims on it are claims on its tensors.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    /// Terms.
    pub terms: Vec<(Tensor, i64, Spread)>,
    /// Constant.
    pub constant: i64,
}

impl Form {
    /// The tensor itself.
    pub fn of(tensor: Tensor) -> Self {
        Self::shifted(tensor, 0)
    }

    /// `tensor + constant`.
    pub fn shifted(tensor: Tensor, constant: i64) -> Self {
        Self { terms: vec![(tensor, 1, Spread::Entry)], constant }
    }

    /// `plus - minus`.
    pub fn difference(plus: Tensor, minus: Tensor) -> Self {
        Self { terms: vec![(plus, 1, Spread::Entry), (minus, -1, Spread::Entry)], constant: 0 }
    }

    /// The tensor that it is, if it is only one.
    pub fn tensor(&self) -> Option<Tensor> {
        match self.terms[..] {
            [(tensor, 1, Spread::Entry)] if self.constant == 0 => Some(tensor),
            _ => None,
        }
    }

    /// The form over whole tensors of its shape, in integers of 32 bits.
    ///
    /// # Errors
    /// That of `of`, which gives the tensors.
    pub fn evaluate<'a, E>(&self, of: impl Fn(Tensor) -> Result<&'a [i32], E>) -> Result<Cow<'a, [i32]>, E> {
        if let Some(tensor) = self.tensor() {
            return Ok(Cow::Borrowed(of(tensor)?));
        }
        let mut sum: Vec<i32> = Vec::new();
        for &(tensor, factor, _) in &self.terms {
            let values = of(tensor)?;
            sum.resize(values.len(), self.constant as i32);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor as i32 * value);
        }
        Ok(Cow::Owned(sum))
    }

    /// The form with a constant added.
    pub fn plus_constant(mut self, constant: i64) -> Self {
        self.constant += constant;
        self
    }

    /// The sum of two forms.
    pub fn plus(mut self, other: &Self) -> Self {
        self.constant = self.constant.saturating_add(other.constant);
        for &(tensor, factor, spread) in &other.terms {
            match self.terms.iter_mut().find(|(known, _, as_known)| (*known, *as_known) == (tensor, spread)) {
                Some((_, sum, _)) => *sum = sum.saturating_add(factor),
                None => self.terms.push((tensor, factor, spread)),
            }
        }
        self.terms.retain(|(_, factor, _)| *factor != 0);
        self
    }
}
