//! What operators emit primitives to.

use std::sync::Arc;

use super::computation::{Computation, Output, Round, RowFunction};
use super::contents::{Classified, Program};
use super::edge::{Edge, Signal, Unrounded};
use super::error::GraphError;
use super::form::{Form, Spread};
use super::lookup::{LookUp, limb_ranges};
use super::primitive::{Addend, Claimed, Identity, Parameter, Pointwise, Rounding, Sum, Total, Update};
use super::table::Table;
use super::tensor::{End, Role, Tensor};
use crate::network::precision::{Precision, limb_widths, log2_ceil};

/// Bits of a value or gradient.
pub const VALUE_BITS: u32 = 16;
/// Most forms of a tuple: each has a power of the combining challenge, and the table the next one.
const MAX_TUPLE: usize = 3;

/// Most limbs of a remainder.
const MOST_LIMBS: usize = 8;
/// Most bits that are rounded away: sums have 63.
const MAX_SHIFT: u32 = 62;
/// Bits of the factors of a form, added: with values of 16 bits it has less than 31.
const MAX_FACTOR_BITS: u32 = 14;

/// A value that no operator names, its limbs, and what they are of.
const VALUE: Rounded = Rounded {
    product: Role::new(26, "unrounded value"),
    quotient: Role::new(24, "value"),
    limb: Role::new(25, "limb of a value"),
};

/// The roles of what a rounding leaves.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    /// What is rounded; not committed.
    pub product: Role,
    /// What comes out.
    pub quotient: Role,
    /// Limbs of the remainder.
    pub limb: Role,
}

/// A program under construction, and the node that emits to it.
#[derive(Debug)]
pub struct Builder {
    precision: Precision,
    samples: usize,
    node: usize,
    operator: &'static str,
    /// With the nodes that they are of.
    lookups: Vec<(usize, LookUp)>,
    pointwise: Vec<(usize, Pointwise)>,
    identities: Vec<(usize, Identity)>,
    sums: Vec<(usize, Sum)>,
    parameters: Vec<Parameter>,
    /// With the trailing coordinates of (sample, column) that they lack.
    committed: Vec<(Tensor, usize, usize)>,
    computations: Vec<Computation>,
    forward: usize,
    classified: Option<Classified>,
    /// The first that an operator did wrong.
    refused: Option<GraphError>,
}

impl Builder {
    /// Nothing yet, for tensors of `2^samples` rows.
    pub(crate) fn new(precision: Precision, samples: usize) -> Self {
        Self {
            precision,
            samples,
            node: 0,
            operator: "",
            lookups: vec![],
            pointwise: vec![],
            identities: vec![],
            sums: vec![],
            parameters: vec![],
            committed: vec![],
            computations: vec![],
            forward: 0,
            classified: None,
            refused: None,
        }
    }

    /// What is emitted from here on is of this node.
    pub(crate) fn turn_to(&mut self, node: usize, operator: &'static str) {
        (self.node, self.operator) = (node, operator);
    }

    /// What is evaluated from here on is of the backward pass.
    pub(crate) fn begin_backward(&mut self) {
        self.forward = self.computations.len();
    }

    /// The program, its primitives in the order of the nodes.
    ///
    /// # Errors
    /// An operator emitted what would not be proved.
    pub(crate) fn finish(mut self) -> Result<Program, GraphError> {
        self.check();
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        self.lookups.sort_by_key(|(node, _)| *node);
        self.pointwise.sort_by_key(|(node, _)| *node);
        self.identities.sort_by_key(|(node, _)| *node);
        self.sums.sort_by_key(|(node, sum)| (sum.claimed == Claimed::Operand, *node));
        fn untagged<T>(list: Vec<(usize, T)>) -> Vec<T> {
            list.into_iter().map(|(_, item)| item).collect()
        }
        Ok(Program {
            lookups: untagged(self.lookups),
            pointwise: untagged(self.pointwise),
            identities: untagged(self.identities),
            sums: untagged(self.sums),
            parameters: self.parameters,
            committed: self.committed.into_iter().map(|(tensor, vars, _)| (tensor, vars)).collect(),
            computations: self.computations,
            forward: self.forward,
            classified: self.classified,
        })
    }

