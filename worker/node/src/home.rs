//! The folder of a node: configuration, keys, store, blobs, and a folder for each job.

use std::io::Write;
use std::path::{Path, PathBuf};

use gradproof_chain::{Address, B256, PrivateKeySigner, new_key, read_key};
use gradproof_terminal::atomic;

use crate::NodeError;
use crate::config::CONFIG_FILE;

/// Where a node's files are.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
}

/// The keys of a node's accounts, decrypted.
#[derive(Clone, Debug)]
pub struct Accounts {
    owner: Address,
    account: Option<PrivateKeySigner>,
    /// The hot key: it may act for the account where no money leaves.
    pub hot: PrivateKeySigner,
}

impl Home {
    /// The folder at `path`.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a home with new keys and this configuration: of a new account, or of one whose key is elsewhere.
    ///
    /// # Errors
    /// A file is there already, or cannot be written.
    pub fn create(&self, config: &str, password: &str, account: Option<Address>) -> Result<(), NodeError> {
        let refuse =
            |path: PathBuf| NodeError::Key { path, message: "it is there already, and is not replaced".into() };
        for path in [self.path.join(CONFIG_FILE), self.keys()] {
            if path.exists() {
                return Err(refuse(path));
            }
        }
        let keys = self.keys();
        std::fs::create_dir_all(&keys).map_err(NodeError::file(&keys))?;
        for folder in [&self.path, &keys] {
            restrict(folder).map_err(NodeError::file(folder))?;
        }
        match account {
            None => drop(new_key(&self.account_file(), password)?),
            Some(account) => self.name_account(account)?,
        }
        new_key(&self.hot_file(), password)?;
        for path in [self.peer_file(), self.encryption_file()] {
            new_secret(&path)?;
        }
        // The configuration comes last: with it the home is whole.
        let path = self.path.join(CONFIG_FILE);
        atomic::write(&path, |file| file.write_all(config.as_bytes())).map_err(NodeError::file(&path))
    }

    /// Makes the keys of this machine in a folder that has those of its account: the hot key and that of the peer. With `address_only` the
    /// account's key is removed from the folder, which names the account instead.
    ///
    /// # Errors
    /// The password is another one, or a file cannot be written.
    pub(crate) fn complete(&self, password: &str, address_only: bool) -> Result<(), NodeError> {
        if self.elsewhere()?.is_none() {
            // The password is that of all keys, or of none.
            let account = read_key(&self.account_file(), password)?.address();
            if address_only {
                let path = self.account_file();
                std::fs::remove_file(&path).map_err(NodeError::file(&path))?;
                self.name_account(account)?;
            }
        }
        new_key(&self.hot_file(), password)?;
        new_secret(&self.peer_file())
    }

    /// Writes down whose account it is, of which the key is elsewhere.
    fn name_account(&self, account: Address) -> Result<(), NodeError> {
        write_line(&self.elsewhere_file(), &account.to_string())
    }

    /// The hot key that is to take the place of the one in use: made now, unless it is there from a time before.
    ///
    /// # Errors
    /// It cannot be written, or the password is another one.
    pub fn next_hot(&self, password: &str) -> Result<PrivateKeySigner, NodeError> {
        // The password is that of all keys, or of none.
        read_key(&self.hot_file(), password)?;
        let (next, unfinished) = (self.next_hot_file(), self.keys().join("hot.unfinished.json"));
        if !next.exists() {
            if unfinished.exists() {
                std::fs::remove_file(&unfinished).map_err(NodeError::file(&unfinished))?;
            }
            new_key(&unfinished, password)?;
            std::fs::rename(&unfinished, &next).map_err(NodeError::file(&next))?;
        }
        Ok(read_key(&next, password)?)
    }

