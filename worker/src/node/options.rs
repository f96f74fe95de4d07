//! Options that all commands of a node share: its folder, and the password of its keys.

use std::path::PathBuf;

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_chain::market::Deployment;
use gradproof_chain::market::account::free_stake;
use gradproof_chain::{Address, Chain, PrivateKeySigner, U256};
use gradproof_node::config::Config;
use gradproof_node::facts::Role;
use gradproof_node::home::{Accounts, Home};
use gradproof_verifier_program::files::read;

use crate::deploy::read_deployment;

/// Names the folder where no option does.
const HOME_VARIABLE: &str = "GRADPROOF_HOME";
/// Has the password where no option does.
const PASSWORD_VARIABLE: &str = "GRADPROOF_PASSWORD";
/// Longest password file, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// The folder of a node.
#[derive(clap::Args, Clone, Debug)]
pub struct HomeOption {
    /// Folder of the node: configuration, keys, jobs [default: what the variable GRADPROOF_HOME names].
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
}

/// The password of a node's keys.
#[derive(clap::Args, Clone, Debug)]
pub struct PasswordOption {
    /// File with the password of the node's keys [default: the variable GRADPROOF_PASSWORD has it].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// A node's folder, opened.
pub struct Opened {
    /// The folder.
    pub home: Home,
    /// Its configuration.
    pub config: Config,
    /// The market that it is for.
    pub deployment: Deployment,
}

impl HomeOption {
    /// The folder.
    ///
    /// # Errors
    /// Nothing names it.
    pub fn folder(&self) -> Result<Home> {
        let named = || std::env::var_os(HOME_VARIABLE).map(PathBuf::from);
        match self.home.clone().or_else(named) {
            Some(path) => Ok(Home::at(&path)),
            None => bail!("no folder of a node: give --home DIR, or set {HOME_VARIABLE}"),
        }
    }

    /// The folder with its configuration and deployment; of a node with this role, if one is asked for.
    ///
    /// # Errors
    /// A file is missing or refused, or the node has another role.
    pub fn opened(&self, role: Option<Role>) -> Result<Opened> {
        let home = self.folder()?;
        let config = Config::load(home.path())
            .wrap_err("`provider init`, `requester init`, `validator init` and `dataset init` make a node's folder")?;
        if let Some(role) = role {
            let (is, asked) = (name(config.role), name(role));
            ensure!(
                config.role == role,
                "{} is the folder of a {is}: this command is a {asked}'s",
                home.path().display()
            );
        }
        let deployment = read_deployment(&config.deployment)?;
        Ok(Opened { home, config, deployment })
    }
}

impl PasswordOption {
    /// The password.
    ///
    /// # Errors
    /// Nothing has it.
    pub fn password(&self) -> Result<String> {
        match &self.password_file {
            Some(path) => {
                let bytes = read(path, MAX_PASSWORD_BYTES)?;
                let text = String::from_utf8(bytes).wrap_err_with(|| format!("{}: not text", path.display()))?;
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => std::env::var(PASSWORD_VARIABLE)
                .map_err(|_| eyre::eyre!("no password: give --password-file FILE, or set {PASSWORD_VARIABLE}")),
        }
    }
}

impl Opened {
    /// The keys of the node's accounts.
    ///
    /// # Errors
    /// As [`Home::accounts`].
    pub fn accounts(&self, password: &PasswordOption) -> Result<Accounts> {
        Ok(self.home.accounts(&password.password()?)?)
    }

    /// A client of the first endpoint, for one command.
    ///
    /// # Errors
    /// The endpoint does not answer, or is of another chain.
    pub fn chain(&self, signer: PrivateKeySigner) -> Result<Chain> {
        let Some(url) = self.config.endpoints.first() else { bail!("the configuration names no endpoint") };
        let chain = Chain::connect(url, signer)?;
        ensure!(
            chain.id() == self.deployment.chain,
            "{url} is of chain {}, the deployment of chain {}",
            chain.id(),
            self.deployment.chain
        );
        Ok(chain)
    }

    /// The stake of an account that is free, by the first endpoint: see [`free_stake`].
    ///
    /// # Errors
    /// The endpoint does not answer.
    pub fn free_stake(&self, chain: &Chain, owner: Address) -> Result<U256> {
        let vault = self.deployment.vault.address;
        Ok(chain.wait(async { free_stake(&chain.client().at_head().await?, vault, owner).await })?)
    }

    /// An amount of the token, from words.
    ///
    /// # Errors
    /// It is no number, or has more digits after the point than the token.
    pub fn amount(&self, tokens: &str) -> Result<U256> {
        Ok(U256::from(self.deployment.amount(tokens)?))
    }
}

/// A role in words.
pub fn name(role: Role) -> &'static str {
    match role {
        Role::Requester => "requester",
        Role::Provider => "provider",
        Role::DataOwner => "data owner",
        Role::Validator => "validator",
    }
}

/// The program of a role's nodes.
pub fn program(role: Role) -> &'static str {
    match role {
        Role::DataOwner => "dataset",
        role => name(role),
    }
}
