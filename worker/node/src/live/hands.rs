//! What decisions are carried out with, beside the chain: work, and peers.

use std::collections::HashSet;
use std::future::Future;

use gradproof_chain::{Address, B256};

use crate::NodeError;
use crate::decide::{Task, View};
use crate::directory::Entry;
use crate::facts::Facts;

/// Whoever works for a node, and knows its peers. A running node has its tasks and its network; a simulation has one without either.
pub trait Hands {
    /// Begins a piece of work, unless it runs already, has just failed, or another piece has the job's trainer.
    fn begin(&mut self, view: &View, task: Task);

    /// Lets go of a job's trainer: its data, keys and parameters.
    fn release(&mut self, job: B256);

    /// Forgets a job that has ended: its facts, what it was given, its blobs, and of its folder what nobody asks for any more.
    ///
    /// # Errors
    /// The store fails, or a file cannot be removed.
    fn forget(&mut self, view: &View, facts: &Facts) -> Result<(), NodeError>;

    /// Bytes of the disk that no promise needs.
    ///
    /// # Errors
    /// The store fails.
    fn free_disk(&self) -> Result<u64, NodeError>;

    /// The accounts that this node has jobs with, and its own: what they may ask, nobody else takes from them.
    fn serve(&mut self, parties: HashSet<Address>);

    /// All that follows from a block is begun or submitted: what the node says of its jobs is written down for others.
    ///
    /// # Errors
    /// The store fails, or a file cannot be written.
    fn tell(&mut self) -> Result<(), NodeError>;

    /// A node of the register may connect from now on.
    fn admit(&mut self, entry: &Entry) -> impl Future<Output = ()> + Send;

    /// A node is in the register no longer.
    fn dismiss(&mut self, entry: &Entry) -> impl Future<Output = ()> + Send;
}
