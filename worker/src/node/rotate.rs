//! `node rotate-key`: another hot key in the place of the one in use.

use eyre::{OptionExt, Result};
use gradproof_chain::{Endpoint, HttpEndpoint, U256};
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, PasswordOption};
use super::register::enter;

/// Replaces the node's hot key by a new one.
#[derive(clap::Args, Clone, Debug)]
pub struct RotateKey {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Print what was done as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl RotateKey {
    /// Runs `node rotate-key`.
    ///
    /// It can be interrupted between any two steps, and run again: the new key is made once, the register is changed once, and the old
    /// key stays in its place until the new one takes that in one step.
    ///
    /// # Errors
    /// A node runs on the folder, the password is another one, or the register refuses.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(None)?;
        let password = self.password.password()?;
        // A node that runs would go on with the old key, which the register does not know any more.
        let _store = Store::open_unless_taken(&opened.home.store_file())?.ok_or_eyre(format!(
            "a node runs on {}: end it, and start it again with the new key",
            opened.home.path().display()
        ))?;
        let accounts = opened.home.accounts(&password)?;
        let account = accounts.require_account()?;
        let (old, next) = (accounts.hot.address(), opened.home.next_hot(&password)?);
        let chain = opened.chain(account.clone())?;
        let url = opened.config.endpoints.first().ok_or_eyre("the configuration names no endpoint")?;
        let gas = chain.wait(async {
            let endpoint = HttpEndpoint::new(url)?;
            let head = endpoint.head().await?;
            endpoint.balance(next.address(), head.hash).await
        })?;
        if gas == U256::ZERO {
            return Ok(self.waits(old, next.address()));
        }
        enter(&opened, &chain, next.address())?;
        let kept = opened.home.use_next_hot(&password)?;
        if self.json {
            let json = serde_json::json!({ "hot": next.address(), "before": old, "kept": kept, "done": true });
            print(&json.to_string());
        } else {
            print(&format!(
                "hot key {}: it stands in the register, and the node uses it from its next start on",
                next.address()
            ));
            print(&format!(
                "{}: the key before, {old}, which may have ether; it acts for the account no more",
                kept.display()
            ));
        }
        Ok(Outcome::Done)
    }

    /// Says that the new key must be able to pay first.
    fn waits(&self, old: gradproof_chain::Address, next: gradproof_chain::Address) -> Outcome {
        if self.json {
            print(&serde_json::json!({ "hot": next, "before": old, "done": false }).to_string());
        } else {
            print(&format!("hot key {next} is made, and has no ether for gas: send it some, and run this again"));
            print(&format!("until then {old} stays in use"));
        }
        Outcome::Rejected
    }
}
