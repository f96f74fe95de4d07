//! How an epoch over a data set is cut into steps and segments, and a job into epochs.
//!
//! Batch `t` of an epoch is rows `[tB, (t+1)B)`, in the committed order; the last batch may be shorter. An epoch is a whole
//! number of segments of `T` steps, the last of which may have fewer live steps. Every row is in exactly one live step.
//!
//! Segment `i` of a job is at position `i mod segments` of its epoch, and always trains everything that is registered for
//! that position. A job may stop before an epoch ends, but only after a whole segment.

/// Live part of a segment: the steps that train, and the rows of the last of them; every live step before it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Steps that train, `T'` in `1 ..= T`.
    pub steps: usize,
    /// Rows of the last live step, `B'` in `1 ..= batch`.
    pub last_rows: usize,
}

/// The cut of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Rows of the data set.
    pub rows: usize,
    batch: usize,
    steps_per_segment: usize,
}

impl Epoch {
    /// The cut of an epoch over `rows` rows, at least one.
    pub(crate) fn new(batch: usize, steps_per_segment: usize, rows: usize) -> Self {
        Self { rows: rows.max(1), batch: batch.max(1), steps_per_segment: steps_per_segment.max(1) }
    }

    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    /// Segments of an epoch.
    pub fn segments(&self) -> usize {
        self.steps().div_ceil(self.steps_per_segment)
    }

    /// Live part of the segment at `position`; none beyond the end of the epoch.
    pub fn live(&self, position: usize) -> Option<Live> {
        let first = position.checked_mul(self.steps_per_segment).filter(|&first| first < self.steps())?;
        let steps = self.steps_per_segment.min(self.steps() - first);
        let before_last = (first + steps - 1) * self.batch;
        Some(Live { steps, last_rows: (self.rows - before_last).min(self.batch) })
    }

    /// Position in its epoch of segment `segment` of a job.
    pub fn position(&self, segment: usize) -> usize {
        segment % self.segments()
    }

    /// Steps of the first `segments` segments of a job.
    pub fn steps_of(&self, segments: usize) -> usize {
        let (epochs, position) = (segments / self.segments(), segments % self.segments());
        epochs.saturating_mul(self.steps()).saturating_add(position * self.steps_per_segment)
    }

    /// Segments of a job of `steps` steps: none unless it ends after a whole segment.
    pub fn segments_of(&self, steps: usize) -> Option<usize> {
        let segments = self.segments_within(steps);
        (segments > 0 && self.steps_of(segments) == steps).then_some(segments)
    }

    /// Whole segments that fit in `steps` steps.
    pub fn segments_within(&self, steps: usize) -> usize {
        let (epochs, rest) = (steps / self.steps(), steps % self.steps());
        epochs * self.segments() + rest / self.steps_per_segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn every_row_and_step_is_counted_once() {
        for (rows, batch, steps) in [(60_000, 64, 64), (2048, 64, 16), (7, 3, 4), (1, 1, 1), (100, 100, 8)] {
            let epoch = Epoch::new(batch, steps, rows);
            let live: Vec<Live> = (0..epoch.segments()).map_while(|position| epoch.live(position)).collect();
            let total: usize = live.iter().map(|l| (l.steps - 1) * batch + l.last_rows).sum();
            assert_eq!((total, live.len()), (rows, epoch.segments()));
            assert_eq!(epoch.live(epoch.segments()), None);
            assert_eq!(epoch.segments_of(0), None);
            // Jobs that end after each segment of the first three epochs, and no others.
            let mut ends = 0;
            for steps in 1..=3 * epoch.steps() {
                let Some(segments) = epoch.segments_of(steps) else { continue };
                ends += 1;
                assert_eq!(segments, ends);
                let positions = (0..segments).map(|segment| epoch.position(segment));
                assert_eq!(positions.filter_map(|p| epoch.live(p)).map(|l| l.steps).sum::<usize>(), steps);
            }
            assert_eq!(ends, 3 * epoch.segments());
        }
    }
}
