//! A dense layer.

use super::operator::{Backward, Operator, Settings};
use crate::program::{Builder, Edge, GraphError, Role, Unrounded, Update};

/// Weights at an end of the segment, (input, output).
pub const WEIGHT: Role = Role::new(2, "weight");
/// Biases at an end of the segment.
pub const BIAS: Role = Role::new(3, "bias");

/// `U = X·W + 2^a·b`, not rounded: whoever takes it rounds it.
///
/// ```text
/// V = G·Wᵀ        W -= c·Xᵀ·G        b -= c·2^a·Σ_rows G
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Columns of the output.
    pub outputs: usize,
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn settings(&self) -> Settings {
        Settings::from([("outputs", self.outputs as u32)])
    }

    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
        let [x] = builder.inputs(inputs)?;
        let x = builder.signal(x)?;
        let outputs = self.outputs;
        let weight = builder.parameter(WEIGHT, Some(x.columns), outputs);
        let bias = builder.parameter(BIAS, None, outputs);
        let product = Unrounded::product(&x, weight, outputs, false, builder.weight_bits());
        let forward = product.plus_parameter(bias, x.scale);
        let backward = move |builder: &mut Builder, gradient: Unrounded| {
            let g = builder.gradient(gradient)?;
            let (left, right) = (Some(x.form.clone()), g.form.clone());
            let exponent = builder.update_exponent(x.scale + g.scale)?;
            builder.update(weight, Update { left, right: right.clone(), exponent });
            let exponent = builder.update_exponent(g.scale)?;
            builder.update(bias, Update { left: None, right, exponent });
            Ok(vec![Unrounded::product(&g, weight, x.columns, true, builder.weight_bits())])
        };
        Ok((Edge::Sum(forward), Box::new(backward)))
    }
}
