//! Wrapping: a short zero-knowledge proof in the place of an argument's messages.

use std::io::Read;
use std::sync::Arc;

use ark_bn254::Fr;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::circuit::{WrapCircuit, instances};
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys::{self, Params, WrapProvingKey};
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::key::{SUBJECTS, VerifyingKey, graph_digest};
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup, SetupError};
use gradproof_verifier::protocol::proof::{Argument, Proof};
use gradproof_verifier::protocol::wrap::key::{WrapKey, WrapKeyError, circuit};
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::Bn256;
use halo2_axiom::plonk::create_proof;
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::ProverSHPLONK;
use rand_core::OsRng;

use crate::device::backend::Backend;
use crate::device::{Device, DeviceError};

/// First bytes of a stored proving key.
const MAGIC: &[u8; 4] = b"GPPK";
/// Version of the stored form, of the circuit and of its library.
const VERSION: u8 = 1;

/// The form of keys as bytes: as they stand in memory, for bytes that are known to be ours.
pub const KEY_FORM: SerdeFormat = SerdeFormat::RawBytesUnchecked;

/// Why there is no wrapped proof, or no key for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// There is no verifying key.
    #[error(transparent)]
    Key(#[from] WrapKeyError),
    /// The set-up is too short.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Stored bytes are not the key that was asked for.
    #[error("not the stored proving key of this shape and set-up: it is damaged, or of another version")]
    Stored,
    /// The proof is not a core proof whose messages fit the circuit.
    #[error("the proof to be wrapped is not a core proof of this shape")]
    NotCore,
    /// The circuit library refuses.
    #[error("the circuit cannot be proved: {0}")]
    Circuit(String),
    /// The device has no proof.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device made a proof that does not verify.
    #[error("the device made a wrong proof: prove on the CPU, `--backend cpu`, and report the device")]
    WrongProof,
}

/// Wraps proofs about one subject.
pub struct Wrapper {
    params: Arc<Params>,
    key: WrapProvingKey,
    verifying: WrapKey,
    /// A device, and the number that it knows the keys by.
    device: Option<(Arc<Device>, u32)>,
}

impl Wrapper {
    /// Makes the keys of the circuit of `relations`; takes seconds.
    ///
    /// # Errors
    /// The circuit or the set-up is refused.
    pub fn new(relations: &Relations, strings: &mut ReferenceStrings<'_>) -> Result<Self, WrapError> {
        let (circuit, size_bits) = circuit(relations)?;
        let params = strings.get(size_bits)?;
        let refused = |error: halo2_axiom::plonk::Error| WrapError::Circuit(error.to_string());
        let verifying = keys::verifying_key(&params, &circuit).map_err(refused)?;
        let key = keys::proving_key(&params, verifying.clone(), &circuit).map_err(refused)?;
        let verifying = WrapKey::new(verifying, size_bits, &strings.setup().key.tau_g2);
        Ok(Self { params, key, verifying, device: None })
    }

    /// The same, proving on `backend`, which is given the keys if it is a device.
    ///
    /// # Errors
    /// [`WrapError::Device`].
    pub fn on(self, backend: &Backend) -> Result<Self, WrapError> {
        let device = match backend {
            Backend::Cpu => None,
            Backend::Cuda(device) => Some((device.clone(), device.load(self.keys())?)),
        };
        Ok(Self { device, ..self })
    }

    /// The key that proofs are verified with.
    pub fn verifying_key(&self) -> &WrapKey {
        &self.verifying
    }

    /// The core proof `proof` of an argument over `publics`, with a proof of the circuit in the place of its messages.
    ///
    /// # Soundness
    /// Blinding comes from the operating system in every call. The messages hold the salt and evaluations: whoever keeps or
    /// shows the core proof has no zero-knowledge.
    ///
    /// # Errors
    /// [`WrapError::NotCore`]; [`WrapError::Circuit`].
    pub fn wrap(&self, relations: &Relations, publics: &Publics<Fr>, proof: Proof) -> Result<Proof, WrapError> {
        let Argument::Core(messages) = &proof.argument else { return Err(WrapError::NotCore) };
        let (circuit, reduced) = WrapCircuit::new(relations, publics, messages).map_err(|_| WrapError::NotCore)?;
        let halo2 = match &self.device {
            None => self.prove(circuit, &instances(publics, &reduced))?,
            Some((device, keys)) => {
                let proof = device.prove(*keys, instances(publics, &reduced), circuit.advice().collect())?;
                if !self.verifying.verify(relations.layout.column_vars, publics, &reduced, &proof) {
                    return Err(WrapError::WrongProof);
                }
                proof
            }
        };
        Ok(Proof { argument: Argument::Wrapped { reduced, halo2 }, ..proof })
    }

