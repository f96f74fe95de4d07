//! What is proved of data and first parameters once, when they are registered.

use super::contents::Contents;
use super::layout::Group;
use crate::graph::Graph;
use crate::network::precision::log2_ceil;
use crate::program::{Form, Identity, LookUp, Mask, Pointwise, Program, Table, Tensor, Total, VALUE_BITS, limb_ranges};

/// Bits of each limb of a registered parameter.
pub const PARAMETER_LIMB_BITS: u32 = 16;
/// Limbs of a registered parameter: it lies in `[-2^47, 2^47)`.
pub const PARAMETER_LIMBS: usize = 3;

/// `tensor + shift` lies in `[0, 2^bits)`.
fn range(tensor: Tensor, bits: u32, shift: i64, vars: usize) -> LookUp {
    LookUp { table: Table::Range(bits), vars, column_vars: 0, tuple: vec![Form::shifted(tensor, shift)] }
}

/// The relations of the data of one position of `2^samples` rows.
pub(super) fn data(graph: &Graph, samples: usize) -> Contents {
    let (inputs, labels) = (log2_ceil(graph.inputs), log2_ceil(graph.labels));
    let program = Program {
        lookups: vec![range(Tensor::input(), VALUE_BITS, 1 << (VALUE_BITS - 1), samples + inputs)],
        pointwise: vec![
            Pointwise::padding(Tensor::input(), [samples, inputs], graph.inputs, Some(Mask::Live)),
            Pointwise::bits(Tensor::labels(), [samples, labels], graph.labels),
        ],
        identities: vec![Identity::Sum {
            tensor: Tensor::labels(),
            column_vars: labels,
            skipped: inputs,
            total: Total::Live,
        }],
        ..Program::default()
    };
    Contents { program, groups: vec![(Group::Data, graph.data(samples)), (Group::Trace, vec![])] }
}

/// The relations of the first parameters of a program.
pub(super) fn parameters(segment: &Program) -> Contents {
    let mut program = Program::default();
    let (mut tensors, mut trace) = (Vec::new(), Vec::new());
    for parameter in &segment.parameters {
        let (tensor, vars) = (parameter.ends[0], parameter.vars());
        let limbs: Vec<(Tensor, u32)> = parameter_limbs(tensor).map(|limb| (limb, PARAMETER_LIMB_BITS)).collect();
        for (limb, bits, shift) in limb_ranges(&limbs) {
            program.lookups.push(range(limb, bits, shift, vars));
            trace.push((limb, vars));
        }
        let shape = [parameter.row_vars(), parameter.column_vars()];
        let rows = parameter.rows.map(Mask::Rows);
        program.pointwise.push(Pointwise::padding(tensor, shape, parameter.columns, rows));
        program.identities.push(Identity::Limbs { tensor, vars, limbs });
        tensors.push((tensor, vars));
    }
    Contents { program, groups: vec![(Group::First, tensors), (Group::Trace, trace)] }
}

/// The limbs of a registered parameter, lowest first.
pub fn parameter_limbs(tensor: Tensor) -> impl Iterator<Item = Tensor> {
    (0..PARAMETER_LIMBS).map(move |limb| tensor.role().limb().part(tensor.node(), limb))
}
