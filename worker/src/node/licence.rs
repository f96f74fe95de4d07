//! `--licence`: a registered data set's licence, looked at before anything is committed to, sent or paid.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure, eyre};
use gradproof_chain::market::TrainingMarket::{Licence, Terms, Training};
use gradproof_chain::market::{DatasetRegistry, MAX_LICENCE_BYTES, SignedLicence, TrainingMarket, no_licence};
use gradproof_chain::{Address, ChainError, PrivateKeySigner, Reader};
use gradproof_node::dataset::DatasetFile;
use gradproof_node::offers::{MAX_OFFERS, OFFER_SECS};
use gradproof_verifier_program::files::read;

use super::choice::Choice;
use super::options::Opened;
use super::quote::Wanted;

/// For how long a licence must hold from now on, in seconds: until the last of all offers is over.
const LEAST_SECS: u64 = OFFER_SECS * (MAX_OFFERS as u64 + 1);

/// A licence that holds, and the set that it is for.
#[derive(Clone, Debug)]
pub(super) struct Held {
    path: PathBuf,
    /// The licence.
    pub signed: SignedLicence,
    /// The register's entry.
    pub set: DatasetRegistry::Dataset,
}

impl Wanted {
    /// The licence that `--licence` names, if it holds for `requester` now.
    ///
    /// # Errors
    /// The file cannot be read; the licence is another one's, over, spent, or not signed by the set's owner; the chain does not answer.
    pub(super) fn licence(&self, opened: &Opened, requester: Address) -> Result<Option<Held>> {
        self.licence.as_deref().map(|path| Held::of(path, opened, requester)).transpose()
    }

    /// Refuses the data of a registered set without its licence, and a licence without what opens the set's commitments.
    ///
    /// # Errors
    /// One is missing, or they are of two sets.
    pub(super) fn require_licence(&self, same_data: Option<&Path>) -> Result<()> {
        let set = same_data.map(DatasetFile::in_folder).transpose()?.flatten();
        ensure!(
            self.dataset.is_none() || same_data.is_none(),
            "--dataset is for rows that are not here, and --same-data for some that are: give one of them"
        );
        match (&self.licence, same_data, set) {
            (Some(_), None, _) if self.dataset.is_some() => Ok(()),
            (None, Some(folder), Some(set)) => Err(eyre!(
                "--same-data {}: these are the registered data set {} of {}: ask its owner for a licence, and give it with --licence FILE",
                folder.display(),
                set.dataset,
                set.owner
            )),
            (Some(path), None, _) => Err(eyre!(
                "--licence {}: give --same-data DIR as well, the folder that `dataset register` wrote, or --dataset FILE where its owner hands \
                 the rows over: without one of them the data get another root",
                path.display()
            )),
            _ => Ok(()),
        }
    }
}

impl Held {
    fn of(path: &Path, opened: &Opened, requester: Address) -> Result<Self> {
        let named = || format!("--licence {}", path.display());
        let signed =
            SignedLicence::from_json(&read(path, MAX_LICENCE_BYTES)?).map_err(|why| eyre!(why)).wrap_err_with(named)?;
        let deployment = &opened.deployment;
        let (market, datasets) = (deployment.market.address, deployment.datasets.address);
        let chain = opened.chain(PrivateKeySigner::random())?;
        let set = chain.call(datasets, &DatasetRegistry::entryCall { dataset: signed.dataset })?;
        let used = TrainingMarket::nonceUsedCall { signer: set.owner, nonce: signed.licence.nonce };
        let spent = chain.call(market, &used)?;
        let now = chain.wait(async { Ok::<_, ChainError>(chain.client().at_head().await?.moment().time) })?;
        let until = now.saturating_add(LEAST_SECS);
        signed.check(deployment.chain, market, requester, &set, spent, until).wrap_err_with(named)?;
        Ok(Self { path: path.to_owned(), signed, set })
    }

    /// The training as one on the licensed set.
    ///
    /// # Errors
    /// It is on other data.
    pub fn license(&self, training: Training) -> Result<Training> {
        self.signed.license(training, &self.set).wrap_err_with(|| self.named())
    }

    /// Refuses terms that the licence is not for.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check_terms(&self, terms: &Terms) -> Result<()> {
        self.signed.check_terms(terms).wrap_err_with(|| self.named())
    }

    /// Refuses the terms of an offer that the licence is not for. Whom a quote chooses may be the data owner's own provider, which starts
    /// and leaves: then the fee is no more than that costs.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check_offer(&self, terms: &Terms, choice: Choice) -> Result<()> {
        self.check_terms(terms)?;
        match choice {
            Choice::One(_) => Ok(()),
            Choice::Best => self.signed.check_fee(terms).wrap_err_with(|| self.named()),
        }
    }

    /// Refuses a committee with a member that the licence does not let see the data: the market would.
    ///
    /// # Errors
    /// The first one that it leaves out.
    pub fn require_members(&self, members: &[Address]) -> Result<()> {
        members.iter().try_for_each(|member| {
            let admitted = self.signed.path(*member).map(drop);
            admitted.wrap_err_with(|| format!("--committee: {} leaves a member out", self.named()))
        })
    }

    fn named(&self) -> String {
        format!("--licence {}", self.path.display())
    }
}

/// What the market is given for a licence, or in the place of one.
pub(super) fn given(held: Option<&Held>) -> Licence {
    held.map_or_else(no_licence, |held| held.signed.licence.clone())
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::Accounts;
    use gradproof_chain::{B256, U256};
    use gradproof_node::offers::terms_for;

    use super::*;

    #[test]
    fn the_fee_for_a_provider_that_a_quote_chooses_is_what_leaving_costs_at_most() {
        let licence = Licence { fee: 71, mostSegments: 8, expiry: U256::MAX, ..no_licence() };
        let (chain, market, requester) = (1, Address::ZERO, Address::ZERO);
        let accounts = Accounts::default();
        let signed = SignedLicence { chain, market, dataset: B256::ZERO, requester, accounts, licence };
        let set = DatasetRegistry::Dataset {
            owner: Address::ZERO,
            rateBps: 0,
            rows: 1,
            receiver: Address::ZERO,
            root: B256::ZERO,
        };
        let held = Held { path: PathBuf::from("licence.json"), signed, set };
        let training = Training {
            verifier: Address::ZERO,
            verifierCode: B256::ZERO,
            halo2: Address::ZERO,
            halo2Code: B256::ZERO,
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: B256::ZERO,
            rows: 1,
            segments: 8,
            first: B256::ZERO,
            rates: vec![1],
            dataset: B256::ZERO,
            royaltyBps: 0,
        };
        let provider = Address::repeat_byte(1);
        let terms = gradproof_chain::market::terms(training, 100, 4);
        // Of a batch of four segments at its price a quarter.
        let offered = |price, choice| held.check_offer(&terms_for(terms.clone(), provider, price), choice).is_ok();
        assert!(
            offered(71, Choice::Best) && !offered(70, Choice::Best),
            "an owner that quotes little, starts and leaves"
        );
        assert!(offered(1, Choice::One(provider)), "the requester knows whom it pays");
    }
}
