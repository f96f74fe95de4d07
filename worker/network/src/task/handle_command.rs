use std::time::Instant;

use libp2p::{PeerId, gossipsub::MessageAcceptance};

use super::{Task, connections::Waiting};
use crate::{
    Connected, Error, Owner, Standing, Verdict,
    commands::{Command, locked},
    gossip::score,
};

impl Task {
    /// Does what the handle asks. Whoever asked may have given up, so that nobody takes the answer.
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Listening(answered) => drop(answered.send(self.swarm.listeners().cloned().collect())),
            Command::Connected(answered) => drop(answered.send(self.connected())),
            Command::Dial { peer, addresses, answered } => {
                if self.peers.contains_key(&peer) {
                    drop(answered.send(Ok(())));
                } else {
                    self.wait(peer, addresses, Waiting::Dial(answered));
                }
            }
            Command::TryDial { peer, addresses, answered } => self.try_dial(peer, addresses, answered),
            Command::Disconnect { peer, answered } => {
                // A peer that is not connected is disconnected.
                let _ = self.swarm.disconnect_peer_id(peer);
                let _ = answered.send(());
            }
            Command::SetOwner { peer, owner, answered } => drop(answered.send(self.set_owner(peer, owner))),
            Command::Open { peer, open, failed } => self.open(peer, open, failed),
            Command::Publish { bytes, answered } => {
                let topic = self.topics.program.clone();
                drop(answered.send(self.publish(topic, bytes)));
            }
            Command::Judge { id, verdict } => {
                let acceptance = match verdict {
                    Verdict::Accept => MessageAcceptance::Accept,
                    Verdict::Ignore => MessageAcceptance::Ignore,
                    Verdict::Reject => MessageAcceptance::Reject,
                };
                self.swarm.behaviour_mut().gossip.report_message_validation_result(&id.message, &id.from, acceptance);
            }
            // Taken by the loop that runs the task.
            Command::Shutdown(answered) => drop(answered),
        }
    }

    fn connected(&self) -> Vec<Connected> {
        let newest = |(peer, entry): (&PeerId, &super::Peer)| {
            let (_, address) = entry.connections.last()?;
            Some(Connected { peer: *peer, standing: self.standing(peer), address: address.clone() })
        };
        let mut connected: Vec<Connected> = self.peers.iter().filter_map(newest).collect();
        connected.sort_by_key(|connected| connected.peer);
        connected
    }

    fn set_owner(&mut self, peer: PeerId, owner: Option<Owner>) -> Result<(), Error> {
        let standing = match owner {
            Some(owner) => {
                locked(&self.gate).admit(peer, owner)?;
                Standing::Known
            }
            None => {
                locked(&self.gate).dismiss(&peer);
                Standing::Stranger
            }
        };
        self.swarm.behaviour_mut().gossip.set_application_score(&peer, score(standing));
        if let Some(entry) = self.peers.get_mut(&peer)
            && !entry.synced
            && entry.sync.is_some()
        {
            entry.sync = Some(Instant::now());
        }
        Ok(())
    }
}
