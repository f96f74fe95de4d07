//! The file itself: its tensors, their types and scale.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use gradproof_circuits::architecture::{Architecture, ArchitectureError};
use gradproof_circuits::program::Parameter;
use gradproof_circuits::trace::Parameters;
use gradproof_terminal::atomic;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::names::{listed, matching};
use crate::data::Losses;
use crate::parameters::tensor_name;

/// Name of the metadata entry that holds `F`.
const WEIGHT_BITS: &str = "weight_bits";
/// Types of floating-point numbers that are read.
const FLOATS: [Dtype; 4] = [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64];
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
    #[error("{}: {problem}; expected {expected}; the file has {got}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
        /// Names and shapes that the network has.
        expected: String,
        /// Names and shapes in the file.
        got: String,
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
    /// An exact file has another scale.
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
    Exact,
    /// The nearest single-precision numbers.
    Float,
}

/// What a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The parameters.
    pub parameters: Parameters,
    /// What they were in the file.
    pub numbers: Numbers,
    /// What the user should know about how they were read.
    pub notes: Vec<String>,
}

/// One tensor of a file: its name, shape, and the values of the layer it stands for.
pub(super) struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    /// Layer, and whether it is the weight matrix.
    layer: usize,
    weight: bool,
}

pub(super) fn slots(architecture: &Architecture) -> Vec<Slot> {
    let slot = |(index, parameter): (usize, &Parameter)| Slot {
        name: tensor_name(parameter),
        shape: parameter.rows.map_or_else(|| vec![parameter.columns], |rows| vec![parameter.columns, rows]),
        layer: index / 2,
        weight: parameter.rows.is_some(),
    };
    architecture.program().parameters.iter().enumerate().map(slot).collect()
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
    let bytes = encode(path, architecture, parameters, numbers)?;
    // Weights are no secret of the proofs, and not for everyone on the machine either.
    atomic::write_private(path, |file| file.write_all(&bytes))
        .map_err(|source| ParametersError::File { path: path.into(), source })
}

/// The same for a file that must not be there yet.
///
/// # Errors
/// As those of [`write_parameters`], or if it is there.
pub fn write_new_parameters(
    path: &Path,
    architecture: &Architecture,
    parameters: &Parameters,
    numbers: Numbers,
) -> eyre::Result<()> {
    atomic::write_new(path, &encode(path, architecture, parameters, numbers)?)
}

/// The bytes of the file `path`.
fn encode(
    path: &Path,
    architecture: &Architecture,
    parameters: &Parameters,
    numbers: Numbers,
) -> Result<Vec<u8>, ParametersError> {
    let bits = architecture.precision().weight_bits();
    let mut tensors = Vec::new();
    for slot in slots(architecture) {
        let values = slot.values(parameters).map_or(&[][..], Vec::as_slice);
        let expected = slot.shape.iter().product();
        if values.len() != expected {
            return Err(ParametersError::Length { tensor: slot.name, expected, got: values.len() });
        }
        let bytes: Vec<u8> = match numbers {
            Numbers::Exact => slot.order().flat_map(|at| values[at].to_le_bytes()).collect(),
            Numbers::Float => {
                let float = |at: usize| (values[at] as f64 / (bits as f64).exp2()) as f32;
                slot.order().flat_map(|at| float(at).to_le_bytes()).collect()
            }
        };
        tensors.push((slot.name, slot.shape, bytes));
    }
    let format = |source| ParametersError::Format { path: path.into(), source };
    let dtype = if numbers == Numbers::Exact { Dtype::I64 } else { Dtype::F32 };
    let views = tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(format)?;
    // One entry: more of them would be written in any order.
    let metadata = HashMap::from([(WEIGHT_BITS.to_owned(), bits.to_string())]);
    safetensors::serialize(views, Some(metadata)).map_err(format)
}

