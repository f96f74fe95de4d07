//! What a requester hands over of a job: statement, key, registrations, and the rows as they are committed to.
//!
//! The rows are a safetensors file with `inputs` (I16, rows × width, scale `2^-fa`) and `labels` (U16, rows), so that a provider
//! needs neither the requester's files nor what reads them. The rest of a job follows from its statement.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use eyre::{Result, WrapErr, ensure};
use gradproof_node::workshop::{FIRST_FILE, OPENINGS_FILE, PARCEL, PRIVATE, ROWS_FILE};
use gradproof_terminal::atomic;
use gradproof_training::data::DataSet;
use gradproof_training::job::{ColumnLength, InitialWeights, Job};
use gradproof_training::parameters_file::{Numbers, write_parameters};
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier_program::files::{read, read_statement};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::commitments::first_parameters;
use crate::data_opening::DataOpening;
use crate::openings::{Openings, Seeds};

/// Largest file with rows, in bytes: that of any data file.
const MAX_ROWS_BYTES: usize = gradproof_training::data::MAX_FILE_BYTES as usize;

/// Adds rows and first weights to the parcel in the folder of a job that was committed to.
///
/// # Errors
/// A file cannot be written.
pub fn pack(folder: &Path, job: &Job) -> Result<()> {
    write_rows(&folder.join(PARCEL), &job.train)?;
    pack_first(folder, job)
}

/// Writes rows as a parcel has them into a folder.
///
/// # Errors
/// The file cannot be written.
pub fn write_rows(folder: &Path, data: &DataSet) -> Result<()> {
    let rows = encode(data).wrap_err("the rows cannot be written")?;
    let path = folder.join(ROWS_FILE);
    atomic::write_private(&path, |file| file.write_all(&rows)).wrap_err_with(|| format!("{}", path.display()))
}

/// Adds first weights to the parcel of a job whose rows somebody else hands over.
///
/// # Errors
/// A file cannot be written.
pub fn pack_first(folder: &Path, job: &Job) -> Result<()> {
    let parcel = folder.join(PARCEL);
    if !matches!(job.initial_weights, InitialWeights::Seed(_)) {
        write_parameters(&parcel.join(FIRST_FILE), &job.architecture, &first_parameters(job)?, Numbers::Exact)?;
    }
    Ok(())
}

/// The statement of a parcel, without its rows.
///
/// # Errors
/// The file is missing or refused.
pub fn statement(folder: &Path) -> Result<JobStatement> {
    read_statement(&folder.join(PARCEL).join(Part::Statement.file_name()))
}

/// The statement, and the job that it and the rows describe.
///
/// # Errors
/// A file is missing or refused, the rows are not as many and as wide as the statement says, or one has a label that is no class.
///
/// # Soundness
/// No commitment says that a label is a class: one that is none is committed to as a row without a label, which nobody can train.
pub fn unpack(folder: &Path) -> Result<(JobStatement, Job)> {
    let parcel = folder.join(PARCEL);
    let statement = statement(folder)?;
    let path = parcel.join(ROWS_FILE);
    ensure!(
        path.exists(),
        "{} is missing: the rows of a registered set go from its owner to the provider, and nobody else trains on them",
        path.display()
    );
    let classes = statement.architecture.classes();
    let train = decode(&read(&path, MAX_ROWS_BYTES)?, classes).wrap_err_with(|| format!("{}", path.display()))?;
    let (rows, width) = (statement.data.rows, statement.architecture.inputs());
    ensure!(
        (train.rows, train.width) == (rows, width),
        "{} has {} rows of {} values, the statement says {rows} of {width}",
        path.display(),
        train.rows,
        train.width
    );
    let initial_weights = match statement.initial_seed {
        Some(seed) => InitialWeights::Seed(seed),
        None => InitialWeights::File(parcel.join(FIRST_FILE)),
    };
    let job = Job {
        architecture: statement.architecture.clone(),
        train,
        test: None,
        steps: statement.steps,
        rates: statement.rates.clone(),
        initial_weights,
        columns: ColumnLength::Bits(statement.column_vars),
        notes: vec![],
    };
    Ok((statement, job))
}