    /// Notes what would leave something unproved, if operators emitted it.
    fn check(&mut self) {
        let mut wrong: Vec<(usize, String)> = Vec::new();
        // Padded columns would hold a constant, too; and kernels compute forms in 32 bits.
        let entries = |form: &Form| {
            let factors: u128 = form.terms.iter().map(|(_, factor, _)| u128::from(factor.unsigned_abs())).sum();
            let shapes = form.terms.iter().all(|(_, factor, spread)| *spread == Spread::Entry && *factor != 0);
            shapes && form.constant == 0 && !form.terms.is_empty() && factors < 1 << MAX_FACTOR_BITS
        };
        let mut read = vec![false; self.parameters.len()];
        for (node, sum) in &self.sums {
            let uses = self.pointwise.iter().flat_map(|(_, relation)| &relation.tensors);
            let uses = uses.filter(|(tensor, _)| *tensor == sum.tensor).count();
            if uses != usize::from(sum.claimed == Claimed::Operand) {
                wrong.push((*node, format!("{} is an operand {uses} times", sum.tensor)));
            }
            let mut forms: Vec<&Form> = sum.contractions.iter().map(|contraction| &contraction.factor).collect();
            let mut parameters: Vec<usize> = sum.contractions.iter().map(|contraction| contraction.parameter).collect();
            for (addend, _) in &sum.addends {
                match addend {
                    Addend::Form(form) => forms.push(form),
                    Addend::Parameter(index) => {
                        parameters.push(*index);
                        let shape = self.parameters.get(*index).map(|parameter| (parameter.rows, parameter.columns));
                        if shape != Some((None, sum.columns)) {
                            wrong.push((*node, format!("{} has an addend of another shape", sum.tensor)));
                        }
                    }
                }
            }
            if let Claimed::Rounded(rounding) = &sum.claimed {
                forms.push(&rounding.quotient);
            }
            for contraction in &sum.contractions {
                let Some(parameter) = self.parameters.get(contraction.parameter) else { continue };
                let [rows, columns] = [parameter.rows.unwrap_or(0), parameter.columns].map(log2_ceil);
                let shape = if contraction.transposed { [columns, rows] } else { [rows, columns] };
                if parameter.rows.is_none() || shape != [contraction.inner_vars, sum.column_vars()] {
                    wrong.push((*node, format!("{} has a product of another shape", sum.tensor)));
                }
            }
            if !forms.into_iter().all(entries) {
                wrong.push((*node, format!("{} has a term that is too large or not of its shape", sum.tensor)));
            }
            for parameter in parameters {
                match read.get_mut(parameter) {
                    Some(read) => *read = true,
                    None => wrong.push((*node, format!("{} has a parameter that is not there", sum.tensor))),
                }
            }
        }
        for (parameter, read) in self.parameters.iter().zip(read) {
            let [tensor, _] = parameter.ends;
            let mut forms = parameter.updates.iter().flat_map(|update| update.left.iter().chain([&update.right]));
            if !read {
                wrong.push((tensor.node(), format!("nothing reads {tensor}")));
            } else if !forms.all(entries) {
                wrong.push((
                    tensor.node(),
                    format!("an update of {tensor} has a term that is too large or not of its shape"),
                ));
            } else if parameter.updates.iter().any(|update| update.left.is_some() != parameter.rows.is_some()) {
                wrong.push((tensor.node(), format!("an update of {tensor} has another shape")));
            }
        }
        let ends = self.parameters.iter().flat_map(|parameter| parameter.ends);
        let named = ends.chain(self.committed.iter().map(|(tensor, ..)| *tensor));
        let mut named: Vec<Tensor> = named.chain(self.sums.iter().map(|(_, sum)| sum.tensor)).collect();
        named.sort();
        if let Some([twice, _]) = named.array_windows().find(|[one, next]| one == next) {
            wrong.push((twice.node(), format!("two tensors have the name {twice}")));
        }
        for (node, relation) in &self.pointwise {
            let rounds = relation.rounding.as_ref().is_none_or(|rounding| entries(&rounding.quotient));
            if !rounds || relation.formula.count() == 0 {
                wrong.push((*node, "a relation says nothing".into()));
            }
            if relation.degree().is_none_or(|degree| degree > 2) {
                wrong.push((*node, "a relation has a degree of more than two".into()));
            }
        }
        if let Some((node, what)) = wrong.into_iter().next() {
            self.turn_to(node, "lowering");
            self.refuse(what);
        }
    }

