//! What an operator says of itself.

use std::fmt::Debug;

use crate::program::{Builder, Edge, GraphError, Unrounded};

/// What a node of a graph computes.
pub trait Operator: Debug + Send + Sync {
    /// Its name in messages, and in the canonical bytes of a graph.
    fn name(&self) -> &'static str;

    /// Its parameters in the canonical bytes of a graph.
    fn encode(&self) -> Vec<u8>;

    /// Emits what the forward pass computes; the output, and what emits the backward pass.
    ///
    /// # Errors
    /// The inputs do not fit.
    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError>;
}

/// Emits the backward pass of a node: from the unrounded gradient at its output to those at its inputs, in their order.
pub type Backward = Box<dyn FnOnce(&mut Builder, Unrounded) -> Result<Vec<Unrounded>, GraphError>>;
