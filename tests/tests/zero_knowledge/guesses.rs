//! A reader who has a guess of the data learns nothing from a proof, and would if any protection were left out.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::Zero;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::randomness::fresh;
use gradproof_prover::witness::Witness;
use gradproof_tests::curious::{Fits, Reuse, Suspicion, confirmed, confirmed_by_two};
use gradproof_tests::forge::{Hiding, Witnesses, count, fixture, forge_hidden};
use gradproof_tests::published::{Published, published};
use gradproof_tests::reference::Honest;
use gradproof_verifier::protocol::hyperkzg::{evaluations, folds};

/// Segments that were trained on two data sets, which differ in one entry of one row.
fn candidates() -> &'static [Witness; 2] {
    static CANDIDATES: OnceLock<[Witness; 2]> = OnceLock::new();
    CANDIDATES.get_or_init(|| {
        let mut task = fixture().task.clone();
        task.input[1] += 1;
        let mut other = task.train(&Honest);
        count(&mut other, &fixture().key.relations(Subject::Segment).tree);
        [fixture().witness(Subject::Segment), other]
    })
}

/// What is public of a proof hidden by what is given; it is accepted like any other.
fn hidden(witness: &Witness, hiding: Hiding) -> Published {
    let forged = forge_hidden(Subject::Segment, Witnesses::same(witness), hiding, |_| (), &mut |_, _| ());
    let published = Published::of(&forged.statement, &forged.first, &forged.proof);
    published.verify().unwrap();
    published
}

/// Fresh secrets without the protection that `suspicion` supposes missing.
fn lacking(suspicion: Suspicion) -> Hiding {
    let mut hiding = Hiding::fresh(Subject::Segment);
    match suspicion {
        Suspicion::NoMask => hiding.mask.fill(Fr::zero()),
        Suspicion::ConstantMask => hiding.mask.fill(fresh(1).unwrap()[0]),
        Suspicion::BareMask => hiding.mask_blinding = Fr::zero(),
        Suspicion::BareColumns => hiding.blindings.fill(Fr::zero()),
        Suspicion::NoSalt => hiding.salt = Fr::zero(),
    }
    hiding
}

/// Every value that a suspicion speaks of.
fn everything(suspicion: Suspicion) -> BTreeSet<Fits> {
    let layout = &fixture().key.relations(Subject::Segment).layout;
    let vars = layout.column_vars;
    let mut fits = BTreeSet::new();
    match suspicion {
        Suspicion::NoMask | Suspicion::ConstantMask => {
            fits.insert(Fits::Commitment);
            fits.extend((0..folds(vars)).map(Fits::Fold).chain((0..evaluations(vars)).map(Fits::Evaluation)));
        }
        Suspicion::BareMask => fits.extend([Fits::Commitment]),
        Suspicion::BareColumns => fits.extend(layout.group(Group::Trace).map(Fits::Column)),
        Suspicion::NoSalt => fits.extend((0..vars).map(Fits::Coordinate).chain([Fits::Combination])),
    }
    if suspicion == Suspicion::NoMask {
        fits.insert(Fits::Value);
    }
    fits
}

/// Leaves out `suspicion`'s protection, and has the reader tell for each of two data sets which one was used.
fn tells_apart(suspicion: Suspicion) {
    for (truth, witness) in candidates().iter().enumerate() {
        let published = hidden(witness, lacking(suspicion));
        for (guess, candidate) in candidates().iter().enumerate() {
            let fits = confirmed(&published, candidate, suspicion);
            if guess == truth {
                assert_eq!(fits, everything(suspicion), "{suspicion:?}: a right guess is not confirmed");
            } else if suspicion == Suspicion::BareColumns {
                // Columns of which the two runs have the same are no help.
                assert!(fits.len() < everything(suspicion).len(), "a wrong guess is confirmed");
            } else {
                assert_eq!(fits, [].into(), "{suspicion:?}: a wrong guess is confirmed");
            }
        }
    }
}

#[test]
fn without_the_random_column_a_guess_is_confirmed() {
    tells_apart(Suspicion::NoMask);
}

/// A random column must be random everywhere: one random value hides `v`, and the folds give it away.
#[test]
fn with_a_random_column_of_one_value_a_guess_is_confirmed() {
    tells_apart(Suspicion::ConstantMask);
}

#[test]
fn without_the_blinding_of_the_random_column_a_guess_is_confirmed() {
    tells_apart(Suspicion::BareMask);
}

#[test]
fn without_the_blindings_of_the_trace_a_guess_is_confirmed() {
    tells_apart(Suspicion::BareColumns);
}

#[test]
fn without_the_salt_a_guess_is_confirmed() {
    tells_apart(Suspicion::NoSalt);
}

/// The prover that everyone uses leaves nothing out: no public value fits the truth any better than a wrong guess.
#[test]
fn an_honest_proof_confirms_no_guess() {
    for witness in candidates() {
        let published = published(witness);
        for candidate in candidates() {
            for suspicion in Suspicion::ALL {
                assert_eq!(confirmed(&published, candidate, suspicion), [].into(), "{suspicion:?}");
            }
        }
    }
}

/// A random column, or the blinding of its commitment, that serves twice gives a guess away: alone neither proof does.
#[test]
fn with_a_secret_used_twice_a_guess_is_confirmed() {
    for reuse in Reuse::ALL {
        let [truth, wrong] = candidates();
        let [one, mut two] = [Hiding::fresh(Subject::Segment), Hiding::fresh(Subject::Segment)];
        match reuse {
            Reuse::Mask => two.mask.clone_from(&one.mask),
            Reuse::Blinding => two.mask_blinding = one.mask_blinding,
        }
        let [one, two] = [hidden(truth, one), hidden(truth, two)];
        assert!(confirmed_by_two(&one, &two, truth, reuse), "{reuse:?}");
        assert!(!confirmed_by_two(&one, &two, wrong, reuse), "{reuse:?}");
        for published in [&one, &two] {
            for suspicion in Suspicion::ALL {
                assert_eq!(confirmed(published, truth, suspicion), [].into(), "{suspicion:?}");
            }
        }
    }
}
