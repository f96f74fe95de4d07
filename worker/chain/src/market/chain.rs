//! What a chain must have for the market's times to be what the terms say (`docs/chains.md`).

use alloy::primitives::address;

use crate::{Address, ChainError, Client, LOCAL_CHAIN, U256};

/// Contract that answers with the hashes of the last 8191 blocks (EIP-2935).
const HISTORY: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");
/// Blocks that one node of an address may lack beside another.
const LAG: u64 = 16;
/// Returns the number of the block: NUMBER, MSTORE at 0, RETURN of 32 bytes.
const NUMBER: [u8; 8] = [0x43, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, 0x00];

/// Refuses a chain on which the market's draws would not be what they are meant to be.
///
/// The market counts blocks: 8 from a close to the hash that draws, 16 until a secret or a take counts. Where `block.number` is that
/// of another chain, these are other times, and their hashes another chain's. Where no contract keeps hashes for 8191 blocks, a draw
/// that nobody makes within 256 blocks is lost, and the whole batch is due. The local chain has the last 256 hashes only, which is
/// enough to try things out.
///
/// # Errors
/// [`ChainError::ForeignBlocks`], [`ChainError::NoHistory`]; if the node does not answer.
pub async fn check_chain(client: &Client) -> Result<(), ChainError> {
    let before = client.block().await?;
    let number = U256::try_from_be_slice(&client.run(&NUMBER).await?).unwrap_or(U256::MAX);
    let after = client.block().await?;
    // A node runs a call in its newest block, or in the next one; the nodes of one address may be some blocks apart.
    if number < U256::from(before.saturating_sub(LAG)) || number > U256::from(after) + U256::from(1) {
        return Err(ChainError::ForeignBlocks { chain: client.id(), number, head: after });
    }
    if client.id() != LOCAL_CHAIN && client.code_hash(HISTORY).await?.is_zero() {
        return Err(ChainError::NoHistory { chain: client.id(), contract: HISTORY });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;
    use alloy::providers::mock::Asserter;

    use super::*;

    /// What is said of a chain with this id, head, number in a call, and code of the contract of hashes.
    async fn said(id: u64, head: u64, number: u64, history: &'static [u8]) -> Result<(), String> {
        let node = Asserter::new();
        node.push_success(&head);
        node.push_success(&Bytes::copy_from_slice(&U256::from(number).to_be_bytes::<32>()));
        node.push_success(&head);
        node.push_success(&Bytes::from_static(history));
        check_chain(&Client::of_answers(node, id)).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_chain_counts_its_own_blocks_and_keeps_their_hashes() {
        for number in [884, 900, 901] {
            assert_eq!(said(10, 900, number, b"code").await, Ok(()), "{number}");
        }
        for number in [0, 883, 902] {
            let error = said(10, 900, number, b"code").await.expect_err("blocks of another chain");
            assert!(error.contains(&format!("block.number is {number} and its head 900")), "{error}");
        }
        let error = said(10, 900, 900, b"").await.expect_err("no hashes");
        assert!(error.contains("EIP-2935"), "{error}");
        assert_eq!(said(LOCAL_CHAIN, 900, 900, b"").await, Ok(()), "the local chain");
    }
}
