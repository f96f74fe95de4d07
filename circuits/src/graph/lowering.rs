//! From a graph to primitives: forward, then backward.

use super::{Graph, MAX_INPUTS, MAX_NODES, MAX_WIDTH, Source};
use crate::network::precision::log2_ceil;
use crate::operators::Backward;
use crate::program::{Builder, Edge, Form, GraphError, Program, Signal, Tensor, Unrounded};

impl Graph {
    /// The program of a segment of `2^samples` rows, for widths and scales that are in their ranges.
    ///
    /// # Errors
    /// A reserved field is not as by default; an operator does not take its inputs; a node takes the output of a later one; an
    /// output is not used, or never changes a parameter.
    pub(crate) fn lower(&self, samples: usize) -> Result<Program, GraphError> {
        let mut builder = Builder::new(self.precision, samples);
        if self.inputs == 0 || self.labels == 0 || self.nodes.is_empty() {
            return Err(builder.refused("there are no inputs, labels or nodes"));
        }
        if self.nodes.len() > MAX_NODES {
            return Err(builder.refused(format!("there are {} nodes, expected at most {MAX_NODES}", self.nodes.len())));
        }
        let (losses, momentum, base) = (self.losses.is_empty(), self.momentum.is_empty(), self.base.is_none());
        by_default(&builder, &[("losses", losses), ("momentum", momentum), ("base", base)])?;
        let mut outputs: Vec<Edge> = Vec::new();
        let mut backwards: Vec<Backward> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            builder.turn_to(index, node.operator.name());
            let (scales, rate_factor) = (node.scales.is_empty(), node.rate_factor == super::one());
            by_default(&builder, &[("scales", scales), ("rate_factor", rate_factor)])?;
            if node.inputs.len() > MAX_INPUTS {
                let what = format!("{} inputs, expected at most {MAX_INPUTS}", node.inputs.len());
                return Err(builder.refused(what));
            }
            let inputs = node.inputs.iter().map(|source| self.output(*source, &outputs));
            let inputs = inputs.collect::<Option<Vec<Edge>>>();
            let inputs =
                inputs.ok_or_else(|| builder.refused("it takes the output of a node that is not before it"))?;
            let (output, backward) = node.operator.lower(&mut builder, inputs)?;
            match output.columns() {
                0 if index + 1 < self.nodes.len() => {
                    return Err(builder.refused("it has no output, and is not the last"));
                }
                0..=MAX_WIDTH => {}
                columns => {
                    let what = format!("its output has {columns} columns, expected at most {MAX_WIDTH}");
                    return Err(builder.refused(what));
                }
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
                    let before = usize::from(before);
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
            Source::Node(index) => outputs.get(usize::from(index)).cloned(),
        }
    }
}

/// Refuses the first reserved field that is not as by default.
fn by_default(builder: &Builder, fields: &[(&str, bool)]) -> Result<(), GraphError> {
    let other = fields.iter().find(|(_, is_default)| !is_default);
    other.map_or(Ok(()), |(name, _)| Err(builder.refused(format!("`{name}` is reserved: nothing proves it yet"))))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Node;
    use super::*;
    use crate::network::precision::Precision;
    use crate::operators::{Dense, Operator, Relu, Settings, SoftmaxCrossEntropy, WEIGHT};
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

        fn settings(&self) -> Settings {
            Settings::new()
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
        let nodes = nodes.into_iter().map(|(operator, inputs)| Node::new(operator, inputs)).collect();
        Graph::new(3, 2, PRECISION, nodes)
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

        fn settings(&self) -> Settings {
            Settings::new()
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
        let labelled = |at: u16| vec![Source::Node(at), Source::Labels];
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

    /// Its input, added to itself so many times over.
    #[derive(Debug)]
    struct Twice;

    impl Operator for Twice {
        fn name(&self) -> &'static str {
            "twice"
        }

        fn settings(&self) -> Settings {
            Settings::new()
        }

        fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
            let [x, y] = builder.inputs(inputs)?;
            let (x, y) = (builder.signal(x)?, builder.signal(y)?);
            let sum = Signal { form: x.form.plus(&y.form), ..x };
            Ok((Edge::Signal(sum), Box::new(|_, gradient| Ok(vec![gradient.clone(), gradient]))))
        }
    }

    #[test]
    fn a_gradient_that_is_given_back_twice_does_not_grow_with_the_depth() {
        let twice = |at: u16| -> (Arc<dyn Operator>, Vec<Source>) { (Arc::new(Twice), vec![Source::Node(at); 2]) };
        let mut nodes: Vec<(Arc<dyn Operator>, Vec<Source>)> =
            vec![(Arc::new(Dense { outputs: 4 }), vec![Source::Input]), (Arc::new(Relu), vec![Source::Node(0)])];
        nodes.extend((1..13).map(twice));
        nodes.push((Arc::new(Dense { outputs: 2 }), vec![Source::Node(13)]));
        nodes.push((Arc::new(SoftmaxCrossEntropy), vec![Source::Node(14), Source::Labels]));
        let program = of(nodes).lower(2).expect("it fits");
        let contractions: Vec<usize> = program.sums.iter().map(|sum| sum.contractions.len()).collect();
        assert_eq!(contractions, [1, 1, 1]);
        assert!(program.sums.iter().any(|sum| sum.contractions[0].exponent == 12), "doubled twelve times");
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
