//! `requester deploy` and `requester check-deployment`: the market on a chain.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_chain::market::{Deployment, MarketCode, Money, VERSION, Verifier, check_chain};
use gradproof_chain::{Address, B256, Chain, ChainError, LOCAL_CHAIN, PrivateKeySigner};
use gradproof_terminal::atomic::{refuse_existing, write_new};
use gradproof_terminal::{Outcome, Progress, pasted, print};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier_program::files::{read, read_key_of, read_statement};
use gradproof_verifier_program::warn;

/// Holds the key of the account that pays, if no file does.
const KEY_VARIABLE: &str = "GRADPROOF_SIGNER_KEY";
/// Largest file with the key of an account, in bytes.
const MAX_SIGNER_BYTES: usize = 256;
/// Largest deployment that is read, in bytes.
const MAX_DEPLOYMENT_BYTES: usize = 1 << 20;

/// Puts the market on a chain.
#[derive(clap::Args, Clone, Debug)]
pub struct Deploy {
    /// Address of a node of the chain (JSON-RPC over HTTP).
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// File with the private key of the account that pays, in hexadecimal. Without it the environment variable
    /// GRADPROOF_SIGNER_KEY must hold the key itself.
    #[arg(long, value_name = "FILE")]
    pub signer_key: Option<PathBuf>,
    /// The folder `contracts` of the sources, with its tools installed.
    #[arg(long, value_name = "DIR")]
    pub contracts: PathBuf,
    /// Verifying key for wrapped proofs, which `requester commit` writes beside the statement.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Statement of a job with that key: it has the shape.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Address of an ERC-20 token that jobs are paid with. Without it the market gets a token of its own, whose whole supply goes to
    /// the account that pays. A transfer must move exactly what it says: no fee,
    /// no rebase; and nobody should be able to freeze an account or change the token's code: the market cannot see that.
    #[arg(long, value_name = "ADDRESS")]
    pub token: Option<Address>,
    /// File for addresses and hashes of code; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Deploy verifiers under a set-up with which anyone can forge proofs, to try things out on a local chain.
    #[arg(long)]
    pub insecure: bool,
    /// Print the deployment as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Compares a deployment with the chain.
#[derive(clap::Args, Clone, Debug)]
pub struct CheckDeployment {
    /// Address of a node of the chain (JSON-RPC over HTTP). The command believes its answers: use a node that you trust.
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The deployment, as `requester deploy` wrote it.
    #[arg(long, value_name = "FILE")]
    pub deployment: PathBuf,
    /// Folder `contracts` of the sources, with its tools installed: compile them, and check that the market was made from them.
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// Verifying key for wrapped proofs: check that its verifiers were made from the sources, too.
    #[arg(long, value_name = "FILE", requires_all = ["contracts", "statement"])]
    pub key: Option<PathBuf>,
    /// Statement of a job with that key: it has the shape.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub statement: Option<PathBuf>,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What every version of the format has.
#[derive(serde::Deserialize)]
struct Versioned {
    version: u32,
}

/// Says why something is rejected.
pub(super) fn reject(why: &str, json: bool) {
    if json {
        print(&serde_json::json!({ "accepted": false, "reason": why }).to_string());
    } else {
        print(&format!("REJECTED: {why}"));
    }
}

impl Deploy {
    /// Runs `requester deploy`.
    ///
    /// # Errors
    /// If a file is refused or `out` is there already, the set-up is insecure and that was not asked for, the contracts do not
    /// compile, or the node refuses.
    pub fn run(&self) -> Result<Outcome> {
        // Everything that can be refused is refused before anything is paid.
        refuse_existing(&self.out)?;
        let key = wrapped_key(&self.key, &self.statement)?;
        let insecure = key.setup.is_insecure();
        ensure!(
            !insecure || self.insecure,
            "the set-up of {} is insecure: anyone can forge proofs, and be paid for them; use a key of a ceremony \
             (`requester commit --setup FILE`), or --insecure to try things out on a local chain",
            self.key.display()
        );
        let chain = Chain::connect(&self.rpc, self.signer()?).wrap_err_with(|| format!("--rpc {}", self.rpc))?;
        ensure!(
            !insecure || chain.id() == LOCAL_CHAIN,
            "the set-up is insecure and this is chain {}: the market takes no such verifier outside the local chain, \
             {LOCAL_CHAIN}",
            chain.id()
        );
        chain.wait(check_chain(chain.client())).wrap_err_with(|| format!("--rpc {}", self.rpc))?;
        warn(key.kind(), insecure);
        let progress = Progress::new(3, "steps", self.json);
        progress.say("compiling the contracts");
        let code = MarketCode::compile(&self.contracts)?;
        let verifier = code.verifier(&key)?;
        progress.advance(1);
        progress.say("deploying the market");
        let money = self.token.map_or(Money::Own(chain.sender()), Money::There);
        let mut deployment = chain.wait(code.deploy(chain.client(), money))?;
        progress.advance(1);
        progress.say("deploying the verifiers");
        deployment.verifiers.push(chain.wait(verifier.deploy(chain.client()))?);
        progress.advance(1);
        drop(progress);
        // It was paid for: it is written down before anything else can fail.
        let written = self.write(&deployment)?;
        chain.wait(deployment.check(chain.client())).wrap_err("what was deployed is not what is there")?;
        Ok(written)
    }

