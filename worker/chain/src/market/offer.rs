//! A job's id, and what a requester signs to offer it: computed here, so that nobody signs a digest that a node told.

use alloy::primitives::keccak256;
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue};

use super::TrainingMarket::Terms;
use crate::{Address, B256, U256};

/// Name and version of the market's domain (EIP-712), as its constructor says them.
const DOMAIN: (&str, &str) = ("gradproof market", "2");
/// What an offer says, beside the types of the terms.
const OFFER: &str =
    "Offer(address requester,address provider,Terms terms,bytes32 licence,uint256 nonce,uint256 expiry)";

/// Where a job is offered, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offering {
    /// Chain id.
    pub chain: u64,
    /// The market.
    pub market: Address,
    /// Who pays for the job.
    pub requester: Address,
    /// The requester's nonce: the market takes one job for each.
    pub nonce: U256,
}

impl Offering {
    /// Id of the job that these terms make: that of the market's `idOf`.
    pub fn job(&self, terms: &Terms) -> B256 {
        let Self { chain, market, requester, nonce } = *self;
        let digest = keccak256(terms.abi_encode());
        keccak256((U256::from(chain), market, requester, nonce, digest).abi_encode())
    }

    /// What the requester signs for `provider`: that of the market's `offerDigest`.
    ///
    /// `licence`: what the data owner signed ([`super::SignedLicence::digest`]), or zero where the data are no registered set.
    ///
    /// # Units
    /// `expiry`, the last second in which the offer can be brought, in seconds since 1970.
    pub fn digest(&self, provider: Address, terms: &Terms, licence: B256, expiry: u64) -> B256 {
        let mut types = Terms::eip712_components();
        types.push(Terms::eip712_root_type());
        types.sort_unstable();
        types.dedup();
        let kind = keccak256(format!("{OFFER}{}", types.concat()));
        let agreed = terms.eip712_hash_struct();
        let fields = (kind, self.requester, provider, agreed, licence, self.nonce, U256::from(expiry));
        typed(self.chain, self.market, keccak256(fields.abi_encode()))
    }
}

/// What is signed for a market of a struct with this hash (EIP-712).
pub(super) fn typed(chain: u64, market: Address, of: B256) -> B256 {
    let (name, version) = DOMAIN;
    let (name, version) = (Some(name.into()), Some(version.into()));
    let domain = Eip712Domain::new(name, version, Some(U256::from(chain)), Some(market), None);
    keccak256([&b"\x19\x01"[..], domain.separator().as_slice(), of.as_slice()].concat())
}
