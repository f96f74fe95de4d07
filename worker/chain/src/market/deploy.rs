//! Putting the market on a chain.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::primitives::Bytes;
use alloy::sol_types::SolConstructor;
use gradproof_evm::{halo2_source, segment_key};
use gradproof_verifier::protocol::key::VerifyingKey;

use super::deployment::{Columns, CompilerUsed, Contract, Deployment, VERSION, Verifier, same};
use super::{ComputeToken, TrainingMarket};
use crate::{Address, Artifact, Chain, ChainError, Compiler, Deployed, Link, SolValue, Source, U256};

/// Tokens that will ever exist, unless a deployment says otherwise; each is 10^18 units.
pub const SUPPLY_TOKENS: u64 = 1_000_000_000;

const FILES: [&str; 4] =
    ["src/ComputeToken.sol", "src/NodeRegistry.sol", "src/DatasetRegistry.sol", "src/TrainingMarket.sol"];
const VERIFIER: (&str, &str) = ("src/SegmentVerifier.sol", "SegmentVerifier");
const HALO2: (&str, &str) = ("src/Halo2Verifier.sol", "Halo2Verifier");

/// The market's contracts, compiled: takes most of a minute.
#[derive(Clone, Debug)]
pub struct MarketCode {
    artifacts: BTreeMap<Source, Artifact>,
    verifier: Artifact,
    compiler: Compiler,
    used: CompilerUsed,
}

