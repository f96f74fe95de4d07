//! The demonstration's network: a chain, and parties of which each is a process of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use eyre::{OptionExt, Result, WrapErr, bail, ensure};
use gradproof_chain::market::{ComputeToken, Deployment, MarketCode, Money, StakeVault, TrainingMarket};
use gradproof_chain::{Address, Anvil, B256, Chain, SolCall, U256};
use gradproof_node::config::CONFIG_FILE;
use gradproof_node::facts::Role;
use gradproof_terminal::{Progress, atomic};
use gradproof_verifier::protocol::key::VerifyingKey;

use super::outcome::Balance;
use super::parties::{LEAD, MEMBER, PARTIES, PAY, REQUESTER, SEAT_BOND, configured, options, program, stake};

/// What each party has in the beginning, in tokens.
const FORTUNE: u64 = 10_000;
/// What each key has for gas, in wei: ten ether.
const ETHER: u64 = 10u64.pow(19);
/// Seconds between two blocks.
const BLOCK_SECS: u64 = 1;

/// A process that is killed with this value.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Whether it has ended, and did what it was to do.
    ///
    /// # Errors
    /// It ended otherwise.
    pub fn ended(&mut self) -> Result<bool> {
        match self.0.try_wait()? {
            Some(status) if !status.success() => bail!("the process ended ({status})"),
            status => Ok(status.is_some()),
        }
    }
}

/// The network, as long as the value lives.
pub struct Network<'a> {
    folder: &'a Path,
    /// This program. The others stand beside it, and are named as it is: `X-requester` beside `X-provider`.
    own: PathBuf,
    node: Anvil,
    chain: Chain,
    /// The market.
    pub deployment: Deployment,
    /// Who is who.
    pub accounts: BTreeMap<&'static str, Address>,
}

impl<'a> Network<'a> {
    /// Starts a chain with a market that pays for jobs of `key`, and makes, funds and enters a node for each party.
    ///
    /// # Errors
    /// The tools of the contracts or the other programs are missing, or something refuses.
    pub fn start(folder: &'a Path, contracts: &Path, key: &VerifyingKey, progress: &Progress) -> Result<Self> {
        let own = std::env::current_exe().wrap_err("cannot tell where this program stands")?;
        progress.say("starting a chain");
        let node = Anvil::start(contracts).wrap_err("`cargo xtask contracts` installs the local node")?;
        let chain = Chain::connect(node.url(), node.signer())?;
        let code = MarketCode::compile(contracts)?;
        let verifier_code = code.verifier(key)?;
        let client = chain.client();
        let deployment = chain.wait(async {
            let mut deployment = code.deploy(client, Money::Own(client.sender())).await?;
            deployment.verifiers.push(verifier_code.deploy(client).await?);
            Ok::<_, gradproof_chain::ChainError>(deployment)
        })?;
        std::fs::create_dir_all(folder)?;
        atomic::write_new(&folder.join("deployment.json"), deployment.to_json().as_bytes())?;
        atomic::write_new(&folder.join("password"), b"demonstration\n")?;
        let mut network = Self { folder, own, node, chain, deployment, accounts: BTreeMap::new() };
        for (party, role) in PARTIES {
            progress.say(format!("making the node of {party}"));
            network.enter(party, role)?;
        }
        network.introduce()?;
        // Blocks come as on a real chain from now on: by the clock, whether anybody sends something or not.
        network.chain.wait(network.node.mine_every(network.chain.client(), BLOCK_SECS))?;
        Ok(network)
    }

    /// Makes, funds and enters the node of a party.
    fn enter(&mut self, party: &'static str, role: Role) -> Result<()> {
        let home = self.home(party);
        let port = free_port()?;
        let listen = [format!("/ip4/127.0.0.1/udp/{port}/quic-v1"), format!("/ip4/127.0.0.1/tcp/{port}")];
        let deployment = self.folder.join("deployment.json");
        let mut init = self.command(program(role).0, "init", party);
        init.args(["--rpc", self.node.url(), "--json", "--deployment"]).arg(deployment);
        for address in &listen {
            init.args(["--listen", address]);
        }
        init.args(options(party, role));
        let made: serde_json::Value = serde_json::from_str(&output(&mut init)?)?;
        let address = |name: &str| -> Result<Address> {
            let text = made.get(name).and_then(serde_json::Value::as_str);
            Ok(text.ok_or_eyre(format!("{} has no {name}", home.display()))?.parse()?)
        };
        let (account, hot) = (address("account")?, address("hot")?);
        self.accounts.insert(party, account);
        for key in [account, hot] {
            self.chain.wait(self.node.give(self.chain.client(), key, U256::from(ETHER)))?;
        }
        let value = U256::from(FORTUNE) * self.unit();
        self.chain.send(self.deployment.token.address, &ComputeToken::transferCall { to: account, value })?;
        output(&mut self.command("node", "register", party))?;
        if let Some(amount) = stake(role) {
            output(self.command("node", "stake", party).arg(amount))?;
        }
        Ok(())
    }

    /// Writes into the configurations who knows whom, and has the lead call for its member.
    fn introduce(&self) -> Result<()> {
        for (party, _) in PARTIES {
            let path = self.home(party).join(CONFIG_FILE);
            let text = configured(party, &std::fs::read_to_string(&path)?, &self.accounts, self.unit());
            std::fs::write(&path, text).wrap_err_with(|| format!("cannot write {}", path.display()))?;
        }
        let member = self.account(MEMBER)?.to_string();
        let mut call = self.program("provider");
        call.args(["team", "--pay", &PAY.to_string(), "--bond", &SEAT_BOND.to_string(), "--members", &member]);
        output(call.arg("--home").arg(self.home(LEAD))).map(drop)
    }

