use std::{
    num::NonZeroU8,
    sync::{Arc, Mutex},
};

use libp2p::{Swarm, SwarmBuilder, connection_limits, identify, noise, swarm::NetworkBehaviour, tcp, yamux};

use crate::{
    Config, Error,
    admission::Admission,
    gate::Gate,
    gossip::{Gossip, Topics, gossip},
    limits::{
        DIAL, IDLE_CONNECTION, MAX_ADDRESSES, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_PEER, MAX_PENDING_CONNECTIONS,
        MAX_STREAMS_PER_CONNECTION, QUIC_CONNECTION_WINDOW_BYTES, QUIC_IDLE, QUIC_KEEP_ALIVE, QUIC_STREAM_WINDOW_BYTES,
    },
    streams::Streams,
};

/// The version that identify tells. It is not compared: the versions that count are those of the protocols.
const IDENTIFY_VERSION: &str = "/gradproof/1";

/// All protocols together. The limits come first: what they deny reaches no other.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    admission: Admission,
    identify: identify::Behaviour,
    pub(crate) gossip: Gossip,
    pub(crate) streams: Streams,
}

/// Returns a swarm over QUIC and TCP that listens nowhere yet.
pub(crate) fn swarm(
    config: &Config,
    topics: &Topics,
    gate: Arc<Mutex<Gate>>,
    streams: Streams,
) -> Result<Swarm<Behaviour>, Error> {
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING_CONNECTIONS))
        .with_max_pending_outgoing(Some(MAX_PENDING_CONNECTIONS))
        .with_max_established(Some(MAX_CONNECTIONS))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER));
    // Nothing is dialled from the cache of identify: addresses are those of signed records and of the chain.
    let identify = identify::Config::new(IDENTIFY_VERSION.to_owned(), config.identity.keypair().public())
        .with_agent_version(config.agent.clone())
        .with_cache_size(0);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        admission: Admission::new(gate),
        identify: identify::Behaviour::new(identify),
        gossip: gossip(&config.identity, topics)?,
        streams,
    };
    build(config, behaviour).map_err(|reason| Error::SetUp { reason })
}

fn build(config: &Config, behaviour: Behaviour) -> Result<Swarm<Behaviour>, String> {
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(MAX_STREAMS_PER_CONNECTION as usize);
    let swarm = SwarmBuilder::with_existing_identity(config.identity.keypair().clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, move || yamux)
        .map_err(|error| error.to_string())?
        .with_quic_config(|mut quic| {
            quic.max_idle_timeout = QUIC_IDLE.as_millis() as u32;
            quic.keep_alive_interval = QUIC_KEEP_ALIVE;
            quic.max_concurrent_stream_limit = MAX_STREAMS_PER_CONNECTION;
            quic.max_stream_data = QUIC_STREAM_WINDOW_BYTES;
            quic.max_connection_data = QUIC_CONNECTION_WINDOW_BYTES;
            quic
        })
        .with_behaviour(move |_| behaviour)
        .map_err(|error| error.to_string())?
        .with_swarm_config(|swarm| {
            // Ranks addresses: QUIC first, TCP a little later.
            swarm
                .with_idle_connection_timeout(IDLE_CONNECTION)
                .with_smart_dial()
                .with_dial_concurrency_factor(NonZeroU8::new(MAX_ADDRESSES as u8).unwrap_or(NonZeroU8::MIN))
                .with_max_negotiating_inbound_streams(MAX_STREAMS_PER_CONNECTION as usize)
        })
        .with_connection_timeout(DIAL)
        .build();
    Ok(swarm)
}
