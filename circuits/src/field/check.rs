//! The checks of the verifier, by name, and who judges them.

/// Every check that a verifier makes. A proof is accepted only if all of them hold.
///
/// The test-suite forges, for each check of [`Kind::Argument`], a proof that is accepted when exactly this check is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// The look-ups and the tables have the same fractional sum: the numerator at the root is zero.
    LookupSum,
    /// No fingerprint is zero: the denominator at the root is not zero.
    LookupDenominator,
    /// The end of the sumcheck of a layer of the look-up tree is the fraction of its two children.
    LookupLayer,
    /// The numerator at the leaves is made of the committed multiplicities.
    LookupNumerator,
    /// The denominator at the leaves is made of the committed tensors.
    LookupFingerprint,
    /// The end of the sumcheck over the pointwise relations (masked gradients, softmax, registration) fits the tensors.
    Pointwise,
    /// The end of the sumcheck over the matrix products fits the tensors.
    Product,
    /// The end of the sumcheck that ties weights and biases at every step to the two ends of the segment.
    Weight,
    /// The end of the sumcheck that merges all claims fits the columns.
    Merge,
    /// The circuit's proof shows that the argument comes to what a wrapped proof says.
    Wrap,
    /// Live counts and position lie in the ranges that architecture and epoch give them.
    PublicRange,
    /// The proof has exactly as many elements as its shape asks for.
    Length,
    /// The opening has a fold for every step but the last.
    OpeningFolds,
    /// The opening has as many evaluations as its steps ask for.
    OpeningEvaluations,
    /// The folds end in the claimed value.
    OpeningValue,
    /// The evaluations are those of the committed polynomials: the pairing of the quotients.
    OpeningPairing,
    /// Each data column is the leaf of its position and index under the data root.
    DataLeaf,
    /// The proof has one commitment a column.
    Commitments,
    /// The bytes of a proof are canonical, of the right version and length.
    Encoding,
    /// There is a proof for every segment of the job, and every registration, and no other.
    Missing,
    /// Statement and verifying key are for the same shape and set-up, and the statement names the parameters at both ends.
    Key,
    /// The first parameters are those that the parent's last proved segment left.
    Parent,
}

/// What a check is about, and so how it is shown to be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What a proof says is true. A [`Judge`] decides: tests skip one such check at a time.
    Argument,
    /// A proof has the right form. No judge is asked: without it the other checks have no meaning.
    Form,
    /// The proofs of a job are complete, and it begins where it says.
    Job,
}

impl Check {
    /// Every check, in the order of their definition.
    pub const ALL: [Self; 22] = [
        Self::LookupSum,
        Self::LookupDenominator,
        Self::LookupLayer,
        Self::LookupNumerator,
        Self::LookupFingerprint,
        Self::Pointwise,
        Self::Product,
        Self::Weight,
        Self::Merge,
        Self::Wrap,
        Self::PublicRange,
        Self::Length,
        Self::OpeningFolds,
        Self::OpeningEvaluations,
        Self::OpeningValue,
        Self::OpeningPairing,
        Self::DataLeaf,
        Self::Commitments,
        Self::Encoding,
        Self::Missing,
        Self::Key,
        Self::Parent,
    ];

    /// What the check is about.
    pub fn kind(self) -> Kind {
        match self {
            Self::LookupSum
            | Self::LookupDenominator
            | Self::LookupLayer
            | Self::LookupNumerator
            | Self::LookupFingerprint
            | Self::Pointwise
            | Self::Product
            | Self::Weight
            | Self::Merge
            | Self::Wrap
            | Self::PublicRange
            | Self::OpeningValue
            | Self::OpeningPairing
            | Self::DataLeaf
            | Self::Key => Kind::Argument,
            Self::Length | Self::OpeningFolds | Self::OpeningEvaluations | Self::Commitments | Self::Encoding => {
                Kind::Form
            }
            Self::Missing | Self::Parent => Kind::Job,
        }
    }
}

/// The refusal of a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check {check:?} failed")]
pub struct Rejection {
    /// The check that failed first.
    pub check: Check,
}

/// Decides what a failed check means.
///
/// # Soundness
/// Every verifier uses [`Strict`]. Tests use judges that skip one check, to show that it is needed.
pub trait Judge {
    /// Takes note that `check` holds or not.
    ///
    /// # Errors
    /// The rejection, if the check does not hold.
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection>;
}

impl<J: Judge + ?Sized> Judge for &mut J {
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection> {
        (**self).require(check, holds)
    }
}

/// Refuses at the first check that fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict;

impl Judge for Strict {
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection> {
        if holds { Ok(()) } else { Err(Rejection { check }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_checks_are_listed_in_order() {
        // `kind` matches exhaustively, so a new check has to be placed there; here it has to be listed.
        assert!(Check::ALL.iter().enumerate().all(|(i, check)| *check as usize == i));
        assert_eq!(Check::ALL.len(), Check::Parent as usize + 1, "the last variant is the last of the list");
    }
}