    /// Starts the node of a party, which runs until it is killed.
    ///
    /// # Errors
    /// Its program is missing.
    pub fn run(&self, party: &'static str, role: Role) -> Result<Process> {
        let (program, task) = program(role);
        self.spawn(program, task, party, &[])
    }

    /// Starts a command for the node of a party, which logs into a file of its own.
    ///
    /// # Errors
    /// The program is missing.
    pub fn spawn(&self, program: &str, task: &str, party: &str, options: &[&OsStr]) -> Result<Process> {
        let log = std::fs::File::options().create(true).append(true).open(self.log(party))?;
        let mut command = self.command(program, task, party);
        command.args(options).stdout(log.try_clone()?).stderr(log);
        Ok(Process(command.spawn().wrap_err_with(|| format!("{program} cannot be started"))?))
    }

    /// How often the log of a party has these words.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn said(&self, party: &str, words: &str) -> Result<usize> {
        Ok(std::fs::read_to_string(self.log(party))?.matches(words).count())
    }

    /// What the market answers now.
    ///
    /// # Errors
    /// The chain does not answer.
    pub fn ask<C: SolCall<Return: Send> + Sync>(&self, call: &C) -> Result<C::Return> {
        Ok(self.chain.call(self.deployment.market.address, call)?)
    }

    /// What backs the jobs of a validator's committees, in the token's smallest unit.
    ///
    /// # Errors
    /// The chain does not answer.
    pub fn backing(&self, party: &str) -> Result<U256> {
        let owner = self.account(party)?;
        Ok(self.chain.call(self.deployment.vault.address, &StakeVault::backingCall { owner })?)
    }

    /// What each party has: in its account, as stake that no bond holds, and owed to it.
    ///
    /// # Errors
    /// The chain does not answer.
    pub fn balances(&self) -> Result<Vec<(&'static str, U256)>> {
        let Deployment { token, vault, .. } = &self.deployment;
        let balance = |(party, _): &(&'static str, Role)| -> Result<(&'static str, U256)> {
            let account = self.account(party)?;
            let held = self.chain.call(token.address, &ComputeToken::balanceOfCall { account })?;
            let staked = self.chain.call(vault.address, &StakeVault::freeCall { owner: account })?;
            Ok((party, held + staked + self.ask(&TrainingMarket::owedCall { account })?))
        };
        PARTIES.iter().map(balance).collect()
    }

    /// What each party had and has, in tokens.
    pub fn compared(&self, before: Vec<(&'static str, U256)>, after: &[(&'static str, U256)]) -> Vec<Balance> {
        let tokens = |amount: U256| self.deployment.tokens(amount);
        let compared = |((party, before), (_, after)): ((&'static str, U256), &(&'static str, U256))| Balance {
            party,
            before: tokens(before),
            after: tokens(*after),
            gained: match after.checked_sub(before) {
                Some(more) => tokens(more),
                None => format!("-{}", tokens(before - after)),
            },
        };
        before.into_iter().zip(after).map(compared).collect()
    }

    /// The id of a job that the requester posted, once it is on the chain, beside the one before it.
    ///
    /// # Errors
    /// The chain does not answer.
    pub fn posted(&self, before: Option<B256>) -> Result<Option<B256>> {
        let Ok(entries) = std::fs::read_dir(self.home(REQUESTER).join("jobs")) else { return Ok(None) };
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if Some(id) != before && self.ask(&TrainingMarket::jobOfCall { id })?.state != 0 {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The account of a party.
    ///
    /// # Errors
    /// It has none.
    pub fn account(&self, party: &str) -> Result<Address> {
        self.accounts.get(party).copied().ok_or_eyre(format!("{party} has no account"))
    }

    /// A place in the network's folder.
    pub fn home(&self, party: &str) -> PathBuf {
        self.folder.join(party)
    }

    fn log(&self, party: &str) -> PathBuf {
        self.folder.join(format!("{party}.log"))
    }

    /// A command for the node of a party.
    pub fn command(&self, program: &str, task: &str, party: &str) -> Command {
        let mut command = self.program(program);
        command.arg(task).arg("--home").arg(self.home(party));
        command.arg("--password-file").arg(self.folder.join("password"));
        command
    }

    fn program(&self, program: &str) -> Command {
        let own = self.own.file_name().unwrap_or_default().to_string_lossy();
        let mut command = Command::new(self.own.with_file_name(own.replacen("provider", program, 1)));
        command.stdin(Stdio::null());
        command
    }

    /// A token in its smallest unit.
    fn unit(&self) -> U256 {
        U256::from(10).pow(U256::from(self.deployment.decimals))
    }
}

/// What a command prints, if it does what it is to do.
///
/// # Errors
/// It does not.
pub fn output(command: &mut Command) -> Result<String> {
    let done = command.output().wrap_err_with(|| format!("{} cannot be started", command.get_program().display()))?;
    ensure!(
        done.status.success(),
        "{} {:?}: {}",
        command.get_program().display(),
        command.get_args().next().unwrap_or_default(),
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(String::from_utf8(done.stdout)?)
}

/// A port that nothing listened on a moment ago.
fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}
