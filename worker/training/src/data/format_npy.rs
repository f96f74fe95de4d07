//! NumPy's `.npy` files, versions 1 and 2, little-endian, in C order.
//!
//! `\x93NUMPY`, two bytes of version, the length of the header (16 bits in version 1, 32 in version 2), the header as a
//! Python dictionary, then the items. Source: NumPy, *NEP 1: A Simple File Format for NumPy Arrays*.

use super::{DataError, Place, Samples, Scaling, Source, Watch, label, payload, rows_and_width};

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// Most bytes of a header; NumPy itself refuses more than 10,000 unless told otherwise.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// Type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    U8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

/// An item's type, its name in a header, and its size in bytes.
const ITEMS: [(Item, &str, usize); 6] = [
    (Item::U8, "|u1", 1),
    (Item::I16, "<i2", 2),
    (Item::I32, "<i4", 4),
    (Item::I64, "<i8", 8),
    (Item::F32, "<f4", 4),
    (Item::F64, "<f8", 8),
];

/// What stands in front of the items.
struct Header {
    item: Item,
    item_bytes: usize,
    shape: Vec<usize>,
    /// Bytes in front of the items.
    bytes: usize,
}

/// A value of the dictionary.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Shape(Vec<usize>),
}

fn header(source: &Source) -> Result<Header, DataError> {
    let magic: [u8; 6] = source.array(0, "the magic number")?;
    if magic != MAGIC {
        return Err(source.malformed(Place::Byte(0), "the magic number", "\\x93NUMPY", magic.escape_ascii()));
    }
    let [major, minor] = source.array(6, "the version")?;
    let (length, start) = match (major, minor) {
        (1, 0) => (usize::from(u16::from_le_bytes(source.array(8, "the header's length")?)), 10),
        (2, 0) => (u32::from_le_bytes(source.array(8, "the header's length")?) as usize, 12),
        _ => return Err(source.malformed(Place::Byte(6), "the version", "1.0 or 2.0", format!("{major}.{minor}"))),
    };
    if length > MAX_HEADER_BYTES {
        let expected = format!("at most {MAX_HEADER_BYTES}");
        return Err(source.malformed(Place::Byte(8), "the header's length", expected, length));
    }
    let place = Place::Byte(start);
    let text = source.bytes.get(start..start + length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let malformed = |what: &str, expected: &str, got: String| Err(source.malformed(place, what, expected, got));
    let Some(text) = text else {
        return malformed("the header", &format!("{length} bytes of text"), "cut off or not text".into());
    };
    let keys = "a dictionary of 'descr', 'fortran_order' and 'shape'";
    let Some(mut entries) = dictionary(text) else { return malformed("the header", keys, shown(text)) };
    entries.sort_by_key(|(key, _)| *key);
    let (descr, shape) = match &mut entries[..] {
        [("descr", Value::Text(descr)), ("fortran_order", Value::Flag(false)), ("shape", Value::Shape(shape))] => {
            (*descr, std::mem::take(shape))
        }
        [("descr", _), ("fortran_order", Value::Flag(true)), ("shape", _)] => {
            let expected = "False (C order): save numpy.ascontiguousarray(x) instead";
            return malformed("fortran_order", expected, "True".into());
        }
        _ => return malformed("the header", keys, shown(text)),
    };
    match ITEMS.iter().find(|(_, name, _)| *name == descr) {
        Some(&(item, _, item_bytes)) => Ok(Header { item, item_bytes, shape, bytes: start + length }),
        None => malformed("descr", "one of |u1, <i2, <i4, <i8, <f4, <f8: convert with x.astype", shown(descr)),
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

/// An integer item, sign-extended.
fn integer(item: Item, bytes: &[u8]) -> Option<i64> {
    match item {
        Item::U8 => bytes.first().map(|&byte| byte.into()),
        Item::I16 => bytes.try_into().ok().map(|bytes| i16::from_le_bytes(bytes).into()),
        Item::I32 => bytes.try_into().ok().map(|bytes| i32::from_le_bytes(bytes).into()),
        Item::I64 => bytes.try_into().ok().map(i64::from_le_bytes),
        Item::F32 | Item::F64 => None,
    }
}

/// An item as a number; an integer of more than 53 bits is rounded, which changes no input that is in range.
fn number(item: Item, bytes: &[u8]) -> Option<f64> {
    match item {
        Item::F32 => bytes.try_into().ok().map(|bytes| f32::from_le_bytes(bytes).into()),
        Item::F64 => bytes.try_into().ok().map(f64::from_le_bytes),
        _ => integer(item, bytes).map(|value| value as f64),
    }
}

/// The samples. Without a factor they must be bytes, or not, as `bytes` says of the set that they belong to.
pub(super) fn samples(source: &Source, scaling: &Scaling, bytes: Option<bool>) -> Result<Samples, DataError> {
    let header = header(source)?;
    if scaling.factor.is_none() && bytes.is_some_and(|bytes| bytes != (header.item == Item::U8)) {
        let expected =
            "one that is scaled as the training set's: bytes by 1/256 and others by 1, unless data.scale is given";
        let got = ITEMS.iter().find(|(item, ..)| *item == header.item).map_or("another", |(_, name, _)| name);
        return Err(source.malformed(Place::Byte(8), "the type of a value", expected, got));
    }
    let (rows, width) = rows_and_width(source, Place::Byte(8), &header.shape)?;
    let body = payload(source, header.bytes, (rows, width), header.item_bytes)?;
    let mut watch = Watch::new(width);
    let input = |(i, bytes): (usize, &[u8])| {
        let value = number(header.item, bytes);
        let input = match header.item {
            Item::U8 => bytes.first().and_then(|&pixel| scaling.apply_pixel(pixel)),
            _ => value.and_then(|value| scaling.apply(value)),
        };
        let place = Place::Byte(header.bytes + i * header.item_bytes);
        let got = value.unwrap_or(f64::NAN);
        let input = input.ok_or_else(|| source.malformed(place, "a value", scaling.expected(), got))?;
        watch.see(got, input);
        Ok(input)
    };
    let inputs = body.chunks_exact(header.item_bytes).enumerate().map(input).collect::<Result<_, _>>()?;
    Ok(Samples { rows, width, inputs, bytes: header.item == Item::U8, losses: watch.losses() })
}

pub(super) fn labels(source: &Source) -> Result<Vec<u16>, DataError> {
    let header = header(source)?;
    let place = Place::Byte(8);
    let (rows, 1) = rows_and_width(source, place, &header.shape)? else {
        let got = format!("{:?}", header.shape);
        return Err(source.malformed(place, "the shape of the labels", "[rows] or [rows, 1]", got));
    };
    let body = payload(source, header.bytes, (rows, 1), header.item_bytes)?;
    let item = |(i, bytes): (usize, &[u8])| {
        let place = || Place::Byte(header.bytes + i * header.item_bytes);
        match integer(header.item, bytes) {
            Some(value) => label(source, value, place),
            None => Err(source.malformed(place(), "the type of a label", "an integer", "a floating-point number")),
        }
    };
    body.chunks_exact(header.item_bytes).enumerate().map(item).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

    /// A file as `numpy.save` writes it.
    fn npy(header: &str, items: &[u8]) -> Vec<u8> {
        let padded = format!("{header:<117}\n");
        [&b"\x93NUMPY\x01\x00"[..], &(padded.len() as u16).to_le_bytes(), padded.as_bytes(), items].concat()
    }

    fn dictionary_of(descr: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    }

    fn read(bytes: &[u8]) -> Result<Samples, DataError> {
        samples(&Source::new(Path::new("x.npy"), bytes), &SCALING, None)
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).map(|samples| samples.rows).unwrap_err().to_string()
    }

    fn read_labels(bytes: &[u8]) -> Result<Vec<u16>, String> {
        labels(&Source::new(Path::new("y.npy"), bytes)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_type_gives_the_same_inputs() {
        let values = [0i16, 1, 5, 100];
        let files = [
            ("<i2", values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()),
            ("<i4", values.iter().flat_map(|&x| i32::from(x).to_le_bytes()).collect()),
            ("<i8", values.iter().flat_map(|&x| i64::from(x).to_le_bytes()).collect()),
            ("<f4", values.iter().flat_map(|&x| f32::from(x).to_le_bytes()).collect()),
            ("<f8", values.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect()),
        ];
        for (descr, items) in files {
            let samples = read(&npy(&dictionary_of(descr, "(2, 2)"), &items)).unwrap();
            assert_eq!((samples.rows, samples.width, samples.inputs), (2, 2, vec![0, 256, 1280, 25600]), "{descr}");
        }
        let pixels = read(&npy(&dictionary_of("|u1", "(2, 1, 2)"), &[0, 1, 5, 255])).unwrap();
        assert_eq!((pixels.rows, pixels.width, pixels.inputs), (2, 2, vec![0, 1, 5, 255]));
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
    fn version_two_and_labels() {
        let one = npy(&dictionary_of("<i8", "(2,)"), &[[3i64, 16383].map(i64::to_le_bytes).concat()].concat());
        let mut two = one.clone();
        two[6] = 2;
        two.splice(10..10, [0, 0]);
        for bytes in [one, two] {
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
            let header = dictionary_of("<f4", "(1, 2)").replace(from, to);
            refused(&npy(&header, &[0; 8]))
        };
        assert!(refused(b"PK\x03\x04....").contains("the magic number is PK\\x03\\x04.., expected \\x93NUMPY"));
        assert!(refused(&good[..9]).contains("byte 8: the header's length is cut off"));
        assert!(refused(&good[..40]).contains("byte 10: the header is cut off or not text, expected 118 bytes"));
        assert!(refused(&[&good[..6], &[3], &good[7..]].concat()).contains("version is 3.0, expected 1.0 or 2.0"));
        let long = [&good[..6], &[2, 0], &u32::MAX.to_le_bytes(), &good[10..]].concat();
        assert!(refused(&long).contains("the header's length is 4294967295, expected at most 65536"));
        assert!(with("False", "True").contains("fortran_order is True, expected False (C order)"));
        assert!(with("<f4", ">f4").contains("descr is >f4, expected one of |u1"));
        assert!(with("<f4", "|O").contains("descr is |O, expected one of |u1"));
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
            for header in [text, dictionary_of("<i2", &shape), dictionary_of("|u1", &shape)] {
                let bytes = npy(&header, &bytes);
                if let Ok(samples) = read(&bytes) {
                    prop_assert!(samples.inputs.len() <= bytes.len());
                }
                let _ = read_labels(&bytes);
            }
        }
    }
}
