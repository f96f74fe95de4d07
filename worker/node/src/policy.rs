//! Which jobs a provider takes, and why not the others.

use gradproof_chain::market::{Deployment, TrainingMarket, admits, price_for};
use gradproof_chain::{Address, B256, LOCAL_CHAIN, U256};

use crate::config::ProviderConfig;

/// Twice the measured time must fit: a machine is as fast as when nothing else runs on it for half of the time only.
const SPARE: u64 = 2;

/// What a provider has promised, and what it could promise still.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capacity {
    /// Jobs that it has, or has promised to take: from the moment a quote, a consent or a transaction was signed.
    pub promised: usize,
    /// Stake that no bond holds and that backs no job, in the token's smallest unit.
    pub free_stake: U256,
    /// Bonds of promises that are not locked yet.
    pub promised_bonds: U256,
    /// Milliseconds that all promised segments take, as measured.
    pub promised_ms: u64,
    /// Milliseconds of a segment of this job, if that was measured.
    pub segment_ms: Option<u64>,
    /// Bytes of the disk that no promise needs.
    pub free_disk: u64,
    /// Most bytes of the disk that this job needs.
    pub needed_disk: u64,
    /// Whether a job failed here, or a result was wrong, and `doctor` has not passed since.
    pub failed: bool,
    /// Whether a job is followed that nobody could read.
    pub is_unknown: bool,
}

/// Why a job is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// A job failed here before.
    #[error("a job failed on this node: it takes no other until `provider doctor` passes")]
    Failed,
    /// A job that the node follows could not be read, or the endpoints do not agree on it.
    #[error("the endpoints do not agree on a job that is promised: what it takes is not known")]
    Unknown,
    /// All places are taken.
    #[error("{promised} jobs are promised, of at most {most}")]
    Full {
        /// Promised.
        promised: usize,
        /// The most.
        most: usize,
    },
    /// The price is too low.
    #[error("the price of a segment is {price}, the least here is {least}: {} too low", least - price)]
    Price {
        /// Offered, at most.
        price: u128,
        /// What the node takes.
        least: u128,
    },
    /// The bond is too high.
    #[error("the bond is {bond}, the most here is {most}")]
    Bond {
        /// Asked for.
        bond: u128,
        /// What the node locks.
        most: u128,
    },
    /// There is not enough stake.
    #[error("the bond is {bond}, and {free} of the stake is free")]
    Stake {
        /// Asked for.
        bond: u128,
        /// Free, less what is promised.
        free: U256,
    },
    /// Others may train it.
    #[error("the terms admit other providers")]
    Others,
    /// The deployment has no such verifier.
    #[error("the verifier {verifier} is none of the deployment's")]
    Verifier {
        /// The one in the terms.
        verifier: Address,
    },
    /// Anyone can forge proofs for it.
    #[error("the verifier's set-up is insecure, and this is chain {chain}")]
    Insecure {
        /// The chain.
        chain: u64,
    },
    /// Not everything is proven.
    #[error(
        "{draws} of {batch} segments are drawn and proven: this node takes jobs only of which all are, or with `draws = true`"
    )]
    Draws {
        /// Drawn of a batch.
        draws: u8,
        /// Segments of a batch.
        batch: u8,
    },
    /// Somebody is in the committee whom nobody here knows.
    #[error("the committee has {member}, which is none of `validators` in the configuration")]
    Committee {
        /// The first of them.
        member: Address,
    },
    /// The data are a registered set that the configuration does not name.
    #[error("the data are the registered set {dataset}, which `datasets` in the configuration does not let in")]
    Dataset {
        /// The set.
        dataset: B256,
    },
    /// Whoever owns the data does not let this account see them.
    #[error("the licence of the data does not admit this account, or nobody told its path in the licence")]
    Licence,
    /// The disk has no room for it.
    #[error("the job may need {needed} bytes of the disk, and {free} are free beside what is promised: see disk_bytes")]
    Disk {
        /// Bytes, at most.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// It takes too long.
    #[error(
        "{segments} segments take {needed_secs} s here with all that is promised, twice as long as measured; the terms leave {left_secs} s"
    )]
    Time {
        /// Segments.
        segments: u32,
        /// Seconds.
        needed_secs: u64,
        /// Seconds.
        left_secs: u64,
    },
}

