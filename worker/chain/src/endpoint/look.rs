//! A look at all endpoints: the newest block of each, and the newest that enough of them have.

use futures::future::join_all;
use tokio::time::timeout;

use super::member::{HEAD, Member};
use super::rest::Slow;
use super::{Common, Endpoints, Heads, Sight, gather, numbered};
use crate::{ChainError, Header};

/// Blocks that an endpoint may lack and still be agreed with: an endpoint that is stuck must not hold everyone in the past. Twice what
/// the nodes behind one address are apart.
const MAX_LAG: u64 = 32;
/// Blocks that as many as must agree may be apart so that the others are not waited for: what honest ones are apart that are asked at the
/// same moment. Whoever lags more could bring an honest one into the past, while a slow one knows better.
const NEAR: u64 = 1;

impl Endpoints {
    /// The newest block of each, all asked at the same time, and each waited for.
    pub async fn heads(&self) -> Heads {
        Heads::new(join_all(self.members.iter().map(|member| self.head(member))).await)
    }

    /// The newest block of each that keeps up: who is slow is not waited for once enough have said theirs.
    async fn some_heads(&self) -> Heads {
        let all_slow = self.members.iter().all(|member| member.slow().is_some());
        let (asked, slow): (Vec<_>, Vec<_>) =
            self.members.iter().partition(|member| all_slow || member.slow().is_none());
        let near = |heads: &[Option<(String, Result<Header, ChainError>)>]| {
            let mut numbers: Vec<u64> =
                heads.iter().flatten().filter_map(|(_, head)| Some(head.as_ref().ok()?.number)).collect();
            numbers.sort_unstable_by_key(|number| u64::MAX - number);
            let furthest = numbers.first().copied().unwrap_or(0);
            numbers.get(self.needed - 1).is_some_and(|number| furthest - number <= NEAR)
        };
        let questions = asked.iter().map(|member| self.head(member)).collect();
        let told = gather(&mut numbered(questions), near).await;
        for (member, told) in asked.iter().zip(&told) {
            match told {
                Some((_, Err(ChainError::Late { .. }))) => member.was(Slow::Late),
                Some(_) => (),
                None => member.was(Slow::Outrun),
            }
        }
        let mut told = told.into_iter();
        let each = self.members.iter().map(|member| {
            let is_slow = slow.iter().any(|other| std::ptr::eq(*other, member));
            let head = if is_slow { None } else { told.next().flatten() };
            head.unwrap_or_else(|| (member.endpoint.name().to_owned(), Err(member.outrun())))
        });
        Heads::new(each.collect())
    }

    async fn head(&self, member: &Member) -> (String, Result<Header, ChainError>) {
        (member.endpoint.name().to_owned(), member.head(self.chain).await)
    }

