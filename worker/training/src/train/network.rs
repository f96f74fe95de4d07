//! One training step of a network that is resident on a backend: the computations of its program, in order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::arithmetic::round_shift;
use gradproof_circuits::program::{
    Addend, Classified, Computation, Contraction, Form, Program, Round, Sum, Tensor, Update, fill,
};
use gradproof_circuits::trace::{NO_LABEL, Parameters};

use super::{Pass, TrainError, expect_length};
use crate::kernels::{Dense, DenseShape, Kernels};

/// The parameters of a graph on a backend, and how its tensors are filled.
pub struct Network {
    architecture: Architecture,
    /// A layer holds a matrix and the vector after it.
    layers: Vec<Box<dyn Dense>>,
}

/// Every tensor of one step, without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTensors {
    /// Sums before rounding, each `rows × columns`.
    pub sums: BTreeMap<Tensor, Vec<i64>>,
    /// The others, each `rows × columns`, or a value a row.
    pub values: BTreeMap<Tensor, Vec<i32>>,
}

impl StepTensors {
    /// A sum.
    ///
    /// # Errors
    /// It is not there.
    pub fn sum(&self, tensor: Tensor) -> Result<&[i64], TrainError> {
        self.sums.get(&tensor).map(Vec::as_slice).ok_or(TrainError::Tensor { tensor })
    }

    /// Another tensor.
    ///
    /// # Errors
    /// It is not there.
    pub fn value(&self, tensor: Tensor) -> Result<&[i32], TrainError> {
        self.values.get(&tensor).map(Vec::as_slice).ok_or(TrainError::Tensor { tensor })
    }

    /// A form, `rows × columns`.
    fn form(&self, form: &Form) -> Result<Cow<'_, [i32]>, TrainError> {
        form.evaluate(|tensor| self.value(tensor))
    }
}

impl Network {
    /// Places `parameters` on a backend.
    ///
    /// # Errors
    /// If no kernel trains the graph, a tensor has the wrong length, or the device fails.
    pub fn new(
        architecture: &Architecture,
        backend: &dyn Kernels,
        parameters: &Parameters,
    ) -> Result<Self, TrainError> {
        let program = architecture.program();
        let count = program.parameters.len() / 2;
        expect_length("list of weight matrices", parameters.weights.len(), count)?;
        expect_length("list of bias vectors", parameters.biases.len(), count)?;
        let mut layers = Vec::new();
        let tensors = parameters.weights.iter().zip(&parameters.biases);
        for (layer, (pair, (weights, biases))) in program.parameters.chunks(2).zip(tensors).enumerate() {
            let [matrix, vector] = pair else { return Err(TrainError::Parameters { layer: layer + 1 }) };
            let (Some(inputs), None, [change], [update]) =
                (matrix.rows, vector.rows, &matrix.updates[..], &vector.updates[..])
            else {
                return Err(TrainError::Parameters { layer: layer + 1 });
            };
            // The kernels add and change the vector with its matrix.
            let exponent = &update.exponent;
            let together = program.sums.iter().all(|sum| {
                let products = sum.contractions.iter().filter(|c| !c.transposed && c.parameter == 2 * layer);
                let products: Vec<u32> = products.map(|contraction| contraction.exponent + exponent).collect();
                let addends = sum.addends.iter().filter(|(addend, _)| *addend == Addend::Parameter(2 * layer + 1));
                products.len() <= 1 && addends.map(|(_, exponent)| *exponent).eq(products)
            });
            if !together || change.exponent != 0 {
                return Err(TrainError::Parameters { layer: layer + 1 });
            }
            let shape = DenseShape { inputs, outputs: matrix.columns, activation_bits: *exponent };
            let resident = backend.dense(shape, weights, biases);
            layers.push(resident.map_err(|source| TrainError::Transfer { layer: layer + 1, source })?);
        }
        Ok(Self { architecture: architecture.clone(), layers })
    }

    /// Copies the parameters back from the backend.
    ///
    /// # Errors
    /// If the device fails.
    pub fn parameters(&self) -> Result<Parameters, TrainError> {
        let mut parameters = Parameters::default();
        for (l, (layer, pair)) in self.layers.iter().zip(self.program().parameters.chunks(2)).enumerate() {
            let [matrix, vector] = pair else { return Err(TrainError::Parameters { layer: l + 1 }) };
            let [mut weights, mut biases] = [matrix, vector].map(|parameter| vec![0; parameter.entries()]);
            let read = layer.read(&mut weights, &mut biases);
            read.map_err(|source| TrainError::Transfer { layer: l + 1, source })?;
            parameters.weights.push(weights);
            parameters.biases.push(biases);
        }
        Ok(parameters)
    }

