//! What is trained: a graph, the rows of a step and the steps of a segment, with the program that follows from them.

use std::sync::Arc;

use crate::graph::{Graph, MAX_WIDTH};
use crate::network::epoch::{Epoch, Live};
use crate::network::precision::{Precision, log2_ceil};
use crate::program::{GraphError, Program};

/// Most dense layers of a perceptron.
pub const MAX_LAYERS: usize = 16;
/// Most rows a step may have.
pub const MAX_BATCH: usize = 1 << 12;
/// Most steps a segment may have.
pub const MAX_STEPS: usize = 1 << 12;
/// Most bits of learning rate over batch after the binary point.
pub const MAX_RATE_BITS: u32 = 20;

/// A graph and the shape of a segment, which are possible, and the program of a segment.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Architecture {
    graph: Graph,
    batch: usize,
    steps: usize,
    program: Arc<Program>,
}

/// What an architecture is written as.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    graph: Graph,
    batch: usize,
    steps: usize,
}

impl TryFrom<Written> for Architecture {
    type Error = ArchitectureError;

    fn try_from(Written { graph, batch, steps }: Written) -> Result<Self, ArchitectureError> {
        Self::new(graph, batch, steps)
    }
}

impl From<Architecture> for Written {
    fn from(Architecture { graph, batch, steps, .. }: Architecture) -> Self {
        Self { graph, batch, steps }
    }
}

/// The program follows from the rest.
impl PartialEq for Architecture {
    fn eq(&self, other: &Self) -> bool {
        (&self.graph, self.batch, self.steps) == (&other.graph, other.batch, other.steps)
    }
}

impl Eq for Architecture {}

/// Why an architecture or a live count is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A number lies outside of its range.
    #[error("{name} is {got}, expected {least} to {most}")]
    OutOfRange {
        /// Which number.
        name: &'static str,
        /// The value given.
        got: usize,
        /// Smallest value that works.
        least: usize,
        /// Largest value that works.
        most: usize,
    },
    /// A number must be a power of two.
    #[error("{name} is {got}, which is not a power of two; the nearest that works is {nearest}")]
    NotPowerOfTwo {
        /// Which number.
        name: &'static str,
        /// The value given.
        got: usize,
        /// Nearest power of two.
        nearest: usize,
    },
    /// The graph cannot be lowered.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

fn within(name: &'static str, got: usize, least: usize, most: usize) -> Result<(), ArchitectureError> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(ArchitectureError::OutOfRange { name, got, least, most }) }
}

impl Architecture {
    /// A graph that is trained with `batch` rows a step, `1 ..= MAX_BATCH`, and `steps` steps a segment, a power of two.
    ///
    /// # Errors
    /// The first number that is out of range, with the range; or why the graph cannot be lowered.
    pub fn new(graph: Graph, batch: usize, steps: usize) -> Result<Self, ArchitectureError> {
        within("width of the input", graph.inputs, 1, MAX_WIDTH)?;
        within("number of classes", graph.labels, 1, MAX_WIDTH)?;
        within("batch", batch, 1, MAX_BATCH)?;
        within("steps per segment", steps, 1, MAX_STEPS)?;
        if !steps.is_power_of_two() {
            let nearest = steps.next_power_of_two();
            return Err(ArchitectureError::NotPowerOfTwo { name: "steps per segment", got: steps, nearest });
        }
        let p = &graph.precision;
        within("activation_bits", p.activation_bits as usize, 1, 14)?;
        within("gradient_bits", p.gradient_bits as usize, 1, 14)?;
        within("rate_bits", p.rate_bits as usize, 0, MAX_RATE_BITS as usize)?;
        // 2·C·2^fe ≤ 2^16, so that softmax remainders fit in the 16-bit table.
        let most = 15 - log2_ceil(graph.labels).min(15);
        within("exponential_bits", p.exponential_bits as usize, 0, most)?;
        let program = graph.lower(log2_ceil(steps) + log2_ceil(batch))?;
        Ok(Self { graph, batch, steps, program: Arc::new(program) })
    }

