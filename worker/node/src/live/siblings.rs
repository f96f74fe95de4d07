//! The other nodes of this node's account: who they are by the register, and what is left to them.

use gradproof_chain::market::account::roles;
use gradproof_chain::{Address, Moment};
use tracing::{info, warn};

use super::calls::intent_id;
use super::capacity::measured;
use super::desk::Desk;
use crate::NodeError;
use crate::decide::{Action, Call, Place, View, patience};
use crate::directory::Entry;
use crate::facts::Role;

/// The entries of the account's nodes with a role, by the addresses of their peers: this one among them, if it is in the register.
fn nodes(desk: &Desk, role: u8) -> Vec<Entry> {
    desk.directory().of_owner(desk.me).filter(|entry| entry.roles & role != 0).cloned().collect()
}

/// The providers' nodes of the account that do what is their turn.
fn active(desk: &Desk) -> Vec<Address> {
    let nodes = nodes(desk, roles::PROVIDER);
    let silence = desk.siblings();
    nodes.iter().map(|entry| entry.peer).filter(|peer| !silence.is_silent(*peer)).collect()
}

/// The place of this node among those of its account.
pub(super) fn place(desk: &Desk) -> Place {
    match desk.peer.filter(|_| desk.config.role == Role::Provider) {
        Some(peer) => Place::among(&active(desk), peer),
        None => Place::ALONE,
    }
}

/// Whether an action is left to other nodes of the account now. Who does not do what is its turn counts as silent from then on, until it is
/// heard: nothing more is left to it.
pub(super) fn leaves(desk: &Desk, view: &View, action: &Action) -> Result<bool, NodeError> {
    let before = view.place.before(action, &view.job);
    if before.is_empty() {
        return Ok(false);
    }
    let what = match action {
        Action::Send { call, .. } => intent_id(call, view.id, desk.me),
        Action::Do(task) => format!("{} of job {}", task.in_words(), view.id),
        Action::Turn(_) => return Ok(false),
    };
    let now = view.job.now.time;
    let since = Moment { time: desk.siblings().since(&what, now), ..view.job.now };
    let proof_ms = measured(desk, view.job.terms.training.verifier)?;
    if now < since.time.saturating_add(patience(before.len(), action, since, proof_ms)) {
        return Ok(true);
    }
    let active = active(desk);
    let missed = before.into_iter().filter_map(|place| active.get(place).copied());
    let missed: Vec<Address> = missed.filter(|peer| Some(*peer) != desk.peer).collect();
    if desk.siblings().miss(missed) {
        info!(job = %view.id, "another node of the account does not {what}: this one does");
    }
    Ok(false)
}

/// Hears of other nodes of the account by what they claim.
pub(super) fn watch(desk: &Desk, view: &View) {
    if desk.config.role != Role::Provider || view.job.job.owner != desk.me {
        return;
    }
    let Some(from) = desk.siblings().claimed(view.id, u64::from(view.job.job.claimed)) else { return };
    let sent = |call: Call| desk.said_of(&intent_id(&call, view.id, desk.me)).as_deref() == Some("sent");
    if !sent(Call::ClaimProven(from)) && !sent(Call::Claim { from, ends: vec![] }) {
        hear(desk);
    }
}

/// Another node of the account may have done something that this one was about to do.
pub(super) fn hear(desk: &Desk) {
    let others: Vec<Address> = nodes(desk, roles::PROVIDER).iter().map(|entry| entry.peer).collect();
    let others: Vec<Address> = others.into_iter().filter(|peer| Some(*peer) != desk.peer).collect();
    if desk.siblings().hear(&others) {
        info!("another node of the account is heard again: what is its turn is left to it");
    }
}

/// Looks at the account's other nodes, once all events of the register were read.
///
/// # Errors
/// [`NodeError::SecondValidator`].
pub(super) fn check(desk: &Desk) -> Result<(), NodeError> {
    let other = |entry: &Entry| Some(entry.peer) != desk.peer;
    match desk.config.role {
        Role::Validator => match nodes(desk, roles::VALIDATOR).into_iter().find(other) {
            Some(entry) => Err(NodeError::SecondValidator {
                account: desk.me,
                other: entry.peer,
                register: desk.deployment.nodes.address,
            }),
            None => Ok(()),
        },
        Role::Provider => {
            let all = nodes(desk, roles::PROVIDER);
            let own = all.iter().find(|entry| !other(entry)).map(|entry| entry.encryption_key);
            for entry in all.iter().filter(|entry| own.is_some_and(|own| own != entry.encryption_key)) {
                let said = "it has another encryption key: what one of both delivered the other cannot deliver again; `node restore --beside` \
                            makes a folder with the same one";
                if desk.is_news(&format!("node {}", entry.peer), said) {
                    warn!("the account's node {}: {said}", entry.peer);
                }
            }
            Ok(())
        }
        Role::Requester | Role::DataOwner => Ok(()),
    }
}
