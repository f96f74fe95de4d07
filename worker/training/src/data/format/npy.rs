//! NumPy's `.npy` files, versions 1 to 3.
//!
//! `\x93NUMPY`, two bytes of version, the length of the header (16 bits in version 1, 32 in later ones), the header as a
//! Python dictionary, then the items. FileBytes: NumPy, *NEP 1: A Simple File Format for NumPy Arrays*.

use std::path::PathBuf;

use super::array::{Array, ArrayHeader, Item};
use super::parts::Parts;
use super::{Format, Sets, two_files};
use crate::data::file::FileBytes;
use crate::data::{DataError, FilePlace};
use crate::job_file::{JobError, Section};

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// Most bytes of a header; NumPy itself refuses more than 10,000 unless told otherwise.
pub(super) const MAX_HEADER_BYTES: usize = 1 << 16;

/// Types of an item, and their names after the mark of the order of bytes.
const ITEMS: [(&str, Item); 12] = [
    ("b1", Item::Bool),
    ("u1", Item::U8),
    ("i1", Item::I8),
    ("u2", Item::U16),
    ("i2", Item::I16),
    ("u4", Item::U32),
    ("i4", Item::I32),
    ("u8", Item::U64),
    ("i8", Item::I64),
    ("f2", Item::F16),
    ("f4", Item::F32),
    ("f8", Item::F64),
];

/// The format.
pub(super) struct Npy;

impl Format for Npy {
    fn name(&self) -> &'static str {
        "npy"
    }

    fn about(&self) -> &'static str {
        "NumPy arrays, as `numpy.save` writes them"
    }

    fn keys(&self) -> &'static [&'static str] {
        two_files::KEYS
    }

    fn example(&self) -> Parts {
        Parts {
            data: r#"# What `numpy.save` writes: samples of any shape (rows first) and type among bool, integers, and floating-point numbers of
# 16 to 64 bits; labels of one dimension and an integer type. Files may be compressed with gzip.
# The order of the rows is the order of training, unless they are shuffled.
format = "npy"
images = "x_train.npy"
labels = "y_train.npy"
# Optional: what the accuracy is measured on.
test_images = "x_test.npy"
test_labels = "y_test.npy""#,
            ..Parts::TABLE
        }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        two_files::sets(section, array, array)
    }
}

/// The array in the bytes of a file.
pub(super) fn array(file: PathBuf, bytes: Vec<u8>) -> Result<Array, DataError> {
    let layout = layout(&FileBytes::new(&file, &bytes))?;
    Array::new(file, bytes, layout)
}

/// A value of the dictionary.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Shape(Vec<usize>),
}

