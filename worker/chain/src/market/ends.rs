//! How the jobs of an account ended, one after the other, as the market reported each to the register.

use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;

use super::Deployment;
use super::NodeRegistry::Recorded;
use crate::{Address, ChainError, Client};

/// Blocks whose events are asked for at once: what public nodes answer.
const SPAN: u64 = 1000;

/// The ends of an account's jobs from the market's first block to the newest one, the oldest first: of those that it posted, and of those that
/// it had as a provider.
///
/// # Errors
/// The node does not answer.
///
/// # Soundness
/// A node may leave some out: the register's counters say how many there are.
pub async fn ends_of(client: &Client, deployment: &Deployment, owner: Address) -> Result<Vec<Recorded>, ChainError> {
    let (register, market, head) = (deployment.nodes.address, deployment.market.address, client.block().await?);
    let topics = Filter::new().address(register).event_signature(Recorded::SIGNATURE_HASH);
    let topics = topics.topic1(market.into_word()).topic2(owner.into_word());
    let (mut ends, mut from) = (Vec::new(), deployment.block);
    while from <= head {
        let until = from.saturating_add(SPAN - 1).min(head);
        for log in client.logs(&topics.clone().from_block(from).to_block(until)).await? {
            let event = Recorded::decode_log(&log.inner).map(|event| event.data);
            // Whatever else it tells was not asked for.
            let is_meant = |event: &Recorded| (event.reporter, event.owner) == (market, owner);
            ends.extend(event.ok().filter(|event| log.address() == register && is_meant(event)));
        }
        from = until.saturating_add(1);
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::LogData;
    use alloy::providers::mock::Asserter;

    use super::*;
    use crate::market::{CompilerUsed, Contract, VERSION};
    use crate::{B256, Log, U256};

    fn deployment() -> Deployment {
        let contract =
            |byte| Contract { address: Address::repeat_byte(byte), code_hash: B256::ZERO, transaction: B256::ZERO };
        let none = serde_json::Value::Null;
        Deployment {
            version: VERSION,
            chain: 1,
            block: 5,
            compiler: CompilerUsed { version: String::new(), market: none.clone(), verifiers: none },
            token: contract(0),
            decimals: 18,
            nodes: contract(1),
            datasets: contract(0),
            market: contract(2),
            vault: contract(0),
            libraries: BTreeMap::new(),
            verifiers: vec![],
        }
    }

    fn log(address: u8, reporter: u8, owner: u8, count: u64) -> Log {
        let [reporter, owner] = [reporter, owner].map(Address::repeat_byte);
        let (count, amount) = (U256::from(count), U256::ZERO);
        let event = Recorded { reporter, owner, outcome: 5, count, amount, counterparty: Address::ZERO };
        let inner = alloy::primitives::Log { address: Address::repeat_byte(address), data: LogData::from(&event) };
        Log { inner, block_hash: Some(B256::ZERO), ..Log::default() }
    }

    #[tokio::test]
    async fn all_ends_of_an_account_are_read_and_none_that_is_foreign() {
        let node = Asserter::new();
        node.push_success(&(5 + 2 * SPAN));
        node.push_success(&vec![log(1, 2, 3, 1), log(1, 2, 4, 7), log(1, 9, 3, 7), log(9, 2, 3, 7)]);
        node.push_success(&Vec::<Log>::new());
        node.push_success(&vec![log(1, 2, 3, 2)]);
        let ends = ends_of(&Client::of_answers(node, 1), &deployment(), Address::repeat_byte(3)).await;
        let counts: Vec<u64> = ends.expect("the node answers").iter().map(|end| end.count.to()).collect();
        assert_eq!(counts, [1, 2], "three spans, the last of one block");
    }
}
