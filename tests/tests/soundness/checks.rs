//! Every check is needed: for each, a false proof that only this check refuses.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use gradproof_circuits::algebra::Native;
use gradproof_circuits::architecture::Live;
use gradproof_circuits::argument;
use gradproof_circuits::check::{Check, Judge, Kind, Rejection, Strict};
use gradproof_circuits::lookup::{KEY_VARS, Table};
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::{End, Tensor};
use gradproof_circuits::transcript::{Ask, Stored};
use gradproof_prover::columns::columns;
use gradproof_prover::party::Secrets;
use gradproof_prover::prove::Careless;
use gradproof_prover::witness::{Values, Witness};
use gradproof_tests::forge::{Forged, Witnesses, count, fixture, forge, meddling, prove, wrapped};
use gradproof_tests::judges::Except;
use gradproof_tests::reference::Honest;
use gradproof_tests::rigged::{Replayed, Rigged};
use gradproof_verifier::hyperkzg::folding_order;
use gradproof_verifier::keccak::KeccakTranscript;
use gradproof_verifier::proof::Argument;
use gradproof_verifier::verify::{combined, opening_transcript};

use crate::training::{Rate, Softmax, WrongRounding, cheated};

/// A false proof, to be taken by a verifier with any judge.
type Forgery = Box<dyn Fn(&mut dyn Judge) -> Result<(), Rejection>>;

fn boxed(forged: Forged) -> Option<Forgery> {
    Some(Box::new(move |judge| forged.judged(judge)))
}

/// Training with one rounding remainder out of its range, in two equal rows.
fn out_of_range() -> Witness {
    cheated(&fixture().task, &WrongRounding { backward: false, keep_product: true })
}

/// The honest witness, but that the model comes back as it was sent.
fn untrained() -> Witness {
    let mut witness = fixture().witness(Subject::Segment);
    for l in 1..=fixture().task.architecture.layers() {
        for tensor in [Tensor::Weight, Tensor::Bias] {
            let first = witness.tensors[&tensor(End::First, l)].clone();
            witness.tensors.insert(tensor(End::Last, l), first);
        }
    }
    witness
}

/// A proof that refuses only `check`; none for a check that no judge is asked about.
fn forgery(check: Check) -> Option<Forgery> {
    let segment = |witness: &Witness| boxed(prove(Subject::Segment, witness));
    let honest = fixture().witness(Subject::Segment);
    let said = |forged: Witnesses<'_>, say: &dyn Fn(&mut gradproof_verifier::statement::Statement)| {
        boxed(forge(Subject::Segment, forged, say, &mut |_, _| ()))
    };
    match check {
        Check::LookupSum => segment(&out_of_range()),
        Check::LookupDenominator => Some(zero_denominators()),
        Check::LookupLayer => boxed(false_tree(Lie::Root)),
        Check::LookupNumerator => boxed(false_tree(Lie::Numerators)),
        Check::LookupFingerprint => boxed(false_tree(Lie::Denominator)),
        Check::Pointwise => segment(&cheated(&fixture().task, &Softmax(|row, _, _, _| row.probabilities[0] += 1))),
        Check::Product => segment(&cheated(&fixture().task, &WrongRounding { backward: false, keep_product: false })),
        Check::Weight => {
            let frozen = cheated(&fixture().task, &Rate(|_, _| 0));
            said(Witnesses { rate: 0, ..Witnesses::same(&frozen) }, &|_| ())
        }
        // Commits to last parameters that were not trained, and argues about trained ones up to some point.
        Check::Merge => {
            let untrained = untrained();
            let parts = Witnesses { argued: &honest, ..Witnesses::same(&untrained) };
            said(parts, &|_| ())
        }
        Check::OpeningValue => {
            let untrained = untrained();
            let parts = Witnesses { argued: &honest, merged: &honest, ..Witnesses::same(&untrained) };
            said(parts, &|_| ())
        }
        Check::OpeningPairing => {
            let parts = Witnesses { committed: &untrained(), ..Witnesses::same(&honest) };
            said(parts, &|_| ())
        }
        // Opens the untrained columns rightly, with the circuit's proof of an honest argument.
        Check::Wrap => {
            let key = wrapped().1.digest();
            let Forged { proof, .. } = forge(Subject::Segment, Witnesses::same(&honest), |_| (), &mut |_, _| ()).wrap();
            let mut forged =
                forge(Subject::Segment, Witnesses::same(&untrained()), |said| said.key = key, &mut |_, _| ()).wrap();
            if let (Argument::Wrapped { halo2: own, .. }, Argument::Wrapped { halo2, .. }) =
                (&mut forged.proof.argument, proof.argument)
            {
                *own = halo2;
            }
            boxed(forged)
        }
        // One more row than a batch has: it is padding, and it trains.
        Check::PublicRange => {
            let mut task = fixture().task.clone();
            task.live = Live { steps: 3, last_rows: 4 };
            let row = (2 * 4 + 3) * 8;
            task.input.copy_within(..8, row);
            task.labels.copy_within(..4, (2 * 4 + 3) * 4);
            task.input.copy_within(..8, row - 8);
            task.labels.copy_within(..4, (2 * 4 + 2) * 4);
            let live = task.live;
            said(Witnesses::same(&cheated(&task, &Honest)), &|said| said.live = live)
        }
        Check::DataLeaf => {
            let mut task = fixture().task.clone();
            task.input[0] += 1;
            let registered = fixture().data_root();
            said(Witnesses::same(&cheated(&task, &Honest)), &|said| said.data_root = registered)
        }
        // Promises last parameters that are not those of the proof.
        Check::Key => said(Witnesses::same(&honest), &|said| said.last = [7; 32]),
        _ => None,
    }
}

