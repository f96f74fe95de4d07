//! A local Ethereum node of one's own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;

use super::ChainError;

/// How long the node may take until it listens.
const START: Duration = Duration::from_secs(60);
/// The first key of the node, which everybody knows: of the test phrase that all such nodes share.
const KEY: B256 = B256::new([
    0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4,
    0x78, 0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80,
]);

/// A node that runs until the value is dropped.
#[derive(Debug)]
pub struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    /// Starts a node of the chain 31337 on a free port of this machine.
    ///
    /// # Errors
    /// [`ChainError::Missing`] if the tools of `contracts` (that folder) are not installed; if the node does not come to listen.
    pub fn start(contracts: &Path) -> Result<Self, ChainError> {
        Self::start_as(contracts, 31337)
    }

    /// The same for another chain id.
    ///
    /// # Errors
    /// As [`Anvil::start`].
    pub fn start_as(contracts: &Path, chain: u64) -> Result<Self, ChainError> {
        let program = program(contracts);
        let mut process = Command::new(&program)
            .args(["--port", "0", "--chain-id", &chain.to_string(), "--hardfork", "prague"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ChainError::Missing { program, source })?;
        let output = process.stdout.take();
        let mut node = Self { process, url: String::new() };
        let (sender, receiver) = mpsc::sync_channel(1);
        // Reads on after the address, or the node would block on a full pipe.
        thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("Listening on ") {
                    sender.send(address.to_owned()).ok();
                }
            }
        });
        let address = receiver.recv_timeout(START).map_err(|_| ChainError::NotListening { within: START })?;
        node.url = format!("http://{address}");
        Ok(node)
    }

    /// Where the node listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A key whose account has funds on such a node. Everybody knows it.
    pub fn signer() -> PrivateKeySigner {
        // The bytes are a valid key.
        PrivateKeySigner::from_bytes(&KEY).unwrap_or_else(|_| PrivateKeySigner::random())
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
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
