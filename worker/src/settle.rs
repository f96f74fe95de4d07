//! A job traded on a market of a local node: posted, accepted, its segments proved, delivered and paid.

use std::path::Path;

use ark_bn254::G1Affine;
use eyre::{Result, WrapErr, eyre};
use gradproof_chain::market::{MarketCode, Money, Outcome, Trade};
use gradproof_chain::{Anvil, Chain, SegmentGas, Settlement};
use gradproof_circuits::field::check::Strict;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::Domain;
use gradproof_verifier::verify_job::JobVerifier;
use serde::Serialize;

/// A local node with a market and an open job; the node ends with this value.
pub struct LocalSettlement {
    _node: Anvil,
    chain: Chain,
    trade: Trade,
    halo2_bytes: usize,
}

/// What a job cost on a chain.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainReport {
    /// Segments that the market took.
    pub accepted: usize,
    /// Gas of the dearest segment's transaction, call data included.
    pub gas: u64,
    /// Where that went.
    pub parts: SegmentGas,
    /// Gas of deploying the verifiers, once for all jobs of a key.
    pub deployment_gas: u64,
    /// Bytes of the circuit verifier's code.
    pub halo2_bytes: usize,
    /// What the provider was paid, in tokens.
    #[serde(skip)]
    pub paid: String,
}

impl LocalSettlement {
    /// Starts a node with the tools in the folder `contracts`, deploys the market and the verifiers of `key`, has a requester post the
    /// job of `statement` and a provider start it, and sets the statement's domain accordingly.
    ///
    /// # Errors
    /// The tools are not installed, the key is not for wrapped proofs, or a contract refuses.
    pub fn open(contracts: &Path, key: &VerifyingKey, statement: &mut JobStatement) -> Result<Self> {
        let node = Anvil::start(contracts).wrap_err("`cargo xtask contracts` installs the local node")?;
        let chain = Chain::connect(node.url(), node.signer())?;
        let provider = Chain::connect(node.url(), node.other_signer())?;
        let code = MarketCode::compile(contracts)?;
        let verifier_code = code.verifier(key)?;
        let halo2_bytes = verifier_code.halo2_bytes();
        let requester = chain.client();
        let trade = chain.wait(async {
            let deployment = code.deploy(requester, Money::Own(requester.sender())).await?;
            let verifier = verifier_code.deploy(requester).await?;
            Trade::new(deployment, verifier, requester.clone(), provider.client().clone()).await
        })?;
        *statement = statement.bind(chain.wait(trade.open(statement))?)?;
        Ok(Self { _node: node, chain, trade, halo2_bytes })
    }

    /// Submits the proofs of all segments, in order; the market pays for them.
    ///
    /// # Errors
    /// The market refuses one, or the local verifier does.
    pub fn submit(&self, key: &VerifyingKey, statement: &JobStatement, proofs: &[&[u8]]) -> Result<ChainReport> {
        let checked = checked(key, statement, proofs)?;
        let taken = self.chain.wait(submit(&self.trade, &statement.domain, &checked))?;
        let Outcome { paid, .. } = self.chain.wait(self.trade.withdraw(&statement.domain))?;
        let (segment, halo2) = (self.trade.verifier().segment, self.trade.verifier().halo2);
        let client = self.chain.client();
        self.chain.wait(async {
            let deployed = [client.gas_of(segment.transaction).await?, client.gas_of(halo2.transaction).await?];
            let dearest = taken.iter().max_by_key(|sent| sent.gas);
            let parts = match dearest {
                Some(sent) => SegmentGas::of(client, sent, segment.address, halo2.address).await?,
                None => SegmentGas::default(),
            };
            Ok(ChainReport {
                accepted: taken.len(),
                gas: dearest.map_or(0, |sent| sent.gas),
                parts,
                deployment_gas: deployed.iter().sum(),
                halo2_bytes: self.halo2_bytes,
                paid: self.trade.deployment().tokens(paid),
            })
        })
    }
}

/// A segment's proof, and the commitments to the parameters that it begins with.
type Segment = (Vec<G1Affine>, Proof);

/// The proofs of the segments of a job, in order, if the local verifier takes all of them.
fn checked(key: &VerifyingKey, statement: &JobStatement, proofs: &[&[u8]]) -> Result<Vec<Segment>> {
    let mut walk = JobVerifier::new(key, statement, &mut Strict)?;
    let mut checked = Vec::new();
    for (index, bytes) in proofs.iter().enumerate() {
        let refused = || format!("segment {index}");
        let next = walk.next_segment(bytes).map_err(|rejection| eyre!("{rejection}")).wrap_err_with(refused)?;
        checked.push((walk.parameters().to_vec(), next.proof));
        walk.check(Part::Segment(index as u64), bytes, &mut Strict)?;
    }
    Ok(checked)
}

/// Submits the proofs of all segments of a job; what each left.
async fn submit<S: Settlement>(settlement: &S, job: &Domain, segments: &[Segment]) -> Result<Vec<S::Receipt>> {
    let mut taken = Vec::new();
    for (index, (first, proof)) in segments.iter().enumerate() {
        let submitted = settlement.submit(job, first, proof).await;
        taken.push(submitted.wrap_err_with(|| format!("segment {index}"))?);
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ark_bn254::Fr;
    use ark_ec::AffineRepr;
    use gradproof_verifier::protocol::hyperkzg::Opening;
    use gradproof_verifier::protocol::proof::Argument;

    use super::*;
    use gradproof_chain::ChainError;

    /// A chain of another kind: it takes two proofs of its job.
    #[derive(Default)]
    struct Paper(Mutex<Vec<G1Affine>>);

    const JOB: Domain = Domain { chain: 1, contract: [0; 20], job: [5; 32], owner: [6; 20] };

    impl Settlement for Paper {
        type Receipt = usize;

        async fn open(&self, _: &JobStatement) -> Result<Domain, ChainError> {
            Ok(JOB)
        }

        async fn submit(&self, job: &Domain, first: &[G1Affine], _: &Proof) -> Result<usize, ChainError> {
            assert_eq!(job, &JOB);
            let mut taken = self.0.lock().expect("no panic before");
            if taken.len() == 2 {
                return Err(ChainError::Node("the paper is full".into()));
            }
            taken.extend(first);
            Ok(taken.len())
        }
    }

    #[tokio::test]
    async fn segments_are_submitted_in_order_to_any_chain() {
        let point = G1Affine::identity();
        let opening = Opening { folds: vec![], evaluations: vec![], quotient: point, shifted_quotient: point };
        let proof = Proof {
            mask: point,
            columns: vec![],
            paths: vec![],
            argument: Argument::Core(vec![]),
            blinding: Fr::from(0u8),
            opening,
        };
        let segment = |first| (vec![first], proof.clone());
        let other = -G1Affine::generator();
        let paper = Paper::default();
        let taken = submit(&paper, &JOB, &[segment(G1Affine::generator()), segment(other)]).await;
        assert_eq!(taken.expect("there is room"), [1, 2]);
        assert_eq!(*paper.0.lock().expect("no panic before"), [G1Affine::generator(), other]);
        let error = submit(&paper, &JOB, &[segment(point)]).await.expect_err("there is no room");
        assert_eq!(format!("{error:#}"), "segment 0: the node does not answer: the paper is full");
    }
}
