//! The team of a job: the seats that its lead gave, and the claims that members took to prove; and what a lead signs for a seat (EIP-712).

use std::collections::BTreeMap;

use alloy::primitives::keccak256;
use alloy::sol_types::SolValue;
use futures::future::try_join_all;

use super::offer::typed;
use super::{JobSnapshot, State, TrainingMarket};
use crate::{Address, B256, ChainError, Reader, U256};

/// What a signed seat says: `Typed.sol`.
const SEAT: &str = "Seat(bytes32 job,address member,uint128 pay,uint128 bond,uint256 nonce,uint256 expiry)";
/// Most members of a team beside the lead: `SEATS` of `contracts/src/market/Bounds.sol`.
pub const MAX_SEATS: u8 = 15;
/// Claims that a member may have taken at once: `TAKES`.
pub const MAX_TAKES: usize = 4;

/// What the market holds of a job's team, at the moment of its [`JobSnapshot`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamSnapshot {
    /// The seats by their numbers, of which the first is 1.
    pub seats: Vec<TrainingMarket::Seat>,
    /// The batch that is being filled, where something of it is claimed.
    pub filling: Option<TrainingMarket::BatchView>,
    /// The claims from the first segment that is not settled to the last one that is claimed.
    pub claims: Vec<B256>,
    /// The takes of claims that are not proven, by their segments.
    pub takes: BTreeMap<u64, TrainingMarket::Take>,
}

impl TeamSnapshot {
    /// Asks the market for the team of a job, as it was at the block of `reader`; `None` where nobody ever joined. Claims and takes are asked
    /// for where `me` is its lead or a member.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn of<R: Reader>(
        reader: &R,
        market: Address,
        id: B256,
        job: &JobSnapshot,
        me: Address,
    ) -> Result<Option<Self>, ChainError> {
        let TrainingMarket::Job { seats, total, claimed, closed, settled, .. } = job.job;
        if seats == 0 {
            return Ok(None);
        }
        let mut team = Self { seats: seats_of(reader, market, id, seats).await?, ..Self::default() };
        let is_in = job.job.owner == me || team.owners().any(|owner| owner == me);
        let has_taken = team.seats.iter().any(|seat| seat.owner == me && seat.open > 0);
        if !is_in || job.state() != Some(State::Running) && !has_taken {
            return Ok(Some(team));
        }
        if claimed > settled {
            let call =
                TrainingMarket::claimsOfCall { id, from: U256::from(settled), count: U256::from(claimed - settled) };
            team.claims = reader.ask(market, &call).await?;
        }
        let every = u16::from(job.terms.batches.deliverEvery).max(1);
        let batch_of = |batch: u16| async move {
            reader.ask(market, &TrainingMarket::batchOfCall { id, batch: U256::from(batch) }).await
        };
        if claimed > closed {
            team.filling = Some(batch_of(closed / every).await?);
        }
        // What was taken of a batch that is void waits to be freed: that of the end, or the one after it.
        let end = total.div_ceil(every);
        let is_short = has_taken && u32::from(total) < job.terms.training.segments;
        let void = if is_short { try_join_all((end..=end.saturating_add(1)).map(batch_of)).await? } else { vec![] };
        let records = job.batches.iter().map(|(_, view)| view).chain(&team.filling).chain(&void);
        let taken: Vec<u64> = records.flat_map(|view| bits(view, view.record.taken & !view.record.proven)).collect();
        let take_of = |index: u64| async move {
            let take = reader.ask(market, &TrainingMarket::takeOfCall { id, index: U256::from(index) }).await?;
            Ok::<_, ChainError>((index, take))
        };
        team.takes = try_join_all(taken.into_iter().map(take_of)).await?.into_iter().collect();
        Ok(Some(team))
    }

    /// The number of the seat of an account that it has not given up.
    pub fn seat_of(&self, owner: Address) -> Option<u64> {
        let numbered = (1..).zip(&self.seats);
        numbered.filter(|(_, seat)| seat.owner == owner && !seat.gone).map(|(number, _)| number).next()
    }

    /// The accounts of the members, also of those that gave their seats up.
    pub fn owners(&self) -> impl Iterator<Item = Address> {
        self.seats.iter().map(|seat| seat.owner)
    }
}

/// The first `count` seats of a job's team, as they were at the block of `reader`.
///
/// # Errors
/// The node does not answer.
pub async fn seats_of<R: Reader>(
    reader: &R,
    market: Address,
    id: B256,
    count: u8,
) -> Result<Vec<TrainingMarket::Seat>, ChainError> {
    let seat_of = |number: u8| async move {
        reader.ask(market, &TrainingMarket::seatOfCall { id, number: U256::from(number) }).await
    };
    try_join_all((1..=count).map(seat_of)).await
}

/// The segments of a batch that a mask of it names, ascending.
pub fn bits(view: &TrainingMarket::BatchView, mask: u64) -> impl Iterator<Item = u64> + use<> {
    let from = u64::try_from(view.from).unwrap_or(u64::MAX);
    (0..u64::from(u64::BITS)).filter(move |bit| mask & 1 << bit != 0).map(move |bit| from.saturating_add(bit))
}

/// What a lead's account signs for the seat of a member in a job's team: that of the market's `seatDigest`.
///
/// # Units
/// Amounts in the token's smallest unit; `expiry` in seconds since 1970.
pub fn seat_digest(chain: u64, market: Address, job: B256, member: Address, offer: &TrainingMarket::SeatOffer) -> B256 {
    let TrainingMarket::SeatOffer { pay, bond, nonce, expiry, .. } = offer;
    let fields = (keccak256(SEAT), job, member, U256::from(*pay), U256::from(*bond), *nonce, *expiry);
    typed(chain, market, keccak256(fields.abi_encode()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_seats_have_one_digest() {
        let offer = TrainingMarket::SeatOffer {
            pay: 1,
            bond: 2,
            nonce: U256::from(3),
            expiry: U256::from(4),
            signature: vec![].into(),
        };
        let (job, member, market) = (B256::repeat_byte(5), Address::repeat_byte(6), Address::repeat_byte(7));
        let of = |offer: &TrainingMarket::SeatOffer| seat_digest(1, market, job, member, offer);
        let mut digests = vec![
            of(&offer),
            of(&TrainingMarket::SeatOffer { pay: 2, ..offer.clone() }),
            of(&TrainingMarket::SeatOffer { bond: 1, ..offer.clone() }),
            of(&TrainingMarket::SeatOffer { nonce: U256::from(4), ..offer.clone() }),
            of(&TrainingMarket::SeatOffer { expiry: U256::from(3), ..offer.clone() }),
            seat_digest(2, market, job, member, &offer),
            seat_digest(1, member, job, member, &offer),
            seat_digest(1, market, B256::ZERO, member, &offer),
            seat_digest(1, market, job, market, &offer),
        ];
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }
}
