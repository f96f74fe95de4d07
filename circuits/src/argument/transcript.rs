//! Fiat-Shamir: a Poseidon sponge, and the channel through which a party answers the verifier.

use ark_bn254::Fr;

use super::claim::Claim;
use crate::field::algebra::{Algebra, Native};
use crate::field::check::{Check, Judge, Rejection};
use crate::field::poseidon::{RATE, WIDTH};

/// Duplex sponge over the scalar field: capacity one, rate four.
///
/// # Soundness
/// The capacity counts the elements absorbed before each permutation, so that inputs of different lengths do not collide.
#[derive(Clone, Debug)]
pub struct Sponge<E> {
    state: [E; WIDTH],
    pending: Vec<E>,
}

impl<E: Clone> Sponge<E> {
    /// An empty sponge for the protocol numbered `domain`.
    pub fn new<A: Algebra<Element = E>>(algebra: &mut A, domain: u64) -> Self {
        let zero = algebra.constant(Fr::from(0));
        let mut state = std::array::from_fn(|_| zero.clone());
        state[0] = algebra.constant(Fr::from(domain << 32));
        Self { state, pending: Vec::with_capacity(RATE) }
    }

    /// Absorbs one element.
    pub fn absorb<A: Algebra<Element = E>>(&mut self, algebra: &mut A, element: &E) {
        if self.pending.len() == RATE {
            self.flush(algebra);
        }
        self.pending.push(element.clone());
    }

    /// A challenge that depends on everything absorbed so far.
    pub fn challenge<A: Algebra<Element = E>>(&mut self, algebra: &mut A) -> E {
        self.flush(algebra);
        self.state[1].clone()
    }

    fn flush<A: Algebra<Element = E>>(&mut self, algebra: &mut A) {
        let count = algebra.constant(Fr::from(1 + self.pending.len() as u64));
        self.state[0] = algebra.add(&self.state[0], &count);
        for (slot, element) in self.state[1..].iter_mut().zip(self.pending.drain(..)) {
            *slot = algebra.add(slot, &element);
        }
        algebra.permute(&mut self.state);
    }
}

/// What the verifier asks for, with all that a prover needs to answer. The variants stand in protocol order.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a, E> {
    /// The secret salt of the transcript.
    Salt,
    /// The two fractions below the root of the look-up tree, `n0 n1 d0 d1`, for the challenges of the fingerprint.
    LookupRoot {
        /// What fingerprints are subtracted from.
        offset: &'a E,
        /// What combines the parts of a tuple.
        combine: &'a E,
    },
    /// Begin of the sumcheck of one layer; no answer.
    LookupLayer {
        /// Where the claims on the layer stand.
        point: &'a [E],
        /// Numerator's weight against the denominator.
        weight: &'a E,
    },
    /// The four fractions' parts at the end of a layer's sumcheck, `n0 n1 d0 d1`.
    LookupChildren {
        /// The last challenge of the sumcheck.
        challenge: &'a E,
    },
    /// Evaluations of the looked-up tensors and multiplicities at the leaf point.
    LookupEvaluations {
        /// The leaf point.
        point: &'a [E],
    },
    /// Begin of the sumcheck over the pointwise relations; no answer.
    Pointwise {
        /// The point of `eq`.
        point: &'a [E],
        /// What combines the relations.
        combine: &'a E,
    },
    /// Evaluations of all tensors of the pointwise relations, at the end of their sumcheck.
    PointwiseEvaluations {
        /// Where the sumcheck ended, first variable first.
        point: &'a [E],
    },
    /// Evaluations of everything that is added to products, each where its sum is claimed.
    AddendEvaluations {
        /// The leaf point of the look-ups, where most of them are: its suffix holds `(τ, β, ρ)`.
        point: &'a [E],
    },
    /// Begin of the sumcheck over the matrix products; no answer.
    Product {
        /// What combines the products.
        combine: &'a E,
    },
    /// Evaluations of both factors of every product, at the end of their sumcheck.
    ProductEvaluations {
        /// Where the sumcheck ended.
        point: &'a [E],
    },
    /// Evaluations of the first and last parameters where the products ended.
    ParameterEvaluations,
    /// Begin of the sumcheck over the updates of the weights; no answer.
    Weight {
        /// What combines the updates.
        combine: &'a E,
    },
    /// Evaluations of the factors of the updates, at the end of their sumcheck.
    WeightEvaluations {
        /// Where the sumcheck ended.
        point: &'a [E],
    },
    /// Begin of the sumcheck that merges all claims; no answer.
    Merge {
        /// What combines the claims.
        combine: &'a E,
        /// The claims.
        claims: &'a [Claim<E>],
    },
    /// Evaluations of all columns at the common point, and of the random column.
    ColumnEvaluations {
        /// The common point.
        point: &'a [E],
    },
    /// One round polynomial of the running sumcheck.
    Round {
        /// The challenge of the round before.
        challenge: Option<&'a E>,
        /// The claim that this round reduces.
        claim: &'a E,
        /// The coordinate of `eq` of this round's variable, where the sumcheck has a common `eq`.
        eq: Option<&'a E>,
    },
}