#[test]
fn each_check_alone_refuses_a_forgery() {
    for check in Check::ALL {
        let Some(forgery) = forgery(check) else {
            assert_ne!(check.kind(), Kind::Argument, "{check:?} has no forgery that shows it is needed");
            continue;
        };
        assert_eq!(check.kind(), Kind::Argument, "{check:?}");
        assert_eq!(forgery(&mut Strict), Err(Rejection { check }));
        assert_eq!(forgery(&mut Except(check)), Ok(()), "accepted without {check:?}");
        for other in Check::ALL.into_iter().filter(|other| *other != check) {
            assert_eq!(forgery(&mut Except(other)), Err(Rejection { check }), "refused without {other:?}");
        }
    }
}

/// Where the cheat in a look-up tree stands.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    /// Only the root.
    Root,
    /// The root, and the numerators below it down to the leaves.
    Numerators,
    /// The root, numerators, and at the leaves a denominator.
    Denominator,
}

/// A value out of its range, in a tree whose root says that the sum is zero.
fn false_tree(lie: Lie) -> Forged {
    let witness = out_of_range();
    let layers = fixture().key.relations(Subject::Segment).tree.vars - 1;
    let (mut layer, mut weight, mut round) = (0, Fr::zero(), None);
    let mut meddle = |ask: Ask<'_, Fr>, answer: &mut Vec<Fr>| match ask {
        Ask::LookupRoot { .. } => {
            if let [n0, n1, d0, d1] = answer[..] {
                assert_ne!(n0 * d1 + n1 * d0, Fr::zero(), "the honest sum is not zero");
                answer[0] = -n1 * d0 * d1.inverse().unwrap();
            }
        }
        Ask::LookupLayer { weight: current, .. } => {
            layer += 1;
            weight = *current;
        }
        Ask::Round { claim, eq: Some(w), .. } => round = Some((*claim, *w, answer.clone())),
        Ask::LookupChildren { challenge } if lie != Lie::Root => {
            let (Some((claim, w, sent)), [n0, n1, d0, d1]) = (&round, &answer[..]) else { return };
            let claim = *claim - *w * (sent[0] + sent[1]) + (sent[0] + sent[1] * challenge) * challenge;
            // λ·(n0·d1 + n1·d0) + d0·d1 = claim, solved for one of them.
            if lie == Lie::Denominator && layer == layers {
                answer[2] = (claim - weight * n0 * d1) * (weight * n1 + d1).inverse().unwrap();
            } else {
                answer[0] = (claim - *d0 * d1 - weight * n1 * d0) * (weight * d1).inverse().unwrap();
            }
        }
        _ => (),
    };
    forge(Subject::Segment, Witnesses::same(&witness), |_| (), &mut meddle)
}

