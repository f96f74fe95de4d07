//! Putting the market on a chain.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::primitives::Bytes;
use alloy::sol_types::SolConstructor;
use gradproof_evm::segment_key;
use gradproof_verifier::protocol::key::VerifyingKey;

use super::deployment::{ColumnCounts, CompilerUsed, Contract, Deployment, MAX_DECIMALS, VERSION, Verifier, same};
use super::{ComputeToken, TrainingMarket};
use crate::verifiers::{DeployedVerifiers, VerifierCode, segment_verifier};
use crate::{
    Address, Artifact, B256, ChainError, Client, Compiler, ContractName, Deployed, Link, Maker, SolValue, U256,
};

/// Tokens of a market's own that will ever exist; each is 10^18 units.
pub const SUPPLY_TOKENS: u64 = 1_000_000_000;

/// The token that a market pays with.
#[derive(Clone, Copy, Debug)]
pub enum Money {
    /// One of its own: [`SUPPLY_TOKENS`], all of them to this account.
    Own(Address),
    /// An ERC-20 token that is there already. The market refuses transfers that move another amount than they say.
    There(Address),
}

const FILES: [&str; 4] = [
    "src/registry/ComputeToken.sol",
    "src/registry/NodeRegistry.sol",
    "src/registry/DatasetRegistry.sol",
    "src/market/TrainingMarket.sol",
];

/// The market's contracts, compiled: takes most of a minute.
#[derive(Clone, Debug)]
pub struct MarketCode {
    artifacts: BTreeMap<ContractName, Artifact>,
    segment: Artifact,
    compiler: Compiler,
    used: CompilerUsed,
}

impl MarketCode {
    /// Compiles the sources in the folder `contracts`: the verifiers for little gas, the others for size.
    ///
    /// # Errors
    /// If the tools of the folder are not installed, or the sources do not compile.
    pub fn compile(contracts: &Path) -> Result<Self, ChainError> {
        let market = Compiler::with_profile(contracts, "default")?;
        let compiler = Compiler::new(contracts)?;
        let used =
            CompilerUsed { version: compiler.version()?, market: market.settings(), verifiers: compiler.settings() };
        let segment = segment_verifier(&compiler)?;
        Ok(Self { artifacts: market.compile_files(&FILES)?, segment, compiler, used })
    }

    /// The compiled contract `name` of `contracts/src`.
    ///
    /// # Errors
    /// If there is none.
    pub fn artifact(&self, name: &str) -> Result<&Artifact, ChainError> {
        let own = |key: &&ContractName| key.name == name && key.file.starts_with("src/");
        let found = self.artifacts.keys().find(own).and_then(|key| self.artifacts.get(key));
        found.ok_or_else(|| ChainError::Answer(format!("contract {name}")))
    }

    /// Deploys the market; the verifiers of keys come after it.
    ///
    /// # Errors
    /// [`ChainError::NoToken`] if that is none; if the node refuses, or the account cannot pay.
    pub async fn deploy<M: Maker>(&self, client: &M, money: Money) -> Result<Deployment, ChainError> {
        let block = client.block().await?;
        let token = match money {
            Money::Own(holder) => {
                let supply = U256::from(SUPPLY_TOKENS) * U256::from(10u8).pow(U256::from(18u8));
                let call = ComputeToken::constructorCall { holder, supply };
                made(client, self.artifact("ComputeToken")?, &call.abi_encode()).await?
            }
            Money::There(address) => Contract::at(client, address, B256::ZERO).await?,
        };
        let decimals = decimals_of(client, token.address).await?;
        let nodes = made(client, self.artifact("NodeRegistry")?, &[]).await?;
        let datasets = made(client, self.artifact("DatasetRegistry")?, &[]).await?;
        let mut libraries = BTreeMap::new();
        let market = self.artifact("TrainingMarket")?;
        for (name, library) in self.libraries()? {
            libraries.insert(name.to_owned(), made(client, &linked(library, &libraries)?, &[]).await?);
        }
        let market = linked(market, &libraries)?;
        let market = made(client, &market, &market_arguments(token, nodes, datasets)).await?;
        let vault = client.call(market.address, &TrainingMarket::vaultCall {}).await?;
        Ok(Deployment {
            version: VERSION,
            chain: client.id(),
            block,
            compiler: self.used.clone(),
            token,
            decimals,
            nodes,
            datasets,
            market,
            vault: Contract::at(client, vault, market.transaction).await?,
            libraries,
            verifiers: Vec::new(),
        })
    }

    /// Checks that these sources made the contracts of a deployment: compares the creation code of every one, and its
    /// arguments. Code and what is immutable in it follow from them. The verifiers of keys are checked apart.
    ///
    /// # Errors
    /// [`ChainError::Deployment`] for the first contract that was made otherwise; if the node does not answer.
    pub async fn check(&self, client: &Client, deployment: &Deployment) -> Result<(), ChainError> {
        let Deployment { token, nodes, datasets, market, libraries, .. } = deployment;
        if deployment.own_token() {
            // Who holds the supply, and how much it is, are nobody's business: two words.
            let arguments = made_with(client, *token, self.artifact("ComputeToken")?).await?;
            same("the length of the token's arguments", 64, arguments.len())?;
        }
        for (name, contract) in [("NodeRegistry", nodes), ("DatasetRegistry", datasets)] {
            let arguments = made_with(client, *contract, self.artifact(name)?).await?;
            same(&format!("the length of the arguments of {name}"), 0, arguments.len())?;
        }
        for (name, library) in self.libraries()? {
            let contract = libraries.get(name).ok_or_else(|| ChainError::Unlinked { library: name.to_owned() })?;
            let arguments = made_with(client, *contract, &linked(library, libraries)?).await?;
            same(&format!("the length of the arguments of {name}"), 0, arguments.len())?;
        }
        let arguments = made_with(client, *market, &linked(self.artifact("TrainingMarket")?, libraries)?).await?;
        same("the market's arguments", market_arguments(*token, *nodes, *datasets).into(), arguments)
    }