    /// What is trained.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn program(&self) -> &Program {
        self.architecture.program()
    }

    /// The forward pass; the tensors of the backward pass stay empty.
    ///
    /// # Shapes
    /// `input`: `rows × columns of the input`.
    ///
    /// # Errors
    /// If a value leaves its range, the input has the wrong length, or the device fails.
    pub fn forward(&mut self, pass: Pass, input: &[i16]) -> Result<StepTensors, TrainError> {
        let rows = input.len() / self.architecture.inputs();
        expect_length("input", input.len(), rows * self.architecture.inputs())?;
        let mut tensors = StepTensors::default();
        tensors.values.insert(Tensor::input(), input.iter().map(|&x| i32::from(x)).collect());
        self.compute(pass, rows, 0..self.program().forward, &mut tensors)?;
        Ok(tensors)
    }

    /// One step: forward, loss, backward, and the update of every parameter by `rate · 2^-rate_bits` times the gradient.
    ///
    /// Rows with [`NO_LABEL`] run the forward pass and train nothing.
    ///
    /// # Shapes
    /// `input`: `rows × columns of the input`; `labels`: `rows`.
    ///
    /// # Errors
    /// If a value leaves its range (the network is then partly updated and of no further use), if a label is not a
    /// class, if a tensor has the wrong length, or if the device fails.
    pub fn step(&mut self, step: u64, input: &[i16], labels: &[u16], rate: u32) -> Result<StepTensors, TrainError> {
        let (pass, rows) = (Pass::Step(step), labels.len());
        expect_length("input", input.len(), rows * self.architecture.inputs())?;
        let mut tensors = self.forward(pass, input)?;
        let mut hot = vec![0; rows * self.architecture.classes()];
        for (row, &label) in labels.iter().enumerate().filter(|(_, label)| **label != NO_LABEL) {
            let classes = self.architecture.classes();
            let entry = hot[row * classes..][..classes].get_mut(usize::from(label));
            *entry.ok_or(TrainError::Label { row, label, classes })? = 1;
        }
        let live = labels.iter().any(|&label| label != NO_LABEL);
        tensors.values.insert(Tensor::labels(), hot);
        let backward = self.program().forward..self.program().computations.len();
        self.compute(pass, rows, backward, &mut tensors)?;
        if !live {
            return Ok(tensors);
        }
        let program = self.architecture.program();
        for (layer, (resident, pair)) in self.layers.iter_mut().zip(program.parameters.chunks(2)).enumerate() {
            let [matrix, _] = pair else { return Err(TrainError::Parameters { layer: layer + 1 }) };
            for Update { left, right, .. } in &matrix.updates {
                let Some(left) = left else { return Err(TrainError::Parameters { layer: layer + 1 }) };
                let left = narrow(pass, layer + 1, "activation", &tensors.form(left)?)?;
                let right = narrow(pass, layer + 1, "gradient", &tensors.form(right)?)?;
                let updated = resident.update(&left, &right, rate);
                updated.map_err(|source| TrainError::Kernel { pass, layer: layer + 1, source })?;
            }
        }
        Ok(tensors)
    }

    /// The class chosen for each row, and the probability of the class that is asked for, `None` if there is no such class.
    pub fn classified(&self, tensors: &StepTensors, row: usize, class: u16) -> Option<(usize, u16)> {
        let Classified { selector, probability } = self.program().classified?;
        let row_of = |tensor| tensors.values.get(&tensor)?.chunks(self.architecture.classes()).nth(row);
        let selected = row_of(selector)?.iter().position(|&s| s == 1)?;
        row_of(probability)?.get(usize::from(class)).map(|&p| (selected, p as u16))
    }

    /// Largest absolute values of what was rounded in the forward pass, and of the gradients that updates are made of.
    pub fn largest(&self, tensors: &StepTensors) -> [u16; 2] {
        let of = |tensor: &Tensor| tensors.values.get(tensor).into_iter().flatten();
        let most = |values: &mut dyn Iterator<Item = &i32>| values.map(|v| v.unsigned_abs() as u16).max().unwrap_or(0);
        let rounded =
            self.program().computations[..self.program().forward].iter().filter_map(|computation| match computation {
                Computation::Round(Round { quotient, .. }) => Some(quotient),
                _ => None,
            });
        let updates = self.program().parameters.iter().flat_map(|parameter| &parameter.updates);
        let gradients = updates.flat_map(|update| &update.right.terms).map(|(tensor, ..)| tensor);
        [most(&mut rounded.flat_map(of)), most(&mut gradients.flat_map(of))]
    }

    fn compute(
        &mut self,
        pass: Pass,
        rows: usize,
        range: std::ops::Range<usize>,
        tensors: &mut StepTensors,
    ) -> Result<(), TrainError> {
        let Self { architecture, layers } = self;
        let program = architecture.program();
        for (index, computation) in program.computations.iter().enumerate().take(range.end).skip(range.start) {
            let backward = index >= program.forward;
            match computation {
                Computation::Sum(tensor) => {
                    let sum = program.sum(*tensor).ok_or(TrainError::Tensor { tensor: *tensor })?;
                    let values = total(pass, rows, program, layers, sum, tensors)?;
                    tensors.sums.insert(*tensor, values);
                }
                Computation::Round(round) => {
                    let (tensor, bits) =
                        if backward { ("gradient", "gradient_bits") } else { ("pre-activation", "activation_bits") };
                    let values = rounded(round, tensors)?.map_err(|value| {
                        let alike = program.sums.iter().filter(|sum| program.is_backward(sum) == backward);
                        let layer = alike.take_while(|sum| sum.tensor != round.sum).count() + 1;
                        TrainError::OutOfRange { pass, layer, tensor, value, bits }
                    })?;
                    tensors.values.insert(round.quotient, values);
                }
                Computation::Rows { function, inputs, outputs } => {
                    // A tensor is in range; a form of several may not be.
                    for (form, _) in inputs.iter().filter(|(form, _)| form.tensor().is_none()) {
                        let tensor = if backward { "gradient" } else { "activation" };
                        narrow(pass, 0, tensor, &tensors.form(form)?)?;
                    }
                    let inputs = inputs.iter().map(|(form, columns)| Ok((tensors.form(form)?, *columns)));
                    let inputs = inputs.collect::<Result<Vec<_>, TrainError>>()?;
                    let filled = fill(rows, &**function, &inputs, outputs, |columns| columns);
                    tensors.values.extend(filled);
                }
            }
        }
        Ok(())
    }
}

