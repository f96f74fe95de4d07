//! A local Ethereum node of one's own.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use alloy::node_bindings::{self, AnvilInstance, NodeError};
use alloy::signers::local::PrivateKeySigner;

use super::{Address, ChainError, Client, U256};

/// The chain of a local node, the only one where contracts take an insecure set-up.
pub const LOCAL_CHAIN: u64 = 31_337;
/// How long the node may take until it listens.
const START: Duration = Duration::from_secs(30);

/// A node that runs until the value is dropped.
#[derive(Debug)]
pub struct Anvil {
    _instance: AnvilInstance,
    url: String,
    signers: [PrivateKeySigner; 2],
}

impl Anvil {
    /// Starts a node of the chain [`LOCAL_CHAIN`] on a free port of this machine.
    ///
    /// # Errors
    /// [`ChainError::Missing`] if the tools of `contracts` (that folder) are not installed; if the node does not come to listen.
    pub fn start(contracts: &Path) -> Result<Self, ChainError> {
        Self::start_as(contracts, LOCAL_CHAIN)
    }

    /// The same for another chain id.
    ///
    /// # Errors
    /// As [`Anvil::start`].
    pub fn start_as(contracts: &Path, chain: u64) -> Result<Self, ChainError> {
        let program = program(contracts);
        let node = node_bindings::Anvil::at(&program).host("127.0.0.1").chain_id(chain).prague();
        // Otherwise nobody reads what the node goes on to write.
        let node = node.timeout(START.as_millis() as u64).keep_stdout();
        let mut instance = node.try_spawn().map_err(|error| match error {
            NodeError::SpawnError(source) => ChainError::Missing { program, source },
            NodeError::Timeout => ChainError::NotListening { within: START },
            error => ChainError::Node(error.to_string()),
        })?;
        let output = instance.child_mut().stdout.take();
        thread::spawn(move || output.map(|mut output| io::copy(&mut output, &mut io::sink())));
        let [first, second, ..] = instance.keys() else {
            return Err(ChainError::Node("it has no two accounts".into()));
        };
        let signers = [first, second].map(|key| PrivateKeySigner::from(key.clone()));
        Ok(Self { url: instance.endpoint(), signers, _instance: instance })
    }

    /// Where the node listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key of an account that has funds on the node. Everybody knows it.
    pub fn signer(&self) -> PrivateKeySigner {
        self.signers[0].clone()
    }

    /// Makes a block every so many seconds from now on, whether there is a transaction or not, and none for a transaction alone.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn mine_every(&self, client: &Client, secs: u64) -> Result<(), ChainError> {
        client.request_raw::<_, serde_json::Value>("evm_setIntervalMining", (secs,)).await.map(drop)
    }

    /// Gives an account ether, in wei.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn give(&self, client: &Client, account: Address, wei: U256) -> Result<(), ChainError> {
        client.request_raw::<_, serde_json::Value>("anvil_setBalance", (account, wei)).await.map(drop)
    }

    /// The key of another account that has funds.
    pub fn other_signer(&self) -> PrivateKeySigner {
        self.signers[1].clone()
    }
}

/// The node's own program: the launcher of the npm package would leave it behind when it is killed.
fn program(contracts: &Path) -> PathBuf {
    let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let system = if system == "windows" { "win32" } else { system };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let name = format!("anvil{}", std::env::consts::EXE_SUFFIX);
    let package = contracts.join("node_modules").join("@foundry-rs").join(format!("anvil-{system}-{processor}"));
    package.join("bin").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_node_it_is_said_what_installs_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Anvil::start(folder.path()).expect_err("there is no node").to_string();
        assert!(error.starts_with(&folder.path().display().to_string()), "{error}");
        assert!(error.ends_with("`cargo xtask contracts` installs it"), "{error}");
    }
}
