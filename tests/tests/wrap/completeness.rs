//! Honest proofs satisfy the circuit, which comes to the same end as the native verifier.

use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::{WrapCircuit, instances};
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_tests::forge::{fixture, prove};
use halo2_axiom::dev::MockProver;

#[test]
fn honest_proofs_satisfy_the_circuit() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let fixture = fixture();
        let forged = prove(subject, &fixture.witness(subject));
        let relations = fixture.key.relations(subject);
        let publics = forged.publics();
        let (circuit, reduced) =
            WrapCircuit::new(relations, &publics, forged.proof.messages()).expect("there are enough messages");
        let mut stored = Stored { rest: forged.proof.messages() };
        let native = argument::verify(&mut Native { judge: Strict }, &mut stored, relations, &publics)
            .expect("the proof is honest");
        let public = instances(&publics, &reduced);
        assert_eq!(public, instances(&publics, &native));
        let public = public.into_iter().map(to_halo2).collect();
        let mock = MockProver::run(circuit.size_bits(), &circuit, vec![public]).expect("it fits");
        assert_eq!(mock.verify(), Ok(()), "{subject:?}");
    }
}
