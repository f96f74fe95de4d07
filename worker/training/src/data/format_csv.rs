//! CSV files: a sample a line, numbers separated by commas, one column of which is the label.

use csv::{ByteRecord, ReaderBuilder};
use gradproof_circuits::network::architecture::MAX_WIDTH;

use super::{Column, DataError, Place, Samples, Scaling, Source, Watch, label};

/// The samples and labels of a table, and the names of the samples' columns if it has a header.
pub(super) fn table(
    source: &Source,
    column: &Column,
    header: bool,
    scaling: &Scaling,
) -> Result<(Samples, Vec<u16>, Vec<String>), DataError> {
    // The rows are compared with the first one here, so that the error says what was expected.
    let mut reader = ReaderBuilder::new().has_headers(header).flexible(true).from_reader(source.bytes);
    let names = if header {
        reader.byte_headers().map_err(|error| unreadable(source, &error))?.clone()
    } else {
        ByteRecord::new()
    };
    let mut columns = header.then_some(names.len());
    let label_at = place_of(source, column, &names)?;
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    let mut watch = None;
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(source, &error))? {
        let line = Place::Line(record.position().map_or(0, |position| position.line()));
        let expected = *columns.get_or_insert(record.len());
        if record.len() != expected || !(label_at + 1..=MAX_WIDTH + 1).contains(&expected) || expected < 2 {
            let expected = match expected {
                count if (label_at + 1).max(2) <= count && count <= MAX_WIDTH + 1 => format!("{count}"),
                _ => format!("{} to {}, the label in column {label_at}", (label_at + 1).max(2), MAX_WIDTH + 1),
            };
            return Err(source.malformed(line, "the number of columns", expected, record.len()));
        }
        for (i, field) in record.iter().enumerate() {
            let wrong = |expected: String| {
                let got = String::from_utf8_lossy(field).chars().take(40).collect::<String>();
                source.malformed(line, format!("column {i}"), expected, format!("{got:?}"))
            };
            let text = std::str::from_utf8(field).map_or("", str::trim);
            if i == label_at {
                let value = text.parse().map_err(|_| wrong("a label, a whole number".into()))?;
                labels.push(label(source, value, || line)?);
            } else {
                let value: Option<f64> = text.parse().ok();
                let input = value.and_then(|value| Some((value, scaling.apply(value)?)));
                let (value, input) = input.ok_or_else(|| wrong(scaling.expected()))?;
                watch.get_or_insert_with(|| Watch::new(expected - 1)).see(value, input);
                inputs.push(input);
            }
        }
    }
    match labels.len() {
        0 => Err(source.malformed(Place::Line(1), "the number of samples", "at least one", 0)),
        rows => {
            let losses = watch.map(|watch| watch.losses()).unwrap_or_default();
            let others = names.iter().enumerate().filter(|(i, _)| *i != label_at);
            let names = others.map(|(_, name)| String::from_utf8_lossy(name).trim().to_owned()).collect();
            Ok((Samples { rows, width: inputs.len() / rows, inputs, bytes: false, losses }, labels, names))
        }
    }
}

/// Index of the label column.
fn place_of(source: &Source, column: &Column, names: &ByteRecord) -> Result<usize, DataError> {
    match column {
        Column::Index(index) => Ok(*index),
        Column::Name(name) => {
            let mut places = (0..names.len()).filter(|&i| names.get(i) == Some(name.as_bytes()));
            let wrong = |expected| source.malformed(Place::Line(1), "the label column", expected, format!("{name:?}"));
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(one), Some(other)) => Err(wrong(format!(
                    "in the header once, and columns {one} and {other} are named so: give its index"
                ))),
                (None, _) => {
                    let known: Vec<_> = names.iter().take(8).map(String::from_utf8_lossy).collect();
                    Err(wrong(format!("in the header, which starts with {known:?}")))
                }
            }
        }
    }
}

fn unreadable(source: &Source, error: &csv::Error) -> DataError {
    let line = error.position().map_or(1, |position| position.line());
    source.malformed(Place::Line(line), "the line", "comma-separated values", error)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

    fn read(text: &[u8], column: Column, header: bool) -> Result<(Samples, Vec<u16>), String> {
        let read = table(&Source::new(Path::new("t.csv"), text), &column, header, &SCALING);
        read.map(|(samples, labels, _)| (samples, labels)).map_err(|error| error.to_string())
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), Column::Index(0), false).map(|(_, labels)| labels).unwrap_err()
    }

    #[test]
    fn with_and_without_header() {
        let with = b"x,class,y\n1,2,0.5\n-1,0, 3e-1\r\n";
        let without = &with[10..];
        for (text, column, header) in [
            (&with[..], Column::Name("class".into()), true),
            (&with[..], Column::Index(1), true),
            (without, Column::Index(1), false),
        ] {
            let (samples, labels) = read(text, column, header).unwrap();
            assert_eq!((samples.rows, samples.width), (2, 2));
            assert_eq!((samples.inputs, labels), (vec![256, 128, -256, 77], vec![2, 0]));
        }
    }

    #[test]
    fn each_defect_is_named_with_its_line() {
        assert_eq!(refused("1,2,3\n1,2\n"), "t.csv, line 2: the number of columns is 2, expected 3");
        assert_eq!(refused(""), "t.csv, line 1: the number of samples is 0, expected at least one");
        assert!(
            refused("1\n").contains("line 1: the number of columns is 1, expected 2 to 16385, the label in column 0")
        );
        assert!(refused("1,2\n1.5,2\n").contains("line 2: column 0 is \"1.5\", expected a label, a whole number"));
        assert!(refused("1,2\n-1,2\n").contains("line 2: a label is -1, expected 0 to 16383"));
        assert!(refused("1,two\n").contains("line 1: column 1 is \"two\", expected a number"));
        assert!(refused("1,NaN\n").contains("column 1 is \"NaN\""));
        assert!(
            refused("0,1\n1,128\n").contains("line 2: column 1 is \"128\", expected a number that lies in [-128, 128)")
        );
        let error = read(b"a,b\n1,2\n", Column::Name("class".into()), true).map(|(_, labels)| labels).unwrap_err();
        assert!(
            error.contains("the label column is \"class\", expected in the header, which starts with [\"a\", \"b\"]")
        );
        let error = read(b"a,a,b\n1,2,3\n", Column::Name("a".into()), true).map(|(_, labels)| labels).unwrap_err();
        assert!(error.contains("in the header once, and columns 0 and 1 are named so: give its index"), "{error}");
        let error = read(b"1,2\n", Column::Index(7), false).map(|(_, labels)| labels).unwrap_err();
        assert!(error.contains("expected 8 to 16385, the label in column 7"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic_nor_make_more_than_is_there(
            bytes in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(b'1'), any::<u8>()], 0..200),
            header in any::<bool>(),
            at in 0usize..3,
        ) {
            for column in [Column::Index(at), Column::Index(usize::MAX - 1), Column::Name("1".into())] {
                if let Ok((samples, labels)) = read(&bytes, column, header) {
                    prop_assert!(samples.inputs.len() + labels.len() <= bytes.len());
                    prop_assert_eq!(samples.inputs.len(), samples.rows * samples.width);
                }
            }
        }
    }
}
