//! The whole field-side argument: from the digest of statement and commitments to one evaluation at one point.
//!
//! Every relation is reduced to claims on committed tensors, and all claims to evaluations of the columns at a common
//! point. What is left, one opening of the combined columns, is curve work and is checked natively.

#![warn(clippy::indexing_slicing)]

mod claim;
mod contraction;
mod linear;
pub mod lookup;
mod merge;
mod part;
mod pointwise;
mod state;
pub mod sumcheck;
pub mod transcript;
mod update;

pub use claim::{Claim, Reduced};

use crate::field::algebra::Algebra;
use crate::program::{LiveBits, Publics};
use crate::relations::Relations;
use state::Argument;
use transcript::{Ask, Channel, Party};

/// Version of the argument: the domain of its transcript.
pub const VERSION: u64 = 2;

/// Runs the argument as its verifier: the native check of a proof, the circuit, and the guide of the prover.
///
/// # Transcript
/// digest, salt; look-ups; pointwise relations; products; weights; merging; all evaluations of columns and the random
/// column's; only then `ρ`.
///
/// # Errors
/// The check that failed.
pub fn verify<A: Algebra, P: Party<A>>(
    algebra: &mut A,
    party: &mut P,
    relations: &Relations,
    publics: &Publics<A::Element>,
) -> Result<Reduced<A::Element>, A::Error> {
    let live = LiveBits::new(algebra, relations.architecture.vars(), publics)?;
    let mut channel = Channel::new(algebra, party, VERSION, &publics.digest);
    channel.ask(Ask::Salt, 1)?;
    let mut argument = Argument { channel, relations, live, claims: Vec::new() };
    let looked_up = lookup::verify(&mut argument.channel, &relations.tree)?;
    argument.looked_up(&looked_up)?;
    let operands = argument.pointwise(&looked_up)?;
    if !relations.sums.is_empty() {
        let products = argument.products(&looked_up, &operands)?;
        argument.weights(&products, &publics.rate)?;
    }
    merge::verify(&mut argument.channel, &relations.layout, &argument.claims)
}
