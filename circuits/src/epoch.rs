//! How an epoch over a data set is cut into steps and segments.
//!
//! Batch `t` of an epoch is rows `[tB, (t+1)B)`, in the committed order; the last batch may be shorter. An epoch is a whole
//! number of segments of `T` steps, the last of which may have fewer live steps. Every row is in exactly one live step.

use crate::architecture::{Architecture, Live};

/// The cut of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Rows of the data set.
    pub rows: usize,
    batch: usize,
    steps_per_segment: usize,
}

impl Epoch {
    /// The cut of an epoch over `rows` rows for a valid `architecture`.
    pub fn new(architecture: &Architecture, rows: usize) -> Self {
        Self { rows, batch: architecture.batch.max(1), steps_per_segment: architecture.steps.max(1) }
    }

    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    /// Segments of an epoch.
    pub fn segments(&self) -> usize {
        self.steps().div_ceil(self.steps_per_segment)
    }

    /// Live part of the segment at `position`; none behind the end of the epoch.
    pub fn live(&self, position: usize) -> Option<Live> {
        self.live_within(position, self.steps_per_segment)
    }

    /// Live part of the first `steps` steps of the segment at `position`: how a job ends before its epoch does.
    ///
    /// None behind the end of the epoch, and for no steps.
    pub fn live_within(&self, position: usize, steps: usize) -> Option<Live> {
        let first = position.checked_mul(self.steps_per_segment).filter(|&first| first < self.steps())?;
        let steps = steps.min(self.steps_per_segment).min(self.steps() - first);
        let before_last = (first + steps.checked_sub(1)?) * self.batch;
        Some(Live { steps, last_rows: (self.rows - before_last).min(self.batch) })
    }

    /// Position and live part of segment `segment` of a job of `steps` steps, epochs following each other.
    ///
    /// None for a segment behind the end of the job.
    pub fn segment(&self, segment: usize, steps: usize) -> Option<(usize, Live)> {
        let position = segment % self.segments().max(1);
        let before = (segment / self.segments().max(1)).checked_mul(self.steps())?;
        let left = steps.checked_sub(before + position * self.steps_per_segment)?;
        Some((position, self.live_within(position, left)?))
    }

    /// Segments of a job of `steps` steps.
    pub fn segments_of(&self, steps: usize) -> usize {
        let (epochs, rest) = (steps / self.steps().max(1), steps % self.steps().max(1));
        epochs * self.segments() + rest.div_ceil(self.steps_per_segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::Precision;

    #[test]
    fn every_row_and_step_is_counted_once() {
        for (rows, batch, steps) in [(60_000, 64, 64), (2048, 64, 16), (7, 3, 4), (1, 1, 1), (100, 100, 8)] {
            let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 8 };
            let architecture = Architecture { widths: vec![2, 2], batch, steps, precision };
            let epoch = Epoch::new(&architecture, rows);
            let live: Vec<Live> = (0..epoch.segments()).map_while(|position| epoch.live(position)).collect();
            let total: usize = live.iter().map(|l| (l.steps - 1) * batch + l.last_rows).sum();
            assert_eq!((total, live.len()), (rows, epoch.segments()));
            assert_eq!(epoch.live(epoch.segments()), None);
            for job in [1, epoch.steps(), epoch.steps() + 1, 3 * epoch.steps()] {
                let count = epoch.segments_of(job);
                let all: Vec<_> = (0..count).map_while(|segment| epoch.segment(segment, job)).collect();
                assert_eq!((all.len(), all.iter().map(|(_, l)| l.steps).sum::<usize>()), (count, job));
                assert_eq!(epoch.segment(count, job), None);
            }
        }
    }
}
