//! The sets of a data owner's configuration: whether its node can serve them, and for what it signs licences.

use std::path::Path;

use eyre::Result;
use gradproof_chain::market::{Accounts, DatasetRegistry, Deployment, MAX_ACCOUNTS, royalty_percent};
use gradproof_chain::{Address, Chain, U256};
use gradproof_node::config::LicencePolicy;
use gradproof_node::dataset::{DATASET_FILE, DatasetFile};
use gradproof_node::workshop::{PRIVATE, ROWS_FILE};

use super::finding::Finding;
use crate::data_opening::DataOpening;
use crate::node::options::Opened;

/// What to do where something of a set's folder is not there.
const AGAIN: &str = "copy it back, or run `dataset register` again with the same --job and --out";
/// Bytes of a value, and of a label, in a file of rows.
const VALUE_BYTES: u64 = 2;

/// All about the sets of a data owner; nothing for a node of another role.
pub(super) fn all(opened: &Opened, owner: Address, chain: Option<&Chain>) -> Result<Vec<Finding>> {
    let Some(config) = &opened.config.data_owner else { return Ok(vec![]) };
    if config.sets.is_empty() {
        let remedy = "name the folders that `dataset register` wrote under `data_owner.sets`";
        return Ok(vec![Finding::note("sets", "none is served", remedy)]);
    }
    let mut findings = Vec::new();
    for set in &config.sets {
        let what = format!("set {}", set.folder.display());
        let card = match card(&what, &set.folder, &opened.deployment, owner) {
            Ok(card) => card,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        findings.push(Finding::good(&what, in_words(&card)));
        findings.push(rows(&format!("{what}: rows"), &set.folder, &card));
        if let Some(chain) = chain {
            findings.push(entry(&format!("{what}: register"), &card, opened, chain)?);
        }
        let tokens = |amount| opened.deployment.tokens(U256::from(amount));
        findings.push(licences(&format!("{what}: licences"), set.licence.as_ref(), tokens));
    }
    Ok(findings)
}

/// What the folder says of its set, if that is one of this owner in this market; the node leaves others out.
fn card(what: &str, folder: &Path, deployment: &Deployment, owner: Address) -> Result<DatasetFile, Finding> {
    if !folder.is_dir() {
        return Err(Finding::bad(what, "there is no such folder", "correct `folder` in the configuration"));
    }
    let card = match DatasetFile::in_folder(folder) {
        Ok(Some(card)) => card,
        Ok(None) => return Err(Finding::bad(what, format!("{DATASET_FILE} is missing"), AGAIN)),
        Err(error) => return Err(Finding::bad(what, error.to_string(), AGAIN)),
    };
    if card.is_here(deployment, owner) {
        return Ok(card);
    }
    let DatasetFile { chain, register, owner: other, .. } = card;
    let here = format!("{owner} in the register {} of chain {}", deployment.datasets.address, deployment.chain);
    let said = format!("it is of {other} in the register {register} of chain {chain}, and this node is of {here}");
    Err(Finding::bad(what, said, "`dataset register` with this node's folder registers it here"))
}

fn in_words(DatasetFile { dataset, rows, schema, .. }: &DatasetFile) -> String {
    format!("data set {dataset}: {rows} rows of {} values in {} classes", schema.inputs, schema.classes)
}

/// Whether the rows are there, and the seed of their blindings: without both nobody can train on the set.
fn rows(what: &str, folder: &Path, card: &DatasetFile) -> Finding {
    let path = folder.join(ROWS_FILE);
    let values = (card.schema.inputs as u64).saturating_add(1).saturating_mul(card.rows);
    let least = values.saturating_mul(VALUE_BYTES);
    let seed = DataOpening::in_folder(&folder.join(PRIVATE));
    match (std::fs::metadata(&path), seed) {
        (Err(error), _) => Finding::bad(what, format!("{}: {error}", path.display()), AGAIN),
        (Ok(file), _) if !file.is_file() || file.len() < least => {
            let said = format!("{} has {} bytes, and the rows of the set {least} at least", path.display(), file.len());
            Finding::bad(what, said, AGAIN)
        }
        (_, Err(error)) => Finding::bad(what, format!("{error:#}"), AGAIN),
        (_, Ok(None)) => Finding::bad(what, "the seed of their blindings is missing", AGAIN),
        (Ok(file), Ok(Some(_))) => Finding::good(what, format!("{} bytes are there, with their seed", file.len())),
    }
}

/// Whether the register has the set.
fn entry(what: &str, card: &DatasetFile, opened: &Opened, chain: &Chain) -> Result<Finding> {
    let call = DatasetRegistry::entryCall { dataset: card.dataset };
    let entry = chain.call(opened.deployment.datasets.address, &call)?;
    if !card.is_of(&entry) {
        return Ok(Finding::bad(what, "the set is not in it", "`dataset register` enters it"));
    }
    Ok(Finding::good(
        what,
        format!("{} % of a segment's price go to {}", royalty_percent(entry.rateBps), entry.receiver),
    ))
}

/// For what the node signs licences; `tokens` says an amount in words.
fn licences(what: &str, policy: Option<&LicencePolicy>, tokens: impl Fn(u128) -> String) -> Finding {
    let Some(policy) = policy else {
        return Finding::good(what, "the node signs none by itself: `dataset license` does");
    };
    let LicencePolicy { fee, least_royalty, most_segments, hours, requesters, accounts } = policy;
    if Accounts::new(accounts.clone()).is_none() {
        let said = format!("{} accounts may see the data, and a licence has {MAX_ACCOUNTS} at most", accounts.len());
        return Finding::bad(what, said, "name fewer `accounts`: until then none is signed");
    }
    let list = |accounts: &[Address]| accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let to = if requesters.is_empty() { "every registered requester".to_owned() } else { list(requesters) };
    let seen_by = if accounts.is_empty() { "whoever takes the job".to_owned() } else { list(accounts) };
    let said = format!(
        "for {to}, a job of {most_segments} segments at most, within {hours} hours; it costs {}, and {} of a segment at least; the data \
         may be seen by {seen_by}",
        tokens(*fee),
        tokens(*least_royalty)
    );
    if accounts.is_empty() {
        return Finding::note(what, said, "name `accounts` that you know, unless anybody may have the data for gas");
    }
    Finding::good(what, said)
}

#[cfg(test)]
mod tests {
    use gradproof_chain::B256;
    use gradproof_node::dataset::Schema;

    use super::*;
    use crate::node::doctor::finding::Grade;

    fn card_of(rows: u64) -> DatasetFile {
        let schema = Schema {
            inputs: 3,
            classes: 2,
            batch: 4,
            steps_per_segment: 5,
            activation_bits: 8,
            column_bits: 12,
            setup: B256::ZERO,
        };
        DatasetFile::new(1, Address::ZERO, Address::ZERO, B256::ZERO, rows, schema)
    }

    #[test]
    fn rows_that_are_missing_or_cut_off_and_a_missing_seed_are_bad() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let found = || rows("rows", at, &card_of(2));
        assert!(found().grade == Grade::Bad && found().said.contains(ROWS_FILE), "{:?}", found());
        let private = at.join(PRIVATE);
        std::fs::create_dir(&private).expect("made");
        DataOpening::new([7; 32]).save(&private).expect("written");
        let write = |bytes: usize| std::fs::write(at.join(ROWS_FILE), vec![0; bytes]).expect("written");
        write(15);
        assert!(found().grade == Grade::Bad && found().said.contains("16 at least"), "{:?}", found());
        write(16);
        assert_eq!(found().grade, Grade::Good, "{:?}", found());
        std::fs::remove_dir_all(&private).expect("removed");
        assert!(found().grade == Grade::Bad && found().said.contains("seed"), "{:?}", found());
    }

    #[test]
    fn a_policy_is_said_in_words_and_one_for_everybody_is_noted() {
        let policy = |accounts: usize| LicencePolicy {
            fee: 5,
            least_royalty: 7,
            most_segments: 64,
            hours: 24,
            requesters: vec![],
            accounts: (0..accounts).map(|number| Address::left_padding_from(&number.to_be_bytes())).collect(),
        };
        let found = |accounts| licences("licences", Some(&policy(accounts)), |amount| format!("{amount} T"));
        let one = found(1);
        assert_eq!(one.grade, Grade::Good);
        for words in
            ["every registered requester", "64 segments", "24 hours", "costs 5 T", "7 T of a segment", "0x0000"]
        {
            assert!(one.said.contains(words), "{words}: {one:?}");
        }
        assert!(found(0).grade == Grade::Note && found(0).said.contains("whoever takes the job"), "{:?}", found(0));
        assert_eq!(found(MAX_ACCOUNTS + 1).grade, Grade::Bad);
        assert!(licences("licences", None, |_| String::new()).said.contains("dataset license"));
    }
}
