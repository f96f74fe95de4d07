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
        let mut outputs: Vec<Edge> = Vec::new();
        let mut backwards: Vec<Backward> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            builder.turn_to(index, node.operator.name());
            let inputs = node.inputs.iter().map(|source| self.output(*source, &outputs));
            let inputs = inputs.collect::<Option<Vec<Edge>>>();
            let inputs =
                inputs.ok_or_else(|| builder.refused("it takes the output of a node that is not before it"))?;
            let (output, backward) = node.operator.lower(&mut builder, inputs)?;
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
            for (source, gradient) in node.inputs.iter().zip(below) {
                if let Source::Node(before) = *source {
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
    use crate::program::{Formula, Pointwise, Role, Rounded, Table};

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
        let cases: [(Wrong, &str); 7] = [
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
            (
                |b, x| {
                    let sum = || Unrounded::product(x, 0, 2, false, 28);
                    let [mask, quotient, product] = [0, 1, 2].map(|part| ROLE.part(0, part));
                    // No relation says what comes of it.
                    let _ = b.round_masked(sum(), mask, product, quotient, ROLE, 8);
                },
                "test 0.2 is an operand 0 times",
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
            (vec![(loss(), vec![Source::Input, labels])], "logits are those of a layer"),
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
