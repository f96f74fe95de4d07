//! `provider team`: calls for members that share the proving of this provider's jobs.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_chain::market::MAX_SEATS;
use gradproof_chain::{Address, B256, U256};
use gradproof_node::facts::Role;
use gradproof_node::team::{TEAM_FILE, TeamCall};
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, Opened};

/// Longest time for which members are called, in hours: that of the longest job.
const MAX_HOURS: u64 = 180 * 24;

/// Calls for members that share the proving of this provider's jobs, or says whom it called.
#[derive(clap::Args, Clone, Debug)]
pub struct Team {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The job's id: 32 bytes in hexadecimal. Without it the call is for every job that has none of its own.
    #[arg(value_name = "JOB")]
    pub job: Option<B256>,
    /// What a member is paid for a proof, in tokens.
    #[arg(long, value_name = "TOKENS", requires = "bond", requires = "members")]
    pub pay: Option<String>,
    /// Bond of a seat, in tokens. `challengeBond` of the job is held of it for each claim that the member has taken, of four at most.
    #[arg(long, value_name = "TOKENS", requires = "pay")]
    pub bond: Option<String>,
    /// The accounts that get a seat, with commas between them.
    #[arg(long = "members", value_name = "ACCOUNT", value_delimiter = ',', requires = "pay")]
    pub members: Vec<Address>,
    /// For how many hours seats are given; who has one keeps it [default: 24].
    #[arg(long, value_name = "HOURS", requires = "pay")]
    pub hours: Option<u64>,
    /// Call for nobody any more. Who has a seat keeps it.
    #[arg(long, conflicts_with = "pay")]
    pub end: bool,
    /// Print the call as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Team {
    /// Runs `provider team`.
    ///
    /// # Errors
    /// The folder is no provider's, it has no such job, or an amount is none.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::Provider))?;
        let folder = self.job.map_or_else(|| opened.home.path().to_owned(), |job| opened.home.job(job));
        ensure!(folder.is_dir(), "{} is not there: this node has no such job", folder.display());
        let path = folder.join(TEAM_FILE);
        if self.end {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    bail!("{} is not there: nobody was called", path.display())
                }
                removed => removed.wrap_err_with(|| path.display().to_string())?,
            }
        } else if let Some(call) = self.call(&opened)? {
            call.write(&folder)?;
        }
        let call = TeamCall::read(&folder, opened.home.path())?;
        self.say(&opened, call.as_ref());
        Ok(Outcome::Done)
    }

    /// The call that the options make, if they make one.
    fn call(&self, opened: &Opened) -> Result<Option<TeamCall>> {
        let (Some(pay), Some(bond)) = (&self.pay, &self.bond) else { return Ok(None) };
        let hours = self.hours.unwrap_or(24);
        ensure!((1..=MAX_HOURS).contains(&hours), "--hours {hours}: expected 1 to {MAX_HOURS}");
        let members: BTreeSet<Address> = self.members.iter().copied().collect();
        ensure!(members.len() == self.members.len(), "--members names an account twice");
        let most = usize::from(MAX_SEATS);
        ensure!(members.len() <= most, "--members names {} accounts, and a team has at most {most}", members.len());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).wrap_err("the clock is before 1970")?.as_secs();
        let amount = |option: &str, text: &String| -> Result<u128> {
            opened.deployment.amount(text).wrap_err_with(|| format!("{option} {text}"))
        };
        let (pay, bond) = (amount("--pay", pay)?, amount("--bond", bond)?);
        Ok(Some(TeamCall { pay, bond, until: now.saturating_add(hours.saturating_mul(3600)), members }))
    }

    fn say(&self, opened: &Opened, call: Option<&TeamCall>) {
        let tokens = |amount: u128| opened.deployment.tokens(U256::from(amount));
        if self.json {
            let call = call.map(|call| {
                serde_json::json!({
                    "pay": tokens(call.pay), "bond": tokens(call.bond), "until": call.until, "members": call.members,
                })
            });
            return print(&serde_json::json!({ "job": self.job, "call": call }).to_string());
        }
        match call {
            None => print("nobody is called; `provider team --pay TOKENS --bond TOKENS --members ACCOUNT,…` calls"),
            Some(call) => {
                let members: Vec<String> = call.members.iter().map(Address::to_string).collect();
                print(&format!(
                    "{} a proof, bond {}, until {} (seconds since 1970), for {}",
                    tokens(call.pay),
                    tokens(call.bond),
                    call.until,
                    members.join(", ")
                ));
            }
        }
    }
}
