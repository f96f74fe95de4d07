//! The simulator: everything that a wrapped proof makes public, its halo2 proof aside, from the statement alone.
//!
//! It knows no data, no weights and no blinding. `ρ` and `r*` are uniform, as the outputs of a sponge with a secret
//! salt are; the combined polynomial and `s` are uniform, as the random column and its blinding make them. What the
//! column's commitment then has to be follows from `C = C_mask + Σ ρ^(i+1)·C_i - s·H`. It needs powers of τ as every
//! prover does, and not τ: for this part even who cannot forge can simulate. The halo2 proof of the statement about
//! these values is what takes τ.

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::commit::commit_full;
use gradproof_prover::hyperkzg;
use gradproof_prover::kernels::eq::eq_table;
use gradproof_prover::randomness::fresh;
use gradproof_prover::registration::{data_paths, data_tree};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::merkle::Hash;
use gradproof_verifier::protocol::powers::Setup;
use gradproof_verifier::protocol::statement::{Statement, points_digest};
use gradproof_verifier::verify::{combined, opening_transcript};

use crate::published::Published;

/// A statement with the commitments behind its digests: what is known before there is a proof.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The statement.
    pub statement: Statement,
    /// Commitments to the data of its position.
    pub data: Vec<G1Affine>,
    /// Paths of their leaves.
    pub paths: Vec<Vec<Hash>>,
    /// Commitments to the parameters before the segment.
    pub first: Vec<G1Affine>,
    /// Commitments to the parameters after it.
    pub last: Vec<G1Affine>,
}

impl Posted {
    /// What is posted of a published proof.
    pub fn of(published: &Published) -> Self {
        Self {
            statement: published.statement.clone(),
            data: published.group(Group::Data).to_vec(),
            paths: published.paths.clone(),
            first: published.group(Group::First).to_vec(),
            last: published.group(Group::Last).to_vec(),
        }
    }

    /// A statement with the numbers of `numbers` about no data and no parameters: its commitments are uniform points,
    /// as those of anything are whose blinding is not known.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn about_nothing(key: &VerifyingKey, numbers: &Statement) -> Self {
        let layout = &key.relations(Subject::Segment).layout;
        let columns = |group| uniform_points(layout.group(group).len());
        let (data, first, last) = (columns(Group::Data), columns(Group::First), columns(Group::Last));
        let mut positions: Vec<_> = (0..numbers.epoch_segments).map(|_| columns(Group::Data)).collect();
        positions[numbers.position as usize].clone_from(&data);
        let tree = data_tree(&positions);
        let statement = Statement {
            key: key.digest(),
            setup: key.setup.digest(),
            column_vars: key.column_vars,
            tables: points_digest(&key.tables),
            data_root: tree.root(),
            first: points_digest(&first),
            last: points_digest(&last),
            ..numbers.clone()
        };
        let paths = data_paths(&tree, data.len(), numbers.position);
        Self { statement, data, paths, first, last }
    }
}

/// What a proof of `posted` makes public, made without a witness.
///
/// # Panics
/// If the set-up is too short, or the system has no randomness.
pub fn simulate(key: &VerifyingKey, setup: &Setup, posted: &Posted) -> Published {
    let layout = &key.relations(Subject::Segment).layout;
    let trace = uniform_points(layout.group(Group::Trace).len());
    let columns = [&posted.data[..], &posted.first, &posted.last, &trace, &key.tables].concat();

    let (combine, point, blinding) = (uniform(1)[0], uniform(layout.column_vars), uniform(1)[0]);
    let polynomial = uniform(1 << layout.column_vars);
    let value = eq_table(&point).iter().zip(&polynomial).map(|(eq, entry)| *eq * entry).sum();
    let reduced = Reduced { point, combine, value };
    let commitment = commit_full(setup, &polynomial, Fr::zero()).expect("the set-up is long enough");
    // The mask is what is missing of the commitment to the combined columns.
    let rest = combined(&key.setup, &G1Affine::zero(), &columns, &reduced.combine, &blinding);
    let mask = (commitment.into_group() - rest).into_affine();

    let digest = posted.statement.digest(&mask, &columns);
    let mut transcript = opening_transcript(digest, &reduced, &blinding, &commitment);
    let opening =
        hyperkzg::open(setup, polynomial, &reduced.point, &mut transcript).expect("the set-up is long enough");
    let (statement, paths) = (posted.statement.clone(), posted.paths.clone());
    Published { statement, paths, mask, columns, reduced, blinding, opening }
}

fn uniform(count: usize) -> Vec<Fr> {
    fresh(count).expect("the system has randomness")
}

fn uniform_points(count: usize) -> Vec<G1Affine> {
    uniform(count).into_iter().map(|scalar| (G1Affine::generator() * scalar).into_affine()).collect()
}