    /// The account that pays.
    fn signer(&self) -> Result<PrivateKeySigner> {
        let (text, origin) = match &self.signer_key {
            Some(path) => {
                let bytes = read(path, MAX_SIGNER_BYTES)?;
                (String::from_utf8_lossy(&bytes).into_owned(), path.display().to_string())
            }
            None => match std::env::var(KEY_VARIABLE) {
                Ok(text) => (text, KEY_VARIABLE.to_owned()),
                Err(_) => bail!("no account to pay: give --signer-key FILE, or set {KEY_VARIABLE} to its key"),
            },
        };
        // The key itself is in no message.
        let digits = text.trim();
        let digits = if digits.starts_with("0x") { digits.to_owned() } else { format!("0x{digits}") };
        let key: Option<[u8; 32]> = hex::decode(&digits).ok();
        let signer = key.and_then(|key| PrivateKeySigner::from_bytes(&B256::from(key)).ok());
        signer.ok_or_else(|| eyre::eyre!("{origin} is not a private key: expected 32 bytes in hexadecimal"))
    }

    /// Writes the deployment, and says where everything is.
    fn write(&self, deployment: &Deployment) -> Result<Outcome> {
        let json = deployment.to_json();
        let saved = write_new(&self.out, json.as_bytes());
        if self.json || saved.is_err() {
            // It was paid for: it must not be lost.
            print(json.trim_end());
        }
        saved?;
        if !self.json {
            print(&format!("market {} on chain {}", deployment.market.address, deployment.chain));
            for verifier in &deployment.verifiers {
                print(&format!("verifier {} of key {}", verifier.segment.address, verifier.key));
            }
            let (out, rpc) = (self.out.display(), &self.rpc);
            print(&format!("{out}: all addresses, and hashes of the code"));
            let check = ["requester", "check-deployment", "--rpc", rpc, "--deployment"].map(OsStr::new);
            let check = pasted(check.into_iter().chain([self.out.as_os_str()]));
            print(&format!("check it: {check}"));
        }
        Ok(Outcome::Done)
    }
}

impl CheckDeployment {
    /// A comparison with the chain alone.
    pub(super) fn without_sources(rpc: &str, deployment: &Path, json: bool) -> Self {
        let (rpc, deployment) = (rpc.to_owned(), deployment.to_owned());
        Self { rpc, deployment, contracts: None, key: None, statement: None, json }
    }

