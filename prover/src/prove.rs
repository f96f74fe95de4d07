//! One proof from a witness: commit, argue, open.

use std::time::Instant;

use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::argument::{self, Reduced};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Judge, Rejection};
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Group;
use gradproof_verifier::protocol::key::{KeyError, VerifyingKey};
use gradproof_verifier::protocol::merkle::Hash;
use gradproof_verifier::protocol::powers::{Setup, SetupError};
use gradproof_verifier::protocol::proof::{Argument, Proof};
use gradproof_verifier::protocol::statement::Statement;
use gradproof_verifier::verify::{combined, opening_transcript};
use rayon::prelude::*;

use crate::argument::party::{Clock, Prover, Secrets};
use crate::columns::{Column, columns};
use crate::commit::{Committed, commit, commit_full};
use crate::hyperkzg;
use crate::kernels::dot::accumulate;
use crate::randomness::{NoRandomness, fresh};
use crate::with_column;
use crate::witness::{Witness, WitnessError};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The witness does not satisfy the look-ups.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The set-up is too short.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A check that an honest witness passes does not hold.
    #[error("the witness does not satisfy the relations: {0}")]
    Relation(#[from] Rejection),
    /// Commitments do not fit the columns.
    #[error("{got} commitments to {group:?}, expected {expected}")]
    Commitments {
        /// Which columns.
        group: Group,
        /// As many as the layout has.
        expected: usize,
        /// As many as were given.
        got: usize,
    },
}

/// What a proof is made of besides its witness.
pub struct Inputs<'a> {
    /// The verifying key.
    pub key: &'a VerifyingKey,
    /// The powers of τ.
    pub setup: &'a Setup,
    /// The statement; what follows from key and commitments is filled in.
    pub statement: Statement,
    /// Commitments to the data, and the paths of their leaves.
    pub data: Committed,
    /// Siblings of each data column's leaf.
    pub paths: Vec<Vec<Hash>>,
    /// Commitments to the first parameters.
    pub first: Committed,
    /// Blindings of the last parameters' columns, derived so that the requester can open them.
    pub last_blindings: Vec<Fr>,
}

/// Seconds spent in each part of a proof.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Multi-scalar multiplications of the columns that this proof commits to.
    pub commit_secs: f64,
    /// The random column: drawing and committing.
    pub mask_secs: f64,
    /// The parts of the argument.
    pub argument: Clock,
    /// Combining the columns, folds and quotients.
    pub opening_secs: f64,
}

/// A proof with what its maker has to keep.
pub struct Proved {
    /// The proof.
    pub proof: Proof,
    /// The statement, complete.
    pub statement: Statement,
    /// The public inputs of the argument.
    pub publics: Publics<Fr>,
    /// Commitments to the last parameters: the first of the next segment.
    pub last: Committed,
    /// Time spent.
    pub timing: Timing,
}

/// A proof of what `inputs` say, from its witness. `judge` decides about the prover's own failed checks: it is
/// [`Strict`](gradproof_circuits::field::check::Strict) everywhere but in tests of cheating provers.
///
/// # Errors
/// [`ProveError`].
pub fn prove<J: Judge>(inputs: Inputs<'_>, witness: &Witness, judge: J) -> Result<Proved, ProveError> {
    let Inputs { key, setup, statement, data, paths, first, last_blindings } = inputs;
    let relations = key.relations(statement.subject);
    let layout = &relations.layout;
    for (group, got) in
        [(Group::Data, data.points.len()), (Group::First, first.points.len()), (Group::Last, last_blindings.len())]
    {
        let expected = layout.group(group).len();
        if got != expected {
            return Err(ProveError::Commitments { group, expected, got });
        }
    }
    witness.require(relations)?;
    let mut timing = Timing::default();
    let begin = Instant::now();
    let columns = columns(layout, witness)?;
    let last = commit(setup, &columns[layout.group(Group::Last)], last_blindings)?;
    let trace_columns = &columns[layout.group(Group::Trace)];
    let trace = commit(setup, trace_columns, fresh(trace_columns.len())?)?;
    timing.commit_secs = begin.elapsed().as_secs_f64();

    let begin = Instant::now();
    let size = 1usize << layout.column_vars;
    let mask = fresh(size)?;
    let secrets = fresh(2)?;
    let mask_point = commit_full(setup, &mask, secrets[0])?;
    timing.mask_secs = begin.elapsed().as_secs_f64();

    let statement = statement.under(key, &first.points, &last.points);
    let tables = vec![Fr::from(0); key.tables.len() * usize::from(!layout.group(Group::Table).is_empty())];
    let points: Vec<G1Affine> = [&data.points, &first.points, &last.points, &trace.points]
        .into_iter()
        .flatten()
        .chain(key.tables.iter().take(tables.len()))
        .copied()
        .collect();
    let blindings =
        [&data.blindings, &first.blindings, &last.blindings, &trace.blindings, &tables].into_iter().flatten();
    let digest = statement.digest(&mask_point, &points);

    let mut prover = Prover::new(
        relations,
        witness,
        &columns,
        statement.live,
        statement.rate,
        Secrets { salt: secrets[1], mask: &mask },
    );
    let publics = statement.publics(&digest);
    let reduced = argument::verify(&mut Native { judge }, &mut prover, relations, &publics)?;
    let Prover { messages, clock, .. } = prover;
    timing.argument = clock;

    let begin = Instant::now();
    let (polynomial, blinding) = combine(&columns, blindings, mask, secrets[0], &reduced);
    let commitment = combined(&key.setup, &mask_point, &points, &reduced.combine, &blinding);
    let mut transcript = opening_transcript(digest, &reduced, &blinding, &commitment);
    let opening = hyperkzg::open(setup, polynomial, &reduced.point, &mut transcript)?;
    timing.opening_secs = begin.elapsed().as_secs_f64();

    let sent = [data.points, last.points.clone(), trace.points].concat();
    let proof = Proof { mask: mask_point, columns: sent, paths, argument: Argument::Core(messages), blinding, opening };
    Ok(Proved { proof, statement, publics, last, timing })
}

/// `mask + Σ ρ^(i+1)·P_i` and `s_mask + Σ ρ^(i+1)·s_i`.
fn combine<'a>(
    columns: &[Column<'_>],
    blindings: impl Iterator<Item = &'a Fr>,
    mut polynomial: Vec<Fr>,
    mut blinding: Fr,
    reduced: &Reduced<Fr>,
) -> (Vec<Fr>, Fr) {
    const CHUNK: usize = 1 << 10;
    let mut power = Fr::from(1);
    let mut powers = Vec::with_capacity(columns.len());
    for s in blindings {
        power *= reduced.combine;
        powers.push(power);
        blinding += power * s;
    }
    polynomial.par_chunks_mut(CHUNK).enumerate().for_each(|(c, chunk)| {
        for (column, power) in columns.iter().zip(&powers) {
            with_column!(column, values => accumulate(chunk, *power, &values[c * CHUNK..c * CHUNK + chunk.len()]));
        }
    });
    (polynomial, blinding)
}
