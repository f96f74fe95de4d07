//! An operator that lives here alone, a residual addition: trained, proved, wrapped, and verified natively and by the contract.

use std::collections::BTreeSet;
use std::sync::Arc;

use ark_bn254::Fr;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Strict};
use gradproof_circuits::graph::{Graph, Node, Source};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::operators::{Backward, Dense, Operator, Relu, Settings, SoftmaxCrossEntropy};
use gradproof_circuits::program::{Addend, Builder, Edge, GraphError, Program, Publics, Signal, Unrounded};
use gradproof_circuits::relations::{Group, Relations, Subject};
use gradproof_circuits::trace::SegmentTrace;
use gradproof_evm::{ChainProof, segment};
use gradproof_prover::prove::{Inputs, Proved, prove};
use gradproof_prover::randomness::fresh;
use gradproof_prover::registration::{
    Blinding, commit_data, commit_parameters, data_paths, data_tree, register_parameters,
};
use gradproof_prover::witness::Witness;
use gradproof_prover::wrap::{Wrapper, Wrappers};
use gradproof_tests::forge::{SEED, count};
use gradproof_tests::judges::{Careless, Recorder};
use gradproof_tests::networks::perceptron;
use gradproof_tests::reference::numbers;
use gradproof_training::kernels::Cpu;
use gradproof_training::parameters::initial_parameters;
use gradproof_training::train::{SegmentPlan, train_segment};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup};
use gradproof_verifier::protocol::statement::{Domain, Statement};
use gradproof_verifier::verify::verify;

use crate::deployed::Deployed;
use crate::synthetic::domain;

/// `X + Y`, at one scale: a form, which is not committed.
#[derive(Debug)]
struct Add;

impl Operator for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn settings(&self) -> Settings {
        Settings::new()
    }

    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
        let [x, y] = builder.inputs(inputs)?;
        let (x, y) = (builder.signal(x)?, builder.signal(y)?);
        if (x.columns, x.scale) != (y.columns, y.scale) {
            return Err(builder.refused("the inputs have other shapes or scales"));
        }
        let sum = Signal { form: x.form.plus(&y.form), ..x };
        let backward = |_: &mut Builder, gradient: Unrounded| Ok(vec![gradient.clone(), gradient]);
        Ok((Edge::Signal(sum), Box::new(backward)))
    }
}

const LIVE: Live = Live { steps: 3, last_rows: 3 };
const RATE: u32 = 2;
const COLUMN_VARS: usize = 11;
/// Neurons of the hidden layers, which are padded to eight.
const HIDDEN: usize = 5;

/// A network of six inputs and three classes.
fn architecture(nodes: Vec<(Arc<dyn Operator>, &[Source])>) -> Architecture {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 8 };
    let nodes = nodes.into_iter().map(|(operator, inputs)| Node::new(operator, inputs.to_vec())).collect();
    Architecture::new(Graph::new(6, 3, precision, nodes), 4, 4).expect("it is lowered")
}

fn dense(outputs: usize) -> Arc<dyn Operator> {
    Arc::new(Dense { outputs })
}

/// Two dense layers, the second with a branch around it, and a third one for the classes.
fn residual(hidden: usize) -> Architecture {
    architecture(vec![
        (dense(hidden), &[Source::Input]),
        (Arc::new(Relu), &[Source::Node(0)]),
        (dense(hidden), &[Source::Node(1)]),
        (Arc::new(Relu), &[Source::Node(2)]),
        (Arc::new(Add), &[Source::Node(1), Source::Node(3)]),
        (dense(3), &[Source::Node(4)]),
        (Arc::new(SoftmaxCrossEntropy), &[Source::Node(5), Source::Labels]),
    ])
}

/// The same without the branch.
fn plain() -> Architecture {
    perceptron(&[6, HIDDEN, HIDDEN, 3], 4, 4, *residual(HIDDEN).precision())
}

/// Sums that are rounded because two nodes take them, a gradient of several terms, and ReLU of a form.
fn pre_activations(hidden: usize) -> Architecture {
    architecture(vec![
        (dense(hidden), &[Source::Input]),
        (dense(hidden), &[Source::Node(0)]),
        (Arc::new(Add), &[Source::Node(1), Source::Node(0)]),
        (Arc::new(Relu), &[Source::Node(2)]),
        (dense(3), &[Source::Node(3)]),
        (Arc::new(SoftmaxCrossEntropy), &[Source::Node(4), Source::Labels]),
    ])
}

