//! What a segment costs on chain, as a formula; tests hold it to measured transactions.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::{Group, Layout, Relations, Subject};
use gradproof_verifier::protocol::hyperkzg::{FOLDED, steps};
use gradproof_verifier::protocol::job::{JobStatement, MAX_SEGMENTS};
use gradproof_verifier::protocol::key::{MAX_COLUMN_VARS, VerifyingKey};
use gradproof_verifier::protocol::merkle;

/// What a segment should cost at most.
pub const BUDGET: u64 = 800_000;
/// The most that a transaction may have (EIP-7825).
pub const TRANSACTION_GAS: u64 = 1 << 24;
/// The shortest columns that are looked at, in variables.
const SHORTEST: usize = 10;

/// The transaction, statement and digest, the pairing.
const SEGMENT: u64 = 203_700;
/// What the market does for the proof of a claim beside asking the verifier: state and terms of the job, the record of the batch.
const MARKET: u64 = 34_000;
/// The circuit's proof: its bytes, and verifying it.
const CIRCUIT: u64 = 259_600;
/// A point of a column: its bytes, one multiplication and addition, its share of the digest.
const COLUMN: u64 = 7_600;
/// A variable of the columns: a coordinate, and its share of a fold, a multiplication and the evaluations.
const VARIABLE: u64 = 5_650;
/// A last step of the opening that folds one variable instead of two.
const SHORT_STEP: u64 = 3_900;
/// A node of the path of a data column.
const NODE: u64 = 770;

/// Gas of the whole transaction in which the market takes the proof of a claim (`prove`), call data included, under hard fork Prague;
/// `path` is the number of levels of the tree of the data.
pub fn segment_gas(layout: &Layout, column_vars: usize, path: usize) -> u64 {
    MARKET + verifier_gas(layout, column_vars, path)
}

/// The same for a transaction that gives the proof to the verifier of segments itself.
pub fn verifier_gas(layout: &Layout, column_vars: usize, path: usize) -> u64 {
    let columns = |group| layout.group(group).len();
    CIRCUIT + without_circuit(column_vars, [columns(Group::Data), columns(Group::First), columns(Group::Trace)], path)
}

/// The same for the segments of `job` under its `key`.
pub fn job_gas(key: &VerifyingKey, job: &JobStatement) -> u64 {
    let layout = &key.relations(Subject::Segment).layout;
    let leaves = job.epoch().segments() * layout.group(Group::Data).len();
    segment_gas(layout, key.column_vars, merkle::depth(leaves as u64))
}

/// The same but for the circuit's proof, for so many data, parameter and trace columns.
pub fn without_circuit(column_vars: usize, [data, parameters, trace]: [usize; 3], path: usize) -> u64 {
    let counted = [
        (COLUMN, data + 2 * parameters + trace),
        (VARIABLE, column_vars),
        (SHORT_STEP, steps(column_vars).filter(|&step| step < FOLDED).count()),
        (NODE, data * path),
    ];
    SEGMENT + counted.into_iter().map(|(gas, count)| gas * count as u64).sum::<u64>()
}

/// The column size, in variables, for contracts: the shortest columns with which a segment of the longest job stays within
/// [`BUDGET`], because shorter ones are proved faster; where none does, those with the least gas.
pub fn chain_column_vars(architecture: &Architecture) -> usize {
    let gas = |vars: &usize| {
        let Relations { layout, .. } = Relations::new(Subject::Segment, architecture, *vars);
        let leaves = MAX_SEGMENTS * layout.group(Group::Data).len();
        segment_gas(&layout, *vars, merkle::depth(leaves as u64))
    };
    let sizes = SHORTEST..=MAX_COLUMN_VARS;
    let fits = sizes.clone().find(|vars| gas(vars) <= BUDGET);
    fits.or_else(|| sizes.min_by_key(gas)).unwrap_or(MAX_COLUMN_VARS)
}