/// Reads parameters of either kind; floating-point values are rounded to the nearest multiple of `2^-F`, halves away from
/// zero.
///
/// # Errors
/// If the file cannot be read, is not of this architecture or scale, or holds a value without a fixed-point form. Tensors
/// that the architecture does not know are refused too: leaving them out would be another network.
pub fn read_parameters(path: &Path, architecture: &Architecture) -> Result<Read, ParametersError> {
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

    let slots = slots(architecture);
    let held: Vec<(String, Vec<usize>)> =
        tensors.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect();
    let wanted: Vec<(String, Vec<usize>)> = slots.iter().map(|slot| (slot.name.clone(), slot.shape.clone())).collect();
    let names = matching(&wanted, held).map_err(|(problem, held)| ParametersError::Tensors {
        path: path.into(),
        problem,
        expected: listed(&wanted),
        got: listed(&held),
    })?;

    let views = names.iter().map(|name| tensors.tensor(name)).collect::<Result<Vec<_>, _>>().map_err(format)?;
    let exact = views.iter().any(|view| view.dtype() == Dtype::I64);
    let bits = architecture.precision().weight_bits();
    let scale = metadata.metadata().as_ref().and_then(|entries| entries.get(WEIGHT_BITS));
    if exact && scale != Some(&bits.to_string()) {
        let got = scale.map_or_else(|| "absent".to_owned(), Clone::clone);
        return Err(ParametersError::Scale { path: path.into(), expected: bits, got });
    }
    let (mut parameters, mut lost) = (Parameters::default(), Losses::default());
    for ((slot, name), view) in slots.iter().zip(&names).zip(&views) {
        let values = decode(path, slot, name, view, exact, bits, &mut lost)?;
        if slot.weight { &mut parameters.weights } else { &mut parameters.biases }.push(values);
    }
    let numbers = if exact { Numbers::Exact } else { Numbers::Float };
    let taken = wanted.iter().zip(&names).filter(|((wanted, _), name)| wanted != *name);
    let taken: Vec<String> = taken.map(|((wanted, _), name)| format!("{name} as {wanted}")).collect();
    let note = || format!("names were matched by order and shape: {}", taken.join(", "));
    let mut notes = if taken.is_empty() { vec![] } else { vec![note()] };
    let Losses { nonzero, zeroed, .. } = lost;
    if zeroed * 100 > nonzero {
        notes.push(format!(
            "{zeroed} of {nonzero} numbers that are not zero become zero, as they are rounded to 2^-{bits}"
        ));
    }
    Ok(Read { parameters, numbers, notes })
}