    /// Compiles the verifiers of a key for wrapped proofs.
    ///
    /// # Errors
    /// If the key is not for wrapped proofs, or the circuit's verifier does not compile.
    pub fn verifier<'a>(&self, key: &'a VerifyingKey) -> Result<VerifierCode<'a>, ChainError> {
        VerifierCode::with(&self.compiler, key, self.segment.clone())
    }

    /// The libraries of the market, each after those that it names itself.
    fn libraries(&self) -> Result<Vec<(&str, &Artifact)>, ChainError> {
        let mut found = Vec::new();
        self.collect_libraries(self.artifact("TrainingMarket")?, &mut found)?;
        Ok(found)
    }

    fn collect_libraries<'a>(
        &'a self,
        artifact: &'a Artifact,
        found: &mut Vec<(&'a str, &'a Artifact)>,
    ) -> Result<(), ChainError> {
        for Link { library, .. } in &artifact.links {
            if !found.iter().any(|(name, _)| *name == library.name) {
                let unknown = || ChainError::Unlinked { library: library.name.clone() };
                let artifact = self.artifacts.get(library).ok_or_else(unknown)?;
                self.collect_libraries(artifact, found)?;
                found.push((&library.name, artifact));
            }
        }
        Ok(())
    }
}

impl VerifierCode<'_> {
    /// Deploys the verifiers.
    ///
    /// # Errors
    /// If the node refuses, or the account cannot pay.
    pub async fn deploy(&self, client: &Client) -> Result<Verifier, ChainError> {
        let DeployedVerifiers { halo2, segment, said } = self.put(client).await?;
        Ok(Verifier {
            key: said.key,
            setup: self.key.setup.digest().into(),
            insecure_setup: said.insecure,
            columns: ColumnCounts {
                vars: said.columnVars.into(),
                data: said.dataColumns.into(),
                parameters: said.parameterColumns.into(),
                trace: said.traceColumns.into(),
            },
            segment: at(client, segment).await?,
            halo2: at(client, halo2).await?,
        })
    }

    /// Checks that these sources made a key's verifiers, with this key: compares creation code and arguments.
    ///
    /// # Errors
    /// [`ChainError::Deployment`] for the first contract that was made otherwise; if the node does not answer.
    pub async fn check(&self, client: &Client, verifier: &Verifier) -> Result<(), ChainError> {
        let arguments = made_with(client, verifier.halo2, &self.halo2).await?;
        same("the arguments of the circuit's verifier", Bytes::new(), arguments)?;
        let expected = segment_key(self.key, verifier.halo2.address).abi_encode();
        same("the key of the verifier", expected.into(), made_with(client, verifier.segment, &self.segment).await?)
    }
}

/// Digits behind the point of an ERC-20 token.
async fn decimals_of<M: Maker>(client: &M, address: Address) -> Result<u8, ChainError> {
    let asked = async {
        client.call(address, &ComputeToken::totalSupplyCall {}).await?;
        client.call(address, &ComputeToken::balanceOfCall { account: client.sender() }).await?;
        client.call(address, &ComputeToken::decimalsCall {}).await
    };
    match asked.await {
        Ok(decimals) if decimals <= MAX_DECIMALS => Ok(decimals),
        Ok(_) | Err(ChainError::Reverted { .. } | ChainError::Decode(_)) => Err(ChainError::NoToken { address }),
        Err(error) => Err(error),
    }
}

/// A contract that is made here.
async fn made<M: Maker>(client: &M, artifact: &Artifact, arguments: &[u8]) -> Result<Contract, ChainError> {
    at(client, client.deploy(artifact, arguments).await?).await
}

async fn at<M: Maker>(client: &M, deployed: Deployed) -> Result<Contract, ChainError> {
    Contract::at(client, deployed.address, deployed.transaction).await
}

/// The arguments with which `artifact` made a contract.
async fn made_with(client: &Client, contract: Contract, artifact: &Artifact) -> Result<Bytes, ChainError> {
    let (address, code) = client.creation(contract.transaction).await?;
    same(&format!("what {} made", contract.transaction), contract.address, address)?;
    let other = || ChainError::Deployment {
        what: format!("the creation code of {address}"),
        expected: format!("that of these sources, {} bytes", artifact.bytecode.len()),
        got: format!("another, {} bytes with arguments", code.len()),
    };
    let arguments = code.strip_prefix(&artifact.bytecode[..]).ok_or_else(other)?;
    Ok(Bytes::copy_from_slice(arguments))
}

/// Code with the addresses of its libraries.
fn linked(artifact: &Artifact, libraries: &BTreeMap<String, Contract>) -> Result<Artifact, ChainError> {
    let address = |link: &Link| Some((link.library.clone(), libraries.get(&link.library.name)?.address));
    artifact.clone().linked(&artifact.links.iter().filter_map(address).collect())
}

fn market_arguments(token: Contract, nodes: Contract, datasets: Contract) -> Vec<u8> {
    TrainingMarket::constructorCall { token_: token.address, nodes_: nodes.address, datasets_: datasets.address }
        .abi_encode()
}
