//! Parameters as safetensors files, exact or as floating point.
//!
//! | tensor | type | shape | meaning |
//! |---|---|---|---|
//! | `layers.N.weight`, `layers.N.bias` | F32 or F64 | `[d_{N+1}, d_N]`, `[d_{N+1}]` | as PyTorch's `nn.Linear` |
//! | `layers.N.weight.fixed`, `layers.N.bias.fixed` | I64 | the same | the integers, of scale `2^-F`, for a lossless resume |
//!
//! `N` counts from 0. A file has one kind or the other. Both kinds name `F` in the metadata entry `weight_bits`; a fixed
//! file with another `F` is refused.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use gradproof_circuits::architecture::{Architecture, ArchitectureError};
use gradproof_prover::trace::Parameters;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Name of the metadata entry that holds `F`.
const WEIGHT_BITS: &str = "weight_bits";
/// Room for the header of a file, besides eight bytes for each parameter.
const HEADER_BYTES: u64 = 1 << 20;

/// Why a parameter file is refused or not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// The architecture is refused.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// The parameters are not of this architecture.
    #[error("the parameters do not fit the architecture: {tensor} has {got} values, expected {expected}")]
    Length {
        /// Name of the tensor.
        tensor: String,
        /// Values it should have.
        expected: usize,
        /// Values it has.
        got: usize,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
    /// The file is larger than the architecture's parameters can be.
    #[error("{}: {got} bytes, expected at most {most} for this architecture", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Largest that is read.
        most: u64,
        /// Its length.
        got: u64,
    },
    /// The file is not in the safetensors format.
    #[error("{}: not a safetensors file: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: safetensors::SafeTensorError,
    },
    /// The set of tensors is not that of the architecture.
    #[error("{}: {problem} tensor {tensor}; the file holds {held}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// `missing` or `unknown`.
        problem: &'static str,
        /// Name of the tensor.
        tensor: String,
        /// Names in the file.
        held: String,
    },
    /// A tensor has another shape or type.
    #[error("{}: tensor {tensor} is {got}, expected {expected}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape and type it should have.
        expected: String,
        /// Shape and type it has.
        got: String,
    },
    /// A value is not a number, or too large for 63 bits.
    #[error("{}: value {index} of tensor {tensor} is {value}, which has no fixed-point form", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Index in the tensor, row-major.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A fixed file has another scale.
    #[error("{}: weight_bits is {got}, expected {expected}", path.display())]
    Scale {
        /// The file.
        path: PathBuf,
        /// `F` of the architecture.
        expected: u32,
        /// What the metadata says.
        got: String,
    },
}

/// What the numbers of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// The exact integers.
    Fixed,
    /// The nearest single-precision numbers.
    Float,
}

/// One tensor of a file: its name without suffix, shape, and the values of the layer it stands for.
struct Slot {
    name: String,
    shape: Vec<usize>,
    /// Layer, and whether it is the weight matrix.
    layer: usize,
    weight: bool,
}

fn slots(architecture: &Architecture) -> Vec<Slot> {
    let slot = |layer: usize, widths: &[usize], weight: bool| Slot {
        name: format!("layers.{layer}.{}", if weight { "weight" } else { "bias" }),
        shape: if weight { vec![widths[1], widths[0]] } else { vec![widths[1]] },
        layer,
        weight,
    };
    let layers = architecture.widths.windows(2).enumerate();
    layers.flat_map(|(l, widths)| [slot(l, widths, true), slot(l, widths, false)]).collect()
}

impl Slot {
    /// Index in the layer's tensor of each value of the file, which has the transposed order for weights.
    fn order(&self) -> impl Iterator<Item = usize> + '_ {
        let (outputs, inputs) = (self.shape[0], if self.weight { self.shape[1] } else { 1 });
        (0..outputs).flat_map(move |j| (0..inputs).map(move |i| i * outputs + j))
    }

    fn values<'a>(&self, parameters: &'a Parameters) -> Option<&'a Vec<i64>> {
        (if self.weight { &parameters.weights } else { &parameters.biases }).get(self.layer)
    }
}

