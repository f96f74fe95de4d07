// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {INodeRegistry, Node} from "./interfaces/INodeRegistry.sol";
import {Roles} from "./Roles.sol";

/// @title The register of nodes: see `INodeRegistry`.
contract NodeRegistry is INodeRegistry, EIP712 {
    bytes32 private constant REGISTRATION = keccak256("Registration(address peer,address owner,uint256 nonce)");
    uint256 private constant MAX_ADDRESSES_BYTES = 512;

    mapping(address peer => Node) private nodes;
    mapping(address peer => uint256) private nonces;
    /// Nodes of an owner that have a role.
    mapping(address owner => mapping(uint8 role => uint256)) private withRole;
    mapping(address owner => mapping(address hot => uint256)) private hotKeys;
    /// @inheritdoc INodeRegistry
    mapping(address reporter => mapping(address owner => mapping(uint8 outcome => uint256))) public outcomes;
    /// @inheritdoc INodeRegistry
    mapping(address reporter => mapping(address owner => mapping(uint8 outcome => uint256))) public amounts;

    constructor() EIP712("gradproof nodes", "1") {}

    /// @inheritdoc INodeRegistry
    function register(
        address peer,
        address hot,
        uint8 roles,
        bytes32 encryptionKey,
        string calldata addresses,
        bytes calldata signature
    ) external {
        if (roles == 0 || roles > Roles.ALL) revert BadRoles(roles);
        if (bytes(addresses).length > MAX_ADDRESSES_BYTES) revert AddressesTooLong(bytes(addresses).length);
        Node storage entry = nodes[peer];
        if (entry.owner != address(0) && entry.owner != msg.sender) revert NodeTaken(peer, entry.owner);
        (address signer, ECDSA.RecoverError fault,) =
            ECDSA.tryRecoverCalldata(registrationDigest(peer, msg.sender), signature);
        if (fault != ECDSA.RecoverError.NoError || signer != peer) revert BadPeerSignature();
        ++nonces[peer];
        if (entry.owner != address(0)) forget(entry);
        nodes[peer] = Node(msg.sender, hot, roles, encryptionKey, addresses);
        for (uint8 i = 0; i < Roles.COUNT; ++i) {
            if (roles >> i & 1 == 1) ++withRole[msg.sender][i];
        }
        ++hotKeys[msg.sender][hot];
        emit NodeRegistered(peer, msg.sender, hot, roles, encryptionKey, addresses);
    }

    /// @inheritdoc INodeRegistry
    function remove(address peer) external {
        Node storage entry = nodes[peer];
        if (entry.owner != msg.sender) revert NotNodeOwner(peer);
        forget(entry);
        delete nodes[peer];
        emit NodeRemoved(peer, msg.sender);
    }

    /// @inheritdoc INodeRegistry
    function record(address owner, uint8 outcome, uint256 amount, address counterparty) external {
        uint256 count = ++outcomes[msg.sender][owner][outcome];
        if (amount != 0) amounts[msg.sender][owner][outcome] += amount;
        emit Recorded(msg.sender, owner, outcome, count, amount, counterparty);
    }

    /// @inheritdoc INodeRegistry
    function node(address peer) external view returns (Node memory) {
        return nodes[peer];
    }

    /// @inheritdoc INodeRegistry
    function hasRole(address owner, uint8 roles) external view returns (bool) {
        for (uint8 i = 0; i < Roles.COUNT; ++i) {
            if (roles >> i & 1 == 1 && withRole[owner][i] == 0) return false;
        }
        return true;
    }

    /// @inheritdoc INodeRegistry
    function actsFor(address key, address owner) external view returns (bool) {
        return key == owner || (key != address(0) && hotKeys[owner][key] > 0);
    }

    /// @inheritdoc INodeRegistry
    function registrationDigest(address peer, address owner) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REGISTRATION, peer, owner, nonces[peer])));
    }

    function forget(Node storage entry) private {
        for (uint8 i = 0; i < Roles.COUNT; ++i) {
            if (entry.roles >> i & 1 == 1) --withRole[entry.owner][i];
        }
        --hotKeys[entry.owner][entry.hot];
    }
}
