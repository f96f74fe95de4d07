//! What the parties of the demonstration's network do: two jobs, one after the other.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use eyre::{OptionExt, Result, ensure};
use gradproof_chain::market::TrainingMarket::Batches;
use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{B256, U256};
use gradproof_node::dataset::{DATASET_FILE, DatasetFile};
use gradproof_node::facts::Role;
use gradproof_terminal::Progress;

use super::network::{Network, Process, output};
use super::outcome::{JobReport, Killed, NetworkReport};
use super::parties::{
    COMMITTEE_FEE, COMMITTEE_STAKE, LEAD, LICENCE_FEE, MEMBER, OWNER, PARTIES, REQUESTER, VALIDATORS,
};

/// What a segment of the first job costs, and the most that one of the second may cost, in tokens.
const PRICES: [&str; 2] = ["100", "120"];
/// Part of a segment's price that is the data owner's, in percent.
const ROYALTY: &str = "5";
/// What the log of a provider says when it begins to prove.
const PROVES: &str = "begins to prove segment";
/// How long the whole may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often the chain is asked how far a job is.
const LOOK: Duration = Duration::from_millis(500);

/// The parties at work.
pub struct Trade<'a> {
    network: &'a Network<'a>,
    progress: &'a Progress,
    begin: Instant,
    /// Nodes that run.
    nodes: BTreeMap<&'static str, Process>,
    killed: Vec<Killed>,
}

impl<'a> Trade<'a> {
    /// Has the parties do two jobs of these files, of which the second is on the rows of the first, registered and licensed.
    ///
    /// # Errors
    /// A job does not end well, or not in time.
    pub fn run(network: &'a Network<'a>, first: &Path, second: &Path, progress: &'a Progress) -> Result<NetworkReport> {
        let begin = Instant::now();
        let mut trade = Self { network, progress, begin, nodes: BTreeMap::new(), killed: vec![] };
        // The requester's node runs for each job, the data owner's when it has something to serve.
        for (party, role) in PARTIES.into_iter().filter(|(_, role)| matches!(role, Role::Provider | Role::Validator)) {
            trade.nodes.insert(party, network.run(party, role)?);
        }
        let (with_team, team) = trade.with_team(first)?;
        let backed = network.ask(&TrainingMarket::committeeOfCall { id: with_team })?.backed;
        let (licensed, drawn) = trade.licensed(second, with_team)?;
        let record = network.ask(&TrainingMarket::jobOfCall { id: licensed })?;
        let tokens = |amount| network.deployment.tokens(amount);
        Ok(NetworkReport {
            jobs: [team, drawn],
            pay: tokens(trade.pay(with_team)?),
            consented: u32::try_from(backed.count_ones())?,
            backing: tokens(network.backing(VALIDATORS[0])?),
            licence: [record.licenceFee, record.royalty].map(|amount| tokens(U256::from(amount))),
            killed: trade.killed,
            total_secs: begin.elapsed().as_secs_f64(),
        })
    }

    /// A job of which a team proves every segment, with a committee. Meanwhile the data owner enters its set, and processes are killed.
    fn with_team(&mut self, file: &Path) -> Result<(B256, JobReport)> {
        let network = self.network;
        let members = VALIDATORS.iter().map(|party| Ok(network.account(party)?.to_string()));
        let members = members.collect::<Result<Vec<_>>>()?.join(",");
        let options = given(&[
            ("--job", file.as_os_str()),
            // For all: an offer to one provider lets no member in.
            ("--price", PRICES[0].as_ref()),
            ("--batch", "3".as_ref()),
            ("--committee", members.as_ref()),
            ("--committee-fee", COMMITTEE_FEE.as_ref()),
            ("--committee-stake", COMMITTEE_STAKE.as_ref()),
        ]);
        self.progress.say("the requester asks the committee, and posts");
        self.job(&options, None, |trade, requester| {
            let set = network.home(OWNER).join("set");
            let options = [("--job", file.as_os_str()), ("--out", set.as_os_str()), ("--royalty", ROYALTY.as_ref())];
            let options = given(&options);
            let mut register = network.spawn("dataset", "register", OWNER, &options)?;
            trade.progress.say("lead and member train and prove");
            let proves = |party| Ok::<_, eyre::Report>(network.said(party, PROVES)? > 0);
            trade.wait(requester, || Ok((proves(LEAD)? && proves(MEMBER)?).then_some(())))?;
            for party in [MEMBER, LEAD] {
                trade.kill(party, requester)?;
            }
            trade.wait(requester, || Ok(register.ended()?.then_some(())))?;
            trade.nodes.insert(OWNER, network.run(OWNER, Role::DataOwner)?);
            Ok(())
        })
    }

    /// A job on the set that the data owner registered, of which a segment of each batch is drawn and proven. Its rows never come to the
    /// requester.
    fn licensed(&mut self, file: &Path, before: B256) -> Result<(B256, JobReport)> {
        let network = self.network;
        self.progress.say("the requester asks the data owner for a licence");
        let set = DatasetFile::in_folder(&network.home(OWNER).join("set"))?.ok_or_eyre("no set is registered")?;
        let (out, backup) = (network.home("licensed"), network.home("requester.backup"));
        let mut ask = network.command("requester", "license", REQUESTER);
        ask.arg(set.dataset.to_string()).args(["--segments", "64", "--most-fee", &LICENCE_FEE.to_string(), "--out"]);
        ask.arg(&out);
        // Its node may have started just now.
        while let Err(error) = output(&mut ask) {
            ensure!(self.begin.elapsed() < PATIENCE, error);
            thread::sleep(LOOK);
        }
        let (dataset, licence) = (out.join(DATASET_FILE), out.join("licence.json"));
        let options = given(&[
            ("--job", file.as_os_str()),
            ("--price", PRICES[1].as_ref()),
            ("--batch", "2".as_ref()),
            ("--to", "best".as_ref()),
            ("--dataset", dataset.as_os_str()),
            ("--licence", licence.as_os_str()),
            ("--draws", "1".as_ref()),
            ("--backup", backup.as_os_str()),
        ]);
        self.progress.say("the requester posts a job on the data owner's set");
        self.job(&options, Some(before), |_, _| Ok(()))
    }

