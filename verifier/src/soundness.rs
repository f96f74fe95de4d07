//! How likely a false statement is accepted: the error of every part of a proof, counted from its relations.
//!
//! Each part has a polynomial that is zero if the prover is honest, taken at a challenge that it cannot foresee: by Schwartz
//! and Zippel a false one passes with probability at most degree / r, where r ≈ 2^253.6 is the order of the scalar field.
//! The errors add up. They hold for one attempt: a prover that can hash 2^q times gains q bits, up to the strength of the hashes.

use gradproof_circuits::program::{Addend, Parameter};
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::circuit::{MAX_SIZE_BITS, WrapCircuit};
use gradproof_circuits::wrap::columns::{ADVICE, CONSTANTS, DEGREE, SELECTORS};
use halo2_axiom::plonk::{Circuit, ConstraintSystem};

use crate::protocol::hyperkzg;
use crate::protocol::key::VerifyingKey;
use crate::protocol::powers::SETUP_VARS;

/// log2 of the order of the scalar field.
pub const FIELD_BITS: f64 = 253.597;
/// What is assumed beside, in bits of work to break it.
pub const ASSUMPTIONS: [(&str, u32); 3] = [
    ("BN254: discrete logarithms in G1, G2 and GT, for binding commitments (published estimates: 100 to 110)", 100),
    ("Poseidon over the scalar field: collisions in the capacity of one element", 126),
    ("keccak256: collisions", 128),
];

/// The error of one part of a proof: at most `degree / r`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which part of the proof.
    pub name: &'static str,
    /// Sum of the degrees of its polynomials.
    pub degree: u128,
}

impl Term {
    /// Error in bits: `log2(r / degree)`.
    pub fn bits(&self) -> f64 {
        FIELD_BITS - (self.degree as f64).log2()
    }
}

/// Error of all parts together, in bits.
pub fn total_bits(terms: &[Term]) -> f64 {
    FIELD_BITS - (terms.iter().map(|term| term.degree).sum::<u128>() as f64).log2()
}

/// Number of claims that the argument merges.
pub fn claims(relations: &Relations) -> usize {
    let operands = relations.pointwise.iter().flat_map(|relation| &relation.tensors);
    let committed = operands.filter(|(tensor, _)| !relations.is_sum(*tensor)).count();
    let schedule = &relations.schedule;
    let addends = relations.sums.iter().flat_map(|sum| &sum.addends);
    let forms = addends.filter(|(addend, _)| matches!(addend, Addend::Form(_)));
    let linear = relations.tree.tensors.len() + relations.identities.len() + committed + forms.count();
    linear + schedule.products.len() + schedule.parameter_evaluations() + schedule.factors.len()
}

/// The errors of the parts of a proof about `subject`.
pub fn terms(key: &VerifyingKey, subject: Subject) -> Vec<Term> {
    let relations = key.relations(subject);
    let architecture = &relations.architecture;
    let (tree, schedule) = (&relations.tree, &relations.schedule);
    let leaves: u128 = tree
        .lookups
        .iter()
        .map(|(_, slot)| slot.vars)
        .chain(tree.tables.iter().map(|(_, slot)| slot.vars))
        .map(|vars| 1u128 << vars)
        .sum();
    let widest = tree.lookups.iter().map(|(lookup, _)| lookup.vars).max().unwrap_or(0);
    let pointwise = relations.pointwise.iter().map(|relation| relation.vars).max().unwrap_or(0);
    let count: usize = relations.pointwise.iter().map(|relation| relation.formula.count()).sum();
    // A layer: weight of the numerator, rounds of degree two, the line through the children. The root has the line only.
    let tree_degree = 1 + (1..tree.vars).map(|vars| 2 + 2 * vars).sum::<usize>();
    let mut terms = vec![
        // As polynomials in γ and η of total degree three a leaf: the sum's numerator, and its denominator.
        Term { name: "look-up fingerprints", degree: 6 * leaves },
        Term { name: "look-up tree", degree: tree_degree as u128 },
        Term { name: "relations at the leaf point", degree: widest.max(pointwise) as u128 },
        Term { name: "pointwise relations", degree: (count.saturating_sub(1) + 2 * pointwise) as u128 },
    ];
    if !relations.sums.is_empty() {
        let contractions = relations.sums.iter().flat_map(|sum| &sum.contractions);
        let inner = contractions.map(|contraction| contraction.inner_vars).max().unwrap_or(0);
        let samples = architecture.sample_vars();
        let products = (relations.sums.len() - 1) + 3 * (architecture.step_vars() + inner);
        // A difference for each reading, and the last parameters tied at one point.
        let ends = relations.parameters.iter().map(Parameter::vars);
        let weights = (schedule.parameter_evaluations() - 1) + 3 * samples + ends.max().unwrap_or(0);
        terms.push(Term { name: "matrix products", degree: products as u128 });
        terms.push(Term { name: "weight updates", degree: weights as u128 });
    }
    // Challenges are keccak256 reduced modulo r: at most 1.14 times as likely as uniform ones, counted as twice.
    let steps = || hyperkzg::steps(key.column_vars);
    let folded = steps().scan(0, |folded, step| {
        *folded += step;
        Some(*folded as u32)
    });
    let folds: u128 = folded.map(|folded| 1u128 << (folded + SETUP_VARS)).sum();
    // Powers of ν; then z, in an identity that is multiplied by all moduli, whose zeros are exceptions beside.
    let widths: u128 = steps().map(|step| 1u128 << step).sum();
    let batch = steps().len() as u128 + (1u128 << SETUP_VARS) + 2 * widths;
    terms.extend([
        Term { name: "merging of claims", degree: (claims(relations) - 1 + 2 * key.column_vars) as u128 },
        Term { name: "combination of columns", degree: relations.layout.columns() as u128 },
        Term { name: "opening: folds", degree: 2 * folds },
        Term { name: "opening: one point for all", degree: 2 * batch },
    ]);
    terms
}