    /// A proof of `circuit` by this process.
    fn prove(&self, circuit: WrapCircuit, instances: &[Fr]) -> Result<Vec<u8>, WrapError> {
        let instances: Vec<_> = instances.iter().copied().map(to_halo2).collect();
        let mut transcript = ProofTranscript::new(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.params,
            &self.key,
            &[circuit],
            &[&[&instances]],
            OsRng,
            &mut transcript,
        )
        .map_err(|error| WrapError::Circuit(error.to_string()))?;
        Ok(transcript.into_stream())
    }

    /// Reference string and proving key as bytes, each in [`KEY_FORM`].
    pub fn keys(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        let _ = self.params.write_custom(&mut bytes, KEY_FORM);
        let _ = self.key.write(&mut bytes, KEY_FORM);
        bytes
    }

    /// The keys and the reference string as bytes, bound to `name` and ended by a keccak256 of all.
    pub fn to_bytes(&self, name: &[u8; 32]) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &[VERSION], name, &self.keys()].concat();
        bytes.extend(keccak256(&[&bytes]));
        bytes
    }

    /// What [`Self::to_bytes`] wrote for `name`.
    ///
    /// # Errors
    /// [`WrapError::Stored`].
    pub fn from_bytes(bytes: &[u8], name: &[u8; 32], setup: &Setup) -> Result<Self, WrapError> {
        let (content, digest) = bytes.split_last_chunk::<32>().ok_or(WrapError::Stored)?;
        let start = [&MAGIC[..], &[VERSION], name].concat();
        let mut rest = content.strip_prefix(&start[..]).ok_or(WrapError::Stored)?;
        if keccak256(&[content]) != *digest {
            return Err(WrapError::Stored);
        }
        let params = Arc::new(Params::read_custom(rest.by_ref(), KEY_FORM).map_err(|_| WrapError::Stored)?);
        let key = keys::read_proving_key(&mut rest, KEY_FORM).map_err(|_| WrapError::Stored)?;
        let verifying = WrapKey::new(key.get_vk().clone(), key.get_vk().get_domain().k(), &setup.key.tau_g2);
        Ok(Self { params, key, verifying, device: None })
    }
}

/// The name of a stored key: keccak256 of version, set-up, subject, column size, graph, batch and steps.
pub fn stored_name(key: &VerifyingKey, subject: Subject) -> [u8; 32] {
    let version = gradproof_circuits::argument::VERSION.to_be_bytes();
    let architecture = key.architecture();
    let shape = [architecture.batch(), architecture.steps()].map(|number| (number as u32).to_be_bytes());
    let (kind, graph) = ([subject as u8, key.column_vars as u8], graph_digest(architecture.graph()));
    keccak256(&[&[VERSION], &version, &key.setup.digest(), &kind, &graph, shape.as_flattened()])
}

/// Wrappers for all subjects of a key, in the order of [`SUBJECTS`], and the key for wrapped proofs.
pub struct Wrappers {
    wrappers: [Wrapper; 3],
}

impl Wrappers {
    /// The wrappers that `get` finds or makes.
    ///
    /// # Errors
    /// The first that `get` gives.
    pub fn new<E>(mut get: impl FnMut(Subject) -> Result<Wrapper, E>) -> Result<Self, E> {
        let [segment, data, parameters] = SUBJECTS;
        Ok(Self { wrappers: [get(segment)?, get(data)?, get(parameters)?] })
    }

    /// The wrapper for proofs about `subject`.
    pub fn get(&self, subject: Subject) -> &Wrapper {
        let [segment, data, parameters] = &self.wrappers;
        match subject {
            Subject::Segment => segment,
            Subject::Data => data,
            Subject::Parameters => parameters,
        }
    }

    /// `key`, for wrapped proofs.
    pub fn verifying_key(&self, key: VerifyingKey) -> VerifyingKey {
        key.with_wraps(self.wrappers.each_ref().map(|wrapper| wrapper.verifying.clone()))
    }
}
