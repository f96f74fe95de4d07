//! Answers of several endpoints, compared.

use super::Common;
use crate::{ChainError, Header};

/// What one endpoint answered.
#[derive(Debug)]
pub struct Said<T> {
    /// Its name.
    pub endpoint: String,
    /// The block that it was asked at.
    pub header: Header,
    /// Its answer. A refusal of a contract is one, too.
    pub value: Result<T, ChainError>,
}

/// What came of asking all endpoints the same.
///
/// Money is spent, a key released and a segment challenged on [`Self::Agreed`] only. What averts a loss of one's own need not wait for
/// it for ever: whoever asks has each endpoint's answer.
#[derive(Debug)]
pub enum Agreement<T> {
    /// As many as must agree gave the same answer at the same block.
    Agreed {
        /// The answer.
        value: T,
        /// The block.
        header: Header,
    },
    /// Only one answered, and two must agree.
    Alone {
        /// The answer.
        value: T,
        /// The block.
        header: Header,
        /// Who answered.
        endpoint: String,
    },
    /// Several answered, and too few of them the same at the same block.
    Disagreed {
        /// Each one's answer.
        values: Vec<Said<T>>,
    },
}

impl<T: PartialEq> Agreement<T> {
    /// Compares the answers that were given at `common`; `needed` must be equal.
    ///
    /// # Errors
    /// If no endpoint answered: the first one's error. [`ChainError::Reverted`] if it is agreed that the contract refuses.
    pub(super) fn of(common: &Common, answers: Vec<Said<T>>, needed: usize) -> Result<Self, ChainError> {
        let (mut given, mut failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|said| is_answer(&said.value));
        if given.is_empty() {
            let first = failed.drain(..).find_map(|said| said.value.err());
            return Err(first.unwrap_or(ChainError::NoEndpoint));
        }
        let of_one_block = common.agreed().is_some();
        let votes = |said: &Said<T>| given.iter().filter(|other| same(&said.value, &other.value)).count();
        let best = (0..given.len()).max_by_key(|at| (given.get(*at).map_or(0, votes), usize::MAX - at)).unwrap_or(0);
        let count = given.get(best).map_or(0, votes);
        if of_one_block && count >= needed {
            let Said { header, value, .. } = given.swap_remove(best);
            return Ok(Self::Agreed { value: value?, header });
        }
        if given.len() == 1 {
            let Said { header, value, endpoint } = given.swap_remove(0);
            return Ok(Self::Alone { value: value?, header, endpoint });
        }
        Ok(Self::Disagreed { values: given })
    }
}

impl<T> Agreement<T> {
    /// The answer that is agreed on.
    pub fn agreed(self) -> Option<T> {
        match self {
            Self::Agreed { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Every answer that was given, the agreed one once: for what need not wait for agreement.
    pub fn values(&self) -> Vec<&T> {
        match self {
            Self::Agreed { value, .. } | Self::Alone { value, .. } => vec![value],
            Self::Disagreed { values } => values.iter().filter_map(|said| said.value.as_ref().ok()).collect(),
        }
    }
}

/// Whether something was answered: by the endpoint, or by the contract that it asked.
fn is_answer<T>(value: &Result<T, ChainError>) -> bool {
    matches!(value, Ok(_) | Err(ChainError::Reverted { .. }))
}

/// Whether so many said the same.
pub(super) fn agrees<T: PartialEq>(answers: &[Option<Said<T>>], needed: usize) -> bool {
    let given = || answers.iter().flatten().filter(|said| is_answer(&said.value));
    given().any(|said| given().filter(|other| same(&said.value, &other.value)).count() >= needed)
}

fn same<T: PartialEq>(a: &Result<T, ChainError>, b: &Result<T, ChainError>) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a == b,
        (Err(ChainError::Reverted { data: a }), Err(ChainError::Reverted { data: b })) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::B256;

    const HEADER: Header = Header { number: 7, hash: B256::ZERO, parent: B256::ZERO, time: 9, base: 0 };

    fn gone() -> ChainError {
        ChainError::Node("gone".into())
    }

    /// What comes of answers at one block, two of which must be equal.
    fn of(answers: Vec<Result<u8, ChainError>>) -> Result<Agreement<u8>, ChainError> {
        let knowing = (0..answers.len()).collect();
        at(&Common::Block { header: HEADER, knowing }, answers)
    }

    fn at(common: &Common, answers: Vec<Result<u8, ChainError>>) -> Result<Agreement<u8>, ChainError> {
        let said = |value| Said { endpoint: "one".into(), header: HEADER, value };
        Agreement::of(common, answers.into_iter().map(said).collect(), 2)
    }

    #[test]
    fn two_equal_answers_agree_and_a_third_does_not_matter() {
        for answers in [vec![Ok(1), Ok(1)], vec![Ok(2), Ok(1), Ok(1)], vec![Err(gone()), Ok(1), Ok(1)]] {
            assert!(matches!(of(answers), Ok(Agreement::Agreed { value: 1, header: HEADER })));
        }
    }

    #[test]
    fn one_answer_is_alone_and_two_different_ones_disagree() {
        assert!(matches!(of(vec![Ok(1), Err(gone())]), Ok(Agreement::Alone { value: 1, .. })));
        let disagreed = of(vec![Ok(1), Ok(2)]).expect("answers");
        assert_eq!(disagreed.values(), [&1, &2]);
        assert_eq!(disagreed.agreed(), None);
        assert!(matches!(of(vec![Err(gone()), Err(gone())]), Err(ChainError::Node(_))));
    }

    #[test]
    fn equal_answers_at_different_blocks_are_no_agreement() {
        let apart = Common::Apart { heads: vec![(0, HEADER), (1, HEADER)] };
        assert!(matches!(at(&apart, vec![Ok(1), Ok(1)]), Ok(Agreement::Disagreed { .. })));
    }

    #[test]
    fn a_refusal_of_the_contract_is_an_answer() {
        let refusal = |byte| Err(ChainError::Reverted { data: vec![byte].into() });
        assert!(matches!(of(vec![refusal(1), refusal(1)]), Err(ChainError::Reverted { .. })));
        assert!(matches!(of(vec![refusal(1), Ok(1)]), Ok(Agreement::Disagreed { .. })));
        assert!(matches!(of(vec![refusal(1), refusal(2)]), Ok(Agreement::Disagreed { .. })));
    }
}
