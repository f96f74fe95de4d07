//! `requester post`: commits to a job, posts it with its escrow, and follows it to its end.

use std::io::Write;
use std::path::PathBuf;

use eyre::{OptionExt, Result, WrapErr, ensure};
use gradproof_chain::market::{ComputeToken, Offering, State, TrainingMarket, no_permit, terms, training};
use gradproof_chain::{B256, Chain, SolCall, SolValue, U256};
use gradproof_node::disk::{Sizes, bytes_in, left};
use gradproof_node::facts::{Facts, Opened as Opening, Role, Secrets};
use gradproof_node::live::{LICENCE_FILE, OPEN_FILE, TERMS_FILE};
use gradproof_node::matching::Candidate;
use gradproof_node::offers::{MAX_OFFERS, Offers, Said, terms_for};
use gradproof_node::store::Store;
use gradproof_node::workshop::{PARCEL, PRIVATE};
use gradproof_terminal::{Outcome, atomic, print, tell};
use gradproof_training::job::Job;
use gradproof_verifier::protocol::job::Parent;

use super::choice::Choice;
use super::committee::CommitteeOptions;
use super::licence::{Held, given};
use super::options::{HomeOption, Opened, PasswordOption};
use super::quote::{Answers, Wanted, alone, most, verifier};
use super::run::{ProvingOptions, follow};
use crate::commit::Commit;
use crate::openings::Openings;
use crate::unseen::commit_on;
use crate::workshop::{pack, pack_first};

/// Where a job lies until its id is known.
const NEW: &str = "new";

/// Posts a job.
#[derive(clap::Args, Clone, Debug)]
pub struct Post {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The job.
    #[command(flatten)]
    pub wanted: Wanted,
    /// Segments of a batch that are drawn and proven, fewer than --batch; without it all are. The secrets that draw must not be lost:
    /// --backup, or --detach and then `node backup`.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=63))]
    pub draws: Option<u8>,
    /// Folder of another job on the same data, as `requester commit` has it; or of a registered set, as `dataset register` wrote it and its
    /// owner handed it over with a licence: see --licence.
    #[arg(long, value_name = "DIR")]
    pub same_data: Option<PathBuf>,
    /// Back the node up into this file, as `node backup` does, before the job is posted or offered.
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Offer the job to one provider, at the price that it quotes: an account, or `best`, which asks all providers, and goes on to the
    /// next one if the best does not take it. The provider posts and takes the job in one transaction. Without it the job is posted for
    /// all, at --price.
    #[arg(long, value_name = "ACCOUNT|best")]
    pub to: Option<Choice>,
    /// Who decides complaints.
    #[command(flatten)]
    pub committee: CommitteeOptions,
    /// Commit and end; `requester run` posts the job, and follows it.
    #[arg(long)]
    pub detach: bool,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
    /// Print the job, and what came of it, as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A job that has ended, as a child sees it.
#[derive(Clone, Debug)]
pub struct Left {
    /// Its id.
    pub id: B256,
    /// The digest of the commitments to its last weights, as the market has it.
    pub last: B256,
    /// Its statement, and how many of its segments were paid.
    pub parent: Parent,
    /// What opens those commitments.
    pub secret: [u8; 32],
}

/// Refuses a job whose weights may find no room beside those of the jobs before it: silence pays the provider, whether they came or not.
fn require_room(opened: &Opened, chain: &Chain, needed: u64) -> Result<()> {
    let mut free = left(&opened.home, opened.config.disk_bytes, bytes_in(&opened.home.blobs()));
    for (id, facts) in Store::open(&opened.home.store_file())?.jobs()? {
        let folder = opened.home.job(id);
        // The parcel is none of what a job needs: it was made before.
        let taken = bytes_in(&folder).saturating_sub(bytes_in(&folder.join(PARCEL)));
        let job = chain.call(opened.deployment.market.address, &TrainingMarket::jobOfCall { id })?;
        free = free.saturating_sub(kept(&facts, State::of(job.state), taken));
    }
    ensure!(
        needed <= free,
        "the job may need {needed} bytes of the disk, and {free} are free beside what earlier jobs may need: raise `disk_bytes`, wait \
         until those have ended, or remove folders of old jobs"
    );
    Ok(())
}

/// Bytes that an earlier job may write still, which has `taken` so many. What it has sealed counts twice, as written and here: blobs do not
/// say whose they are.
fn kept(facts: &Facts, state: Option<State>, taken: u64) -> u64 {
    let is_over = match state {
        Some(State::None) => facts.cancels,
        state => state.is_some_and(|state| state >= State::Cancelled),
    };
    if is_over { 0 } else { facts.disk.saturating_sub(taken) }
}

impl Post {
    /// Runs `requester post`.
    ///
    /// # Errors
    /// The job or an option is refused, the account lacks the escrow, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        self.check()?;
        self.post(&self.wanted.load(self.wanted.set()?.as_ref())?, None)
    }