/// A block whose branch begins before the activation: the gradient of the first layer is a sum of two that are rounded.
fn block(hidden: usize) -> Architecture {
    architecture(vec![
        (dense(hidden), &[Source::Input]),
        (Arc::new(Relu), &[Source::Node(0)]),
        (dense(hidden), &[Source::Node(1)]),
        (Arc::new(Add), &[Source::Node(2), Source::Node(0)]),
        (Arc::new(Relu), &[Source::Node(3)]),
        (dense(3), &[Source::Node(4)]),
        (Arc::new(SoftmaxCrossEntropy), &[Source::Node(5), Source::Labels]),
    ])
}

fn key(architecture: &Architecture) -> VerifyingKey {
    VerifyingKey::insecure(architecture, COLUMN_VARS).expect("it is bounded")
}

/// A segment trained on pseudo-random data.
fn trained(architecture: &Architecture) -> SegmentTrace {
    let mut parameters = initial_parameters(architecture, [7; 32]);
    let (batch, width) = (architecture.padded_batch(), architecture.inputs());
    let live = |row: usize| row % batch < architecture.live_rows(LIVE, row / batch);
    let input = numbers(5, 256, architecture.samples() * width).into_iter().enumerate();
    let input = input.map(|(i, x)| if live(i / width) { x as i16 } else { 0 }).collect();
    let labels = numbers(6, 3, architecture.samples()).into_iter().enumerate();
    let labels = labels.map(|(row, y)| if live(row) { y as u16 } else { u16::MAX }).collect();
    let plan = SegmentPlan { live: LIVE, rate: RATE, first_step: 0 };
    train_segment(architecture, plan, &Cpu, &mut parameters, input, labels, &mut |_| ()).expect("it trains")
}

/// What `proved` says of a witness whose first parameters and data are those of `trace`.
struct Case {
    key: VerifyingKey,
    setup: Setup,
    trace: SegmentTrace,
    witness: Witness,
}

impl Case {
    fn new(architecture: &Architecture) -> Self {
        let (key, trace) = (key(architecture), trained(architecture));
        let mut witness = Witness::of_segment(architecture, &trace).expect("the trace fits");
        witness.count_lookups(&key.relations(Subject::Segment).tree).expect("it is in range");
        let setup = Setup::insecure(COLUMN_VARS as u32).expect("it is small");
        Self { key, setup, trace, witness }
    }

    /// A core proof that `witness` is right, whether it is or not; by `key`, which proofs may be wrapped for.
    fn prove(&self, key: &VerifyingKey, witness: &Witness, domain: Domain) -> (Vec<ark_bn254::G1Affine>, Proved) {
        let Self { setup, trace, .. } = self;
        let data = Witness::of_data(self.key.architecture(), &trace.input, &trace.labels);
        let data = commit_data(key, setup, &data, &SEED, 0).expect("the set-up is long enough");
        let first = Witness::of_parameters(self.key.architecture(), &trace.first).expect("they fit");
        let first = commit_parameters(key, setup, &first, Blinding::Seed(&SEED)).expect("the set-up is long enough");
        let tree = data_tree(std::slice::from_ref(&data.points));
        let statement = Statement {
            domain,
            data_root: tree.root(),
            epoch_segments: 1,
            rate: RATE,
            ..Statement::blank(key, Subject::Segment, LIVE)
        };
        let paths = data_paths(&tree, data.points.len(), 0);
        let last = key.relations(Subject::Segment).layout.group(Group::Last).len();
        let last_blindings = fresh(last).expect("the system has randomness");
        let points = first.points.clone();
        let inputs = Inputs { key, setup, statement, data, paths, first, last_blindings };
        (points, prove(inputs, witness, Careless).expect("it is made"))
    }

    /// The checks that refuse a proof of `witness`.
    fn failures(&self, witness: &Witness) -> BTreeSet<Check> {
        self.failures_by(&self.key, witness)
    }

