//! One training step of a network that is resident on a backend.

use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::network::arithmetic::{SoftmaxRow, exponential_table, relu, round_shift, softmax_row};
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::network::trace::{NO_LABEL, Parameters};

use super::{Pass, TrainError, expect_length};
use crate::kernels::{Dense, DenseShape, Kernels};

/// Dense layers on a backend, with the tables that training needs.
pub struct Network {
    widths: Vec<usize>,
    precision: Precision,
    layers: Vec<Box<dyn Dense>>,
    exponentials: Vec<u16>,
}

/// Every tensor of one step. Layer `l = 1 ..= L` stands at index `l - 1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTensors {
    /// `U_l`, each `rows × d_l`.
    pub products: Vec<Vec<i64>>,
    /// `H_l = round(U_l / 2^F)`, each `rows × d_l`; the last are the logits.
    pub pre_activations: Vec<Vec<i16>>,
    /// `A_l = relu(H_l)` of the hidden layers, each `rows × d_l`.
    pub activations: Vec<Vec<i16>>,
    /// Softmax of each row's logits.
    pub softmax: Vec<SoftmaxRow>,
    /// `V_l = G_{l+1}·W_{l+1}ᵀ` of the hidden layers, each `rows × d_l`.
    pub back_products: Vec<Vec<i64>>,
    /// `G_l`, each `rows × d_l`.
    pub gradients: Vec<Vec<i16>>,
}

impl Network {
    /// Places `parameters` on a backend.
    ///
    /// # Errors
    /// If the architecture is refused, a tensor has the wrong length, or the device fails.
    pub fn new(
        architecture: &Architecture,
        backend: &dyn Kernels,
        parameters: &Parameters,
    ) -> Result<Self, TrainError> {
        architecture.validate()?;
        expect_length("list of weight matrices", parameters.weights.len(), architecture.layers())?;
        expect_length("list of bias vectors", parameters.biases.len(), architecture.layers())?;
        let precision = architecture.precision;
        let layers = parameters
            .weights
            .iter()
            .zip(&parameters.biases)
            .zip(architecture.widths.windows(2))
            .enumerate()
            .map(|(l, ((weights, biases), widths))| {
                let shape =
                    DenseShape { inputs: widths[0], outputs: widths[1], activation_bits: precision.activation_bits };
                let layer = backend.dense(shape, weights, biases);
                layer.map_err(|source| TrainError::Transfer { layer: l + 1, source })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { widths: architecture.widths.clone(), precision, layers, exponentials: exponential_table(&precision) })
    }

    /// Copies the parameters back from the backend.
    ///
    /// # Errors
    /// If the device fails.
    pub fn parameters(&self) -> Result<Parameters, TrainError> {
        let mut parameters = Parameters::default();
        for (l, (layer, widths)) in self.layers.iter().zip(self.widths.windows(2)).enumerate() {
            let (mut weights, mut biases) = (vec![0; widths[0] * widths[1]], vec![0; widths[1]]);
            let read = layer.read(&mut weights, &mut biases);
            read.map_err(|source| TrainError::Transfer { layer: l + 1, source })?;
            parameters.weights.push(weights);
            parameters.biases.push(biases);
        }
        Ok(parameters)
    }

    /// Scales of the network's tensors.
    pub fn precision(&self) -> &Precision {
        &self.precision
    }

    /// The forward pass: products, pre-activations, activations and softmax; the other tensors stay empty.
    ///
    /// # Shapes
    /// `input`: `rows × d_0`.
    ///
    /// # Errors
    /// If a value leaves its range, the input has the wrong length, or the device fails.
    pub fn forward(&mut self, pass: Pass, input: &[i16]) -> Result<StepTensors, TrainError> {
        let rows = input.len() / self.widths[0];
        expect_length("input", input.len(), rows * self.widths[0])?;
        let (last, bits) = (self.layers.len() - 1, self.precision.weight_bits());
        let mut tensors = StepTensors::default();
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let (inputs, outputs) = (self.widths[l], self.widths[l + 1]);
            let reach = ((inputs as u64) << 15) + (1 << self.precision.activation_bits);
            expect_magnitude(pass, l + 1, "forward", layer.magnitude(), reach)?;
            let mut product = vec![0; rows * outputs];
            let operand = if l == 0 { input } else { &tensors.activations[l - 1] };
            layer.forward(operand, &mut product).map_err(|source| TrainError::Kernel { pass, layer: l + 1, source })?;
            let rounded = round_to_16_bits(&product, bits).map_err(|value| TrainError::OutOfRange {
                pass,
                layer: l + 1,
                tensor: "pre-activation",
                value,
                bits: "activation_bits",
            })?;
            tensors.products.push(product);
            if l < last {
                tensors.activations.push(rounded.iter().map(|&h| relu(h).0).collect());
            }
            tensors.pre_activations.push(rounded);
        }
        let logits = tensors.pre_activations[last].chunks_exact(self.widths[last + 1]);
        tensors.softmax =
            logits.map(|row| softmax_row(row, &self.exponentials, self.precision.gradient_bits)).collect();
        Ok(tensors)
    }

