//! A network as a graph of operators, and its lowering to primitives: forward, then backward.

use std::sync::Arc;

use crate::network::architecture::Architecture;
use crate::network::precision::{Precision, log2_ceil};
use crate::operators::{Backward, Dense, Operator, Relu, SoftmaxCrossEntropy};
use crate::program::{Builder, Edge, Form, GraphError, Program, Signal, Tensor, Unrounded};

/// Where an input of a node comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The rows of the data.
    Input,
    /// Their labels, one-hot.
    Labels,
    /// The output of a node before it.
    Node(usize),
}

/// An operator with its inputs.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub operator: Arc<dyn Operator>,
    /// From what.
    pub inputs: Vec<Source>,
}

/// A network with its loss, which is the last node.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Columns of the input.
    pub inputs: usize,
    /// Columns of the labels.
    pub labels: usize,
    /// The nodes, each after those whose outputs it takes.
    pub nodes: Vec<Node>,
    /// Scales of the tensors.
    pub precision: Precision,
}

impl Graph {
    /// A multilayer perceptron: dense layers with ReLU between them, then softmax with the cross-entropy.
    pub fn perceptron(architecture: &Architecture) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let last = architecture.layers();
        for (l, &outputs) in architecture.widths.iter().enumerate().skip(1) {
            let before = nodes.len().checked_sub(1).map_or(Source::Input, Source::Node);
            nodes.push(Node { operator: Arc::new(Dense { outputs }), inputs: vec![before] });
            let product = Source::Node(nodes.len() - 1);
            nodes.push(if l < last {
                Node { operator: Arc::new(Relu), inputs: vec![product] }
            } else {
                Node { operator: Arc::new(SoftmaxCrossEntropy), inputs: vec![product, Source::Labels] }
            });
        }
        let (inputs, labels) = (architecture.widths[0], architecture.classes());
        Self { inputs, labels, nodes, precision: architecture.precision }
    }

    /// The program of a segment of `2^samples` rows.
    ///
    /// # Errors
    /// An operator does not take its inputs; a node takes the output of a later one; an output is not used, or never changes a
    /// parameter.
    pub fn lower(&self, samples: usize) -> Result<Program, GraphError> {
        let mut builder = Builder::new(self.precision, samples);
        if self.inputs == 0 || self.labels == 0 || self.nodes.is_empty() {
            return Err(builder.refused("there are no inputs, labels or nodes"));
        }
        let mut outputs: Vec<Edge> = Vec::new();
        let mut backwards: Vec<Backward> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            builder.turn_to(index, node.operator.name());
            let inputs = node.inputs.iter().map(|source| self.output(*source, &outputs));
            let inputs = inputs.collect::<Option<Vec<Edge>>>();
            let inputs =
                inputs.ok_or_else(|| builder.refused("it takes the output of a node that is not before it"))?;
            let (output, backward) = node.operator.lower(&mut builder, inputs)?;
            if output.columns() == 0 && index + 1 < self.nodes.len() {
                return Err(builder.refused("it has no output, and is not the last"));
            }
            outputs.push(output);
            backwards.push(backward);
        }

        builder.begin_backward();
        let mut gradients: Vec<Option<Unrounded>> = vec![None; self.nodes.len()];
        if let Some(loss) = gradients.last_mut() {
            *loss = Some(Unrounded::zero(0));
        }
        for (index, (node, backward)) in self.nodes.iter().zip(backwards).enumerate().rev() {
            builder.turn_to(index, node.operator.name());
            let gradient = gradients[index].take().ok_or_else(|| builder.refused("nothing takes its output"))?;
            let below = backward(&mut builder, gradient)?;
            let taken = node.inputs.iter().take_while(|source| **source != Source::Labels).count();
            if below.len() != taken {
                return Err(builder.refused(format!("{} gradients for {taken} inputs", below.len())));
            }
            for (source, gradient) in node.inputs.iter().zip(below) {
                if let Source::Node(before) = *source {
                    let columns = outputs.get(before).map_or(0, Edge::columns);
                    if gradient.columns != columns {
                        return Err(
                            builder.refused(format!("a gradient of {} columns, not {columns}", gradient.columns))
                        );
                    }
                    let sum = gradients[before].take();
                    gradients[before] = Some(match sum {
                        Some(sum) => sum.plus(gradient),
                        None => gradient,
                    });
                }
            }
        }
        builder.finish()
    }

    /// The tensors of `2^samples` rows of data, with their variables.
    pub fn data(&self, samples: usize) -> Vec<(Tensor, usize)> {
        vec![(Tensor::input(), samples + log2_ceil(self.inputs)), (Tensor::labels(), samples + log2_ceil(self.labels))]
    }

    fn output(&self, source: Source, outputs: &[Edge]) -> Option<Edge> {
        let data = |tensor: Tensor, columns: usize, scale: u32| {
            Some(Edge::Signal(Signal { form: Form::of(tensor), columns, scale }))
        };
        match source {
            Source::Input => data(Tensor::input(), self.inputs, self.precision.activation_bits),
            Source::Labels => data(Tensor::labels(), self.labels, 0),
            Source::Node(index) => outputs.get(index).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::WEIGHT;
    use crate::program::{Formula, Pointwise, Role, Rounded, Rounding, Table};

    /// Something that an operator must not emit.
    type Wrong = fn(&mut Builder, &Signal);

    /// A dense layer that emits something wrong besides.
    #[derive(Debug)]
    struct Careless(Wrong);

    impl Operator for Careless {
        fn name(&self) -> &'static str {
            "careless"
        }

        fn encode(&self) -> Vec<u8> {
            vec![]
        }

        fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
            let [x] = builder.inputs(inputs)?;
            let x = builder.signal(x)?;
            self.0(builder, &x);
            Dense { outputs: 2 }.lower(builder, vec![Edge::Signal(x)])
        }
    }

    const PRECISION: Precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 8 };
    const ROLE: Role = Role::new(99, "test");

    fn of(nodes: Vec<(Arc<dyn Operator>, Vec<Source>)>) -> Graph {
        let nodes = nodes.into_iter().map(|(operator, inputs)| Node { operator, inputs }).collect();
        Graph { inputs: 3, labels: 2, nodes, precision: PRECISION }
    }

    /// The graph of one such layer and the loss.
    fn careless(wrong: Wrong) -> Graph {
        let loss: Arc<dyn Operator> = Arc::new(SoftmaxCrossEntropy);
        of(vec![(Arc::new(Careless(wrong)), vec![Source::Input]), (loss, vec![Source::Node(0), Source::Labels])])
    }

    #[test]
    fn what_would_not_be_proved_is_refused_by_name() {
        assert!(careless(|_, _| ()).lower(2).is_ok());
        let cases: [(Wrong, &str); 9] = [
            (|b, _| b.lookup(Table::Range(8), 2, vec![]), "a tuple of 0 forms is looked up"),
            (|b, x| b.lookup(Table::Range(8), 3, vec![x.form.clone(); 4]), "a tuple of 4 forms is looked up"),
            (
                |b, _| {
                    let tensor = b.tensor(ROLE);
                    b.commit(tensor, 2);
                    b.commit(tensor, 5);
                },
                "test 0.0 has two shapes",
            ),
            (|b, _| _ = b.parameter(ROLE, Some(3), 2), "nothing reads test 0.0"),
            (|b, _| _ = b.parameter(WEIGHT, Some(3), 2), "nothing reads weight 0.0"),
            (|b, _| b.commit(WEIGHT.at(0), 2), "two tensors have the name weight 0.0"),
            (
                |b, x| {
                    let sum = || Unrounded::product(x, 0, 2, false, 28);
                    let [mask, quotient, product] = [0, 1, 2].map(|part| ROLE.part(0, part));
                    let _ = b.round_masked(sum(), mask, product, quotient, Role::new(97, "limb"), 8);
                    b.pointwise(Pointwise::masked(mask, product, [2, 1], {
                        Rounding { quotient: Form::of(quotient), shift: 20, limbs: vec![] }
                    }));
                },
                "test 0.2 is an operand 2 times",
            ),
            (
                |b, _| {
                    let mut formula = Formula::default();
                    let x = formula.operand();
                    let square = formula.mul(x, x);
                    let cube = formula.mul(square, x);
                    formula.result(cube);
                    let tensors = vec![(Tensor::input(), false)];
                    let relation =
                        Pointwise { vars: 4, column_vars: 2, tensors, masks: vec![], formula, rounding: None };
                    b.pointwise(relation);
                },
                "a relation has a degree of more than two",
            ),
            (
                |b, x| {
                    let sum = Unrounded::product(x, 9, 2, false, 28);
                    let names =
                        Rounded { product: ROLE, quotient: Role::new(98, "other"), limb: Role::new(97, "limb") };
                    let _ = b.round(sum, names, Form::of(Tensor::input()), 8);
                },
                "test 0.0 has a parameter that is not there",
            ),
        ];
        for (wrong, message) in cases {
            let error = careless(wrong).lower(2).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    /// What an operator gives back is checked: a branch that has no gradient would not be trained.
    #[derive(Debug)]
    struct Forgetful(usize, usize);

    impl Operator for Forgetful {
        fn name(&self) -> &'static str {
            "forgetful"
        }

        fn encode(&self) -> Vec<u8> {
            vec![]
        }

        fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
            let Self(count, columns) = *self;
            let x = builder.signal(inputs[0].clone())?;
            let below = move |_: &mut Builder, _: Unrounded| Ok(vec![Unrounded::zero(columns); count]);
            Ok((Edge::Signal(x), Box::new(below)))
        }
    }

    #[test]
    fn gradients_that_are_missing_or_of_another_shape_are_refused_by_name() {
        for (count, columns, message) in
            [(1, 4, "1 gradients for 2 inputs"), (2, 3, "a gradient of 3 columns, not 4"), (3, 4, "3 gradients")]
        {
            let graph = of(vec![
                (Arc::new(Dense { outputs: 4 }), vec![Source::Input]),
                (Arc::new(Forgetful(count, columns)), vec![Source::Node(0), Source::Node(0)]),
                (Arc::new(Dense { outputs: 2 }), vec![Source::Node(1)]),
                (Arc::new(SoftmaxCrossEntropy), vec![Source::Node(2), Source::Labels]),
            ]);
            let error = graph.lower(2).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn empty_graphs_and_shapes_are_refused_by_name() {
        let loss = || -> Arc<dyn Operator> { Arc::new(SoftmaxCrossEntropy) };
        let dense = |outputs: usize| -> Arc<dyn Operator> { Arc::new(Dense { outputs }) };
        let labelled = |at: usize| vec![Source::Node(at), Source::Labels];
        for (graph, message) in [
            (of(vec![]), "there are no inputs, labels or nodes"),
            (Graph { inputs: 0, ..careless(|_, _| ()) }, "there are no inputs"),
            (of(vec![(dense(0), vec![Source::Input]), (loss(), labelled(0))]), "node 0, dense: it has no output"),
            (of(vec![(dense(5), vec![Source::Input]), (loss(), labelled(0))]), "2 labels for 5 logits"),
            (
                of(vec![
                    (dense(2), vec![Source::Input]),
                    (loss(), labelled(0)),
                    (dense(2), vec![Source::Node(1)]),
                    (loss(), labelled(2)),
                ]),
                "node 1, softmax_cross_entropy: it has no output, and is not the last",
            ),
        ] {
            let error = graph.lower(2).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn edges_that_do_not_fit_are_refused_by_name() {
        let dense = || -> Arc<dyn Operator> { Arc::new(Dense { outputs: 2 }) };
        let loss = || -> Arc<dyn Operator> { Arc::new(SoftmaxCrossEntropy) };
        let refused = |graph: Graph| graph.lower(2).expect_err("it does not fit").to_string();
        let labels = Source::Labels;
        for (graph, message) in [
            (vec![(dense(), vec![Source::Node(1)]), (loss(), vec![Source::Node(0), labels])], "not before it"),
            (vec![(dense(), vec![])], "node 0, dense: 0 inputs, expected 1"),
            (vec![(dense(), vec![Source::Input]), (loss(), vec![Source::Node(0)])], "1 inputs, expected 2"),
            (vec![(loss(), vec![Source::Input, labels])], "2 labels for 3 logits"),
            (
                vec![
                    (dense(), vec![Source::Input]),
                    (dense(), vec![Source::Input]),
                    (loss(), vec![Source::Node(1), labels]),
                ],
                "node 0, dense: nothing takes its output",
            ),
        ] {
            let error = refused(of(graph));
            assert!(error.contains(message), "{error}");
        }
    }

    /// The columns of data are the requester's alone.
    #[test]
    fn data_that_are_looked_up_are_committed_once() {
        let relu: Arc<dyn Operator> = Arc::new(Relu);
        let graph = of(vec![
            (relu, vec![Source::Input]),
            (Arc::new(Dense { outputs: 2 }), vec![Source::Node(0)]),
            (Arc::new(SoftmaxCrossEntropy), vec![Source::Node(1), Source::Labels]),
        ]);
        let program = graph.lower(2).expect("it fits");
        assert!(program.lookups.iter().any(|lookup| lookup.tuple[0].terms[0].0 == Tensor::input()));
        assert!(program.committed.iter().all(|(tensor, _)| *tensor != Tensor::input()));
        assert_eq!(program.parameters[0].ends[0], WEIGHT.at(1));
    }
}