    /// Notes that this node did something wrong.
    fn refuse(&mut self, what: impl Into<String>) {
        let refused = self.refused(what);
        self.refused.get_or_insert(refused);
    }

    /// The precision.
    pub fn precision(&self) -> &Precision {
        &self.precision
    }

    /// Bits of weights after the binary point.
    pub fn weight_bits(&self) -> u32 {
        self.precision.weight_bits()
    }

    /// Bits of activations after the binary point.
    pub fn activation_bits(&self) -> u32 {
        self.precision.activation_bits
    }

    /// Bits of gradients after the binary point.
    pub fn gradient_bits(&self) -> u32 {
        self.precision.gradient_bits
    }

    /// The error that this node cannot be lowered.
    pub fn refused(&self, what: impl Into<String>) -> GraphError {
        GraphError::Refused { node: self.node, operator: self.operator, what: what.into() }
    }

    /// Exactly `N` inputs.
    ///
    /// # Errors
    /// There is another number.
    pub fn inputs<const N: usize>(&self, inputs: Vec<Edge>) -> Result<[Edge; N], GraphError> {
        let got = inputs.len();
        inputs.try_into().map_err(|_| self.refused(format!("{got} inputs, expected {N}")))
    }

    /// The tensor with this role at this node.
    pub fn tensor(&self, role: Role) -> Tensor {
        role.at(self.node)
    }

    /// Variables of rows and columns of a tensor of so many columns.
    pub fn shape(&self, columns: usize) -> [usize; 2] {
        [self.samples, log2_ceil(columns)]
    }

    /// A parameter of this node; a vector where it has no rows.
    pub fn parameter(&mut self, role: Role, rows: Option<usize>, columns: usize) -> usize {
        if rows == Some(0) || columns == 0 {
            self.refuse("a parameter of no columns or rows");
        }
        let ends = [End::First, End::Last].map(|end| role.end(self.node, end));
        self.parameters.push(Parameter { ends, rows, columns, updates: vec![] });
        self.parameters.len() - 1
    }

    /// Power of two that brings a product of `bits` bits after the binary point, times the rate, to the scale of parameters.
    ///
    /// # Errors
    /// It has more bits than they.
    pub fn update_exponent(&self, bits: u32) -> Result<u32, GraphError> {
        let exponent = self.weight_bits().checked_sub(self.precision.rate_bits + bits);
        exponent.ok_or_else(|| self.refused(format!("an update of {bits} bits is finer than its parameter")))
    }

    /// What a step takes off a parameter.
    pub fn update(&mut self, parameter: usize, update: Update) {
        if let Some(parameter) = self.parameters.get_mut(parameter) {
            parameter.updates.push(update);
        }
    }

