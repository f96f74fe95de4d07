//! Why a node cannot do something.

use std::path::{Path, PathBuf};

use gradproof_chain::{Address, B256, ChainError};

/// Why a node cannot do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nobody signed a seat for this node.
    #[error("no lead signed a seat for this node in job {0}")]
    NoSeat(B256),
    /// The store cannot be opened.
    #[error("{}: {message}", path.display())]
    Open {
        /// Its file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The store cannot be read or written.
    #[error("the node's store: {0}")]
    Store(String),
    /// The node has no such job.
    #[error("this node has no job {0}")]
    UnknownJob(B256),
    /// The node follows as many jobs as it can.
    #[error("this node follows {most} jobs, which is the most")]
    TooManyJobs {
        /// The most.
        most: usize,
    },
    /// The secrets of a job are lost, or it has none.
    #[error("this node has no secret of job {0} that draws")]
    NoSecret(B256),
    /// A word about a complaint is not stored, or not signed.
    #[error("this node has no such word about job {0}")]
    NoWord(B256),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
    /// A key of the configuration is wrong.
    #[error("{}: {key}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong, and what would work.
        message: String,
    },
    /// A key cannot be read.
    #[error("{}: {message}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The account's key is not here, and nothing else signs this.
    #[error("the key of the account {account} is not in this folder: what it signs is signed where it is")]
    KeyElsewhere {
        /// The account.
        account: Address,
    },
    /// The register has another node of a validator's account.
    #[error(
        "the register {register} has another validator's node of {account}, {other}: the words of two could differ, which costs the \
         stake. Run one of them; the account removes the entry of the other with the call `remove({other})` of the register"
    )]
    SecondValidator {
        /// The account.
        account: Address,
        /// The other node's peer.
        other: Address,
        /// The register of nodes.
        register: Address,
    },
    /// A backup, or what it would be made of or restored to.
    #[error("{}: {message}", path.display())]
    Backup {
        /// The file, or the folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Blobs on disk.
    #[error("blobs: {0}")]
    Blob(String),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An address of this machine cannot be listened at.
    #[error("{what} = \"{address}\": {message}")]
    Listen {
        /// The key of the configuration.
        what: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        message: String,
    },
    /// Another node, or the way to it.
    #[error("{0}")]
    Peer(String),
}

impl NodeError {
    /// A store that does not open.
    pub(crate) fn store(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Open { path: path.to_owned(), message: error.to_string() }
    }

    /// A store that fails.
    pub(crate) fn storing(error: impl std::fmt::Display) -> Self {
        Self::Store(error.to_string())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        |source| Self::File { path: path.to_owned(), source }
    }
}
