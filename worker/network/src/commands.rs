//! What the handle asks of the network's task, and what both share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::{Connected, Error, GossipId, Owner, Verdict, streams::Open};

/// Where the task answers.
pub(crate) type Answered<T> = oneshot::Sender<T>;

/// A command to the network's task.
#[derive(Debug)]
pub(crate) enum Command {
    Listening(Answered<Vec<Multiaddr>>),
    Connected(Answered<Vec<Connected>>),
    Dial { peer: PeerId, addresses: Vec<Multiaddr>, answered: Answered<Result<(), Error>> },
    TryDial { peer: PeerId, addresses: Vec<Multiaddr>, answered: Answered<Result<Duration, Error>> },
    Disconnect { peer: PeerId, answered: Answered<()> },
    SetOwner { peer: PeerId, owner: Option<Owner>, answered: Answered<Result<(), Error>> },
    Open { peer: PeerId, open: Open, failed: Answered<Error> },
    Publish { bytes: Vec<u8>, answered: Answered<Result<(), Error>> },
    Judge { id: GossipId, verdict: Verdict },
    Shutdown(Answered<()>),
}

/// Returns a lock's content. A task that panicked while it held the lock left counts and maps that are still maps and counts.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the seconds since 1970.
pub(crate) fn now_secs() -> u64 {
    since_1970().as_secs()
}

/// Returns the time since 1970; zero for a clock that stands before.
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
