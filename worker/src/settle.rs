//! A job settled by contracts on a local node: deployed, opened, its segments submitted.

use std::path::Path;

use eyre::{Result, WrapErr, eyre};
use gradproof_circuits::field::check::Strict;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use serde::Serialize;

use gradproof_chain::{Anvil, Chain, Compiler, Contracts, OpenJob, SegmentGas};

/// A local node with the contracts of a key and an open job; the node ends with this value.
pub struct Settlement {
    _node: Anvil,
    chain: Chain,
    contracts: Contracts,
    job: OpenJob,
}

/// What a job cost on a chain.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainReport {
    /// Segments that the ledger took.
    pub accepted: usize,
    /// Gas of the dearest segment's transaction, call data included.
    pub gas: u64,
    /// Where that went.
    pub parts: SegmentGas,
    /// Gas of deploying verifiers and ledger, once for all jobs of a key.
    pub deployment_gas: u64,
    /// Bytes of the circuit verifier's code.
    pub halo2_bytes: usize,
}

impl Settlement {
    /// Starts a node with the tools in the folder `contracts`, deploys the contracts of `key`, opens the job of
    /// `statement`, and sets the statement's domain accordingly.
    ///
    /// # Errors
    /// The tools are not installed, the key is not for wrapped proofs, or a contract refuses.
    pub fn open(contracts: &Path, key: &VerifyingKey, statement: &mut JobStatement) -> Result<Self> {
        let node = Anvil::start(contracts).wrap_err("`cargo xtask contracts` installs the local node")?;
        let chain = Chain::connect(node.url(), Anvil::signer())?;
        let compiler = Compiler::new(contracts)?;
        let contracts = Contracts::deploy(&chain, &compiler, key)?;
        let owner = chain.sender();
        let job = contracts.open(&chain, statement, owner)?;
        *statement = statement.bind(contracts.domain(&chain, &job, owner))?;
        Ok(Self { _node: node, chain, contracts, job })
    }

    /// Submits the proofs of all segments, in order.
    ///
    /// # Errors
    /// The ledger refuses one, or the local verifier does.
    pub fn submit<'p>(
        &self,
        key: &VerifyingKey,
        statement: &JobStatement,
        proofs: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<ChainReport> {
        let Contracts { halo2, verifier, ledger, halo2_bytes } = self.contracts;
        let deployment_gas = halo2.gas + verifier.gas + ledger.gas;
        let mut report = ChainReport { deployment_gas, halo2_bytes, ..ChainReport::default() };
        let mut walk = JobVerifier::new(key, statement, &mut Strict)?;
        for (index, bytes) in proofs.into_iter().enumerate() {
            let refused = || format!("segment {index}");
            let next = walk.next_segment(bytes).map_err(|rejection| eyre!("{rejection}")).wrap_err_with(refused)?;
            let sent = self.contracts.submit(&self.chain, self.job.id, walk.parameters(), &next.proof);
            let sent = sent.wrap_err_with(refused)?;
            if sent.gas > report.gas {
                report.gas = sent.gas;
                report.parts = self.contracts.parts(&self.chain, &sent)?;
            }
            walk.check(Part::Segment(index as u64), bytes, &mut Strict)?;
            report.accepted += 1;
        }
        Ok(report)
    }
}