    /// Puts the next hot key in the place of the one in use, which is kept beside it under its address: it may have ether.
    ///
    /// # Errors
    /// There is no next key, a file cannot be written, or the password is another one.
    pub fn use_next_hot(&self, password: &str) -> Result<PathBuf, NodeError> {
        let (hot, next) = (self.hot_file(), self.next_hot_file());
        read_key(&next, password)?;
        let old = read_key(&hot, password)?.address();
        let kept = self.keys().join(format!("hot-{old}.json"));
        let bytes = std::fs::read(&hot).map_err(NodeError::file(&hot))?;
        atomic::write_private(&kept, |file| file.write_all(&bytes)).map_err(NodeError::file(&kept))?;
        // There is a hot key at every moment: this replaces one by the other.
        std::fs::rename(&next, &hot).map_err(NodeError::file(&hot))?;
        Ok(kept)
    }

    /// The keys of the accounts.
    ///
    /// # Errors
    /// A file is missing, or the password is another one.
    pub fn accounts(&self, password: &str) -> Result<Accounts, NodeError> {
        let hot = read_key(&self.hot_file(), password)?;
        match self.elsewhere()? {
            Some(owner) => Ok(Accounts { owner, account: None, hot }),
            None => Ok(Accounts::new(read_key(&self.account_file(), password)?, hot)),
        }
    }

    /// The account, if its key is elsewhere.
    ///
    /// # Errors
    /// The file that names it has something else, or the key is here as well.
    pub fn elsewhere(&self) -> Result<Option<Address>, NodeError> {
        let path = self.elsewhere_file();
        if !path.exists() {
            return Ok(None);
        }
        let refuse = |message: String| NodeError::Key { path: path.clone(), message };
        if self.account_file().exists() {
            let key = self.account_file();
            return Err(refuse(format!("it says that the account's key is elsewhere, and {} is here", key.display())));
        }
        let text = std::fs::read_to_string(&path).map_err(NodeError::file(&path))?;
        let account = text.trim().parse().map_err(|_| refuse("expected the address of the account, 0x…".into()))?;
        Ok(Some(account))
    }

    /// The secret of the node's peer id.
    ///
    /// # Errors
    /// The file is missing, or has something else.
    pub fn peer_key(&self) -> Result<B256, NodeError> {
        secret(&self.peer_file())
    }

    /// The secret that others encrypt to.
    ///
    /// # Errors
    /// The file is missing, or has something else.
    pub fn encryption_key(&self) -> Result<B256, NodeError> {
        secret(&self.encryption_file())
    }

    /// The store's file.
    pub fn store_file(&self) -> PathBuf {
        self.path.join("node.redb")
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The folder of all jobs.
    pub fn jobs(&self) -> PathBuf {
        self.path.join("jobs")
    }

    /// The folder of a job.
    pub fn job(&self, id: B256) -> PathBuf {
        self.jobs().join(id.to_string())
    }

    /// The folder with what the node says of its jobs.
    pub fn all_told(&self) -> PathBuf {
        self.path.join("told")
    }

    /// The file with what the node says of a job.
    pub fn told(&self, id: B256) -> PathBuf {
        self.all_told().join(format!("{id}.json"))
    }

    /// The folder of keys.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    fn account_file(&self) -> PathBuf {
        self.keys().join("account.json")
    }

    fn elsewhere_file(&self) -> PathBuf {
        self.keys().join("account.address")
    }

    fn hot_file(&self) -> PathBuf {
        self.keys().join("hot.json")
    }

    fn next_hot_file(&self) -> PathBuf {
        self.keys().join("hot.next.json")
    }

    fn peer_file(&self) -> PathBuf {
        self.keys().join("peer.key")
    }

    fn encryption_file(&self) -> PathBuf {
        self.keys().join("encryption.key")
    }
}

impl Accounts {
    /// Those of an account whose key is here.
    pub fn new(account: PrivateKeySigner, hot: PrivateKeySigner) -> Self {
        Self { owner: account.address(), account: Some(account), hot }
    }

    /// The same without the account's key.
    pub fn without_account(self) -> Self {
        Self { account: None, ..self }
    }

    /// The account that has stake and tokens.
    pub fn owner(&self) -> Address {
        self.owner
    }

    /// The account's key, which accepts and posts, and moves what the account has; `None` if it is elsewhere.
    pub fn account(&self) -> Option<&PrivateKeySigner> {
        self.account.as_ref()
    }