    /// Those of another key that refuse it.
    fn failures_by(&self, key: &VerifyingKey, witness: &Witness) -> BTreeSet<Check> {
        let (first, proved) = self.prove(key, witness, Domain::default());
        let mut recorder = Recorder::default();
        let outcome = verify(key, &proved.statement, &first, &proved.proof, &mut recorder);
        assert!(outcome.is_ok(), "its form is right: {outcome:?}");
        recorder.failed
    }
}

#[test]
fn an_operator_from_elsewhere_is_proved_and_settled() {
    let Some(deployed) = ({
        let case = Case::new(&residual(HIDDEN));
        let mut strings = ReferenceStrings::new(&case.setup);
        let wrappers = Wrappers::new(|subject| Wrapper::new(case.key.relations(subject), &mut strings));
        let wrappers = wrappers.expect("the circuits are small enough");
        let key = wrappers.verifying_key(case.key.clone());
        Deployed::of("an_operator_from_elsewhere_is_proved_and_settled", &key)
            .map(|deployed| (deployed, case, wrappers, key))
    }) else {
        return;
    };
    let (deployed, case, wrappers, key) = deployed;
    let registered = register_parameters(
        &case.key,
        &case.setup,
        &case.trace.first,
        commit_parameters(
            &case.key,
            &case.setup,
            &Witness::of_parameters(case.key.architecture(), &case.trace.first).expect("they fit"),
            Blinding::Seed(&SEED),
        )
        .expect("the set-up is long enough"),
        Domain::default(),
    );
    assert!(registered.is_ok(), "its parameters are registered");
    let (first, core) = case.prove(&case.key, &case.witness, Domain::default());
    assert_eq!(verify(&case.key, &core.statement, &first, &core.proof, Strict), Ok(()));

    let (first, proved) = case.prove(&key, &case.witness, domain(deployed.chain.sender()));
    let relations = key.relations(Subject::Segment);
    let proof = wrappers.get(Subject::Segment).wrap(relations, &proved.publics, proved.proof).expect("a core proof");
    assert_eq!(verify(&key, &proved.statement, &first, &proof, Strict), Ok(()));
    let bytes = ChainProof::of(&first, &proof).expect("it is wrapped").to_bytes();
    assert_eq!(deployed.verify(&segment(&proved.statement), &bytes), Ok(proved.statement.last.into()));
    // The contract of the same network without the branch takes no such proof.
    let plain = key_of_the_plain_network(&case.setup);
    let refused =
        Deployed::of("an_operator_from_elsewhere_is_proved_and_settled", &plain).expect("the tools are there");
    let (first, proved) = case.prove(&key, &case.witness, domain(refused.chain.sender()));
    let proof = wrappers.get(Subject::Segment).wrap(relations, &proved.publics, proved.proof).expect("a core proof");
    let bytes = ChainProof::of(&first, &proof).expect("it is wrapped").to_bytes();
    assert!(refused.verify(&segment(&proved.statement), &bytes).is_err(), "it is another network");
}

/// The key for wrapped proofs of the network without the branch.
fn key_of_the_plain_network(setup: &Setup) -> VerifyingKey {
    let key = key(&plain());
    let mut strings = ReferenceStrings::new(setup);
    let wrappers = Wrappers::new(|subject| Wrapper::new(key.relations(subject), &mut strings));
    wrappers.expect("the circuits are small enough").verifying_key(key)
}

/// Forward, the branch is left out of the sum, of its gradient, or of both.
#[test]
fn a_branch_that_is_left_out_is_refused() {
    let case = Case::new(&residual(HIDDEN));
    assert_eq!(case.failures(&case.witness), BTreeSet::new(), "the honest proof is accepted");
    // The plain network has the same parameters, but its loss is at another node: nothing of it fits but by its sums.
    let plain = trained(&plain());
    assert_eq!(plain.first, case.trace.first);
    assert_ne!(plain.last, case.trace.last, "the branch matters");
    let left_out = |forward: bool, backward: bool| {
        let mut trace = case.trace.clone();
        if forward {
            trace.forward.clone_from(&plain.forward);
        }
        if backward {
            trace.backward.clone_from(&plain.backward);
        }
        let mut witness = Witness::of_segment(case.key.architecture(), &trace).expect("the trace fits");
        count(&mut witness, &case.key.relations(Subject::Segment).tree);
        case.failures(&witness)
    };
    for (forward, backward) in [(true, false), (false, true), (true, true)] {
        let failures = left_out(forward, backward);
        assert!(failures.contains(&Check::Product), "forward {forward}, backward {backward}: {failures:?}");
    }
    let mut witness = case.witness.clone();
    let last = Witness::of_segment(case.key.architecture(), &SegmentTrace { last: plain.last, ..case.trace.clone() });
    witness.tensors.extend(last.expect("the trace fits").tensors);
    count(&mut witness, &case.key.relations(Subject::Segment).tree);
    assert_eq!(case.failures(&witness), [Check::Weight].into(), "an update without the branch");
}

