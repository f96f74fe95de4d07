//! The prover of `halo2-axiom-gpu` under keys of `halo2-axiom`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ark_bn254::Fr;
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_circuits::wrap::columns::ADVICE;
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys::{WrapProvingKey, read_proving_key};
use gradproof_prover::device::Proves;
use gradproof_prover::wrap::KEY_FORM;
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use halo2_axiom::halo2curves::bn256::{self, Bn256};
use halo2_axiom_gpu::plonk::create_proof;
use halo2_axiom_gpu::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_axiom_gpu::poly::kzg::multiopen::ProverSHPLONK;
use rand_core::OsRng;

/// The keys that were handed over, in their order.
#[derive(Default)]
pub struct Cuda {
    keys: Vec<Keys>,
}

/// Keys of one circuit; the reference string keeps its points on the device after the first proof.
struct Keys {
    params: ParamsKZG<Bn256>,
    key: WrapProvingKey,
}

impl Proves for Cuda {
    fn load(&mut self, mut keys: &[u8]) -> Result<(), String> {
        // Both libraries write a reference string in the same form.
        let params = ParamsKZG::read_custom(&mut keys, KEY_FORM).map_err(|error| error.to_string())?;
        let key = read_proving_key(&mut keys, KEY_FORM).map_err(|error| error.to_string())?;
        self.keys.push(Keys { params, key });
        Ok(())
    }

    fn prove(&mut self, keys: usize, instances: &[Fr], advice: Vec<[Fr; ADVICE]>) -> Result<Vec<u8>, String> {
        let keys = self.keys.get(keys).ok_or("there are no keys of that number")?;
        let instances: Vec<_> = instances.iter().copied().map(to_halo2).collect();
        let circuit = WrapCircuit::of_advice(advice);
        // The library panics where the device fails.
        catch_unwind(AssertUnwindSafe(|| keys.prove(circuit, &instances))).unwrap_or_else(|panic| Err(message(&*panic)))
    }
}

impl Keys {
    fn prove(&self, circuit: WrapCircuit, instances: &[bn256::Fr]) -> Result<Vec<u8>, String> {
        let mut transcript = ProofTranscript::new(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.params,
            &self.key,
            &[circuit],
            &[&[instances]],
            OsRng,
            &mut transcript,
        )
        .map_err(|error| error.to_string())?;
        Ok(transcript.into_stream())
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the library panicked").to_owned()
}
