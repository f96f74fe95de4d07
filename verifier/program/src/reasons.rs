//! Why something was rejected, in the words of whoever runs the program.

use gradproof_circuits::field::check::Check;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobRejection;

/// What a rejection of a proof of `job` means. The check's name says which test in the sources.
pub fn reason(job: &JobStatement, rejection: &JobRejection) -> String {
    let JobRejection { part, check } = rejection;
    let of = match part {
        Part::Statement => "the statement".to_owned(),
        Part::Parameters => "the registration of the first parameters".to_owned(),
        Part::Data(position) => format!("the registration of the data of position {position}"),
        Part::Segment(index) => format!("the proof of segment {index}"),
    };
    match (check, part) {
        (Check::Missing, _) if is_part(job, *part) => format!("{of} is missing"),
        (Check::Missing, Part::Parameters) => "first parameters of a parent have no registration of their own".into(),
        (Check::Missing, _) => format!(
            "{of} is one too many: the job has {} segments, and data of {} positions",
            job.segments(),
            job.positions()
        ),
        (Check::Key, Part::Statement) => "the statement is for another key, set-up or shape".into(),
        (Check::Key, _) => format!("{of} is for another key, or names other parameters than it commits to"),
        (Check::Parent, _) => "the job does not begin with the parameters that its parent left".into(),
        (Check::Encoding | Check::Length, _) => {
            format!("{of} is damaged, or of another kind, version or shape")
        }
        (Check::Commitments | Check::OpeningFolds | Check::OpeningEvaluations, _) => {
            format!("{of} has another number of values than a proof of this shape")
        }
        (Check::DataLeaf, Part::Segment(index)) => {
            format!("segment {index} was trained on other data than those of the statement")
        }
        (Check::DataLeaf, _) => format!("{of} is about other data than those of the statement"),
        (Check::PublicRange, _) => format!("{of} claims more rows or steps than the job has"),
        (Check::Wrap, _) => {
            format!("{of} does not prove what the statement says: other data, weights, rates or job, or a false proof")
        }
        (Check::OpeningValue | Check::OpeningPairing, _) => {
            format!("{of} does not fit its commitments: it was changed, or made for another statement")
        }
        (Check::Product | Check::Weight | Check::Merge, Part::Segment(index)) => {
            format!("the steps of segment {index} were not done as the statement says, or its proof was changed")
        }
        _ => format!("{of} is not one of this statement, or was changed"),
    }
}

/// True if the job has a proof of `part`.
fn is_part(job: &JobStatement, part: Part) -> bool {
    match part {
        Part::Statement => false,
        Part::Parameters => job.parent.is_none(),
        Part::Data(position) => position < job.positions() as u64,
        Part::Segment(index) => index < job.segments() as u64,
    }
}

#[cfg(test)]
mod tests {
    use gradproof_circuits::architecture::Architecture;
    use gradproof_circuits::network::precision::Precision;

    use super::*;
    use gradproof_verifier::protocol::job::{DataStatement, RateChange, SetupStatement, VERSION};
    use gradproof_verifier::protocol::kind::ProofKind;
    use gradproof_verifier::protocol::statement::Domain;

    /// A job of eight segments over data of eight positions.
    fn job() -> JobStatement {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        JobStatement {
            version: VERSION,
            domain: Domain::default(),
            architecture: Architecture::perceptron(&[3, 2], 2, 2, precision).expect("it is possible"),
            column_vars: 10,
            proof: ProofKind::Core,
            setup: SetupStatement { digest: [0; 32], insecure: true },
            verifying_key: [0; 32],
            data: DataStatement { root: [0; 32], rows: 32, order: [0; 32] },
            steps: 16,
            rates: vec![RateChange { from_segment: 0, rate: 1 }],
            first_parameters: vec![],
            initial_seed: None,
            last_seed_digest: [0; 32],
            parent: None,
        }
    }

    #[test]
    fn every_rejection_names_what_it_is_about() {
        for check in Check::ALL {
            for part in [Part::Statement, Part::Parameters, Part::Data(7), Part::Segment(3)] {
                let said = reason(&job(), &JobRejection { part, check });
                let named = match part {
                    Part::Data(_) => said.contains("position 7"),
                    Part::Segment(_) => said.contains("segment 3"),
                    _ => said.contains("statement") || said.contains("first parameters"),
                };
                assert!(named || check == Check::Parent, "{said}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_not_what_is_one_too_many() {
        let said = |part| reason(&job(), &JobRejection { part, check: Check::Missing });
        assert_eq!(said(Part::Segment(7)), "the proof of segment 7 is missing");
        assert!(said(Part::Segment(8)).contains("one too many: the job has 8 segments"));
        assert_eq!(said(Part::Parameters), "the registration of the first parameters is missing");
    }
}