/// The errors that a wrapped proof has besides: of the circuit's proof, at the largest circuit, and of the contract's pairing.
///
/// Commitments bind polynomials as long as the longest set-up, so that an identity may have its degree for each factor of a
/// gate. Challenges are keccak256 reduced, counted as twice as likely as uniform ones.
pub fn wrap_terms() -> Vec<Term> {
    let mut system = ConstraintSystem::<halo2_axiom::halo2curves::bn256::Fr>::default();
    WrapCircuit::configure(&mut system);
    let (rows, longest) = (1u128 << MAX_SIZE_BITS, 1u128 << SETUP_VARS);
    let gates: usize = system.gates().iter().map(|gate| gate.polynomials().len()).sum();
    let advice = ADVICE as u128;
    // One product over the advice: its first and last row, its step, and that it is one at the end.
    let permutation = 4;
    // Advice, product and random polynomial, pieces of the quotient, fixed columns and those of the permutation.
    let committed = 2 * ADVICE + 2 + (DEGREE - 1) + CONSTANTS + SELECTORS;
    [
        // As a polynomial in β and γ: the products of numerators and denominators, a factor a cell.
        ("circuit: permutation", 2 * advice * rows),
        ("circuit: combination of gates", (gates + permutation) as u128),
        ("circuit: quotient at a point", DEGREE as u128 * longest + rows),
        ("circuit: opening, powers that combine", committed as u128),
        ("circuit: opening at a point", 2 * longest),
        ("contract: one pairing for two", 1),
    ]
    .map(|(name, degree)| Term { name, degree: 2 * degree })
    .to_vec()
}

