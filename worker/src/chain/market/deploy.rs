//! Putting the market on a chain.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::sol_types::SolConstructor;
use gradproof_verifier::key::VerifyingKey;

use super::deployment::{Columns, CompilerUsed, Contract, Deployment, VERSION, Verifier};
use super::{ComputeToken, TrainingMarket};
use crate::chain::{Address, Artifact, Chain, ChainError, Compiler, Deployed, SolValue, Source, U256, segment_key};

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
        let contract = |name: &str, arguments: &[u8]| -> Result<Contract, ChainError> {
            Contract::at(chain, chain.deploy(self.artifact(name)?, arguments)?.address)
        };
        let token = ComputeToken::constructorCall { holder, supply };
        let token = contract("ComputeToken", &token.abi_encode())?;
        let nodes = contract("NodeRegistry", &[])?;
        let datasets = contract("DatasetRegistry", &[])?;
        let mut addresses = BTreeMap::new();
        let market = self.artifact("TrainingMarket")?.clone();
        self.deploy_libraries(chain, &market, &mut addresses)?;
        let arguments = TrainingMarket::constructorCall {
            token_: token.address,
            nodes_: nodes.address,
            datasets_: datasets.address,
        };
        let market = chain.deploy(&market.linked(&addresses)?, &arguments.abi_encode())?;
        let libraries: Result<_, ChainError> =
            addresses.into_iter().map(|(source, address)| Ok((source.name, Contract::at(chain, address)?))).collect();
        Ok(Deployment {
            version: VERSION,
            chain: chain.id(),
            block,
            compiler: self.used.clone(),
            token,
            nodes,
            datasets,
            market: Contract::at(chain, market.address)?,
            vault: Contract::at(chain, chain.call(market.address, &TrainingMarket::vaultCall {})?)?,
            libraries: libraries?,
            verifiers: Vec::new(),
        })
    }

    /// Compiles the verifiers of a key for wrapped proofs.
    ///
    /// # Errors
    /// If the key is not for wrapped proofs, or the circuit's verifier does not compile.
    pub fn verifier<'a>(&'a self, key: &'a VerifyingKey) -> Result<VerifierCode<'a>, ChainError> {
        let source = key
            .halo2_verifier_source()
            .map_err(|error| ChainError::Source(format!("the circuit's verifier cannot be written: {error}")))?;
        let halo2 = self.compiler.compile_generated(HALO2.0, &source, HALO2.1)?;
        Ok(VerifierCode { key, halo2, segment: &self.verifier })
    }

    /// Deploys the libraries that `artifact` names and that have no address yet, and those that they name before them.
    fn deploy_libraries(
        &self,
        chain: &Chain,
        artifact: &Artifact,
        addresses: &mut BTreeMap<Source, Address>,
    ) -> Result<(), ChainError> {
        for link in &artifact.links {
            if addresses.contains_key(&link.library) {
                continue;
            }
            let library = self.artifacts.get(&link.library);
            let library = library.ok_or_else(|| ChainError::Unlinked { library: link.library.name.clone() })?;
            self.deploy_libraries(chain, library, addresses)?;
            let Deployed { address, .. } = chain.deploy(&library.clone().linked(addresses)?, &[])?;
            addresses.insert(link.library.clone(), address);
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
        let halo2 = chain.deploy(&self.halo2, &[])?;
        let said = segment_key(self.key, halo2.address);
        let segment = chain.deploy(self.segment, &said.abi_encode())?;
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
            segment: Contract::at(chain, segment.address)?,
            halo2: Contract::at(chain, halo2.address)?,
        })
    }
}