/// The seeds of a parcel's blindings: that of the data from the owner of a registered set, if it handed one over.
///
/// # Errors
/// A file is missing or refused.
pub fn seeds(folder: &Path, statement: &JobStatement) -> Result<Seeds> {
    let seeds = openings(folder, statement)?.seeds();
    Ok(match DataOpening::in_folder(&folder.join(PRIVATE))? {
        Some(opening) => Seeds { data: opening.seed(), ..seeds },
        None => seeds,
    })
}

/// The openings of a parcel's statement.
///
/// # Errors
/// As those of [`Openings::load`].
pub fn openings(folder: &Path, statement: &JobStatement) -> Result<Openings> {
    Openings::load(&folder.join(PRIVATE).join(OPENINGS_FILE), statement)
}

fn encode(data: &DataSet) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let inputs: Vec<u8> = data.inputs.iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels: Vec<u8> = data.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
    let tensors = [
        ("inputs", TensorView::new(Dtype::I16, vec![data.rows, data.width], &inputs)?),
        ("labels", TensorView::new(Dtype::U16, vec![data.rows], &labels)?),
    ];
    safetensors::serialize(tensors, None::<HashMap<String, String>>)
}

/// Rows, of which each has the label of one of so many classes.
fn decode(bytes: &[u8], classes: usize) -> Result<DataSet> {
    let tensors = SafeTensors::deserialize(bytes).wrap_err("not a safetensors file")?;
    let (inputs, labels) = (tensors.tensor("inputs")?, tensors.tensor("labels")?);
    let &[rows, width] = inputs.shape() else { eyre::bail!("inputs has the shape {:?}", inputs.shape()) };
    ensure!(inputs.dtype() == Dtype::I16 && labels.dtype() == Dtype::U16, "inputs must be I16 and labels U16");
    ensure!(labels.shape() == [rows], "labels has the shape {:?}, expected {rows}", labels.shape());
    let words = |bytes: &[u8]| bytes.chunks_exact(2).map(|word| [word[0], word[1]]).collect::<Vec<_>>();
    let labels: Vec<u16> = words(labels.data()).into_iter().map(u16::from_le_bytes).collect();
    if let Some((row, label)) = labels.iter().enumerate().find(|(_, label)| usize::from(**label) >= classes) {
        eyre::bail!("row {row} has the label {label}, expected one of {classes} classes");
    }
    let inputs = words(inputs.data()).into_iter().map(i16::from_le_bytes).collect();
    Ok(DataSet { rows, width, inputs, labels, classes, ..DataSet::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bolero::check;

    #[test]
    fn any_bytes_are_rows_or_refused() {
        let data = DataSet {
            rows: 2,
            width: 3,
            inputs: vec![1, -2, 3, i16::MIN, i16::MAX, 0],
            labels: vec![4, 0],
            classes: 5,
            ..DataSet::default()
        };
        let good = encode(&data).expect("they are encoded");
        assert_eq!(decode(&good, 5).expect("they are decoded"), data);
        check!().with_iterations(2000).with_type::<(bool, Vec<(u16, u8)>, Vec<u8>)>().for_each(|(near, edits, raw)| {
            let mut bytes = if *near { good.clone() } else { raw.clone() };
            for (at, byte) in edits.iter().take(4).filter(|_| *near) {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            if let Ok(data) = decode(&bytes, 5) {
                assert!(data.labels.iter().all(|label| *label < 5));
                assert_eq!((data.inputs.len(), data.labels.len()), (data.rows * data.width, data.rows));
            }
        });
    }

    #[test]
    fn a_label_that_is_no_class_is_refused() {
        let with = |label| DataSet {
            rows: 2,
            width: 1,
            inputs: vec![1, 2],
            labels: vec![2, label],
            classes: 3,
            ..DataSet::default()
        };
        let decoded = |label| decode(&encode(&with(label)).expect("they are encoded"), 3);
        assert_eq!(decoded(1).expect("it is a class"), with(1));
        // The first one is a column of padding, the last one what marks rows of padding.
        for label in [3, 4, u16::MAX] {
            let error = decoded(label).expect_err("it is no class").to_string();
            assert_eq!(error, format!("row 1 has the label {label}, expected one of 3 classes"));
        }
    }
}
