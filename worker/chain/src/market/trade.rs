//! A job from its posting to its payment, by one process that is requester and provider: what the demonstration shows.

use ark_bn254::G1Affine;
use gradproof_evm::ChainProof;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::Domain;

use super::account::{Node, register, roles, stake};
use super::terms::{no_licence, no_paths, no_permit, terms};
use super::{ComputeToken, Deployment, TrainingMarket, Verifier, domain, training};
use crate::{Address, B256, ChainError, Client, PrivateKeySigner, Sent, Settlement, U256};

/// Price of a segment.
const PRICE: u128 = 100 * TOKEN;
/// Units of a token.
const TOKEN: u128 = 10u128.pow(18);
/// Batches of a job.
const BATCHES: usize = 2;
/// The longest batch that the market takes, in segments.
const LONGEST: usize = 64;

/// A market, with a requester who has tokens and a provider who has stake.
#[derive(Clone, Debug)]
pub struct Trade {
    deployment: Deployment,
    verifier: Verifier,
    requester: Client,
    provider: Client,
}

/// What both have of a job in the end, in the smallest unit of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the provider was paid.
    pub paid: U256,
    /// What the requester got back of its escrow.
    pub returned: U256,
}

impl Trade {
    /// Gives the provider stake, and enters its node. The requester holds the tokens of a market that was just deployed.
    ///
    /// # Errors
    /// A contract refuses, or the node does not answer.
    pub async fn new(
        deployment: Deployment,
        verifier: Verifier,
        requester: Client,
        provider: Client,
    ) -> Result<Self, ChainError> {
        let value = U256::from(PRICE) * U256::from(LONGEST);
        let transfer = ComputeToken::transferCall { to: provider.sender(), value };
        requester.send(deployment.token.address, &transfer).await?;
        let node = Node {
            peer: &PrivateKeySigner::random(),
            hot: Address::ZERO,
            roles: roles::PROVIDER,
            encryption_key: B256::ZERO,
            addresses: "",
        };
        register(&provider, &deployment, &node).await?;
        stake(&provider, &deployment, value).await?;
        Ok(Self { deployment, verifier, requester, provider })
    }

    /// The market.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The verifiers that the market asks.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Pays both what the market owes them of a job that has ended.
    ///
    /// # Errors
    /// [`ChainError::Unsettled`] if the job goes on; a contract refuses, or the node does not answer.
    pub async fn withdraw(&self, job: &Domain) -> Result<Outcome, ChainError> {
        let market = self.deployment.market.address;
        let held = self.ask(&TrainingMarket::jobOfCall { id: job.job.into() }).await?;
        if held.settled != held.total {
            return Err(ChainError::Unsettled { settled: held.settled.into(), total: held.total.into() });
        }
        let mut got = [U256::ZERO; 2];
        for (client, got) in [&self.provider, &self.requester].into_iter().zip(&mut got) {
            let account = client.sender();
            *got = client.call(market, &TrainingMarket::owedCall { account }).await?;
            if !got.is_zero() {
                client.send(market, &TrainingMarket::withdrawCall { account }).await?;
            }
        }
        let [paid, returned] = got;
        Ok(Outcome { paid, returned })
    }

    async fn ask<C: crate::SolCall>(&self, call: &C) -> Result<C::Return, ChainError> {
        self.requester.call(self.deployment.market.address, call).await
    }

    /// Names and takes the weights of a batch whose segments are all proven. One process has them, so that nothing is encrypted: the
    /// root is the commitment to them.
    async fn deliver(&self, id: B256, batch: U256, last: B256) -> Result<(), ChainError> {
        let market = self.deployment.market.address;
        let close = TrainingMarket::closeCall { id, batch, root: last, seat: U256::ZERO };
        self.provider.send(market, &close).await?;
        self.requester.send(market, &TrainingMarket::acknowledgeCall { id, batch, last, root: last }).await?;
        Ok(())
    }
}

impl Settlement for Trade {
    type Receipt = Sent;

    async fn open(&self, statement: &JobStatement) -> Result<Domain, ChainError> {
        let market = self.deployment.market.address;
        let batch = statement.segments().div_ceil(BATCHES).clamp(1, LONGEST) as u8;
        let terms = terms(training(statement, &self.verifier), PRICE, batch);
        let escrow = TrainingMarket::escrowOfCall { terms: terms.clone(), licenceFee: 0 };
        let approve = ComputeToken::approveCall { spender: market, value: self.ask(&escrow).await? };
        self.requester.send(self.deployment.token.address, &approve).await?;
        let nonce = U256::from(1);
        let id = TrainingMarket::idOfCall { requester: self.requester.sender(), nonce, terms: terms.clone() };
        let id = self.ask(&id).await?;
        let open =
            TrainingMarket::openCall { terms, nonce, licence: no_licence(), consents: vec![], permit: no_permit() };
        self.requester.send(market, &open).await?;
        let accept = TrainingMarket::acceptCall { id, minPrice: U256::from(PRICE), paths: no_paths() };
        self.provider.send(market, &accept).await?;
        self.provider.send(market, &TrainingMarket::startCall { id }).await?;
        Ok(domain(self.provider.id(), market, id, self.provider.sender()))
    }

    /// Claims and proves the next segment, and delivers its batch where it is the last one of it.
    async fn submit(&self, job: &Domain, first: &[G1Affine], proof: &Proof) -> Result<Sent, ChainError> {
        let proof = ChainProof::of(first, proof).ok_or_else(|| ChainError::Answer("wrapped proof".into()))?;
        let id = job.job.into();
        let held = self.ask(&TrainingMarket::jobOfCall { id }).await?;
        let terms = self.ask(&TrainingMarket::termsOfCall { id }).await?;
        let every = u16::from(terms.batches.deliverEvery).max(1);
        let call =
            TrainingMarket::claimProvenCall { id, index: U256::from(held.claimed), proof: proof.to_bytes().into() };
        let sent = self.provider.send(self.deployment.market.address, &call).await?;
        let claimed = held.claimed + 1;
        if claimed == held.total || claimed.is_multiple_of(every) {
            let proved = sent.receipt.decoded_log::<TrainingMarket::Proved>();
            let hash = sent.receipt.transaction_hash;
            let last = proved.ok_or(ChainError::Receipt { hash, what: "event of the proof" })?.last;
            self.deliver(id, U256::from(held.claimed / every), last).await?;
        }
        Ok(sent)
    }
}
