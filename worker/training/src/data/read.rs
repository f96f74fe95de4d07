//! From the keys in `[data]` to data sets: the format reads, the transformations follow, fixed point comes last.

use serde::Deserialize;

use super::format::{Format, chosen};
use super::losses::Watch;
use super::table::{LabelledRows, TablePart};
use super::transform::labels::Classes;
use super::transform::shuffle;
use super::transform::standardise::Moments;
use super::transform::{self, Transformations};
use super::{DataError, DataSet, Scaling};
use crate::job_file::{JobError, Section};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    format: String,
}

/// The training and the test set of a job.
pub(crate) fn read(
    mut section: Section<'_>,
    formats: &[&dyn Format],
    activation_bits: u32,
) -> Result<(DataSet, Option<DataSet>), JobError> {
    let Choice { format } = section.take(&["format"]).read()?;
    let transformations = Transformations::new(&section.take(transform::KEYS), activation_bits)?;
    let sets = chosen(&section, &format, formats)?.sets(&section)?;
    let train = (sets.train)()?;
    let (train, like) = data_set(train, &transformations, None)?;
    let test = sets.test.map(|test| Ok::<_, DataError>(data_set(test()?, &transformations, Some(&like))?.0));
    Ok((train, test.transpose()?))
}

/// What a set that belongs to another one must share with it.
pub(crate) struct Like {
    names: Vec<String>,
    /// The name of the label's column, where it has one.
    label: Option<String>,
    /// Columns of the file, chosen or not.
    columns: usize,
    width: usize,
    bytes: bool,
    moments: Option<Moments>,
}

/// The data set that `table` becomes; `like` is what the training set was, for the test set.
pub(crate) fn data_set(
    table: Box<dyn LabelledRows>,
    transformations: &Transformations,
    like: Option<&Like>,
) -> Result<(DataSet, Like), DataError> {
    let Transformations { columns, classes, standardise, shuffle, scaling } = transformations;
    let table = table.as_ref();
    let columns = columns.of(table)?;
    let names: Vec<String> = columns.iter().filter_map(|&column| table.names().get(column).cloned()).collect();
    require_like(table, &names, columns.len(), scaling, like)?;
    let moments = match like {
        _ if !standardise => None,
        Some(Like { moments: Some(moments), .. }) => Some(moments.clone()),
        _ => Some(Moments::new(table, &columns, &names)?),
    };
    // Rows of a test set have no order that matters.
    let places = shuffle.filter(|_| like.is_none()).map(|seed| shuffle::places(seed, table.rows()));
    let mut set = fixed_point(table, &columns, classes, moments.as_ref(), places.as_deref(), scaling)?;
    set.names = names.clone();
    let (label, columns) = (label_of(table), table.columns());
    let like = Like { names, label, columns, width: set.width, bytes: set.bytes, moments };
    Ok((set, like))
}

/// Checks that columns and types are those of the training set.
fn require_like(
    table: &dyn LabelledRows,
    names: &[String],
    width: usize,
    scaling: &Scaling,
    like: Option<&Like>,
) -> Result<(), DataError> {
    let Some(like) = like else { return Ok(()) };
    // Columns are taken by their places: another order would be another meaning.
    if like.names != names && !like.names.is_empty() && !names.is_empty() {
        let expected = format!("the columns of the training set in their order, {:?}", like.names);
        return Err(table.spot(TablePart::Header).malformed(expected, format!("{names:?}")));
    }
    let label = label_of(table);
    if let (Some(expected), Some(got)) = (&like.label, &label)
        && expected != got
    {
        let expected = format!("{expected:?} as the label's column, as in the training set");
        return Err(table.spot(TablePart::Header).malformed(expected, format!("{got:?}")));
    }
    // Without names a column is its place.
    let unnamed = (names.is_empty() && like.columns != table.columns()).then_some((like.columns, table.columns()));
    if let Some((expected, got)) = (width != like.width).then_some((like.width, width)).or(unnamed) {
        let mut spot = table.spot(TablePart::Header);
        (spot.what, spot.got) = ("the number of columns".into(), None);
        return Err(spot.malformed(format!("{expected}, as in the training set"), got));
    }
    if scaling.factor.is_none() && like.bytes != table.bytes() {
        let expected =
            "one that is scaled as the training set's: bytes by 1/256 and others by 1, unless data.scale is given";
        return Err(table.spot(TablePart::Type).malformed(expected, "another"));
    }
    Ok(())
}

/// The name of the label's column.
fn label_of(table: &dyn LabelledRows) -> Option<String> {
    table.label_column().and_then(|column| table.names().get(column)).cloned()
}

/// The rows in fixed point, each in its place if there are `places`.
fn fixed_point(
    table: &dyn LabelledRows,
    columns: &[usize],
    classes: &Classes,
    moments: Option<&Moments>,
    places: Option<&[usize]>,
    scaling: &Scaling,
) -> Result<DataSet, DataError> {
    let (rows, width) = (table.rows(), columns.len());
    let bytes = table.bytes();
    let byte = bytes && moments.is_none();
    let mut inputs = vec![0; rows * width];
    let mut labels = vec![0; rows];
    let mut watch = Watch::new(width);
    let mut row = 0;
    table.each_row(columns, &mut |values, label| {
        let at = places.map_or(row, |places| places[row]);
        labels[at] = classes.class_of(table, row, label)?;
        let inputs = &mut inputs[at * width..(at + 1) * width];
        for (i, (input, &raw)) in inputs.iter_mut().zip(values).enumerate() {
            let value = moments.map_or(raw, |moments| moments.apply(i, raw));
            *input = scaling.apply(value, byte).ok_or_else(|| {
                let spot = table.spot(TablePart::Value { row, column: columns[i] });
                spot.malformed(expected(raw, moments, scaling), raw)
            })?;
            watch.see(value, *input);
        }
        row += 1;
        Ok(())
    })?;
    let called = |i: usize| {
        let column = columns.get(i).copied().unwrap_or_default();
        table.names().get(column).map_or_else(|| column.to_string(), |name| format!("{name:?}"))
    };
    let losses = watch.losses(called);
    let listed = if let Classes::Listed { names, .. } = classes { names.len() } else { 0 };
    Ok(DataSet {
        classes: labels.iter().max().map_or(0, |&label| usize::from(label) + 1).max(listed),
        rows,
        width,
        inputs,
        labels,
        names: vec![],
        bytes,
        shuffled: places.is_some(),
        renamed: !matches!(classes, Classes::From(0)),
        losses,
    })
}

fn expected(raw: f64, moments: Option<&Moments>, scaling: &Scaling) -> String {
    let range = scaling.expected();
    match moments {
        _ if raw.is_nan() => format!("{range}; a value that is missing must be filled in, or its row left out"),
        Some(_) => format!("{range}, here after it is standardised"),
        None => range,
    }
}
