//! CSV files: a sample a line, numbers separated by commas or another character, one column of which is the label.

use std::path::PathBuf;

use csv::{ByteRecord, Reader, ReaderBuilder};
use gradproof_circuits::graph::MAX_WIDTH;
use serde::Deserialize;

use super::csv_lines::{check, line_at};
use super::parts::Parts;
use super::{Format, Sets};
use crate::data::file::{self, FileBytes};
use crate::data::table::{Label, LabelledRows, Spot, TablePart, TakeRow, is_missing};
use crate::data::transform::columns::{self, Column};
use crate::data::{DataError, FilePlace};
use crate::job_file::{JobError, Section};

/// Values of a line `0,1,2,…` from which on it is rather a header than a sample.
const NUMBERED: usize = 4;
/// Longest name of a column, in bytes.
const MAX_NAME_BYTES: usize = 256;
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
        if let Column::Name(name) = &label
            && keys.header.is_none()
            && name.bytes().all(|byte| byte.is_ascii_digit())
        {
            let expected = "an index, which is a number without quotes, or data.header = true beside such a name";
            return Err(section.value("label_column", format!("{name:?}"), expected, Some(name.clone())));
        }
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
        let (said, header) = (keys.header.is_some() || named, keys.header.unwrap_or(named));
        let layout = Dialect { label, header, said, delimiter };
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
struct Dialect {
    label: Column,
    header: bool,
    /// Whether the job says if there is a header.
    said: bool,
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
    fn new(file: PathBuf, bytes: Vec<u8>, layout: &Dialect) -> Result<Self, DataError> {
        let (header, delimiter) = (layout.header, layout.delimiter);
        let mut table = Self { file, bytes, header, delimiter, names: vec![], label_at: 0, rows: 0, columns: 0 };
        let source = FileBytes::new(&table.file, &table.bytes);
        check(&source, delimiter)?;
        let mut reader = table.reader();
        let mut names = vec![];
        if header {
            let record = reader.byte_headers().map_err(|error| unreadable(&source, &error))?;
            names = record.iter().map(|name| name_of(&source, name)).collect::<Result<_, _>>()?;
        }
        let label_at = place_of(&source, layout, &names)?;
        // The rows are compared with the first one here, so that the error says what was expected.
        let mut columns = header.then_some(names.len());
        let (mut rows, mut record) = (0, ByteRecord::new());
        let least = label_at.saturating_add(1).max(2);
        while reader.read_byte_record(&mut record).map_err(|error| unreadable(&source, &error))? {
            let numbered = || record.iter().enumerate().all(|(i, field)| field == i.to_string().as_bytes());
            if rows == 0 && !layout.said && record.len() >= NUMBERED && numbered() {
                let expected = "data.header = true if it names the columns, false if it is a sample";
                return Err(source.malformed(FilePlace::Line(1), "the first line", expected, "0, 1, 2 and so on"));
            }
            if let (Column::Index(index), 0) = (&layout.label, rows)
                && *index >= record.len()
                && record.len() > 1
            {
                let expected = format!("0 to {}, the columns of the file", record.len() - 1);
                return Err(source.malformed(line_of(&source, &record), "data.label_column", expected, index));
            }
            let expected = *columns.get_or_insert(record.len());
            if record.len() != expected || !(least..=MAX_WIDTH + 1).contains(&expected) {
                let mut expected = match expected {
                    count if (least..=MAX_WIDTH + 1).contains(&count) => format!("{count}"),
                    _ => format!("{least} to {}, the label in column {label_at}", MAX_WIDTH + 1),
                };
                if record.len() == 1 {
                    expected += &another_delimiter(text(record.get(0)), delimiter);
                }
                return Err(source.malformed(
                    line_of(&source, &record),
                    "the number of columns",
                    expected,
                    record.len(),
                ));
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
        let source = FileBytes::new(&self.file, &self.bytes);
        let mut expected = "a number".to_owned();
        if is_missing(text) {
            let name = self.names.get(column).map_or_else(|| column.to_string(), |name| format!("{name:?}"));
            expected += &format!(
                "; it is missing: fill it in, leave the row out, or the column, data.columns = {{ except = [{name}] }}"
            );
        }
        source.malformed(line_of(&source, record), self.called(column), expected, shown(record.get(column)))
    }
}

impl LabelledRows for Rows {
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
        let source = FileBytes::new(&self.file, &self.bytes);
        let (mut reader, mut record) = (self.reader(), ByteRecord::new());
        let mut values = vec![0.0; columns.len()];
        while reader.read_byte_record(&mut record).map_err(|error| unreadable(&source, &error))? {
            for (value, &column) in values.iter_mut().zip(columns) {
                let text = text(record.get(column));
                // What is not a number is no value either, and `inf` cannot be one.
                let number = text.parse().ok().filter(|number: &f64| !number.is_nan());
                *value = number.ok_or_else(|| self.no_number(&record, column, text))?;
            }
            let label = std::str::from_utf8(record.get(self.label_at).unwrap_or_default()).map_err(|_| {
                let (called, got) = (self.called(self.label_at), shown(record.get(self.label_at)));
                source.malformed(line_of(&source, &record), called, "a label in UTF-8: convert the file", got)
            })?;
            take(&values, Label::Text(label.trim()))?;
        }
        Ok(())
    }

    fn spot(&self, part: TablePart) -> Spot {
        let file = self.file.clone();
        let (row, column) = match part {
            TablePart::Header | TablePart::Type => {
                return Spot { file, place: FilePlace::Line(1), what: "the header".into(), got: None };
            }
            TablePart::Value { row, column } => (row, column),
            TablePart::Label(row) => (row, self.label_at),
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
        let place = line_of(&FileBytes::new(&self.file, &self.bytes), &record);
        Spot { file, place, what: self.called(column), got }
    }
}

fn line_of(source: &FileBytes<'_>, record: &ByteRecord) -> FilePlace {
    line_at(source.bytes, record.position().map_or(0, |position| position.byte() as usize))
}

/// The name of a column.
fn name_of(source: &FileBytes<'_>, name: &[u8]) -> Result<String, DataError> {
    match std::str::from_utf8(name) {
        Ok(name) if name.len() <= MAX_NAME_BYTES => Ok(name.trim().to_owned()),
        Ok(_) => {
            let expected = format!("at most {MAX_NAME_BYTES} bytes");
            Err(source.malformed(FilePlace::Line(1), "the name of a column", expected, shown(Some(name))))
        }
        Err(_) => {
            let expected = "text in UTF-8: convert the file";
            Err(source.malformed(FilePlace::Line(1), "the name of a column", expected, shown(Some(name))))
        }
    }
}

/// A field as text; one that is no UTF-8 is no number, but there.
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
fn place_of(source: &FileBytes<'_>, layout: &Dialect, names: &[String]) -> Result<usize, DataError> {
    match &layout.label {
        Column::Index(index) => Ok(*index),
        Column::Name(name) => columns::named(names, name).map_err(|twice| {
            let absent = || {
                let known = &names[..names.len().min(8)];
                let more = match names {
                    [only] => another_delimiter(only, layout.delimiter),
                    _ => String::new(),
                };
                format!("in the header, which starts with {known:?}{more}")
            };
            let expected = twice.unwrap_or_else(absent);
            source.malformed(FilePlace::Line(1), "the label column", expected, format!("{name:?}"))
        }),
    }
}

fn unreadable(source: &FileBytes<'_>, error: &csv::Error) -> DataError {
    let line = error.position().map_or(1, |position| position.line());
    source.malformed(FilePlace::Line(line), "the line", "values that are separated", error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::DataSet;
    use crate::data::format::testing::set_of;

    fn read_with(text: &[u8], layout: &Dialect) -> Result<(DataSet, Vec<u16>), String> {
        let table = Rows::new("t.csv".into(), text.to_vec(), layout);
        let set = table.and_then(|table| set_of(Box::new(table))).map_err(|error| error.to_string())?;
        let labels = set.labels.clone();
        Ok((set, labels))
    }

    fn read(text: &[u8], label: Column, header: bool) -> Result<(DataSet, Vec<u16>), String> {
        read_with(text, &Dialect { label, header, said: true, delimiter: b',' })
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
        assert!(error.ends_with("data.label_column is 7, expected 0 to 1, the columns of the file"), "{error}");
    }

    /// What would drop rows, or move values, without a word.
    #[test]
    fn quotes_are_closed_on_their_line() {
        let rows = "1,2,ok\n3,4,\"5 inch\n5,6,x\n";
        let open = "a value is a quote is not closed on its line, expected a sample on one line";
        for (text, line, what) in [
            (rows.to_owned(), 2, open),
            (format!("{rows}7,8,\"end\n"), 2, open),
            ("1,2,\"q".to_owned(), 1, open),
            (
                "0,1\n\"1\"2,0\n".to_owned(),
                2,
                "a value is more text, expected the end of a value after its closing quote",
            ),
        ] {
            let error = refused(&text);
            assert!(error.starts_with(&format!("t.csv, line {line}: {what}")), "{error}");
        }
        let (set, labels) = read(b"\"1\",\"2\"\r\n\"0\",3\r\n", Column::Index(0), false).unwrap();
        assert_eq!((set.inputs, labels), (vec![512, 768], vec![1, 0]));
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for text in ["0,1\r\n1,x\r\n", "0,1\r1,x\r", "0,1\n1,x\n"] {
            assert!(refused(text).starts_with("t.csv, line 2: column 1 is \"x\""), "{text:?}: {}", refused(text));
        }
        assert!(refused("0,1\n\n\n\n1,x\n").starts_with("t.csv, line 5: "), "{}", refused("0,1\n\n\n\n1,x\n"));
    }

    #[test]
    fn names_and_labels_are_text_of_few_bytes() {
        let error = read(b"gr\xf6n,y\n1,0\n", Column::Name("y".into()), true).unwrap_err();
        assert!(error.contains("the name of a column is \"gr\u{fffd}n\", expected text in UTF-8"), "{error}");
        let error = read(b"1,m\xe4nner\n", Column::Index(1), false).unwrap_err();
        assert!(error.contains("line 1: column 1 is \"m\u{fffd}nner\", expected a label in UTF-8"), "{error}");
        let long = [&[b'x'; 300][..], b",y\n1,0\n"].concat();
        let error = read(&long, Column::Name("y".into()), true).unwrap_err();
        assert!(error.ends_with("expected at most 256 bytes"), "{error}");
        let many = [&vec![b','; 1 << 20][..], b"\n"].concat();
        let error = read(&many, Column::Name("y".into()), true).unwrap_err();
        assert!(error.ends_with("line 1: the number of columns is more, expected at most 16385"), "{error}");
    }

    #[test]
    fn a_line_that_may_be_a_header_is_asked_for() {
        let layout = |said| Dialect { label: Column::Index(2), header: false, said, delimiter: b',' };
        let text = b"0,1,2,3\n1,2,0,7\n3,4,1,7\n";
        let error = read_with(text, &layout(false)).unwrap_err();
        assert!(
            error.contains("line 1: the first line is 0, 1, 2 and so on, expected data.header = true if"),
            "{error}"
        );
        assert_eq!(read_with(text, &layout(true)).unwrap().1, [2, 0, 1]);
        assert_eq!(read_with(b"0,1,2\n1,2,0\n", &layout(false)).unwrap().1, [2, 0]);
    }

    #[test]
    fn any_delimiter_parts_values() {
        let text = b"1,class,y\n1,2,0.5\n";
        for delimiter in *b",;\t| " {
            let text = text.map(|byte| if byte == b',' { delimiter } else { byte });
            let layout = Dialect { label: Column::Name("class".into()), header: true, said: true, delimiter };
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