/// What the header says; the items after it need not be there.
pub(super) fn layout(source: &FileBytes<'_>) -> Result<ArrayHeader, DataError> {
    let magic: [u8; 6] = source.array(0, "the magic number")?;
    if magic != MAGIC {
        return Err(source.malformed(FilePlace::Byte(0), "the magic number", "\\x93NUMPY", magic.escape_ascii()));
    }
    let [major, minor] = source.array(6, "the version")?;
    let (length, start) = match (major, minor) {
        (1, 0) => (usize::from(u16::from_le_bytes(source.array(8, "the header's length")?)), 10),
        (2 | 3, 0) => (u32::from_le_bytes(source.array(8, "the header's length")?) as usize, 12),
        _ => {
            let got = format!("{major}.{minor}");
            return Err(source.malformed(FilePlace::Byte(6), "the version", "1.0, 2.0 or 3.0", got));
        }
    };
    if length > MAX_HEADER_BYTES {
        let expected = format!("at most {MAX_HEADER_BYTES}");
        return Err(source.malformed(FilePlace::Byte(8), "the header's length", expected, length));
    }
    let place = FilePlace::Byte(start);
    let text = source.bytes.get(start..start + length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let malformed = |what: &str, expected: &str, got: String| Err(source.malformed(place, what, expected, got));
    let Some(text) = text else {
        return malformed("the header", &format!("{length} bytes of text"), "cut off or not text".into());
    };
    let keys = "a dictionary of 'descr', 'fortran_order' and 'shape'";
    let Some(mut entries) = dictionary(text) else { return malformed("the header", keys, shown(text)) };
    entries.sort_by_key(|(key, _)| *key);
    let (descr, fortran, shape) = match &mut entries[..] {
        [("descr", Value::Text(descr)), ("fortran_order", Value::Flag(fortran)), ("shape", Value::Shape(shape))] => {
            (*descr, *fortran, std::mem::take(shape))
        }
        _ => return malformed("the header", keys, shown(text)),
    };
    let Some((item, big_endian)) = item(descr) else {
        let names = ITEMS.map(|(name, _)| name).join(", ");
        let expected = format!("|, < or > and one of {names}: convert with x.astype");
        return malformed("descr", &expected, shown(descr));
    };
    let (item_name, start) = (descr.to_owned(), start + length);
    let (item_at, shape_at) = (FilePlace::Byte(8), FilePlace::Byte(8));
    Ok(ArrayHeader { item, item_name, item_at, big_endian, fortran, shape, shape_at, start })
}

/// The type that `descr` names, and whether its most significant byte stands first. Only types of one byte have no order.
fn item(descr: &str) -> Option<(Item, bool)> {
    let mut name = descr.chars();
    let order = name.next()?;
    let &(name, item) = ITEMS.iter().find(|(other, _)| *other == name.as_str())?;
    match order {
        '|' if name.ends_with('1') => Some((item, false)),
        '<' | '>' if !name.ends_with('1') => Some((item, order == '>')),
        _ => None,
    }
}

/// The first characters of a text from the file, escaped, for an error.
fn shown(text: &str) -> String {
    text.trim().chars().take(80).flat_map(char::escape_default).collect()
}

/// Entries of a Python dictionary of strings, booleans and tuples of integers, which is all that a header holds.
fn dictionary(text: &str) -> Option<Vec<(&str, Value<'_>)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let (value, after) = value(after.trim_start().strip_prefix(':')?.trim_start())?;
        entries.push((key, value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(entries)
}

/// A quoted string without escapes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}

fn value(text: &str) -> Option<(Value<'_>, &str)> {
    if let Some((text, rest)) = quoted(text) {
        return Some((Value::Text(text), rest));
    }
    if let Some(rest) = text.strip_prefix("False") {
        return Some((Value::Flag(false), rest));
    }
    if let Some(rest) = text.strip_prefix("True") {
        return Some((Value::Flag(true), rest));
    }
    let (inner, rest) = text.strip_prefix('(')?.split_once(')')?;
    let inner = inner.trim();
    // A tuple of one has a comma after it, and `()` is empty.
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    let sizes = inner.split(',').filter(|_| !inner.is_empty()).map(|size| size.trim().parse().ok());
    Some((Value::Shape(sizes.collect::<Option<_>>()?), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::DataSet;
    use crate::data::format::array::Pair;
    use crate::data::format::testing::{npy, set_of, set_of_samples};

    fn dictionary_of(descr: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    }

    fn read(bytes: &[u8]) -> Result<DataSet, DataError> {
        set_of_samples(array("x.npy".into(), bytes.to_vec())?)
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).map(|samples| samples.rows).unwrap_err().to_string()
    }

    fn read_labels(bytes: &[u8]) -> Result<Vec<u16>, String> {
        let labels = array("y.npy".into(), bytes.to_vec()).and_then(Array::into_labels);
        let labels = labels.map_err(|error| error.to_string())?;
        let rows = labels.rows();
        let samples = array("x.npy".into(), npy(&dictionary_of("|u1", &format!("({rows}, 1)")), &vec![0; rows]));
        let pair = samples.and_then(|samples| Pair::new(samples, labels)).map_err(|error| error.to_string())?;
        set_of(Box::new(pair)).map(|set| set.labels).map_err(|error| error.to_string())
    }

    #[test]
    fn every_type_and_order_gives_the_same_inputs() {
        let values = [0u8, 1, 5, 100];
        let bits = [0x0000u16, 0x3c00, 0x4500, 0x5640];
        let files: [(&str, Vec<Vec<u8>>); 11] = [
            ("i1", values.map(|x| vec![x]).to_vec()),
            ("u2", values.map(|x| u16::from(x).to_le_bytes().to_vec()).to_vec()),
            ("i2", values.map(|x| i16::from(x).to_le_bytes().to_vec()).to_vec()),
            ("u4", values.map(|x| u32::from(x).to_le_bytes().to_vec()).to_vec()),
            ("i4", values.map(|x| i32::from(x).to_le_bytes().to_vec()).to_vec()),
            ("u8", values.map(|x| u64::from(x).to_le_bytes().to_vec()).to_vec()),
            ("i8", values.map(|x| i64::from(x).to_le_bytes().to_vec()).to_vec()),
            ("f2", bits.map(|x| x.to_le_bytes().to_vec()).to_vec()),
            ("f4", values.map(|x| f32::from(x).to_le_bytes().to_vec()).to_vec()),
            ("f8", values.map(|x| f64::from(x).to_le_bytes().to_vec()).to_vec()),
            ("b1", [0u8, 1, 1, 0].map(|x| vec![x]).to_vec()),
        ];
        for (name, mut items) in files {
            let orders: &[&str] = if name.ends_with('1') { &["|"] } else { &["<", ">"] };
            for order in orders {
                let descr = format!("{order}{name}");
                let set = read(&npy(&dictionary_of(&descr, "(2, 2)"), &items.concat())).unwrap();
                let expected = if name == "b1" { [0, 256, 256, 0] } else { [0, 256, 1280, 25600] };
                assert_eq!((set.rows, set.width, set.inputs, set.bytes), (2, 2, expected.to_vec(), false), "{descr}");
                items.iter_mut().for_each(|item| item.reverse());
            }
        }
        let pixels = read(&npy(&dictionary_of("|u1", "(2, 1, 2)"), &[0, 1, 5, 255])).unwrap();
        assert_eq!((pixels.rows, pixels.width, pixels.inputs, pixels.bytes), (2, 2, vec![0, 1, 5, 255], true));
    }

    #[test]
    fn signs_are_kept() {
        let set = |descr: &str, items: &[u8]| read(&npy(&dictionary_of(descr, "(1, 1)"), items)).unwrap().inputs[0];
        for (descr, items) in [
            ("|i1", &(-3i8).to_be_bytes()[..]),
            (">i2", &(-3i16).to_be_bytes()),
            (">i4", &(-3i32).to_be_bytes()),
            ("<i8", &(-3i64).to_le_bytes()),
            (">f2", &[0xc2, 0x00]),
        ] {
            assert_eq!(set(descr, items), -768, "{descr}");
        }
        let large = read(&npy(&dictionary_of("<u8", "(1, 1)"), &u64::MAX.to_le_bytes())).unwrap_err().to_string();
        assert!(large.contains("a value is 18446744073709552000, expected a number that lies in"), "{large}");
    }

    /// `x[i, j, k] = 100 i + 10 j + k` of shape (2, 3, 2), as `numpy.asfortranarray` stores it: the first index runs fastest.
    #[test]
    fn fortran_order_is_the_same_array() {
        let (mut c, mut fortran) = (vec![], vec![]);
        for i in 0..2u8 {
            for j in 0..3u8 {
                for k in 0..2u8 {
                    c.push(100 * i + 10 * j + k);
                }
            }
        }
        for k in 0..2u8 {
            for j in 0..3u8 {
                for i in 0..2u8 {
                    fortran.push(100 * i + 10 * j + k);
                }
            }
        }
        let header = dictionary_of("|u1", "(2, 3, 2)");
        let expected = read(&npy(&header, &c)).unwrap();
        assert_eq!(expected.inputs, [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
        assert_eq!(read(&npy(&header.replace("False", "True"), &fortran)).unwrap(), expected);
    }

    #[test]
    fn truth_values_are_0_or_1() {
        let error = refused(&npy(&dictionary_of("|b1", "(1, 2)"), &[1, 2]));
        assert_eq!(error, "x.npy, byte 129: a truth value is 2, expected 0 or 1");
        assert_eq!(read_labels(&npy(&dictionary_of("|b1", "(2,)"), &[1, 0])).unwrap(), [1, 0]);
    }

    /// From outside: `numpy.save(f, numpy.array([[0.5, -1.25, 3.0]], dtype=numpy.float32))`, NumPy 2.
    #[test]
    fn a_file_of_numpy() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
        let items = [0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0xa0, 0xbf, 0x00, 0x00, 0x40, 0x40];
        let bytes = [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &[b' '; 58], b"\n", &items].concat();
        let samples = read(&bytes).unwrap();
        assert_eq!((samples.rows, samples.width, samples.inputs), (1, 3, vec![128, -320, 768]));
    }

    #[test]
    fn later_versions_and_labels() {
        let one = npy(&dictionary_of("<i8", "(2,)"), &[[3i64, 16383].map(i64::to_le_bytes).concat()].concat());
        let mut two = one.clone();
        two[6] = 2;
        two.splice(10..10, [0, 0]);
        let mut three = two.clone();
        three[6] = 3;
        for bytes in [one, two, three] {
            assert_eq!(read_labels(&bytes).unwrap(), [3, 16383]);
        }
    }

    #[test]
    fn wrong_labels_are_named() {
        let integers = |value: i64| read_labels(&npy(&dictionary_of("<i8", "(1,)"), &value.to_le_bytes())).unwrap_err();
        assert_eq!(integers(-1), "y.npy, byte 128: a label is -1, expected 0 to 16383");
        assert_eq!(integers(16384), "y.npy, byte 128: a label is 16384, expected 0 to 16383");
        let floats = npy(&dictionary_of("<f4", "(1,)"), &1f32.to_le_bytes());
        assert!(read_labels(&floats).unwrap_err().contains("the type of a label is a floating-point number"));
        let pairs = npy(&dictionary_of("|u1", "(1, 2)"), &[1, 2]);
        assert!(read_labels(&pairs).unwrap_err().contains("the shape of the labels is [1, 2], expected [rows]"));
    }

    #[test]
    fn each_defect_is_named_with_its_place() {
        let good = npy(&dictionary_of("<f4", "(1, 2)"), &[0; 8]);
        let with = |from: &str, to: &str| {
            let header = dictionary_of("<f4", "(1, 2)").replacen(from, to, 1);
            refused(&npy(&header, &[0; 8]))
        };
        assert!(refused(b"PK\x03\x04....").contains("the magic number is PK\\x03\\x04.., expected \\x93NUMPY"));
        assert!(refused(&good[..9]).contains("byte 8: the header's length is cut off"));
        assert!(refused(&good[..40]).contains("byte 10: the header is cut off or not text, expected 118 bytes"));
        assert!(refused(&[&good[..6], &[4], &good[7..]].concat()).contains("version is 4.0, expected 1.0, 2.0 or 3.0"));
        let long = [&good[..6], &[2, 0], &u32::MAX.to_le_bytes(), &good[10..]].concat();
        assert!(refused(&long).contains("the header's length is 4294967295, expected at most 65536"));
        for descr in ["=f4", "|f4", "f4", "<u1", "<f16", "<c8", "|O", "", "é"] {
            let error = with("<f4", descr);
            assert!(error.contains("descr is ") && error.contains("expected |, < or > and one of b1, u1"), "{error}");
        }
        assert!(with("'shape'", "'shapes'").contains("expected a dictionary of 'descr', 'fortran_order' and 'shape'"));
        assert!(with("(1, 2)", "(1, -2)").contains("expected a dictionary"));
        assert!(with("(1, 2)", "()").contains("shape is [], expected at least one dimension"));
        assert!(with("(1, 2)", "(1, 18446744073709551615, 2)").contains("of 1 to 16384 values"));
        assert!(with("(1, 2)", "(9999999999, 2)").contains("the data is 8 bytes, expected 9999999999 × 2 × 4 bytes"));
        assert!(refused(&[&good[..], &[0]].concat()).contains("byte 128: the data is 9 bytes"));
        let large = npy(&dictionary_of("<f4", "(1, 2)"), &[1f32, 128.0].map(f32::to_le_bytes).concat());
        assert!(
            refused(&large).starts_with("x.npy, byte 132: a value is 128, expected a number that lies in [-128, 128)")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&bytes), read_labels(&bytes));
            let _ = read(&npy(&String::from_utf8_lossy(&bytes), &bytes));
        }

        #[test]
        fn any_dictionary_never_makes_more_than_is_there(
            text in "[{}(),:' 0-9]{0,40}", shape in "\\([0-9, ]{0,12}\\)",
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let of = |descr: &str| dictionary_of(descr, &shape);
            for header in [text, of("<i2"), of("|u1"), of(">f2"), of("|b1"), of("<f8").replace("False", "True")] {
                let bytes = npy(&header, &bytes);
                if let Ok(samples) = read(&bytes) {
                    prop_assert!(samples.inputs.len() <= bytes.len());
                }
                let _ = read_labels(&bytes);
            }
        }
    }
}
