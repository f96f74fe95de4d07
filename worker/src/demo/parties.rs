//! The parties of the demonstration's network: what each is, what it has, and whom its configuration names.

use std::collections::BTreeMap;

use gradproof_chain::{Address, U256};
use gradproof_node::facts::Role;

/// The requester of all jobs.
pub const REQUESTER: &str = "requester";
/// Who owns the registered set.
pub const OWNER: &str = "data-owner";
/// The provider that takes the jobs, and calls for members.
pub const LEAD: &str = "lead";
/// The provider that joins its team.
pub const MEMBER: &str = "member";
/// The committee.
pub const VALIDATORS: [&str; 3] = ["validator-1", "validator-2", "validator-3"];

/// Everybody, by the names of their folders, and what they are.
pub const PARTIES: [(&str, Role); 7] = [
    (REQUESTER, Role::Requester),
    (OWNER, Role::DataOwner),
    (LEAD, Role::Provider),
    (MEMBER, Role::Provider),
    (VALIDATORS[0], Role::Validator),
    (VALIDATORS[1], Role::Validator),
    (VALIDATORS[2], Role::Validator),
];

/// What a member is paid for a proof, in tokens.
pub const PAY: u64 = 40;
/// Bond of a member's seat, in tokens: four takes, each of which locks the price of a segment.
pub const SEAT_BOND: u64 = 400;
/// What a member of the committee is paid for a complaint that it decides, in tokens.
pub const COMMITTEE_FEE: &str = "5";
/// What backs the words of a member of the committee, in tokens.
pub const COMMITTEE_STAKE: &str = "500";
/// What a licence costs when a job starts, in tokens.
pub const LICENCE_FEE: u64 = 10;
/// What a provider stakes, in tokens.
const PROVIDER_STAKE: &str = "5000";
/// What a validator stakes, in tokens.
const VALIDATOR_STAKE: &str = "1000";

/// The program of a party's node, and the command that runs it.
pub fn program(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Requester => ("requester", "run"),
        Role::Provider => ("provider", "run"),
        Role::Validator => ("validator", "run"),
        Role::DataOwner => ("dataset", "serve"),
    }
}

/// What a party puts into the vault, in tokens.
pub fn stake(role: Role) -> Option<&'static str> {
    match role {
        Role::Provider => Some(PROVIDER_STAKE),
        Role::Validator => Some(VALIDATOR_STAKE),
        Role::Requester | Role::DataOwner => None,
    }
}

/// What the making of a party's folder is told beside what all are told. The lead asks for less than the member, and 95 tokens are what is
/// left of 100 after a royalty of 5 %.
pub fn options(party: &str, role: Role) -> Vec<&'static str> {
    match role {
        Role::Provider => {
            let least = if party == LEAD { "95" } else { "110" };
            vec!["--least-price", least, "--most-bond", PROVIDER_STAKE]
        }
        Role::Validator => vec!["--least-fee", COMMITTEE_FEE, "--most-stake", COMMITTEE_STAKE],
        Role::Requester | Role::DataOwner => vec![],
    }
}

/// The configuration of a party, made of the one that it has from `init`: whom it knows. A token has `unit` of the smallest unit.
pub fn configured(party: &str, text: &str, accounts: &BTreeMap<&str, Address>, unit: U256) -> String {
    let account = |party: &str| accounts.get(party).map_or_else(String::new, |account| format!("\"{account}\""));
    let amount = |tokens: u64| U256::from(tokens) * unit;
    match party {
        LEAD => text
            .replace("\ndraws = false", "\ndraws = true")
            .replace("\nvalidators = []", &format!("\nvalidators = [{}]", VALIDATORS.map(account).join(", "))),
        MEMBER => format!(
            "{text}\n[provider.member]\nleads = [{}]\nleast_pay = {}\nmost_seat_bond = {}\njobs = 1\n",
            account(LEAD),
            amount(PAY),
            amount(SEAT_BOND)
        ),
        OWNER => format!(
            "{text}\n[[data_owner.sets]]\nfolder = \"set\"\n\n[data_owner.sets.licence]\nfee = {}\nleast_royalty = 0\n\
             most_segments = 64\nhours = 24\nrequesters = [{}]\naccounts = [{}]\n",
            amount(LICENCE_FEE),
            account(REQUESTER),
            account(LEAD)
        ),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gradproof_node::config::{CONFIG_FILE, Config, template};

    use super::*;

    #[test]
    fn each_configuration_names_those_whom_the_party_works_with() {
        let accounts: BTreeMap<&str, Address> =
            PARTIES.iter().zip(1..).map(|((party, _), at)| (*party, Address::repeat_byte(at))).collect();
        let read = |party: &str, role: Role| {
            let folder = tempfile::tempdir().expect("a folder");
            let made = template(role, &["http://127.0.0.1:1".into()], Path::new("d"), &["/ip4/127.0.0.1/tcp/1".into()])
                .replace("# least_price =", "least_price = 1")
                .replace("# most_bond =", "most_bond = 1");
            let text = configured(party, &made, &accounts, U256::from(1));
            std::fs::write(folder.path().join(CONFIG_FILE), text).expect("written");
            Config::load(folder.path()).expect("it is one")
        };
        let lead = read(LEAD, Role::Provider).provider.expect("a provider");
        assert!(lead.draws && lead.member.is_none());
        assert_eq!(lead.validators, VALIDATORS.map(|party| accounts[party]));
        let member = read(MEMBER, Role::Provider).provider.expect("a provider").member.expect("a member");
        assert_eq!((member.leads, member.least_pay), (vec![accounts[LEAD]], PAY.into()));
        let owner = read(OWNER, Role::DataOwner).data_owner.expect("a data owner");
        let licence = owner.sets[0].licence.as_ref().expect("a policy");
        assert_eq!((licence.fee, &licence.accounts), (LICENCE_FEE.into(), &vec![accounts[LEAD]]));
    }
}
