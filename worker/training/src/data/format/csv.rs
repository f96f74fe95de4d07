//! CSV files: a sample a line, numbers separated by commas or another character, one column of which is the label.

use std::path::PathBuf;

use csv::{ByteRecord, Reader, ReaderBuilder};
use gradproof_circuits::network::architecture::MAX_WIDTH;
use serde::Deserialize;

use super::parts::Parts;
use super::{Format, Sets};
use crate::data::file::{self, Source};
use crate::data::table::{Label, Part, Spot, Table, TakeRow, is_missing};
use crate::data::transform::columns::Column;
use crate::data::{DataError, FilePlace};
use crate::job_file::{JobError, Section};

/// Characters that numbers are made of, besides letters and digits, or that end a line or quote.
const NO_DELIMITERS: &[u8] = b"+-.\"\r\n";

/// The format.
pub(super) struct Csv;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    images: Option<PathBuf>,
    test_images: Option<PathBuf>,
    label_column: Option<LabelColumn>,
    header: Option<bool>,
    delimiter: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "label_column must be a name in the header, or an index from 0")]
enum LabelColumn {
    Index(usize),
    Name(String),
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "a table, a sample a line"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["images", "test_images", "label_column", "header", "delimiter"]
    }

    fn instead_of(&self, key: &str) -> Option<&'static str> {
        ["labels", "test_labels"].contains(&key).then_some("no path: label_column is a column of the table")
    }

    fn example(&self) -> Parts {
        Parts {
            data: r#"# A sample a line, numbers separated by commas, one column of which is the label, a whole number from 0, or a text that
# `classes` lists. Files may be compressed with gzip. The order of the rows is the order of training, unless they are shuffled.
format = "csv"
images = "train.csv"
# Optional: what the accuracy is measured on.
test_images = "test.csv"
# Name in the header, or index from 0.
label_column = "class"
# Whether the first line names the columns; default: true if label_column is a name.
# header = true
# What stands between two values, one character: "," unless given; "\t" is a tab.
# delimiter = ";""#,
            ..Parts::TABLE
        }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        let keys: Keys = section.read()?;
        let label = match keys.label_column {
            Some(LabelColumn::Index(index)) => Column::Index(index),
            Some(LabelColumn::Name(name)) => Column::Name(name),
            None => return Err(section.presence("label_column", false, "the name or the index of a column")),
        };
        let named = matches!(label, Column::Name(_));
        if named && keys.header == Some(false) {
            let expected = "true, or an index as label_column";
            return Err(section.value("header", false, expected, Some("true".into())));
        }
        let delimiter = match keys.delimiter.as_deref().unwrap_or(",").as_bytes() {
            &[one] if one.is_ascii() && !one.is_ascii_alphanumeric() && !NO_DELIMITERS.contains(&one) => one,
            _ => {
                let got = format!("{:?}", keys.delimiter.unwrap_or_default());
                let expected = "one ASCII character that stands in no number, such as \",\", \";\" or \"\\t\"";
                return Err(section.value("delimiter", got, expected, None));
            }
        };
        let layout = Layout { label, header: keys.header.unwrap_or(named), delimiter };
        let train = section.file("images", keys.images.as_deref())?;
        let test = keys.test_images.map(|path| section.file("test_images", Some(&path))).transpose()?;
        let reader = |file: PathBuf| -> super::Reader {
            let layout = layout.clone();
            Box::new(move || {
                let bytes = file::read(&file)?;
                Ok(Box::new(Rows::new(file, bytes, &layout)?))
            })
        };
        Ok(Sets { train: reader(train), test: test.map(reader) })
    }
}

/// How a table is written.
#[derive(Clone, Debug)]
struct Layout {
    label: Column,
    header: bool,
    delimiter: u8,
}

/// A table whose lines all have the same number of values, which are not yet read as numbers.
#[derive(Debug)]
struct Rows {
    file: PathBuf,
    bytes: Vec<u8>,
    header: bool,
    delimiter: u8,
    names: Vec<String>,
    label_at: usize,
    rows: usize,
    columns: usize,
}

