//! IDX files, the format of MNIST and Fashion-MNIST.
//!
//! Two zero bytes, the type of an item, the number of dimensions, each dimension in 32 bits, then the items, row-major; all of it
//! big endian. FileBytes: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*.

use std::path::PathBuf;

use super::array::{Array, ArrayHeader, Item};
use super::parts::Parts;
use super::{Format, Sets, two_files};
use crate::data::file::FileBytes;
use crate::data::{DataError, FilePlace};
use crate::job_file::{JobError, Section};

/// Types of an item: the byte that says so, the type, and its name.
const ITEMS: [(u8, Item, &str); 6] = [
    (0x08, Item::U8, "unsigned bytes"),
    (0x09, Item::I8, "signed bytes"),
    (0x0b, Item::I16, "16-bit integers"),
    (0x0c, Item::I32, "32-bit integers"),
    (0x0d, Item::F32, "single-precision numbers"),
    (0x0e, Item::F64, "double-precision numbers"),
];

/// The format.
pub(super) struct Idx;

impl Format for Idx {
    fn name(&self) -> &'static str {
        "idx"
    }

    fn about(&self) -> &'static str {
        "IDX files: MNIST and its kin"
    }

    fn keys(&self) -> &'static [&'static str] {
        two_files::KEYS
    }

    fn example(&self) -> Parts {
        Parts {
            data: r#"# Two IDX files, samples of any shape and labels; bytes, integers or floating-point numbers.
# Files may be compressed with gzip. The order of the rows is the order of training, unless they are shuffled.
# `cargo xtask fetch-data` supplies the data set that is named here.
format = "idx"
images = "data/mnist/train-images-idx3-ubyte"
labels = "data/mnist/train-labels-idx1-ubyte"
# Optional: what the accuracy is measured on.
test_images = "data/mnist/t10k-images-idx3-ubyte"
test_labels = "data/mnist/t10k-labels-idx1-ubyte""#,
            ..Parts::IMAGES
        }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        two_files::sets(section, array, labels)
    }
}

/// The array in the bytes of a file.
pub(super) fn array(file: PathBuf, bytes: Vec<u8>) -> Result<Array, DataError> {
    let layout = layout(&FileBytes::new(&file, &bytes))?;
    Array::new(file, bytes, layout)
}

/// The labels in the bytes of a file: an array of one dimension.
pub(super) fn labels(file: PathBuf, bytes: Vec<u8>) -> Result<Array, DataError> {
    let source = FileBytes::new(&file, &bytes);
    let layout = layout(&source)?;
    match layout.shape.len() {
        1 => Array::new(file, bytes, layout),
        rank => Err(source.malformed(FilePlace::Byte(3), "the rank of the labels", "1", rank)),
    }
}

