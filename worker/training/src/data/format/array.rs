//! Arrays of numbers in binary, as several formats have them: items of one type, in one order, after a header.

use std::path::PathBuf;

use gradproof_circuits::graph::MAX_WIDTH;
use half::f16;

use crate::data::file::FileBytes;
use crate::data::table::{Label, LabelledRows, Spot, TablePart, TakeRow};
use crate::data::{DataError, FilePlace};

/// Type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    F32,
    F64,
}

impl Item {
    fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// What a header says of the items after it.
pub(super) struct ArrayHeader {
    pub item: Item,
    /// The type as the header spells it.
    pub item_name: String,
    /// Where it does.
    pub item_at: FilePlace,
    pub big_endian: bool,
    /// Whether the first index, the row, runs fastest.
    pub fortran: bool,
    pub shape: Vec<usize>,
    pub shape_at: FilePlace,
    /// Bytes in front of the items.
    pub start: usize,
}

/// A file with one array, whose header has been checked against the file's size.
pub(super) struct Array {
    file: PathBuf,
    bytes: Vec<u8>,
    layout: ArrayHeader,
    rows: usize,
    width: usize,
    /// Place of each value of the first row, where it is not the value's index.
    offsets: Option<Vec<usize>>,
}

impl ArrayHeader {
    /// The number of rows and of values in each, neither of them zero.
    pub fn rows_and_width(&self, source: &FileBytes<'_>) -> Result<(usize, usize), DataError> {
        let shape = &self.shape;
        let malformed = |expected: String| source.malformed(self.shape_at, "shape", expected, format!("{shape:?}"));
        let [rows, inner @ ..] = &shape[..] else { return Err(malformed("at least one dimension".into())) };
        let width = inner.iter().try_fold(1usize, |width, &size| width.checked_mul(size));
        match width {
            Some(width @ 1..=MAX_WIDTH) if *rows > 0 => Ok((*rows, width)),
            _ => Err(malformed(format!("at least one row, of 1 to {MAX_WIDTH} values"))),
        }
    }

    /// Bytes of a file with this header; nothing if there are more than can be counted.
    pub fn file_bytes(&self, (rows, width): (usize, usize)) -> Option<usize> {
        rows.checked_mul(width)?.checked_mul(self.item.bytes())?.checked_add(self.start)
    }
}

impl Array {
    /// The array that `layout` says lies in the file.
    ///
    /// # Errors
    /// If the shape is refused, or the file has not exactly the bytes that the header says.
    pub fn new(file: PathBuf, bytes: Vec<u8>, layout: ArrayHeader) -> Result<Self, DataError> {
        let source = FileBytes::new(&file, &bytes);
        let (rows, width) = layout.rows_and_width(&source)?;
        if layout.file_bytes((rows, width)) != Some(bytes.len()) {
            let expected = format!("{rows} × {width} × {} bytes, as the header says", layout.item.bytes());
            let got = format!("{} bytes", bytes.len().saturating_sub(layout.start));
            return Err(source.malformed(FilePlace::Byte(layout.start), "the data", expected, got));
        }
        let body = bytes.get(layout.start..).unwrap_or_default();
        if let Some(at) = body.iter().position(|&byte| layout.item == Item::Bool && byte > 1) {
            let place = FilePlace::Byte(layout.start + at);
            return Err(source.malformed(place, "a truth value", "0 or 1", body[at]));
        }
        let offsets = layout.fortran.then(|| offsets(&layout.shape, width));
        Ok(Self { file, bytes, layout, rows, width, offsets })
    }