    /// Tuples of forms over `columns` columns are in a table.
    pub fn lookup(&mut self, table: Table, columns: usize, tuple: Vec<Form>) {
        let [rows, column_vars] = self.shape(columns);
        let vars = rows + column_vars;
        if !(1..=MAX_TUPLE).contains(&tuple.len()) {
            self.refuse(format!("a tuple of {} forms is looked up, expected 1 to {MAX_TUPLE}", tuple.len()));
        }
        let terms = || tuple.iter().flat_map(|form| &form.terms);
        for &(tensor, _, spread) in terms() {
            match spread {
                Spread::Entry => self.committed_once(tensor, vars, 0),
                Spread::Sample { .. } => self.committed_once(tensor, rows, column_vars),
            }
        }
        let spread = terms().any(|(_, _, spread)| *spread != Spread::Entry);
        let column_vars = if spread { column_vars } else { 0 };
        self.lookups.push((self.node, LookUp { table, vars, column_vars, tuple }));
    }

    /// `tensor + shift` lies in `[0, 2^bits)`.
    pub fn range(&mut self, tensor: Tensor, bits: u32, shift: i64, columns: usize) {
        self.lookup(Table::Range(bits), columns, vec![Form::shifted(tensor, shift)]);
    }

    /// A tensor that no look-up commits.
    pub fn commit(&mut self, tensor: Tensor, columns: usize) {
        let [rows, column_vars] = self.shape(columns);
        self.committed_once(tensor, rows + column_vars, 0);
    }

    fn committed_once(&mut self, tensor: Tensor, vars: usize, skipped: usize) {
        // Data are committed by the requester.
        if [Tensor::input(), Tensor::labels()].contains(&tensor) {
            return;
        }
        match self.committed.iter().find(|(known, ..)| *known == tensor) {
            None => self.committed.push((tensor, vars, skipped)),
            Some(known) if *known == (tensor, vars, skipped) => {}
            Some(_) => self.refuse(format!("{tensor} has two shapes")),
        }
    }

    /// A tensor is zero in its padded columns, if it has any.
    pub fn pad(&mut self, tensor: Tensor, columns: usize) {
        let shape = self.shape(columns);
        if columns < 1 << shape[1] {
            self.pointwise(Pointwise::padding(tensor, shape, columns, None));
        }
    }

    /// Relations that hold entry by entry.
    pub fn pointwise(&mut self, relation: Pointwise) {
        self.pointwise.push((self.node, relation));
    }

    /// The sum of a tensor over its columns, for each sample.
    pub fn sum(&mut self, tensor: Tensor, column_vars: usize, total: Total) {
        self.identities.push((self.node, Identity::Sum { tensor, column_vars, skipped: column_vars, total }));
    }

    /// What says how rows are classified.
    pub fn classify(&mut self, selector: Tensor, probability: Tensor) {
        self.classified = Some(Classified { selector, probability });
    }

    /// What fills tensors.
    pub fn compute(&mut self, function: Arc<dyn RowFunction>, inputs: Vec<(Form, usize)>, outputs: Vec<Output>) {
        self.computations.push(Computation::Rows { function, inputs, outputs });
    }

    /// Rounds a sum to `scale` bits after the binary point: proves that `quotient`, whose range the caller looks up, is what
    /// comes out. What is evaluated is the tensor with the role for it.
    ///
    /// # Errors
    /// The sum has fewer bits.
    pub fn round(&mut self, sum: Unrounded, names: Rounded, quotient: Form, scale: u32) -> Result<Form, GraphError> {
        let rounded = self.tensor(names.quotient);
        self.round_part(sum, names, 0, quotient, scale)?;
        Ok(Form::of(rounded))
    }

    fn round_part(
        &mut self,
        sum: Unrounded,
        names: Rounded,
        part: usize,
        quotient: Form,
        scale: u32,
    ) -> Result<(), GraphError> {
        let [product, rounded] = [names.product, names.quotient].map(|role| role.part(self.node, part));
        let (shift, columns) = (self.shift(&sum, scale)?, sum.columns);
        let limbs = self.limbs(shift, names.limb, part, columns);
        let claimed = Claimed::Rounded(Rounding { quotient, shift, limbs: limbs.clone() });
        self.unrounded(sum, product, claimed);
        let round = Round { sum: product, mask: None, shift, columns, quotient: rounded, limbs };
        self.computations.push(Computation::Round(round));
        Ok(())
    }

