//! All primitives of a program.

use super::computation::Computation;
use super::lookup::LookUp;
use super::primitive::{Identity, Parameter, Pointwise, Sum};
use super::tensor::Tensor;

/// The primitives of a segment, in the order in which they are proved.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What is looked up.
    pub lookups: Vec<LookUp>,
    /// What holds entry by entry.
    pub pointwise: Vec<Pointwise>,
    /// What holds at the leaf point.
    pub identities: Vec<Identity>,
    /// Products with what is added to them: first those that are claimed at the leaf point.
    pub sums: Vec<Sum>,
    /// The parameters that they read.
    pub parameters: Vec<Parameter>,
    /// Committed tensors with their variables, but for data, parameters, multiplicities and tables.
    pub committed: Vec<(Tensor, usize)>,
    /// How the tensors are filled: first the forward pass.
    pub computations: Vec<Computation>,
    /// Computations of the forward pass.
    pub forward: usize,
    /// What says how rows are classified, if the loss does that.
    pub classified: Option<Classified>,
}

/// The tensors that say how rows are classified, over the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// One at the class that is chosen.
    pub selector: Tensor,
    /// Probabilities, at the scale of gradients.
    pub probability: Tensor,
}

impl Program {
    /// The sum of this name.
    pub fn sum(&self, tensor: Tensor) -> Option<&Sum> {
        self.sums.iter().find(|sum| sum.tensor == tensor)
    }

    /// True for a sum that the backward pass evaluates.
    pub fn is_backward(&self, sum: &Sum) -> bool {
        let is_sum =
            |computation: &Computation| matches!(computation, Computation::Sum(tensor) if *tensor == sum.tensor);
        self.computations.iter().skip(self.forward).any(is_sum)
    }
}
