//! `node stake`, `unbond`, `payee`, `withdraw`: the account's tokens in the vault.

use eyre::Result;
use gradproof_chain::market::{StakeVault, TrainingMarket, account};
use gradproof_chain::{Address, Chain, U256};
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, Opened, PasswordOption};

/// Puts tokens into the vault, as stake that bonds are locked from.
#[derive(clap::Args, Clone, Debug)]
pub struct Stake {
    /// The account.
    #[command(flatten)]
    pub of: OfAccount,
    /// How much, in tokens.
    #[arg(value_name = "TOKENS")]
    pub amount: String,
}

/// Takes tokens that back nothing out of the vault.
#[derive(clap::Args, Clone, Debug)]
pub struct Unbond {
    /// The account.
    #[command(flatten)]
    pub of: OfAccount,
    /// How much, in tokens.
    #[arg(value_name = "TOKENS")]
    pub amount: String,
}

/// Names the account that is paid instead of this one. It must take that on itself.
#[derive(clap::Args, Clone, Debug)]
pub struct Payee {
    /// The account.
    #[command(flatten)]
    pub of: OfAccount,
    /// Who is paid.
    #[arg(value_name = "ACCOUNT")]
    pub payee: Address,
}

/// Takes what market and vault owe the account.
#[derive(clap::Args, Clone, Debug)]
pub struct Withdraw {
    /// The account.
    #[command(flatten)]
    pub of: OfAccount,
}

/// The account of a node.
#[derive(clap::Args, Clone, Debug)]
pub struct OfAccount {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Print what the account has as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl OfAccount {
    /// With the account's key, which what it has obeys.
    fn opened(&self) -> Result<(Opened, Chain)> {
        let opened = self.home.opened(None)?;
        let chain = opened.chain(opened.accounts(&self.password)?.require_account()?.clone())?;
        Ok((opened, chain))
    }

    /// Says what an account has.
    fn say(&self, opened: &Opened, chain: &Chain, owner: Address) -> Result<Outcome> {
        let (vault, market) = (opened.deployment.vault.address, opened.deployment.market.address);
        let free = opened.free_stake(chain, owner)?;
        let owed = chain.call(market, &TrainingMarket::owedCall { account: owner })?
            + chain.call(vault, &StakeVault::owedCall { account: owner })?;
        let payee = chain.call(vault, &StakeVault::payeeOfCall { account: owner })?;
        let tokens = |amount| opened.deployment.tokens(amount);
        if self.json {
            let json = serde_json::json!({
                "account": owner, "free_stake": tokens(free), "owed": tokens(owed), "payee": payee,
            });
            print(&json.to_string());
        } else {
            print(&format!("account {owner}: {} of stake are free, {} are owed to it", tokens(free), tokens(owed)));
        }
        Ok(Outcome::Done)
    }
}

impl Stake {
    /// Runs `node stake`.
    ///
    /// # Errors
    /// The account lacks the tokens, or the chain refuses.
    pub fn run(&self) -> Result<Outcome> {
        let (opened, chain) = self.of.opened()?;
        let amount = opened.amount(&self.amount)?;
        chain.wait(account::stake(chain.client(), &opened.deployment, amount))?;
        self.of.say(&opened, &chain, chain.sender())
    }
}

impl Unbond {
    /// Runs `node unbond`.
    ///
    /// # Errors
    /// So much is not free, or the chain refuses.
    pub fn run(&self) -> Result<Outcome> {
        let (opened, chain) = self.of.opened()?;
        let amount = opened.amount(&self.amount)?;
        chain.send(opened.deployment.vault.address, &StakeVault::unstakeCall { amount })?;
        self.of.say(&opened, &chain, chain.sender())
    }
}

impl Payee {
    /// Runs `node payee`.
    ///
    /// # Errors
    /// The chain refuses.
    pub fn run(&self) -> Result<Outcome> {
        let (opened, chain) = self.of.opened()?;
        let account = chain.sender();
        chain.send(opened.deployment.vault.address, &StakeVault::setPayeeCall { account, payee: self.payee })?;
        self.of.say(&opened, &chain, chain.sender())
    }
}

impl Withdraw {
    /// Runs `node withdraw`.
    ///
    /// # Errors
    /// The chain refuses.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.of.home.opened(None)?;
        let accounts = opened.accounts(&self.of.password)?;
        // Whoever calls, the account is paid, or its payee.
        let chain = opened.chain(accounts.account().unwrap_or(&accounts.hot).clone())?;
        let account = accounts.owner();
        let (vault, market) = (opened.deployment.vault.address, opened.deployment.market.address);
        if chain.call(market, &TrainingMarket::owedCall { account })? > U256::ZERO {
            chain.send(market, &TrainingMarket::withdrawCall { account })?;
        }
        if chain.call(vault, &StakeVault::owedCall { account })? > U256::ZERO {
            chain.send(vault, &StakeVault::withdrawCall { account })?;
        }
        self.of.say(&opened, &chain, account)
    }
}