#[test]
fn sums_that_several_nodes_take_are_proved() {
    let forms = |program: &Program| {
        let addends = program.sums.iter().flat_map(|sum| &sum.addends);
        addends.filter(|(addend, _)| matches!(addend, Addend::Form(_))).count()
    };
    assert!(forms(pre_activations(HIDDEN).program()) > 0, "a sum has a form beside its products");
    for architecture in [pre_activations(HIDDEN), block(HIDDEN)] {
        let case = Case::new(&architecture);
        assert_eq!(case.failures(&case.witness), BTreeSet::new(), "the honest proof is accepted");
        let sums = &architecture.program().sums;
        for sum in sums {
            let mut trace = case.trace.clone();
            let lists = trace.forward.iter_mut().chain(&mut trace.backward);
            let values = lists.zip(sums).find(|(_, other)| other.tensor == sum.tensor);
            values.expect("it is in the trace").0[0] ^= 1;
            let mut witness = Witness::of_segment(&architecture, &trace).expect("the trace fits");
            count(&mut witness, &case.key.relations(Subject::Segment).tree);
            let failures = case.failures(&witness);
            assert!(failures.contains(&Check::Product), "{}: {failures:?}", sum.tensor);
        }
    }
}

/// Neurons that are padding train as if they were there: everything holds but that they are zero.
#[test]
fn padded_neurons_that_train_are_refused() {
    for architecture in [residual, pre_activations, block] {
        let (wide, key) = (Case::new(&architecture(HIDDEN.next_power_of_two())), key(&architecture(HIDDEN)));
        let mut witness = wide.witness.clone();
        count(&mut witness, &key.relations(Subject::Segment).tree);
        assert_eq!(wide.failures(&wide.witness), BTreeSet::new(), "the wider network is proved");
        assert_eq!(wide.failures_by(&key, &witness), [Check::Pointwise].into());
    }
}

/// Every coefficient of every form counts: a verifier with another one refuses the honest proof.
#[test]
fn every_coefficient_of_a_form_counts() {
    let case = Case::new(&residual(HIDDEN));
    let (first, proved) = case.prove(&case.key, &case.witness, Domain::default());
    let verdict = |relations: &Relations, publics: &Publics<Fr>| {
        let mut party = Stored { rest: proved.proof.messages() };
        let native = &mut Native { judge: Strict };
        argument::verify(native, &mut party, relations, publics).map(|_| ()).map_err(|rejection| rejection.check)
    };
    let honest = case.key.relations(Subject::Segment);
    assert_eq!(verify(&case.key, &proved.statement, &first, &proved.proof, Strict), Ok(()));
    assert_eq!(verdict(honest, &proved.publics), Ok(()));
    let mut changed = 0;
    for sum in 0..honest.sums.len() {
        for contraction in 0..honest.sums[sum].contractions.len() {
            for term in 0..honest.sums[sum].contractions[contraction].factor.terms.len() {
                for coefficient in [0, 2, -1] {
                    let mut other = honest.clone();
                    other.sums[sum].contractions[contraction].factor.terms[term].1 = coefficient;
                    assert_eq!(verdict(&other, &proved.publics), Err(Check::Merge), "sum {sum}, {contraction}, {term}");
                    changed += 1;
                }
            }
        }
    }
    for factor in 0..honest.schedule.factors.len() {
        for term in 0..honest.schedule.factors[factor].form.terms.len() {
            let mut other = honest.clone();
            other.schedule.factors[factor].form.terms[term].1 = 2;
            assert_eq!(verdict(&other, &proved.publics), Err(Check::Merge), "factor {factor}, {term}");
            changed += 1;
        }
    }
    // Three forward and three backward contractions, one of them of the sum; its updates beside.
    assert!(changed > 20, "{changed}");
}
