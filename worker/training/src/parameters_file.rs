//! Parameters as safetensors files, exact or as floating point.
//!
//! | tensor | type | shape | meaning |
//! |---|---|---|---|
//! | `0.weight`, `0.bias`, `2.weight`, … | F32 or F64 | `[d_{l+1}, d_l]`, `[d_{l+1}]` | as PyTorch's `nn.Sequential(Linear, ReLU, Linear, …)` |
//! | the same | I64 | the same | exact: the integers that are trained and proved, of scale `2^-F` |
//!
//! Both kinds name `F` in the metadata entry `weight_bits`; an exact file with another `F` is refused. Files with other names are
//! read if the names' order and the shapes leave no doubt, which is said.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use gradproof_circuits::network::architecture::{Architecture, ArchitectureError};
use gradproof_circuits::network::trace::Parameters;
use gradproof_terminal::atomic;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::data::Losses;
use crate::parameters::tensor_name;

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
struct Slot {
    name: String,
    shape: Vec<usize>,
    /// Layer, and whether it is the weight matrix.
    layer: usize,
    weight: bool,
}

fn slots(architecture: &Architecture) -> Vec<Slot> {
    let slot = |layer: usize, widths: &[usize], weight: bool| Slot {
        name: tensor_name(layer, if weight { "weight" } else { "bias" }),
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
    architecture.validate()?;
    let bits = architecture.precision.weight_bits();
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
    let bits = architecture.precision.weight_bits();
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

fn listed(tensors: &[(String, Vec<usize>)]) -> String {
    let shown: Vec<String> = tensors.iter().take(64).map(|(name, shape)| format!("{name} {shape:?}")).collect();
    shown.join(", ")
}

type Named = (String, Vec<usize>);

/// The name in a file of each tensor that is `wanted`, weight and bias of a layer in turn.
///
/// Other names than the wanted ones do if they are those of a chain of layers, `PREFIX.weight` and `PREFIX.bias` of each, whose
/// prefixes in the order of the numbers in them have the wanted shapes. Two layers of one shape could be taken for each other:
/// their prefixes may differ in numbers only.
fn matching(wanted: &[Named], mut held: Vec<Named>) -> Result<Vec<String>, (&'static str, Vec<Named>)> {
    held.sort_by_key(|(name, _)| in_order(name));
    if wanted.iter().all(|(name, _)| held.iter().any(|(other, _)| other == name)) && held.len() == wanted.len() {
        return Ok(wanted.iter().map(|(name, _)| name.clone()).collect());
    }
    let mut prefixes: Vec<String> = Vec::new();
    for (name, _) in &held {
        let prefix = name.strip_suffix("weight").or(name.strip_suffix("bias"));
        match prefix.filter(|prefix| prefix.ends_with(['.', '_']) || prefix.is_empty()) {
            Some(prefix) if prefixes.last().is_none_or(|last| last != prefix) => prefixes.push(prefix.to_owned()),
            Some(_) => {}
            None => return Err(("there are tensors that are no weights or biases of layers", held)),
        }
    }
    prefixes.sort_by_key(|prefix| in_order(prefix));
    prefixes.dedup();
    let names: Vec<String> =
        prefixes.iter().flat_map(|prefix| ["weight", "bias"].map(|kind| format!("{prefix}{kind}"))).collect();
    let shape = |name: &String| held.iter().find(|(other, _)| other == name).map(|(_, shape)| shape);
    let fits = names.len() == wanted.len()
        && held.len() == wanted.len()
        && names.iter().zip(wanted).all(|(name, (_, wanted))| shape(name) == Some(wanted));
    if !fits {
        return Err(("the tensors are not those of this network", held));
    }
    let numberless = |prefix: &str| prefix.replace(|c: char| c.is_ascii_digit(), "");
    for (i, one) in prefixes.iter().enumerate() {
        for (j, other) in prefixes.iter().enumerate().skip(i + 1) {
            if wanted[2 * i].1 == wanted[2 * j].1 && numberless(one) != numberless(other) {
                return Err(("layers of one shape could be taken for each other by these names", held));
            }
        }
    }
    Ok(names)
}

/// A key that sorts names with the numbers in them as numbers.
fn in_order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.len() - rest.trim_start_matches(|c: char| !c.is_ascii_digit()).len();
        let (text, numbered) = rest.split_at(text);
        let digits = numbered.len() - numbered.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, more) = numbered.split_at(digits);
        parts.push((text.to_owned(), digits.parse().unwrap_or(0)));
        rest = more;
    }
    parts
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
    let dtypes: &[Dtype] = if exact { &[Dtype::I64] } else { &[Dtype::F32, Dtype::F64] };
    if view.shape() != slot.shape || !dtypes.contains(&view.dtype()) {
        return Err(ParametersError::Tensor {
            path: path.into(),
            tensor: name.into(),
            expected: format!("{:?} of {}", slot.shape, if exact { "I64" } else { "F32 or F64" }),
            got: format!("{:?} of {:?}", view.shape(), view.dtype()),
        });
    }
    let mut values = vec![0; slot.shape.iter().product()];
    let words = view.data().chunks_exact(view.dtype().bitsize() / 8);
    for (index, (at, word)) in slot.order().zip(words).enumerate() {
        let value = match *word {
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
    use gradproof_circuits::network::precision::Precision;

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
    fn exact_files_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("last.safetensors");
        write_parameters(&path, &architecture(), &parameters(), Numbers::Exact).expect("written");
        let read = Read { parameters: parameters(), numbers: Numbers::Exact, notes: vec![] };
        assert_eq!(read_parameters(&path, &architecture()).expect("read"), read);
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
            let other = Architecture { widths: widths.to_vec(), ..architecture() };
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

    #[test]
    fn values_without_a_fixed_point_form_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nan.safetensors");
        let architecture = Architecture { widths: vec![1, 1], ..architecture() };
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

    /// What a file says whose tensors have these names, of layers 5-4-4-3, zeros in all of them but their layer in the first.
    fn named(names: [&str; 6]) -> Result<Read, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n.safetensors");
        let architecture = Architecture { widths: vec![5, 4, 4, 3], ..architecture() };
        let shapes = [vec![4, 5], vec![4], vec![4, 4], vec![4], vec![3, 4], vec![3]];
        let data: Vec<Vec<u8>> = (0..6)
            .map(|i| {
                let mut values = vec![0f32; shapes[i].iter().product()];
                values[0] = (1 + i / 2) as f32;
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            })
            .collect();
        let view = |i: usize| TensorView::new(Dtype::F32, shapes[i].clone(), &data[i]).expect("a tensor");
        let tensors = names.iter().enumerate().map(|(i, name)| (name.to_string(), view(i)));
        std::fs::write(&path, safetensors::serialize(tensors, None).expect("serialized")).expect("written");
        read_parameters(&path, &architecture).map_err(|error| error.to_string())
    }

    #[test]
    fn other_names_are_matched_if_there_is_no_doubt() {
        let layers = |read: &Read| read.parameters.weights.iter().map(|weights| weights[0] >> 28).collect::<Vec<_>>();
        let own =
            named(["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]).expect("PyTorch's own names");
        assert_eq!((layers(&own), own.notes.len()), (vec![1, 2, 3], 0));
        for names in [
            [
                "layers.0.weight",
                "layers.0.bias",
                "layers.1.weight",
                "layers.1.bias",
                "layers.2.weight",
                "layers.2.bias",
            ],
            ["net.0.weight", "net.0.bias", "net.3.weight", "net.3.bias", "net.12.weight", "net.12.bias"],
            ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "out.weight", "out.bias"],
        ] {
            let read = named(names).expect("no doubt");
            assert_eq!(layers(&read), [1, 2, 3], "{names:?}");
            assert!(read.notes[0].contains(&format!("{} as 4.bias", names[5])), "{:?}", read.notes);
        }
    }

    #[test]
    fn names_that_leave_a_doubt_are_refused_with_the_wanted_ones() {
        // Sorted by name the last layer would come first, or the two of one shape could be either.
        for (names, why) in [
            (["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "a.weight", "a.bias"], "not those of this network"),
            (["c.weight", "c.bias", "b.weight", "b.bias", "d.weight", "d.bias"], "not those of this network"),
            (["w0", "b0", "w1", "b1", "w2", "b2"], "no weights or biases of layers"),
        ] {
            let error = named(names).expect_err("refused");
            assert!(error.contains(why) && error.contains("expected 0.weight [4, 5], 0.bias [4], 2.weight"), "{error}");
        }
        let square = Architecture { widths: vec![4, 4, 4], ..architecture() };
        let wanted: Vec<Named> = slots(&square).into_iter().map(|slot| (slot.name, slot.shape)).collect();
        let held = |names: [&str; 2]| {
            let of = |name: &str| [(format!("{name}.weight"), vec![4, 4]), (format!("{name}.bias"), vec![4])];
            names.iter().flat_map(|name| of(name)).collect::<Vec<_>>()
        };
        assert!(matching(&wanted, held(["a", "b"])).is_err());
        assert_eq!(matching(&wanted, held(["fc10", "fc9"])).expect("by their numbers")[0], "fc9.weight");
    }
}
