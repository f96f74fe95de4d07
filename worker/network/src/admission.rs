//! Which connections are taken at all: from peers with a secp256k1 key, and from few strangers at a time.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, ToSwarm,
        behaviour::ConnectionEstablished, dummy,
    },
};

use crate::{
    commands::locked,
    gate::{Gate, Standing},
    identity::public_key_of,
    limits::MAX_STRANGER_CONNECTIONS,
};

/// Why a connection is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the id of the peer holds no secp256k1 key")]
    Key,
    #[error("{MAX_STRANGER_CONNECTIONS} strangers are connected already")]
    Strangers,
}

/// Refuses connections that nobody should have.
pub(crate) struct Admission {
    gate: Arc<Mutex<Gate>>,
    /// Connections that others opened.
    inbound: HashMap<ConnectionId, PeerId>,
}

impl Admission {
    pub(crate) fn new(gate: Arc<Mutex<Gate>>) -> Self {
        Self { gate, inbound: HashMap::new() }
    }

    fn check_key(peer: &PeerId) -> Result<(), ConnectionDenied> {
        public_key_of(peer).map(drop).ok_or_else(|| ConnectionDenied::new(Refused::Key))
    }

    fn check_strangers(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        let gate = locked(&self.gate);
        let is_stranger = |peer: &PeerId| gate.standing(peer) == Standing::Stranger;
        let strangers = self.inbound.values().filter(|peer| is_stranger(peer)).count();
        if is_stranger(peer) && strangers >= MAX_STRANGER_CONNECTIONS {
            return Err(ConnectionDenied::new(Refused::Strangers));
        }
        Ok(())
    }
}

impl NetworkBehaviour for Admission {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Self::check_key(&peer)?;
        self.check_strangers(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Self::check_key(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. })
                if endpoint.is_listener() =>
            {
                self.inbound.insert(connection_id, peer_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.inbound.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    fn arrives(admission: &mut Admission, number: usize, peer: PeerId) -> Result<(), ConnectionDenied> {
        let (id, address) = (ConnectionId::new_unchecked(number), Multiaddr::empty());
        admission.handle_established_inbound_connection(id, peer, &address, &address)?;
        admission.inbound.insert(id, peer);
        Ok(())
    }

    fn peer(number: u8) -> PeerId {
        Identity::from_secret([number; 32]).unwrap().peer_id()
    }

    #[test]
    fn a_peer_whose_key_is_not_secp256k1_is_refused_in_both_directions() {
        let mut admission = Admission::new(Arc::default());
        let other: PeerId = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA".parse().unwrap();
        let denied = arrives(&mut admission, 1, other).unwrap_err();
        assert!(matches!(denied.downcast::<Refused>(), Ok(Refused::Key)));
        let (id, address) = (ConnectionId::new_unchecked(2), Multiaddr::empty());
        assert!(
            admission
                .handle_established_outbound_connection(id, other, &address, Endpoint::Dialer, PortUse::New)
                .is_err()
        );
    }

    #[test]
    fn strangers_do_not_take_the_places_of_admitted_peers() {
        let gate = Arc::new(Mutex::new(Gate::default()));
        let mut admission = Admission::new(gate.clone());
        for number in 0..MAX_STRANGER_CONNECTIONS {
            arrives(&mut admission, number, peer(1)).unwrap();
        }
        let denied = arrives(&mut admission, 100, peer(2)).unwrap_err();
        assert!(matches!(denied.downcast::<Refused>(), Ok(Refused::Strangers)));
        locked(&gate).admit(peer(2), [2; 20]).unwrap();
        arrives(&mut admission, 100, peer(2)).unwrap();
        assert!(arrives(&mut admission, 101, peer(3)).is_err());
        locked(&gate).admit(peer(1), [1; 20]).unwrap();
        arrives(&mut admission, 101, peer(3)).unwrap();
    }
}