    /// The newest block that as many endpoints have as must agree.
    ///
    /// The further ones are asked for their block of the lower one's number. Where too few have the same, there is a fork, or a liar.
    ///
    /// # Errors
    /// If no endpoint answered: the first one's error.
    pub async fn common(&self, heads: &Heads) -> Result<Common, ChainError> {
        let answered = heads.answered();
        let Some((first, furthest)) = answered.first().copied() else {
            let errors = heads.each.iter().filter_map(|seen| seen.head.as_ref().err());
            return Err(ChainError::NoAnswer(errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")));
        };
        if answered.len() < self.needed {
            return Ok(Common::Alone { endpoint: first, header: furthest });
        }
        let mut tried = None;
        let numbers: Vec<u64> = answered.iter().map(|(_, head)| head.number).collect();
        let Some(first) = together(&numbers, self.needed) else { return Ok(Common::Apart { heads: answered }) };
        for (_, head) in answered.iter().skip(first + self.needed - 1) {
            if numbers.get(first).is_some_and(|nearest| nearest - head.number > MAX_LAG) {
                break;
            }
            if tried.replace(head.number) == Some(head.number) {
                continue;
            }
            if let Some((header, knowing)) = self.known_at(head.number, &answered).await {
                return Ok(Common::Block { header, knowing });
            }
        }
        Ok(Common::Apart { heads: answered })
    }

    /// Looks at all endpoints. Who is slow is not waited for, unless the others have no block in common.
    ///
    /// # Errors
    /// If no endpoint answered.
    ///
    /// # Soundness
    /// The block that is agreed on may be one or two older than one that a slow endpoint has: what it would say is heard a look later.
    pub async fn look(&self) -> Result<Sight, ChainError> {
        self.members.iter().for_each(Member::look);
        let heads = self.some_heads().await;
        let common = self.common(&heads).await;
        let outrun = |member: &Member| member.slow() == Some(Slow::Outrun);
        let is_agreed = common.as_ref().is_ok_and(|common| common.agreed().is_some());
        if is_agreed || !self.members.iter().any(outrun) {
            return Ok(Sight { heads, common: common? });
        }
        let asked = self
            .members
            .iter()
            .map(|member| async { if outrun(member) { Some(self.head(member).await) } else { None } });
        let told = heads.each.into_iter().zip(join_all(asked).await);
        let heads = Heads::new(told.map(|(seen, other)| other.unwrap_or((seen.endpoint, seen.head))).collect());
        let common = self.common(&heads).await?;
        Ok(Sight { heads, common })
    }

    /// The block of a number that as many have as must agree, and who has it.
    async fn known_at(&self, number: u64, answered: &[(usize, Header)]) -> Option<(Header, Vec<usize>)> {
        let asked: Vec<(usize, Header)> = answered.iter().filter(|(_, head)| head.number >= number).copied().collect();
        let questions = asked.iter().map(|(at, head)| async move {
            if head.number == number {
                return Some(*head);
            }
            let member = self.members.get(*at)?;
            let lower = answered.iter().find(|(_, lower)| lower.number == number && member.has_said(lower));
            if let Some((_, lower)) = lower {
                return Some(*lower);
            }
            let asked = timeout(HEAD, member.endpoint.header_by_number(number)).await;
            asked.inspect_err(|_| member.was(Slow::Late)).ok()?.ok()?
        });
        let knowing = |told: &[Option<Option<Header>>], header: &Header| -> Vec<usize> {
            let places = asked.iter().zip(told).filter(|(_, told)| told.flatten().as_ref() == Some(header));
            places.map(|((at, _), _)| *at).collect()
        };
        let best = |told: &[Option<Option<Header>>]| {
            let headers = told.iter().copied().flatten().flatten();
            let best = headers.map(|header| (header, knowing(told, &header))).max_by_key(|(_, knowing)| knowing.len());
            best.filter(|(_, knowing)| knowing.len() >= self.needed)
        };
        let told = gather(&mut numbered(questions.collect()), |told| best(told).is_some()).await;
        for ((at, _), _) in asked.iter().zip(&told).filter(|(_, told)| told.is_none()) {
            self.outrun(*at);
        }
        best(&told)
    }
}

/// The place of the first of `needed` heads that stand close together; `numbers` fall. One that is alone far ahead of them does not count.
fn together(numbers: &[u64], needed: usize) -> Option<usize> {
    numbers.windows(needed).position(|group| match group {
        [first, .., last] => first - last <= MAX_LAG,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_head_far_ahead_keeps_nobody_from_agreeing() {
        let liar = 1_000_000_000;
        assert_eq!(together(&[liar, 100, 99], 2), Some(1));
        assert_eq!(together(&[100, 99, 3], 2), Some(0));
        assert_eq!(together(&[100 + MAX_LAG, 100], 2), Some(0));
        assert_eq!(together(&[101 + MAX_LAG, 100], 2), None, "nobody knows which of two is wrong");
        assert_eq!(together(&[7], 1), Some(0));
    }
}
