//! Which tensor of a file is which layer's, by the names that PyTorch gives.

/// Names and shapes, the first of them if there are many.
pub(super) fn listed(tensors: &[Named]) -> String {
    let shown: Vec<String> = tensors.iter().take(64).map(|(name, shape)| format!("{name} {shape:?}")).collect();
    shown.join(", ")
}

/// Name and shape of a tensor.
pub(super) type Named = (String, Vec<usize>);

/// The name in a file of each tensor that is `wanted`, weight and bias of a layer in turn.
///
/// Other names than the wanted ones do if they are those of a chain of layers, `PREFIX.weight` and `PREFIX.bias` of each, whose
/// prefixes in the order of the numbers in them have the wanted shapes. Two layers of one shape could be taken for each other:
/// their prefixes may differ in numbers only.
pub(super) fn matching(wanted: &[Named], mut held: Vec<Named>) -> Result<Vec<String>, (&'static str, Vec<Named>)> {
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

#[cfg(test)]
mod tests {
    use gradproof_circuits::architecture::Architecture;
    use gradproof_circuits::network::precision::Precision;
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;
    use crate::parameters_file::file::slots;
    use crate::parameters_file::{Read, read_parameters};

    fn network(widths: &[usize]) -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture::perceptron(widths, 2, 2, precision).expect("it is possible")
    }

    /// What a file says whose tensors have these names, of layers 5-4-4-3, zeros in all of them but their layer in the first.
    fn named(names: [&str; 6]) -> Result<Read, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n.safetensors");
        let architecture = network(&[5, 4, 4, 3]);
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
        let square = network(&[4, 4, 4]);
        let wanted: Vec<Named> = slots(&square).into_iter().map(|slot| (slot.name, slot.shape)).collect();
        let held = |names: [&str; 2]| {
            let of = |name: &str| [(format!("{name}.weight"), vec![4, 4]), (format!("{name}.bias"), vec![4])];
            names.iter().flat_map(|name| of(name)).collect::<Vec<_>>()
        };
        assert!(matching(&wanted, held(["a", "b"])).is_err());
        assert_eq!(matching(&wanted, held(["fc10", "fc9"])).expect("by their numbers")[0], "fc9.weight");
    }
}