    /// One step: forward, loss, backward, and the update of every layer by `rate · 2^-rate_bits` times the gradient.
    ///
    /// Rows with [`NO_LABEL`] run the forward pass and train nothing.
    ///
    /// # Shapes
    /// `input`: `rows × d_0`; `labels`: `rows`.
    ///
    /// # Errors
    /// If a value leaves its range (the network is then partly updated and of no further use), if a label is not a
    /// class, if a tensor has the wrong length, or if the device fails.
    pub fn step(&mut self, step: u64, input: &[i16], labels: &[u16], rate: u32) -> Result<StepTensors, TrainError> {
        let (pass, last) = (Pass::Step(step), self.layers.len() - 1);
        expect_length("input", input.len(), labels.len() * self.widths[0])?;
        let mut tensors = self.forward(pass, input)?;
        tensors.gradients = self.widths[1..].iter().map(|d| vec![0; labels.len() * d]).collect();
        tensors.back_products = self.widths[1..=last].iter().map(|d| vec![0; labels.len() * d]).collect();
        if labels.iter().all(|&label| label == NO_LABEL) {
            return Ok(tensors);
        }
        self.loss_gradient(&tensors.softmax, labels, &mut tensors.gradients[last])?;
        for l in (0..=last).rev() {
            let kernel = |source| TrainError::Kernel { pass, layer: l + 1, source };
            // The gradient below is taken with the weights before their update.
            if l > 0 {
                let reach = (self.widths[l + 1] as u64) << 15;
                expect_magnitude(pass, l + 1, "backward", self.layers[l].magnitude(), reach)?;
                let product = &mut tensors.back_products[l - 1];
                self.layers[l].backward(&tensors.gradients[l], product).map_err(kernel)?;
                tensors.gradients[l - 1] = self.masked(product, &tensors.pre_activations[l - 1]).map_err(|value| {
                    TrainError::OutOfRange { pass, layer: l, tensor: "gradient", value, bits: "gradient_bits" }
                })?;
            }
            let operand = if l == 0 { input } else { &tensors.activations[l - 1] };
            self.layers[l].update(operand, &tensors.gradients[l], rate).map_err(kernel)?;
        }
        Ok(tensors)
    }

    /// `G_L = μ·(P - onehot(y)·2^fg)`, with `μ` zero on rows without a label.
    fn loss_gradient(&self, softmax: &[SoftmaxRow], labels: &[u16], gradient: &mut [i16]) -> Result<(), TrainError> {
        let classes = self.widths[self.layers.len()];
        let one = 1 << self.precision.gradient_bits;
        for (row, (line, (softmax, &label))) in
            gradient.chunks_exact_mut(classes).zip(softmax.iter().zip(labels)).enumerate()
        {
            if label == NO_LABEL {
                continue;
            }
            // A probability is at most 2^fg ≤ 2^14.
            for (g, &p) in line.iter_mut().zip(&softmax.probabilities) {
                *g = p as i16;
            }
            *line.get_mut(usize::from(label)).ok_or(TrainError::Label { row, label, classes })? -= one;
        }
        Ok(())
    }

    /// `G_l = round((m_l ⊙ V_l) / 2^F)`, or the value that does not fit.
    fn masked(&self, product: &[i64], pre_activation: &[i16]) -> Result<Vec<i16>, i64> {
        let masked: Vec<i64> =
            product.iter().zip(pre_activation).map(|(&v, &h)| if relu(h).1 { v } else { 0 }).collect();
        round_to_16_bits(&masked, self.precision.weight_bits())
    }
}

/// `round(value / 2^bits)` of every value, or the first that does not fit in 16 bits.
fn round_to_16_bits(values: &[i64], bits: u32) -> Result<Vec<i16>, i64> {
    let rounded: Vec<i16> = values.iter().map(|&value| round_shift(value, bits).0 as i16).collect();
    // One pass without a branch decides; the value is looked for only on failure.
    let inside = (i128::from(i16::MIN) << bits) - (1 << (bits - 1))..(1i128 << (15 + bits)) - (1 << (bits - 1));
    let clamp = |bound: i128| bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let (least, most) = (clamp(inside.start), clamp(inside.end - 1));
    if values.iter().fold(true, |all, value| all & (least..=most).contains(value)) {
        return Ok(rounded);
    }
    let wide = values.iter().find(|value| !(least..=most).contains(value));
    wide.map_or(Ok(rounded), |&value| Err(round_shift(value, bits).0))
}

/// Checks that `reach · magnitude < 2^63`.
fn expect_magnitude(
    pass: Pass,
    layer: usize,
    product: &'static str,
    magnitude: u64,
    reach: u64,
) -> Result<(), TrainError> {
    let most = ((1u64 << 63) - 1) / reach;
    if magnitude <= most { Ok(()) } else { Err(TrainError::Magnitude { pass, layer, product, magnitude, most }) }
}
