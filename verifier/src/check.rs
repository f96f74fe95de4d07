//! The checks of a verifier by name, and who decides what happens when one fails.

/// A check that the verifier makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The opening has a fold for every variable but the last.
    OpeningFolds,
    /// The opening has one evaluation more than variables.
    OpeningEvaluations,
    /// The folds end in the claimed value.
    OpeningValue,
    /// The evaluations are those of the committed polynomials: the pairing of the quotients.
    OpeningPairing,
}

/// A proof is refused because a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is refused: {check:?} does not hold")]
pub struct Rejection {
    /// The check that failed.
    pub check: Check,
}

/// Takes the outcome of every check.
pub trait Judge {
    /// Records that `check` holds or not.
    ///
    /// # Errors
    /// A [`Rejection`] if the proof is to be refused.
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection>;
}

/// The judge of every real verification: any check that fails refuses the proof.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict;

impl Judge for Strict {
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection> {
        if holds { Ok(()) } else { Err(Rejection { check }) }
    }
}
