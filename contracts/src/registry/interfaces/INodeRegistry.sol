// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice A machine of an owner.
struct Node {
    address owner;
    /// Key that may act for the owner in running jobs; it cannot accept jobs or move stake. Zero for none.
    address hot;
    /// Bits: 1 provider, 2 validator, 4 requester, 8 data owner.
    uint8 roles;
    /// Key to which data and weights are encrypted (X25519).
    bytes32 encryptionKey;
    /// Addresses at which the machine listens, at most 512 bytes.
    string addresses;
}

/// @title Who takes part, with which keys, and where they are reached.
/// @notice A node is known by the address of its peer key (secp256k1), which signs (chain, registry, owner, nonce): nobody can
/// register another's key. An owner may have several nodes. Keys are rotated by registering a new node and removing the
/// old one; running jobs name the owner, so nothing changes for them.
///
/// Assumptions: signatures of secp256k1 are unforgeable; the peer key's holder signs only for the owner it works for.
interface INodeRegistry {
    /// @notice A node was registered, or its entry changed.
    /// @param peer Address of the peer key.
    /// @param owner Whose it is.
    /// @param hot Key that acts for the owner in running jobs, or zero.
    /// @param roles Bits: 1 provider, 2 validator, 4 requester, 8 data owner.
    /// @param encryptionKey Key to which data and weights are encrypted.
    /// @param addresses Where the node listens.
    event NodeRegistered(
        address indexed peer, address indexed owner, address hot, uint8 roles, bytes32 encryptionKey, string addresses
    );
    /// @notice A node was removed by its owner.
    /// @param peer Address of the peer key.
    /// @param owner Whose it is.
    event NodeRemoved(address indexed peer, address indexed owner);
    /// @notice A contract reported how a job of `owner` ended.
    /// @param reporter Who reported it.
    /// @param owner Whose it is.
    /// @param outcome What is counted.
    /// @param count How often so far.
    /// @param amount What was paid.
    /// @param counterparty Who was on the other side, or zero.
    event Recorded(
        address indexed reporter,
        address indexed owner,
        uint8 outcome,
        uint256 count,
        uint256 amount,
        address indexed counterparty
    );

    /// @notice The peer key did not sign this registration.
    error BadPeerSignature();
    /// @notice The node belongs to another owner.
    /// @param peer Address of the peer key.
    /// @param owner Who has it.
    error NodeTaken(address peer, address owner);
    /// @notice The caller has no such node.
    /// @param peer Address of the peer key.
    error NotNodeOwner(address peer);
    /// @notice Roles must be 1 to 15.
    /// @param roles Bits: 1 provider, 2 validator, 4 requester, 8 data owner.
    error BadRoles(uint8 roles);
    /// @notice The addresses are longer than 512 bytes.
    /// @param length Bytes given.
    error AddressesTooLong(uint256 length);

    /// @notice Registers a node of the caller, or changes its entry.
    /// @param peer Address of the peer key.
    /// @param hot Key that may act for the caller in running jobs, or zero.
    /// @param roles Bits: 1 provider, 2 validator, 4 requester, 8 data owner.
    /// @param encryptionKey Key to which data and weights are encrypted.
    /// @param addresses Where the node listens.
    /// @param signature Of the peer key over `registrationDigest(peer, caller)`.
    function register(
        address peer,
        address hot,
        uint8 roles,
        bytes32 encryptionKey,
        string calldata addresses,
        bytes calldata signature
    ) external;

    /// @notice Removes a node of the caller.
    /// @param peer Address of the peer key.
    function remove(address peer) external;

    /// @notice Counts an outcome of `owner` under the caller. Anyone may count anything under its own name: readers choose the
    /// reporter they trust. Counters gate nothing, because one can trade with oneself.
    /// @param owner Whose outcome it is.
    /// @param outcome What is counted.
    /// @param amount What was paid.
    /// @param counterparty Who was on the other side, or zero.
    function record(address owner, uint8 outcome, uint256 amount, address counterparty) external;

    /// @notice Outcomes that `reporter` counted for `owner`.
    /// @param reporter Who counted.
    /// @param owner Whose it is.
    /// @param outcome What is counted.
    /// @return How many.
    function outcomes(address reporter, address owner, uint8 outcome) external view returns (uint256);

    /// @notice What was paid in outcomes that `reporter` counted for `owner`.
    /// @param reporter Who counted.
    /// @param owner Whose it is.
    /// @param outcome What is counted.
    /// @return How much.
    function amounts(address reporter, address owner, uint8 outcome) external view returns (uint256);

    /// @notice The node of a peer key; the owner is zero if there is none.
    /// @param peer Address of the peer key.
    /// @return The node.
    function node(address peer) external view returns (Node memory);

    /// @notice Whether the owner's nodes have, together, all the bits of `roles`.
    /// @param owner Whose it is.
    /// @param roles Bits: 1 provider, 2 validator, 4 requester, 8 data owner.
    /// @return Whether it has one.
    function hasRole(address owner, uint8 roles) external view returns (bool);

    /// @notice Whether `key` is the owner or a hot key of one of its nodes.
    /// @param key The key.
    /// @param owner Whose it is.
    /// @return Whether it is.
    function actsFor(address key, address owner) external view returns (bool);

    /// @notice What the peer key signs to belong to `owner`.
    /// @param peer Address of the peer key.
    /// @param owner Whose it is.
    /// @return The EIP-712 digest.
    function registrationDigest(address peer, address owner) external view returns (bytes32);
}
