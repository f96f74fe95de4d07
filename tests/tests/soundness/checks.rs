//! Every check is needed: for each, a false proof that only this check refuses.

use ark_bn254::Fr;
use ark_ff::Field;
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Kind, Rejection, Strict};
use gradproof_circuits::relations::Subject;
use gradproof_tests::forge::{Witnesses, count, fixture, forge};
use gradproof_tests::forgeries::{forgery, untrained};
use gradproof_tests::judges::{Careless, Except};
use gradproof_verifier::protocol::hyperkzg::{FOLDED, fold, folding_order, remainder};
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::verify::{combined, opening_transcript};

#[test]
fn each_check_alone_refuses_a_forgery() {
    for check in Check::ALL {
        let Some(forgery) = forgery(check) else {
            assert_ne!(check.kind(), Kind::Argument, "{check:?} has no forgery that shows it is needed");
            continue;
        };
        assert_eq!(check.kind(), Kind::Argument, "{check:?}");
        assert_eq!(forgery.judged(Strict), Err(Rejection { check }));
        assert_eq!(forgery.judged(Except(check)), Ok(()), "accepted without {check:?}");
        for other in Check::ALL.into_iter().filter(|other| *other != check) {
            assert_eq!(forgery.judged(Except(other)), Err(Rejection { check }), "refused without {other:?}");
        }
    }
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
        forged.proof.columns.split_at(relations.layout.group(gradproof_circuits::relations::Group::Data).len());
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
    let (mut p, mut sent) = (evaluations[0], 1);
    let variables = folding_order(&reduced.point);
    for step in variables.chunks(FOLDED) {
        let width = 1 << step.len();
        let remainder_of = |sent: &[Fr]| remainder(p, x, sent);
        let sent_of = sent..sent + width - 1;
        sent = sent_of.end;
        if sent == evaluations.len() {
            // The value is linear in what was sent last.
            let value = |last: u64| {
                evaluations[sent - 1] = last.into();
                fold(&remainder_of(&evaluations[sent_of.clone()]), step)
            };
            let [at_zero, at_one] = [0, 1].map(value);
            evaluations[sent - 1] = (reduced.value - at_zero) * (at_one - at_zero).inverse().unwrap();
            break;
        }
        p = fold(&remainder_of(&evaluations[sent_of]), step);
        x = x.pow([width as u64]);
    }
    assert_eq!(forged.failures(), [Check::OpeningPairing].into());
}

#[test]
fn a_position_after_the_epoch() {
    let mut data = fixture().witness(Subject::Data);
    count(&mut data, &fixture().key.relations(Subject::Data).tree);
    for (position, segments) in [(1, 1), (3, 3), (u64::MAX, u64::MAX), (0, 0)] {
        let say = |said: &mut gradproof_verifier::protocol::statement::Statement| {
            (said.position, said.epoch_segments) = (position, segments);
        };
        let forged = forge(Subject::Data, Witnesses::same(&data), say, &mut |_, _| ());
        assert!(forged.failures().contains(&Check::PublicRange), "{position} of {segments}");
    }
}
