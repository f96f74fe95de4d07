//! The three integer products of a dense layer, behind kernels that are chosen at run time.
//!
//! A layer lives where its kernels compute: parameters are given once, stay there over many steps, and are read back
//! at the end. [`Reference`] is the oracle that all others are tested against.

mod cpu;
mod panels;
mod reference;

pub use cpu::Cpu;
pub use reference::Reference;

/// All kernels of this build, by name; the first are the usual ones.
///
/// Training is the same to the bit on each.
pub const KERNELS: [(&str, &dyn Kernels); 2] = [("cpu", &Cpu), ("reference", &Reference)];

/// Sizes of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseShape {
    /// Neurons before the layer, `d_in`, at least 1.
    pub inputs: usize,
    /// Neurons of the layer, `d_out`, at least 1.
    pub outputs: usize,
    /// Biases are added and updated with the factor `2^activation_bits`, at most 14 bits.
    pub activation_bits: u32,
}

/// Why a kernel gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A layer has no neurons, or a scale that no architecture has.
    #[error("no dense layer has the shape {0:?}")]
    Shape(DenseShape),
    /// A tensor has another length than the shape gives it.
    #[error("{tensor} has {got} values, expected {expected}")]
    Length {
        /// Which tensor.
        tensor: &'static str,
        /// Values it should have.
        expected: usize,
        /// Values it has.
        got: usize,
    },
    /// An updated parameter does not fit in 64 bits.
    #[error("{parameter} {index} leaves the range of 64 bits")]
    Overflow {
        /// `weight` or `bias`.
        parameter: &'static str,
        /// Its row-major index in the layer.
        index: usize,
    },
}

/// A place where dense layers live and their products are computed.
pub trait Kernels: std::fmt::Debug + Send + Sync {
    /// Name for messages and reports.
    fn name(&self) -> &'static str;

    /// A layer with the given parameters, resident where these compute.
    ///
    /// # Shapes
    /// `weights`: `inputs × outputs`, row-major; `biases`: `outputs`.
    ///
    /// # Errors
    /// If a tensor has the wrong length or the device fails.
    fn dense(&self, shape: DenseShape, weights: &[i64], biases: &[i64]) -> Result<Box<dyn Dense>, KernelError>;
}

/// A dense layer where its kernels compute: integer operands of 16 bits, parameters and sums of 64 bits.
///
/// The number of rows is that of the operands. Products are exact when the result fits in 64 bits, which holds for
/// every operand while `(inputs·2^15 + 2^activation_bits)·magnitude < 2^63` (forward) and
/// `outputs·2^15·magnitude < 2^63` (backward); otherwise they wrap. The caller checks.
pub trait Dense: Send {
    /// The largest absolute value of a weight or bias.
    fn magnitude(&self) -> u64;

    /// `U = A·W + 2^fa·b`.
    ///
    /// # Shapes
    /// `input`: `rows × inputs`; `product`: `rows × outputs`.
    ///
    /// # Errors
    /// If a tensor has the wrong length or the device fails.
    fn forward(&mut self, input: &[i16], product: &mut [i64]) -> Result<(), KernelError>;

    /// `V = G·Wᵀ`.
    ///
    /// # Shapes
    /// `gradient`: `rows × outputs`; `product`: `rows × inputs`.
    ///
    /// # Errors
    /// If a tensor has the wrong length or the device fails.
    fn backward(&mut self, gradient: &[i16], product: &mut [i64]) -> Result<(), KernelError>;

    /// `W ← W - rate·Aᵀ·G`, `b ← b - rate·2^fa·Σ_rows G`, with checked additions.
    ///
    /// # Shapes
    /// `input`: `rows × inputs`; `gradient`: `rows × outputs`; at most `2^32` rows.
    ///
    /// # Errors
    /// If a parameter leaves 64 bits (the layer is then partly updated and of no further use), if a tensor has the wrong
    /// length, or if the device fails.
    fn update(&mut self, input: &[i16], gradient: &[i16], rate: u32) -> Result<(), KernelError>;

    /// Copies the parameters out.
    ///
    /// # Shapes
    /// `weights`: `inputs × outputs`, row-major; `biases`: `outputs`.
    ///
    /// # Errors
    /// If a tensor has the wrong length or the device fails.
    fn read(&self, weights: &mut [i64], biases: &mut [i64]) -> Result<(), KernelError>;
}

fn expect_length(tensor: &'static str, got: usize, expected: usize) -> Result<(), KernelError> {
    if got == expected { Ok(()) } else { Err(KernelError::Length { tensor, expected, got }) }
}

impl DenseShape {
    /// Checks the shape and the length of a layer's parameters.
    ///
    /// # Errors
    /// The shape if it is empty, or the tensor of another length.
    pub fn expect_parameters(&self, weights: &[i64], biases: &[i64]) -> Result<(), KernelError> {
        if self.inputs == 0 || self.outputs == 0 || self.activation_bits > 14 {
            return Err(KernelError::Shape(*self));
        }
        expect_length("weights", weights.len(), self.inputs * self.outputs)?;
        expect_length("biases", biases.len(), self.outputs)
    }

    /// Checks the lengths of a tensor before the layer and of one after it, and returns their rows.
    ///
    /// # Errors
    /// The tensor of another length.
    pub fn expect_rows(
        &self,
        before: (&'static str, usize),
        after: (&'static str, usize),
    ) -> Result<usize, KernelError> {
        let rows = before.1 / self.inputs.max(1);
        expect_length(before.0, before.1, rows * self.inputs)?;
        expect_length(after.0, after.1, rows * self.outputs)?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
