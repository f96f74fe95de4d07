//! Wrapping by another program, as one with a device does it: here it is a thread, and the device this processor.

use std::io;

use ark_bn254::Fr;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_circuits::wrap::columns::ADVICE;
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys::{Params, WrapProvingKey, read_proving_key};
use gradproof_prover::device::backend::Backend;
use gradproof_prover::device::{Device, Proves, serve};
use gradproof_prover::wrap::{KEY_FORM, WrapError, Wrapper};
use gradproof_tests::forge::{Forged, Witnesses, fixture, forge, wrapped};
use gradproof_verifier::protocol::powers::ReferenceStrings;
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use halo2_axiom::halo2curves::bn256::Bn256;
use halo2_axiom::plonk::create_proof;
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::ProverSHPLONK;
use rand_core::OsRng;

const SUBJECT: Subject = Subject::Data;

/// Proves as `gradproof-cuda` does, but for the library, and breaks the proof if it is asked to.
#[derive(Default)]
struct Cpu {
    keys: Vec<(Params, WrapProvingKey)>,
    faulty: bool,
}

impl Proves for Cpu {
    fn load(&mut self, mut keys: &[u8]) -> Result<(), String> {
        let params = Params::read_custom(&mut keys, KEY_FORM).map_err(|error| error.to_string())?;
        let key = read_proving_key(&mut keys, KEY_FORM).map_err(|error| error.to_string())?;
        assert!(keys.is_empty(), "nothing follows the keys");
        self.keys.push((params, key));
        Ok(())
    }

    fn prove(&mut self, keys: usize, instances: &[Fr], advice: Vec<[Fr; ADVICE]>) -> Result<Vec<u8>, String> {
        let (params, key) = &self.keys[keys];
        let instances: Vec<_> = instances.iter().copied().map(to_halo2).collect();
        let mut transcript = ProofTranscript::new(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            params,
            key,
            &[WrapCircuit::of_advice(advice)],
            &[&[&instances]],
            OsRng,
            &mut transcript,
        )
        .map_err(|error| error.to_string())?;
        let mut proof = transcript.into_stream();
        if let Some(last) = proof.last_mut().filter(|_| self.faulty) {
            *last ^= 1;
        }
        Ok(proof)
    }
}

/// An honest proof, wrapped by a program.
fn wrapped_by(mut program: Cpu) -> Result<Forged, WrapError> {
    let (input, to_program) = io::pipe().expect("a pipe");
    let (from_program, output) = io::pipe().expect("a pipe");
    std::thread::spawn(move || serve(input, output, &mut program));
    let backend = Backend::Cuda(Device::over(from_program, to_program).expect("it greets").into());

    let relations = fixture().key.relations(SUBJECT);
    let wrapper = Wrapper::new(relations, &mut ReferenceStrings::new(&fixture().setup)).expect("it is small enough");
    let wrapper = wrapper.on(&backend)?;
    let (key, witness) = (wrapped().1.digest(), fixture().witness(SUBJECT));
    let core = forge(SUBJECT, Witnesses::same(&witness), |said| said.key = key, &mut |_, _| ());
    let proof = wrapper.wrap(relations, &core.publics(), core.proof.clone())?;
    Ok(Forged { proof, ..core })
}

#[test]
fn completeness_a_proof_of_another_program_is_accepted() {
    let wrapped = wrapped_by(Cpu::default()).expect("it proves");
    assert_eq!(wrapped.judged(Strict), Ok(()));
}

#[test]
fn a_wrong_proof_of_another_program_is_not_handed_on() {
    let error = wrapped_by(Cpu { faulty: true, ..Cpu::default() }).map(|_| ()).expect_err("it does not verify");
    assert!(matches!(error, WrapError::WrongProof), "{error}");
}
