//! `dataset license`: signs a licence for one job of one requester.

use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure, eyre};
use gradproof_chain::market::TrainingMarket::Licence;
use gradproof_chain::market::{Accounts, DatasetRegistry, MAX_ACCOUNTS, SignedLicence};
use gradproof_chain::{Address, B256, Bytes, ChainError, Reader, U256, sign_digest};
use gradproof_node::config::MAX_LICENCE_HOURS;
use gradproof_node::live::LICENCES_FOLDER;
use gradproof_terminal::{Outcome, atomic, print};

use crate::node::{HomeOption, PasswordOption};

const HOUR_SECS: u64 = 3600;

/// Signs a licence.
#[derive(clap::Args, Clone, Debug)]
pub struct License {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Digest of the set, as `dataset register` printed it: 32 bytes in hexadecimal.
    #[arg(value_name = "DATASET")]
    pub dataset: B256,
    /// Account that may post one job on the set.
    #[arg(long, value_name = "ACCOUNT")]
    pub requester: Address,
    /// What the licence costs, in tokens: paid when the job starts, and not given back when it is stopped. A provider that hands the job
    /// back before it starts has the data for no fee: so it is 0, or each --account is one that you know.
    #[arg(long, value_name = "TOKENS")]
    pub fee: String,
    /// Least royalty of a segment that is paid, in tokens; the register's part of the price, if that is more.
    #[arg(long, value_name = "TOKENS", default_value = "0")]
    pub least_royalty: String,
    /// Most segments of the job.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub most_segments: u32,
    /// An account that may see the data: a provider, or a member of a committee. Give as many as there are; without it anyone may who
    /// takes the job. With more than one the job must be offered (`requester post --to`).
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Vec<Address>,
    /// Hours for which the licence can be used.
    #[arg(long, value_name = "HOURS", default_value_t = 168, value_parser = clap::value_parser!(u64).range(1..=MAX_LICENCE_HOURS))]
    pub hours: u64,
    /// File for the licence, which the requester gives to `requester post`.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print the licence's nonce and digest as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl License {
    /// Runs `dataset license`.
    ///
    /// # Errors
    /// The set is not this account's, an option is refused, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        atomic::refuse_existing(&self.out).wrap_err("--out")?;
        let opened = self.home.opened(None)?;
        let amount =
            |option: &str, tokens: &str| opened.deployment.amount(tokens).map_err(|error| eyre!("--{option}: {error}"));
        let fee = amount("fee", &self.fee)?;
        ensure!(
            fee == 0 || !self.account.is_empty(),
            "--fee {}: without --account whoever takes the job has the data, and hands it back for no fee: name the accounts that may see \
             them, or take no fee",
            self.fee
        );
        let accounts = opened.accounts(&self.password)?;
        let key = accounts.require_account()?;
        let chain = opened.chain(key.clone())?;
        let deployment = &opened.deployment;
        let entry = chain.call(deployment.datasets.address, &DatasetRegistry::entryCall { dataset: self.dataset })?;
        ensure!(
            entry.owner == accounts.owner(),
            "data set {}: its owner in the register is {}, and this account is {}: only the owner's licences count",
            self.dataset,
            entry.owner,
            accounts.owner()
        );
        let admitted = Accounts::new(self.account.clone())
            .ok_or_else(|| eyre!("--account: more than {MAX_ACCOUNTS} accounts, which is the most of a licence"))?;
        let now = chain.wait(async { Ok::<_, ChainError>(chain.client().at_head().await?.moment().time) })?;
        let licence = Licence {
            providers: admitted.root(),
            fee,
            minRoyalty: amount("least-royalty", &self.least_royalty)?,
            mostSegments: self.most_segments,
            terms: B256::ZERO,
            // Nobody guesses it: a job, an offer or a seat of the same account with the same nonce would make it void.
            nonce: U256::from_be_bytes(gradproof_prover::randomness::fresh_seed()?),
            expiry: U256::from(now.saturating_add(self.hours.saturating_mul(HOUR_SECS))),
            signature: Bytes::new(),
        };
        let (dataset, requester) = (self.dataset, self.requester);
        let mut signed = SignedLicence {
            chain: deployment.chain,
            market: deployment.market.address,
            dataset,
            requester,
            accounts: admitted,
            licence,
        };
        signed.licence.signature = sign_digest(key, signed.digest())?.into();
        let text = signed.to_json();
        // What is given away is known here first: `dataset revoke` takes it back.
        let kept = kept(opened.home.path(), signed.licence.nonce.into());
        keep(&kept, text.as_bytes())?;
        atomic::write_new(&self.out, text.as_bytes())?;
        self.say(&signed, &kept);
        Ok(Outcome::Done)
    }

    fn say(&self, signed: &SignedLicence, kept: &Path) {
        let nonce = B256::from(signed.licence.nonce);
        if self.json {
            let json = serde_json::json!({
                "dataset": signed.dataset, "requester": signed.requester, "nonce": nonce, "expiry": signed.expiry(),
                "digest": signed.digest(), "licence": self.out, "kept": kept,
            });
            print(&json.to_string());
            return;
        }
        print(&format!("{}: a licence for one job of {}", self.out.display(), signed.requester));
        print(&format!("{}: its copy; `dataset revoke` takes it back while no job has it", kept.display()));
    }
}

/// Where the copy of a licence lies.
pub(super) fn kept(home: &Path, nonce: B256) -> PathBuf {
    home.join(LICENCES_FOLDER).join(format!("{nonce}.json"))
}

fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make {}", folder.display()))?;
    atomic::write(path, |file| file.write_all(bytes)).wrap_err_with(|| format!("cannot write {}", path.display()))
}
