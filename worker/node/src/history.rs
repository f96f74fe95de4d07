//! How the jobs of providers ended, for counterparties that this node's policy knows.
//!
//! Anyone can be both parties of a job, and so anyone's history with strangers says what that account wants it to say. What counts is how
//! jobs ended that known accounts posted: a provider cannot make those up without one of them.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::market::NodeRegistry::Recorded;
use gradproof_chain::market::State;
use gradproof_chain::{Address, B256};
use gradproof_verifier::protocol::keccak::keccak256;

use crate::NodeError;
use crate::config::RequesterConfig;
use crate::store::Record;

/// Records of what is remembered, by provider.
pub const HISTORY: &str = "history/";
/// Most ends of jobs that are remembered: of 100 bytes each, 6 MB.
const MAX_ENDED: usize = 65_536;

/// How a provider's jobs for known accounts ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Jobs that ended after a provider had them.
    pub jobs: u64,
    /// Of these, those that the provider left, or lost its bond in.
    pub failed: u64,
    /// What was paid in them, in the smallest unit of the token.
    pub paid: u128,
}

/// The market counts what a requester's jobs came to under the outcome with this bit.
pub const AS_REQUESTER: u8 = 0x80;

/// What an account was in a job that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum As {
    /// It trained.
    Provider,
    /// It posted.
    Requester,
}

/// How the jobs of an account ended with each of its counterparties, all of them: what it says of itself, known accounts or not.
///
/// A job that nobody took has no counterparty.
pub fn counterparties(ends: &[Recorded]) -> BTreeMap<(As, Address), History> {
    let mut all = BTreeMap::<_, History>::new();
    for end in ends.iter().filter(|end| !end.counterparty.is_zero()) {
        let role = if end.outcome & AS_REQUESTER == 0 { As::Provider } else { As::Requester };
        let paid = u128::try_from(end.amount).unwrap_or(u128::MAX);
        all.entry((role, end.counterparty)).or_default().add(end.outcome & !AS_REQUESTER, paid);
    }
    all
}

/// The histories of all providers with known accounts.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    known: BTreeSet<Address>,
    /// Of each provider the ends that the market counted, by outcome and number of that outcome, with what was paid.
    ended: BTreeMap<Address, BTreeMap<(u8, u64), u128>>,
    count: usize,
    /// Providers whose history is not stored as it is.
    changed: BTreeSet<Address>,
}

/// What is stored of a provider: outcome, number of that outcome, what was paid.
type Stored = Vec<(u8, u64, u128)>;

impl Histories {
    /// No histories yet; those with the account `me` count, and with what the policy knows.
    pub fn new(me: Address, policy: Option<&RequesterConfig>) -> Self {
        let known = policy.iter().flat_map(|policy| &policy.known).copied().chain([me]).collect();
        Self { known, ..Self::default() }
    }

    /// Takes what the market counted. The same number of the same outcome again, of a block in another's place, takes the place of the
    /// first.
    pub fn take(&mut self, event: &Recorded) {
        let number = u64::try_from(event.count).unwrap_or(u64::MAX);
        let ends = self.ended.entry(event.owner).or_default();
        let before = self.count;
        self.count -= usize::from(ends.remove(&(event.outcome, number)).is_some());
        let mut is_changed = self.count != before;
        if self.known.contains(&event.counterparty) && is_a_providers(event.outcome) && self.count < MAX_ENDED {
            ends.insert((event.outcome, number), u128::try_from(event.amount).unwrap_or(u128::MAX));
            self.count += 1;
            is_changed = true;
        }
        if is_changed {
            self.changed.insert(event.owner);
        }
        if ends.is_empty() {
            self.ended.remove(&event.owner);
        }
    }

    /// Which accounts are known: what was read for others is read again.
    pub fn known(&self) -> B256 {
        let known: Vec<u8> = self.known.iter().flat_map(|account| account.0.0).collect();
        keccak256(&[&known]).into()
    }

    /// Takes what was stored of a provider.
    ///
    /// # Errors
    /// [`NodeError::Store`] if it is something else.
    pub fn load(&mut self, owner: Address, bytes: &[u8]) -> Result<(), NodeError> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(NodeError::storing)?;
        self.count += stored.len();
        self.ended.insert(owner, stored.into_iter().map(|(outcome, number, paid)| ((outcome, number), paid)).collect());
        Ok(())
    }

    /// What is to be stored since this was asked last, by provider; `None` where nothing is left.
    ///
    /// # Errors
    /// [`NodeError::Store`] if there is no JSON of it, which does not happen.
    pub fn changes(&mut self) -> Result<Vec<Record>, NodeError> {
        let record = |owner: &Address| {
            let ends = self.ended.get(owner).map(|ends| -> Stored {
                ends.iter().map(|((outcome, number), paid)| (*outcome, *number, *paid)).collect()
            });
            let bytes = ends.map(|ends| serde_json::to_vec(&ends)).transpose().map_err(NodeError::storing)?;
            Ok((format!("{HISTORY}{owner}"), bytes))
        };
        let records = self.changed.iter().map(record).collect();
        self.changed.clear();
        records
    }

    /// Forgets all: everything is read again.
    pub fn clear(&mut self) {
        self.changed.extend(self.ended.keys());
        self.ended.clear();
        self.count = 0;
    }

    /// The history of a provider.
    pub fn of(&self, owner: Address) -> History {
        let mut history = History::default();
        for ((outcome, _), paid) in self.ended.get(&owner).into_iter().flatten() {
            history.add(*outcome, *paid);
        }
        history
    }
}

