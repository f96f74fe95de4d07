//! What somebody does before it trades: its node's entry, its stake.

use alloy::signers::Signer;

use super::{ComputeToken, Deployment, NodeRegistry, StakeVault};
use crate::{Address, B256, ChainError, Client, PrivateKeySigner, Reader, U256};

/// Roles of the owner of a node, as bits.
pub mod roles {
    /// Trains and proves.
    pub const PROVIDER: u8 = 1;
    /// Decides complaints.
    pub const VALIDATOR: u8 = 2;
    /// Posts jobs.
    pub const REQUESTER: u8 = 4;
    /// Has data sets.
    pub const DATA_OWNER: u8 = 8;
}

/// A node, as its owner enters it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The node's own key.
    pub peer: &'a PrivateKeySigner,
    /// A key that may act for the owner where no money leaves, or zero.
    pub hot: Address,
    /// What its owner does: bits of [`roles`].
    pub roles: u8,
    /// Key that others encrypt to.
    pub encryption_key: B256,
    /// Where it is reached.
    pub addresses: &'a str,
}

/// Enters a node of the client's account.
///
/// # Errors
/// The register refuses, or the node of the chain does.
pub async fn register(client: &Client, deployment: &Deployment, node: &Node<'_>) -> Result<(), ChainError> {
    let call = registration(client, deployment, client.sender(), node).await?;
    client.send(deployment.nodes.address, &call).await?;
    Ok(())
}

/// The call by which `owner` enters a node, with the node's consent.
///
/// # Errors
/// The node of the chain does not answer, or the node's key does not sign.
pub async fn registration(
    client: &Client,
    deployment: &Deployment,
    owner: Address,
    node: &Node<'_>,
) -> Result<NodeRegistry::registerCall, ChainError> {
    let peer = node.peer.address();
    let digest = NodeRegistry::registrationDigestCall { peer, owner };
    let digest = client.call(deployment.nodes.address, &digest).await?;
    let signature = node.peer.sign_hash(&digest).await.map_err(|error| ChainError::Signer(error.to_string()))?;
    Ok(NodeRegistry::registerCall {
        peer,
        hot: node.hot,
        roles: node.roles,
        encryptionKey: node.encryption_key,
        addresses: node.addresses.to_owned(),
        signature: signature.as_bytes().to_vec().into(),
    })
}

/// The stake of an account that no bond holds and that backs no job: what the vault locks for it, or lets it back another job with.
///
/// # Units
/// The smallest unit of the token.
///
/// # Errors
/// The vault is not there, or nobody answers for it.
pub async fn free_stake<R: Reader>(reader: &R, vault: Address, owner: Address) -> Result<U256, ChainError> {
    let held = reader.ask(vault, &StakeVault::freeCall { owner }).await?;
    Ok(held.saturating_sub(reader.ask(vault, &StakeVault::backingCall { owner }).await?))
}

/// Puts tokens of the client's account into the vault.
///
/// # Units
/// `amount` in the smallest unit of the token.
///
/// # Errors
/// The account lacks the tokens, or the node of the chain refuses.
pub async fn stake(client: &Client, deployment: &Deployment, amount: U256) -> Result<(), ChainError> {
    let vault = deployment.vault.address;
    let token = deployment.token.address;
    let held = client.call(token, &ComputeToken::allowanceCall { owner: client.sender(), spender: vault }).await?;
    let approve = |value| ComputeToken::approveCall { spender: vault, value };
    if held < amount {
        // Some tokens refuse to change an allowance that is not zero.
        if !held.is_zero() {
            client.send(token, &approve(U256::ZERO)).await?;
        }
        client.send(token, &approve(amount)).await?;
    }
    let permit = StakeVault::Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
    client.send(vault, &StakeVault::depositCall { amount, permit }).await?;
    Ok(())
}