impl NotTaken {
    /// Whether it is of this moment and not of the job: the job is looked at again.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Failed
                | Self::Unknown
                | Self::Full { .. }
                | Self::Stake { .. }
                | Self::Time { .. }
                | Self::Disk { .. }
        )
    }

    /// The reason in a word, as it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Full { .. } => "full",
            Self::Price { .. } => "price",
            Self::Bond { .. } => "bond",
            Self::Stake { .. } => "stake",
            Self::Others => "others",
            Self::Verifier { .. } => "verifier",
            Self::Insecure { .. } => "insecure",
            Self::Draws { .. } => "draws",
            Self::Committee { .. } => "committee",
            Self::Dataset { .. } => "dataset",
            Self::Licence => "licence",
            Self::Disk { .. } => "disk",
            Self::Time { .. } => "time",
        }
    }
}

/// The verifiers of the deployment that these terms name, with the code that they name.
pub(crate) fn verifier<'a>(
    training: &TrainingMarket::Training,
    deployment: &'a Deployment,
) -> Option<&'a gradproof_chain::market::Verifier> {
    deployment.verifiers.iter().find(|verifier| {
        verifier.segment.address == training.verifier
            && verifier.segment.code_hash == training.verifierCode
            && verifier.halo2.address == training.halo2
            && verifier.halo2.code_hash == training.halo2Code
    })
}

/// What the licence of a job means to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licensed {
    /// Whether the account may see the data.
    pub admits: bool,
    /// Least royalty of a segment, in the token's smallest unit.
    pub least_royalty: u128,
}

impl Licensed {
    /// Where the data are no registered set.
    pub const NONE: Self = Self { admits: true, least_royalty: 0 };

    /// The licence of a job that the market has, with the path of the account: empty where nobody told it.
    pub fn of_job(job: &TrainingMarket::Job, me: Address, path: &[B256]) -> Self {
        Self { admits: admits(job.licensed, me, path), least_royalty: job.minRoyalty }
    }

    /// A licence that somebody brings, with the path of the account.
    pub fn of(licence: &TrainingMarket::Licence, me: Address, path: &[B256]) -> Self {
        Self { admits: admits(licence.providers, me, path), least_royalty: licence.minRoyalty }
    }

    /// The least price of a segment at which this node accepts: what it wants is what is left of it without the royalty.
    pub fn least_price(&self, training: &TrainingMarket::Training, config: &ProviderConfig) -> u128 {
        price_for(config.least_price, training.royaltyBps, self.least_royalty)
    }
}

/// The verifying key of a job whose terms and licence this node takes, at the prices of [`Licensed::least_price`] and more.
///
/// # Errors
/// The first reason against it.
pub fn taken(
    terms: &TrainingMarket::Terms,
    licensed: Licensed,
    me: Address,
    deployment: &Deployment,
    config: &ProviderConfig,
    capacity: &Capacity,
) -> Result<B256, NotTaken> {
    let TrainingMarket::Terms { training, price, times, batches, committee, providers, .. } = terms;
    if capacity.failed {
        return Err(NotTaken::Failed);
    }
    if capacity.is_unknown {
        return Err(NotTaken::Unknown);
    }
    if capacity.promised >= config.jobs {
        return Err(NotTaken::Full { promised: capacity.promised, most: config.jobs });
    }
    if !providers.is_zero() && *providers != me.into_word() {
        return Err(NotTaken::Others);
    }
    let Some(verifier) = verifier(training, deployment) else {
        return Err(NotTaken::Verifier { verifier: training.verifier });
    };
    if verifier.insecure_setup && deployment.chain != LOCAL_CHAIN {
        return Err(NotTaken::Insecure { chain: deployment.chain });
    }
    // Where some are drawn, a challenge of a right claim asks for a proof in a time that the terms choose: short ones take the bond.
    if batches.draws != batches.deliverEvery && !config.draws {
        return Err(NotTaken::Draws { draws: batches.draws, batch: batches.deliverEvery });
    }
    // Half of a committee and one more can say that right weights are wrong: the requester has them then, and its price back.
    if let Some(member) = committee.members.iter().find(|member| !config.validators.contains(member)) {
        return Err(NotTaken::Committee { member: *member });
    }
    if !config.datasets.let_in(training.dataset) {
        return Err(NotTaken::Dataset { dataset: training.dataset });
    }
    if !licensed.admits {
        return Err(NotTaken::Licence);
    }
    let least = licensed.least_price(training, config);
    if price.max < least {
        return Err(NotTaken::Price { price: price.max, least });
    }
    if price.bond > config.most_bond {
        return Err(NotTaken::Bond { bond: price.bond, most: config.most_bond });
    }
    let free = capacity.free_stake.saturating_sub(capacity.promised_bonds);
    if U256::from(price.bond) > free {
        return Err(NotTaken::Stake { bond: price.bond, free });
    }
    if capacity.needed_disk > capacity.free_disk {
        return Err(NotTaken::Disk { needed: capacity.needed_disk, free: capacity.free_disk });
    }
    if let Some(segment_ms) = capacity.segment_ms {
        let segments = u64::from(training.segments);
        let needed = segments.saturating_mul(segment_ms).saturating_add(capacity.promised_ms).saturating_mul(SPARE);
        let batch = u64::from(batches.deliverEvery).max(1);
        let left_secs = segments.div_ceil(batch).saturating_mul(u64::from(times.batchSecs));
        let needed_secs = needed / 1000;
        if needed_secs > left_secs {
            return Err(NotTaken::Time { segments: training.segments, needed_secs, left_secs });
        }
    }
    Ok(verifier.key)
}

