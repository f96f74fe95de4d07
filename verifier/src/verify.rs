//! The native verifier of one proof: data leaves, digest, argument, fold, opening.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::One;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::argument::{self, Reduced};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::relations::Group;

use crate::protocol::hyperkzg::{self, Opening};
use crate::protocol::keccak::KeccakTranscript;
use crate::protocol::key::VerifyingKey;
use crate::protocol::merkle;
use crate::protocol::proof::{Argument, Proof, SENT};
use crate::protocol::setup::SetupKey;
use crate::protocol::statement::Statement;

/// Verifies `proof` of `statement`, whose first parameters are committed as `first`.
///
/// # Soundness
/// The statement's key, set-up and tables must be those of `key`; its first and last digests those of the points; `first` is
/// what the verifier stored, never what the prover sent.
///
/// # Errors
/// The first check that failed.
pub fn verify<J: Judge>(
    key: &VerifyingKey,
    statement: &Statement,
    first: &[G1Affine],
    proof: &Proof,
    judge: J,
) -> Result<(), Rejection> {
    let mut native = Native { judge };
    native.judge.require(Check::Key, proof.argument.kind() == key.kind())?;
    let (relations, architecture) = (key.relations(statement.subject), key.architecture());
    let points = all_columns(key, statement, first, proof)?;
    let last = relations.layout.group(Group::Last);
    let expected = statement.under(key, first, points.get(last).unwrap_or_default());
    native.judge.require(Check::Key, expected == *statement)?;
    native.judge.require(Check::PublicRange, architecture.validate_live(statement.live).is_ok())?;

    let data = relations.layout.group(Group::Data).len() as u64;
    native.judge.require(Check::PublicRange, data == 0 || statement.position < statement.epoch_segments)?;
    let depth = merkle::depth(statement.epoch_segments.saturating_mul(data));
    for (index, (point, path)) in (0u64..).zip(proof.columns.iter().zip(&proof.paths)) {
        let leaf = merkle::leaf(statement.position, index, point);
        let at = statement.position.saturating_mul(data).saturating_add(index);
        native.judge.require(Check::DataLeaf, merkle::verify(&statement.data_root, depth, at, leaf, path))?;
    }

    let digest = statement.digest(&proof.mask, &points);
    let publics = statement.publics(&digest);
    let reduced = match &proof.argument {
        Argument::Core(messages) => {
            let mut stored = Stored { rest: messages };
            let reduced = argument::verify(&mut native, &mut stored, relations, &publics)?;
            if !stored.rest.is_empty() {
                return Err(Rejection { check: Check::Length });
            }
            reduced
        }
        Argument::Wrapped { reduced, halo2 } => {
            let wrap = key.wrap(statement.subject);
            let good = wrap.is_some_and(|wrap| wrap.verify(key.column_vars, &publics, reduced, halo2));
            native.judge.require(Check::Wrap, good)?;
            reduced.clone()
        }
    };

    let commitments = ProofCommitments { digest, mask: &proof.mask, columns: &points };
    opening(&key.setup, commitments, &reduced, &proof.blinding, &proof.opening, &mut native.judge)
}

/// The commitments of a proof, and the digest that binds them to the statement.
#[derive(Clone, Copy, Debug)]
pub struct ProofCommitments<'a> {
    /// keccak256 of statement and commitments: [`Statement::digest`].
    pub digest: [u8; 32],
    /// Commitment to the random column.
    pub mask: &'a G1Affine,
    /// Commitments to all columns in the order of the layout.
    pub columns: &'a [G1Affine],
}

/// Checks that the columns, combined as the argument asks, open to what it left: all curve work of a proof.
///
/// # Soundness
/// `digest` must be computed by the verifier, and `reduced` be what the argument comes to for that digest.
///
/// # Errors
/// The check that failed.
pub fn opening(
    setup: &SetupKey,
    commitments: ProofCommitments<'_>,
    reduced: &Reduced<Fr>,
    blinding: &Fr,
    opening: &Opening,
    judge: &mut impl Judge,
) -> Result<(), Rejection> {
    let commitment = combined(setup, commitments.mask, commitments.columns, &reduced.combine, blinding);
    let mut transcript = opening_transcript(commitments.digest, reduced, blinding, &commitment);
    hyperkzg::verify(setup, &commitment, &reduced.point, &reduced.value, opening, &mut transcript, judge)
}

/// The commitments to all columns in the order of the layout: sent ones from the proof, the others from the verifier.
fn all_columns(
    key: &VerifyingKey,
    statement: &Statement,
    first: &[G1Affine],
    proof: &Proof,
) -> Result<Vec<G1Affine>, Rejection> {
    let layout = &key.relations(statement.subject).layout;
    let mut sent = proof.columns.as_slice();
    // Grows with what was sent: the layout of a large shape has more columns than any memory.
    let mut points = Vec::new();
    for group in [Group::Data, Group::First, Group::Last, Group::Trace, Group::Table] {
        let count = layout.group(group).len();
        let part = match group {
            Group::First if count > 0 => first,
            Group::Table if count > 0 => &key.tables,
            _ if SENT.contains(&group) => {
                let (part, rest) = sent.split_at_checked(count).ok_or(Rejection { check: Check::Commitments })?;
                sent = rest;
                part
            }
            _ => &[],
        };
        if part.len() != count {
            return Err(Rejection { check: Check::Commitments });
        }
        points.extend_from_slice(part);
    }
    if !sent.is_empty() || proof.paths.len() != layout.group(Group::Data).len() {
        return Err(Rejection { check: Check::Commitments });
    }
    Ok(points)
}

/// `C = C_mask + Σ ρ^(i+1)·C_i - s·H`.
pub fn combined(setup: &SetupKey, mask: &G1Affine, columns: &[G1Affine], combine: &Fr, blinding: &Fr) -> G1Affine {
    let mut power = Fr::one();
    let mut scalars = vec![-*blinding, power];
    for _ in columns {
        power *= combine;
        scalars.push(power);
    }
    let bases: Vec<G1Affine> = [setup.blinder, *mask].iter().chain(columns).copied().collect();
    let sum: G1Projective = VariableBaseMSM::msm_unchecked(&bases, &scalars);
    sum.into_affine()
}

/// The opening's own transcript: digest, ρ, r*, v, s, C.
pub fn opening_transcript(
    digest: [u8; 32],
    reduced: &Reduced<Fr>,
    blinding: &Fr,
    commitment: &G1Affine,
) -> KeccakTranscript {
    let mut transcript = KeccakTranscript::new(digest);
    transcript.absorb_scalar(&reduced.combine);
    transcript.absorb_scalars(&reduced.point);
    transcript.absorb_scalar(&reduced.value);
    transcript.absorb_scalar(blinding);
    transcript.absorb_point(commitment);
    transcript
}
