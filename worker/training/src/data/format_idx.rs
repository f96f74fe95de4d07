//! IDX files, the format of MNIST and Fashion-MNIST.
//!
//! Two zero bytes, the type of an item (8: unsigned byte), the number of dimensions, each dimension in 32 bits, big
//! endian, then the items, row-major. Source: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*.

use super::{DataError, Place, Samples, Scaling, Source, Watch, label, payload, rows_and_width};

const UNSIGNED_BYTE: u8 = 8;

/// The dimensions and the number of bytes in front of the items.
fn header(source: &Source) -> Result<(Vec<usize>, usize), DataError> {
    let [zero, zero_too, item, rank] = source.array(0, "the magic number")?;
    if (zero, zero_too) != (0, 0) || item != UNSIGNED_BYTE {
        let got = format!("{zero:02x}{zero_too:02x}{item:02x}{rank:02x}");
        return Err(source.malformed(
            Place::Byte(0),
            "the magic number",
            "000008 and a rank: IDX of unsigned bytes",
            got,
        ));
    }
    let offsets = (0..usize::from(rank)).map(|i| 4 + 4 * i);
    let shape = offsets
        .map(|offset| source.array(offset, "a dimension").map(|bytes| u32::from_be_bytes(bytes) as usize))
        .collect::<Result<_, _>>()?;
    Ok((shape, 4 + 4 * usize::from(rank)))
}

pub(super) fn samples(source: &Source, scaling: &Scaling) -> Result<Samples, DataError> {
    let (shape, header_bytes) = header(source)?;
    let (rows, width) = rows_and_width(source, Place::Byte(4), &shape)?;
    let body = payload(source, header_bytes, (rows, width), 1)?;
    let mut watch = Watch::new(width);
    let pixel = |(i, &pixel): (usize, &u8)| {
        let place = Place::Byte(header_bytes + i);
        let input = scaling.apply_pixel(pixel);
        let input = input.ok_or_else(|| source.malformed(place, "a value", scaling.expected(), pixel))?;
        watch.see(pixel.into(), input);
        Ok(input)
    };
    let inputs = body.iter().enumerate().map(pixel).collect::<Result<_, _>>()?;
    Ok(Samples { rows, width, inputs, bytes: true, losses: watch.losses() })
}

pub(super) fn labels(source: &Source) -> Result<Vec<u16>, DataError> {
    let (shape, header_bytes) = header(source)?;
    let [rows] = shape[..] else {
        return Err(source.malformed(Place::Byte(3), "the rank of the labels", "1", shape.len()));
    };
    let body = payload(source, header_bytes, (rows, 1), 1)?;
    let item = |(i, &value): (usize, &u8)| label(source, value.into(), || Place::Byte(header_bytes + i));
    body.iter().enumerate().map(item).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

    fn idx(shape: &[u32], items: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(items);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Samples, DataError> {
        samples(&Source::new(Path::new("digits"), bytes), &SCALING)
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).map(|samples| samples.rows).unwrap_err().to_string()
    }

    #[test]
    fn images_and_labels() {
        let samples = read(&idx(&[2, 1, 3], &[0, 1, 2, 253, 254, 255])).unwrap();
        assert_eq!((samples.rows, samples.width, samples.inputs), (2, 3, vec![0, 1, 2, 253, 254, 255]));
        let bytes = idx(&[3], &[9, 0, 7]);
        assert_eq!(labels(&Source::new(Path::new("labels"), &bytes)).unwrap(), [9, 0, 7]);
    }

    #[test]
    fn each_defect_is_named_with_its_place() {
        let good = idx(&[2, 1, 3], &[0; 6]);
        assert!(refused(&good[..3]).starts_with("digits, byte 0: the magic number is cut off"));
        assert!(refused(&good[..10]).starts_with("digits, byte 8: a dimension is cut off"));
        assert_eq!(
            refused(&[&[0x1f, 0x8b], &good[2..]].concat()),
            "digits, byte 0: the magic number is 1f8b0803, expected 000008 and a rank: IDX of unsigned bytes"
        );
        let size = "digits, byte 16: the data is 5 bytes, expected 2 × 3 × 1 bytes, as the header says";
        assert_eq!(refused(&good[..good.len() - 1]), size);
        assert_eq!(refused(&[&good[..], &[0]].concat()), size.replace("5 bytes", "7 bytes"));
        assert!(refused(&idx(&[0, 1, 3], &[])).contains("shape is [0, 1, 3], expected at least one row"));
        assert!(refused(&idx(&[], &[0])).contains("at least one dimension"));
        assert!(refused(&idx(&[u32::MAX; 255], &[0; 6])).contains("of 1 to 16384 values"));
        assert!(refused(&idx(&[u32::MAX, 1 << 14], &[0; 6])).contains("expected 4294967295 × 16384 × 1 bytes"));
        let images = Source::new(Path::new("labels"), &good);
        assert_eq!(labels(&images).unwrap_err().to_string(), "labels, byte 3: the rank of the labels is 3, expected 1");
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic_nor_make_more_than_is_there(
            rank in 0u8..5,
            bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..200),
        ) {
            for bytes in [[&[0, 0, 8, rank], &bytes[..]].concat(), bytes] {
                if let Ok(samples) = read(&bytes) {
                    prop_assert!(samples.inputs.len() <= bytes.len());
                    prop_assert_eq!(samples.inputs.len(), samples.rows * samples.width);
                }
                if let Ok(labels) = labels(&Source::new(Path::new("labels"), &bytes)) {
                    prop_assert!(labels.len() <= bytes.len());
                }
            }
        }
    }
}
