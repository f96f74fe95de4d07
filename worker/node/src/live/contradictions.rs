//! Words of a committee's members that parties of a job keep and tell each other: who gave two on one question is found out.

use std::sync::Arc;

use futures::StreamExt;
use gradproof_chain::market::{BatchState, Question, attestation_digest};
use gradproof_chain::{Address, B256, canonical_signature, signer_of};
use gradproof_network::{PeerId, Protocol};

use super::bench::Change;
use super::choice::nodes;
use super::desk::Desk;
use super::shared::{ASK, Shared};
use super::trouble::{Trouble, blocking};
use crate::NodeError;
use crate::decide::View;
use crate::facts::{Facts, Role};
use crate::message::{Bytes, Few, MAX_WORDS_TOLD, PartyAnswer, PartyQuestion, Reason, SignedWord, read, written};
use crate::words::{hear, is_new, put, told};

/// Nodes that are asked at a time.
const AT_ONCE: usize = 16;

/// Notes the questions that a committee is asked now, and takes the words that the chain told: the facts after that.
pub(super) fn note(desk: &Desk, view: &View, facts: Facts) -> Result<Facts, NodeError> {
    let is_asked = questions(view).any(|question| !facts.asked.contains(&question));
    let is_told = !facts.attested.is_empty() && !view.others.is_empty();
    if facts.role == Role::DataOwner || !is_asked && !is_told {
        return Ok(facts);
    }
    let words: Vec<_> = facts.attested.iter().map(|word| (word.clone(), verified(desk, view, word))).collect();
    desk.store.change(view.id, |facts| {
        questions(view).for_each(|question| put(&mut facts.asked, question));
        if is_told {
            facts.attested.retain(|told| words.iter().all(|(word, _)| word != told));
            for word in words.into_iter().filter_map(|(_, verified)| verified) {
                // The market counts no word on a question that was not put, though this node may have been away.
                put(&mut facts.asked, (word.batch, word.last));
                hear(&mut facts.heard, &facts.asked, word);
            }
        }
    })
}

/// The questions that wait for words, by batch and claim.
fn questions(view: &View) -> impl Iterator<Item = (u64, B256)> {
    let is_asked = |record| view.job.batch_state(record) == Some(BatchState::Disputed);
    view.job.batches.iter().filter(move |(_, record)| is_asked(record)).map(|(batch, record)| (*batch, record.last))
}

/// A word of another member, if the market takes its signature, with that as the market takes it; `None` for any other.
fn verified(desk: &Desk, view: &View, word: &SignedWord) -> Option<SignedWord> {
    let place = view.job.terms.committee.members.iter().position(|member| *member == word.member)?;
    let seat = view.others.iter().find(|seat| usize::try_from(seat.place).is_ok_and(|other| other == place))?;
    let question = Question { job: view.id, batch: u32::try_from(word.batch).ok()?, last: word.last };
    let (chain, market) = (desk.deployment.chain, desk.deployment.market.address);
    let signature = canonical_signature(word.signature.as_slice())?;
    let signer = signer_of(attestation_digest(chain, market, question, word.yes), &signature)?;
    // The market holds both against a member: the key of its words, and its account's.
    let is_its = signer == seat.key || signer == word.member;
    is_its.then_some(SignedWord { signature: Bytes::new(signature.to_vec())?, ..word.clone() })
}

/// The words about a job that this node has, for a party of it.
pub(super) fn words_for(desk: &Desk, job: B256, asker: Address) -> Result<Few<SignedWord, MAX_WORDS_TOLD>, Reason> {
    let not_yours = || Reason::new("there are no words about such a job here for you");
    let view = desk.view(job).filter(|view| parties(view).contains(&asker)).ok_or_else(not_yours)?;
    let facts = desk.store.job(job).map_err(|error| Reason::new(error.to_string()))?.ok_or_else(not_yours)?;
    Ok(told(view.me, &facts.words, &facts.heard))
}

/// Requester, provider, and members of the committee.
fn parties(view: &View) -> Vec<Address> {
    let two = [view.job.job.requester, view.job.job.owner];
    view.job.terms.committee.members.iter().copied().chain(two).filter(|party| !party.is_zero()).collect()
}

/// Asks the other parties for the words that they have, and keeps those that verify. A node that is silent keeps nobody waiting but itself.
pub(super) async fn heard(shared: &Arc<Shared>, view: &View) -> Result<Change, Trouble> {
    let others: Vec<Address> = parties(view).into_iter().filter(|party| *party != shared.me).collect();
    let question = written(&PartyQuestion::Words { job: view.id });
    let told: Vec<_> =
        nodes(shared, &others).await.into_iter().map(|(_, peer)| told_by(shared, peer, &question)).collect();
    let mut answers = futures::stream::iter(told).buffer_unordered(AT_ONCE);
    while let Some(words) = answers.next().await {
        keep(shared, view, words).await?;
    }
    let now = view.job.now.time;
    Ok(Box::new(move |facts| facts.heard_at = Some(now)))
}

/// What a node tells.
async fn told_by(shared: &Shared, peer: PeerId, question: &[u8]) -> Vec<SignedWord> {
    let answer = shared.network.ask(peer, Protocol::Party, question, ASK).await;
    match answer.map(|answer| read::<PartyAnswer>(&answer)) {
        Ok(Ok(PartyAnswer::Words(words))) => words.as_slice().to_vec(),
        _ => vec![],
    }
}

/// Keeps what is new of the words that a node told: a signature is looked at only where the word may be kept.
async fn keep(shared: &Arc<Shared>, view: &View, mut words: Vec<SignedWord>) -> Result<(), Trouble> {
    let Some(facts) = shared.store.job(view.id)? else { return Ok(()) };
    words.retain(|word| is_new(&facts.heard, &facts.asked, word));
    let (desk, view) = (shared.clone(), view.clone());
    let job = view.id;
    let words: Vec<SignedWord> =
        blocking(move || words.iter().filter_map(|word| verified(&desk, &view, word)).collect()).await?;
    if words.is_empty() {
        return Ok(());
    }
    shared.store.change(job, |facts| words.into_iter().for_each(|word| hear(&mut facts.heard, &facts.asked, word)))?;
    shared.changed();
    Ok(())
}
