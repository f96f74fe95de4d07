//! `dataset revoke`: takes a licence back that no job has.

use std::path::PathBuf;

use eyre::{Result, WrapErr, ensure, eyre};
use gradproof_chain::B256;
use gradproof_chain::market::{MAX_LICENCE_BYTES, SignedLicence, TrainingMarket};
use gradproof_terminal::{Outcome, print};
use gradproof_verifier_program::files::read;

use crate::node::{HomeOption, PasswordOption};

/// Takes a licence back.
#[derive(clap::Args, Clone, Debug)]
pub struct Revoke {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The licence: the file, or its copy in the owner's folder.
    #[arg(value_name = "FILE")]
    pub licence: PathBuf,
    /// Print what was done as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Revoke {
    /// Runs `dataset revoke`.
    ///
    /// # Errors
    /// The file is no licence of this account, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(None)?;
        let chain = opened.chain(opened.accounts(&self.password)?.require_account()?.clone())?;
        let signed = SignedLicence::from_json(&read(&self.licence, MAX_LICENCE_BYTES)?)
            .map_err(|why| eyre!(why))
            .wrap_err_with(|| format!("{}", self.licence.display()))?;
        let deployment = &opened.deployment;
        let owner = gradproof_chain::signer_of(signed.digest(), &signed.licence.signature);
        ensure!(
            owner == Some(chain.sender())
                && (signed.chain, signed.market) == (deployment.chain, deployment.market.address),
            "{}: no licence that {} signed for this market",
            self.licence.display(),
            chain.sender()
        );
        let (market, nonce) = (deployment.market.address, signed.licence.nonce);
        let used = TrainingMarket::nonceUsedCall { signer: chain.sender(), nonce };
        let done = !chain.call(market, &used)?;
        if done {
            chain.send(market, &TrainingMarket::cancelNonceCall { nonce })?;
        }
        let said = if done { "nobody can use it any more" } else { "a job has it, or it was taken back before" };
        if self.json {
            print(&serde_json::json!({ "nonce": B256::from(nonce), "done": done, "said": said }).to_string());
        } else {
            print(&format!("licence {}: {said}", B256::from(nonce)));
        }
        Ok(if done { Outcome::Done } else { Outcome::Rejected })
    }
}
