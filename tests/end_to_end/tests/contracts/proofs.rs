//! Keys and proofs of example circuits, under the insecure set-up.

use ark_bn254::Fr as Scalar;
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_circuits::wrap::convert::{g1_to_halo2, g2_to_halo2};
use gradproof_verifier::protocol::setup::{SetupKey, insecure_tau};
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use halo2_axiom::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_axiom::plonk::{ProvingKey, create_proof, keygen_pk, keygen_vk, verify_proof};
use halo2_axiom::poly::commitment::ParamsProver;
use halo2_axiom::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_axiom::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_axiom::poly::kzg::strategy::SingleStrategy;
use rand_core::OsRng;

use crate::circuits::Example;

/// A circuit with its keys.
pub struct Keys<C> {
    /// The circuit.
    pub circuit: C,
    parameters: ParamsKZG<Bn256>,
    /// The proving key, in which the verifying key is.
    pub key: ProvingKey<G1Affine>,
}

/// The powers of the public τ.
pub fn parameters(k: u32) -> ParamsKZG<Bn256> {
    let powers = std::iter::successors(Some(Scalar::from(1u64)), |power| Some(power * &insecure_tau()));
    let generator = ark_bn254::G1Affine::generator();
    let powers = powers.take(1 << k).map(|power| g1_to_halo2((generator * power).into_affine())).collect();
    let key = SetupKey::insecure();
    ParamsKZG::new(1).from_parts(k, powers, None, g2_to_halo2(key.g2), g2_to_halo2(key.tau_g2))
}

impl<C: Example> Keys<C> {
    /// Keys for a circuit of 2^k rows.
    pub fn new(k: u32, circuit: C) -> Self {
        let parameters = parameters(k);
        let key = keygen_vk(&parameters, &circuit).expect("the circuit has a verifying key");
        let key = keygen_pk(&parameters, key, &circuit).expect("the circuit has a proving key");
        Self { circuit, parameters, key }
    }

    /// A proof, which halo2's own verifier accepts.
    pub fn prove(&self) -> Vec<u8> {
        let instances = self.circuit.instances();
        let columns: Vec<&[Fr]> = instances.iter().map(Vec::as_slice).collect();
        let mut transcript = ProofTranscript::new(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.parameters,
            &self.key,
            std::slice::from_ref(&self.circuit),
            &[&columns],
            OsRng,
            &mut transcript,
        )
        .expect("the circuit is satisfied");
        let proof = transcript.into_stream();
        assert!(self.verify(&instances, &proof), "halo2 accepts the proof");
        proof
    }

    /// True if halo2's own verifier accepts the proof.
    pub fn verify(&self, instances: &[Vec<Fr>], proof: &[u8]) -> bool {
        let columns: Vec<&[Fr]> = instances.iter().map(Vec::as_slice).collect();
        let mut transcript = ProofTranscript::new(proof);
        let strategy = SingleStrategy::new(&self.parameters);
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            self.parameters.verifier_params(),
            self.key.get_vk(),
            strategy,
            &[&columns],
            &mut transcript,
        )
        .is_ok()
    }
}
