//! What a user is told of every proof that gives less than it seems to.

use gradproof_terminal::tell;
use gradproof_verifier::protocol::kind::ProofKind;

/// What every program says of a core proof.
pub const NOT_ZERO_KNOWLEDGE: &str = "Core proofs are NOT zero-knowledge: their messages depend on data and weights, so show them only to those who may see both.";
/// What every program says of the insecure set-up.
pub const INSECURE_SETUP: &str =
    "The set-up is INSECURE: everybody knows its tau, and anyone can forge proofs. It is for trying things out.";

/// Says on standard error what a proof does not give.
pub fn warn(kind: ProofKind, insecure: bool) {
    if kind == ProofKind::Core {
        tell(&format!("note: {NOT_ZERO_KNOWLEDGE}"));
    }
    if insecure {
        tell(&format!("WARNING: {INSECURE_SETUP}"));
    }
}
