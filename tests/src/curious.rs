//! The curious reader: it has what a proof makes public and a guess of the witness, and looks whether they fit.
//!
//! Against a prover that leaves out one protection it confirms a right guess, and no wrong one. Against an honest
//! prover it must not confirm anything.

use std::collections::BTreeSet;

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use gradproof_circuits::argument::transcript::Ask;
use gradproof_circuits::argument::{self, Reduced};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::argument::party::Secrets;
use gradproof_prover::columns::{Column, columns};
use gradproof_prover::commit::commit_full;
use gradproof_prover::kernels::eq::eq_table;
use gradproof_prover::witness::Witness;
use gradproof_verifier::protocol::hyperkzg::{FOLDED, evaluate, fold, folding_order};
use gradproof_verifier::verify::{combined, opening_transcript};

use crate::forge::{Witnesses, fixture, meddling};
use crate::judges::Careless;
use crate::published::Published;

/// What the reader supposes about a single proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// The random column is zero.
    NoMask,
    /// The random column is one value, everywhere: it hides `v`, and no more.
    ConstantMask,
    /// The commitment to the random column is not blinded.
    BareMask,
    /// The commitments to the trace are not blinded.
    BareColumns,
    /// The salt of the transcript is zero.
    NoSalt,
}

impl Suspicion {
    /// All suspicions.
    pub const ALL: [Self; 5] = [Self::NoMask, Self::ConstantMask, Self::BareMask, Self::BareColumns, Self::NoSalt];
}

/// What the reader supposes about two proofs of one witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Both have the same random column.
    Mask,
    /// Both blind the commitment to their random columns alike.
    Blinding,
}

impl Reuse {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mask, Self::Blinding];
}

/// A public value that is as it would be if the guess were right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fits {
    /// `v`.
    Value,
    /// The combined commitment.
    Commitment,
    /// The commitment to a fold.
    Fold(usize),
    /// A scalar of the opening.
    Evaluation(usize),
    /// The commitment to a column.
    Column(usize),
    /// A coordinate of `r*`.
    Coordinate(usize),
    /// `ρ`.
    Combination,
}

/// The public values that confirm `guess` if `suspicion` is right.
///
/// # Panics
/// If the guess lacks a tensor.
pub fn confirmed(published: &Published, guess: &Witness, suspicion: Suspicion) -> BTreeSet<Fits> {
    match suspicion {
        Suspicion::NoMask => {
            let polynomial = combination(guess, &published.reduced.combine);
            let mut fits = opened(published, &polynomial);
            if evaluation(&polynomial, &published.reduced.point) == published.reduced.value {
                fits.insert(Fits::Value);
            }
            fits
        }
        Suspicion::ConstantMask => {
            let mut polynomial = combination(guess, &published.reduced.combine);
            // The value says which one, and so confirms nothing; all the rest does.
            let mask = published.reduced.value - evaluation(&polynomial, &published.reduced.point);
            polynomial.iter_mut().for_each(|entry| *entry += mask);
            opened(published, &polynomial)
        }
        Suspicion::BareMask => {
            let unmasked = (commitment(published) - published.mask).into_affine();
            let fits = unmasked == bare(&combination(guess, &published.reduced.combine));
            fits.then_some(Fits::Commitment).into_iter().collect()
        }
        Suspicion::BareColumns => {
            let layout = &fixture().key.relations(Subject::Segment).layout;
            let guessed = columns(layout, guess).expect("the witness has all tensors");
            let trace = layout.group(Group::Trace);
            trace
                .filter(|&column| bare(&entries(&guessed[column])) == published.columns[column])
                .map(Fits::Column)
                .collect()
        }
        Suspicion::NoSalt => retraced(published, guess, Fr::zero()),
    }
}

/// True if two proofs confirm `guess`, if the prover used something twice.
///
/// # Panics
/// If the guess lacks a tensor.
pub fn confirmed_by_two(one: &Published, two: &Published, guess: &Witness, reuse: Reuse) -> bool {
    let [a, b] = [one, two].map(|published| combination(guess, &published.reduced.combine));
    let difference: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a - b).collect();
    let seen: G1Projective = match reuse {
        // The columns as they are combined in one proof less as in the other: the mask has gone.
        Reuse::Mask => commitment(one) - commitment(two),
        // Without the mask's commitment its blinding is left, and that has gone.
        Reuse::Blinding => commitment(one) - one.mask - (commitment(two) - two.mask),
    };
    seen.into_affine() == bare(&difference)
}

/// `C`, as every verifier computes it.
fn commitment(published: &Published) -> G1Projective {
    let Published { mask, columns, reduced, blinding, .. } = published;
    combined(&fixture().key.setup, mask, columns, &reduced.combine, blinding).into()
}