    /// The account's key, for what nothing else signs.
    ///
    /// # Errors
    /// [`NodeError::KeyElsewhere`].
    pub fn require_account(&self) -> Result<&PrivateKeySigner, NodeError> {
        self.account().ok_or(NodeError::KeyElsewhere { account: self.owner })
    }
}

/// Writes a secret of a curve: a random scalar, which this is with any key of an account.
fn new_secret(path: &Path) -> Result<(), NodeError> {
    write_line(path, &PrivateKeySigner::random().to_bytes().to_string())
}

/// Writes a line into a file that its owner alone reads.
fn write_line(path: &Path, line: &str) -> Result<(), NodeError> {
    atomic::write_private(path, |file| writeln!(file, "{line}")).map_err(NodeError::file(path))
}

/// The secret in a file: 32 bytes in hexadecimal.
fn secret(path: &Path) -> Result<B256, NodeError> {
    let text = std::fs::read_to_string(path).map_err(NodeError::file(path))?;
    // What it is instead is in no message.
    let message = "expected 32 bytes in hexadecimal".to_owned();
    text.trim().parse().map_err(|_| NodeError::Key { path: path.to_owned(), message })
}

/// Keeps others of this machine out of a folder.
#[cfg(unix)]
pub(crate) fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Keeps others of this machine out of a folder, where the system can be told so.
#[cfg(not(unix))]
pub(crate) fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(&folder.path().join("home"));
        home.create("role = 1\n", "word", None).expect("it is made");
        let accounts = home.accounts("word").expect("it is read");
        assert_eq!(accounts.require_account().expect("it is here").address(), accounts.owner());
        assert_ne!(accounts.owner(), accounts.hot.address());
        assert_ne!(home.peer_key().expect("read"), home.encryption_key().expect("read"));
        assert!(home.accounts("other").is_err());
        let error = home.create("role = 2\n", "word", None).expect_err("it is there").to_string();
        assert!(error.contains("config.toml"), "{error}");
        std::fs::write(home.peer_file(), "0x12").expect("written");
        let error = home.peer_key().expect_err("too short").to_string();
        assert!(error.ends_with("peer.key: expected 32 bytes in hexadecimal"), "{error}");
    }

    #[test]
    fn an_account_whose_key_is_elsewhere_has_its_address_here() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(&folder.path().join("home"));
        let account = Address::repeat_byte(9);
        home.create("role = 1\n", "word", Some(account)).expect("it is made");
        let accounts = home.accounts("word").expect("it is read");
        assert_eq!((accounts.owner(), home.elsewhere().expect("read")), (account, Some(account)));
        let error = accounts.require_account().expect_err("it is elsewhere").to_string();
        assert!(error.contains(&account.to_string()), "{error}");
        std::fs::write(home.elsewhere_file(), "0x12").expect("written");
        let error = home.accounts("word").expect_err("too short").to_string();
        assert!(error.ends_with("account.address: expected the address of the account, 0x…"), "{error}");
        std::fs::write(home.account_file(), "{}").expect("written");
        let error = home.accounts("word").expect_err("one of both").to_string();
        assert!(error.contains("account.json is here"), "{error}");
    }

    #[test]
    fn a_hot_key_is_replaced_in_one_step_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(&folder.path().join("home"));
        home.create("role = 1\n", "word", None).expect("it is made");
        let hot = || home.accounts("word").expect("there is a key at every moment").hot.address();
        let old = hot();
        assert!(home.use_next_hot("word").is_err(), "there is no next key");
        assert!(home.next_hot("other").is_err(), "the password is that of the other keys");
        // Killed while the key was written.
        std::fs::write(home.keys().join("hot.unfinished.json"), "{").expect("written");
        let next = home.next_hot("word").expect("it is made").address();
        assert_eq!(home.next_hot("word").expect("it is there").address(), next, "once");
        assert_eq!(hot(), old);
        // Killed between both steps of the change.
        std::fs::copy(home.hot_file(), home.keys().join(format!("hot-{old}.json"))).expect("copied");
        let kept = home.use_next_hot("word").expect("it is replaced");
        assert_eq!(hot(), next);
        assert_eq!(read_key(&kept, "word").expect("it is kept").address(), old);
        assert!(home.use_next_hot("word").is_err(), "it was replaced already");
    }
}
