//! Operators: what a node of a graph computes, forward and backward, and by which primitives that is proved.
//!
//! An operator is one file. It declares its tensors, lowers itself to primitives through a [`Builder`](crate::program::Builder), and gives the exact
//! integer functions that fill its tensors. Beside that, only graphs and the list of what a written graph may name have it: trainer, witness, argument, circuit and the count of
//! soundness interpret the primitives.

mod dense;
mod named;
mod operator;
mod relu;
mod softmax_cross_entropy;

pub use dense::{BIAS, Dense, WEIGHT};
pub use named::{UnknownOperator, named};
pub use operator::{Backward, Operator, Settings};
pub use relu::{
    ACTIVATION, BACKWARD_LIMB, BACKWARD_PRODUCT, DERIVATIVE, FORWARD_LIMB, GRADIENT, NEGATIVE, PRE_ACTIVATION, Relu,
};
pub use softmax_cross_entropy::{
    EXPONENTIAL, LOGIT, LOGIT_GRADIENT, MAXIMUM, PROBABILITY, REMAINDER, SELECTOR, SUM, SoftmaxCrossEntropy,
};
