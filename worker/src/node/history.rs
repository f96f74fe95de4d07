//! `node history`: how the jobs of an account ended, as the market counted them, and with whom.

use eyre::{Result, bail};
use gradproof_chain::market::{NodeRegistry, State, ends_of};
use gradproof_chain::{Address, Chain, PrivateKeySigner, U256};
use gradproof_node::history::{AS_REQUESTER, As, counterparties};
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use super::options::{HomeOption, Opened};

/// Counterparties of each role that are printed; JSON has all.
const MOST_PRINTED: usize = 20;

/// Says how the jobs of an account ended, and with whom it had them.
#[derive(clap::Args, Clone, Debug)]
pub struct History {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The account [default: that of the node's entry in the register].
    #[arg(value_name = "ACCOUNT")]
    pub account: Option<Address>,
    /// Print it as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// How often jobs ended in a way, and what was paid in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Ended {
    role: &'static str,
    outcome: String,
    jobs: String,
    /// In tokens.
    paid: String,
    #[serde(skip)]
    count: U256,
}

/// What an account's jobs with another one came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct With {
    role: &'static str,
    account: Address,
    /// Whether it is the same account on both sides.
    itself: bool,
    jobs: u64,
    failed: u64,
    /// In tokens.
    paid: String,
}

impl History {
    /// Runs `node history`.
    ///
    /// # Errors
    /// The account is not named, and the node is not in the register; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(None)?;
        // Nothing is sent, so that any account will do.
        let chain = opened.chain(PrivateKeySigner::random())?;
        let account = match self.account {
            Some(account) => account,
            None => own(&opened, &chain)?,
        };
        let mut ended = Vec::new();
        for (role, bit) in [(As::Provider, 0), (As::Requester, AS_REQUESTER)] {
            for state in State::ALL.into_iter().filter(|state| *state >= State::Cancelled) {
                ended.extend(counted(&opened, &chain, account, name(role), state, bit)?);
            }
        }
        let (with, told) = with(&opened, &chain, account)?;
        let counted = ended.iter().map(|ended| ended.count).sum::<U256>();
        if self.json {
            let market = opened.deployment.market.address;
            let json = serde_json::json!({
                "account": account, "market": market, "ended": ended, "counterparties": with,
                "counted": counted.to_string(), "told": told,
            });
            print(&json.to_string());
            return Ok(Outcome::Done);
        }
        if ended.is_empty() {
            print(&format!("{account}: no job has ended"));
        }
        for Ended { role, outcome, jobs, paid, .. } in &ended {
            print(&format!("{account} as {role:<9} {outcome:<9} {jobs:>6} jobs, {paid} tokens paid"));
        }
        for role in [As::Provider, As::Requester] {
            lines(name(role), &with).iter().for_each(|line| print(line));
        }
        if U256::from(told) < counted {
            print(&format!(
                "The endpoint told {told} of {counted} ends: who was on the other side of the rest is not known."
            ));
        }
        Ok(Outcome::Done)
    }
}

/// What the market counted of one outcome, if that ever came.
fn counted(
    opened: &Opened,
    chain: &Chain,
    owner: Address,
    role: &'static str,
    state: State,
    bit: u8,
) -> Result<Option<Ended>> {
    let (nodes, reporter) = (opened.deployment.nodes.address, opened.deployment.market.address);
    let outcome = state as u8 | bit;
    let count = chain.call(nodes, &NodeRegistry::outcomesCall { reporter, owner, outcome })?;
    if count == U256::ZERO {
        return Ok(None);
    }
    let paid = chain.call(nodes, &NodeRegistry::amountsCall { reporter, owner, outcome })?;
    let paid = opened.deployment.tokens(paid);
    Ok(Some(Ended { role, outcome: format!("{state:?}"), jobs: count.to_string(), paid, count }))
}

/// The counterparties of an account, those with which most was paid first, and how many ends of jobs the endpoint told.
fn with(opened: &Opened, chain: &Chain, owner: Address) -> Result<(Vec<With>, usize)> {
    let ends = chain.wait(ends_of(chain.client(), &opened.deployment, owner))?;
    let mut all: Vec<_> = counterparties(&ends).into_iter().collect();
    all.sort_by_key(|((role, _), history)| (*role, std::cmp::Reverse(history.paid)));
    let with = |((role, account), history): ((As, Address), gradproof_node::history::History)| With {
        role: name(role),
        account,
        itself: account == owner,
        jobs: history.jobs,
        failed: history.failed,
        paid: opened.deployment.tokens(U256::from(history.paid)),
    };
    Ok((all.into_iter().map(with).collect(), ends.len()))
}

/// What is printed of the counterparties in one role.
fn lines(role: &str, with: &[With]) -> Vec<String> {
    let with: Vec<_> = with.iter().filter(|one| one.role == role).collect();
    if with.is_empty() {
        return vec![];
    }
    let line = |one: &&With| {
        let With { account, jobs, failed, paid, .. } = one;
        let itself = if one.itself { ": itself" } else { "" };
        format!("  {account} {jobs:>6} jobs, {failed} failed, {paid} tokens paid{itself}")
    };
    let more = with.len().saturating_sub(MOST_PRINTED);
    let head = format!("as {role} with {} accounts:", with.len());
    let more = (more > 0).then(|| format!("  and {more} more"));
    std::iter::once(head).chain(with.iter().take(MOST_PRINTED).map(line)).chain(more).collect()
}

/// A role in words.
fn name(role: As) -> &'static str {
    match role {
        As::Provider => "provider",
        As::Requester => "requester",
    }
}

/// The account of this node, by its entry: no password is needed for what anyone can read.
fn own(opened: &Opened, chain: &Chain) -> Result<Address> {
    let peer = PrivateKeySigner::from_bytes(&opened.home.peer_key()?)?.address();
    let entry = chain.call(opened.deployment.nodes.address, &NodeRegistry::nodeCall { peer })?;
    if entry.owner.is_zero() {
        bail!("this node is not in the register: `node register` enters it, or name the account");
    }
    Ok(entry.owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counterparties_are_printed_in_their_role_and_not_without_end() {
        let with = |byte, role| With {
            role,
            account: Address::repeat_byte(byte),
            itself: byte == 0,
            jobs: 2,
            failed: 1,
            paid: "7".into(),
        };
        assert!(lines("provider", &[with(1, "requester")]).is_empty());
        let many: Vec<_> = (0..22).map(|byte| with(byte, "provider")).chain([with(9, "requester")]).collect();
        let lines = lines("provider", &many);
        assert_eq!((lines.len(), lines[0].as_str()), (22, "as provider with 22 accounts:"));
        assert!(lines[1].ends_with(" 2 jobs, 1 failed, 7 tokens paid: itself"), "{}", lines[1]);
        assert!(lines[2].ends_with("7 tokens paid"), "{}", lines[2]);
        assert_eq!(lines[21], "  and 2 more");
    }
}
