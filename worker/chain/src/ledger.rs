//! A job on a chain: the verifiers of its key deployed, the job opened in the ledger, its segments submitted.

use ark_bn254::G1Affine;
use gradproof_evm::{ChainProof, halo2_source, segment_key};
use gradproof_verifier::protocol::job::{JobStatement, RateChange};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::{Domain, points_digest};

use super::{Address, B256, Call, Chain, ChainError, Compiler, Deployed, SegmentLedger, Sent, SolValue, Terms};

/// The sources that are compiled, beside the generated one.
const VERIFIER: (&str, &str) = ("src/SegmentVerifier.sol", "SegmentVerifier");
const LEDGER: (&str, &str) = ("src/SegmentLedger.sol", "SegmentLedger");
const HALO2: (&str, &str) = ("src/Halo2Verifier.sol", "Halo2Verifier");

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
        let source = halo2_source(key)
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
    /// [`ChainError::Rates`], or the ledger refuses.
    pub fn open(&self, chain: &Chain, statement: &JobStatement, owner: Address) -> Result<OpenJob, ChainError> {
        let epoch = statement.epoch();
        let last = epoch.live(epoch.segments() - 1).ok_or_else(|| ChainError::Answer("last position".into()))?;
        let &[RateChange { rate, .. }] = &statement.rates[..] else {
            return Err(ChainError::Rates { got: statement.rates.len() });
        };
        let terms = Terms {
            verifier: self.verifier.address,
            owner,
            dataRoot: statement.data.root.into(),
            epochSegments: epoch.segments() as u64,
            segments: statement.segments() as u64,
            lastSteps: last.steps as u32,
            lastRows: last.last_rows as u32,
            rate,
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

    /// Where the gas of [`Self::submit`] went.
    ///
    /// # Errors
    /// The node does not trace transactions.
    pub fn parts(&self, chain: &Chain, sent: &Sent) -> Result<SegmentGas, ChainError> {
        let transaction = chain.trace(&sent.receipt)?;
        let submitted = |call: &&Call| call.to == self.verifier.address;
        let verify =
            transaction.calls.iter().find(submitted).ok_or(ChainError::Answer("call of the verifier".into()))?;
        let spent =
            |to: &[Address]| verify.calls.iter().filter(|call| to.contains(&call.to)).map(|call| call.gas).sum();
        let input = &transaction.input;
        let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
        let parts = SegmentGas {
            base: 21_000,
            call_data: 16 * (input.len() as u64 - zeros) + 4 * zeros,
            circuit: spent(&[self.halo2.address]),
            points: spent(&[precompile(6), precompile(7)]),
            pairing: spent(&[precompile(8)]),
            other: 0,
        };
        let known = parts.base + parts.call_data + parts.circuit + parts.points + parts.pairing;
        Ok(SegmentGas { other: sent.gas.saturating_sub(known), ..parts })
    }
}

/// The gas of a segment's transaction, part by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SegmentGas {
    /// What any transaction costs.
    pub base: u64,
    /// The bytes of the call data.
    pub call_data: u64,
    /// The circuit's proof, but for its pairing.
    pub circuit: u64,
    /// Multiplications and additions of the columns' and folds' points.
    pub points: u64,
    /// The one pairing.
    pub pairing: u64,
    /// Digests, paths, field arithmetic, storage, event, and copying between contracts.
    pub other: u64,
}

/// A contract that every node has built in.
fn precompile(number: u8) -> Address {
    Address::with_last_byte(number)
}
