use std::{
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    task::{Context, Poll, Waker},
};

use libp2p::{
    PeerId,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound, ProtocolsChange,
        },
    },
};

use super::{Accept, Keep, Open, OpenError, upgrade::Upgrade};
use crate::{
    limits::{MAX_NAMED_PROTOCOLS, MAX_OPENING_PER_CONNECTION, MAX_PROTOCOL_BYTES, NEGOTIATION},
    protocol::{PREFIX, Wire},
};

/// The streams of one connection.
pub(crate) struct Handler {
    peer: PeerId,
    spoken: Vec<Wire>,
    accept: Accept,
    keep: Keep,
    queue: VecDeque<Open>,
    /// Streams that wait for the peer to agree.
    opening: usize,
    /// What the peer said that it speaks, of gradproof.
    theirs: BTreeSet<String>,
    waker: Option<Waker>,
}

impl Handler {
    pub(super) fn new(peer: PeerId, spoken: Vec<Wire>, accept: Accept, keep: Keep) -> Self {
        Self { peer, spoken, accept, keep, queue: VecDeque::new(), opening: 0, theirs: BTreeSet::new(), waker: None }
    }

    fn on_refused(&mut self, open: Open, error: StreamUpgradeError<Infallible>) {
        self.opening = self.opening.saturating_sub(1);
        open.finish(Err(match error {
            StreamUpgradeError::NegotiationFailed => OpenError::NoCommonVersion(self.theirs.iter().cloned().collect()),
            StreamUpgradeError::Timeout => OpenError::TimedOut,
            StreamUpgradeError::Io(error) => OpenError::Failed(error.to_string()),
            StreamUpgradeError::Apply(never) => match never {},
        }));
    }

    fn on_protocols(&mut self, change: ProtocolsChange<'_>) {
        // The names end up on terminals.
        let named = |name: &str| {
            name.starts_with(PREFIX)
                && name.len() <= MAX_PROTOCOL_BYTES
                && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match change {
            ProtocolsChange::Added(added) => {
                for protocol in added.filter(|protocol| named(protocol.as_ref())) {
                    if self.theirs.len() < MAX_NAMED_PROTOCOLS {
                        self.theirs.insert(protocol.to_string());
                    }
                }
            }
            ProtocolsChange::Removed(removed) => {
                for protocol in removed {
                    self.theirs.remove(protocol.as_ref());
                }
            }
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Infallible;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Open;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(Upgrade(self.spoken.clone()), ()).with_timeout(NEGOTIATION)
    }

    fn connection_keep_alive(&self) -> bool {
        !self.queue.is_empty() || self.opening > 0 || (self.keep)(&self.peer)
    }

    fn on_behaviour_event(&mut self, open: Open) {
        if self.queue.len() + self.opening >= MAX_OPENING_PER_CONNECTION {
            open.finish(Err(OpenError::Busy));
            return;
        }
        self.queue.push_back(open);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Upgrade, Open, Infallible>> {
        if let Some(open) = self.queue.pop_front() {
            self.opening += 1;
            let protocol = SubstreamProtocol::new(Upgrade(vec![open.wire]), open).with_timeout(NEGOTIATION);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade, (), Open>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (stream, wire), .. }) => {
                (self.accept)(self.peer, wire, stream);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (stream, _), info }) => {
                self.opening = self.opening.saturating_sub(1);
                info.finish(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => self.on_refused(info, error),
            ConnectionEvent::RemoteProtocolsChange(change) => self.on_protocols(change),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::Identity;

    fn handler(keep: bool) -> Handler {
        let peer = Identity::from_secret([1; 32]).unwrap().peer_id();
        Handler::new(peer, vec![Wire::Blob], Arc::new(|_, _, _| {}), Arc::new(move |_| keep))
    }

    #[test]
    fn streams_that_are_being_opened_are_limited() {
        let mut handler = handler(false);
        let mut opened = vec![];
        for _ in 0..=MAX_OPENING_PER_CONNECTION {
            let (reply, result) = oneshot::channel();
            handler.on_behaviour_event(Open { wire: Wire::Blob, reply });
            opened.push(result);
        }
        let mut last = opened.pop().unwrap();
        assert!(matches!(last.try_recv(), Ok(Err(OpenError::Busy))));
        assert!(opened.iter_mut().all(|result| result.try_recv().is_err()));
    }

    #[test]
    fn a_connection_without_streams_is_kept_only_with_an_admitted_peer() {
        assert!(handler(true).connection_keep_alive());
        let mut stranger = handler(false);
        assert!(!stranger.connection_keep_alive());
        let (reply, _result) = oneshot::channel();
        stranger.on_behaviour_event(Open { wire: Wire::Blob, reply });
        assert!(stranger.connection_keep_alive(), "something waits to be sent");
    }
}