/// `Σ ρ^(i+1)·P_i` over the columns of a guess.
fn combination(guess: &Witness, combine: &Fr) -> Vec<Fr> {
    let layout = &fixture().key.relations(Subject::Segment).layout;
    let mut sum = vec![Fr::zero(); 1 << layout.column_vars];
    let mut power = Fr::from(1);
    for column in columns(layout, guess).expect("the witness has all tensors") {
        power *= combine;
        sum.iter_mut().zip(entries(&column)).for_each(|(sum, entry)| *sum += power * entry);
    }
    sum
}

/// The entries of a column as field elements.
pub fn entries(column: &Column<'_>) -> Vec<Fr> {
    match column {
        Column::Small(values) => values.iter().map(|&value| Fr::from(value)).collect(),
        Column::Wide(values) => values.iter().map(|&value| Fr::from(value)).collect(),
    }
}

fn evaluation(polynomial: &[Fr], point: &[Fr]) -> Fr {
    eq_table(point).iter().zip(polynomial).map(|(eq, entry)| *eq * entry).sum()
}

/// The commitment to `polynomial` under the fixture's set-up, without a blinding.
///
/// # Panics
/// If the set-up is too short.
pub fn bare(polynomial: &[Fr]) -> G1Affine {
    commit_full(&fixture().setup, polynomial, Fr::zero()).expect("the set-up is long enough")
}

/// What of commitment and opening fits `polynomial` as the combined one.
fn opened(published: &Published, polynomial: &[Fr]) -> BTreeSet<Fits> {
    let Published { reduced, opening, .. } = published;
    let commitment = commitment(published).into_affine();
    let mut transcript = opening_transcript(published.digest(), reduced, &published.blinding, &commitment);
    transcript.absorb_points(&opening.folds);
    let mut x = transcript.challenge();
    let mut fits = BTreeSet::new();
    if bare(polynomial) == commitment {
        fits.insert(Fits::Commitment);
    }
    let mut layer = polynomial.to_vec();
    let mut evaluations = opening.evaluations.iter().enumerate();
    let mut next_is = |guessed: Fr| evaluations.next().filter(|(_, said)| **said == guessed).map(|(i, _)| i);
    fits.extend(next_is(evaluate(&layer, x)).map(Fits::Evaluation));
    for (i, step) in folding_order(&reduced.point).chunks(FOLDED).enumerate() {
        if i > 0 && bare(&layer) == opening.folds[i - 1] {
            fits.insert(Fits::Fold(i - 1));
        }
        let width = 1 << step.len();
        x = x.pow([width as u64]);
        for j in 1..width {
            let part: Vec<Fr> = layer.iter().skip(j).step_by(width).copied().collect();
            fits.extend(next_is(evaluate(&part, x)).map(Fits::Evaluation));
        }
        layer = layer.chunks(width).map(|parts| fold(parts, step)).collect();
    }
    fits
}

/// Runs the argument on the guess, and compares where it ends. The mask's evaluation, which `ρ` depends on, is what the
/// guess leaves of `v`.
fn retraced(published: &Published, guess: &Witness, salt: Fr) -> BTreeSet<Fits> {
    let relations = fixture().key.relations(Subject::Segment);
    let Reduced { point, combine, value } = &published.reduced;
    let mut meddle = |ask: Ask<'_, Fr>, answer: &mut Vec<Fr>| {
        if let (Ask::ColumnEvaluations { .. }, Some((mask, columns))) = (ask, answer.split_last_mut()) {
            *mask = *value - columns.iter().rev().fold(Fr::zero(), |sum, column| (sum + column) * combine);
        }
    };
    let guessed = columns(&relations.layout, guess).expect("the witness has all tensors");
    let mask = vec![Fr::zero(); 1 << relations.layout.column_vars];
    let secrets = Secrets { salt, mask: &mask };
    let statement = &published.statement;
    let mut party = meddling(Subject::Segment, Witnesses::same(guess), &guessed, statement, secrets, &mut meddle);
    let publics = statement.publics(&published.digest());
    let ended = argument::verify(&mut Native { judge: Careless }, &mut party, relations, &publics)
        .expect("a careless prover comes to its end");
    let same = point.iter().zip(&ended.point).map(|(a, b)| a == b).enumerate();
    let mut fits: BTreeSet<Fits> = same.filter(|(_, same)| *same).map(|(i, _)| Fits::Coordinate(i)).collect();
    if ended.combine == *combine {
        fits.insert(Fits::Combination);
    }
    fits
}
