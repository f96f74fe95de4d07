//! Where the market's contracts are, and with which code: a JSON file.

use std::collections::BTreeMap;
use std::fmt::Display;

use alloy::primitives::utils::{format_units, parse_units};
use serde::{Deserialize, Serialize};

use super::{ComputeToken, StakeVault, TrainingMarket};
use crate::{Address, B256, ChainError, Client, Maker, SegmentVerifier, U256};

/// Version of the format.
pub const VERSION: u32 = 2;

/// Most digits behind the point of a token: those of a number of 256 bits.
pub(super) const MAX_DECIMALS: u8 = 77;

/// A market on a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Version of the format.
    pub version: u32,
    /// Chain id.
    pub chain: u64,
    /// Newest block before the first contract was made: the market's events are in later ones.
    pub block: u64,
    /// What the contracts were compiled with.
    pub compiler: CompilerUsed,
    /// The token that it pays with: its own `ComputeToken`, or another one, whose `transaction` is then zero.
    pub token: Contract,
    /// Digits of that token behind the point.
    pub decimals: u8,
    /// `NodeRegistry`.
    pub nodes: Contract,
    /// `DatasetRegistry`.
    pub datasets: Contract,
    /// `TrainingMarket`.
    pub market: Contract,
    /// `StakeVault`, which the market made.
    pub vault: Contract,
    /// Libraries that are part of the market's code by their addresses.
    pub libraries: BTreeMap<String, Contract>,
    /// Verifiers of segments, one a key.
    pub verifiers: Vec<Verifier>,
}

/// A contract on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Where it is.
    pub address: Address,
    /// keccak256 of its code, immutables and libraries filled in.
    pub code_hash: B256,
    /// The transaction that made it; the vault's is the market's.
    pub transaction: B256,
}

/// The compiler, and its settings as in its standard JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompilerUsed {
    /// The compiler's version.
    pub version: String,
    /// For the market and its registers.
    pub market: serde_json::Value,
    /// For the verifiers; the generated one without `viaIR`.
    pub verifiers: serde_json::Value,
}

/// The verifiers of a verifying key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verifier {
    /// Digest of the verifying key, as in statements.
    pub key: B256,
    /// Digest of the set-up, as in statements.
    pub setup: B256,
    /// True if anyone can forge proofs.
    pub insecure_setup: bool,
    /// Columns of a proof.
    pub columns: ColumnCounts,
    /// `SegmentVerifier`, which terms name.
    pub segment: Contract,
    /// `Halo2Verifier`, which it asks.
    pub halo2: Contract,
}

/// How many columns a proof has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnCounts {
    /// log2 of the length of a column.
    pub vars: u64,
    /// Of a position's data.
    pub data: u64,
    /// Of the parameters at either end of a segment.
    pub parameters: u64,
    /// Of the trace.
    pub trace: u64,
}

impl Contract {
    /// A contract that `transaction` made at `address`, with the code that it has now.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn at<M: Maker>(client: &M, address: Address, transaction: B256) -> Result<Self, ChainError> {
        Ok(Self { address, code_hash: client.code_hash(address).await?, transaction })
    }
}

impl Deployment {
    /// The deployment as indented JSON.
    pub fn to_json(&self) -> String {
        // Every part has a JSON form.
        serde_json::to_string_pretty(self).map(|json| json + "\n").unwrap_or_default()
    }

    /// Compares all of it with the chain: the chain's id, the code at every address, which contracts the market calls, and
    /// what the verifiers say of themselves. Whether that code is of the right sources is another question:
    /// [`MarketCode::check`](super::MarketCode::check).
    ///
    /// # Errors
    /// [`ChainError::Deployment`] for the first difference; if the node does not answer.
    pub async fn check(&self, client: &Client) -> Result<(), ChainError> {
        same("the version of the format", self.version, VERSION)?;
        same("the id", self.chain, client.id())?;
        for (name, contract) in self.contracts() {
            let what = format!("the hash of the code of {name} at {}", contract.address);
            same(&what, contract.code_hash, client.code_hash(contract.address).await?)?;
        }
        let market = self.market.address;
        let wired = [
            ("token", self.token, client.call(market, &TrainingMarket::tokenCall {}).await?),
            ("register of nodes", self.nodes, client.call(market, &TrainingMarket::nodesCall {}).await?),
            ("register of data sets", self.datasets, client.call(market, &TrainingMarket::datasetsCall {}).await?),
            ("vault", self.vault, client.call(market, &TrainingMarket::vaultCall {}).await?),
        ];
        for (name, contract, got) in wired {
            same(&format!("the market's {name}"), contract.address, got)?;
        }
        let decimals = client.call(self.token.address, &ComputeToken::decimalsCall {}).await?;
        same("the token's number of decimals", self.decimals, decimals)?;
        same("whether an amount of the token can be said", true, decimals <= MAX_DECIMALS)?;
        same("the vault's market", market, client.call(self.vault.address, &StakeVault::marketCall {}).await?)?;
        for verifier in &self.verifiers {
            verifier.check(client).await?;
        }
        Ok(())
    }

