//! What a node's own folder says of a job: what the node does and when, and what it said.

use eyre::Result;
use gradproof_chain::market::{Deployment, Duty, JobSnapshot, StakeVault, State, TrainingMarket};
use gradproof_chain::{Address, B256, Chain, Status};
use gradproof_node::decide::{Action, Seat, View, decide, planned};
use gradproof_node::facts::Facts;
use gradproof_node::home::Home;
use gradproof_node::told::{Told, Transaction};
use gradproof_node::words::{Doubt, Judged, Word};
use gradproof_terminal::print;
use serde::Serialize;

/// What a node knows of a job, and what the market owes its account.
pub(super) struct Own {
    told: Told,
    view: View,
}

/// What is said of the node itself.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExplainedNode {
    account: Address,
    follows: bool,
    /// What it does now beside what stands at the duties.
    now: Vec<String>,
    /// What a validator found out, and what it risks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found: Vec<String>,
    /// What it said last, that is not so any more where it acted since.
    said: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<ExplainedTransaction>,
}

/// The last transaction about the job.
#[derive(Clone, Debug, Serialize)]
struct ExplainedTransaction {
    what: String,
    status: String,
}

impl Own {
    /// What the node in a folder knows; `None` if it never said anything of the job.
    pub fn of(
        home: &Home,
        id: B256,
        job: &JobSnapshot,
        chain: &Chain,
        deployment: &Deployment,
    ) -> Result<Option<Self>> {
        let Some(told) = Told::read(home, id)? else { return Ok(None) };
        let (me, market, vault) = (told.account, deployment.market.address, deployment.vault.address);
        let owed = chain.call(market, &TrainingMarket::owedCall { account: me })?;
        // The node waits until this is deep.
        let held = matches!(job.state(), Some(State::Assigned | State::Running));
        let mut view = View::new(id, me, job.clone(), owed);
        view.owed_bonds = chain.call(vault, &StakeVault::owedCall { account: me })?;
        view.settled_lead = held.then_some(job.job.owner);
        if let Some(place) = job.terms.committee.members.iter().position(|member| *member == me) {
            let committee = chain.call(market, &TrainingMarket::committeeOfCall { id })?;
            let key = committee.keys.get(place).copied().unwrap_or_default();
            let (backed, place) = (committee.backed.bit(place), u32::try_from(place).unwrap_or(u32::MAX));
            view.seat = Some(Seat { place, key, backed });
        }
        Ok(Some(Self { told, view }))
    }

    /// What the node does about something that can be done, now or when its time comes.
    pub fn plans(&self, duty: &Duty) -> Vec<String> {
        let Some(facts) = &self.told.facts else { return vec![] };
        let plans = duty.calls.iter().flat_map(|name| planned(name, duty, &self.view, facts));
        let mut words: Vec<String> = plans.map(|action| in_words(&action)).collect();
        words.dedup();
        words
    }

    /// All that is no duty's.
    pub fn rest(&self, of_duties: &[String]) -> ExplainedNode {
        let Told { account, facts, said, transaction } = &self.told;
        let now = facts.iter().flat_map(|facts| decide(&self.view, facts)).map(|action| in_words(&action));
        let id = self.view.id.to_string();
        let said = said.iter().filter(|(_, what)| what.as_str() != "sent");
        ExplainedNode {
            account: *account,
            follows: facts.is_some(),
            now: now.filter(|plan| !of_duties.contains(plan)).collect(),
            found: facts.as_ref().map(found).unwrap_or_default(),
            said: said.map(|(about, what)| format!("{}: {what}", about.replace(&id, "it"))).collect(),
            transaction: transaction.as_ref().map(ExplainedTransaction::of),
        }
    }
}

impl ExplainedTransaction {
    fn of(transaction: &Transaction) -> Self {
        let Transaction { what, status, is_final } = transaction;
        let depth = if *is_final { ", deep" } else { ", not deep yet" };
        let status = match status {
            Status::Pending => "sent, in no block yet".to_owned(),
            Status::Included { transaction, place } => {
                let did = if place.success { "landed" } else { "reverted" };
                format!("{did} in block {}{depth}, as {transaction}, for {} gas", place.number, place.gas)
            }
            Status::Overtaken { seen } => format!("another transaction took its place, seen at block {seen}"),
            Status::Refused { reason } => format!("not sent: {reason}"),
        };
        Self { what: what.clone(), status }
    }
}