/// A value out of its range whose fingerprint the offset hits, twice: the sum is 0/0 whatever else stands in the tree.
///
/// A prover would have to guess the offset, so this argument runs on challenges that are chosen for it.
fn zero_denominators() -> Forgery {
    let mut witness = out_of_range();
    // Multiplicities that add up to nothing sensible.
    witness.tensors.insert(Tensor::Multiplicity(Table::Relu), Values::Small(vec![3; 1 << KEY_VARS]));
    let relations = fixture().key.relations(Subject::Segment);
    let bits = 12;
    let limb = witness.small(Tensor::ForwardLimb(1, 1))[0];
    assert_eq!(limb, witness.small(Tensor::ForwardLimb(1, 1))[8], "rows 0 and 1 are equal");
    let key = limb + (1 << (bits - 1));
    assert!(key >= 1 << bits, "the limb is out of its range");
    let combine = Fr::from(123_456_789u64);
    let offset = Fr::from(key) + combine.pow([3]) * Fr::from(Table::Range(bits).number());
    let chosen = vec![offset, combine];

    let statement = prove(Subject::Segment, &fixture().witness(Subject::Segment)).statement;
    let publics = statement.publics(&[1; 32]);
    let mask = vec![Fr::from(3u64); 1 << relations.layout.column_vars];
    let columns = columns(&relations.layout, &witness);
    let mut nothing = |_: Ask<'_, Fr>, _: &mut Vec<Fr>| ();
    let secrets = Secrets { salt: Fr::from(9u64), mask: &mask };
    let mut party = meddling(Subject::Segment, Witnesses::same(&witness), &columns, &statement, secrets, &mut nothing);
    let mut rigged = Rigged { native: Native { judge: Careless }, chosen: chosen.clone(), outputs: vec![] };
    argument::verify(&mut rigged, &mut party, relations, &publics).unwrap();
    let messages = party.messages;
    Box::new(move |judge| {
        let mut rigged = Rigged { native: Native { judge }, chosen: chosen.clone(), outputs: vec![] };
        argument::verify(&mut rigged, &mut Replayed(Stored { rest: &messages }), relations, &publics).map(|_| ())
    })
}

/// The pairing is checked on the evaluations that were sent: here on ones that fit the false value, after the fact.
#[test]
fn evaluations_of_the_opening_made_to_fit() {
    let (untrained, honest) = (untrained(), fixture().witness(Subject::Segment));
    let parts = Witnesses { argued: &honest, merged: &honest, ..Witnesses::same(&untrained) };
    let mut forged = forge(Subject::Segment, parts, |_| (), &mut |_, _| ());
    assert_eq!(forged.failures(), [Check::OpeningValue].into());

    let key = &fixture().key;
    let relations = key.relations(Subject::Segment);
    let tables = &key.tables;
    let (data, rest) =
        forged.proof.columns.split_at(relations.layout.group(gradproof_circuits::tensor::Group::Data).len());
    let points = [data, &forged.first, rest, tables].concat();
    let digest = forged.statement.digest(&forged.proof.mask, &points);
    let mut stored = Stored { rest: forged.proof.messages() };
    let mut careless = Native { judge: Careless };
    let reduced = argument::verify(&mut careless, &mut stored, relations, &forged.statement.publics(&digest)).unwrap();
    let commitment = combined(&key.setup, &forged.proof.mask, &points, &reduced.combine, &forged.proof.blinding);
    let mut transcript: KeccakTranscript = opening_transcript(digest, &reduced, &forged.proof.blinding, &commitment);
    transcript.absorb_points(&forged.proof.opening.folds);
    let mut x = transcript.challenge();
    let evaluations = &mut forged.proof.opening.evaluations;
    let mut p = evaluations[0];
    let variables = folding_order(&reduced.point);
    for (i, u) in variables.iter().enumerate() {
        if i + 1 == variables.len() {
            // p_n = (1 - u)(p - x·b) + u·b
            let one = Fr::from(1);
            evaluations[i + 1] = (reduced.value - (one - u) * p) * (*u - (one - u) * x).inverse().unwrap();
            break;
        }
        let b = evaluations[i + 1];
        let a = p - x * b;
        x.square_in_place();
        p = a + *u * (b - a);
    }
    assert_eq!(forged.failures(), [Check::OpeningPairing].into());
}

#[test]
fn a_position_behind_the_epoch() {
    let mut data = fixture().witness(Subject::Data);
    count(&mut data, &fixture().key.relations(Subject::Data).tree);
    for (position, segments) in [(1, 1), (3, 3), (u64::MAX, u64::MAX), (0, 0)] {
        let say = |said: &mut gradproof_verifier::statement::Statement| {
            (said.position, said.epoch_segments) = (position, segments);
        };
        let forged = forge(Subject::Data, Witnesses::same(&data), say, &mut |_, _| ());
        assert!(forged.failures().contains(&Check::PublicRange), "{position} of {segments}");
    }
}
