//! What goes wrong between this program, the compiler, the node and the contracts.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use alloy::primitives::{Address, Bytes, TxHash, U256};

/// Why something about the chain failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A program that the contracts need is not there.
    #[error("{} cannot be started: {source}; `cargo xtask contracts` installs it", program.display())]
    Missing {
        /// The program.
        program: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The operating system has no answer.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The local node ended before it listened.
    #[error("the local node said no address within {within:?}")]
    NotListening {
        /// How long it had.
        within: Duration,
    },
    /// A source or the compiler's settings cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The settings are not what the compiler is given.
    #[error("{}: {message}", file.display())]
    Settings {
        /// The file of the settings.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The compiler ended with a failure.
    #[error("{} failed with {status}: {stderr}", program.display())]
    CompilerFailed {
        /// The compiler.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: String,
    },
    /// The sources have errors or warnings.
    #[error("the contracts do not compile:\n{0}")]
    Source(String),
    /// The compiler's answer lacks something.
    #[error("the compiler's answer has no {0}")]
    Answer(String),
    /// Contracts of the chain are told the number of another chain's blocks.
    #[error(
        "on chain {chain} block.number is {number} and its head {head}: it does not count its own blocks, and the market's draws \
         would be another chain's; docs/chains.md says what a chain must have"
    )]
    ForeignBlocks {
        /// Chain id.
        chain: u64,
        /// What a contract is told.
        number: U256,
        /// Newest block.
        head: u64,
    },
    /// The chain has no contract that keeps the hashes of blocks.
    #[error(
        "chain {chain} has no contract at {contract} that keeps 8191 hashes of blocks (EIP-2935): a draw that is not made within \
         256 blocks would be lost, and its whole batch due; docs/chains.md says what a chain must have"
    )]
    NoHistory {
        /// Chain id.
        chain: u64,
        /// Where the contract would be.
        contract: Address,
    },
    /// There is no token at an address.
    #[error("{address} is no ERC-20 token: it lacks totalSupply, balanceOf or decimals, or says more than 77 decimals")]
    NoToken {
        /// Where it should be.
        address: Address,
    },
    /// A job is not over.
    #[error("{settled} of {total} segments of the job are settled")]
    Unsettled {
        /// Segments that are paid, returned or burnt.
        settled: u64,
        /// Segments of the job.
        total: u64,
    },
    /// A key does not sign.
    #[error("the key does not sign: {0}")]
    Signer(String),
    /// Code that names a library was to be deployed without it.
    #[error("the address of the library {library} is missing")]
    Unlinked {
        /// The library.
        library: String,
    },
    /// What is on the chain is not what a deployment says.
    #[error("{what} is {got} on the chain, the deployment says {expected}")]
    Deployment {
        /// What was compared.
        what: String,
        /// What the deployment says.
        expected: String,
        /// What the chain says.
        got: String,
    },
    /// The terms of a job are not of what a statement says.
    #[error("the job's {what} is {got}, the statement says {expected}")]
    Terms {
        /// The term.
        what: &'static str,
        /// What the statement says.
        expected: String,
        /// What the job says.
        got: String,
    },
    /// An address of a node that is none.
    #[error("{url} is not the address of a node: {message}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong.
        message: String,
    },
    /// The node does not answer, or refuses; another try may succeed.
    #[error("the node does not answer: {0}")]
    Node(String),
    /// A contract reverted; the same call would again.
    #[error("the contract refused: {}", super::reason(data))]
    Reverted {
        /// What it reverted with.
        data: Bytes,
    },
    /// A transaction was not taken into a block in time; it may still be.
    #[error("transaction {hash} is in no block after {within:?}")]
    Pending {
        /// The transaction.
        hash: TxHash,
        /// How long was waited.
        within: Duration,
    },
    /// A contract's answer is not what its interface says.
    #[error("the contract's answer cannot be read: {0}")]
    Decode(#[from] alloy::sol_types::Error),
    /// A receipt lacks what the transaction must have left.
    #[error("transaction {hash} left no {what}")]
    Receipt {
        /// The transaction.
        hash: TxHash,
        /// What is missing.
        what: &'static str,
    },
}
