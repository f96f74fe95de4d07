//! Streams: opened to a peer for one protocol, and accepted from one, each handed over as soon as the protocol is agreed.
//!
//! libp2p's own request-response reads a request before it says who asks. Here the gate decides before a byte is read, requests
//! are read and answered by tasks of their own, and the time-out of a transfer is on its progress.

mod behaviour;
mod handler;
mod upgrade;

use std::{fmt, sync::Arc};

pub(crate) use behaviour::Streams;
use libp2p::{PeerId, Stream};
use tokio::sync::oneshot;

use crate::protocol::Wire;

/// Takes streams that peers opened. Called on the task of the connection, so it must not wait.
pub(crate) type Accept = Arc<dyn Fn(PeerId, Wire, Stream) + Send + Sync>;

/// Says whether the connection with a peer is kept when it has no streams.
pub(crate) type Keep = Arc<dyn Fn(&PeerId) -> bool + Send + Sync>;

/// Why a stream could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The peer speaks no common version; these are the protocols of gradproof that it named.
    NoCommonVersion(Vec<String>),
    /// The peer did not agree to the protocol in time.
    TimedOut,
    /// Too many streams are being opened.
    Busy,
    /// The connection failed.
    Failed(String),
}

/// A stream to be opened. Dropped without an answer, its connection is gone.
pub(crate) struct Open {
    pub(crate) wire: Wire,
    pub(crate) reply: oneshot::Sender<Result<Stream, OpenError>>,
}

impl Open {
    fn finish(self, result: Result<Stream, OpenError>) {
        // Whoever asked may have given up.
        let _ = self.reply.send(result);
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("wire", &self.wire).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
