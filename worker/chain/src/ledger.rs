//! A job in the ledger: the contracts of its key deployed, the job opened, its segments submitted.

use ark_bn254::G1Affine;
use gradproof_evm::ChainProof;
use gradproof_verifier::protocol::job::{JobStatement, RateChange};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::{Domain, points_digest};

use super::verifiers::{DeployedVerifiers, VerifierCode};
use super::{Address, Artifact, Call, ChainError, Client, Compiler, Deployed, SegmentLedger, Sent, Settlement, Terms};

const LEDGER: (&str, &str) = ("src/SegmentLedger.sol", "SegmentLedger");

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

/// The ledger and the verifiers of a key, compiled.
#[derive(Clone, Debug)]
pub struct LedgerCode<'a> {
    verifiers: VerifierCode<'a>,
    ledger: Artifact,
}

/// The ledger of one key's contracts, and the account that pays.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The node, and the account.
    pub client: Client,
    /// The contracts.
    pub contracts: Contracts,
}

impl<'a> LedgerCode<'a> {
    /// Compiles the contracts of a key for wrapped proofs.
    ///
    /// # Errors
    /// The key is not for wrapped proofs, or the compiler refuses.
    pub fn compile(compiler: &Compiler, key: &'a VerifyingKey) -> Result<Self, ChainError> {
        let verifiers = VerifierCode::compile(compiler, key)?;
        Ok(Self { verifiers, ledger: compiler.compile_file(LEDGER.0, LEDGER.1)? })
    }

    /// Deploys them.
    ///
    /// # Errors
    /// The node refuses, or the account cannot pay.
    pub async fn deploy(&self, client: &Client) -> Result<Contracts, ChainError> {
        let DeployedVerifiers { halo2, segment: verifier, .. } = self.verifiers.put(client).await?;
        let ledger = client.deploy(&self.ledger, &[]).await?;
        Ok(Contracts { halo2, verifier, ledger, halo2_bytes: self.verifiers.halo2.runtime.len() })
    }
}

impl Settlement for Ledger {
    type Receipt = Sent;

    async fn open(&self, statement: &JobStatement) -> Result<Domain, ChainError> {
        let epoch = statement.epoch();
        let last = epoch.live(epoch.segments() - 1).ok_or_else(|| ChainError::Answer("last position".into()))?;
        let &[RateChange { rate, .. }] = &statement.rates[..] else {
            return Err(ChainError::Rates { got: statement.rates.len() });
        };
        let (ledger, owner) = (self.contracts.ledger.address, self.client.sender());
        let terms = Terms {
            verifier: self.contracts.verifier.address,
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
        let job = self.client.call(ledger, &call).await?.0;
        self.client.send(ledger, &call).await?;
        Ok(Domain { chain: self.client.id(), contract: ledger.into_array(), job, owner: owner.into_array() })
    }

    async fn submit(&self, job: &Domain, first: &[G1Affine], proof: &Proof) -> Result<Sent, ChainError> {
        let proof = ChainProof::of(first, proof).ok_or_else(|| ChainError::Answer("wrapped proof".into()))?;
        let call = SegmentLedger::submitCall { job: job.job.into(), proof: proof.to_bytes().into() };
        self.client.send(self.contracts.ledger.address, &call).await
    }
}

impl Ledger {
    /// Where the gas of a segment's transaction went.
    ///
    /// # Errors
    /// The node does not trace transactions.
    pub async fn parts(&self, sent: &Sent) -> Result<SegmentGas, ChainError> {
        let transaction = self.client.trace(&sent.receipt).await?;
        let Contracts { halo2, verifier, .. } = self.contracts;
        let submitted = |call: &&Call| call.to == verifier.address;
        let verify =
            transaction.calls.iter().find(submitted).ok_or(ChainError::Answer("call of the verifier".into()))?;
        let spent =
            |to: &[Address]| verify.calls.iter().filter(|call| to.contains(&call.to)).map(|call| call.gas).sum();
        let input = &transaction.input;
        let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
        let parts = SegmentGas {
            base: 21_000,
            call_data: 16 * (input.len() as u64 - zeros) + 4 * zeros,
            circuit: spent(&[halo2.address]),
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
