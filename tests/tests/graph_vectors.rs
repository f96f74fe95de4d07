//! The canonical bytes of graphs against stored vectors, which another implementation makes from the graphs as they are written.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::graph::{Graph, Node, Source};
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::operators::{Dense, Relu, SoftmaxCrossEntropy};
use gradproof_tests::{check_vector, known_vector};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::key::graph_digest;
use serde_json::{Value, json};

const PRECISION: Precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 9, exponential_bits: 11 };

/// The demonstration's network, the smallest one, one that is no chain, and one whose reserved fields are filled.
fn graphs() -> [Graph; 4] {
    let dense = |outputs| Arc::new(Dense { outputs });
    let fork = vec![
        Node::new(dense(5), vec![Source::Input]),
        Node::new(Arc::new(Relu), vec![Source::Node(0)]),
        Node::new(dense(3), vec![Source::Node(1)]),
        Node::new(Arc::new(Relu), vec![Source::Node(0)]),
        Node::new(Arc::new(SoftmaxCrossEntropy), vec![Source::Node(2), Source::Labels]),
    ];
    let mut reserved = Graph::perceptron(&[300, 3], PRECISION);
    reserved.losses = vec![(1, 70_000), (0, 1)];
    reserved.momentum = vec![9, 1 << 24];
    reserved.base = Some(std::array::from_fn(|i| i as u8));
    reserved.nodes[0].scales = [(2, 7), (1, 44)].into();
    reserved.nodes[1].rate_factor = 258;
    [
        Graph::perceptron(&[784, 128, 128, 10], PRECISION),
        Graph::perceptron(&[1, 1], Precision { exponential_bits: 0, ..PRECISION }),
        Graph::new(6, 3, PRECISION, fork),
        reserved,
    ]
}

#[test]
fn canonical_bytes_equal_the_vectors() {
    let vectors: Vec<Value> = graphs()
        .iter()
        .map(|graph| {
            let (bytes, digest) = (graph.canonical_bytes(), graph_digest(graph));
            json!({ "graph": graph, "bytes": hex::encode(&bytes), "keccak256": hex::encode(&digest) })
        })
        .collect();
    check_vector("graph.json", &Value::from(vectors));
}

/// `graph-keccak.json` is made by `graph.mjs` from the graphs of `graph.json`, and not from their bytes.
#[test]
fn bytes_and_digests_equal_those_of_another_implementation() {
    let other = known_vector("graph-keccak.json").expect("the vector is there");
    let ours: Vec<Value> = graphs()
        .iter()
        .map(|graph| {
            json!({ "bytes": hex::encode(&graph.canonical_bytes()), "keccak256": hex::encode(&graph_digest(graph)) })
        })
        .collect();
    assert_eq!(other["graphs"], Value::from(ours));
}

#[test]
fn graphs_are_read_as_they_were_written() {
    for graph in graphs() {
        let text = serde_json::to_string(&graph).expect("it is written");
        assert_eq!(serde_json::from_str::<Graph>(&text).expect("it is read"), graph);
    }
}

/// A field of a graph, and a way to change it.
type Change = (&'static str, fn(&mut Graph));

/// Ways to change each field.
fn changes() -> Vec<Change> {
    vec![
        ("inputs", |g| g.inputs += 1),
        ("labels", |g| g.labels += 1),
        ("activation_bits", |g| g.precision.activation_bits += 1),
        ("gradient_bits", |g| g.precision.gradient_bits += 1),
        ("rate_bits", |g| g.precision.rate_bits += 1),
        ("exponential_bits", |g| g.precision.exponential_bits += 1),
        ("losses", |g| g.losses.push((1, 1))),
        ("losses", |g| g.losses.push((1, 2))),
        ("momentum", |g| g.momentum.push(1)),
        ("base", |g| g.base = Some([1; 32])),
        ("operator", |g| g.nodes[1].operator = Arc::new(SoftmaxCrossEntropy)),
        ("settings", |g| g.nodes[0].operator = Arc::new(Dense { outputs: 6 })),
        ("inputs of a node", |g| g.nodes[1].inputs[0] = Source::Input),
        ("inputs of a node", |g| g.nodes[1].inputs[0] = Source::Labels),
        ("inputs of a node", |g| g.nodes[1].inputs.push(Source::Node(0))),
        ("scales", |g| _ = g.nodes[0].scales.insert(1, 2)),
        ("rate_factor", |g| g.nodes[0].rate_factor = 2),
        ("nodes", |g| _ = g.nodes.remove(1)),
        ("nodes", |g| g.nodes.swap(0, 1)),
        ("nodes", |g| g.nodes.push(Node::new(Arc::new(Relu), vec![]))),
    ]
}

#[test]
fn every_field_of_a_graph_is_in_its_bytes() {
    let honest = Graph::perceptron(&[4, 5, 3], PRECISION);
    let mut bytes = BTreeSet::from([honest.canonical_bytes()]);
    for (name, change) in changes() {
        let mut other = honest.clone();
        change(&mut other);
        assert_ne!(other, honest, "{name}");
        assert!(bytes.insert(other.canonical_bytes()), "{name}");
    }
}

/// What nothing proves yet is refused by name, and not left out.
#[test]
fn reserved_fields_are_refused_by_name() {
    let honest = Graph::perceptron(&[4, 5, 3], PRECISION);
    for reserved in ["losses", "momentum", "base", "scales", "rate_factor"] {
        for (_, change) in changes().iter().filter(|(name, _)| *name == reserved) {
            let mut other = honest.clone();
            change(&mut other);
            let error = Architecture::new(other, 4, 2).expect_err(reserved).to_string();
            assert!(error.ends_with(&format!("`{reserved}` is reserved: nothing proves it yet")), "{error}");
        }
    }
}
