//! The rectified linear unit.

use std::sync::Arc;

use super::operator::{Backward, Operator, Settings};
use crate::network::arithmetic::relu;
use crate::program::{Builder, Edge, Form, GraphError, Output, Role, Rounded, RowFunction, Signal, Table, Unrounded};

/// Positive part `A = max(H, 0)` of a pre-activation.
pub const ACTIVATION: Role = Role::new(4, "activation");
/// Negative part `N = max(-H, 0)`: `H = A - N`.
pub const NEGATIVE: Role = Role::new(5, "negative part");
/// Derivative `m = [H > 0]`.
pub const DERIVATIVE: Role = Role::new(6, "derivative");
/// Gradient at the pre-activation.
pub const GRADIENT: Role = Role::new(7, "gradient");
/// Limbs of the remainder of the pre-activation.
pub const FORWARD_LIMB: Role = Role::new(8, "limb of the pre-activation");
/// Limbs of the remainder of the gradient.
pub const BACKWARD_LIMB: Role = Role::new(9, "limb of the gradient");
/// The gradient at the output, before rounding; not committed.
pub const BACKWARD_PRODUCT: Role = Role::new(10, "unrounded gradient");
/// The pre-activation before rounding; not committed.
const FORWARD_PRODUCT: Role = Role::new(22, "unrounded pre-activation");
/// The pre-activation; not committed.
pub const PRE_ACTIVATION: Role = Role::new(23, "pre-activation");

/// `A = max(H, 0)`, `G = round(m∘V)`.
///
/// # Soundness
/// The table holds `(h, max(h, 0), [h > 0])`, so activation and derivative are of the same key. A padded column has the
/// derivative zero: so it is off, and its gradient is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

#[derive(Debug)]
struct Rectified;

impl RowFunction for Rectified {
    fn apply(&self, inputs: &[&[i32]], outputs: &mut [&mut [i32]]) {
        let ([h], [activation, derivative, rest @ ..]) = (inputs, outputs) else { return };
        for (i, &h) in h.iter().enumerate() {
            let (value, positive) = relu(h as i16);
            (activation[i], derivative[i]) = (i32::from(value), i32::from(positive));
            if let [negative] = rest {
                negative[i] = i32::from(value) - h;
            }
        }
    }
}

impl Operator for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn settings(&self) -> Settings {
        Settings::new()
    }

    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
        let [x] = builder.inputs(inputs)?;
        let [a, n, m] = [ACTIVATION, NEGATIVE, DERIVATIVE].map(|role| builder.tensor(role));
        let columns = x.columns();
        let looked_up = |builder: &mut Builder, h: Form| {
            let tuple = vec![h.plus_constant(1 << 15), Form::of(a), Form::of(m)];
            builder.lookup(Table::Relu, columns, tuple);
        };
        let (h, outputs, scale) = match x {
            Edge::Sum(sum) => {
                let h = Form::difference(a, n);
                looked_up(builder, h.clone());
                let names = Rounded { product: FORWARD_PRODUCT, quotient: PRE_ACTIVATION, limb: FORWARD_LIMB };
                (builder.round(sum, names, h, builder.activation_bits())?, vec![a, m, n], builder.activation_bits())
            }
            Edge::Signal(x) if x.form.constant != 0 => {
                return Err(builder.refused("a padded column of a form with a constant is not zero"));
            }
            Edge::Signal(x) => {
                looked_up(builder, x.form.clone());
                (x.form, vec![a, m], x.scale)
            }
        };
        let outputs = outputs.into_iter().map(|tensor| Output::entries(tensor, columns, 0)).collect();
        builder.compute(Arc::new(Rectified), vec![(h, columns)], outputs);
        let output = Signal { form: Form::of(a), columns, scale };
        let backward = move |builder: &mut Builder, gradient: Unrounded| {
            let [g, v] = [GRADIENT, BACKWARD_PRODUCT].map(|role| builder.tensor(role));
            builder.round_masked(gradient, m, v, g, BACKWARD_LIMB, builder.gradient_bits())?;
            builder.pad(m, columns);
            Ok(vec![Unrounded::of(Signal { form: Form::of(g), columns, scale: builder.gradient_bits() })])
        };
        Ok((Edge::Signal(output), Box::new(backward)))
    }
}
