//! What must be so when a simulation ends, whatever went wrong in it.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, address};
use gradproof_chain::SolEvent;
use gradproof_chain::market::StakeVault::{bondedCall, freeCall, owedCall as vaultOwedCall};
use gradproof_chain::market::TrainingMarket::{
    Acknowledged, Claimed, Closed, HandedBack, Settled, claimsOfCall, jobOfCall, owedCall, termsOfCall,
};
use gradproof_chain::market::{ComputeToken, SUPPLY_TOKENS, StakeVault, State};

use crate::ledger::tokens;
use crate::party::Party;
use crate::plan::Nature;
use crate::stage::Stage;
use crate::world::World;

/// Where burnt tokens go.
const BURNT: Address = address!("000000000000000000000000000000000000dEaD");

/// Finds the rules that were broken.
pub fn check(world: &World) {
    ends(world);
    let mut stage = world.stage();
    adds_up(world, &mut stage);
    events(world, &mut stage);
}

/// The job ends; and where all are honest, it is completed.
fn ends(world: &World) {
    let over = world.is_over();
    let mut stage = world.stage();
    let (market, call) = (stage.market(), jobOfCall { id: world.job });
    let state = State::of(stage.ledger.view(market, &call).state);
    // Whoever posted it may take it back, and nobody else may before its time.
    let waits = state == Some(State::Open) && !world.parties[0].is_honest();
    // Who stands still is ended by the requester: one that is gone for good, with the data, ends nothing.
    let stands = state == Some(State::Running) && matches!(world.parties[0].nature, Nature::Gone(_));
    if !over && !waits && !stands {
        let waiting = stage.ledger.waiting().to_vec();
        for pooled in waiting {
            stage.say(format!("waits: nonce {} of {}", pooled.nonce, pooled.sender));
        }
        stage.breaks(format!("the job does not end: it is {state:?}"));
    }
    let honest = world.parties.iter().all(Party::is_honest);
    if over && honest && !matches!(state, Some(State::None | State::Completed)) {
        stage.breaks(format!("all are honest, and the job is {state:?}"));
    }
}

/// All tokens are somewhere, to the unit.
fn adds_up(world: &World, stage: &mut Stage) {
    let deployment = &world.founded.deployment;
    let (token, market, vault) = (deployment.token.address, deployment.market.address, deployment.vault.address);
    let ledger = &mut stage.ledger;
    let mut held = |account| ledger.view(token, &ComputeToken::balanceOfCall { account });
    let owners: Vec<Address> = world.founded.accounts.iter().map(|accounts| accounts.owner()).collect();
    let (in_market, in_vault) = (held(market), held(vault));
    let with_owners: U256 = owners.iter().map(|owner| held(*owner)).sum();
    let rest = held(BURNT) + held(world.founded.founder);
    let job = ledger.view(market, &jobOfCall { id: world.job });
    let (mut owed, mut staked) = (U256::from(job.escrow), U256::ZERO);
    for account in owners.iter().copied().chain([BURNT]) {
        owed += ledger.view(market, &owedCall { account });
        staked += ledger.view(vault, &vaultOwedCall { account });
        staked += ledger.view(vault, &freeCall { owner: account });
        staked += ledger.view(vault, &bondedCall { bond: world.job, owner: account });
    }
    let all = with_owners + in_market + in_vault + rest;
    if all != tokens(SUPPLY_TOKENS) {
        stage.breaks(format!("tokens in all are {all}"));
    }
    if (owed, staked) != (in_market, in_vault) {
        stage.breaks(format!("the market owes {owed} and has {in_market}, the vault {staked} and {in_vault}"));
    }
}

/// What events say: who lost, who claimed, who acknowledged, who was paid.
fn events(world: &World, stage: &mut Stage) {
    let (market, id) = (stage.market(), world.job);
    let complain = u64::from(stage.ledger.view(market, &termsOfCall { id }).times.complainSecs);
    let honest: BTreeSet<Address> =
        world.parties.iter().filter(|party| party.is_honest()).map(Party::account).collect();
    let pays_honestly = honest.contains(&world.parties[0].account());
    let (mut closed, mut acknowledged) = (BTreeMap::<U256, (u64, U256)>::new(), BTreeSet::new());
    for block in stage.ledger.chain().to_vec() {
        let time = block.header.time;
        let handed_back: BTreeMap<Option<B256>, HandedBack> = block
            .logs
            .iter()
            .filter_map(|log| Some((log.transaction_hash, HandedBack::decode_log(&log.inner).ok()?.data)))
            .collect();
        for log in &block.logs {
            if let Ok(taken) = StakeVault::Taken::decode_log(&log.inner) {
                let fee = handed_back.get(&log.transaction_hash).is_some_and(|back| back.burnt == taken.amount);
                let withheld = fee && !pays_honestly;
                if honest.contains(&taken.owner) && !taken.amount.is_zero() && !withheld {
                    let (owner, amount) = (taken.owner, taken.amount);
                    stage.breaks(format!("an honest provider lost {amount} of its bond: {owner}"));
                }
            } else if let Ok(claim) = Claimed::decode_log(&log.inner) {
                let owner = stage.ledger.view_at(&block, market, &jobOfCall { id }).owner;
                let first = claim.from.to::<u64>() + 1;
                let mut ends = (first..).zip(&claim.lasts);
                if honest.contains(&owner) && !ends.all(|(end, last)| stage.computed.contains(&(owner, end, *last))) {
                    stage.breaks(format!("{owner} claimed what it did not compute, from segment {}", claim.from));
                }
            } else if let Ok(event) = Closed::decode_log(&log.inner) {
                closed.insert(event.batch, (time, event.end));
            } else if let Ok(event) = Acknowledged::decode_log(&log.inner) {
                let end = closed.get(&event.batch).map_or(U256::ZERO, |(_, end)| *end);
                let claims = claimsOfCall { id, from: end - U256::from(1), count: U256::from(1) };
                let last = stage.ledger.view_at(&block, market, &claims).first().copied().unwrap_or_default();
                let batch = event.batch.to::<u64>();
                acknowledged.insert(event.batch);
                if pays_honestly && !stage.opened.contains(&(batch, last)) {
                    stage.breaks(format!("the requester acknowledged what it does not have: batch {batch}"));
                }
            } else if let Ok(event) = Settled::decode_log(&log.inner) {
                let silence = closed.get(&event.batch).is_some_and(|(since, _)| time > since + complain);
                if !acknowledged.contains(&event.batch) && !silence {
                    stage.breaks(format!("batch {} is paid before its time, without a word", event.batch));
                }
            }
        }
    }
}
