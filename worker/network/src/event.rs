use std::fmt;

use libp2p::{Multiaddr, PeerId, gossipsub::MessageId};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Protocol, Standing, frame::Answer};

/// What happens on the network, for the program.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A peer asks something.
    Request {
        /// The peer.
        peer: PeerId,
        /// Its standing when the request arrived.
        standing: Standing,
        /// The protocol: on [`Protocol::Party`] there are only peers that are admitted.
        protocol: Protocol,
        /// The request.
        bytes: Vec<u8>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A peer that is admitted asks for a range of a blob.
    Range {
        /// The peer.
        peer: PeerId,
        /// The root of the blob.
        root: [u8; 32],
        /// The index of the range.
        index: u32,
        /// Where the range goes.
        reply: Reply,
    },
    /// A message of gossip. It travels on when [`crate::Network::judge`] says so.
    Gossip {
        /// The peer that signed the message.
        source: PeerId,
        /// The message.
        bytes: Vec<u8>,
        /// What [`crate::Network::judge`] takes.
        id: GossipId,
    },
    /// The first connection with a peer stands. A hint: [`crate::Network::connected`] is the truth, and this may be left out when
    /// the program falls behind.
    Connected {
        /// The peer.
        peer: PeerId,
        /// Where it is.
        address: Multiaddr,
    },
    /// The last connection with a peer is gone. A hint, as [`Event::Connected`].
    Disconnected {
        /// The peer.
        peer: PeerId,
    },
}

/// Where events arrive, at most [`crate::limits::EVENTS`] at a time.
///
/// When it is full, requests are answered "busy", and gossip is not passed on.
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// Returns the next event; `None` after the network was shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }
}

/// Where the answer to a request goes. Dropped without an answer, it closes the stream, and the asker learns that.
pub struct Reply {
    pub(crate) sender: oneshot::Sender<Answer>,
    pub(crate) limit: usize,
}

impl Reply {
    /// Answers with bytes.
    ///
    /// # Errors
    ///
    /// The protocol takes fewer bytes. Nothing was sent then.
    pub fn answer(self, bytes: Vec<u8>) -> Result<(), Error> {
        if bytes.len() > self.limit {
            return Err(Error::TooLong { what: "the answer", got: bytes.len(), limit: self.limit });
        }
        self.send(Answer::Bytes(bytes));
        Ok(())
    }

    /// Says that the asker should ask again later.
    pub fn busy(self) {
        self.send(Answer::Busy);
    }

    /// Refuses with a reason, which is cut to [`crate::limits::MAX_REASON_BYTES`].
    pub fn refuse(self, reason: impl Into<String>) {
        self.send(Answer::Refused(reason.into()));
    }

    /// Says that what was asked for is not here.
    pub fn not_here(self) {
        self.send(Answer::NotHere);
    }

    fn send(self, answer: Answer) {
        // Whoever asked may have gone: then there is nobody to tell.
        let _ = self.sender.send(answer);
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// Names a message of gossip that waits for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipId {
    pub(crate) message: MessageId,
    pub(crate) from: PeerId,
}

/// What the program says of a message of gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is good, and travels on.
    Accept,
    /// It does not travel on, and nobody is to blame.
    Ignore,
    /// It is bad: the peers that passed it on lose score.
    Reject,
}
