//! Gossip: two topics, signed messages, scores.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, MessageAuthenticity, PeerScoreParams, PeerScoreThresholds, TopicHash,
    TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
};

use crate::{
    Error, Identity,
    gate::Standing,
    limits::{GOSSIP_ENVELOPE_BYTES, MAX_GOSSIP_BYTES},
};

/// Gossip that takes no subscriptions but those to our topics.
pub(crate) type Gossip = Behaviour<libp2p::gossipsub::IdentityTransform, WhitelistSubscriptionFilter>;

/// The score that the program adds for a stranger: far below the threshold under which all that a peer sends is dropped.
const STRANGER_SCORE: f64 = -1000.0;

/// How long a message is remembered, so that it comes once only. Address records and postings are told again after minutes.
const REMEMBERED: Duration = Duration::from_secs(120);

/// Messages that wait to be sent to one peer, at most: 512 KiB of the longest.
const QUEUE: usize = 64;

/// Messages in one packet of a peer, at most.
const MESSAGES_PER_PACKET: usize = 64;

/// The topics of a network.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    pub(crate) program: IdentTopic,
    pub(crate) records: IdentTopic,
}

impl Topics {
    pub(crate) fn new(topic: &str) -> Self {
        Self {
            program: IdentTopic::new(format!("/gradproof/gossip/1/{topic}")),
            records: IdentTopic::new(format!("/gradproof/records/1/{topic}")),
        }
    }

    fn hashes(&self) -> [TopicHash; 2] {
        [self.program.hash(), self.records.hash()]
    }
}

/// Returns gossip that listens to both topics.
pub(crate) fn gossip(identity: &Identity, topics: &Topics) -> Result<Gossip, Error> {
    let set_up = |reason: &str| Error::SetUp { reason: reason.to_owned() };
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .max_transmit_size(MAX_GOSSIP_BYTES + GOSSIP_ENVELOPE_BYTES)
        .duplicate_cache_time(REMEMBERED)
        .connection_handler_queue_len(QUEUE)
        .max_publish_messages(MESSAGES_PER_PACKET)
        .build()
        .map_err(|error| set_up(&error.to_string()))?;
    let author = MessageAuthenticity::Signed(identity.keypair().clone());
    let filter = WhitelistSubscriptionFilter(HashSet::from(topics.hashes()));
    let mut gossip = Gossip::new_with_subscription_filter(author, config, filter).map_err(set_up)?;
    gossip.with_peer_score(scores(topics), PeerScoreThresholds::default()).map_err(|reason| set_up(&reason))?;
    for topic in [&topics.program, &topics.records] {
        gossip.subscribe(topic).map_err(|error| set_up(&error.to_string()))?;
    }
    Ok(gossip)
}

/// Returns what the program adds to the score of a peer.
pub(crate) fn score(standing: Standing) -> f64 {
    match standing {
        Standing::Known => 0.0,
        Standing::Stranger => STRANGER_SCORE,
    }
}

/// The defaults of the library, with these differences: both topics are silent for minutes at a time, so no peer is punished for
/// delivering little; three bad messages cut a peer off, for about a minute; nodes on this machine are not suspicious of each other.
fn scores(topics: &Topics) -> PeerScoreParams {
    let topic = TopicScoreParams {
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Below the penalty for one bad message, whatever a peer has collected.
        time_in_mesh_quantum: Duration::from_secs(60),
        time_in_mesh_cap: 10.0,
        first_message_deliveries_cap: 10.0,
        // Squared, times half for the topic: 10, 40, 90, which is below the threshold of -80.
        invalid_message_deliveries_weight: -20.0,
        invalid_message_deliveries_decay: 0.97,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: topics.hashes().map(|hash| (hash, topic.clone())).into(),
        app_specific_weight: 1.0,
        ip_colocation_factor_whitelist: HashSet::from([
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]),
        ..PeerScoreParams::default()
    }
}
