//! What came of the demonstration's network, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::parties::{LEAD, MEMBER, OWNER};

/// What the network did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NetworkReport {
    /// A job of which a team proves every segment, and a committee could decide complaints; and one on a licensed set, of which some segments
    /// are drawn and proven.
    pub jobs: [JobReport; 2],
    /// What the lead pays a member for a proof, in tokens.
    pub pay: String,
    /// Validators that consented to sit in the committee of the first job, and back it.
    pub consented: u32,
    /// What each of them backs its words with, in tokens.
    pub backing: String,
    /// The licence of the second job: the fee, and the royalty of a segment, in tokens.
    pub licence: [String; 2],
    /// Processes that were killed, and started again.
    pub killed: Vec<Killed>,
    /// All of it.
    pub total_secs: f64,
}

/// What came of a job.
#[derive(Clone, Debug, Default, Serialize)]
pub struct JobReport {
    /// How it ended.
    pub state: String,
    /// Segments that were paid.
    pub segments: u16,
    /// Price of a segment, in tokens.
    pub price: String,
    /// Batches whose weights opened their claim for the requester.
    pub opened: usize,
    /// How many proofs each provider is paid for.
    pub proofs: BTreeMap<&'static str, u32>,
    /// From the posting to the start of the training.
    pub running_secs: f64,
    /// From the last proof to the payment of the last segment.
    pub paid_secs: f64,
    /// From the posting until everybody had what it was owed.
    pub secs: f64,
    /// What each party had before and has after it.
    pub balances: Vec<Balance>,
}

/// What a party had and has, in tokens: its account, its stake that no bond holds, and what it is owed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Balance {
    /// Who.
    pub party: &'static str,
    /// Before the job.
    pub before: String,
    /// After it.
    pub after: String,
    /// The difference; below zero if it has less.
    pub gained: String,
}

/// A process that was killed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Killed {
    /// Whose.
    pub party: &'static str,
    /// Until the process that was started again proved what was lost.
    pub again_secs: f64,
}

impl JobReport {
    /// What a party gained by the job, in tokens.
    fn gained(&self, party: &str) -> &str {
        self.balances.iter().find(|balance| balance.party == party).map_or("0", |balance| &balance.gained)
    }

    fn proofs(&self) -> u32 {
        self.proofs.values().sum()
    }

    fn ended(&self) -> String {
        let Self { state, segments, opened, secs, .. } = self;
        format!("{state}: {segments} segments paid, {} proven, {opened} deliveries opened, {secs:.0} s", self.proofs())
    }

    fn proved(&self, party: &'static str) -> String {
        let proofs = self.proofs.get(party).copied().unwrap_or_default();
        format!("{party}: {proofs} segments, paid {} tokens", self.gained(party))
    }
}

impl NetworkReport {
    /// The lines of the table.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let [first, second] = &self.jobs;
        let [fee, royalty] = &self.licence;
        let mut rows = vec![
            (
                "committee",
                format!("{} validators consented, each backs it with {} tokens", self.consented, self.backing),
            ),
            ("team", format!("{MEMBER} joined the team of {LEAD}, for {} tokens a proof", self.pay)),
            ("first job", first.ended()),
            ("proved", first.proved(LEAD)),
            ("proved", first.proved(MEMBER)),
            ("second job", second.ended()),
            ("proved", second.proved(LEAD)),
            (
                "licence",
                format!(
                    "{OWNER}: paid {} tokens: a fee of {fee}, and {royalty} of each paid segment",
                    second.gained(OWNER)
                ),
            ),
        ];
        let killed = |killed: &Killed| {
            ("killed", format!("{}, which proved again after {:.1} s", killed.party, killed.again_secs))
        };
        rows.extend(self.killed.iter().map(killed));
        let both = first.balances.iter().zip(&second.balances);
        rows.extend(both.map(|(begin, end)| {
            ("balance", format!("{}: {} tokens before, {} after", begin.party, begin.before, end.after))
        }));
        rows.push(("both jobs", format!("{:.0} s", self.total_secs)));
        rows
    }
}