    /// That of a [perceptron](Graph::perceptron): `widths` are that of the input, of each hidden layer, and the number of
    /// classes.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn perceptron(
        widths: &[usize],
        batch: usize,
        steps: usize,
        precision: Precision,
    ) -> Result<Self, ArchitectureError> {
        within("number of layers", widths.len().saturating_sub(1), 1, MAX_LAYERS)?;
        widths.iter().try_for_each(|&width| within("width of a layer", width, 1, MAX_WIDTH))?;
        Self::new(Graph::perceptron(widths, precision), batch, steps)
    }

    /// The same graph on a segment of another shape.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn with_shape(&self, batch: usize, steps: usize) -> Result<Self, ArchitectureError> {
        Self::new(self.graph.clone(), batch, steps)
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Rows of a step; padded to a power of two in the proof.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Steps of a segment, `T`; a power of two.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The primitives of a segment.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Scales of the fixed-point tensors.
    pub fn precision(&self) -> &Precision {
        &self.graph.precision
    }

    /// Columns of the input.
    pub fn inputs(&self) -> usize {
        self.graph.inputs
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.graph.labels
    }

    /// Rows and columns of each matrix among the parameters.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = [usize; 2]> + use<> {
        let matrix = |parameter: &crate::program::Parameter| Some([parameter.rows?, parameter.columns]);
        self.program.parameters.iter().filter_map(matrix).collect::<Vec<_>>().into_iter()
    }

    /// The widths, if it is a [perceptron](Self::perceptron).
    pub fn widths(&self) -> Option<Vec<usize>> {
        let widths: Vec<usize> = [self.inputs()].into_iter().chain(self.layers().map(|[_, outputs]| outputs)).collect();
        (Graph::perceptron(&widths, *self.precision()) == self.graph).then_some(widths)
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.program.parameters.iter().map(|parameter| parameter.entries()).sum()
    }

    /// Variables that index the steps of a segment.
    pub fn step_vars(&self) -> usize {
        log2_ceil(self.steps)
    }

    /// Variables that index the rows of a step.
    pub fn row_vars(&self) -> usize {
        log2_ceil(self.batch)
    }

    /// Variables of the step and of the row.
    pub fn vars(&self) -> [usize; 2] {
        [self.step_vars(), self.row_vars()]
    }

    /// Variables that index (step, row).
    pub fn sample_vars(&self) -> usize {
        self.step_vars() + self.row_vars()
    }

    /// Rows of a step in the proof, padded to a power of two.
    pub fn padded_batch(&self) -> usize {
        1 << self.row_vars()
    }

    /// Rows of a segment in the proof: steps × padded batch.
    pub fn samples(&self) -> usize {
        self.steps << self.row_vars()
    }

    /// How an epoch over `rows` rows of data is cut into segments.
    pub fn epoch(&self, rows: usize) -> Epoch {
        Epoch::new(self.batch, self.steps, rows)
    }

    /// Checks live counts against this shape.
    ///
    /// # Errors
    /// The count that is out of range, with the range.
    pub fn validate_live(&self, live: Live) -> Result<(), ArchitectureError> {
        within("live steps", live.steps, 1, self.steps)?;
        within("rows of the last live step", live.last_rows, 1, self.batch)
    }

    /// Number of live rows of step `step`.
    pub fn live_rows(&self, live: Live, step: usize) -> usize {
        match (step + 1).cmp(&live.steps) {
            std::cmp::Ordering::Less => self.batch,
            std::cmp::Ordering::Equal => live.last_rows,
            std::cmp::Ordering::Greater => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Source;

    #[test]
    fn an_architecture_is_read_as_it_was_written_and_checked() {
        let architecture =
            Architecture::perceptron(&[4, 3, 2], 3, 2, Precision::of_classes(2)).expect("it is possible");
        let text = serde_json::to_string(&architecture).expect("it is written");
        assert_eq!(serde_json::from_str::<Architecture>(&text).expect("it is read"), architecture);
        for (from, to, message) in [
            ("\"batch\":3", "\"batch\":0", "batch is 0, expected 1 to 4096"),
            ("\"steps\":2", "\"steps\":3", "not a power of two"),
            ("\"labels\":2", "\"labels\":1", "1 labels for 2 logits"),
            ("\"batch\":3", "\"batch\":3,\"rate\":1", "unknown field `rate`"),
            ("{\"outputs\":3}", "{\"outputs\":9,\"outputs\":3}", "`outputs` is there twice"),
            ("{\"outputs\":3}", "{}", "operator `dense`: a setting is missing"),
            ("\"relu\"", "\"tanh\"", "no operator `tanh`"),
            ("[{\"node\":0}]", &format!("[{}]", vec!["\"input\""; 17].join(",")), "17 inputs, expected at most 16"),
            ("{\"outputs\":3}", "{\"outputs\":4294967295}", "its output has 4294967295 columns"),
            ("{\"node\":0}", "{\"node\":65535}", "not before it"),
        ] {
            let error = serde_json::from_str::<Architecture>(&text.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn layers_and_parameters_are_those_of_the_program() {
        let architecture =
            Architecture::perceptron(&[4, 3, 2], 3, 2, Precision::of_classes(2)).expect("it is possible");
        assert!(architecture.layers().eq([[4, 3], [3, 2]]));
        assert_eq!(architecture.parameters(), 5 * 3 + 4 * 2);
        assert_eq!(architecture.widths(), Some(vec![4, 3, 2]));
        let mut graph = architecture.graph().clone();
        graph.nodes.remove(1);
        graph.nodes[1].inputs[0] = Source::Node(0);
        graph.nodes[2].inputs[0] = Source::Node(1);
        assert_eq!(Architecture::new(graph, 3, 2).expect("it is possible").widths(), None, "without its ReLU");
    }
}
