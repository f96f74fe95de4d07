//! A network as a graph of operators: what it is, its canonical bytes, and its lowering to primitives.

mod canonical;
mod lowering;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::{Display, Formatter};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::network::precision::Precision;
use crate::operators::{Dense, Operator, Relu, SoftmaxCrossEntropy, UnknownOperator, named};

/// Most nodes of a graph.
pub const MAX_NODES: usize = 32;
/// Most inputs of a node.
pub const MAX_INPUTS: usize = 16;
/// Most columns of an input, of labels and of what a node computes.
pub const MAX_WIDTH: usize = 1 << 14;

/// A network with its loss, which is the last node.
///
/// # Reserved
/// Fields that no operator proves yet have a place in the [canonical bytes](Self::canonical_bytes), so that what comes changes
/// no layout; a graph whose reserved fields are not as by default is not lowered.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Columns of the input.
    pub inputs: usize,
    /// Columns of the labels.
    pub labels: usize,
    /// Scales of the tensors.
    pub precision: Precision,
    /// The nodes, each after those whose outputs it takes.
    pub nodes: Vec<Node>,
    /// Reserved: nodes whose outputs are added up to the loss, with their weights; none for the last node alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<(u16, u32)>,
    /// Reserved: coefficients of momentum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub momentum: Vec<u32>,
    /// Reserved: digest of the commitments to parameters that are not trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<[u8; 32]>,
}

/// An operator with its inputs.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Node {
    /// What it computes.
    pub operator: Arc<dyn Operator>,
    /// From what.
    pub inputs: Vec<Source>,
    /// Reserved: scales of its own, by the number of a tensor's role.
    pub scales: BTreeMap<u8, u8>,
    /// Reserved: what the learning rate is multiplied by for its parameters.
    pub rate_factor: u32,
}

/// Where an input of a node comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The rows of the data.
    Input,
    /// Their labels, one-hot.
    Labels,
    /// The output of a node before it.
    Node(u16),
}

/// What a node is written as.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    operator: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "each_once")]
    settings: BTreeMap<String, u32>,
    inputs: Vec<Source>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "each_once")]
    scales: BTreeMap<u8, u8>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    rate_factor: u32,
}

/// A map that names nothing twice: readers would differ in which of the two they take.
fn each_once<'de, D: Deserializer<'de>, K: Deserialize<'de> + Ord + Display, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<K, V>, D::Error> {
    struct EachOnce<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord + Display, V: Deserialize<'de>> Visitor<'de> for EachOnce<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
            write!(f, "a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<K, V>()? {
                match map.entry(key) {
                    Entry::Vacant(entry) => _ = entry.insert(value),
                    Entry::Occupied(entry) => {
                        return Err(Error::custom(format!("`{}` is there twice", entry.key())));
                    }
                }
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(EachOnce(PhantomData))
}

fn one() -> u32 {
    1
}

fn is_one(factor: &u32) -> bool {
    *factor == one()
}

impl TryFrom<Written> for Node {
    type Error = UnknownOperator;

    fn try_from(written: Written) -> Result<Self, UnknownOperator> {
        let Written { operator, settings, inputs, scales, rate_factor } = written;
        Ok(Self { operator: named(&operator, &settings)?, inputs, scales, rate_factor })
    }
}

impl From<Node> for Written {
    fn from(Node { operator, inputs, scales, rate_factor }: Node) -> Self {
        let settings = operator.settings().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { operator: operator.name().to_owned(), settings, inputs, scales, rate_factor }
    }
}

impl Node {
    /// An operator with its inputs, all else by default.
    pub fn new(operator: Arc<dyn Operator>, inputs: Vec<Source>) -> Self {
        Self { operator, inputs, scales: BTreeMap::new(), rate_factor: one() }
    }
}

impl Graph {
    /// A graph with all else by default.
    pub fn new(inputs: usize, labels: usize, precision: Precision, nodes: Vec<Node>) -> Self {
        Self { inputs, labels, precision, nodes, losses: vec![], momentum: vec![], base: None }
    }

    /// The same network with all scales zero, for comparisons of what networks compute.
    pub fn without_scales(&self) -> Self {
        let precision = Precision { activation_bits: 0, gradient_bits: 0, rate_bits: 0, exponential_bits: 0 };
        Self { precision, ..self.clone() }
    }

    /// A multilayer perceptron: dense layers with ReLU between them, then softmax with the cross-entropy.
    ///
    /// # Shapes
    /// `widths`: that of the input, of each hidden layer, and the number of classes.
    pub fn perceptron(widths: &[usize], precision: Precision) -> Self {
        let (inputs, outputs) = widths.split_first().map_or((0, widths), |(inputs, outputs)| (*inputs, outputs));
        let mut nodes: Vec<Node> = Vec::new();
        for (l, &columns) in outputs.iter().enumerate() {
            let before = nodes.len().checked_sub(1).map_or(Source::Input, |node| Source::Node(node as u16));
            nodes.push(Node::new(Arc::new(Dense { outputs: columns }), vec![before]));
            let product = Source::Node(nodes.len() as u16 - 1);
            nodes.push(if l + 1 < outputs.len() {
                Node::new(Arc::new(Relu), vec![product])
            } else {
                Node::new(Arc::new(SoftmaxCrossEntropy), vec![product, Source::Labels])
            });
        }
        Self::new(inputs, outputs.last().copied().unwrap_or(0), precision, nodes)
    }
}