    /// Rounds `mask·sum` to the tensor `quotient` at `scale`; the sum is the tensor `product`.
    ///
    /// # Errors
    /// The sum has fewer bits.
    pub fn round_masked(
        &mut self,
        sum: Unrounded,
        mask: Tensor,
        product: Tensor,
        quotient: Tensor,
        limb: Role,
        scale: u32,
    ) -> Result<(), GraphError> {
        let (shift, columns) = (self.shift(&sum, scale)?, sum.columns);
        self.range(quotient, VALUE_BITS, 1 << (VALUE_BITS - 1), columns);
        let limbs = self.limbs(shift, limb, 0, columns);
        self.unrounded(sum, product, Claimed::Operand);
        let round = Round { sum: product, mask: Some(mask), shift, columns, quotient, limbs: limbs.clone() };
        self.computations.push(Computation::Round(round));
        let rounding = Rounding { quotient: Form::of(quotient), shift, limbs };
        self.pointwise(Pointwise::masked(mask, product, self.shape(columns), rounding));
        Ok(())
    }

    /// An input as a form of committed tensors: rounded here if it is a sum.
    ///
    /// # Errors
    /// The sum has too few bits.
    pub fn signal(&mut self, edge: Edge) -> Result<Signal, GraphError> {
        let scale = self.activation_bits();
        match edge {
            Edge::Signal(signal) => Ok(signal),
            Edge::Sum(sum) => self.rounded(sum, scale),
        }
    }

    /// A gradient as a form of committed tensors: rounded here if it is none.
    ///
    /// # Errors
    /// It has too few bits.
    pub fn gradient(&mut self, gradient: Unrounded) -> Result<Signal, GraphError> {
        let scale = self.gradient_bits();
        gradient.signal().map_or_else(|| self.rounded(gradient, scale), Ok)
    }

    fn rounded(&mut self, sum: Unrounded, scale: u32) -> Result<Signal, GraphError> {
        // Inputs and gradient of one node may all be rounded here.
        let part = self.sums.iter().filter(|(node, _)| *node == self.node).count();
        let (value, columns) = (VALUE.quotient.part(self.node, part), sum.columns);
        self.range(value, VALUE_BITS, 1 << (VALUE_BITS - 1), columns);
        self.round_part(sum, VALUE, part, Form::of(value), scale)?;
        self.pad(value, columns);
        Ok(Signal { form: Form::of(value), columns, scale })
    }

    fn shift(&self, sum: &Unrounded, scale: u32) -> Result<u32, GraphError> {
        let shift = sum.scale.checked_sub(scale).filter(|shift| (1..=MAX_SHIFT).contains(shift));
        shift.ok_or_else(|| self.refused(format!("{} bits cannot be rounded to {scale}", sum.scale)))
    }

    fn limbs(&mut self, shift: u32, limb: Role, part: usize, columns: usize) -> Vec<(Tensor, u32)> {
        let limb = |(i, bits)| (limb.part(self.node, MOST_LIMBS * part + i), bits);
        let limbs: Vec<(Tensor, u32)> = limb_widths(shift).into_iter().enumerate().map(limb).collect();
        for (tensor, bits, shift) in limb_ranges(&limbs) {
            self.range(tensor, bits, shift, columns);
        }
        limbs
    }

    fn unrounded(&mut self, sum: Unrounded, tensor: Tensor, claimed: Claimed) {
        let Unrounded { contractions, addends, columns, .. } = sum;
        self.sums.push((self.node, Sum { tensor, claimed, columns, contractions, addends }));
        self.computations.push(Computation::Sum(tensor));
    }
}
