//! The folder of a second machine of a provider's account, from a backup of the first one.
//!
//! Account and encryption key are those of the first machine, so that both work on the account's jobs, and come to the same deliveries.
//! The hot key and the peer's key are its own: two nodes with one of these would overtake each other's transactions, and be one peer.

use std::path::Path;

use super::{Archive, DEPLOYMENT_FILE, restore_with};
use crate::NodeError;
use crate::config::{CONFIG_FILE, Config};
use crate::facts::Role;
use crate::home::Home;

/// What both machines have.
const SHARED: [&str; 5] =
    [CONFIG_FILE, DEPLOYMENT_FILE, "keys/account.json", "keys/account.address", "keys/encryption.key"];

/// Makes the folder of a second machine, which is not there yet, or is empty, at `now`, in seconds since 1970: all of it, or nothing. With
/// `address_only` the account's key stays on the first one.
///
/// Of the account's jobs it gets nothing: they are in the events of the chain.
///
/// # Errors
/// The backup is not a provider's, the password is not that of its keys, the folder has something, or a file cannot be written.
pub fn restore_beside(
    archive: &Archive,
    home: &Path,
    now: u64,
    password: &str,
    address_only: bool,
) -> Result<(), NodeError> {
    let refuse = |message: String| NodeError::Backup { path: home.to_owned(), message };
    let mut shared = Archive::default();
    for (name, bytes) in archive.files().filter(|(name, _)| SHARED.contains(name)) {
        shared.put(name, bytes.to_vec().into()).map_err(refuse)?;
    }
    restore_with(&shared, home, now, |staged: &Home| {
        if Config::load(staged.path())?.role != Role::Provider {
            return Err(refuse(
                "the backup is not a provider's: the nodes of other accounts have secrets of jobs, or words, that two machines must not share"
                    .into(),
            ));
        }
        staged.complete(password, address_only)
    })
}

#[cfg(test)]
mod tests {
    use super::super::collect;
    use super::*;
    use crate::config::template;
    use crate::facts::Facts;
    use crate::store::Store;

    /// When a backup is restored.
    const NOW: u64 = 1000;

    /// The backup of a node with a role, and its home.
    fn backup(folder: &Path, role: Role) -> (Archive, Home) {
        let home = Home::at(&folder.join("first"));
        let text = template(role, &["http://a".into()], DEPLOYMENT_FILE.as_ref(), &["x".into()]);
        let text = text.replace("# least_price =", "least_price = 5").replace("# most_bond =", "most_bond = 9");
        home.create(&text, "word", None).expect("it is made");
        let deployment = folder.join("elsewhere.json");
        std::fs::write(&deployment, "{}").expect("written");
        let store = Store::open(&home.store_file()).expect("it opens");
        store.begin(Default::default(), &Facts::new(role)).expect("it is stored");
        (collect(&home, &deployment, &store).expect("it is collected"), home)
    }

    #[test]
    fn a_second_machine_has_the_account_and_its_deliveries_and_no_other_key_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, first) = backup(folder.path(), Role::Provider);
        let second = Home::at(&folder.path().join("second"));
        restore_beside(&archive, second.path(), NOW, "word", false).expect("it is made");
        let accounts = |home: &Home| home.accounts("word").expect("they are read");
        let (one, other) = (accounts(&first), accounts(&second));
        assert_eq!(one.require_account().expect("it is here"), other.require_account().expect("it is here"));
        assert_eq!(first.encryption_key().expect("read"), second.encryption_key().expect("read"));
        assert_ne!(one.hot.address(), other.hot.address(), "they would overtake each other's transactions");
        assert_ne!(first.peer_key().expect("read"), second.peer_key().expect("read"), "they would be one peer");
        let jobs = Store::open(&second.store_file()).expect("it opens").jobs().expect("read");
        assert!(jobs.is_empty(), "the chain has them");
        let error = restore_beside(&archive, second.path(), NOW, "word", false).expect_err("it has files").to_string();
        assert!(error.contains("none is replaced"), "{error}");
    }

    #[test]
    fn a_second_machine_can_do_without_the_accounts_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, first) = backup(folder.path(), Role::Provider);
        let second = Home::at(&folder.path().join("second"));
        restore_beside(&archive, second.path(), NOW, "word", true).expect("it is made");
        let owner = first.accounts("word").expect("they are read").owner();
        assert_eq!(second.elsewhere().expect("read"), Some(owner));
        assert!(!second.keys().join("account.json").exists());
        assert_eq!(second.accounts("word").expect("they are read").owner(), owner);
    }

    #[test]
    fn nothing_is_made_for_another_role_or_with_another_password() {
        for (role, password, why) in
            [(Role::Requester, "word", "not a provider's"), (Role::Provider, "other", "the password is another one")]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let (archive, _) = backup(folder.path(), role);
            let second = folder.path().join("second");
            let error = restore_beside(&archive, &second, NOW, password, false).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
            assert!(!second.exists());
        }
    }
}
