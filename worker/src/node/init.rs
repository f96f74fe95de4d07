//! `requester init`, `provider init` and `validator init`: the folder of a node.

use std::path::PathBuf;

use eyre::{Result, ensure};
use gradproof_chain::Address;
use gradproof_node::config::template;
use gradproof_node::facts::Role;
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, PasswordOption, name};
use crate::deploy::read_deployment;

/// Makes the folder of a node.
#[derive(clap::Args, Clone, Debug)]
pub struct Init {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Address of a node of the chain (JSON-RPC over HTTP). Give two, of different operators: the node spends only what both agree on.
    #[arg(long, value_name = "URL", required = true)]
    pub rpc: Vec<String>,
    /// The deployment of the market, as `requester deploy` wrote it; it is copied.
    #[arg(long, value_name = "FILE")]
    pub deployment: PathBuf,
    /// Where the node listens.
    #[arg(long, value_name = "MULTIADDRESS", default_values = ["/ip4/0.0.0.0/udp/4101/quic-v1", "/ip4/0.0.0.0/tcp/4101"])]
    pub listen: Vec<String>,
    /// Print what was made as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Makes the folder of a provider.
#[derive(clap::Args, Clone, Debug)]
pub struct ProviderInit {
    /// What every node has.
    #[command(flatten)]
    pub init: Init,
    /// Least price of a segment, in tokens. Without it the configuration has a line to be filled in.
    #[arg(long, value_name = "TOKENS")]
    pub least_price: Option<String>,
    /// The account, if its key is not to be in the folder: a hardware wallet's, or one of another computer. Then the node accepts
    /// nothing by itself; `provider accept` does, with a transaction that is signed elsewhere.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<Address>,
    /// Most that a job may lock as a bond, in tokens. Without it the configuration has a line to be filled in.
    #[arg(long, value_name = "TOKENS")]
    pub most_bond: Option<String>,
}

/// Makes the folder of a validator.
#[derive(clap::Args, Clone, Debug)]
pub struct ValidatorInit {
    /// What every node has.
    #[command(flatten)]
    pub init: Init,
    /// Least fee of a complaint that it decides, in tokens. Without it the configuration has a line to be filled in.
    #[arg(long, value_name = "TOKENS")]
    pub least_fee: Option<String>,
    /// Most of its stake that backs a job, in tokens. Without it the configuration has a line to be filled in.
    #[arg(long, value_name = "TOKENS")]
    pub most_stake: Option<String>,
}

impl Init {
    /// Runs `requester init`.
    ///
    /// # Errors
    /// A file is there already, or an option is refused.
    pub fn run(&self) -> Result<Outcome> {
        self.make(Role::Requester, None, &[])
    }

    /// Runs `dataset init`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn make_data_owner(&self) -> Result<Outcome> {
        self.make(Role::DataOwner, None, &[])
    }

    fn make(&self, role: Role, elsewhere: Option<Address>, filled: &[(&str, &Option<String>)]) -> Result<Outcome> {
        let home = self.home.folder()?;
        let password = self.password.password()?;
        ensure!(!password.is_empty(), "the password is empty");
        let deployment = read_deployment(&self.deployment)?;
        let mut config = template(role, &self.rpc, "deployment.json".as_ref(), &self.listen);
        for (key, amount) in filled {
            if let Some(amount) = amount {
                let value =
                    deployment.amount(amount).map_err(|error| eyre::eyre!("--{}: {error}", key.replace('_', "-")))?;
                config = config.replace(&format!("# {key} ="), &format!("{key} = {value}"));
            }
        }
        home.create(&config, &password, elsewhere)?;
        gradproof_terminal::atomic::write_new(&home.path().join("deployment.json"), deployment.to_json().as_bytes())?;
        let accounts = home.accounts(&password)?;
        let (account, hot) = (accounts.owner(), accounts.hot.address());
        if self.json {
            let json = serde_json::json!({ "home": home.path(), "account": account, "hot": hot });
            print(&json.to_string());
            return Ok(Outcome::Done);
        }
        let (folder, role) = (home.path().display(), name(role));
        print(&format!("{folder}: the folder of a {role}"));
        match elsewhere {
            None => print(&format!("account {account}: send it tokens, and ether for gas")),
            Some(_) => {
                print(&format!("account {account}: its key is elsewhere, and signs what `provider accept` prints"))
            }
        }
        print(&format!("hot key {hot}: send it ether for gas; it may act for the account, and moves no tokens"));
        print(&format!("{folder}/config.toml: look through it. Then `node register --home {folder}`"));
        print(&format!("{folder}/keys: whoever has them and the password is you; `node backup` makes a copy"));
        Ok(Outcome::Done)
    }
}

impl ValidatorInit {
    /// Runs `validator init`.
    ///
    /// # Errors
    /// As [`Init::run`].
    pub fn run(&self) -> Result<Outcome> {
        let filled = [("least_fee", &self.least_fee), ("most_stake", &self.most_stake)];
        self.init.make(Role::Validator, None, &filled)
    }
}

impl ProviderInit {
    /// Runs `provider init`.
    ///
    /// # Errors
    /// As [`Init::run`].
    pub fn run(&self) -> Result<Outcome> {
        let filled = [("least_price", &self.least_price), ("most_bond", &self.most_bond)];
        self.init.make(Role::Provider, self.account, &filled)
    }
}
