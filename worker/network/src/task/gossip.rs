use libp2p::{
    PeerId,
    gossipsub::{Event as GossipEvent, IdentTopic, Message, MessageAcceptance, MessageId, PublishError},
};

use super::Task;
use crate::{
    Error, Event, GossipId, Inserted, SignedRecord, Standing, address_of,
    commands::{locked, now_secs},
    limits::MAX_GOSSIP_BYTES,
};

impl Task {
    pub(super) fn on_gossip(&mut self, event: GossipEvent) {
        match event {
            GossipEvent::Message { propagation_source: from, message_id, message } => {
                self.on_message(from, message_id, message);
            }
            GossipEvent::Subscribed { topic, .. } if topic == self.topics.records.hash() => self.record_due = true,
            event => tracing::trace!(?event, "gossip reports"),
        }
    }

    fn on_message(&mut self, from: PeerId, message: MessageId, content: Message) {
        let source = content.source.filter(|source| address_of(source).is_some());
        let acceptance = match source {
            Some(source) if content.data.len() <= MAX_GOSSIP_BYTES => {
                if content.topic == self.topics.records.hash() {
                    Some(self.on_record(&source, &content.data))
                } else {
                    let id = GossipId { message: message.clone(), from };
                    let told = self.tell(Event::Gossip { source, bytes: content.data, id });
                    // The program says later.
                    if told { None } else { Some(MessageAcceptance::Ignore) }
                }
            }
            _ => Some(MessageAcceptance::Reject),
        };
        if let Some(acceptance) = acceptance {
            self.swarm.behaviour_mut().gossip.report_message_validation_result(&message, &from, acceptance);
        }
    }

    /// Takes an address record from gossip. It travels on if it is the newest of a peer that is admitted.
    fn on_record(&mut self, source: &PeerId, bytes: &[u8]) -> MessageAcceptance {
        let record = match SignedRecord::decode(bytes) {
            // Everybody tells their own: others could only flood the network with it.
            Ok(record) if record.peer() == *source => record,
            Ok(_) => return MessageAcceptance::Reject,
            Err(error) => {
                tracing::debug!(%error, "an address record from gossip");
                return MessageAcceptance::Reject;
            }
        };
        match self.insert(record) {
            // It may have come from the peer itself before, and still be news to others.
            Ok(Inserted::Newer | Inserted::Already) if self.standing(source) == Standing::Known => {
                MessageAcceptance::Accept
            }
            // Late or early ones are nobody's fault.
            Ok(_) | Err(_) => MessageAcceptance::Ignore,
        }
    }

    /// Takes an address record. The one of this peer is only made here.
    pub(super) fn insert(&mut self, record: SignedRecord) -> Result<Inserted, Error> {
        if record.peer() == self.identity.peer_id() {
            // After a restart with a clock that went back: the next record must be newer than what the others have.
            self.sequence = self.sequence.max(record.sequence());
            if locked(&self.book).record(&record.peer()).is_some_and(|own| own.sequence() < record.sequence()) {
                self.renewed = None;
            }
            return Ok(Inserted::Already);
        }
        let peer = record.peer();
        let gate = locked(&self.gate);
        let inserted = locked(&self.book).insert(record, now_secs(), |peer| gate.standing(peer) == Standing::Known);
        drop(gate);
        if inserted == Ok(Inserted::Newer) {
            // It may be somewhere else now.
            self.redials.remove(&peer);
        }
        inserted
    }

    pub(super) fn publish(&mut self, topic: IdentTopic, bytes: Vec<u8>) -> Result<(), Error> {
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => Ok(()),
            Err(PublishError::NoPeersSubscribedToTopic) => Err(Error::NoListeners),
            Err(error) => Err(Error::Gossip { reason: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::mpsc;

    use super::*;
    use crate::{AddressBook, Config, Identity};

    fn identity(number: u8) -> Identity {
        Identity::from_secret([number; 32]).unwrap()
    }

    fn task() -> (Task, mpsc::Receiver<Event>) {
        let (commands, taken) = mpsc::channel(1);
        let (events, receiver) = mpsc::channel(2);
        let book = Arc::new(Mutex::new(AddressBook::new()));
        let config = Config::local(identity(1), "test");
        let metrics = libp2p::metrics::Metrics::new(&mut prometheus_client::registry::Registry::default());
        (Task::new(&config, taken, commands.downgrade(), events, book, metrics).unwrap(), receiver)
    }

    fn record(number: u8, sequence: u64) -> Vec<u8> {
        SignedRecord::sign(&identity(number), sequence, now_secs() + 1000, vec![]).unwrap().bytes().to_vec()
    }

    #[tokio::test]
    async fn a_record_travels_on_only_as_the_newest_of_an_admitted_peer_from_that_peer() {
        let (mut task, _events) = task();
        let (known, stranger) = (identity(2).peer_id(), identity(3).peer_id());
        locked(&task.gate).admit(known, [1; 20]).unwrap();
        let mut heard = |source: &PeerId, bytes: &[u8]| format!("{:?}", task.on_record(source, bytes));
        assert_eq!(heard(&known, b"garbage"), "Reject");
        assert_eq!(heard(&known, &record(3, 5)), "Reject");
        assert_eq!(heard(&known, &record(2, 5)), "Accept");
        assert_eq!(heard(&known, &record(2, 4)), "Ignore");
        assert_eq!(heard(&known, &record(2, 6)), "Accept");
        assert_eq!(heard(&stranger, &record(3, 5)), "Ignore");
    }

    #[tokio::test]
    async fn a_record_that_came_before_travels_on_all_the_same() {
        let (mut task, _events) = task();
        let known = identity(2).peer_id();
        locked(&task.gate).admit(known, [1; 20]).unwrap();
        let bytes = record(2, 5);
        assert_eq!(task.insert(SignedRecord::decode(&bytes).unwrap()), Ok(Inserted::Newer));
        assert!(matches!(task.on_record(&known, &bytes), MessageAcceptance::Accept));
    }

    #[tokio::test]
    async fn a_message_without_a_peer_behind_it_or_that_is_too_long_is_no_event() {
        let (mut task, mut events) = task();
        let (from, topic) = (identity(2).peer_id(), task.topics.program.hash());
        let mut hear = |source, bytes| {
            let content = Message { source, data: vec![7; bytes], sequence_number: Some(1), topic: topic.clone() };
            task.on_message(from, MessageId::new(&[1]), content);
            events.try_recv().is_ok()
        };
        let no_secp256k1: PeerId = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA".parse().unwrap();
        assert!(hear(Some(from), MAX_GOSSIP_BYTES));
        assert!(!hear(Some(from), MAX_GOSSIP_BYTES + 1));
        assert!(!hear(Some(no_secp256k1), 1));
        assert!(!hear(None, 1));
    }

    #[tokio::test]
    async fn the_next_own_record_is_newer_than_any_that_others_have() {
        let (mut task, _events) = task();
        let ahead = u64::MAX / 2;
        let own = SignedRecord::sign(&identity(1), ahead, now_secs() + 1000, vec![]).unwrap();
        assert_eq!(task.insert(own), Ok(Inserted::Already));
        task.renew_record();
        assert_eq!(locked(&task.book).record(&identity(1).peer_id()).unwrap().sequence(), ahead + 1);
    }
}