/// The verifiers of a key, compiled.
#[derive(Clone, Debug)]
pub struct VerifierCode<'a> {
    key: &'a VerifyingKey,
    halo2: Artifact,
    segment: &'a Artifact,
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
        let verifier = compiler.compile_file(VERIFIER.0, VERIFIER.1)?;
        Ok(Self { artifacts: market.compile_files(&FILES)?, verifier, compiler, used })
    }

    /// The compiled contract `name` of `src/name.sol`.
    ///
    /// # Errors
    /// If there is none.
    pub fn artifact(&self, name: &str) -> Result<&Artifact, ChainError> {
        let source = Source { file: format!("src/{name}.sol"), name: name.to_owned() };
        self.artifacts.get(&source).ok_or_else(|| ChainError::Answer(format!("contract {name}")))
    }

    /// Deploys the market, and a token whose whole supply goes to `holder`; the verifiers of keys come after it.
    ///
    /// # Units
    /// `supply` in units of 10^-18 token.
    ///
    /// # Errors
    /// If the node refuses, or the account cannot pay.
    pub fn deploy(&self, chain: &Chain, holder: Address, supply: U256) -> Result<Deployment, ChainError> {
        let block = chain.block()?;
        let contract = |name: &str, arguments: &[u8]| made(chain, self.artifact(name)?, arguments);
        let token = ComputeToken::constructorCall { holder, supply };
        let token = contract("ComputeToken", &token.abi_encode())?;
        let nodes = contract("NodeRegistry", &[])?;
        let datasets = contract("DatasetRegistry", &[])?;
        let mut libraries = BTreeMap::new();
        let market = self.artifact("TrainingMarket")?;
        for (name, library) in self.libraries()? {
            libraries.insert(name.to_owned(), made(chain, &linked(library, &libraries)?, &[])?);
        }
        let market = linked(market, &libraries)?;
        let market = made(chain, &market, &market_arguments(token, nodes, datasets))?;
        let vault = chain.call(market.address, &TrainingMarket::vaultCall {})?;
        Ok(Deployment {
            version: VERSION,
            chain: chain.id(),
            block,
            compiler: self.used.clone(),
            token,
            nodes,
            datasets,
            market,
            vault: Contract::at(chain, vault, market.transaction)?,
            libraries,
            verifiers: Vec::new(),
        })
    }

    /// Checks that these sources made the contracts of a deployment: compares the creation code of every one, and its
    /// arguments. Code and what is immutable in it follow from them. The verifiers of keys are checked apart.
    ///
    /// # Errors
    /// [`ChainError::Deployment`] for the first contract that was made otherwise; if the node does not answer.
    pub fn check(&self, chain: &Chain, deployment: &Deployment) -> Result<(), ChainError> {
        let Deployment { token, nodes, datasets, market, libraries, .. } = deployment;
        // Who holds the supply, and how much it is, are nobody's business: two words.
        let arguments = made_with(chain, *token, self.artifact("ComputeToken")?)?;
        same("the length of the token's arguments", 64, arguments.len())?;
        for (name, contract) in [("NodeRegistry", nodes), ("DatasetRegistry", datasets)] {
            let arguments = made_with(chain, *contract, self.artifact(name)?)?;
            same(&format!("the length of the arguments of {name}"), 0, arguments.len())?;
        }
        for (name, library) in self.libraries()? {
            let contract = libraries.get(name).ok_or_else(|| ChainError::Unlinked { library: name.to_owned() })?;
            let arguments = made_with(chain, *contract, &linked(library, libraries)?)?;
            same(&format!("the length of the arguments of {name}"), 0, arguments.len())?;
        }
        let arguments = made_with(chain, *market, &linked(self.artifact("TrainingMarket")?, libraries)?)?;
        same("the market's arguments", market_arguments(*token, *nodes, *datasets).into(), arguments)
    }

    /// Compiles the verifiers of a key for wrapped proofs.
    ///
    /// # Errors
    /// If the key is not for wrapped proofs, or the circuit's verifier does not compile.
    pub fn verifier<'a>(&'a self, key: &'a VerifyingKey) -> Result<VerifierCode<'a>, ChainError> {
        let source = halo2_source(key)
            .map_err(|error| ChainError::Source(format!("the circuit's verifier cannot be written: {error}")))?;
        let halo2 = self.compiler.compile_generated(HALO2.0, &source, HALO2.1)?;
        Ok(VerifierCode { key, halo2, segment: &self.verifier })
    }

    /// The libraries of the market, each behind those that it names itself.
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
    pub fn deploy(&self, chain: &Chain) -> Result<Verifier, ChainError> {
        let halo2 = made(chain, &self.halo2, &[])?;
        let said = segment_key(self.key, halo2.address);
        Ok(Verifier {
            key: said.key,
            setup: self.key.setup.digest().into(),
            insecure_setup: said.insecure,
            columns: Columns {
                vars: said.columnVars.into(),
                data: said.dataColumns.into(),
                parameters: said.parameterColumns.into(),
                trace: said.traceColumns.into(),
            },
            segment: made(chain, self.segment, &said.abi_encode())?,
            halo2,
        })
    }

    /// Checks that these sources made a key's verifiers, with this key: compares creation code and arguments.
    ///
    /// # Errors
    /// [`ChainError::Deployment`] for the first contract that was made otherwise; if the node does not answer.
    pub fn check(&self, chain: &Chain, verifier: &Verifier) -> Result<(), ChainError> {
        let arguments = made_with(chain, verifier.halo2, &self.halo2)?;
        same("the arguments of the circuit's verifier", Bytes::new(), arguments)?;
        let expected = segment_key(self.key, verifier.halo2.address).abi_encode();
        same("the key of the verifier", expected.into(), made_with(chain, verifier.segment, self.segment)?)
    }
}

/// A contract that is made here.
fn made(chain: &Chain, artifact: &Artifact, arguments: &[u8]) -> Result<Contract, ChainError> {
    let Deployed { address, transaction, .. } = chain.deploy(artifact, arguments)?;
    Contract::at(chain, address, transaction)
}

/// The arguments with which `artifact` made a contract.
fn made_with(chain: &Chain, contract: Contract, artifact: &Artifact) -> Result<Bytes, ChainError> {
    let (address, code) = chain.creation(contract.transaction)?;
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
