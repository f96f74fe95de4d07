//! A training of a job, from the first parameters on, as far as it is asked for.

use eyre::Result;
use gradproof_circuits::trace::Parameters;
use gradproof_training::job::Job;

use crate::commitments::first_parameters;
use crate::train::{KernelOptions, Trainer};

/// Where a training of a job stands.
pub struct Training {
    /// Segments that are trained.
    pub segments: usize,
    /// The parameters after them.
    pub parameters: Parameters,
}

impl Training {
    /// One that begins with these parameters, the first ones of the job.
    pub fn new(first: Parameters) -> Self {
        Self { segments: 0, parameters: first }
    }

    /// Trains up to the end of `segments`; from the beginning, if it is beyond that.
    ///
    /// # Errors
    /// It diverges; then it stands at the beginning.
    pub fn advance(&mut self, job: &Job, kernels: &KernelOptions, segments: usize) -> Result<()> {
        if self.segments > segments {
            *self = Self::new(first_parameters(job)?);
        }
        let mut trainer = Trainer::new(job, std::mem::take(&mut self.parameters), None, kernels.kernels);
        let trained = (self.segments..segments).try_for_each(|index| trainer.skip(index).map(drop));
        *self = match &trained {
            Ok(()) => Self { segments, parameters: trainer.parameters },
            Err(_) => Self::new(first_parameters(job)?),
        };
        trained
    }
}

#[cfg(test)]
mod tests {
    use gradproof_circuits::architecture::Architecture;
    use gradproof_circuits::network::precision::Precision;
    use gradproof_training::data::DataSet;
    use gradproof_training::job::{ColumnLength, InitialWeights, RateChange};

    use super::*;

    /// A job of two segments.
    fn job() -> Job {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let (rows, width) = (8, 3);
        Job {
            architecture: Architecture::perceptron(&[width, 2], 2, 2, precision).expect("it is possible"),
            train: DataSet {
                rows,
                width,
                inputs: (0..(rows * width) as i16).map(|at| at * 37 % 200).collect(),
                labels: (0..rows as u16).map(|row| row % 2).collect(),
                classes: 2,
                ..DataSet::default()
            },
            test: None,
            steps: 4,
            rates: vec![RateChange { from_segment: 0, rate: 8 }],
            initial_weights: InitialWeights::Seed(7),
            columns: ColumnLength::Bits(12),
            notes: vec![],
        }
    }

    #[test]
    fn a_training_comes_to_the_same_whichever_way_it_goes() {
        let (job, kernels) = (job(), KernelOptions::default());
        assert_eq!(job.segments(), 2);
        let begin = || Training::new(first_parameters(&job).expect("they follow from a seed"));
        let after = |ways: &[usize]| {
            let mut training = begin();
            for segments in ways {
                training.advance(&job, &kernels, *segments).expect("it does not diverge");
                assert_eq!(training.segments, *segments);
            }
            training.parameters
        };
        let ends = [after(&[]), after(&[1]), after(&[2])];
        assert!(ends[0] != ends[1] && ends[1] != ends[2]);
        for ways in [&[2, 0][..], &[0], &[2, 1], &[1, 1], &[1, 2], &[2, 1, 2]] {
            assert!(ways.last().is_some_and(|segments| after(ways) == ends[*segments]), "{ways:?}");
        }
    }

    #[test]
    fn one_that_stops_stands_at_the_beginning() {
        let (job, kernels) = (job(), KernelOptions::default());
        let first = first_parameters(&job).expect("they follow from a seed");
        let mut training = Training::new(first.clone());
        assert!(training.advance(&job, &kernels, 3).is_err(), "the job has two segments");
        assert!(training.segments == 0 && training.parameters == first);
    }
}