    /// Whether the market has a token of its own. Another one was there before, and is not of the project's sources.
    pub fn own_token(&self) -> bool {
        !self.token.transaction.is_zero()
    }

    /// An amount of the token, in words.
    pub fn tokens(&self, amount: U256) -> String {
        format_units(amount, self.decimals).unwrap_or_else(|_| amount.to_string())
    }

    /// So many tokens, in words, in the token's smallest unit.
    ///
    /// # Errors
    /// It is no number, has more digits behind the point than the token, or is too large for the market.
    pub fn amount(&self, tokens: &str) -> Result<u128, ChainError> {
        let refuse = |message: String| ChainError::Amount { text: tokens.to_owned(), message };
        let digits = tokens.split_once('.').map_or(0, |(_, digits)| digits.len());
        if digits > usize::from(self.decimals) {
            return Err(refuse(format!("the token has {} digits behind the point", self.decimals)));
        }
        let parsed = parse_units(tokens, self.decimals).map_err(|error| refuse(error.to_string()))?;
        if parsed.is_negative() {
            return Err(refuse("it is negative".into()));
        }
        u128::try_from(parsed.get_absolute()).map_err(|_| refuse("it is too large".into()))
    }

    /// The verifiers of a key, if they are there.
    pub fn verifier(&self, key: &[u8; 32]) -> Option<&Verifier> {
        self.verifiers.iter().find(|verifier| verifier.key == *key)
    }

    /// All contracts with their names.
    fn contracts(&self) -> impl Iterator<Item = (&str, Contract)> {
        let own = [
            ("ComputeToken", self.token),
            ("NodeRegistry", self.nodes),
            ("DatasetRegistry", self.datasets),
            ("TrainingMarket", self.market),
            ("StakeVault", self.vault),
        ];
        let libraries = self.libraries.iter().map(|(name, contract)| (name.as_str(), *contract));
        let verifiers = self
            .verifiers
            .iter()
            .flat_map(|verifier| [("SegmentVerifier", verifier.segment), ("Halo2Verifier", verifier.halo2)]);
        own.into_iter().chain(libraries).chain(verifiers)
    }
}

impl Verifier {
    /// Compares what a verifier says of itself.
    async fn check(&self, client: &Client) -> Result<(), ChainError> {
        let at = self.segment.address;
        same("the verifier's key", self.key, client.call(at, &SegmentVerifier::keyCall {}).await?)?;
        same("the verifier's set-up", self.setup, client.call(at, &SegmentVerifier::setupCall {}).await?)?;
        let insecure = client.call(at, &SegmentVerifier::insecureSetupCall {}).await?;
        same("whether the verifier's set-up is insecure", self.insecure_setup, insecure)?;
        let halo2 = client.call(at, &SegmentVerifier::halo2Call {}).await?;
        same("the verifier of the circuit", self.halo2.address, halo2)?;
        let ColumnCounts { vars, data, parameters, trace } = self.columns;
        let columns = [
            (vars, client.call(at, &SegmentVerifier::columnVarsCall {}).await?),
            (data, client.call(at, &SegmentVerifier::dataColumnsCall {}).await?),
            (parameters, client.call(at, &SegmentVerifier::parameterColumnsCall {}).await?),
            (trace, client.call(at, &SegmentVerifier::traceColumnsCall {}).await?),
        ];
        columns.into_iter().try_for_each(|(said, got)| same("the verifier's number of columns", U256::from(said), got))
    }
}

/// Refuses a difference.
pub(super) fn same<T: PartialEq + Display>(what: &str, expected: T, got: T) -> Result<(), ChainError> {
    if expected == got {
        return Ok(());
    }
    Err(ChainError::Deployment { what: what.to_owned(), expected: expected.to_string(), got: got.to_string() })
}
