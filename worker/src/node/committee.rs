//! The committee of a job that a requester posts: accounts of validators, what they are paid, and what backs their words.

use eyre::{Result, ensure};
use gradproof_chain::market::{Deployment, TrainingMarket};
use gradproof_chain::{Address, B256, U256};
use gradproof_node::consents::Consents;
use gradproof_node::message::MAX_MEMBERS;
use gradproof_terminal::{print, tell};

/// Who decides complaints about a job.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct CommitteeOptions {
    /// Validators that decide complaints, 16 accounts at most: half of them and one more decide. Each must consent before the job is posted,
    /// and sees data and weights. Without it nobody decides, and silence pays the provider.
    #[arg(long, value_name = "ACCOUNT,…", value_delimiter = ',')]
    pub committee: Vec<Address>,
    /// What each member that decides a complaint is paid for it, in tokens [default: the price of a segment]. A complaint locks as much for
    /// each member of the requester's stake.
    #[arg(long, value_name = "TOKENS", requires = "committee")]
    pub committee_fee: Option<String>,
    /// What backs each member's words of its stake, in tokens [default: the price of a batch]. A member that gives two answers to one
    /// question loses it.
    #[arg(long, value_name = "TOKENS", requires = "committee")]
    pub committee_stake: Option<String>,
}

impl CommitteeOptions {
    /// Writes the committee into the terms of a job: the consents that it needs, if there is one.
    ///
    /// # Errors
    /// An option is refused.
    pub fn put_into(&self, terms: &mut TrainingMarket::Terms, deployment: &Deployment) -> Result<Option<Consents>> {
        if self.committee.is_empty() {
            return Ok(None);
        }
        let mut members = self.committee.clone();
        members.sort_unstable();
        members.dedup();
        ensure!(members.len() == self.committee.len(), "--committee: an account is named twice");
        ensure!(
            members.len() <= MAX_MEMBERS,
            "--committee: {} accounts, expected at most {MAX_MEMBERS}",
            members.len()
        );
        let amount = |name: &str, given: &Option<String>, otherwise: u128| match given {
            None => Ok(otherwise),
            Some(tokens) => deployment.amount(tokens).map_err(|error| eyre::eyre!("--{name}: {error}")),
        };
        let batch = terms.price.max.saturating_mul(u128::from(terms.batches.deliverEvery));
        let fee = amount("committee-fee", &self.committee_fee, terms.price.max)?;
        let stake = amount("committee-stake", &self.committee_stake, batch)?;
        ensure!(fee > 0, "--committee-fee: a complaint must cost something, and it costs what the members are paid");
        let count = members.len();
        terms.price.complaintBond = fee.saturating_mul(count as u128);
        terms.committee = TrainingMarket::Committee {
            members: members.clone(),
            threshold: u8::try_from(count / 2 + 1).unwrap_or(u8::MAX),
            fee,
            stake,
        };
        tell(&format!(
            "a complaint locks {} tokens of the account's stake: `node stake` puts tokens into the vault",
            deployment.tokens(U256::from(terms.price.complaintBond))
        ));
        Ok(Some(Consents::of(members)))
    }

    /// Says that a job is not posted, because a member of its committee refuses.
    pub fn say_refused(&self, id: B256, member: Address, reason: &str, json: bool) {
        if json {
            let json = serde_json::json!({ "job": id, "state": "None", "member": member, "refused": reason });
            print(&json.to_string());
        } else {
            print(&format!(
                "job {id}: not posted, and no tokens moved: {member} does not sit in the committee: {reason}"
            ));
            print("`requester cancel` forgets it; post again with another committee, or other terms");
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        committee: CommitteeOptions,
    }

    #[test]
    fn a_committee_is_a_list_of_accounts_and_its_amounts_need_one() {
        let read = |words: &[&str]| Line::try_parse_from([&["post"], words].concat()).map(|line| line.committee);
        let (one, two) = (Address::repeat_byte(1).to_string(), Address::repeat_byte(2).to_string());
        let both = format!("{two},{one}");
        let options = read(&["--committee", &both, "--committee-fee", "3"]).expect("they are read");
        assert_eq!(options.committee, [Address::repeat_byte(2), Address::repeat_byte(1)]);
        assert!(read(&["--committee-fee", "3"]).is_err(), "nobody is paid");
        assert!(read(&["--committee", "0x12"]).is_err(), "no account");
        assert!(read(&[]).expect("none is needed").committee.is_empty());
    }
}