impl Rows {
    fn new(file: PathBuf, bytes: Vec<u8>, layout: &Layout) -> Result<Self, DataError> {
        let (header, delimiter) = (layout.header, layout.delimiter);
        let mut table = Self { file, bytes, header, delimiter, names: vec![], label_at: 0, rows: 0, columns: 0 };
        let source = Source::new(&table.file, &table.bytes);
        let mut reader = table.reader();
        let mut names = vec![];
        if header {
            let record = reader.byte_headers().map_err(|error| unreadable(&source, &error))?;
            names = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        }
        let label_at = place_of(&source, layout, &names)?;
        // The rows are compared with the first one here, so that the error says what was expected.
        let mut columns = header.then_some(names.len());
        let (mut rows, mut record) = (0, ByteRecord::new());
        let least = label_at.saturating_add(1).max(2);
        while reader.read_byte_record(&mut record).map_err(|error| unreadable(&source, &error))? {
            let expected = *columns.get_or_insert(record.len());
            if record.len() != expected || !(least..=MAX_WIDTH + 1).contains(&expected) {
                let mut expected = match expected {
                    count if (least..=MAX_WIDTH + 1).contains(&count) => format!("{count}"),
                    _ => format!("{least} to {}, the label in column {label_at}", MAX_WIDTH + 1),
                };
                if record.len() == 1 {
                    expected += &another_delimiter(text(record.get(0)), delimiter);
                }
                return Err(source.malformed(line_of(&record), "the number of columns", expected, record.len()));
            }
            rows += 1;
        }
        if rows == 0 {
            return Err(source.malformed(FilePlace::Line(1), "the number of samples", "at least one", 0));
        }
        drop(reader);
        (table.names, table.label_at, table.rows, table.columns) = (names, label_at, rows, columns.unwrap_or_default());
        Ok(table)
    }

    fn reader(&self) -> Reader<&[u8]> {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(self.header).flexible(true).delimiter(self.delimiter).from_reader(&self.bytes)
    }

    /// What a column is called in errors.
    fn called(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) => format!("column {column} ({name:?})"),
            None => format!("column {column}"),
        }
    }

    /// The error that a field is no number.
    fn no_number(&self, record: &ByteRecord, column: usize, text: &str) -> DataError {
        let source = Source::new(&self.file, &self.bytes);
        let mut expected = "a number".to_owned();
        if is_missing(text) {
            let name = self.names.get(column).map_or_else(|| column.to_string(), |name| format!("{name:?}"));
            expected += &format!(
                "; it is missing: fill it in, leave the row out, or the column, data.columns = {{ except = [{name}] }}"
            );
        }
        source.malformed(line_of(record), self.called(column), expected, shown(record.get(column)))
    }
}

impl Table for Rows {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn label_column(&self) -> Option<usize> {
        Some(self.label_at)
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn each_row(&self, columns: &[usize], take: &mut TakeRow<'_>) -> Result<(), DataError> {
        let source = Source::new(&self.file, &self.bytes);
        let (mut reader, mut record) = (self.reader(), ByteRecord::new());
        let mut values = vec![0.0; columns.len()];
        while reader.read_byte_record(&mut record).map_err(|error| unreadable(&source, &error))? {
            for (value, &column) in values.iter_mut().zip(columns) {
                let text = text(record.get(column));
                // What is not a number is no value either, and `inf` cannot be one.
                let number = text.parse().ok().filter(|number: &f64| !number.is_nan());
                *value = number.ok_or_else(|| self.no_number(&record, column, text))?;
            }
            take(&values, Label::Text(text(record.get(self.label_at))))?;
        }
        Ok(())
    }

    fn spot(&self, part: Part) -> Spot {
        let file = self.file.clone();
        let (row, column) = match part {
            Part::Header | Part::Type => {
                return Spot { file, place: FilePlace::Line(1), what: "the header".into(), got: None };
            }
            Part::Value { row, column } => (row, column),
            Part::Label(row) => (row, self.label_at),
        };
        // Errors are rare: the row is looked for again.
        let mut record = ByteRecord::new();
        let mut reader = self.reader();
        for _ in 0..=row {
            if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
                break;
            }
        }
        let got = Some(shown(record.get(column)));
        Spot { file, place: line_of(&record), what: self.called(column), got }
    }
}

fn line_of(record: &ByteRecord) -> FilePlace {
    FilePlace::Line(record.position().map_or(0, |position| position.line()))
}

/// A field as text; one that is no UTF-8 is no number and no label, but there.
fn text(field: Option<&[u8]>) -> &str {
    std::str::from_utf8(field.unwrap_or_default()).map_or("\u{fffd}", str::trim)
}