impl History {
    /// Counts a job that ended so, and in which so much was paid.
    fn add(&mut self, outcome: u8, paid: u128) {
        self.jobs += 1;
        self.failed += u64::from(is_failure(outcome));
        self.paid = self.paid.saturating_add(paid);
    }
}

/// Whether the market counts this outcome of whoever trained; those of requesters have the highest bit.
fn is_a_providers(outcome: u8) -> bool {
    State::of(outcome).is_some_and(|state| state >= State::Completed)
}

fn is_failure(outcome: u8) -> bool {
    matches!(State::of(outcome), Some(State::Left | State::Slashed))
}

impl RequesterConfig {
    /// The history that counts: none, where less was paid in it than the policy asks for.
    pub fn counted(&self, history: History) -> History {
        if history.paid < self.min_paid { History::default() } else { history }
    }

    /// Why a provider with this history is left out.
    pub fn left_out(&self, history: History) -> Option<String> {
        let most = self.max_failures.filter(|most| history.failed > *most)?;
        Some(format!("{} of its {} jobs for known accounts failed, at most {most} may", history.failed, history.jobs))
    }
}

#[cfg(test)]
mod tests {
    use gradproof_chain::U256;

    use super::*;

    const ME: Address = Address::repeat_byte(1);
    const FRIEND: Address = Address::repeat_byte(2);
    const PROVIDER: Address = Address::repeat_byte(3);

    fn recorded(outcome: u8, count: u64, amount: u64, counterparty: Address) -> Recorded {
        let (count, amount) = (U256::from(count), U256::from(amount));
        Recorded { reporter: Address::ZERO, owner: PROVIDER, outcome, count, amount, counterparty }
    }

    fn policy() -> RequesterConfig {
        RequesterConfig { known: vec![FRIEND], min_paid: 150, max_failures: Some(1) }
    }

    #[test]
    fn only_what_ended_with_known_accounts_counts_and_each_end_once() {
        let mut histories = Histories::new(ME, Some(&policy()));
        let completed = State::Completed as u8;
        for event in [
            recorded(completed, 1, 100, ME),
            recorded(completed, 2, 1000, PROVIDER),
            recorded(State::Slashed as u8, 1, 7, FRIEND),
            recorded(State::Left as u8, 1, 0, Address::repeat_byte(9)),
            recorded(completed | 0x80, 1, 500, ME),
            recorded(completed, 1, 100, ME),
        ] {
            histories.take(&event);
        }
        assert_eq!(histories.of(PROVIDER), History { jobs: 2, failed: 1, paid: 107 });
        assert_eq!(histories.of(ME), History::default());
        // In the block that came in another's place it was somebody else's job.
        histories.take(&recorded(completed, 1, 100, PROVIDER));
        assert_eq!(histories.of(PROVIDER), History { jobs: 1, failed: 1, paid: 7 });
        let mut alone = Histories::new(ME, None);
        alone.take(&recorded(completed, 1, 100, FRIEND));
        assert_eq!(alone.of(PROVIDER), History::default(), "nobody said that it is known");
        // What was stored is the same after a restart, and nothing is stored twice.
        let mut again = Histories::new(ME, Some(&policy()));
        for (key, bytes) in histories.changes().expect("it is written") {
            let owner = key.strip_prefix(HISTORY).expect("a history").parse().expect("of a provider");
            again.load(owner, &bytes.expect("something is left")).expect("it is read");
        }
        assert_eq!((again.of(PROVIDER), again.count), (histories.of(PROVIDER), 1));
        assert_eq!(histories.changes().expect("it is written"), []);
        assert!(alone.known() != again.known());
        again.clear();
        assert_eq!(again.changes().expect("it is written"), [(format!("{HISTORY}{PROVIDER}"), None)]);
        alone.count = MAX_ENDED;
        alone.take(&recorded(completed, 2, 100, ME));
        assert_eq!(alone.of(PROVIDER), History::default(), "bounded");
    }

    #[test]
    fn each_counterparty_has_its_jobs_in_each_role() {
        let completed = State::Completed as u8;
        let ends = [
            recorded(completed, 1, 100, ME),
            recorded(State::Left as u8, 1, 20, ME),
            recorded(completed | AS_REQUESTER, 1, 7, ME),
            recorded(State::Slashed as u8 | AS_REQUESTER, 1, 0, FRIEND),
            recorded(State::Cancelled as u8 | AS_REQUESTER, 1, 0, Address::ZERO),
        ];
        let all: Vec<_> = counterparties(&ends).into_iter().collect();
        let history = |jobs, failed, paid| History { jobs, failed, paid };
        let expected = [
            ((As::Provider, ME), history(2, 1, 120)),
            ((As::Requester, ME), history(1, 0, 7)),
            ((As::Requester, FRIEND), history(1, 1, 0)),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn a_history_that_was_paid_too_little_counts_nothing_and_failures_are_bounded() {
        let policy = policy();
        let little = History { jobs: 9, failed: 0, paid: 149 };
        assert_eq!(policy.counted(little), History::default());
        let enough = History { paid: 150, ..little };
        assert_eq!((policy.counted(enough), policy.left_out(enough)), (enough, None));
        let bad = History { jobs: 2, failed: 2, paid: 0 };
        assert!(policy.left_out(bad).expect("two failed").contains("2 of its 2 jobs"));
        assert_eq!(RequesterConfig::default().left_out(bad), None);
    }
}