/// A deployment, and terms of a job on it, for tests.
#[cfg(test)]
pub(crate) mod fixtures {
    use gradproof_chain::market::{ColumnCounts, CompilerUsed, Contract, VERSION, Verifier, terms};

    use super::*;
    use crate::config::Datasets;

    pub const CONFIG: ProviderConfig = ProviderConfig {
        least_price: 90,
        most_bond: 400,
        jobs: 2,
        draws: false,
        validators: Vec::new(),
        datasets: Datasets::NONE,
        member: None,
    };

    fn contract(byte: u8) -> Contract {
        let (address, code_hash) = (Address::repeat_byte(byte), B256::repeat_byte(byte));
        Contract { address, code_hash, transaction: B256::ZERO }
    }

    pub fn deployment() -> Deployment {
        let compiler =
            CompilerUsed { version: String::new(), market: Default::default(), verifiers: Default::default() };
        let columns = ColumnCounts { vars: 1, data: 1, parameters: 1, trace: 1 };
        let verifier = Verifier {
            key: B256::repeat_byte(9),
            setup: B256::ZERO,
            insecure_setup: true,
            columns,
            segment: contract(5),
            halo2: contract(6),
        };
        Deployment {
            version: VERSION,
            chain: LOCAL_CHAIN,
            block: 0,
            compiler,
            token: contract(0),
            decimals: 18,
            nodes: contract(1),
            datasets: contract(2),
            market: contract(3),
            vault: contract(4),
            libraries: Default::default(),
            verifiers: vec![verifier],
        }
    }

    /// Terms of six segments at 100 each, in batches of three.
    pub fn good() -> TrainingMarket::Terms {
        let training = TrainingMarket::Training {
            verifier: Address::repeat_byte(5),
            verifierCode: B256::repeat_byte(5),
            halo2: Address::repeat_byte(6),
            halo2Code: B256::repeat_byte(6),
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: B256::ZERO,
            rows: 1,
            segments: 6,
            first: B256::ZERO,
            rates: vec![1],
            dataset: B256::ZERO,
            royaltyBps: 0,
        };
        terms(training, 100, 3)
    }
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::TIMES;

    use super::fixtures::{CONFIG, deployment, good};
    use super::*;
    use crate::config::Datasets;

    const ME: Address = Address::repeat_byte(7);

    fn capacity() -> Capacity {
        Capacity { free_stake: U256::from(1000), segment_ms: Some(1000), ..Capacity::default() }
    }

    fn said(
        change: impl FnOnce(&mut TrainingMarket::Terms, &mut Deployment, &mut ProviderConfig, &mut Capacity),
    ) -> Result<B256, NotTaken> {
        let (mut terms, mut deployment, mut config, mut capacity) = (good(), deployment(), CONFIG, capacity());
        change(&mut terms, &mut deployment, &mut config, &mut capacity);
        taken(&terms, Licensed::NONE, ME, &deployment, &config, &capacity)
    }

