//! Proofs of what a job starts from: data in range, padded and labelled, and first parameters in range and padded.

use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_circuits::trace::Parameters;
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::merkle::{self, MerkleTree};
use gradproof_verifier::protocol::powers::Setup;
use gradproof_verifier::protocol::setup::SetupKey;
use gradproof_verifier::protocol::statement::{Domain, Statement};

use crate::columns::{Column, columns_in};
use crate::commit::{Committed, commit};
use crate::prove::{Inputs, ProveError, Proved, prove};
use crate::randomness::{Use, blindings, derived};
use crate::witness::Witness;

/// Commits to the data of one position, blindings derived from the set's `seed`.
///
/// # Errors
/// If the set-up is too short.
pub fn commit_data(
    key: &VerifyingKey,
    setup: &Setup,
    witness: &Witness,
    seed: &[u8; 32],
    position: u64,
) -> Result<Committed, ProveError> {
    let layout = &key.relations(Subject::Data).layout;
    let columns = columns_in(layout, witness, layout.group(Group::Data))?;
    let blindings = derived(seed, Use::Data { position }, columns.len());
    Ok(commit(setup, &columns, blindings)?)
}

/// What blinds a commitment to parameters.
#[derive(Clone, Copy, Debug)]
pub enum Blinding<'a> {
    /// A seed for first parameters: the blindings depend on the parameters, too.
    Seed(&'a [u8; 32]),
    /// The secret of one commitment, see [`opening_seed`](crate::randomness::opening_seed).
    Opening(&'a [u8; 32]),
}

/// Commits to parameters: to first ones, or to last ones again, which lie in the same columns.
///
/// # Errors
/// If the set-up is too short.
pub fn commit_parameters(
    key: &VerifyingKey,
    setup: &Setup,
    witness: &Witness,
    blinding: Blinding<'_>,
) -> Result<Committed, ProveError> {
    let layout = &key.relations(Subject::Parameters).layout;
    let columns = columns_in(layout, witness, layout.group(Group::First))?;
    let blindings = match blinding {
        Blinding::Seed(seed) => {
            let digest = digest_of(&key.setup, &columns);
            derived(seed, Use::FirstParameters { digest: &digest }, columns.len())
        }
        Blinding::Opening(secret) => blindings(secret, columns.len()),
    };
    Ok(commit(setup, &columns, blindings)?)
}

/// keccak256 of the set-up's digest, the length of a column, and every entry of `columns` as 8 bytes, little-endian: other
/// parameters, and the same in other columns or under other powers of τ, have another digest.
pub fn digest_of(setup: &SetupKey, columns: &[Column<'_>]) -> [u8; 32] {
    let mut bytes = setup.digest().to_vec();
    bytes.extend((columns.first().map_or(0, Column::len) as u64).to_le_bytes());
    bytes.reserve(8 * columns.iter().map(Column::len).sum::<usize>());
    for column in columns {
        match column {
            Column::Small(values) => bytes.extend(values.iter().flat_map(|&value| i64::from(value).to_le_bytes())),
            Column::Wide(values) => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        }
    }
    keccak256(&[&bytes])
}

/// The tree over the data columns of all positions, in order.
pub fn data_tree(positions: &[Vec<G1Affine>]) -> MerkleTree {
    let leaves = positions
        .iter()
        .zip(0u64..)
        .flat_map(|(points, position)| {
            points.iter().zip(0u64..).map(move |(point, index)| merkle::leaf(position, index, point))
        })
        .collect();
    MerkleTree::new(leaves)
}

/// The paths of the leaves of one position.
pub fn data_paths(tree: &MerkleTree, columns: usize, position: u64) -> Vec<Vec<merkle::Hash>> {
    (0..columns).map(|index| tree.path(position as usize * columns + index)).collect()
}

/// Proves that the data of one position are in range, zero on padding, and labelled one-hot on exactly the live rows.
///
/// # Errors
/// [`ProveError`].
pub fn register_data(
    key: &VerifyingKey,
    setup: &Setup,
    mut witness: Witness,
    data: Committed,
    tree: &MerkleTree,
    statement: Statement,
) -> Result<Proved, ProveError> {
    witness.count_lookups(&key.relations(Subject::Data).tree)?;
    let paths = data_paths(tree, data.points.len(), statement.position);
    let job = Inputs { key, setup, statement, data, paths, first: Committed::default(), last_blindings: vec![] };
    prove(job, &witness, Strict)
}

/// Proves that the first parameters are in range and zero on padding; `domain` names the job that they are for.
///
/// # Errors
/// [`ProveError`].
pub fn register_parameters(
    key: &VerifyingKey,
    setup: &Setup,
    parameters: &Parameters,
    first: Committed,
    domain: Domain,
) -> Result<Proved, ProveError> {
    let mut witness = Witness::of_parameters(key.architecture(), parameters)?;
    witness.count_lookups(&key.relations(Subject::Parameters).tree)?;
    let live = Live { steps: 1, last_rows: 1 };
    let statement = Statement { domain, ..Statement::blank(key, Subject::Parameters, live) };
    let no_data: Vec<Fr> = vec![];
    let job =
        Inputs { key, setup, statement, data: Committed::default(), paths: vec![], first, last_blindings: no_data };
    prove(job, &witness, Strict)
}
