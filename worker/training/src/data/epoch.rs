//! Which rows of the data a segment trains on.
//!
//! [`Epoch`](gradproof_circuits::network::epoch::Epoch) says how an epoch is cut; here the rows are laid out as the trace has them.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::trace::NO_LABEL;

use super::{DataError, DataSet};

/// The data of one segment, laid out as the trace has it.
///
/// # Shapes
/// `inputs`: `T · padded batch × d_0`; `labels`: `T · padded batch`, [`NO_LABEL`] on padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentRows {
    /// Inputs of every step, padded rows and steps zero.
    pub inputs: Vec<i16>,
    /// Labels of every step.
    pub labels: Vec<u16>,
    /// Live steps and rows.
    pub live: Live,
}

/// Data of the segment at `position` of an epoch over `data`.
///
/// # Errors
/// If the data set does not have as many inputs and labels as rows, or the position lies beyond the end of the epoch.
pub fn segment_rows(architecture: &Architecture, data: &DataSet, position: usize) -> Result<SegmentRows, DataError> {
    let wrong = |what, got, expected: String| Err(DataError::Segment { what, got, expected });
    if data.rows == 0 || data.inputs.len() != data.rows * data.width || data.labels.len() != data.rows {
        return wrong("the number of rows of the data set", data.rows, "as many in inputs and labels".into());
    }
    let epoch = architecture.epoch(data.rows);
    let Some(live) = epoch.live(position) else {
        return wrong("the position", position, format!("0 to {}", epoch.segments() - 1));
    };
    let (samples, width) = (architecture.samples(), data.width);
    let mut inputs = vec![0; samples * width];
    let mut labels = vec![NO_LABEL; samples];
    for step in 0..live.steps {
        let from = (position * architecture.steps() + step) * architecture.batch();
        let rows = architecture.live_rows(live, step);
        let to = step * architecture.padded_batch();
        inputs[to * width..(to + rows) * width].copy_from_slice(&data.inputs[from * width..(from + rows) * width]);
        labels[to..to + rows].copy_from_slice(&data.labels[from..from + rows]);
    }
    Ok(SegmentRows { inputs, labels, live })
}

#[cfg(test)]
mod tests {
    use gradproof_circuits::network::precision::Precision;
    use proptest::prelude::*;

    use super::*;

    fn architecture(batch: usize, steps: usize) -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture::perceptron(&[2, 3], batch, steps, precision).expect("it is possible")
    }

    /// Row `r` is `(r, -r)`, its label `r mod 3`.
    fn data(rows: usize) -> DataSet {
        let inputs = (0..rows as i16).flat_map(|row| [row, -row]).collect();
        let labels = (0..rows as u16).map(|row| row % 3).collect();
        DataSet { rows, width: 2, inputs, labels, classes: 3, ..DataSet::default() }
    }

    #[test]
    fn last_segment_has_fewer_steps_and_last_step_fewer_rows() {
        let rows = segment_rows(&architecture(3, 4), &data(16), 1).unwrap();
        let n = NO_LABEL;
        assert_eq!(rows.live, Live { steps: 2, last_rows: 1 });
        assert_eq!(rows.labels, [0, 1, 2, n, 0, n, n, n, n, n, n, n, n, n, n, n]);
        assert_eq!(rows.inputs[..10], [12, -12, 13, -13, 14, -14, 0, 0, 15, -15]);
        assert!(rows.inputs[10..].iter().all(|&x| x == 0));
    }

    #[test]
    fn wrong_positions_and_data_are_refused() {
        let error =
            |data: &DataSet, position| segment_rows(&architecture(3, 4), data, position).unwrap_err().to_string();
        assert_eq!(error(&data(16), 2), "the position is 2, expected 0 to 1");
        assert!(error(&data(16), usize::MAX).contains("expected 0 to 1"));
        assert!(error(&DataSet { labels: vec![], ..data(16) }, 0).contains("the number of rows"));
        assert!(error(&DataSet::default(), 0).contains("the number of rows"));
    }

    proptest! {
        #[test]
        fn an_epoch_has_every_row_once_in_order(rows in 1usize..200, batch in 1usize..20, log_steps in 0u32..4) {
            let architecture = architecture(batch.min(rows), 1 << log_steps);
            let (data, epoch) = (data(rows), architecture.epoch(rows));
            let (mut inputs, mut labels) = (Vec::new(), Vec::new());
            for position in 0..epoch.segments() {
                let live = epoch.live(position).unwrap();
                prop_assert!(architecture.validate_live(live).is_ok());
                let segment = segment_rows(&architecture, &data, position).unwrap();
                prop_assert_eq!(segment.live, live);
                prop_assert_eq!(segment.inputs.len(), architecture.samples() * 2);
                prop_assert_eq!(segment.labels.len(), architecture.samples());
                for (i, &label) in segment.labels.iter().enumerate() {
                    let (step, row) = (i / architecture.padded_batch(), i % architecture.padded_batch());
                    let input = &segment.inputs[2 * i..2 * i + 2];
                    if row < architecture.live_rows(live, step) {
                        labels.push(label);
                        inputs.extend_from_slice(input);
                    } else {
                        prop_assert_eq!((label, input), (NO_LABEL, &[0i16, 0][..]));
                    }
                }
            }
            prop_assert_eq!((inputs, labels), (data.inputs, data.labels));
        }
    }
}