    /// The array as labels.
    ///
    /// # Errors
    /// If a row has more than one value, or they are no integers.
    pub fn into_labels(self) -> Result<Self, DataError> {
        let ArrayHeader { shape, shape_at, item, item_at, .. } = &self.layout;
        let source = FileBytes::new(&self.file, &self.bytes);
        if self.width != 1 {
            let got = format!("{shape:?}");
            return Err(source.malformed(*shape_at, "the shape of the labels", "[rows] or [rows, 1]", got));
        }
        if let Item::F16 | Item::F32 | Item::F64 = item {
            return Err(source.malformed(*item_at, "the type of a label", "an integer", "a floating-point number"));
        }
        Ok(self)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn place(&self, row: usize, column: usize) -> usize {
        let index = match &self.offsets {
            None => row * self.width + column,
            Some(offsets) => row + offsets.get(column).copied().unwrap_or_default(),
        };
        self.layout.start + index * self.layout.item.bytes()
    }

    /// The bytes of an item, the least significant first.
    fn word<const N: usize>(&self, row: usize, column: usize) -> [u8; N] {
        let bytes = self.bytes.get(self.place(row, column)..).and_then(|rest| rest.first_chunk());
        debug_assert!(bytes.is_some(), "the file's size has been checked");
        let mut word = bytes.copied().unwrap_or([0; N]);
        if self.layout.big_endian {
            word.reverse();
        }
        word
    }

    /// The values of a row, in the order of `columns`.
    fn values(&self, row: usize, columns: &[usize], values: &mut [f64]) {
        let words = values.iter_mut().zip(columns);
        match self.layout.item {
            Item::Bool | Item::U8 => {
                words.for_each(|(value, &at)| *value = u8::from_le_bytes(self.word(row, at)).into())
            }
            Item::I8 => words.for_each(|(value, &at)| *value = i8::from_le_bytes(self.word(row, at)).into()),
            Item::U16 => words.for_each(|(value, &at)| *value = u16::from_le_bytes(self.word(row, at)).into()),
            Item::I16 => words.for_each(|(value, &at)| *value = i16::from_le_bytes(self.word(row, at)).into()),
            Item::U32 => words.for_each(|(value, &at)| *value = u32::from_le_bytes(self.word(row, at)).into()),
            Item::I32 => words.for_each(|(value, &at)| *value = i32::from_le_bytes(self.word(row, at)).into()),
            Item::U64 => words.for_each(|(value, &at)| *value = u64::from_le_bytes(self.word(row, at)) as f64),
            Item::I64 => words.for_each(|(value, &at)| *value = i64::from_le_bytes(self.word(row, at)) as f64),
            Item::F16 => words.for_each(|(value, &at)| *value = f16::from_le_bytes(self.word(row, at)).into()),
            Item::F32 => words.for_each(|(value, &at)| *value = f32::from_le_bytes(self.word(row, at)).into()),
            Item::F64 => words.for_each(|(value, &at)| *value = f64::from_le_bytes(self.word(row, at))),
        }
    }

    /// The value of a row of an array of [labels](Self::into_labels).
    fn integer(&self, row: usize) -> i128 {
        match self.layout.item {
            Item::Bool | Item::U8 => u8::from_le_bytes(self.word(row, 0)).into(),
            Item::I8 => i8::from_le_bytes(self.word(row, 0)).into(),
            Item::U16 => u16::from_le_bytes(self.word(row, 0)).into(),
            Item::I16 => i16::from_le_bytes(self.word(row, 0)).into(),
            Item::U32 => u32::from_le_bytes(self.word(row, 0)).into(),
            Item::I32 => i32::from_le_bytes(self.word(row, 0)).into(),
            Item::U64 => u64::from_le_bytes(self.word(row, 0)).into(),
            Item::I64 => i64::from_le_bytes(self.word(row, 0)).into(),
            Item::F16 | Item::F32 | Item::F64 => 0,
        }
    }
}

/// Where the values of the first row lie if the first index runs fastest; they are numbered with the last index running fastest.
fn offsets(shape: &[usize], width: usize) -> Vec<usize> {
    let offset = |mut column: usize| {
        let mut digits = Vec::new();
        for &size in shape.iter().skip(1).rev() {
            digits.push((column % size, size));
            column /= size;
        }
        // The digits stand with the last index first, and the first of them weighs least.
        let (mut offset, mut stride) = (0, shape.first().copied().unwrap_or(1));
        for (digit, size) in digits.into_iter().rev() {
            offset += digit * stride;
            stride *= size;
        }
        offset
    };
    (0..width).map(offset).collect()
}

/// An array of samples and one of labels, of the same number of rows.
pub(super) struct Pair {
    samples: Array,
    labels: Array,
}

impl Pair {
    /// The two arrays as a table.
    ///
    /// # Errors
    /// If they do not have the same number of rows, or the second one is not of labels.
    pub fn new(samples: Array, labels: Array) -> Result<Self, DataError> {
        let labels = labels.into_labels()?;
        if samples.rows() != labels.rows() {
            return Err(DataError::Count {
                images: samples.file,
                labels: labels.file,
                expected: samples.rows,
                got: labels.rows,
            });
        }
        Ok(Self { samples, labels })
    }
}

impl LabelledRows for Pair {
    fn rows(&self) -> usize {
        self.samples.rows()
    }

    fn columns(&self) -> usize {
        self.samples.width
    }

    fn bytes(&self) -> bool {
        self.samples.layout.item == Item::U8
    }

    fn each_row(&self, columns: &[usize], take: &mut TakeRow<'_>) -> Result<(), DataError> {
        let mut values = vec![0.0; columns.len()];
        for row in 0..self.rows() {
            self.samples.values(row, columns, &mut values);
            take(&values, Label::Integer(self.labels.integer(row)))?;
        }
        Ok(())
    }

    fn spot(&self, part: TablePart) -> Spot {
        let ArrayHeader { item_name, item_at, shape_at, .. } = &self.samples.layout;
        let file = self.samples.file.clone();
        match part {
            TablePart::Header => Spot { file, place: *shape_at, what: "the columns".into(), got: None },
            TablePart::Type => {
                Spot { file, place: *item_at, what: "the type of a value".into(), got: Some(item_name.clone()) }
            }
            TablePart::Value { row, column } => {
                let place = FilePlace::Byte(self.samples.place(row, column));
                Spot { file, place, what: "a value".into(), got: None }
            }
            TablePart::Label(row) => {
                let place = FilePlace::Byte(self.labels.place(row, 0));
                Spot { file: self.labels.file.clone(), place, what: "a label".into(), got: None }
            }
        }
    }
}