    #[test]
    fn a_job_is_taken_for_a_reason_and_refused_for_one() {
        assert_eq!(said(|_, _, _, _| ()), Ok(B256::repeat_byte(9)));
        assert_eq!(said(|terms, _, _, _| terms.providers = ME.into_word()), Ok(B256::repeat_byte(9)));
        assert_eq!(said(|_, _, _, capacity| capacity.failed = true), Err(NotTaken::Failed));
        assert_eq!(said(|_, _, _, capacity| capacity.is_unknown = true), Err(NotTaken::Unknown));
        assert_eq!(said(|_, _, _, capacity| capacity.promised = 2), Err(NotTaken::Full { promised: 2, most: 2 }));
        assert!(NotTaken::Full { promised: 2, most: 2 }.is_passing() && !NotTaken::Others.is_passing());
        assert_eq!(said(|terms, _, _, _| terms.providers = B256::repeat_byte(1)), Err(NotTaken::Others));
        for change in [0, 1, 2, 3] {
            let refused = said(|terms, _, _, _| match change {
                0 => terms.training.verifier = ME,
                1 => terms.training.verifierCode = B256::ZERO,
                2 => terms.training.halo2 = ME,
                _ => terms.training.halo2Code = B256::ZERO,
            });
            assert!(matches!(refused, Err(NotTaken::Verifier { .. })), "{change}: {refused:?}");
        }
        assert_eq!(said(|_, deployment, _, _| deployment.chain = 1), Err(NotTaken::Insecure { chain: 1 }));
        assert_eq!(said(|terms, _, _, _| terms.batches.draws = 1), Err(NotTaken::Draws { draws: 1, batch: 3 }));
        let drawn = said(|terms, _, config, _| (terms.batches.draws, config.draws) = (1, true));
        assert_eq!(drawn, Ok(B256::repeat_byte(9)));
        let known = Address::repeat_byte(8);
        let committee = said(|terms, _, config, _| {
            (terms.committee.members, config.validators) = (vec![known, ME], vec![known]);
        });
        assert_eq!(committee, Err(NotTaken::Committee { member: ME }), "one of them is a stranger");
        let committee = said(|terms, _, config, _| {
            (terms.committee.members, config.validators) = (vec![known], vec![known, ME]);
        });
        assert_eq!(committee, Ok(B256::repeat_byte(9)));
        let low = said(|terms, _, _, _| terms.price.max = 80);
        assert_eq!(low, Err(NotTaken::Price { price: 80, least: 90 }));
        assert!(low.expect_err("it is low").to_string().ends_with("10 too low"));
        let high = said(|terms, _, _, _| terms.price.bond = 401);
        assert_eq!(high, Err(NotTaken::Bond { bond: 401, most: 400 }));
    }

    #[test]
    fn a_licensed_set_is_taken_if_it_is_let_in_and_lets_in_and_the_price_is_left_without_the_royalty() {
        let set = B256::repeat_byte(1);
        let mut terms = good();
        (terms.training.dataset, terms.training.royaltyBps) = (set, 1000);
        let judged = |datasets: &Datasets, licensed: Licensed| {
            let config = ProviderConfig { datasets: datasets.clone(), ..CONFIG };
            taken(&terms, licensed, ME, &deployment(), &config, &capacity())
        };
        let key = Ok(B256::repeat_byte(9));
        // Of 100 the royalty is 10, and 90 are left, which is what the node asks for.
        let some = |sets: &[B256]| Datasets::These(sets.to_vec());
        assert_eq!(judged(&Datasets::ALL, Licensed::NONE), key);
        assert_eq!(judged(&some(&[set]), Licensed { least_royalty: 10, ..Licensed::NONE }), key);
        for none in [Datasets::NONE, some(&[B256::repeat_byte(2)])] {
            assert_eq!(judged(&none, Licensed::NONE), Err(NotTaken::Dataset { dataset: set }));
        }
        let out = Licensed { admits: false, ..Licensed::NONE };
        assert_eq!(judged(&Datasets::ALL, out), Err(NotTaken::Licence));
        let dear = Licensed { least_royalty: 11, ..Licensed::NONE };
        assert_eq!(judged(&Datasets::ALL, dear), Err(NotTaken::Price { price: 100, least: 101 }));
        assert!(!NotTaken::Licence.is_passing() && !NotTaken::Dataset { dataset: set }.is_passing());
    }

    #[test]
    fn what_is_promised_counts() {
        let promised = said(|_, _, _, capacity| capacity.promised_bonds = U256::from(701));
        assert_eq!(promised, Err(NotTaken::Stake { bond: 300, free: U256::from(299) }));
        // Two batches of 72 hours: what is promised, and six segments, twice.
        let left_secs = 2 * u64::from(TIMES.batchSecs);
        let fits = left_secs * 1000 / 2 - 6000;
        assert!(said(|_, _, _, capacity| capacity.promised_ms = fits).is_ok());
        let late = said(|_, _, _, capacity| capacity.promised_ms = fits + 1000);
        assert_eq!(late, Err(NotTaken::Time { segments: 6, needed_secs: left_secs + 2, left_secs }));
        assert!(said(|_, _, _, capacity| capacity.segment_ms = None).is_ok(), "what was never measured is tried");
        let large = said(|_, _, _, capacity| (capacity.needed_disk, capacity.free_disk) = (8, 7));
        assert_eq!(large, Err(NotTaken::Disk { needed: 8, free: 7 }));
        assert!(said(|_, _, _, capacity| (capacity.needed_disk, capacity.free_disk) = (7, 7)).is_ok());
    }
}