impl ExplainedNode {
    pub fn print(&self) {
        let Self { account, follows, now, found, said, transaction } = self;
        print(&format!("node of {account}: {}", if *follows { "follows it" } else { "does not follow it" }));
        for plan in now {
            print(&format!("  now: {plan}"));
        }
        for line in found {
            print(&format!("  {line}"));
        }
        if let Some(ExplainedTransaction { what, status }) = transaction {
            print(&format!("  last transaction: {what}: {status}"));
        }
        for line in said {
            print(&format!("  it said of {line}"));
        }
    }
}

/// What a validator found out about deliveries and claims, what it says, and what it risks.
fn found(facts: &Facts) -> Vec<String> {
    let judged = facts.judged.iter().map(|Judged { batch, root, missed, right, why, .. }| match right {
        Some(true) => format!("the delivery {root} of batch {batch} opens the claim: it is held, and handed on"),
        Some(false) => format!("the delivery {root} of batch {batch} does not open the claim: {why}"),
        None => format!("the delivery {root} of batch {batch} was not to be had, {missed} times"),
    });
    let words = facts
        .words
        .iter()
        .map(|Word { batch, yes, .. }| format!("it says {} of batch {batch}", if *yes { "yes" } else { "no" }));
    let doubts = facts.doubts.iter().map(|Doubt { segment, missed, opens, .. }| {
        let said = match opens {
            Some(true) => "the provider says what opens it".to_owned(),
            Some(false) => "what the provider says does not open it".to_owned(),
            None => format!("the provider did not say what opens it, {missed} times"),
        };
        format!("the claim of segment {segment} is not what it trained to; {said}")
    });
    let risks = (facts.budget > 0)
        .then(|| format!("it risks {} of the token's smallest unit in challenges of the job", facts.budget));
    judged.chain(words).chain(doubts).chain(risks).collect()
}

fn in_words(action: &Action) -> String {
    match action {
        Action::Send { call, .. } => format!("send `{}`", call.about()),
        Action::Do(task) => task.in_words(),
        Action::Turn(_) => "go on to another provider".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use gradproof_chain::Included;
    use gradproof_node::facts::Role;

    use super::*;

    #[test]
    fn what_a_validator_found_is_said() {
        let (batch, root, last) = (2, B256::ZERO, B256::ZERO);
        let judged = |right, why: &str| Judged { batch, root, last, missed: 4, missed_at: 0, right, why: why.into() };
        let doubt = |opens| Doubt { segment: 7, claim: B256::ZERO, missed: 3, opens };
        let facts = Facts {
            judged: vec![judged(Some(true), ""), judged(Some(false), "one place"), judged(None, "")],
            words: vec![Word { batch, last, yes: true, signature: None }],
            doubts: vec![doubt(None), doubt(Some(true)), doubt(Some(false))],
            budget: 5,
            ..Facts::new(Role::Validator)
        };
        let found = found(&facts).join("\n");
        for said in ["handed on", "one place", "not to be had, 4 times", "says yes of batch 2", "3 times", "risks 5 of"]
        {
            assert!(found.contains(said), "{said}: {found}");
        }
        assert_eq!(super::found(&Facts::new(Role::Requester)), [""; 0]);
    }

    #[test]
    fn what_became_of_a_transaction_is_said() {
        let place = Included { block: B256::ZERO, number: 7, success: false, gas: 21_000, price: 1 };
        let said =
            |status, is_final| ExplainedTransaction::of(&Transaction { what: "start".into(), status, is_final }).status;
        assert_eq!(said(Status::Pending, false), "sent, in no block yet");
        let included = said(Status::Included { transaction: B256::ZERO, place }, true);
        assert!(included.starts_with("reverted in block 7, deep, as 0x00") && included.ends_with("21000 gas"));
        assert!(said(Status::Overtaken { seen: 9 }, true).ends_with("block 9"));
    }
}