    /// Runs `requester check-deployment`.
    ///
    /// # Errors
    /// If the file is refused, or the node does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let path = self.deployment.display();
        let Some((_, deployment)) = self.checked()? else { return Ok(Outcome::Rejected) };
        warn(ProofKind::Wrapped, deployment.verifiers.iter().any(|verifier| verifier.insecure_setup));
        if self.json {
            let sources = (self.contracts.is_some(), self.key.is_some());
            let json = serde_json::json!({
                "accepted": true,
                "chain": deployment.chain,
                "market": deployment.market.address,
                "own_token": deployment.own_token(),
                "market_of_the_sources": sources.0,
                "verifiers_of_the_sources": sources.1,
                "insecure_setup": deployment.verifiers.iter().any(|verifier| verifier.insecure_setup),
            });
            print(&json.to_string());
            return Ok(Outcome::Done);
        }
        print(&format!("{path}: everything is on chain {} as it says", deployment.chain));
        if !deployment.own_token() {
            let token = deployment.token.address;
            print(&format!("the token {token} was there before the market, and is not of its sources"));
        }
        match (&self.contracts, &self.key) {
            (Some(contracts), Some(_)) => {
                print(&format!("market and verifiers were made from {}", contracts.display()));
            }
            (Some(contracts), None) => print(&format!("the market was made from {}", contracts.display())),
            (None, _) => print("from which sources: --contracts DIR, with --key and --statement for the verifiers"),
        }
        Ok(Outcome::Done)
    }

    /// The chain and the deployment, if that is on it as it says; or says why it is not.
    ///
    /// # Errors
    /// If the file is refused, or the node does not answer.
    pub(super) fn checked(&self) -> Result<Option<(Chain, Deployment)>> {
        let path = self.deployment.display();
        let deployment = read_deployment(&self.deployment)?;
        let key = self.key.as_deref().zip(self.statement.as_deref());
        let key = key.map(|(key, statement)| wrapped_key(key, statement)).transpose()?;
        let verifier = match &key {
            Some(key) => {
                let verifier = deployment.verifier(&key.digest());
                Some((key, verifier.ok_or_else(|| eyre::eyre!("{path} has no verifiers of the key"))?))
            }
            None => None,
        };
        // Nothing is sent, so that any account will do.
        let chain = Chain::connect(&self.rpc, PrivateKeySigner::random())?;
        match self.compare(&chain, &deployment, verifier) {
            Err(
                error @ (ChainError::Deployment { .. }
                | ChainError::ForeignBlocks { .. }
                | ChainError::NoHistory { .. }),
            ) => {
                reject(&format!("{path}: {error}"), self.json);
                return Ok(None);
            }
            checked => checked?,
        }
        Ok(Some((chain, deployment)))
    }

    /// Refuses what is not as the deployment says, or, if those are given, not of the sources.
    fn compare(
        &self,
        chain: &Chain,
        deployment: &Deployment,
        verifier: Option<(&VerifyingKey, &Verifier)>,
    ) -> Result<(), ChainError> {
        chain.wait(check_chain(chain.client()))?;
        chain.wait(deployment.check(chain.client()))?;
        let Some(contracts) = &self.contracts else { return Ok(()) };
        let code = MarketCode::compile(contracts)?;
        chain.wait(code.check(chain.client(), deployment))?;
        let Some((key, verifier)) = verifier else { return Ok(()) };
        let code = code.verifier(key)?;
        chain.wait(code.check(chain.client(), verifier))
    }
}

/// The deployment in a file.
///
/// # Errors
/// If it cannot be read, or is of another version.
pub fn read_deployment(path: &Path) -> Result<Deployment> {
    let bytes = read(path, MAX_DEPLOYMENT_BYTES)?;
    let context = || format!("{}", path.display());
    let Versioned { version } = serde_json::from_slice(&bytes).wrap_err_with(context)?;
    ensure!(version == VERSION, "{}: version {version} of the format; this program reads {VERSION}", path.display());
    serde_json::from_slice(&bytes).wrap_err_with(context)
}

/// The key for wrapped proofs in the file `key`, of the shape of `statement`.
fn wrapped_key(key: &Path, statement: &Path) -> Result<VerifyingKey> {
    let (key_path, path) = (key.display(), statement.display());
    let statement = read_statement(statement)?;
    ensure!(
        statement.proof == ProofKind::Wrapped,
        "{path} is for core proofs, which no contract verifies: `requester commit --proof wrapped` makes one for wrapped \
         proofs"
    );
    read_key_of(key, &statement).wrap_err_with(|| format!("{key_path} is not the key of {path}"))
}