    /// Posts a job, which may go on from another, and follows it. The options are checked.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn post(&self, job: &Job, from: Option<&Left>) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::Requester))?;
        let id = self.prepare(&opened, job, from)?;
        if let Some(file) = &self.backup {
            let store = Store::open(&opened.home.store_file())?;
            super::backup::copy(&opened.home, &opened.config, &store, file, &self.password.password()?)?;
        }
        if !self.json {
            print(&format!("job {id}: provider, its team and validators see data and weights; nobody else does"));
        }
        if self.detach {
            print(&if self.json {
                serde_json::json!({ "job": id }).to_string()
            } else {
                match (self.draws, &self.backup) {
                    (Some(_), None) => {
                        "back the node up before it posts the job: node backup; follow it: requester run".to_owned()
                    }
                    _ => "follow it: requester run".to_owned(),
                }
            });
            return Ok(Outcome::Done);
        }
        follow(self.home.opened(Some(Role::Requester))?, &self.password, &self.proving, Some(vec![id]))?;
        let found = Store::open(&opened.home.store_file())?.find(id)?;
        let (id, facts) = found.map_or((id, None), |(id, facts)| (id, Some(facts)));
        if let Some((member, reason)) = facts.as_ref().and_then(|facts| facts.committee.as_ref()?.refusal()) {
            self.committee.say_refused(id, *member, reason, self.json);
            return Ok(Outcome::Rejected);
        }
        if let Some(offers) = facts.as_ref().and_then(|facts| facts.offers.as_ref()) {
            let job = TrainingMarket::jobOfCall { id };
            let chain = opened.chain(gradproof_chain::PrivateKeySigner::random())?;
            if chain.call(opened.deployment.market.address, &job)?.state == State::None as u8 {
                self.nobody(id, offers);
                return Ok(Outcome::Rejected);
            }
        }
        let ended = super::status::tell(&opened, id, self.json)?;
        // A job that ended without its weights is paid all the same, where nobody complained.
        let has_weights =
            facts.is_some_and(|facts| matches!(facts.opened.values().next_back(), Some(Opening::Right(_))));
        Ok(if has_weights { ended } else { Outcome::Rejected })
    }

    /// Says that no provider took the job.
    fn nobody(&self, id: B256, offers: &Offers) {
        let word = |said: &Option<Said>| match said {
            Some(Said::No(reason)) => reason.clone(),
            Some(Said::Yes) => "it agreed, and did not take the job in time".to_owned(),
            None => "it did not answer in time, or was not asked".to_owned(),
        };
        let said: Vec<_> = offers.all.iter().map(|offer| (offer.to, word(&offer.said))).collect();
        if self.json {
            let said: Vec<_> =
                said.iter().map(|(provider, said)| serde_json::json!({ "provider": provider, "said": said })).collect();
            print(&serde_json::json!({ "job": id, "state": "None", "offers": said }).to_string());
            return;
        }
        print(&format!("job {id}: nobody took it, and nobody can any more; no tokens moved"));
        said.iter().for_each(|(provider, said)| print(&format!("  {provider}: {said}")));
    }

    /// Refuses options that do not go together.
    ///
    /// # Errors
    /// Two do not.
    pub fn check(&self) -> Result<()> {
        if let Some(file) = &self.backup {
            ensure!(!file.exists(), "--backup {}: it is there already, and is not replaced", file.display());
        }
        self.wanted.require_licence(self.same_data.as_deref())?;
        let Some(draws) = self.draws else { return Ok(()) };
        ensure!(
            draws < self.wanted.batch,
            "--draws {draws}: a batch has {} segments, and without the option all of them are proven",
            self.wanted.batch
        );
        ensure!(
            self.backup.is_some() || self.detach,
            "--draws: who loses the secrets that draw cannot draw: give --backup FILE, or --detach and then `node backup`"
        );
        Ok(())
    }

    /// The terms of a job, and the secrets that draw in it, if some segments are not proven.
    fn terms(
        &self,
        training: TrainingMarket::Training,
        price: u128,
    ) -> Result<(TrainingMarket::Terms, Option<Secrets>)> {
        let batches = u64::from(training.segments).div_ceil(u64::from(self.wanted.batch));
        let mut terms = terms(training, price, self.wanted.batch);
        let Some(draws) = self.draws else { return Ok((terms, None)) };
        let secrets = Secrets { last: gradproof_prover::randomness::fresh_seed()?.into(), batches };
        terms.batches.draws = draws;
        terms.batches.tip = secrets.tip().ok_or_eyre("the job has no batches")?;
        Ok((terms, Some(secrets)))
    }

    /// Commits, and writes down what posts the job: its id.
    fn prepare(&self, opened: &Opened, job: &Job, from: Option<&Left>) -> Result<B256> {
        // Whatever runs on this folder is found before anything is made.
        alone(opened)?;
        let accounts = opened.accounts(&self.password)?;
        let licence = self.wanted.licence(opened, accounts.owner())?;
        if let Some(licence) = &licence {
            licence.require_members(&self.committee.committee)?;
        }
        let folder = opened.home.jobs().join(NEW);
        // Of a run that was interrupted before the job had an id: nobody knows it.
        if folder.exists() {
            std::fs::remove_dir_all(&folder).wrap_err_with(|| format!("cannot remove {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).wrap_err_with(|| format!("cannot make {}", folder.display()))?;
        let parcel = folder.join(PARCEL);
        let (set, from_parent) = (self.wanted.set()?, from.map(|left| (left.parent, left.secret)));
        let statement = match &set {
            Some(set) => commit_on(set, job, &self.proving.keys(), &parcel, from_parent, self.json)?,
            None => {
                let commit = Commit {
                    job: self.wanted.job.clone(),
                    out: parcel.clone(),
                    same_data: self.same_data.clone(),
                    keys: self.proving.keys(),
                    from: from_parent,
                    json: self.json,
                };
                commit.commit(job)?.statement
            }
        };
        let private = folder.join(PRIVATE);
        let openings = Openings::path(&parcel);
        let made = openings.parent().ok_or_eyre("openings have a folder")?;
        std::fs::rename(made, &private).wrap_err_with(|| format!("cannot move {}", made.display()))?;
        match set {
            Some(_) => pack_first(&folder, job)?,
            None => pack(&folder, job)?,
        }

        let verifier = verifier(&opened.deployment, &statement)?;
        let most = most(&opened.deployment, &self.wanted.price)?;
        let mut training = training(&statement, verifier);
        if let Some(licence) = &licence {
            training = licence.license(training)?;
        }
        if let Some(left) = from {
            ensure!(
                training.first == left.last,
                "the new job commits otherwise to the weights of job {}: layers, scale, set-up and column_bits must be those of that job",
                left.id
            );
        }
        let (mut terms, secret) = self.terms(training, most)?;
        let committee = self.committee.put_into(&mut terms, &opened.deployment)?;
        terms.parent = from.map_or(B256::ZERO, |left| left.id);
        let (batch, steps) = (statement.architecture.batch(), statement.architecture.steps());
        let shape = [batch, steps].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let chain = opened.chain(opened.accounts(&self.password)?.require_account()?.clone())?;
        let disk = Sizes::of(&terms, &verifier.columns, shape[0], shape[1]).of_requester();
        require_room(opened, &chain, disk)?;
        let candidates = match self.to {
            None => None,
            Some(choice) => Some(self.candidates(&terms, licence.as_ref(), choice)?),
        };
        let nonce = U256::from_be_bytes(gradproof_prover::randomness::fresh_seed()?);
        let (chain_id, market) = (opened.deployment.chain, opened.deployment.market.address);
        let offering = Offering { chain: chain_id, market, requester: chain.sender(), nonce };
        let offered = |candidate: &Candidate| terms_for(terms.clone(), candidate.owner, candidate.price);
        let (id, terms, mut facts) = match candidates.as_deref() {
            None => {
                let facts = Facts { posts: true, secret, disk, ..Facts::new(Role::Requester) };
                (offering.job(&terms), terms.clone(), facts)
            }
            Some(candidates) => {
                let offers = Offers::new(nonce.into(), candidates, |candidate| offering.job(&offered(candidate)));
                let first = candidates.first().ok_or_eyre("there is a best one")?;
                let id = offering.job(&offered(first));
                (id, offered(first), Facts { offers: Some(offers), secret, disk, ..Facts::new(Role::Requester) })
            }
        };
        facts.committee = committee;
        // One job comes of all offers: the escrow of the dearest is enough.
        let dearest = candidates.iter().flatten().max_by_key(|candidate| candidate.price);
        self.allow(opened, &chain, &dearest.map_or_else(|| terms.clone(), offered), licence.as_ref())?;
        let mut files = vec![(TERMS_FILE, terms.abi_encode())];
        if facts.posts {
            let open = TrainingMarket::openCall {
                terms,
                nonce,
                licence: given(licence.as_ref()),
                consents: vec![],
                permit: no_permit(),
            };
            files.push((OPEN_FILE, open.abi_encode()));
        }
        if let Some(licence) = &licence {
            files.push((LICENCE_FILE, licence.signed.to_json().into_bytes()));
        }
        for (name, bytes) in files {
            let path = folder.join(name);
            atomic::write(&path, |file| file.write_all(&bytes)).wrap_err_with(|| format!("{}", path.display()))?;
        }
        let place = opened.home.job(id);
        std::fs::rename(&folder, &place).wrap_err_with(|| format!("cannot move to {}", place.display()))?;
        let store = Store::open(&opened.home.store_file())?;
        store.begin(id, &facts)?;
        Ok(id)
    }

    /// The providers that quote a price for these terms within --price, the best first.
    fn candidates(
        &self,
        terms: &TrainingMarket::Terms,
        licence: Option<&Held>,
        choice: Choice,
    ) -> Result<Vec<Candidate>> {
        let opened = self.home.opened(Some(Role::Requester))?;
        let deployment = opened.deployment.clone();
        let only = match choice {
            Choice::One(provider) => Some(provider),
            Choice::Best => None,
        };
        let signed = licence.map(|licence| &licence.signed);
        let answers = Answers::of(opened, &self.password, &self.proving, terms, signed, only)?;
        answers.lines(&deployment).iter().for_each(|line| tell(line));
        let mut candidates = answers.ranked();
        if let Some(licence) = licence {
            let fits = |candidate: &Candidate| {
                let fits = licence.check_offer(&terms_for(terms.clone(), candidate.owner, candidate.price), choice);
                fits.inspect_err(|error| tell(&format!("{}: left out: {error:#}", candidate.owner))).is_ok()
            };
            candidates.retain(fits);
        }
        candidates.truncate(MAX_OFFERS);
        ensure!(!candidates.is_empty(), "{}", answers.missed(&deployment));
        Ok(candidates)
    }

    /// Checks the terms, and lets the market take their escrow.
    fn allow(
        &self,
        opened: &Opened,
        chain: &Chain,
        terms: &TrainingMarket::Terms,
        licence: Option<&Held>,
    ) -> Result<()> {
        let (market, token) = (opened.deployment.market.address, opened.deployment.token.address);
        let tokens = |amount| opened.deployment.tokens(amount);
        chain.call(market, &TrainingMarket::checkCall { terms: terms.clone() })?;
        if let Some(licence) = licence {
            licence.check_terms(terms)?;
        }
        let fee = given(licence).fee;
        let escrow = chain.call(market, &TrainingMarket::escrowOfCall { terms: terms.clone(), licenceFee: fee })?;
        if licence.is_some() && !self.json {
            let fee = tokens(U256::from(fee));
            print(&format!("the escrow is {}, of which {fee} are the licence's fee", tokens(escrow)));
        }
        let owner = chain.sender();
        let held = chain.call(token, &ComputeToken::balanceOfCall { account: owner })?;
        ensure!(held >= escrow, "the escrow is {}, and the account {owner} has {}", tokens(escrow), tokens(held));
        // Beside what other jobs that are not posted yet may take.
        let allowed = chain.call(token, &ComputeToken::allowanceCall { owner, spender: market })?;
        chain.send(token, &ComputeToken::approveCall { spender: market, value: allowed.saturating_add(escrow) })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_kept_for_what_a_job_may_write_until_it_has_ended() {
        let facts = Facts { disk: 100, ..Facts::new(Role::Requester) };
        for state in [State::None, State::Open, State::Assigned, State::Running] {
            assert_eq!(kept(&facts, Some(state), 30), 70, "{state:?}");
            assert_eq!(kept(&facts, Some(state), 130), 0, "{state:?}");
        }
        for state in [State::Cancelled, State::Completed, State::Stopped, State::Left, State::Slashed] {
            assert_eq!(kept(&facts, Some(state), 30), 0, "{state:?}");
        }
        let cancelled = Facts { cancels: true, ..facts };
        assert_eq!(kept(&cancelled, Some(State::None), 0), 0, "it is never posted");
        assert_eq!(kept(&cancelled, Some(State::Running), 0), 100, "it was taken all the same");
        assert_eq!(kept(&cancelled, None, 0), 100, "a state that nobody knows");
    }
}
