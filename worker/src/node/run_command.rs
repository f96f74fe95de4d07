//! `provider run`, `requester run` and `validator run`.

use eyre::Result;
use gradproof_node::facts::Role;
use gradproof_terminal::Outcome;

use super::doctor::require_sound;
use super::options::{HomeOption, PasswordOption};
use super::run::{ProvingOptions, follow};

/// Runs a node of a provider.
#[derive(clap::Args, Clone, Debug)]
pub struct RunProvider {
    /// What every node has.
    #[command(flatten)]
    pub run: Running,
}

/// Runs a node of a requester.
#[derive(clap::Args, Clone, Debug)]
pub struct RunRequester {
    /// What every node has.
    #[command(flatten)]
    pub run: Running,
}

/// Runs a node of a validator.
#[derive(clap::Args, Clone, Debug)]
pub struct RunValidator {
    /// What every node has.
    #[command(flatten)]
    pub run: Running,
}

/// What every node has that runs.
#[derive(clap::Args, Clone, Debug)]
pub struct Running {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
}

impl RunProvider {
    /// Runs `provider run`.
    ///
    /// # Errors
    /// The configuration is refused, the node would lose money as it is, or it cannot go on.
    pub fn run(&self) -> Result<Outcome> {
        self.run.follow(Role::Provider)
    }
}

impl RunRequester {
    /// Runs `requester run`.
    ///
    /// # Errors
    /// The configuration is refused, or the node cannot go on.
    pub fn run(&self) -> Result<Outcome> {
        self.run.follow(Role::Requester)
    }
}

impl RunValidator {
    /// Runs `validator run`.
    ///
    /// # Errors
    /// As [`RunProvider::run`].
    pub fn run(&self) -> Result<Outcome> {
        self.run.follow(Role::Validator)
    }
}

impl Running {
    /// Runs `dataset serve`.
    ///
    /// # Errors
    /// The configuration is refused, or the node cannot go on.
    pub fn serve(&self) -> Result<Outcome> {
        self.follow(Role::DataOwner)
    }

    fn follow(&self, role: Role) -> Result<Outcome> {
        let opened = self.home.opened(Some(role))?;
        // What a requester's node lacks costs nobody's stake.
        if role != Role::Requester {
            require_sound(&opened, &opened.accounts(&self.password)?)?;
        }
        follow(opened, &self.password, &self.proving, None)?;
        Ok(Outcome::Done)
    }
}
