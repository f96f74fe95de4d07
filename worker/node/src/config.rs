//! The node's configuration: `config.toml` in its home, with a comment for each key.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gradproof_chain::{Address, B256};
use serde::Deserialize;

use crate::NodeError;
use crate::facts::Role;

/// Name of the file.
pub const CONFIG_FILE: &str = "config.toml";
/// Most endpoints.
const MAX_ENDPOINTS: usize = 8;
/// Most addresses to listen at, or to announce.
const MAX_ADDRESSES: usize = 8;

/// Most sets that a node serves: their cards fit into one answer.
pub const MAX_SETS: usize = 16;
/// Longest time for which a licence is signed, in hours: a year.
pub const MAX_LICENCE_HOURS: u64 = 366 * 24;
/// Most accounts that a node knows: those whose jobs count in histories, or who may decide.
const MAX_KNOWN: usize = 256;

/// A node's configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the node is.
    pub role: Role,
    /// Nodes of the chain.
    pub endpoints: Vec<String>,
    /// The deployment's file.
    pub deployment: PathBuf,
    /// Where the node listens, as multiaddresses.
    pub listen: Vec<String>,
    /// Where others reach it, if that is elsewhere.
    #[serde(default)]
    pub announce: Vec<String>,
    /// Blocks after which an acceptance counts.
    pub confirmations: u64,
    /// Most that a unit of gas may cost, in wei.
    pub most_gas_price: u128,
    /// Disk for blobs, in bytes.
    pub disk_bytes: u64,
    /// Where Prometheus gets what the node counts; nowhere without it.
    #[serde(default)]
    pub metrics: Option<SocketAddr>,
    /// Of a provider.
    pub provider: Option<ProviderConfig>,
    /// Of a requester, where it knows somebody.
    pub requester: Option<RequesterConfig>,
    /// Of a data owner.
    pub data_owner: Option<DataOwnerConfig>,
    /// Of a validator.
    pub validator: Option<ValidatorConfig>,
}

/// What a data owner serves.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataOwnerConfig {
    /// Its sets.
    #[serde(default)]
    pub sets: Vec<SetConfig>,
}

/// A set that is served.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// The folder that `dataset register` wrote. A path in it starts at the node's folder.
    pub folder: PathBuf,
    /// For what licences are signed by the node; without it, only by `dataset license`.
    #[serde(default)]
    pub licence: Option<LicencePolicy>,
}

/// For what a data owner's node signs licences.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicencePolicy {
    /// What a licence costs, in the token's smallest unit.
    pub fee: u128,
    /// Least royalty of a segment, in the token's smallest unit.
    pub least_royalty: u128,
    /// Most segments of a job.
    pub most_segments: u32,
    /// Hours for which a licence can be used.
    pub hours: u64,
    /// Who gets one; every registered requester if nobody is named.
    #[serde(default)]
    pub requesters: Vec<Address>,
    /// Who may see the data, as providers or in a committee; anyone who takes the job if nobody is named, which goes with no fee.
    #[serde(default)]
    pub accounts: Vec<Address>,
}

/// In which committees a validator sits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorConfig {
    /// Least fee of a decided complaint, in the token's smallest unit.
    pub least_fee: u128,
    /// Most of its stake that backs a job, in the token's smallest unit.
    pub most_stake: u128,
    /// Jobs at a time.
    pub jobs: usize,
    /// Days for which a job may bind its stake, at most.
    pub most_days: u64,
    /// What it risks in challenges of one job, in the token's smallest unit; without it, it challenges nothing.
    #[serde(default)]
    pub challenge_budget: u128,
    /// Registered data sets of whose jobs it decides.
    #[serde(default)]
    pub datasets: Datasets,
}

/// Whose word on providers a requester goes by.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequesterConfig {
    /// Accounts whose jobs count in a provider's history, beside its own.
    #[serde(default)]
    pub known: Vec<Address>,
    /// What must have been paid in a history for it to count, in the token's smallest unit.
    #[serde(default)]
    pub min_paid: u128,
    /// Most jobs that a provider may have failed; no bound without it.
    #[serde(default)]
    pub max_failures: Option<u64>,
}

/// What a provider takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Least price of a segment, in the token's smallest unit.
    pub least_price: u128,
    /// Most that it locks in the bond of a job, in the token's smallest unit.
    pub most_bond: u128,
    /// Jobs at a time.
    pub jobs: usize,
    /// Whether it takes jobs of which not every segment is proven.
    #[serde(default)]
    pub draws: bool,
    /// Accounts that it lets decide complaints: it takes a job with a committee of these only.
    #[serde(default)]
    pub validators: Vec<Address>,
    /// Registered data sets on which it trains.
    #[serde(default)]
    pub datasets: Datasets,
    /// Whose teams it joins; none without it.
    #[serde(default)]
    pub member: Option<MemberConfig>,
}

