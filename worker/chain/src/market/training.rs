//! What the terms of a job say of its training, and where its proofs count.

use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::graph_digest;
use gradproof_verifier::protocol::statement::{Domain, points_digest};

use super::{TrainingMarket, Verifier};
use crate::{Address, B256, ChainError};

/// The training of `statement`, checked by `verifier`, on data that is not registered.
///
/// Nothing of it depends on where the job counts: terms come first, then the job's id, then the statement's domain.
pub fn training(statement: &JobStatement, verifier: &Verifier) -> TrainingMarket::Training {
    TrainingMarket::Training {
        verifier: verifier.segment.address,
        verifierCode: verifier.segment.code_hash,
        halo2: verifier.halo2.address,
        halo2Code: verifier.halo2.code_hash,
        graph: graph_digest(statement.architecture.graph()).into(),
        subject: B256::ZERO,
        order: statement.data.order.into(),
        chained: true,
        dataRoot: statement.data.root.into(),
        rows: statement.data.rows as u64,
        segments: statement.segments() as u32,
        first: points_digest(&statement.first_parameters).into(),
        rates: statement.rates.iter().map(|c| (c.from_segment as u64) << 32 | u64::from(c.rate)).collect(),
        dataset: B256::ZERO,
        royaltyBps: 0,
    }
}

/// Compares the training of a job's terms with that of `statement`, checked by `verifier`. The royalty is no part of a statement: it
/// comes off the price.
///
/// # Errors
/// [`ChainError::Terms`] for the first difference.
pub fn check_training(
    terms: &TrainingMarket::Training,
    statement: &JobStatement,
    verifier: &Verifier,
) -> Result<(), ChainError> {
    let wanted = training(statement, verifier);
    let shown = |training: &TrainingMarket::Training| {
        [
            ("verifier", training.verifier.to_string()),
            ("hash of the verifier's code", training.verifierCode.to_string()),
            ("verifier of the circuit", training.halo2.to_string()),
            ("hash of the code of the circuit's verifier", training.halo2Code.to_string()),
            ("digest of the graph", training.graph.to_string()),
            ("claim of the evaluation", training.subject.to_string()),
            ("order of the positions", training.order.to_string()),
            ("word on whether segments follow on each other", training.chained.to_string()),
            ("root of the data", training.dataRoot.to_string()),
            ("number of rows", training.rows.to_string()),
            ("number of segments", training.segments.to_string()),
            ("digest of the first parameters", training.first.to_string()),
            ("schedule of rates", format!("{:?}", training.rates)),
        ]
    };
    for ((what, expected), (_, got)) in shown(&wanted).into_iter().zip(shown(terms)) {
        if expected != got {
            return Err(ChainError::Terms { what, expected, got });
        }
    }
    Ok(())
}

/// Refuses a statement that goes on from a job which the terms do not name. First parameters with a parent have no registration: that they
/// are small, and padding empty, the market's comparison with the parent's last ones says, and nothing else.
///
/// # Errors
/// [`ChainError::Terms`].
pub fn check_parent(terms: &TrainingMarket::Terms, statement: &JobStatement) -> Result<(), ChainError> {
    let compared = !terms.parent.is_zero() && !terms.rebased;
    if statement.parent.is_none() || compared {
        return Ok(());
    }
    let got = if terms.rebased { "one whose end is not compared" } else { "none" };
    Err(ChainError::Terms { what: "parent", expected: "that it goes on from one".into(), got: got.into() })
}

/// Where the proofs of a job count: the chain, the market, the job, and the owner that trains, who is paid.
pub fn domain(chain: u64, market: Address, job: B256, owner: Address) -> Domain {
    Domain { chain, contract: market.into_array(), job: job.0, owner: owner.into_array() }
}
