//! What an operator says of itself.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::RefUnwindSafe;

use crate::program::{Builder, Edge, GraphError, Unrounded};

/// Numbers by name.
pub type Settings = BTreeMap<&'static str, u32>;

/// What a node of a graph computes.
pub trait Operator: Debug + Send + Sync + RefUnwindSafe {
    /// Its name in messages and in the bytes of a graph.
    fn name(&self) -> &'static str;

    /// All that it is besides, in the bytes of a graph.
    fn settings(&self) -> Settings;

    /// Emits what the forward pass computes; the output, and what emits the backward pass.
    ///
    /// # Errors
    /// The inputs do not fit.
    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError>;
}

/// Emits the backward pass of a node: from the unrounded gradient at its output to those at its inputs, in their order.
pub type Backward = Box<dyn FnOnce(&mut Builder, Unrounded) -> Result<Vec<Unrounded>, GraphError>>;
