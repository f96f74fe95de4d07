//! Which rows of the data a segment trains on.
//!
//! Batch `t` of an epoch is rows `[tB, (t+1)B)`, in the order of the data set; the last batch may be shorter. An epoch is
//! a whole number of segments of `T` steps, the last of which may have fewer live steps. Every row is in exactly one live
//! step of an epoch: nothing is dropped.

use gradproof_circuits::architecture::{Architecture, Live};
use gradproof_prover::trace::NO_LABEL;

use super::{DataError, DataSet};

/// How an epoch is cut into steps and segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    rows: usize,
    batch: usize,
    padded_batch: usize,
    steps_per_segment: usize,
}

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

impl Epoch {
    /// The cut of an epoch over `rows` samples for a valid `architecture`.
    pub fn new(architecture: &Architecture, rows: usize) -> Self {
        Self {
            rows,
            batch: architecture.batch.max(1),
            padded_batch: architecture.padded_batch(),
            steps_per_segment: architecture.steps.max(1),
        }
    }

    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    /// Segments of an epoch.
    pub fn segments(&self) -> usize {
        self.steps().div_ceil(self.steps_per_segment)
    }

    /// Live part of the segment at `position`; nothing behind the end of the epoch.
    pub fn live(&self, position: usize) -> Option<Live> {
        let first = position.checked_mul(self.steps_per_segment).filter(|&first| first < self.steps())?;
        Some(self.live_of(first, (self.steps() - first).min(self.steps_per_segment)))
    }

    /// Live part of the first `steps` steps of the segment at `position`: how a job ends before its epoch does.
    ///
    /// Nothing behind the end of the epoch, and for no steps.
    pub fn live_within(&self, position: usize, steps: usize) -> Option<Live> {
        let whole = self.live(position)?;
        (steps > 0).then(|| self.live_of(position * self.steps_per_segment, whole.steps.min(steps)))
    }

    fn live_of(&self, first: usize, steps: usize) -> Live {
        let before_last = (first + steps - 1) * self.batch;
        Live { steps, last_rows: (self.rows - before_last).min(self.batch) }
    }

    /// Data of the segment at `position`, of which `live` is trained on.
    ///
    /// # Errors
    /// If `data` has not the number of rows that this epoch was made for, or `live` is neither [`Self::live`] nor a
    /// [`Self::live_within`] of the position.
    pub fn segment_rows(&self, data: &DataSet, position: usize, live: Live) -> Result<SegmentRows, DataError> {
        let wrong = |what, got, expected: String| Err(DataError::Segment { what, got, expected });
        if data.rows != self.rows || data.inputs.len() != data.rows * data.width || data.labels.len() != data.rows {
            return wrong(
                "the number of rows of the data set",
                data.rows,
                format!("{} in inputs and labels", self.rows),
            );
        }
        let Some(whole) = self.live(position) else {
            return wrong("the position", position, format!("0 to {}", self.segments().saturating_sub(1)));
        };
        if self.live_within(position, live.steps) != Some(live) {
            let expected = format!("1 to {}, the last of them with all its rows", whole.steps);
            return wrong("the number of live steps", live.steps, expected);
        }
        let samples = self.steps_per_segment * self.padded_batch;
        let mut inputs = vec![0; samples * data.width];
        let mut labels = vec![NO_LABEL; samples];
        for step in 0..live.steps {
            let from = (position * self.steps_per_segment + step) * self.batch;
            let rows = if step + 1 == live.steps { live.last_rows } else { self.batch };
            let to = step * self.padded_batch;
            let width = data.width;
            inputs[to * width..(to + rows) * width].copy_from_slice(&data.inputs[from * width..(from + rows) * width]);
            labels[to..to + rows].copy_from_slice(&data.labels[from..from + rows]);
        }
        Ok(SegmentRows { inputs, labels, live })
    }
}

#[cfg(test)]
mod tests {
    use gradproof_circuits::arithmetic::Precision;
    use proptest::prelude::*;

    use super::*;

    fn architecture(batch: usize, steps: usize) -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture { widths: vec![2, 3], batch, steps, precision }
    }

    /// Row `r` is `(r, -r)`, its label `r mod 3`.
    fn data(rows: usize) -> DataSet {
        let inputs = (0..rows as i16).flat_map(|row| [row, -row]).collect();
        DataSet { rows, width: 2, inputs, labels: (0..rows as u16).map(|row| row % 3).collect(), classes: 3 }
    }

    #[test]
    fn last_segment_has_fewer_steps_and_last_step_fewer_rows() {
        let epoch = Epoch::new(&architecture(3, 4), 16);
        assert_eq!((epoch.steps(), epoch.segments()), (6, 2));
        assert_eq!(epoch.live(0), Some(Live { steps: 4, last_rows: 3 }));
        assert_eq!(epoch.live(1), Some(Live { steps: 2, last_rows: 1 }));
        assert_eq!(epoch.live(2), None);
        assert_eq!(epoch.live(usize::MAX), None);
        assert_eq!(epoch.live_within(1, 1), Some(Live { steps: 1, last_rows: 3 }));
        assert_eq!(epoch.live_within(1, 0), None);
        let rows = epoch.segment_rows(&data(16), 1, epoch.live(1).unwrap()).unwrap();
        let n = NO_LABEL;
        assert_eq!(rows.labels, [0, 1, 2, n, 0, n, n, n, n, n, n, n, n, n, n, n]);
        assert_eq!(rows.inputs[..10], [12, -12, 13, -13, 14, -14, 0, 0, 15, -15]);
        assert!(rows.inputs[10..].iter().all(|&x| x == 0));
    }

    #[test]
    fn wrong_positions_live_counts_and_data_are_refused() {
        let epoch = Epoch::new(&architecture(3, 4), 16);
        let live = epoch.live(0).unwrap();
        let error = |data: &DataSet, position, live| epoch.segment_rows(data, position, live).unwrap_err().to_string();
        assert_eq!(error(&data(16), 2, live), "the position is 2, expected 0 to 1");
        assert!(error(&data(15), 0, live).contains("is 15, expected 16"));
        assert!(error(&DataSet { labels: vec![], ..data(16) }, 0, live).contains("the number of rows"));
        assert!(error(&data(16), 1, live).contains("the number of live steps is 4, expected 1 to 2"));
        assert!(error(&data(16), 0, Live { last_rows: 2, ..live }).contains("with all its rows"));
        assert!(error(&data(16), 0, Live { steps: 0, ..live }).contains("is 0, expected 1 to 4"));
    }

    proptest! {
        #[test]
        fn an_epoch_has_every_row_once_in_order(rows in 1usize..200, batch in 1usize..20, log_steps in 0u32..4) {
            let architecture = architecture(batch.min(rows), 1 << log_steps);
            let (data, epoch) = (data(rows), Epoch::new(&architecture, rows));
            let (mut inputs, mut labels) = (Vec::new(), Vec::new());
            for position in 0..epoch.segments() {
                let live = epoch.live(position).unwrap();
                prop_assert!(architecture.validate_live(live).is_ok());
                let segment = epoch.segment_rows(&data, position, live).unwrap();
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
