//! A data owner's licence: what it signs, the file in which it hands that over, and what of it does not hold.
//!
//! A licence lets one account post one job on a registered set. The market takes the flat fee into the job's escrow, and pays it to the
//! set's receiver at the start, and a royalty with each batch.

use alloy::primitives::{U256, keccak256};
use alloy::sol_types::SolValue;
use serde::{Deserialize, Serialize};

use super::DatasetRegistry::Dataset;
use super::TrainingMarket::{Licence, Terms, Training};
use super::offer::typed;
use super::{Accounts, royalty};
use crate::{Address, B256, Bytes, signer_of};

/// Largest file of a licence, in bytes: one with a whole list of accounts has 15,000.
pub const MAX_LICENCE_BYTES: usize = 1 << 16;
/// Version of the file.
const VERSION: u32 = 1;
/// What a licence says.
const LICENCE: &str = "Licence(bytes32 dataset,address requester,bytes32 providers,uint128 fee,uint128 minRoyalty,\
                       uint32 mostSegments,bytes32 terms,uint256 nonce,uint256 expiry)";
/// Of a batch's price, this part is what leaving costs the lead (`Bounds.LEAVE_PART`): the most of a flat fee, if the lead may be the
/// data owner itself.
const FEE_PART: u128 = 4;
/// Of a segment's price, at most this part is the royalty.
const ROYALTY_PART: u128 = 2;

/// A licence with what it is for, as a data owner hands it to a requester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLicence {
    /// Chain id.
    pub chain: u64,
    /// The market.
    pub market: Address,
    /// Digest of the set.
    pub dataset: B256,
    /// Who may post the job.
    pub requester: Address,
    /// Who may see the data: providers, and a committee's members. Its root is in the licence.
    pub accounts: Accounts,
    /// What the market is given, with the owner's signature.
    pub licence: Licence,
}

/// The file of a licence.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    chain: u64,
    market: Address,
    dataset: B256,
    requester: Address,
    accounts: Vec<Address>,
    fee: U256,
    least_royalty: U256,
    most_segments: u32,
    terms: B256,
    nonce: B256,
    expiry: u64,
    signature: Bytes,
}

/// Why a licence is none for a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LicenceFault {
    /// It is for another market.
    #[error("it is for the market {market} of chain {chain}, and not for the one of this node's deployment")]
    Elsewhere {
        /// Its chain.
        chain: u64,
        /// Its market.
        market: Address,
    },
    /// It is for somebody else.
    #[error("it is for the requester {expected}, and this account is {got}: its owner signs one for each account")]
    Requester {
        /// Whom it is for.
        expected: Address,
        /// Who would post the job.
        got: Address,
    },
    /// The set is in no register, or no more.
    #[error("data set {0} is not in the register of this market")]
    Unregistered(B256),
    /// The owner did not sign it.
    #[error("the owner {owner} of data set {dataset} did not sign it, or signed something else")]
    Signature {
        /// The set.
        dataset: B256,
        /// Who owns it.
        owner: Address,
    },
    /// It is over, or will be before the job is posted.
    #[error(
        "it can be used until {expiry}, and the job may be posted as late as {until} (seconds since 1970): ask its owner for another"
    )]
    Expired {
        /// Its last second.
        expiry: u64,
        /// The last second that is needed.
        until: u64,
    },
    /// A job has it, or its owner took it back.
    #[error("its nonce {0} is spent: a job was posted with it, or its owner took it back; one licence is for one job")]
    Spent(B256),
    /// The data that were committed to are others.
    #[error(
        "data set {dataset} has the root {expected} and {rows} rows, and the job's data have the root {got} and {got_rows} rows: \
         commit with the owner's folder, in the shape of the set"
    )]
    Data {
        /// The set.
        dataset: B256,
        /// Its root.
        expected: B256,
        /// Its rows.
        rows: u64,
        /// Root of the job's data.
        got: B256,
        /// Their rows.
        got_rows: u64,
    },
    /// The job is too long.
    #[error("it is for {most} segments at most, and the job has {got}")]
    Segments {
        /// The most.
        most: u32,
        /// The job's.
        got: u32,
    },
    /// It is for one job with other terms.
    #[error("it is for a job with other terms, of which keccak256 is {0}")]
    Terms(B256),
    /// It is more than leaving costs a provider that the requester does not name: the owner as that provider starts and leaves.
    #[error(
        "its fee is {fee}, and for a provider that you do not name it is at most {most}, a quarter of a batch's price, which leaving costs: \
         offer the job to an account that you know"
    )]
    Fee {
        /// The fee, in the token's smallest unit.
        fee: u128,
        /// The most.
        most: u128,
    },
    /// The price is too low for it.
    #[error(
        "its royalty is {royalty} of a segment, and the market takes at most {most}, a half of the price: pay more a segment"
    )]
    Royalty {
        /// Of a segment, in the token's smallest unit.
        royalty: u128,
        /// The most.
        most: u128,
    },
    /// The account may not see the data.
    #[error("it does not admit {0}: ask its owner to name that account")]
    NotAdmitted(Address),
}