/// Who answers: a stored proof, or the prover itself.
pub trait Party<A: Algebra> {
    /// Exactly `count` elements that answer `ask`.
    ///
    /// # Errors
    /// If there is no such answer.
    fn answer(&mut self, algebra: &mut A, ask: Ask<'_, A::Element>, count: usize) -> Result<Vec<A::Element>, A::Error>;
}

/// A stored proof: its elements in protocol order.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// What has not been asked for yet.
    pub rest: &'a [Fr],
}

impl<J: Judge> Party<Native<J>> for Stored<'_> {
    fn answer(&mut self, _: &mut Native<J>, _: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        let (answer, rest) = self.rest.split_at_checked(count).ok_or(Rejection { check: Check::Length })?;
        self.rest = rest;
        Ok(answer.to_vec())
    }
}

/// The verifier's end of the conversation: everything received is absorbed before the next challenge is drawn.
pub struct Channel<'a, A: Algebra, P> {
    /// What it computes with.
    pub algebra: &'a mut A,
    party: &'a mut P,
    sponge: Sponge<A::Element>,
}

impl<'a, A: Algebra, P: Party<A>> Channel<'a, A, P> {
    /// A channel for the protocol numbered `domain`, bound to `digest`.
    pub fn new(algebra: &'a mut A, party: &'a mut P, domain: u64, digest: &[A::Element]) -> Self {
        let mut sponge = Sponge::new(algebra, domain);
        for limb in digest {
            sponge.absorb(algebra, limb);
        }
        Self { algebra, party, sponge }
    }

    /// Asks for `count` elements and absorbs them.
    ///
    /// # Errors
    /// If the party has no answer, or one of another length.
    pub fn ask(&mut self, ask: Ask<'_, A::Element>, count: usize) -> Result<Vec<A::Element>, A::Error> {
        let answer = self.party.answer(self.algebra, ask, count)?;
        if answer.len() != count {
            return Err(Rejection { check: Check::Length }.into());
        }
        for element in &answer {
            self.sponge.absorb(self.algebra, element);
        }
        Ok(answer)
    }

    /// Asks for exactly `N` elements and absorbs them.
    ///
    /// # Errors
    /// If the party has no answer of that length.
    pub fn ask_array<const N: usize>(&mut self, ask: Ask<'_, A::Element>) -> Result<[A::Element; N], A::Error> {
        let answer = self.ask(ask, N)?;
        answer.try_into().map_err(|_| Rejection { check: Check::Length }.into())
    }

    /// Draws a challenge.
    pub fn challenge(&mut self) -> A::Element {
        self.sponge.challenge(self.algebra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::check::Strict;

    /// Answers with one element more or less than it is asked for.
    struct Off(isize);

    impl Party<Native<Strict>> for Off {
        fn answer(&mut self, _: &mut Native<Strict>, _: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
            Ok(vec![Fr::from(1); count.saturating_add_signed(self.0)])
        }
    }

    #[test]
    fn an_answer_of_another_length_is_refused() {
        for (off, refused) in [(-1, true), (0, false), (1, true)] {
            let (mut algebra, mut party) = (Native { judge: Strict }, Off(off));
            let mut channel = Channel::new(&mut algebra, &mut party, 1, &[]);
            let answer = channel.ask(Ask::Salt, 3);
            let expected = Rejection { check: Check::Length };
            assert_eq!(answer.err(), refused.then_some(expected.clone()), "{off}");
            let answer: Result<[Fr; 2], _> = channel.ask_array(Ask::Salt);
            assert_eq!(answer.err(), refused.then_some(expected), "{off}");
        }
    }
}