fn decode(
    path: &Path,
    slot: &Slot,
    name: &str,
    view: &TensorView<'_>,
    exact: bool,
    bits: u32,
    lost: &mut Losses,
) -> Result<Vec<i64>, ParametersError> {
    let dtypes: &[Dtype] = if exact { &[Dtype::I64] } else { &FLOATS };
    if view.shape() != slot.shape || !dtypes.contains(&view.dtype()) {
        return Err(ParametersError::Tensor {
            path: path.into(),
            tensor: name.into(),
            expected: format!("{:?} of {}", slot.shape, if exact { "I64" } else { "F16, BF16, F32 or F64" }),
            got: format!("{:?} of {:?}", view.shape(), view.dtype()),
        });
    }
    let mut values = vec![0; slot.shape.iter().product()];
    let words = view.data().chunks_exact(view.dtype().bitsize() / 8);
    for (index, (at, word)) in slot.order().zip(words).enumerate() {
        let value = match *word {
            [a, b] if view.dtype() == Dtype::BF16 => f64::from(bf16::from_le_bytes([a, b])),
            [a, b] => f64::from(f16::from_le_bytes([a, b])),
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] if exact => {
                values[at] = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
                continue;
            }
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => continue,
        };
        let scaled = (value * f64::from(bits).exp2()).round();
        lost.nonzero += usize::from(value != 0.0);
        lost.zeroed += usize::from(value != 0.0 && scaled == 0.0);
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
    use gradproof_circuits::graph::Source;
    use gradproof_circuits::network::precision::Precision;

    fn network(widths: &[usize]) -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture::perceptron(widths, 2, 2, precision).expect("it is possible")
    }

    fn architecture() -> Architecture {
        network(&[5, 4, 3])
    }

    fn parameters() -> Parameters {
        let mut parameters = initial_parameters(&architecture(), seed_of(1));
        parameters.biases[1] = vec![i64::MAX, i64::MIN, -1];
        parameters
    }

    /// As those of PyTorch's `nn.Sequential` of the same modules.
    #[test]
    fn names_are_those_of_the_nodes() {
        let names = |architecture: &Architecture| -> Vec<String> {
            slots(architecture).into_iter().map(|slot| slot.name).collect()
        };
        assert_eq!(names(&architecture()), ["0.weight", "0.bias", "2.weight", "2.bias"]);
        let mut graph = architecture().graph().clone();
        graph.nodes.remove(1);
        graph.nodes[1].inputs[0] = Source::Node(0);
        graph.nodes[2].inputs[0] = Source::Node(1);
        let linear = Architecture::new(graph, 2, 2).expect("it is possible");
        assert_eq!(names(&linear), ["0.weight", "0.bias", "1.weight", "1.bias"]);
    }

    #[test]
    fn exact_files_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("last.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Exact).expect("written");
        let read = Read { parameters: parameters(), numbers: Numbers::Exact, notes: vec![] };
        assert_eq!(read_parameters(&path, &architecture()).expect("read"), read);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no temporary file stays");

        let mut graph = architecture().graph().clone();
        graph.precision.rate_bits = 9;
        let other = Architecture::new(graph, 2, 2).expect("it is possible");
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
        let view = tensors.tensor("0.weight").expect("the first weights");
        assert_eq!((view.shape(), view.dtype()), (&[4, 5][..], Dtype::F32));
        let second: [u8; 4] = view.data()[4..8].try_into().expect("four bytes");
        let exact = parameters().weights[0][4] as f64 / 28f64.exp2();
        assert!((f64::from(f32::from_le_bytes(second)) - exact).abs() < 1e-7);

        let mut small = parameters();
        small.biases[1] = vec![0; 3];
        write_parameters(&path, &architecture(), &small, Numbers::Float).expect("written");
        let back = read_parameters(&path, &architecture()).expect("read");
        assert_eq!((back.numbers, &back.notes), (Numbers::Float, &vec![]));
        let back = back.parameters;
        for (a, b) in back.weights.iter().flatten().zip(small.weights.iter().flatten()) {
            assert!((a - b).abs() <= 32, "{a} against {b}");
        }
    }

    #[test]
    fn other_shapes_tensors_and_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Exact).expect("written");
        let refused = |widths: &[usize]| {
            let other = network(widths);
            read_parameters(&path, &other).expect_err("refused").to_string()
        };
        let error = refused(&[5, 6, 3]);
        assert!(error.contains("0.weight is [4, 5] of I64, expected [6, 5] of I64"), "{error}");
        let error = refused(&[5, 4, 3, 3]);
        assert!(
            error.contains("the tensors are not those of this network; expected 0.weight [4, 5], 0.bias [4]"),
            "{error}"
        );
        assert!(
            error.contains("4.bias [3]; the file has 0.bias [4], 0.weight [4, 5], 2.bias [3], 2.weight [3, 4]"),
            "{error}"
        );
        assert!(refused(&[5, 4]).contains("the tensors are not those of this network"));

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

    /// The same numbers in every type, those of 16 bits by their bits: 1.5, -0.25 and 2^-8 are exact in all of them.
    #[test]
    fn every_floating_point_type_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("h.safetensors");
        let architecture = network(&[1, 3]);
        let values = [1.5f32, -0.25, 0.00390625];
        let files: [(Dtype, Vec<u8>); 4] = [
            (Dtype::F16, [0x3e00u16, 0xb400, 0x1c00].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
            (Dtype::BF16, [0x3fc0u16, 0xbe80, 0x3b80].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
            (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            (Dtype::F64, values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect()),
        ];
        let exact = [3i64 << 27, -1 << 26, 1 << 20];
        for (dtype, bytes) in &files {
            let view = |shape: &[usize]| TensorView::new(*dtype, shape.to_vec(), bytes).expect("a tensor");
            let tensors = [("0.weight", view(&[3, 1])), ("0.bias", view(&[3]))];
            std::fs::write(&path, safetensors::serialize(tensors, None).expect("serialized")).expect("written");
            let read = read_parameters(&path, &architecture).expect("read");
            let parameters = Parameters { weights: vec![exact.to_vec()], biases: vec![exact.to_vec()] };
            assert_eq!(read, Read { parameters, numbers: Numbers::Float, notes: vec![] }, "{dtype:?}");
        }
        let bytes = [0u8; 12];
        let view = |shape: &[usize]| TensorView::new(Dtype::I32, shape.to_vec(), &bytes).expect("a tensor");
        let tensors = [("0.weight", view(&[3, 1])), ("0.bias", view(&[3]))];
        std::fs::write(&path, safetensors::serialize(tensors, None).expect("serialized")).expect("written");
        let error = read_parameters(&path, &architecture).expect_err("integers of no scale").to_string();
        assert!(error.contains("of I32, expected [3, 1] of F16, BF16, F32 or F64"), "{error}");
        let infinite = [(f16::INFINITY, f16::from_f32(0.5)), (f16::NAN, f16::from_f32(0.5))];
        for (value, other) in infinite {
            let bytes: Vec<u8> = [value, other, other].iter().flat_map(|value| value.to_le_bytes()).collect();
            let view = |shape: &[usize]| TensorView::new(Dtype::F16, shape.to_vec(), &bytes).expect("a tensor");
            let tensors = [("0.weight", view(&[3, 1])), ("0.bias", view(&[3]))];
            std::fs::write(&path, safetensors::serialize(tensors, None).expect("serialized")).expect("written");
            assert!(matches!(read_parameters(&path, &architecture), Err(ParametersError::Value { .. })));
        }
    }

    #[test]
    fn values_without_a_fixed_point_form_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nan.safetensors");
        let architecture = network(&[1, 1]);
        for value in [0.75, f64::NAN, f64::INFINITY, 1e30] {
            let (weight, bias) = (value.to_le_bytes(), 0.5f64.to_le_bytes());
            let view = |shape: &[usize], bytes| TensorView::new(Dtype::F64, shape.to_vec(), bytes).expect("a tensor");
            let tensors = [("0.weight", view(&[1, 1], &weight[..])), ("0.bias", view(&[1], &bias[..]))];
            let bytes = safetensors::serialize(tensors, None).expect("serialized");
            std::fs::write(&path, bytes).expect("written");
            let read = read_parameters(&path, &architecture);
            if value == 0.75 {
                let exact = Parameters { weights: vec![vec![3 << 26]], biases: vec![vec![1 << 27]] };
                assert_eq!(read.expect("read").parameters, exact);
                continue;
            }
            let error = read.expect_err("refused").to_string();
            assert!(error.contains("value 0 of tensor 0.weight"), "{error}");
        }
    }
}