/// The start of a field, for an error.
fn shown(field: Option<&[u8]>) -> String {
    let field = String::from_utf8_lossy(field.unwrap_or_default());
    match field.trim() {
        "" => "empty".into(),
        _ => format!("{:?}", field.chars().take(40).collect::<String>()),
    }
}

/// What may help if a line is a single value.
fn another_delimiter(line: &str, delimiter: u8) -> String {
    let others = [',', ';', '\t', '|', ' '].into_iter().filter(|other| *other != char::from(delimiter));
    let other = others.into_iter().find(|other| line.contains(*other)).map(|other| other.to_string());
    other.map(|other| format!("; data.delimiter = {other:?} would part this line")).unwrap_or_default()
}

/// Index of the label column.
fn place_of(source: &Source<'_>, layout: &Layout, names: &[String]) -> Result<usize, DataError> {
    match &layout.label {
        Column::Index(index) => Ok(*index),
        Column::Name(name) => {
            let mut places = (0..names.len()).filter(|&i| names[i] == *name);
            let wrong =
                |expected| source.malformed(FilePlace::Line(1), "the label column", expected, format!("{name:?}"));
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(one), Some(other)) => Err(wrong(format!(
                    "in the header once, and columns {one} and {other} are named so: give its index"
                ))),
                (None, _) => {
                    let known = &names[..names.len().min(8)];
                    let more = match names {
                        [only] => another_delimiter(only, layout.delimiter),
                        _ => String::new(),
                    };
                    Err(wrong(format!("in the header, which starts with {known:?}{more}")))
                }
            }
        }
    }
}

fn unreadable(source: &Source<'_>, error: &csv::Error) -> DataError {
    let line = error.position().map_or(1, |position| position.line());
    source.malformed(FilePlace::Line(line), "the line", "values that are separated", error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::DataSet;
    use crate::data::format::testing::set_of;

    fn read_with(text: &[u8], layout: &Layout) -> Result<(DataSet, Vec<u16>), String> {
        let table = Rows::new("t.csv".into(), text.to_vec(), layout);
        let set = table.and_then(|table| set_of(Box::new(table))).map_err(|error| error.to_string())?;
        let labels = set.labels.clone();
        Ok((set, labels))
    }

    fn read(text: &[u8], label: Column, header: bool) -> Result<(DataSet, Vec<u16>), String> {
        read_with(text, &Layout { label, header, delimiter: b',' })
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
        assert!(
            refused("1,2\n1.5,2\n")
                .contains("line 2: column 0 is \"1.5\", expected a label, a whole number; for texts")
        );
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

    #[test]
    fn any_delimiter_parts_values() {
        let text = b"1,class,y\n1,2,0.5\n";
        for delimiter in *b",;\t| " {
            let text = text.map(|byte| if byte == b',' { delimiter } else { byte });
            let layout = Layout { label: Column::Name("class".into()), header: true, delimiter };
            let (set, labels) = read_with(&text, &layout).unwrap();
            assert_eq!((set.inputs, labels), (vec![256, 128], vec![2]), "{delimiter}");
            if delimiter != b',' {
                let error = read(&text, Column::Index(1), true).unwrap_err();
                let hint = format!("; data.delimiter = {:?} would part this line", char::from(delimiter).to_string());
                assert!(error.ends_with(&hint), "{error}");
            }
        }
    }

    #[test]
    fn missing_values_are_named_with_line_and_column() {
        for (missing, shown) in [("", "empty"), ("  ", "empty"), ("NA", "\"NA\""), ("nan", "\"nan\""), ("?", "\"?\"")] {
            let error = read(format!("age,class\n1,0\n{missing},1\n").as_bytes(), Column::Index(1), true).unwrap_err();
            let line = format!("t.csv, line 3: column 0 (\"age\") is {shown}, expected a number; it is missing: ");
            assert!(error.starts_with(&line), "{error}");
            assert!(error.ends_with("data.columns = { except = [\"age\"] }"), "{error}");
            let error = read(format!("1,0\n2,{missing}\n").as_bytes(), Column::Index(1), false).unwrap_err();
            assert!(error.starts_with(&format!("t.csv, line 2: column 1 is {shown}, expected a label; it is missing")));
        }
        assert!(!refused("1,two\n").contains("missing"));
        let latin = read(b"caf\xe9,1\n", Column::Index(1), false).map(|(_, labels)| labels).unwrap_err();
        assert!(latin.ends_with("column 0 is \"caf\u{fffd}\", expected a number"), "{latin}");
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
