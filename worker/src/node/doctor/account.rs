//! The account and the hot key: gas, tokens, stake, and the entry in the register.

use eyre::Result;
use gradproof_chain::market::{ComputeToken, NodeRegistry, TrainingMarket};
use gradproof_chain::{Address, Chain, Endpoint, Fees, HttpEndpoint, U256};
use gradproof_node::facts::Role;
use gradproof_node::home::Accounts;

use super::finding::Finding;
use crate::node::options::Opened;
use crate::node::register::Wanted;

/// The dearest call of the market, in gas, rounded up: 64 claims at once.
const CALL_GAS: u64 = 1_600_000;
/// Calls that a key should be able to pay for: a job of 60 segments, each proven, has about as many.
const CALLS: u64 = 64;

/// All about account and hot key.
pub(super) fn all(opened: &Opened, accounts: &Accounts, chain: &Chain) -> Result<Vec<Finding>> {
    let owner = accounts.owner();
    let mut findings = gas(opened, &[("account", owner), ("hot key", accounts.hot.address())], chain);
    findings.push(tokens(opened, owner, chain)?);
    findings.push(entry(opened, accounts, chain)?);
    Ok(findings)
}

/// Whether the keys can pay for gas, at the price of now.
fn gas(opened: &Opened, keys: &[(&str, Address)], chain: &Chain) -> Vec<Finding> {
    let asked = |url: &String| {
        chain.wait(async {
            let endpoint = HttpEndpoint::new(url)?;
            let (head, tip) = (endpoint.head().await?, endpoint.tip().await?);
            let fees = Fees { base: head.base, tip };
            let mut held = Vec::new();
            for (_, key) in keys {
                held.push(endpoint.balance(*key, head.hash).await?);
            }
            Ok::<_, gradproof_chain::ChainError>((fees, held))
        })
    };
    let Some((fees, held)) = opened.config.endpoints.iter().find_map(|url| asked(url).ok()) else {
        return vec![Finding::bad("gas", "no endpoint says what the keys have", "use others that answer")];
    };
    keys.iter().zip(held).map(|((name, key), held)| enough(&format!("gas of the {name} {key}"), held, fees)).collect()
}

/// Whether what a key has is enough for its calls.
fn enough(what: &str, held: U256, Fees { base, tip }: Fees) -> Finding {
    // The base fee can double within some blocks.
    let price = U256::from(base) * U256::from(2) + U256::from(tip);
    let call = price * U256::from(CALL_GAS);
    let calls = held.checked_div(call).unwrap_or(U256::MAX);
    let remedy = format!("send it {} wei or more", call * U256::from(CALLS));
    if held.is_zero() || calls.is_zero() {
        return Finding::bad(what, format!("{held} wei, which pay for no call"), remedy).costs();
    }
    if calls < U256::from(CALLS) {
        return Finding::note(what, format!("{held} wei, which pay for {calls} calls at the price of now"), remedy);
    }
    Finding::good(what, format!("{held} wei"))
}

/// What a provider can lock as bonds and a validator back jobs with, or a requester can pay with.
fn tokens(opened: &Opened, owner: Address, chain: &Chain) -> Result<Finding> {
    let deployment = &opened.deployment;
    let words = |amount| deployment.tokens(amount);
    Ok(match opened.config.role {
        Role::Provider | Role::Validator => {
            let free = opened.free_stake(chain, owner)?;
            if free.is_zero() {
                let remedy = match opened.config.role {
                    Role::Validator => {
                        "`node stake` puts tokens into the vault; until then, or until stake is free again, it sits in no other committee"
                    }
                    _ => {
                        "`node stake` puts tokens into the vault; until then, or until a bond is free again, no job is taken"
                    }
                };
                Finding::note("stake", "none is free", remedy)
            } else {
                Finding::good("stake", format!("{} tokens are free", words(free)))
            }
        }
        Role::DataOwner => {
            let market = deployment.market.address;
            let owed = chain.call(market, &TrainingMarket::owedCall { account: owner })?;
            Finding::good("earnings", format!("{} tokens are owed to it; `node withdraw` takes them", words(owed)))
        }
        Role::Requester => {
            let (token, spender) = (deployment.token.address, deployment.market.address);
            let held = chain.call(token, &ComputeToken::balanceOfCall { account: owner })?;
            let allowed = chain.call(token, &ComputeToken::allowanceCall { owner, spender })?;
            let said = format!("{} tokens, of which the market may take {}", words(held), words(allowed.min(held)));
            if held.is_zero() {
                Finding::note(
                    "tokens",
                    said,
                    "send the account what a job is to cost; `requester post` allows the market to take it",
                )
            } else {
                Finding::good("tokens", said)
            }
        }
    })
}

/// Whether the register says of the node what its folder says.
fn entry(opened: &Opened, accounts: &Accounts, chain: &Chain) -> Result<Finding> {
    let what = "register";
    let wanted = match Wanted::of(opened, accounts.hot.address()) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Finding::bad("addresses", error.to_string(), "then `node register`").costs()),
    };
    let call = NodeRegistry::nodeCall { peer: wanted.peer.address() };
    let held = chain.call(opened.deployment.nodes.address, &call)?;
    if held.owner.is_zero() {
        return Ok(
            Finding::bad(what, "the node is not in it, and nobody finds it", "`node register` enters it").costs()
        );
    }
    Ok(match wanted.differs(&held, accounts.owner()) {
        None => Finding::good(what, format!("the node stands there as {}", wanted.peer.address())),
        // Others try where it was, and it can still reach them.
        Some(part @ "the addresses") => Finding::bad(
            what,
            format!("{part} of the node are others there: {}", held.addresses),
            "`node register` changes them",
        ),
        Some(part) => {
            Finding::bad(what, format!("{part} of the node is another one there"), "`node register` changes it").costs()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::doctor::finding::Grade;

    #[test]
    fn a_key_that_pays_for_no_call_costs_money_and_one_that_pays_for_few_is_said() {
        let fees = Fees { base: 10, tip: 5 };
        let call = 25 * u128::from(CALL_GAS);
        let said = |held: u128| {
            let Finding { grade, costs, .. } = enough("gas", U256::from(held), fees);
            (grade, costs)
        };
        assert_eq!(said(0), (Grade::Bad, true));
        assert_eq!(said(call - 1), (Grade::Bad, true));
        assert_eq!(said(call), (Grade::Note, false));
        assert_eq!(said(64 * call - 1), (Grade::Note, false));
        assert_eq!(said(64 * call), (Grade::Good, false));
        let free = Fees { base: 0, tip: 0 };
        assert_eq!(enough("gas", U256::ZERO, free).grade, Grade::Bad, "nothing is nothing, whatever gas costs");
        assert_eq!(enough("gas", U256::from(1), free).grade, Grade::Good);
    }
}
