//! `node backup` and `node restore`: what of a node nobody could give back to it, in one encrypted file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use eyre::{OptionExt, Result, WrapErr, ensure};
use gradproof_node::backup;
use gradproof_node::config::Config;
use gradproof_node::home::Home;
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, PasswordOption};

/// Copies keys, configuration, and seeds and secrets of jobs into one encrypted file.
#[derive(clap::Args, Clone, Debug)]
pub struct Backup {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password: that of the keys encrypts the file, too.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The file, which must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print what was done as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Makes the folder of a node from a backup.
#[derive(clap::Args, Clone, Debug)]
pub struct Restore {
    /// The folder, which must not be there yet, or be empty.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password that the keys had when the backup was made.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Make a second node of a provider's account, which runs beside the first one: with the same account and encryption key, and a hot key
    /// and a peer of its own.
    #[arg(long)]
    pub beside: bool,
    /// Leave the account's key on the first machine: the second node works on the account's jobs, and takes none.
    #[arg(long, requires = "beside")]
    pub address_only: bool,
    /// Print what was done as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Writes the backup of a node into a file that is not there yet; how many files it holds.
///
/// # Errors
/// The file is there already, or does not hold what was written.
pub(super) fn copy(home: &Home, config: &Config, store: &Store, file: &Path, password: &str) -> Result<usize> {
    let archive = backup::collect(home, &config.deployment, store)?;
    backup::write(file, &archive, password)?;
    // What was written is read again: it is the only copy some day.
    ensure!(backup::read(file, password)? == archive, "{} does not hold what was written", file.display());
    backup::mark(home, now()?)?;
    Ok(archive.files().count())
}

impl Backup {
    /// Runs `node backup`.
    ///
    /// # Errors
    /// A node runs on the folder, the password is not that of its keys, or the file is there already.
    pub fn run(&self) -> Result<Outcome> {
        let home = self.home.folder()?;
        let config = Config::load(home.path()).wrap_err("`provider init` and `requester init` make a node's folder")?;
        let password = self.password.password()?;
        // A backup that another password opens than the keys in it would be found out too late.
        let accounts = home.accounts(&password)?;
        let store = Store::open_unless_taken(&home.store_file())?.ok_or_eyre(format!(
            "a node runs on {}, and its store has secrets that belong into the backup: end it, and start it again afterwards",
            home.path().display()
        ))?;
        let files = copy(&home, &config, &store, &self.file, &password)?;
        let file = self.file.display();
        if self.json {
            print(&serde_json::json!({ "file": self.file, "files": files, "account": accounts.owner() }).to_string());
        } else {
            print(&format!(
                "{file}: {files} files of the node of {}; whoever has it and the password is this node",
                accounts.owner()
            ));
            print("data, weights and proofs are not in it. Make another one after each job that you post");
        }
        Ok(Outcome::Done)
    }
}

impl Restore {
    /// Runs `node restore`.
    ///
    /// # Errors
    /// The file is no backup, the password is another one, or the folder has files.
    pub fn run(&self) -> Result<Outcome> {
        let home = self.home.folder()?;
        let password = self.password.password()?;
        let archive = backup::read(&self.file, &password)?;
        let now = now()?;
        if self.beside {
            backup::restore_beside(&archive, home.path(), now, &password, self.address_only)?;
        } else {
            backup::restore(&archive, home.path(), now)?;
            // What the folder has, the backup has.
            backup::mark(&home, now)?;
        }
        let accounts =
            home.accounts(&password).wrap_err("the keys of the backup have another password than the backup")?;
        let config = Config::load(home.path())?;
        let folder = home.path().display();
        if self.json {
            let json = serde_json::json!({
                "home": home.path(), "account": accounts.owner(), "hot": accounts.hot.address(),
                "files": archive.files().count(),
                "deployment_found": config.deployment.exists(),
            });
            print(&json.to_string());
            return Ok(Outcome::Done);
        }
        print(&format!("{folder}: the node of {}", accounts.owner()));
        if !config.deployment.exists() {
            print(&format!(
                "its configuration names {}, which is not here: name `deployment.json` there",
                config.deployment.display()
            ));
        }
        if self.beside {
            print(&format!(
                "hot key {}: send it ether for gas. Two nodes of the account may run at the same time",
                accounts.hot.address()
            ));
            print(&format!(
                "{folder}/config.toml: `listen` and `announce` are those of the first machine. Then `node register --home {folder}` enters this one"
            ));
            return Ok(Outcome::Done);
        }
        print("do not run it while it runs elsewhere. Its addresses may be others here: `node register` enters them");
        Ok(Outcome::Done)
    }
}

/// Seconds since 1970, by the clock of this machine.
pub(super) fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).wrap_err("the clock stands before 1970")?.as_secs())
}