/// Writes parameters to `path`, replacing the file at once when all is written.
///
/// # Errors
/// If the parameters do not fit the architecture or the file cannot be written.
pub fn write_parameters(
    path: &Path,
    architecture: &Architecture,
    parameters: &Parameters,
    numbers: Numbers,
) -> Result<(), ParametersError> {
    architecture.validate()?;
    let bits = architecture.precision.weight_bits();
    let mut tensors = Vec::new();
    for slot in slots(architecture) {
        let values = slot.values(parameters).map_or(&[][..], Vec::as_slice);
        let expected = slot.shape.iter().product();
        if values.len() != expected {
            return Err(ParametersError::Length { tensor: slot.name, expected, got: values.len() });
        }
        let (name, bytes): (_, Vec<u8>) = match numbers {
            Numbers::Fixed => {
                (format!("{}.fixed", slot.name), slot.order().flat_map(|at| values[at].to_le_bytes()).collect())
            }
            Numbers::Float => {
                let float = |at: usize| (values[at] as f64 / (bits as f64).exp2()) as f32;
                (slot.name.clone(), slot.order().flat_map(|at| float(at).to_le_bytes()).collect())
            }
        };
        tensors.push((name, slot.shape, bytes));
    }
    let format = |source| ParametersError::Format { path: path.into(), source };
    let dtype = if numbers == Numbers::Fixed { Dtype::I64 } else { Dtype::F32 };
    let views = tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(format)?;
    let metadata = HashMap::from([(WEIGHT_BITS.to_owned(), bits.to_string())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(format)?;
    gradproof_verifier::command::atomic::write(path, |file| file.write_all(&bytes))
        .map_err(|source| ParametersError::File { path: path.into(), source })
}

/// Reads parameters of either kind; floating-point values are rounded to the nearest multiple of `2^-F`, halves away from
/// zero.
///
/// # Errors
/// If the file cannot be read, is not of this architecture or scale, or holds a value without a fixed-point form. Tensors
/// that the architecture does not know are refused too: leaving them out would be another network.
pub fn read_parameters(path: &Path, architecture: &Architecture) -> Result<Parameters, ParametersError> {
    architecture.validate()?;
    let file_error = |source| ParametersError::File { path: path.into(), source };
    let most = HEADER_BYTES + 8 * architecture.parameters() as u64;
    let got = std::fs::metadata(path).map_err(file_error)?.len();
    if got > most {
        return Err(ParametersError::Size { path: path.into(), most, got });
    }
    let bytes = std::fs::read(path).map_err(file_error)?;
    let format = |source| ParametersError::Format { path: path.into(), source };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(format)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(format)?;

    let fixed = tensors.names().iter().any(|name| name.ends_with(".fixed"));
    let bits = architecture.precision.weight_bits();
    let scale = metadata.metadata().as_ref().and_then(|entries| entries.get(WEIGHT_BITS));
    if fixed && scale != Some(&bits.to_string()) {
        let got = scale.map_or_else(|| "absent".to_owned(), Clone::clone);
        return Err(ParametersError::Scale { path: path.into(), expected: bits, got });
    }
    let slots = slots(architecture);
    let named = |slot: &Slot| if fixed { format!("{}.fixed", slot.name) } else { slot.name.clone() };
    let tensors_error = |problem, tensor: &str| {
        let mut held = tensors.names();
        held.sort_unstable();
        ParametersError::Tensors { path: path.into(), problem, tensor: tensor.into(), held: held.join(", ") }
    };
    let known: Vec<String> = slots.iter().map(named).collect();
    if let Some(unknown) = tensors.names().into_iter().find(|name| !known.iter().any(|k| k == name)) {
        return Err(tensors_error("unknown", unknown));
    }
    let mut parameters = Parameters::default();
    for (slot, name) in slots.iter().zip(&known) {
        let view = tensors.tensor(name).map_err(|_| tensors_error("missing", name))?;
        let values = decode(path, slot, name, &view, fixed, bits)?;
        if slot.weight { &mut parameters.weights } else { &mut parameters.biases }.push(values);
    }
    Ok(parameters)
}

fn decode(
    path: &Path,
    slot: &Slot,
    name: &str,
    view: &TensorView<'_>,
    fixed: bool,
    bits: u32,
) -> Result<Vec<i64>, ParametersError> {
    let dtypes: &[Dtype] = if fixed { &[Dtype::I64] } else { &[Dtype::F32, Dtype::F64] };
    if view.shape() != slot.shape || !dtypes.contains(&view.dtype()) {
        return Err(ParametersError::Tensor {
            path: path.into(),
            tensor: name.into(),
            expected: format!("{:?} of {}", slot.shape, if fixed { "I64" } else { "F32 or F64" }),
            got: format!("{:?} of {:?}", view.shape(), view.dtype()),
        });
    }
    let mut values = vec![0; slot.shape.iter().product()];
    let words = view.data().chunks_exact(view.dtype().bitsize() / 8);
    for (index, (at, word)) in slot.order().zip(words).enumerate() {
        let value = match *word {
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] if fixed => {
                values[at] = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
                continue;
            }
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => continue,
        };
        let scaled = (value * f64::from(bits).exp2()).round();
        // The comparison is false for what is not a number.
        if scaled.abs() < 62f64.exp2() {
            values[at] = scaled as i64;
        } else {
            return Err(ParametersError::Value { path: path.into(), tensor: name.into(), index, value });
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{initial_parameters, seed_of};
    use gradproof_circuits::arithmetic::Precision;

    fn architecture() -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture { widths: vec![5, 4, 3], batch: 2, steps: 2, precision }
    }

    fn parameters() -> Parameters {
        let mut parameters = initial_parameters(&architecture(), seed_of(1)).expect("a valid architecture");
        parameters.biases[1] = vec![i64::MAX, i64::MIN, -1];
        parameters
    }

    #[test]
    fn fixed_files_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("last.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Fixed).expect("written");
        assert_eq!(read_parameters(&path, &architecture()).expect("read"), parameters());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no temporary file stays");

        let mut other = architecture();
        other.precision.rate_bits = 9;
        let error = read_parameters(&path, &other).expect_err("another scale").to_string();
        assert!(error.ends_with("last.safetensors: weight_bits is 28, expected 29"), "{error}");
    }

    #[test]
    fn float_files_are_transposed_and_within_single_precision() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("float.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Float).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let view = tensors.tensor("layers.0.weight").expect("the first weights");
        assert_eq!((view.shape(), view.dtype()), (&[4, 5][..], Dtype::F32));
        let second: [u8; 4] = view.data()[4..8].try_into().expect("four bytes");
        let exact = parameters().weights[0][4] as f64 / 28f64.exp2();
        assert!((f64::from(f32::from_le_bytes(second)) - exact).abs() < 1e-7);

        let mut small = parameters();
        small.biases[1] = vec![0; 3];
        write_parameters(&path, &architecture(), &small, Numbers::Float).expect("written");
        let back = read_parameters(&path, &architecture()).expect("read");
        for (a, b) in back.weights.iter().flatten().zip(small.weights.iter().flatten()) {
            assert!((a - b).abs() <= 32, "{a} against {b}");
        }
    }

    #[test]
    fn other_shapes_tensors_and_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Fixed).expect("written");
        let refused = |widths: &[usize]| {
            let other = Architecture { widths: widths.to_vec(), ..architecture() };
            read_parameters(&path, &other).expect_err("refused").to_string()
        };
        let error = refused(&[5, 6, 3]);
        assert!(error.contains("layers.0.weight.fixed is [4, 5] of I64, expected [6, 5] of I64"), "{error}");
        assert!(refused(&[5, 4, 3, 3]).contains("missing tensor layers.2.weight.fixed"));
        assert!(refused(&[5, 4]).contains("unknown tensor layers.1."));

        let bytes = std::fs::read(&path).expect("read");
        for length in [0, 7, 40, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).expect("written");
            assert!(read_parameters(&path, &architecture()).is_err());
        }
        assert!(matches!(
            read_parameters(&folder.path().join("none"), &architecture()),
            Err(ParametersError::File { .. })
        ));
    }

    #[test]
    fn values_without_a_fixed_point_form_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nan.safetensors");
        let architecture = Architecture { widths: vec![1, 1], ..architecture() };
        for value in [0.75, f64::NAN, f64::INFINITY, 1e30] {
            let (weight, bias) = (value.to_le_bytes(), 0.5f64.to_le_bytes());
            let view = |shape: &[usize], bytes| TensorView::new(Dtype::F64, shape.to_vec(), bytes).expect("a tensor");
            let tensors = [("layers.0.weight", view(&[1, 1], &weight[..])), ("layers.0.bias", view(&[1], &bias[..]))];
            let bytes = safetensors::serialize(tensors, None).expect("serialized");
            std::fs::write(&path, bytes).expect("written");
            let read = read_parameters(&path, &architecture);
            if value == 0.75 {
                let exact = Parameters { weights: vec![vec![3 << 26]], biases: vec![vec![1 << 27]] };
                assert_eq!(read.expect("read"), exact);
                continue;
            }
            let error = read.expect_err("refused").to_string();
            assert!(error.contains("value 0 of tensor layers.0.weight"), "{error}");
        }
    }
}
