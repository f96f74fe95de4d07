//! What other nodes ask this one.

use std::sync::Arc;

use gradproof_blobs::Root;
use gradproof_network::{Event, PeerId, Protocol, Reply, Standing, Verdict};
use tracing::debug;

use super::shared::Shared;
use super::trouble::blocking;
use super::wrapping;
use crate::message::{Answer, PartyAnswer, PartyQuestion, Question, Reason, read, written};

/// Answers, beside the loop.
pub(super) fn handle(shared: &Arc<Shared>, event: Event) {
    let shared = shared.clone();
    match event {
        Event::Request { peer, standing, protocol, bytes, reply } => {
            tokio::spawn(async move { answer(&shared, peer, standing, protocol, &bytes, reply).await });
        }
        Event::Range { root, index, reply, .. } => {
            tokio::spawn(async move { range(&shared, Root::new(root), index, reply).await });
        }
        Event::Gossip { id, .. } => {
            // Nothing but address records travels by gossip yet, and the network takes those itself.
            tokio::spawn(async move { shared.network.judge(id, Verdict::Ignore).await });
        }
        Event::Connected { peer, address } => debug!("connected with {peer} at {address}"),
        Event::Disconnected { peer } => debug!("{peer} is gone"),
        _ => (),
    }
}

async fn range(shared: &Arc<Shared>, root: Root, index: u32, reply: Reply) {
    let blobs = shared.blobs.clone();
    match blocking(move || blobs.read_range(root, index)).await {
        Ok(Ok(bytes)) => drop(reply.answer(bytes)),
        Ok(Err(_)) => reply.not_here(),
        Err(_) => reply.busy(),
    }
}

async fn answer(
    shared: &Arc<Shared>,
    peer: PeerId,
    standing: Standing,
    protocol: Protocol,
    bytes: &[u8],
    reply: Reply,
) {
    let answer = match (protocol, standing) {
        (Protocol::Party, Standing::Known) => match read::<PartyQuestion>(bytes) {
            Ok(question) => written(&party(shared, peer, question).await),
            Err(reason) => written(&PartyAnswer::Refused(reason)),
        },
        (Protocol::Party, Standing::Stranger) => return reply.refuse("for nodes in the register only"),
        (Protocol::Open, _) => match read::<Question>(bytes) {
            Ok(Question::Datasets) => {
                written(&super::sets::cards(shared).map_or_else(Answer::Refused, Answer::Datasets))
            }
            Ok(Question::DialBack) => written(&super::reach::answer(shared, peer).await),
            Ok(question) => written(&super::quotes::answer(shared, shared.owner_of(peer), question).await),
            Err(reason) => written(&Answer::Refused(reason)),
        },
    };
    if let Err(error) = reply.answer(answer) {
        debug!("an answer was not sent: {error}");
    }
}

/// What a node in the register is told.
async fn party(shared: &Arc<Shared>, peer: PeerId, question: PartyQuestion) -> PartyAnswer {
    let Some(owner) = shared.owner_of(peer) else {
        return PartyAnswer::Refused(Reason::new("your node is not in the register"));
    };
    let sealed = match question {
        PartyQuestion::Offer(offer) => {
            return match super::consent::consent(shared, owner, offer).await {
                Ok(job) => PartyAnswer::Takes { job },
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Licence { dataset, segments } => {
            return match super::license::license(shared, owner, dataset, segments).await {
                Ok(file) => PartyAnswer::Licence(file),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Rows { job } => super::rows::rows_for(shared, job, owner).await,
        PartyQuestion::Consent { terms, nonce, licence } => {
            return match super::seating::consent(shared, owner, terms.as_slice(), nonce, licence.as_ref()).await {
                Ok(consent) => PartyAnswer::Consents(consent),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::LicencePath { job } => {
            return match super::licensed::path_for(shared, job, owner) {
                Ok(path) => PartyAnswer::LicencePath(path),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Opening { job, segment } => {
            return match super::judging::opening_for(shared, job, segment, owner).await {
                Ok(secret) => PartyAnswer::Opening { secret },
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::TeamSeat { job } => {
            return match super::team::seat_for(shared, job, owner) {
                Ok(seat) => PartyAnswer::TeamSeat(seat),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Share(question) => {
            let entry = gradproof_network::address_of(&peer).and_then(|peer| shared.entry(peer.into()));
            let hot = entry.map(|entry| entry.hot).unwrap_or_default();
            return match super::team::share_for(shared, owner, hot, &question) {
                Ok(part) => PartyAnswer::Share(part),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Words { job } => {
            return match super::contradictions::words_for(shared, job, owner) {
                Ok(words) => PartyAnswer::Words(words),
                Err(reason) => PartyAnswer::Refused(reason),
            };
        }
        PartyQuestion::Parcel { job } => wrapping::parcel_for(shared, job, owner),
        PartyQuestion::Delivery { job, batch } => wrapping::delivery_for(shared, job, batch, owner),
    };
    match sealed {
        Ok(sealed) => PartyAnswer::Sealed(sealed),
        Err(reason) => PartyAnswer::Refused(reason),
    }
}