/// The terms as a table in Markdown, the total last.
pub fn table(terms: &[Term]) -> String {
    let mut lines = vec!["| part | degree | bits |".to_owned(), "|---|---:|---:|".to_owned()];
    lines.extend(terms.iter().map(|term| format!("| {} | {} | {:.1} |", term.name, term.degree, term.bits())));
    lines.push(format!("| **total** | | **{:.1}** |", total_bits(terms)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::protocol::limits::job_limits;
    use gradproof_circuits::architecture::{Architecture, MAX_BATCH, MAX_LAYERS, MAX_STEPS};
    use gradproof_circuits::graph::{Graph, MAX_NODES, MAX_WIDTH, Node, Source};
    use gradproof_circuits::network::precision::Precision;
    use gradproof_circuits::operators::{Backward, Dense, Operator, REMAINDER, SUM, Settings, SoftmaxCrossEntropy};
    use gradproof_circuits::program::{Builder, Edge, GraphError, Limits};

    /// Twice its input, so many times over: a form whose factor is a power of two.
    #[derive(Debug)]
    struct Doubled(u32);

    impl Operator for Doubled {
        fn name(&self) -> &'static str {
            "doubled"
        }

        fn settings(&self) -> Settings {
            Settings::from([("times", self.0)])
        }

        fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
            let [x] = builder.inputs(inputs)?;
            let mut x = builder.signal(x)?;
            (0..self.0).for_each(|_| x.form = x.form.clone().plus(&x.form));
            Ok((Edge::Signal(x), Box::new(|_, gradient| Ok(vec![gradient]))))
        }
    }

    fn bounded(architecture: &Architecture) -> Result<(), GraphError> {
        architecture.program().check_bounds(&job_limits(architecture))
    }

    /// Relations are asked in the field: they say what they say of integers only while neither side has the size of r.
    #[test]
    fn nothing_wraps_around() {
        let largest = |widths: Vec<usize>| {
            let precision = Precision { activation_bits: 14, gradient_bits: 14, rate_bits: 20, exponential_bits: 1 };
            Architecture::perceptron(&widths, MAX_BATCH, MAX_STEPS, precision).expect("it is within the limits")
        };
        let deep = largest(vec![MAX_WIDTH; MAX_LAYERS + 1]);
        assert_eq!(bounded(&deep), Ok(()));

        // As many layers as nodes allow, each on the one before it.
        let layer = |before: Option<u16>| {
            let dense = Arc::new(Dense { outputs: MAX_WIDTH });
            Node::new(dense, vec![before.map_or(Source::Input, Source::Node)])
        };
        let most = MAX_NODES as u16 - 1;
        let mut nodes: Vec<Node> = (0..most).map(|node| layer(node.checked_sub(1))).collect();
        nodes.push(Node::new(Arc::new(SoftmaxCrossEntropy), vec![Source::Node(most - 1), Source::Labels]));
        let chain = Graph::new(MAX_WIDTH, MAX_WIDTH, *deep.precision(), nodes);
        let chain = Architecture::new(chain, MAX_BATCH, MAX_STEPS).expect("it is within the limits");
        assert_eq!(bounded(&chain), Ok(()));

        // The first bit of rows beyond what fits is refused by name.
        let program = deep.program();
        let limits = job_limits(&deep);
        let longer = |bits: u32| program.check_bounds(&Limits { rows: limits.rows + f64::from(bits), ..limits });
        let most = (0..200).take_while(|&bits| longer(bits).is_ok()).count() as u32;
        assert!((1..100).contains(&most), "{most}");
        let error = longer(most).expect_err("it is too large").to_string();
        assert!(error.contains(": it may reach 2^19") && error.ends_with("at most 2^189.5 works"), "{error}");

        // Factors have bits enough for 32 of a form.
        let flat = largest(vec![MAX_WIDTH, 2]);
        let doubled = |times: u32| {
            let mut graph = flat.graph().clone();
            let dense = graph.nodes[0].operator.clone();
            graph.nodes[0] = Node::new(Arc::new(Doubled(times)), vec![Source::Input]);
            graph.nodes.insert(1, Node::new(dense, vec![Source::Node(0)]));
            graph.nodes[2].inputs[0] = Source::Node(1);
            let doubled = Architecture::new(graph, MAX_BATCH, MAX_STEPS).map_err(|error| error.to_string())?;
            bounded(&doubled).map_err(|error| error.to_string())
        };
        assert_eq!(doubled(13), Ok(()));
        for times in [14, 31, 62, 63, 64, 70] {
            let error = doubled(times).expect_err("the form is too large");
            assert!(error.contains("unrounded logit 2.0 has a term that is too large or not of its shape"), "{error}");
        }
    }

    /// A tensor that no look-up, bit or definition bounds could be anything.
    #[test]
    fn what_nothing_bounds_is_refused_by_name() {
        let architecture = Architecture::perceptron(&[3, 2], 2, 2, Precision::of_classes(2)).expect("it is possible");
        let program = architecture.program();
        assert_eq!(program.check_bounds(&job_limits(&architecture)), Ok(()));
        for look_up in 0..program.lookups.len() {
            let mut other = program.clone();
            let gone = other.lookups.remove(look_up);
            let error = other.check_bounds(&job_limits(&architecture)).map_err(|error| error.to_string());
            // The two ranges of the remainder of a division bound it each.
            let expected = ![REMAINDER, SUM].contains(&gone.tuple[0].terms[0].0.role());
            assert_eq!(error.is_err(), expected, "{:?}: {error:?}", gone.tuple);
            assert!(error.map_or_else(|error| error.contains("nothing bounds it"), |()| true));
        }
        let mut other = program.clone();
        other.pointwise.clear();
        let error = other.check_bounds(&job_limits(&architecture)).expect_err("no bit is one").to_string();
        assert!(error.contains("nothing bounds it"), "{error}");
    }

    #[test]
    fn every_term_leaves_more_than_the_curve() {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let architecture = Architecture::perceptron(&[784, 128, 128, 10], 64, 64, precision).expect("it is possible");
        let key = VerifyingKey::insecure(&architecture, 17).expect("the shape is valid");
        for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
            let terms = terms(&key, subject);
            let total = total_bits(&terms);
            assert!(terms.iter().all(|term| term.degree > 0 && term.bits() > total), "{terms:?}");
            assert!(total > 190.0, "{subject:?}: {total}");
        }
    }
}
