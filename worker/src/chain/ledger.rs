//! A job on a chain: the verifiers of its key deployed, the job opened in the ledger, its segments submitted.

use ark_bn254::G1Affine;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::Group;
use gradproof_verifier::chain_proof::ChainProof;
use gradproof_verifier::job::JobStatement;
use gradproof_verifier::key::{VerifyingKey, architecture_bytes};
use gradproof_verifier::points::{encode_g1, encode_g2};
use gradproof_verifier::proof::Proof;
use gradproof_verifier::statement::{Domain, points_digest};

use super::{
    Address, B256, Chain, ChainError, Compiler, Deployed, SegmentKey, SegmentLedger, Sent, SolValue, Terms, U256,
};

/// The sources that are compiled, beside the generated one.
const VERIFIER: (&str, &str) = ("src/SegmentVerifier.sol", "SegmentVerifier");
const LEDGER: (&str, &str) = ("src/SegmentLedger.sol", "SegmentLedger");
const HALO2: (&str, &str) = ("src/Halo2Verifier.sol", "Halo2Verifier");

/// What the constructor of the segments' verifier is given for `key`.
pub fn segment_key(key: &VerifyingKey, halo2: Address) -> SegmentKey {
    let layout = &key.relations(Subject::Segment).layout;
    let columns = |group| layout.group(group).len() as u16;
    SegmentKey {
        halo2,
        key: key.digest().into(),
        insecure: key.setup.is_insecure(),
        tauG2: words(&encode_g2(&key.setup.tau_g2)),
        architecture: architecture_bytes(key.architecture()).into(),
        columnVars: key.column_vars as u8,
        dataColumns: columns(Group::Data),
        parameterColumns: columns(Group::First),
        traceColumns: columns(Group::Trace),
        tables: key.tables.iter().map(|point| words(&encode_g1(point))).collect(),
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [U256; N] {
    std::array::from_fn(|i| bytes.chunks(32).nth(i).map_or(U256::ZERO, U256::from_be_slice))
}

/// The contracts of one key.
#[derive(Clone, Copy, Debug)]
pub struct Contracts {
    /// Verifier of the circuit.
    pub halo2: Deployed,
    /// Verifier of segments.
    pub verifier: Deployed,
    /// Where jobs stand.
    pub ledger: Deployed,
    /// Length of the circuit verifier's code, in bytes.
    pub halo2_bytes: usize,
}

/// A job that was opened.
#[derive(Clone, Debug)]
pub struct OpenJob {
    /// Its number.
    pub id: B256,
    /// Opening it.
    pub opened: Sent,
}

impl Contracts {
    /// Compiles and deploys the contracts of a key for wrapped proofs.
    ///
    /// # Errors
    /// The key is not for wrapped proofs, or compiler or node refuse.
    pub fn deploy(chain: &Chain, compiler: &Compiler, key: &VerifyingKey) -> Result<Self, ChainError> {
        let source = key
            .halo2_verifier_source()
            .map_err(|error| ChainError::Source(format!("the circuit's verifier cannot be written: {error}")))?;
        let artifact = compiler.compile_generated(HALO2.0, &source, HALO2.1)?;
        let halo2 = chain.deploy(&artifact, &[])?;
        let arguments = segment_key(key, halo2.address).abi_encode();
        let verifier = chain.deploy(&compiler.compile_file(VERIFIER.0, VERIFIER.1)?, &arguments)?;
        let ledger = chain.deploy(&compiler.compile_file(LEDGER.0, LEDGER.1)?, &[])?;
        Ok(Self { halo2, verifier, ledger, halo2_bytes: artifact.runtime.len() })
    }

    /// Opens the job of `statement` for `owner`; its domain is then [`Self::domain`].
    ///
    /// # Errors
    /// The ledger refuses.
    pub fn open(&self, chain: &Chain, statement: &JobStatement, owner: Address) -> Result<OpenJob, ChainError> {
        let epoch = statement.epoch();
        let last = epoch.live(epoch.segments() - 1).ok_or_else(|| ChainError::Answer("last position".into()))?;
        let terms = Terms {
            verifier: self.verifier.address,
            owner,
            dataRoot: statement.data.root.into(),
            epochSegments: epoch.segments() as u64,
            segments: statement.segments() as u64,
            lastSteps: last.steps as u32,
            lastRows: last.last_rows as u32,
            rate: statement.rates.first().map_or(0, |change| change.rate),
            first: points_digest(&statement.first_parameters).into(),
        };
        let call = SegmentLedger::openCall { terms };
        let id = chain.call(self.ledger.address, &call)?;
        let opened = chain.send(self.ledger.address, &call)?;
        Ok(OpenJob { id, opened })
    }

    /// Where the job counts.
    pub fn domain(&self, chain: &Chain, job: &OpenJob, owner: Address) -> Domain {
        Domain {
            chain: chain.id(),
            contract: self.ledger.address.into_array(),
            job: job.id.0,
            owner: owner.into_array(),
        }
    }

    /// Submits the proof of the job's next segment, which begins with the parameters committed to in `first`.
    ///
    /// # Errors
    /// The proof is not wrapped, or the ledger refuses it.
    pub fn submit(&self, chain: &Chain, job: B256, first: &[G1Affine], proof: &Proof) -> Result<Sent, ChainError> {
        let proof = ChainProof::of(first, proof).ok_or_else(|| ChainError::Answer("wrapped proof".into()))?;
        let call = SegmentLedger::submitCall { job, proof: proof.to_bytes().into() };
        chain.send(self.ledger.address, &call)
    }
}