    /// Posts a job, does something when it runs, and waits until everybody has what is theirs.
    fn job(
        &mut self,
        options: &[&OsStr],
        before: Option<B256>,
        meanwhile: impl FnOnce(&mut Self, &mut Process) -> Result<()>,
    ) -> Result<(B256, JobReport)> {
        let network = self.network;
        let (had, opened) = (network.balances()?, network.said(REQUESTER, "open the claim").unwrap_or_default());
        let mut requester = network.spawn("requester", "post", REQUESTER, options)?;
        let id = self.wait(&mut requester, || network.posted(before))?;
        let held = || network.ask(&TrainingMarket::jobOfCall { id });
        let posted = Instant::now();
        self.wait(&mut requester, || Ok((!held()?.progressAt.is_zero()).then_some(())))?;
        let running_secs = posted.elapsed().as_secs_f64();
        meanwhile(self, &mut requester)?;
        let Batches { deliverEvery: every, draws, .. } = network.ask(&TrainingMarket::termsOfCall { id })?.batches;
        let batches = held()?.total / u16::from(every);
        let due = u32::from(batches) * u32::from(draws);
        let proofs = self.wait(&mut requester, || {
            Ok(Some(self.proofs(id, batches)?).filter(|proofs| proofs.values().sum::<u32>() >= due))
        })?;
        let last = Instant::now();
        let job = self.wait(&mut requester, || Ok(Some(held()?).filter(|job| job.settled == job.total)))?;
        let paid_secs = last.elapsed().as_secs_f64();
        // No bond and no escrow holds anything any more, and the requester has ended by itself.
        let has = self.wait(&mut requester, || Ok(Some(network.balances()?).filter(|has| sum(has) == sum(&had))))?;
        while !requester.ended()? {
            ensure!(self.begin.elapsed() < PATIENCE, "the requester does not end");
            thread::sleep(LOOK);
        }
        let report = JobReport {
            state: State::name(job.state),
            segments: job.settled,
            price: network.deployment.tokens(U256::from(job.price)),
            opened: network.said(REQUESTER, "open the claim")? - opened,
            proofs,
            running_secs,
            paid_secs,
            secs: posted.elapsed().as_secs_f64(),
            balances: network.compared(had, &has),
        };
        Ok((id, report))
    }

    /// Kills a provider's process, starts it again, and waits until it proves again.
    fn kill(&mut self, party: &'static str, requester: &mut Process) -> Result<()> {
        let begun = self.network.said(party, PROVES)?;
        // As a power failure would: no signal that could be caught.
        self.nodes.remove(party);
        self.progress.say(format!("{party} was killed, and is started again"));
        let killed = Instant::now();
        self.nodes.insert(party, self.network.run(party, Role::Provider)?);
        self.wait(requester, || Ok((self.network.said(party, PROVES)? > begun).then_some(())))?;
        self.killed.push(Killed { party, again_secs: killed.elapsed().as_secs_f64() });
        Ok(())
    }

    /// How many proofs of a job each provider is paid for.
    fn proofs(&self, id: B256, batches: u16) -> Result<BTreeMap<&'static str, u32>> {
        let mut proofs = BTreeMap::from([(LEAD, 0), (MEMBER, 0)]);
        for batch in (0..batches).map(U256::from) {
            let record = self.network.ask(&TrainingMarket::batchOfCall { id, batch })?.record;
            for at in (0..u64::from(u64::BITS)).filter(|at| record.proven >> at & 1 == 1) {
                // Four bits say whose seat is paid, and the lead's is zero.
                let seat = (record.holders >> (4 * at)) & U256::from(15);
                *proofs.entry(if seat.is_zero() { LEAD } else { MEMBER }).or_default() += 1;
            }
        }
        Ok(proofs)
    }

    /// What the member's seat pays for a proof, in the token's smallest unit.
    fn pay(&self, id: B256) -> Result<U256> {
        let seat = self.network.ask(&TrainingMarket::seatOfCall { id, number: U256::from(1) })?;
        ensure!(seat.owner == self.network.account(MEMBER)?, "{MEMBER} has no seat");
        Ok(U256::from(seat.pay))
    }

    /// Waits until something is there.
    fn wait<T>(&self, requester: &mut Process, mut there: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        loop {
            if let Some(there) = there()? {
                return Ok(there);
            }
            requester.ended()?;
            ensure!(self.begin.elapsed() < PATIENCE, "the jobs did not end in time");
            thread::sleep(LOOK);
        }
    }
}

/// Options of a command.
fn given<'a>(options: &[(&'a str, &'a OsStr)]) -> Vec<&'a OsStr> {
    options.iter().flat_map(|(name, value)| [OsStr::new(*name), *value]).collect()
}

/// What all have together.
fn sum(balances: &[(&str, U256)]) -> U256 {
    balances.iter().map(|(_, balance)| *balance).sum()
}
