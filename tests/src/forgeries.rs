//! For each check of an argument, a false proof that only this check refuses.

use crate::tensors::{bias, forward_limb, weight};
use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::{Ask, Stored};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::{End, KEY_VARS, Publics, Table, Tensor};
use gradproof_circuits::relations::Subject;
use gradproof_prover::argument::party::Secrets;
use gradproof_prover::columns::columns;
use gradproof_prover::witness::{Values, Witness};
use gradproof_verifier::protocol::proof::Argument;
use gradproof_verifier::protocol::statement::Statement;

use crate::cheats::{Rate, Softmax, WrongRounding, cheated};
use crate::forge::{Forged, Witnesses, fixture, forge, meddling, prove, wrapped};
use crate::judges::Careless;
use crate::reference::Honest;
use crate::rigged::{Replayed, Rigged};

/// A false proof, to be taken by a verifier with any judge.
pub enum Forgery {
    /// A whole proof of the fixture's segment.
    Proof(Box<Forged>),
    /// An argument about it on challenges that are chosen: no prover can make it otherwise.
    Rigged {
        /// The first challenges.
        chosen: Vec<Fr>,
        /// Its public inputs.
        publics: Box<Publics<Fr>>,
        /// Its messages.
        messages: Vec<Fr>,
    },
}

impl Forgery {
    /// What a verifier with this judge says.
    ///
    /// # Errors
    /// The check that failed.
    pub fn judged(&self, judge: impl Judge) -> Result<(), Rejection> {
        match self {
            Self::Proof(forged) => forged.judged(judge),
            Self::Rigged { chosen, publics, messages } => {
                let mut rigged = Rigged { native: Native { judge }, chosen: chosen.clone(), outputs: vec![] };
                let relations = fixture().key.relations(Subject::Segment);
                argument::verify(&mut rigged, &mut Replayed(Stored { rest: messages }), relations, publics).map(|_| ())
            }
        }
    }
}

fn proof(forged: Forged) -> Option<Forgery> {
    Some(Forgery::Proof(Box::new(forged)))
}

/// Training with one rounding remainder out of its range, in two equal rows.
fn out_of_range() -> Witness {
    cheated(&fixture().task, &WrongRounding { backward: false, keep_product: true })
}

/// The honest witness, but that the model comes back as it was sent.
///
/// # Panics
/// Never, unless the prover is broken.
pub fn untrained() -> Witness {
    let mut witness = fixture().witness(Subject::Segment);
    for l in 1..=fixture().task.architecture.layers().len() {
        for tensor in [weight, bias] {
            let first = witness.tensors[&tensor(End::First, l)].clone();
            witness.tensors.insert(tensor(End::Last, l), first);
        }
    }
    witness
}

/// A proof that only `check` refuses; none for a check that no judge is asked about.
///
/// # Panics
/// Never, unless the prover is broken.
pub fn forgery(check: Check) -> Option<Forgery> {
    forgery_for(check, &|_| ())
}

