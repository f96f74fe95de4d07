//! `dataset init` and `dataset serve`: the data owner's own node.

use eyre::Result;
use gradproof_terminal::Outcome;

use crate::node::{Init, Running};

/// Makes the folder of a data owner.
#[derive(clap::Args, Clone, Debug)]
pub struct InitOwner {
    /// What every node has.
    #[command(flatten)]
    pub init: Init,
}

/// Runs the node of a data owner.
#[derive(clap::Args, Clone, Debug)]
pub struct Serve {
    /// What every node has.
    #[command(flatten)]
    pub run: Running,
}

impl InitOwner {
    /// Runs `dataset init`.
    ///
    /// # Errors
    /// As those of `requester init`.
    pub fn run(&self) -> Result<Outcome> {
        self.init.make_data_owner()
    }
}

impl Serve {
    /// Runs `dataset serve`.
    ///
    /// # Errors
    /// The configuration is refused, or the node cannot go on.
    pub fn run(&self) -> Result<Outcome> {
        self.run.serve()
    }
}