/// What the header says.
fn layout(source: &FileBytes<'_>) -> Result<ArrayHeader, DataError> {
    let [zero, zero_too, item, rank] = source.array(0, "the magic number")?;
    let known = ITEMS.iter().find(|(code, ..)| *code == item && (zero, zero_too) == (0, 0));
    let Some(&(_, item, name)) = known else {
        let types: Vec<String> = ITEMS.iter().map(|(code, _, name)| format!("{code:02x} ({name})")).collect();
        let got = format!("{zero:02x}{zero_too:02x}{item:02x}{rank:02x}");
        let expected = format!("0000, a type, and a rank; of the types {}", types.join(", "));
        return Err(source.malformed(FilePlace::Byte(0), "the magic number", expected, got));
    };
    let offsets = (0..usize::from(rank)).map(|i| 4 + 4 * i);
    let shape = offsets
        .map(|offset| source.array(offset, "a dimension").map(|bytes| u32::from_be_bytes(bytes) as usize))
        .collect::<Result<_, _>>()?;
    Ok(ArrayHeader {
        item,
        item_name: name.into(),
        item_at: FilePlace::Byte(2),
        big_endian: true,
        fortran: false,
        shape,
        shape_at: FilePlace::Byte(4),
        start: 4 + 4 * usize::from(rank),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::DataSet;
    use crate::data::format::array::Pair;
    use crate::data::format::testing::{set_of, set_of_samples};

    fn idx_of(item: u8, shape: &[u32], items: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, item, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(items);
        bytes
    }

    fn idx(shape: &[u32], items: &[u8]) -> Vec<u8> {
        idx_of(8, shape, items)
    }

    fn read(bytes: &[u8]) -> Result<DataSet, DataError> {
        set_of_samples(array("digits".into(), bytes.to_vec())?)
    }

    fn read_labels(bytes: &[u8]) -> Result<Vec<u16>, String> {
        let labels = labels("labels".into(), bytes.to_vec()).map_err(|error| error.to_string())?;
        let samples = array("digits".into(), idx(&[labels.rows() as u32, 1], &vec![0; labels.rows()]));
        let pair = samples.and_then(|samples| Pair::new(samples, labels)).map_err(|error| error.to_string())?;
        set_of(Box::new(pair)).map(|set| set.labels).map_err(|error| error.to_string())
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).map(|samples| samples.rows).unwrap_err().to_string()
    }

    #[test]
    fn images_and_labels() {
        let samples = read(&idx(&[2, 1, 3], &[0, 1, 2, 253, 254, 255])).unwrap();
        assert_eq!((samples.rows, samples.width, samples.inputs), (2, 3, vec![0, 1, 2, 253, 254, 255]));
        assert!(samples.bytes);
        assert_eq!(read_labels(&idx(&[3], &[9, 0, 7])).unwrap(), [9, 0, 7]);
    }

    #[test]
    fn every_type_is_read_big_endian() {
        let values = [0i16, 1, -5, 100];
        let files = [
            (0x09, values.map(|x| x as i8).iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<u8>>()),
            (0x0b, values.iter().flat_map(|x| x.to_be_bytes()).collect()),
            (0x0c, values.iter().flat_map(|&x| i32::from(x).to_be_bytes()).collect()),
            (0x0d, values.iter().flat_map(|&x| f32::from(x).to_be_bytes()).collect()),
            (0x0e, values.iter().flat_map(|&x| f64::from(x).to_be_bytes()).collect()),
        ];
        for (item, items) in files {
            let set = read(&idx_of(item, &[2, 2], &items)).unwrap();
            assert_eq!((set.inputs, set.bytes), (vec![0, 256, -1280, 25600], false), "{item}");
        }
        assert_eq!(read_labels(&idx_of(0x0b, &[2], &[0, 1, 1, 0])).unwrap(), [1, 256]);
        let floats = read_labels(&idx_of(0x0d, &[1], &[0; 4])).unwrap_err();
        assert!(floats.contains("byte 2: the type of a label is a floating-point number, expected an integer"));
        let negative = read_labels(&idx_of(0x09, &[2], &[0, 0xff])).unwrap_err();
        assert_eq!(negative, "labels, byte 9: a label is -1, expected 0 to 16383");
    }

    #[test]
    fn each_defect_is_named_with_its_place() {
        let good = idx(&[2, 1, 3], &[0; 6]);
        assert!(refused(&good[..3]).starts_with("digits, byte 0: the magic number is cut off"));
        assert!(refused(&good[..10]).starts_with("digits, byte 8: a dimension is cut off"));
        assert_eq!(
            refused(&[&[0x1f, 0x8b], &good[2..]].concat()),
            "digits, byte 0: the magic number is 1f8b0803, expected 0000, a type, and a rank; of the types 08 (unsigned bytes), \
             09 (signed bytes), 0b (16-bit integers), 0c (32-bit integers), 0d (single-precision numbers), \
             0e (double-precision numbers)"
        );
        let size = "digits, byte 16: the data is 5 bytes, expected 2 × 3 × 1 bytes, as the header says";
        assert_eq!(refused(&good[..good.len() - 1]), size);
        assert_eq!(refused(&[&good[..], &[0]].concat()), size.replace("5 bytes", "7 bytes"));
        assert!(refused(&idx(&[0, 1, 3], &[])).contains("shape is [0, 1, 3], expected at least one row"));
        assert!(refused(&idx(&[], &[0])).contains("at least one dimension"));
        assert!(refused(&idx(&[u32::MAX; 255], &[0; 6])).contains("of 1 to 16384 values"));
        assert!(refused(&idx(&[u32::MAX, 1 << 14], &[0; 6])).contains("expected 4294967295 × 16384 × 1 bytes"));
        assert!(refused(&idx_of(0x0a, &[1], &[0])).contains("the magic number is 00000a01"));
        assert_eq!(read_labels(&good).unwrap_err(), "labels, byte 3: the rank of the labels is 3, expected 1");
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic_nor_make_more_than_is_there(
            item in prop_oneof![Just(8u8), 8u8..15], rank in 0u8..5,
            bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..200),
        ) {
            for bytes in [[&[0, 0, item, rank], &bytes[..]].concat(), bytes] {
                if let Ok(samples) = read(&bytes) {
                    prop_assert!(samples.inputs.len() <= bytes.len());
                    prop_assert_eq!(samples.inputs.len(), samples.rows * samples.width);
                }
                if let Ok(labels) = read_labels(&bytes) {
                    prop_assert!(labels.len() <= bytes.len());
                }
            }
        }
    }
}