/// The same for another verifier: `settle` changes what the statement says of where the proof counts, and by which key.
///
/// # Panics
/// Never, unless the prover is broken.
pub fn forgery_for(check: Check, settle: &dyn Fn(&mut Statement)) -> Option<Forgery> {
    let honest = fixture().witness(Subject::Segment);
    let said = |forged: Witnesses<'_>, say: &dyn Fn(&mut Statement)| {
        let say = |said: &mut Statement| {
            settle(said);
            say(said);
        };
        proof(forge(Subject::Segment, forged, say, &mut |_, _| ()))
    };
    let segment = |witness: &Witness| said(Witnesses::same(witness), &|_| ());
    match check {
        Check::LookupSum => segment(&out_of_range()),
        Check::LookupDenominator => Some(zero_denominators()),
        Check::LookupLayer => proof(false_tree(Lie::Root, settle)),
        Check::LookupNumerator => proof(false_tree(Lie::Numerators, settle)),
        Check::LookupFingerprint => proof(false_tree(Lie::Denominator, settle)),
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
            let Forged { proof: other, .. } =
                forge(Subject::Segment, Witnesses::same(&honest), |_| (), &mut |_, _| ()).wrap();
            let say = |said: &mut Statement| {
                settle(said);
                said.key = key;
            };
            let mut forged = forge(Subject::Segment, Witnesses::same(&untrained()), say, &mut |_, _| ()).wrap();
            if let (Argument::Wrapped { halo2: own, .. }, Argument::Wrapped { halo2, .. }) =
                (&mut forged.proof.argument, other.argument)
            {
                *own = halo2;
            }
            proof(forged)
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
fn false_tree(lie: Lie, settle: &dyn Fn(&mut Statement)) -> Forged {
    let witness = out_of_range();
    let layers = fixture().key.relations(Subject::Segment).tree.vars - 1;
    let (mut layer, mut weight, mut round) = (0, Fr::zero(), None);
    let mut meddle = |ask: Ask<'_, Fr>, answer: &mut Vec<Fr>| match ask {
        Ask::LookupRoot { .. } => {
            if let [n0, n1, d0, d1] = answer[..] {
                assert_ne!(n0 * d1 + n1 * d0, Fr::zero(), "the honest sum is not zero");
                answer[0] = -n1 * d0 * d1.inverse().expect("challenges hit zero by chance only");
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
                answer[2] = (claim - weight * n0 * d1)
                    * (weight * n1 + d1).inverse().expect("challenges hit zero by chance only");
            } else {
                answer[0] = (claim - *d0 * d1 - weight * n1 * d0)
                    * (weight * d1).inverse().expect("challenges hit zero by chance only");
            }
        }
        _ => (),
    };
    forge(Subject::Segment, Witnesses::same(&witness), settle, &mut meddle)
}

/// A value out of its range whose fingerprint the offset hits, twice: the sum is 0/0 whatever else stands in the tree.
///
/// A prover would have to guess the offset, so this argument runs on challenges that are chosen for it.
fn zero_denominators() -> Forgery {
    let mut witness = out_of_range();
    // Multiplicities that add up to nothing sensible.
    witness.tensors.insert(Tensor::multiplicity(Table::Relu), Values::Small(vec![3; 1 << KEY_VARS]));
    let relations = fixture().key.relations(Subject::Segment);
    let bits = 12;
    let limbs = witness.small(forward_limb(1, 1)).expect("it is there");
    let limb = limbs[0];
    assert_eq!(limb, limbs[8], "rows 0 and 1 are equal");
    let key = limb + (1 << (bits - 1));
    assert!(key >= 1 << bits, "the limb is out of its range");
    let combine = Fr::from(123_456_789u64);
    let offset = Fr::from(key) + combine.pow([3]) * Fr::from(Table::Range(bits).number());
    let chosen = vec![offset, combine];

    let statement = prove(Subject::Segment, &fixture().witness(Subject::Segment)).statement;
    let publics = statement.publics(&[1; 32]);
    let mask = vec![Fr::from(3u64); 1 << relations.layout.column_vars];
    let columns = columns(&relations.layout, &witness).expect("the witness has all tensors");
    let mut nothing = |_: Ask<'_, Fr>, _: &mut Vec<Fr>| ();
    let secrets = Secrets { salt: Fr::from(9u64), mask: &mask };
    let mut party = meddling(Subject::Segment, Witnesses::same(&witness), &columns, &statement, secrets, &mut nothing);
    let mut rigged = Rigged { native: Native { judge: Careless }, chosen: chosen.clone(), outputs: vec![] };
    argument::verify(&mut rigged, &mut party, relations, &publics).expect("a careless prover comes to its end");
    let messages = party.messages;
    Forgery::Rigged { chosen, publics: Box::new(publics), messages }
}