/// Whose teams a provider joins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberConfig {
    /// Accounts whose teams it joins.
    pub leads: Vec<Address>,
    /// Least pay of a proof, in the token's smallest unit.
    pub least_pay: u128,
    /// Most that it locks as the bond of a seat, in the token's smallest unit.
    pub most_seat_bond: u128,
    /// Teams at a time.
    pub jobs: usize,
}

/// Registered data sets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Datasets {
    /// All of them, or none.
    Word(DatasetsWord),
    /// Those with these digests.
    These(Vec<B256>),
}

/// Registered data sets, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetsWord {
    /// Every set whose licence admits the account.
    All,
    /// No set.
    None,
}

impl Datasets {
    /// All sets.
    pub const ALL: Self = Self::Word(DatasetsWord::All);
    /// No set.
    pub const NONE: Self = Self::Word(DatasetsWord::None);

    /// Whether a set is one of them. Zero is no set, and let in.
    pub fn let_in(&self, dataset: B256) -> bool {
        dataset.is_zero()
            || match self {
                Self::Word(word) => *word == DatasetsWord::All,
                Self::These(sets) => sets.contains(&dataset),
            }
    }

    fn count(&self) -> usize {
        match self {
            Self::Word(_) => 0,
            Self::These(sets) => sets.len(),
        }
    }
}

impl Default for Datasets {
    fn default() -> Self {
        Self::NONE
    }
}

impl Config {
    /// Reads the configuration in the folder `home`. Paths in it start there.
    ///
    /// # Errors
    /// The file is missing, a key is unknown or missing, or a value cannot work.
    pub fn load(home: &Path) -> Result<Self, NodeError> {
        let path = home.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(NodeError::file(&path))?;
        let refuse = |key: &str, message: String| NodeError::Config { path: path.clone(), key: key.into(), message };
        let mut config: Self = toml::from_str(&text).map_err(|error| refuse("the file", error.to_string()))?;
        config.deployment = home.join(&config.deployment);
        let bounds = [
            ("endpoints", config.endpoints.len(), 1, MAX_ENDPOINTS),
            ("listen", config.listen.len(), 1, MAX_ADDRESSES),
            ("announce", config.announce.len(), 0, MAX_ADDRESSES),
            (
                "provider.validators",
                config.provider.as_ref().map_or(0, |provider| provider.validators.len()),
                0,
                MAX_KNOWN,
            ),
            (
                "provider.datasets",
                config.provider.as_ref().map_or(0, |provider| provider.datasets.count()),
                0,
                MAX_KNOWN,
            ),
            (
                "validator.datasets",
                config.validator.as_ref().map_or(0, |validator| validator.datasets.count()),
                0,
                MAX_KNOWN,
            ),
            (
                "provider.member.leads",
                config
                    .provider
                    .as_ref()
                    .and_then(|provider| provider.member.as_ref())
                    .map_or(1, |team| team.leads.len()),
                1,
                MAX_KNOWN,
            ),
            ("data_owner.sets", config.data_owner.as_ref().map_or(0, |owner| owner.sets.len()), 0, MAX_SETS),
            ("requester.known", config.requester.as_ref().map_or(0, |requester| requester.known.len()), 0, MAX_KNOWN),
        ];
        for (key, got, least, most) in bounds {
            if got < least || got > most {
                return Err(refuse(key, format!("{got} entries, expected {least} to {most}")));
            }
        }
        let sets = config.data_owner.as_mut().map(|owner| &mut owner.sets);
        for set in sets.into_iter().flatten() {
            set.folder = home.join(&set.folder);
            let Some(policy) = &set.licence else { continue };
            if policy.hours == 0 || policy.hours > MAX_LICENCE_HOURS {
                let message = format!("{} hours, expected 1 to {MAX_LICENCE_HOURS}", policy.hours);
                return Err(refuse("data_owner.sets.licence.hours", message));
            }
            if policy.fee > 0 && policy.accounts.is_empty() {
                let message = "a fee, and nobody is named: whoever takes a job has the data, and hands it back for no fee; name the \
                               accounts that may see them, or take no fee";
                return Err(refuse("data_owner.sets.licence.accounts", message.into()));
            }
        }
        match (&config.provider, config.role) {
            _ if config.role == Role::DataOwner && config.data_owner.is_none() => {
                Err(refuse("data_owner", "the section is missing: it says which sets the node serves".into()))
            }
            _ if config.role != Role::DataOwner && config.data_owner.is_some() => {
                Err(refuse("data_owner", "this node owns no data: leave it out".into()))
            }
            (None, Role::Provider) => {
                Err(refuse("provider", "the section is missing: it says what the node takes".into()))
            }
            (Some(_), Role::Requester | Role::DataOwner | Role::Validator) => {
                Err(refuse("provider", "this node takes no jobs: leave it out".into()))
            }
            _ if config.role != Role::Requester && config.requester.is_some() => {
                Err(refuse("requester", "this node chooses no provider: leave it out".into()))
            }
            _ if config.role == Role::Validator && config.validator.is_none() => {
                Err(refuse("validator", "the section is missing: it says in which committees the node sits".into()))
            }
            _ if config.role != Role::Validator && config.validator.is_some() => {
                Err(refuse("validator", "this node sits in no committee: leave it out".into()))
            }
            _ => Ok(config),
        }
    }
}

