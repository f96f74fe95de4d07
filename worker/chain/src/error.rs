//! What goes wrong between this program, the compiler, the node and the contracts.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, TxHash, U256};

/// Why something about the chain failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// An endpoint lacks a block of its own chain.
    #[error("{endpoint} has no block {number}")]
    NoBlockNumber {
        /// The endpoint.
        endpoint: String,
        /// The block.
        number: u64,
    },
    /// Something of a later block was asked for than the one that is read.
    #[error("block {block} comes after block {newest}, at which the endpoints are read")]
    Beyond {
        /// What was asked for.
        block: u64,
        /// What is read.
        newest: u64,
    },
    /// Words that are no amount of the token.
    #[error("{text:?} is no amount of the token: {message}")]
    Amount {
        /// The words.
        text: String,
        /// Why not.
        message: String,
    },
    /// A key's file cannot be read or written.
    #[error("{}: {message}", path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
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
    /// The system lacks what connections over TLS need.
    #[error("{endpoint} cannot be reached over TLS: {message}; docs/nodes.md says which authorities are trusted")]
    Tls {
        /// Its name.
        endpoint: String,
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
    /// No endpoint is named, or none that could be asked.
    #[error("there is no endpoint of the chain")]
    NoEndpoint,
    /// More endpoints are named than are asked.
    #[error("{got} endpoints are named, the most are {most}")]
    TooManyEndpoints {
        /// How many.
        got: usize,
        /// How many are possible.
        most: usize,
    },
    /// An endpoint is named twice, which would always agree with itself.
    #[error("the endpoint {endpoint} is named twice; two that agree must be two")]
    SameEndpoint {
        /// Its name.
        endpoint: String,
    },
    /// An endpoint is of another chain.
    #[error("the endpoint {endpoint} is of chain {got}, not of {expected}")]
    OtherChain {
        /// Its name.
        endpoint: String,
        /// The chain that it should be of.
        expected: u64,
        /// The chain that it is of.
        got: u64,
    },
    /// No endpoint answers; another try may succeed.
    #[error("no endpoint answers: {0}")]
    NoAnswer(String),
    /// An endpoint does not answer, or refuses, or answers something else; another try may succeed.
    #[error("endpoint {endpoint}, {what}: {message}")]
    Endpoint {
        /// Its name.
        endpoint: String,
        /// What was asked.
        what: String,
        /// What is wrong.
        message: String,
    },
    /// An endpoint lacks a block: it lags, or is on another fork. Another try may succeed.
    #[error("endpoint {endpoint} does not have the block {block}")]
    NoBlock {
        /// Its name.
        endpoint: String,
        /// The block's hash.
        block: B256,
    },
    /// An endpoint takes too long; another try may succeed.
    #[error("endpoint {endpoint} did not answer within {within:?}")]
    Late {
        /// Its name.
        endpoint: String,
        /// How long it had.
        within: Duration,
    },
    /// An endpoint took longer than as many others as are needed, or rests because it did.
    #[error("endpoint {endpoint} is slow, and is not waited for")]
    Slow {
        /// Its name.
        endpoint: String,
    },
    /// What is to be sent cannot be.
    #[error("the transaction \"{id}\" cannot be sent: {message}")]
    Intent {
        /// What it is for.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// A transaction that was signed elsewhere cannot be sent.
    #[error("the signed transaction for \"{id}\" cannot be sent: {message}")]
    Foreign {
        /// What it is for.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// A transaction would take more gas than any may.
    #[error("the transaction \"{id}\" would take {needed} gas, more than a chain gives one")]
    TooMuchGas {
        /// What it is for.
        id: String,
        /// What was estimated.
        needed: u64,
    },
    /// The endpoints do not agree on how many transactions an account has sent, and no journal tells.
    #[error("the endpoints do not agree on how many transactions {account} has sent: nothing is sent until they do")]
    NotCounted {
        /// The account.
        account: Address,
    },
    /// One endpoint says that a contract refuses, and too few answer to believe it; another try may succeed.
    #[error("too few endpoints answer, and {endpoint} says that the contract refuses: {reason}")]
    RefusedByOne {
        /// Its name.
        endpoint: String,
        /// Why, in words.
        reason: String,
    },
    /// The key of an account is not here.
    #[error("the key of {account} is not here: only transactions that it signed elsewhere can be sent")]
    NoKey {
        /// The account.
        account: Address,
    },
    /// No more can be sent at the moment; nothing that was is forgotten.
    #[error("{got} {what}: nothing is sent until there are fewer")]
    Busy {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        got: usize,
    },
    /// What is stored of transactions cannot be read or written.
    #[error("the journal of transactions: {0}")]
    Journal(String),
}
