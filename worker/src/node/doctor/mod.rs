//! `doctor` of each program: whether a node can do its work, line by line, and what to do where it cannot.

mod account;
mod finding;
mod machine;
mod market;
mod reach;
mod sets;
mod setup;

use std::path::PathBuf;

use eyre::{Result, bail};
use gradproof_chain::{Chain, PrivateKeySigner};
use gradproof_node::facts::Role;
use gradproof_node::home::Accounts;
use gradproof_node::live::FAILURE;
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, print, tell};

use super::options::{HomeOption, Opened, PasswordOption, program};
use finding::{Finding, Grade};

/// Examines a node.
#[derive(clap::Args, Clone, Debug)]
pub struct Doctor {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Examine this set-up (`.ptau`), instead of the one that the node ran with last.
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Print all lines as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Examines the node of a provider.
#[derive(clap::Args, Clone, Debug)]
pub struct ProviderDoctor {
    /// What every node has.
    #[command(flatten)]
    pub doctor: Doctor,
}

/// Examines the node of a requester.
#[derive(clap::Args, Clone, Debug)]
pub struct RequesterDoctor {
    /// What every node has.
    #[command(flatten)]
    pub doctor: Doctor,
}

/// Examines the node of a validator.
#[derive(clap::Args, Clone, Debug)]
pub struct ValidatorDoctor {
    /// What every node has.
    #[command(flatten)]
    pub doctor: Doctor,
}

/// Examines the node of a data owner.
#[derive(clap::Args, Clone, Debug)]
pub struct DatasetDoctor {
    /// What every node has.
    #[command(flatten)]
    pub doctor: Doctor,
}

impl DatasetDoctor {
    /// Runs `dataset doctor`.
    ///
    /// # Errors
    /// The folder is none of a data owner's node, or the password is another one.
    pub fn run(&self) -> Result<Outcome> {
        self.doctor.examine(Role::DataOwner)
    }
}

impl ValidatorDoctor {
    /// Runs `validator doctor`.
    ///
    /// # Errors
    /// The folder is none of a validator's node, or the password is another one.
    pub fn run(&self) -> Result<Outcome> {
        self.doctor.examine(Role::Validator)
    }
}

impl ProviderDoctor {
    /// Runs `provider doctor`.
    ///
    /// # Errors
    /// The folder is none of a provider's node, or the password is another one.
    pub fn run(&self) -> Result<Outcome> {
        self.doctor.examine(Role::Provider)
    }
}

impl RequesterDoctor {
    /// Runs `requester doctor`.
    ///
    /// # Errors
    /// The folder is none of a requester's node, or the password is another one.
    pub fn run(&self) -> Result<Outcome> {
        self.doctor.examine(Role::Requester)
    }
}

impl Doctor {
    fn examine(&self, role: Role) -> Result<Outcome> {
        let opened = self.home.opened(Some(role))?;
        let accounts = opened.accounts(&self.password)?;
        let (mut findings, chain) = connected(&opened, &accounts)?;
        findings.extend(sets::all(&opened, accounts.owner(), chain.as_ref())?);
        findings.extend(machine::all(&opened)?);
        findings.extend(setup::all(&opened, self.setup.as_deref())?);
        // A node that cannot run as it is cannot be reached: what is wrong is said already.
        if !findings.iter().any(|finding| finding.costs) {
            findings.extend(reach::all(&self.home, role, &self.password)?);
        }
        let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
        if self.json {
            print(&serde_json::json!({ "good": !bad, "lines": findings }).to_string());
        } else {
            findings.iter().for_each(Finding::print);
        }
        if !bad && role == Role::Provider {
            looked_into(&opened, self.json)?;
        }
        Ok(if bad { Outcome::Rejected } else { Outcome::Done })
    }
}

/// A failure was looked into, a job that was lost or a wrong result: the node takes jobs again.
fn looked_into(opened: &Opened, json: bool) -> Result<()> {
    let say = |text: &str| if json { tell(text) } else { print(text) };
    match Store::open_unless_taken(&opened.home.store_file())? {
        Some(store) if store.record(FAILURE)?.is_some() => {
            store.put(FAILURE, None)?;
            say("a job failed on this node, or two trainings did not agree: it takes jobs again from now on");
        }
        Some(_) => (),
        None => say("a node runs on this folder: if it takes no jobs after a failure, end it, and ask again"),
    }
    Ok(())
}

/// What chain and market say of the node, and the first endpoint that answers.
fn connected(opened: &Opened, accounts: &Accounts) -> Result<(Vec<Finding>, Option<Chain>)> {
    let mut findings = market::endpoints(opened)?;
    // The first endpoint that answers is asked for the rest.
    let answers = |url: &String| Chain::connect(url, PrivateKeySigner::random()).ok();
    let chain = opened.config.endpoints.iter().find_map(answers).filter(|chain| chain.id() == opened.deployment.chain);
    if let Some(chain) = &chain {
        findings.extend(market::deployment(opened, chain));
        findings.extend(account::all(opened, accounts, chain)?);
    }
    Ok((findings, chain))
}

/// Refuses to run a node that would lose money by running.
///
/// # Errors
/// No endpoint answers or one is of another chain, the deployment is not on the chain, the node is not in the register as it is, or
/// its keys cannot pay for gas.
pub(super) fn require_sound(opened: &Opened, accounts: &Accounts) -> Result<()> {
    let (findings, _) = connected(opened, accounts)?;
    match findings.iter().find(|finding| finding.costs) {
        Some(Finding { what, said, remedy, .. }) => {
            let remedy = remedy.as_ref().map_or_else(String::new, |remedy| format!(": {remedy}"));
            let doctor = format!("{} doctor", program(opened.config.role));
            bail!("this node would lose money: {what}: {said}{remedy}. `{doctor}` says all")
        }
        None => Ok(()),
    }
}