/// The text of a new configuration.
///
/// What can cost a bond has no value in it: whoever writes it decides.
pub fn template(role: Role, endpoints: &[String], deployment: &Path, listen: &[String]) -> String {
    let list = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut text = format!(
        "# What this node is: `requester`, `provider`, `validator` or `data_owner`.\n\
         role = \"{}\"\n\n\
         # Nodes of the chain (JSON-RPC). Two of different operators: the node spends only what both agree on. On the local chain,\n\
         # 31337, one is enough.\n\
         endpoints = {}\n\n\
         # The market's contracts, as `requester deploy` wrote them.\n\
         deployment = {}\n\n\
         # Where this node listens. Port 0 is any free one, which changes with each start.\n\
         listen = {}\n\n\
         # Where others reach it, if that is elsewhere: behind a router, say.\n\
         announce = []\n\n\
         # Blocks after which an acceptance counts: the data are handed over then.\n\
         confirmations = 2\n\n\
         # Most that a unit of gas may cost, in wei. A transaction that must not be late is raised up to here.\n\
         most_gas_price = 200000000000\n\n\
         # Disk for data, weights and proofs, in bytes: `blobs/` and `jobs/`. A full one stops new jobs before running ones.\n\
         disk_bytes = 107374182400\n\n\
         # Where Prometheus gets what the node counts, over plain HTTP; nowhere without it. Whoever reaches the address reads it.\n\
         # metrics = \"127.0.0.1:9101\"\n",
        match role {
            Role::Requester => "requester",
            Role::Provider => "provider",
            Role::DataOwner => "data_owner",
            Role::Validator => "validator",
        },
        list(endpoints),
        quoted(&deployment.display().to_string()),
        list(listen),
    );
    if role == Role::Requester {
        text.push_str(
            "\n[requester]\n\
             # Accounts whose jobs count when a provider's history is weighed (`--to best`), beside this one's own: [\"0x…\"]. Whoever\n\
             # is not here may be the provider itself.\n\
             known = []\n\n\
             # What must have been paid in these jobs for a history to count, in the token's smallest unit.\n\
             min_paid = 0\n\n\
             # Most of these jobs that a provider may have failed; without it there is no bound.\n\
             # max_failures = 1\n",
        );
    }
    if role == Role::DataOwner {
        text.push_str(
            "\n[data_owner]\n\
             # The sets whose rows this node hands to providers of licensed jobs, each with the folder that `dataset register` wrote:\n\
             # [[data_owner.sets]]\n\
             # folder = \"set\"\n\
             # Licences that it signs by itself; without this section only `dataset license` signs. Amounts are in the token's smallest unit.\n\
             # The fee is paid when a job starts, and the royalty, of each paid segment, is this or the set's part of the price, if that is\n\
             # more. Nobody named in `requesters` is everybody, and in `accounts` (who may see the data) as well. A provider has the data\n\
             # before it starts, and keeps them if it hands the job back, which pays no fee: so a fee is for `accounts` that are known.\n\
             # [data_owner.sets.licence]\n\
             # fee = 0\n\
             # least_royalty = 0\n\
             # most_segments = 64\n\
             # hours = 24\n\
             # requesters = []\n\
             # accounts = []\n",
        );
    }
    if role == Role::Provider {
        text.push_str(
            "\n[provider]\n\
             # Least price of a segment, in the token's smallest unit.\n\
             # least_price =\n\n\
             # Most that a job may lock as a bond, in the token's smallest unit. A claim that is never proven costs the whole of it.\n\
             # most_bond =\n\n\
             # Jobs at a time.\n\
             jobs = 1\n\n\
             # Whether it takes jobs of which some segments are drawn and proven. Then a challenge of a right claim asks for a proof within\n\
             # times that the terms choose, and whoever asks has a part of the bond if none comes: look at `proveSecs` and `eachSecs`.\n\
             draws = false\n\n\
             # Accounts that may decide about this node's deliveries: a job with a committee is taken if all of its members are here.\n\
             # More than half of a committee can give the requester the price of a right batch back.\n\
             validators = []\n\n\
             # Registered data sets on which this node trains: \"all\", \"none\", or a list of their digests, [\"0x…\"]. Their owner lets it see the\n\
             # data under a licence, and has a royalty of the price: `least_price` is what is left without that.\n\
             datasets = \"all\"\n\n\
             # Whose teams this node joins: it trains their jobs as well, proves a part of the segments, and is paid for each proof. A claim\n\
             # that it takes and does not prove in time costs `challengeBond` of its seat's bond. Amounts are in the token's smallest unit.\n\
             # [provider.member]\n\
             # leads = [\"0x…\"]\n\
             # least_pay =\n\
             # most_seat_bond =\n\
             # jobs = 1\n",
        );
    }
    if role == Role::Validator {
        text.push_str(
            "\n[validator]\n\
             # Least fee of a complaint that it decides, in the token's smallest unit. Nothing else is paid.\n\
             # least_fee =\n\n\
             # Most of the stake that backs a job, in the token's smallest unit: two answers to one question cost the whole of it.\n\
             # most_stake =\n\n\
             # Jobs at a time. Each of them is trained again here.\n\
             jobs = 4\n\n\
             # Days for which a job may bind the stake, at most: if each batch takes all its time, and is complained about.\n\
             most_days = 600\n\n\
             # What it risks in challenges of one job, in the token's smallest unit: the bond of each is lost if the claim is proven, as a\n\
             # right one with other blindings can be. It must be free in the stake. 0: it challenges nothing.\n\
             challenge_budget = 0\n\n\
             # Registered data sets of whose jobs it decides: \"all\", \"none\", or a list of their digests, [\"0x…\"]. Their owner lets it see\n\
             # the data under a licence.\n\
             datasets = \"none\"\n",
        );
    }
    text
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(CONFIG_FILE), text).expect("written");
        Config::load(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_configuration_says_what_is_missing_and_nothing_that_costs_a_bond() {
        let made =
            |role| template(role, &["http://a".into()], Path::new("d \"x\".json"), &["/ip4/127.0.0.1/tcp/0".into()]);
        let requester = load(&made(Role::Requester)).expect("it is whole");
        assert!(requester.deployment.ends_with("d \"x\".json"));
        assert_eq!(requester.requester, Some(RequesterConfig::default()), "nobody is known");
        let error = load(&made(Role::Provider)).expect_err("prices are missing");
        assert!(error.contains("least_price"), "{error}");
        let filled = made(Role::Provider)
            .replace("# least_price =", "least_price = 5")
            .replace("# most_bond =", "most_bond = 9");
        let provider = load(&filled).expect("it is whole").provider.expect("it has the section");
        assert_eq!(
            provider,
            ProviderConfig {
                least_price: 5,
                most_bond: 9,
                jobs: 1,
                draws: false,
                validators: vec![],
                datasets: Datasets::ALL,
                member: None
            }
        );
        let team = "[provider.member]\nleads = []\nleast_pay = 1\nmost_seat_bond = 2\njobs = 3\n";
        let refused = load(&format!("{filled}{team}")).expect_err("nobody is named");
        assert!(refused.contains("provider.member.leads: 0 entries, expected 1 to 256"), "{refused}");
        let lead = Address::repeat_byte(1);
        let named = load(&format!("{filled}{}", team.replace("[]", &format!("[\"{lead}\"]"))));
        let team = MemberConfig { leads: vec![lead], least_pay: 1, most_seat_bond: 2, jobs: 3 };
        assert_eq!(named.expect("it is whole").provider.expect("it has the section").member, Some(team));
        let datasets = |text: &str| {
            let changed = filled.replace("datasets = \"all\"", text);
            load(&changed).map(|config| config.provider.expect("it has the section").datasets)
        };
        assert_eq!(datasets(""), Ok(Datasets::NONE), "whoever says nothing trains on none");
        assert_eq!(datasets("datasets = \"none\""), Ok(Datasets::NONE));
        let set = B256::repeat_byte(7);
        assert_eq!(datasets(&format!("datasets = [\"{set}\"]")), Ok(Datasets::These(vec![set])));
        assert!(datasets("datasets = \"some\"").expect_err("no word").contains("datasets"));
        let many = format!("datasets = {:?}", vec![set.to_string(); MAX_KNOWN + 1]);
        assert!(datasets(&many).expect_err("too many").contains("provider.datasets: 257 entries"));
    }

    #[test]
    fn what_cannot_work_is_named() {
        let whole = template(Role::Requester, &["http://a".into()], Path::new("d"), &["x".into()]);
        let none = whole.replace("[\"http://a\"]", "[]");
        assert!(load(&none).expect_err("no endpoint").contains("endpoints: 0 entries, expected 1 to 8"));
        let unknown = format!("colour = 1\n{whole}");
        assert!(load(&unknown).expect_err("an unknown key").contains("colour"));
        let known = whole.replace("known = []", "known = [\"0x12\"]");
        assert!(load(&known).expect_err("no account").contains("known"));
        let many =
            whole.replace("known = []", &format!("known = {:?}", vec![Address::ZERO.to_string(); MAX_KNOWN + 1]));
        assert!(load(&many).expect_err("too many").contains("requester.known: 257 entries"));
        let owner = template(Role::DataOwner, &["http://a".into()], Path::new("d"), &["x".into()]);
        assert_eq!(load(&owner).expect("it is whole").data_owner, Some(DataOwnerConfig::default()));
        let set = "[[data_owner.sets]]\nfolder = \"set\"\n";
        let account = Address::repeat_byte(1);
        let policy = "[data_owner.sets.licence]\nfee = 1\nleast_royalty = 2\nmost_segments = 3\nhours = 4\n";
        let policy = &format!("{policy}accounts = [\"{account}\"]\n");
        let served = load(&format!("{owner}{set}{policy}")).expect("it is whole").data_owner.expect("it is there");
        assert!(served.sets[0].folder.is_absolute() && served.sets[0].licence.is_some(), "{served:?}");
        let hours = |hours: &str| load(&format!("{owner}{set}{}", policy.replace("hours = 4", hours)));
        assert!(hours("hours = 0").expect_err("no time").contains("1 to 8784"));
        let for_all = policy.replace(&format!("\"{account}\""), "");
        let refused = load(&format!("{owner}{set}{for_all}")).expect_err("whoever declines pays no fee");
        assert!(refused.contains("data_owner.sets.licence.accounts"), "{refused}");
        load(&format!("{owner}{set}{}", for_all.replace("fee = 1", "fee = 0"))).expect("it takes no fee");
        assert!(load(&format!("{owner}{}", set.repeat(17))).expect_err("too many").contains("data_owner.sets: 17"));
        assert!(load(&format!("{whole}\n[data_owner]\n")).expect_err("a requester's").contains("data_owner"));
        let section = format!("{whole}\n[provider]\nleast_price = 1\nmost_bond = 1\njobs = 1\n");
        assert!(load(&section).expect_err("a requester takes nothing").contains("leave it out"));
        let section = format!("{whole}\n[validator]\nleast_fee = 1\nmost_stake = 1\njobs = 1\nmost_days = 1\n");
        assert!(load(&section).expect_err("a requester decides nothing").contains("validator: this node sits"));
        let validator = template(Role::Validator, &["http://a".into()], Path::new("d"), &["x".into()]);
        assert!(load(&validator).expect_err("the fee is missing").contains("least_fee"));
        let filled = validator.replace("# least_fee =", "least_fee = 5").replace("# most_stake =", "most_stake = 9");
        let whole = ValidatorConfig {
            least_fee: 5,
            most_stake: 9,
            jobs: 4,
            most_days: 600,
            challenge_budget: 0,
            datasets: Datasets::NONE,
        };
        assert_eq!(load(&filled).expect("it is whole").validator.as_ref(), Some(&whole));
        let datasets = |text: &str| {
            let changed = filled.replace("datasets = \"none\"", text);
            load(&changed).map(|config| config.validator.expect("it has the section").datasets)
        };
        assert_eq!(datasets(""), Ok(Datasets::NONE), "whoever says nothing decides about none");
        assert_eq!(datasets("datasets = \"all\""), Ok(Datasets::ALL));
        let many = format!("datasets = {:?}", vec![B256::ZERO.to_string(); MAX_KNOWN + 1]);
        assert!(datasets(&many).expect_err("too many").contains("validator.datasets: 257 entries"));
        let (before, _) = filled.split_once("[validator]").expect("it has the section");
        assert!(load(before).expect_err("it says nothing").contains("the section is missing"));
    }
}
