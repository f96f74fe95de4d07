//! The job that is traded, and what training and proving it come to: hashes of the job and a number, which the stand-in verifier takes.

use alloy::primitives::{Address, B256, keccak256};
use gradproof_chain::market::TrainingMarket::{Batches, Terms, Times, Training};
use gradproof_chain::market::{Deployment, terms};
use gradproof_chain::{Segment, SolValue};

use crate::ledger::tokens;

/// Rows of a step, as the stand-in verifier says.
pub const BATCH: u32 = 10;
/// Steps of a segment, as the stand-in verifier says.
pub const STEPS: u32 = 4;
/// Price of a segment, in tokens.
pub const PRICE: u64 = 100;
/// Learning rate.
const RATE: u32 = 7;
/// Digest of the first parameters.
const FIRST: B256 = B256::repeat_byte(0xf1);
/// Root of the data.
const DATA: B256 = B256::repeat_byte(0xda);
const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// Durations that an honest party with outages of an hour meets easily, so that what fails is no matter of time.
const TIMES: Times = Times {
    openSecs: 12 * HOUR,
    reopenSecs: 10 * MINUTE,
    startSecs: 12 * HOUR,
    batchSecs: 24 * HOUR,
    closeSecs: 2 * HOUR,
    revealSecs: 4 * HOUR,
    proveSecs: 12 * HOUR,
    eachSecs: 10 * MINUTE,
    windowSecs: 6 * HOUR,
    complainSecs: 12 * HOUR,
    decideSecs: 24 * HOUR,
};

/// Terms of a job with so many segments, in batches of `every`, of which `draws` are proven.
pub fn job(deployment: &Deployment, segments: u32, every: u8, draws: u8, tip: B256) -> Terms {
    let verifier = deployment.verifiers.first().expect("the stand-in");
    let training = Training {
        verifier: verifier.segment.address,
        verifierCode: verifier.segment.code_hash,
        halo2: verifier.halo2.address,
        halo2Code: verifier.halo2.code_hash,
        graph: keccak256("graph"),
        subject: B256::ZERO,
        order: B256::ZERO,
        chained: true,
        dataRoot: DATA,
        rows: rows(segments),
        segments,
        first: FIRST,
        rates: vec![RATE.into()],
        dataset: B256::ZERO,
        royaltyBps: 0,
    };
    let mut terms = terms(training, tokens(PRICE).to(), every);
    terms.times = TIMES;
    terms.batches = Batches { draws, tip, ..terms.batches };
    terms
}

/// Rows of the data: an epoch is the whole job.
fn rows(segments: u32) -> u64 {
    u64::from(segments) * u64::from(BATCH * STEPS)
}

/// Digest of the parameters after so many segments.
pub fn digest(job: B256, segments: u64) -> B256 {
    if segments == 0 { FIRST } else { keccak256(("parameters", job, segments).abi_encode()) }
}

/// Address of the weights after a batch, as a provider hands them over: right ones, or others.
pub fn delivery(job: B256, owner: Address, batch: u64, edition: u64) -> B256 {
    keccak256(("weights", job, owner, batch, edition).abi_encode())
}

/// What the market takes of a segment that `owner` trained, in a job of so many.
pub fn proof(job: B256, owner: Address, index: u64, segments: u64) -> Vec<u8> {
    let segment = Segment {
        job,
        owner,
        index,
        dataRoot: DATA,
        epochSegments: segments,
        position: index,
        liveSteps: STEPS,
        liveRows: BATCH,
        rate: RATE,
        first: digest(job, index),
    };
    (keccak256(segment.abi_encode()), digest(job, index + 1)).abi_encode()
}