/// `form` in 16 bits, as kernels take it.
fn narrow(pass: Pass, layer: usize, tensor: &'static str, form: &[i32]) -> Result<Vec<i16>, TrainError> {
    let narrow = |&value: &i32| {
        let bits = if tensor == "gradient" { "gradient_bits" } else { "activation_bits" };
        i16::try_from(value).map_err(|_| TrainError::OutOfRange { pass, layer, tensor, value: value.into(), bits })
    };
    form.iter().map(narrow).collect()
}

/// A sum of products and forms, each at the scale of the sum.
fn total(
    pass: Pass,
    rows: usize,
    program: &Program,
    layers: &mut [Box<dyn Dense>],
    sum: &Sum,
    tensors: &StepTensors,
) -> Result<Vec<i64>, TrainError> {
    let mut total = vec![0i64; rows * sum.columns];
    // What the terms before may come to, in absolute value.
    let mut bound = 0u128;
    for Contraction { factor, parameter, transposed, exponent, .. } in &sum.contractions {
        let layer = parameter / 2 + 1;
        let (Some(resident), Some(matrix)) = (layers.get_mut(layer - 1), program.parameters.get(*parameter)) else {
            return Err(TrainError::Parameters { layer });
        };
        let (inner, product, operand) = match transposed {
            false => (matrix.rows.unwrap_or(1), "forward", "activation"),
            true => (matrix.columns, "backward", "gradient"),
        };
        let bias = sum.addends.iter().find(|(addend, _)| *addend == Addend::Parameter(parameter + 1));
        let reach = ((inner as u64) << 15) + bias.map_or(0, |(_, exponent)| 1 << exponent);
        let operand = narrow(pass, layer, operand, &tensors.form(factor)?)?;
        // Where nothing is trained, no gradient is anything.
        if *transposed && operand.iter().all(|&value| value == 0) {
            continue;
        }
        let magnitude = resident.magnitude();
        expect_magnitude(pass, layer, product, magnitude, reach)?;
        bound = bound.saturating_add((u128::from(magnitude) * u128::from(reach)) << exponent);
        if bound >= 1 << 63 {
            let most = ((1u64 << 63) - 1) / (reach << exponent).max(1) / sum.contractions.len() as u64;
            return Err(TrainError::Magnitude { pass, layer, product, magnitude, most });
        }
        let mut values = vec![0; total.len()];
        let computed = match transposed {
            false => resident.forward(&operand, &mut values),
            true => resident.backward(&operand, &mut values),
        };
        computed.map_err(|source| TrainError::Kernel { pass, layer, source })?;
        total.iter_mut().zip(values).for_each(|(sum, value)| *sum += value << exponent);
    }
    for (addend, exponent) in &sum.addends {
        if let Addend::Form(form) = addend {
            let values = tensors.form(form)?;
            let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
            bound = bound.saturating_add(u128::from(largest) << exponent);
            if bound >= 1 << 63 {
                let (tensor, bits) = ("sum before rounding", "scale bits");
                return Err(TrainError::OutOfRange { pass, layer: 0, tensor, value: largest.into(), bits });
            }
            total.iter_mut().zip(values.iter()).for_each(|(sum, value)| *sum += i64::from(*value) << exponent);
        }
    }
    Ok(total)
}

/// A sum times its mask, rounded, or the first value that does not fit in 16 bits.
fn rounded(round: &Round, tensors: &StepTensors) -> Result<Result<Vec<i32>, i64>, TrainError> {
    let sum = tensors.sum(round.sum)?;
    let masked: Vec<i64>;
    let sum = match round.mask {
        None => sum,
        Some(mask) => {
            masked = sum.iter().zip(tensors.value(mask)?).map(|(&v, &m)| if m == 0 { 0 } else { v }).collect();
            &masked
        }
    };
    Ok(round_to_16_bits(sum, round.shift))
}

/// `round(value / 2^bits)` of every value, or the first that does not fit in 16 bits.
fn round_to_16_bits(values: &[i64], bits: u32) -> Result<Vec<i32>, i64> {
    let rounded: Vec<i32> = values.iter().map(|&value| round_shift(value, bits).0 as i32).collect();
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