/// Digest of a set in the register.
pub fn dataset_digest(owner: Address, root: B256, rows: u64) -> B256 {
    keccak256((owner, root, rows).abi_encode())
}

/// What the owner of a set signs for `requester`: that of the market's `licenceDigest`. The signature in the licence does not count.
pub fn licence_digest(chain: u64, market: Address, dataset: B256, requester: Address, licence: &Licence) -> B256 {
    let Licence { providers, fee, minRoyalty, mostSegments, terms, nonce, expiry, .. } = licence.clone();
    let kind = keccak256(LICENCE);
    let fields = (kind, dataset, requester, providers, fee, minRoyalty, mostSegments, terms, nonce, expiry);
    typed(chain, market, keccak256(fields.abi_encode()))
}

impl SignedLicence {
    /// What the owner signs: that of the market's `licenceDigest`.
    pub fn digest(&self) -> B256 {
        licence_digest(self.chain, self.market, self.dataset, self.requester, &self.licence)
    }

    /// The last second in which a job can be posted with it.
    pub fn expiry(&self) -> u64 {
        u64::try_from(self.licence.expiry).unwrap_or(u64::MAX)
    }

    /// Refuses what holds for no job of `requester` at this market that is posted at `until` at the latest, in seconds since 1970.
    ///
    /// `set`: the register's entry; `spent`: whether the market says that the owner's nonce is used.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(
        &self,
        chain: u64,
        market: Address,
        requester: Address,
        set: &Dataset,
        spent: bool,
        until: u64,
    ) -> Result<(), LicenceFault> {
        if (self.chain, self.market) != (chain, market) {
            return Err(LicenceFault::Elsewhere { chain: self.chain, market: self.market });
        }
        if self.requester != requester {
            return Err(LicenceFault::Requester { expected: self.requester, got: requester });
        }
        if set.owner.is_zero() {
            return Err(LicenceFault::Unregistered(self.dataset));
        }
        if signer_of(self.digest(), &self.licence.signature) != Some(set.owner) {
            return Err(LicenceFault::Signature { dataset: self.dataset, owner: set.owner });
        }
        if self.expiry() < until {
            return Err(LicenceFault::Expired { expiry: self.expiry(), until });
        }
        if spent {
            return Err(LicenceFault::Spent(self.licence.nonce.into()));
        }
        Ok(())
    }

    /// Makes a training one on the licensed set.
    ///
    /// # Errors
    /// [`LicenceFault::Data`], if it is on other data.
    pub fn license(&self, training: Training, set: &Dataset) -> Result<Training, LicenceFault> {
        if (set.root, set.rows) != (training.dataRoot, training.rows) {
            return Err(LicenceFault::Data {
                dataset: self.dataset,
                expected: set.root,
                rows: set.rows,
                got: training.dataRoot,
                got_rows: training.rows,
            });
        }
        Ok(Training { dataset: self.dataset, royaltyBps: set.rateBps, ..training })
    }

    /// Refuses terms that the licence is not for: as `Opening.checkDataset` and `Rules.licence` of the market do.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check_terms(&self, terms: &Terms) -> Result<(), LicenceFault> {
        let Terms { training, price, providers, .. } = terms;
        let Licence { minRoyalty, mostSegments, terms: only, .. } = self.licence;
        if training.segments > mostSegments {
            return Err(LicenceFault::Segments { most: mostSegments, got: training.segments });
        }
        if !only.is_zero() && only != keccak256(terms.abi_encode()) {
            return Err(LicenceFault::Terms(only));
        }
        if providers.is_zero() {
            self.check_fee(terms)?;
        }
        let (royalty, most) =
            (royalty(price.start, training.royaltyBps, minRoyalty), price.start.div_ceil(ROYALTY_PART));
        if royalty > most {
            return Err(LicenceFault::Royalty { royalty, most });
        }
        Ok(())
    }

    /// Refuses a fee of more than it costs to start the job and leave it, at the price of these terms. The market does, where anyone may
    /// train. An offer has one provider: whoever does not choose which, asks for it here, because it may be the owner's.
    ///
    /// # Errors
    /// [`LicenceFault::Fee`].
    pub fn check_fee(&self, terms: &Terms) -> Result<(), LicenceFault> {
        let (fee, most) =
            (self.licence.fee, terms.price.start.saturating_mul(terms.batches.deliverEvery.into()) / FEE_PART);
        if fee > most { Err(LicenceFault::Fee { fee, most }) } else { Ok(()) }
    }

    /// The path by which the market admits an account.
    ///
    /// # Errors
    /// [`LicenceFault::NotAdmitted`].
    pub fn path(&self, account: Address) -> Result<Vec<B256>, LicenceFault> {
        self.accounts.path(account).ok_or(LicenceFault::NotAdmitted(account))
    }

    /// The file, as text.
    pub fn to_json(&self) -> String {
        let Licence { fee, minRoyalty, mostSegments, terms, nonce, signature, .. } = &self.licence;
        let file = File {
            version: VERSION,
            chain: self.chain,
            market: self.market,
            dataset: self.dataset,
            requester: self.requester,
            accounts: self.accounts.as_slice().to_vec(),
            fee: U256::from(*fee),
            least_royalty: U256::from(*minRoyalty),
            most_segments: *mostSegments,
            terms: *terms,
            nonce: (*nonce).into(),
            expiry: self.expiry(),
            signature: signature.clone(),
        };
        // It has strings as keys, and nothing else can fail.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Reads the file. What is not of this version is refused whole.
    ///
    /// # Errors
    /// In words: what is wrong with it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_LICENCE_BYTES {
            return Err(format!("{} bytes, expected at most {MAX_LICENCE_BYTES}", bytes.len()));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| format!("not a licence: {error}"))?;
        if file.version != VERSION {
            return Err(format!("version is {}, expected {VERSION}", file.version));
        }
        let accounts = Accounts::new(file.accounts).ok_or("more accounts than a licence names")?;
        let amount = |key: &str, amount: U256| u128::try_from(amount).map_err(|_| format!("{key} is no amount"));
        let licence = Licence {
            providers: accounts.root(),
            fee: amount("fee", file.fee)?,
            minRoyalty: amount("least_royalty", file.least_royalty)?,
            mostSegments: file.most_segments,
            terms: file.terms,
            nonce: file.nonce.into(),
            expiry: U256::from(file.expiry),
            signature: file.signature,
        };
        let File { chain, market, dataset, requester, .. } = file;
        Ok(Self { chain, market, dataset, requester, accounts, licence })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::terms as terms_of;
    use super::*;
    use crate::{PrivateKeySigner, sign_digest};

    const MARKET: Address = Address::repeat_byte(3);
    const REQUESTER: Address = Address::repeat_byte(4);

    fn owner() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).expect("a valid key")
    }

    fn set() -> Dataset {
        let receiver = owner().address();
        Dataset { owner: receiver, rateBps: 500, rows: 7, receiver, root: B256::repeat_byte(5) }
    }

    fn signed(change: impl FnOnce(&mut SignedLicence)) -> SignedLicence {
        let accounts = Accounts::new(vec![]).expect("none");
        let licence = Licence {
            providers: B256::ZERO,
            fee: 70,
            minRoyalty: 3,
            mostSegments: 8,
            terms: B256::ZERO,
            nonce: U256::from(11),
            expiry: U256::from(1000),
            signature: Bytes::new(),
        };
        let dataset = dataset_digest(owner().address(), set().root, set().rows);
        let mut signed = SignedLicence { chain: 1, market: MARKET, dataset, requester: REQUESTER, accounts, licence };
        change(&mut signed);
        signed.licence.providers = signed.accounts.root();
        signed.licence.signature = sign_digest(&owner(), signed.digest()).expect("it signs").into();
        signed
    }

    fn training() -> Training {
        Training {
            verifier: Address::ZERO,
            verifierCode: B256::ZERO,
            halo2: Address::ZERO,
            halo2Code: B256::ZERO,
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: set().root,
            rows: set().rows,
            segments: 8,
            first: B256::ZERO,
            rates: vec![1],
            dataset: B256::ZERO,
            royaltyBps: 0,
        }
    }

    fn checked(signed: &SignedLicence) -> Result<(), LicenceFault> {
        signed.check(1, MARKET, REQUESTER, &set(), false, 1000)
    }

    #[test]
    fn a_licence_is_for_one_market_requester_and_set_and_for_some_time() {
        let good = signed(|_| ());
        assert_eq!(checked(&good), Ok(()));
        let elsewhere = LicenceFault::Elsewhere { chain: 1, market: MARKET };
        assert_eq!(good.check(2, MARKET, REQUESTER, &set(), false, 0), Err(elsewhere.clone()));
        assert_eq!(good.check(1, REQUESTER, REQUESTER, &set(), false, 0), Err(elsewhere));
        let other = LicenceFault::Requester { expected: REQUESTER, got: MARKET };
        assert_eq!(good.check(1, MARKET, MARKET, &set(), false, 0), Err(other));
        let gone = Dataset { owner: Address::ZERO, ..set() };
        let unregistered = LicenceFault::Unregistered(good.dataset);
        assert_eq!(good.check(1, MARKET, REQUESTER, &gone, false, 0), Err(unregistered));
        let late = LicenceFault::Expired { expiry: 1000, until: 1001 };
        assert_eq!(good.check(1, MARKET, REQUESTER, &set(), false, 1001), Err(late));
        let spent = LicenceFault::Spent(B256::with_last_byte(11));
        assert_eq!(good.check(1, MARKET, REQUESTER, &set(), true, 1000), Err(spent));
        let own = Dataset { owner: MARKET, ..set() };
        assert!(matches!(good.check(1, MARKET, REQUESTER, &own, false, 0), Err(LicenceFault::Signature { .. })));
    }

    #[test]
    fn whatever_is_changed_after_the_signature_is_not_signed() {
        let changes: [fn(&mut SignedLicence); 8] = [
            |signed| signed.licence.providers = B256::repeat_byte(1),
            |signed| signed.licence.fee -= 1,
            |signed| signed.licence.minRoyalty -= 1,
            |signed| signed.licence.mostSegments += 1,
            |signed| signed.licence.terms = B256::repeat_byte(1),
            |signed| signed.licence.nonce += U256::from(1),
            |signed| signed.licence.expiry += U256::from(1),
            |signed| signed.dataset = B256::repeat_byte(1),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut other = signed(|_| ());
            change(&mut other);
            assert!(matches!(checked(&other), Err(LicenceFault::Signature { .. })), "{place}");
        }
    }

    #[test]
    fn terms_that_a_licence_is_not_for_are_refused() {
        let good = signed(|_| ());
        let licensed = good.license(training(), &set()).expect("it is the set");
        assert_eq!((licensed.dataset, licensed.royaltyBps), (good.dataset, 500));
        for other in [Training { rows: 8, ..training() }, Training { dataRoot: B256::ZERO, ..training() }] {
            assert!(matches!(good.license(other, &set()), Err(LicenceFault::Data { .. })));
        }
        // A batch of 4 at 70: a quarter of it is 70.
        let terms = terms_of(licensed, 70, 4);
        assert_eq!(good.check_terms(&terms), Ok(()));
        let dear = signed(|signed| signed.licence.fee = 71);
        assert_eq!(dear.check_terms(&terms), Err(LicenceFault::Fee { fee: 71, most: 70 }));
        let of_one = Terms { providers: MARKET.into_word(), ..terms.clone() };
        assert_eq!(dear.check_terms(&of_one), Ok(()), "whoever may leave is one that the requester chose");
        assert_eq!(dear.check_fee(&of_one), Err(LicenceFault::Fee { fee: 71, most: 70 }), "or a quote did");
        assert_eq!(good.check_fee(&of_one), Ok(()));
        let greedy = signed(|signed| signed.licence.minRoyalty = 36);
        assert_eq!(greedy.check_terms(&terms), Err(LicenceFault::Royalty { royalty: 36, most: 35 }));
        let short = signed(|signed| signed.licence.mostSegments = 7);
        assert_eq!(short.check_terms(&terms), Err(LicenceFault::Segments { most: 7, got: 8 }));
        let only = keccak256(terms.abi_encode());
        let bound = signed(|signed| signed.licence.terms = only);
        assert_eq!(bound.check_terms(&terms), Ok(()));
        assert_eq!(bound.check_terms(&of_one), Err(LicenceFault::Terms(only)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_licence_or_refused(
            near: bool, count in 0usize..4, edits in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), raw: Vec<u8>,
        ) {
            let named = (1..=count).map(|number| Address::with_last_byte(number as u8)).collect();
            let good = signed(|signed| signed.accounts = Accounts::new(named).expect("few"));
            let text = good.to_json().into_bytes();
            prop_assert_eq!(SignedLicence::from_json(&text), Ok(good));
            let mut bytes = if near { text } else { raw };
            for (at, byte) in edits.iter().filter(|_| near) {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            if let Ok(read) = SignedLicence::from_json(&bytes) {
                prop_assert_eq!(SignedLicence::from_json(read.to_json().as_bytes()), Ok(read));
            }
        }
    }

    #[test]
    fn a_file_that_is_too_long_or_of_another_version_is_refused() {
        let text = signed(|_| ()).to_json();
        let refused = |text: String| SignedLicence::from_json(text.as_bytes()).expect_err("it is refused");
        assert!(refused(text.replace("\"version\": 1", "\"version\": 2")).contains("expected 1"));
        assert!(refused(" ".repeat(MAX_LICENCE_BYTES + 1)).contains("expected at most"));
        assert!(
            refused(text.replace("\"fee\": \"0x46\"", "\"fee\": \"0x100000000000000000000000000000000\""))
                .contains("fee")
        );
    }
}
