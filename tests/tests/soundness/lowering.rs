//! A verifier lowers the graph by itself: what was proved of another program is refused, whatever digest it goes under.

use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_tests::forge::{Hiding, Witnesses, count, fixture, forge_under};
use gradproof_tests::weakened::weakened;

/// The statement of such a proof names the same graph, so that the digest of the prover's own key is that of the verifier's.
#[test]
fn a_program_without_one_of_its_primitives_is_another() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let honest = fixture().key.relations(subject);
        let mut consistent = 0;
        let all = weakened(honest);
        for (what, relations) in &all {
            let mut witness = fixture().witness(subject);
            count(&mut witness, &relations.tree);
            let forged =
                forge_under(relations, Witnesses::same(&witness), Hiding::fresh(subject), |_| (), &mut |_, _| ());
            let mut own = Stored { rest: forged.proof.messages() };
            let publics = forged.publics();
            consistent +=
                usize::from(argument::verify(&mut Native { judge: Strict }, &mut own, relations, &publics).is_ok());
            assert!(forged.judged(Strict).is_err(), "{subject:?} without {what}");
        }
        // Without an addend or an update the honest training is not that of the program.
        let training = all.iter().filter(|(what, _)| what.starts_with("addend") || what.starts_with("update")).count();
        assert_eq!(consistent, all.len() - training, "{subject:?}");
    }
}
