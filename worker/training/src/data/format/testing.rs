//! What tests of formats share.

use super::array::{Array, Pair};
use super::npy;
use crate::data::read::data_set;
use crate::data::table::LabelledRows;
use crate::data::transform::Transformations;
use crate::data::{DataError, DataSet, Scaling};

const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

/// The data set that a table becomes if nothing is done to it.
pub(super) fn set_of(table: Box<dyn LabelledRows>) -> Result<DataSet, DataError> {
    Ok(data_set(table, &Transformations::none(SCALING), None)?.0)
}

/// The same of samples without labels: all of them are 0.
pub(super) fn set_of_samples(samples: Array) -> Result<DataSet, DataError> {
    let rows = samples.rows();
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows},), }}");
    let labels = npy::array("labels.npy".into(), npy(&header, &vec![0; rows]))?;
    set_of(Box::new(Pair::new(samples, labels)?))
}

/// A file as `numpy.save` writes it.
pub(super) fn npy(header: &str, items: &[u8]) -> Vec<u8> {
    let padded = format!("{header:<117}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(padded.len() as u16).to_le_bytes(), padded.as_bytes(), items].concat()
}
