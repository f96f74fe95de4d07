//! What the owner of a job's data does: it takes what it is paid. Everything else it does when it is asked.

use gradproof_chain::market::State;

use super::{Step, View, withdraw};

/// What a data owner does about a call that is open now.
pub(super) fn steps(name: &str, view: &View) -> Vec<Step> {
    match name {
        "withdraw" => withdraw(view),
        _ => vec![],
    }
}

/// Whether nothing of a job will ever be its data owner's: it was taken back before it started, or nobody can take it any more, and then
/// it waits for ever, unless its requester takes it back.
pub(super) fn is_void(view: &View) -> bool {
    view.job.state() == Some(State::Cancelled) || view.is_expired(view.job.now.time)
}
