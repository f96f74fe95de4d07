// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ComputeToken} from "../../src/registry/ComputeToken.sol";
import {IDatasetRegistry} from "../../src/registry/interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "../../src/registry/interfaces/INodeRegistry.sol";
import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {Scene} from "../market/Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Nodes, data sets and the token.
contract RegistriesTest is Scene {
    address private newcomer = address(0x4e);
    uint256 private constant PEER_KEY = 0xfee;
    address private peer = vm.addr(PEER_KEY);

    function entry(address hotKey, uint8 roles, string memory where, bytes memory signature)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(nodes.register, (peer, hotKey, roles, bytes32("key"), where, signature));
    }

    function signedFor(address owner) private view returns (bytes memory) {
        return sign(PEER_KEY, nodes.registrationDigest(peer, owner));
    }

    function test_a_node_belongs_to_whom_its_key_names() public {
        bytes memory bad = abi.encodeWithSelector(INodeRegistry.BadPeerSignature.selector);
        bytes memory forRequester = signedFor(newcomer);
        refusesAt(address(nodes), stranger, entry(hot, 1, "", forRequester), bad);
        refusesAt(address(nodes), newcomer, entry(hot, 1, "", "short"), bad);
        NodeRegistry other = new NodeRegistry();
        refusesAt(address(other), newcomer, entry(hot, 1, "", forRequester), bad);
        vm.chainId(9);
        refusesAt(address(nodes), newcomer, entry(hot, 1, "", forRequester), bad);
        vm.chainId(31_337);
        enrol(newcomer, PEER_KEY, hot, 1);
        // A signature serves once.
        refusesAt(address(nodes), newcomer, entry(hot, 1, "", forRequester), bad);
        bytes memory forStranger = signedFor(stranger);
        refusesAt(
            address(nodes),
            stranger,
            entry(hot, 1, "", forStranger),
            abi.encodeWithSelector(INodeRegistry.NodeTaken.selector, peer, newcomer)
        );
        eq(nodes.node(peer).owner, newcomer, "owner");
        // A signature that nobody made is nobody's, who has no node.
        bytes memory nobodys = abi.encodeCall(nodes.register, (address(0), hot, 1, bytes32("key"), "", new bytes(65)));
        refusesAt(address(nodes), newcomer, nobodys, bad);
    }

    function test_entries_are_bounded() public {
        bytes memory signature = signedFor(newcomer);
        bytes4 roles = INodeRegistry.BadRoles.selector;
        refusesAt(address(nodes), newcomer, entry(hot, 0, "", signature), abi.encodeWithSelector(roles, 0));
        refusesAt(address(nodes), newcomer, entry(hot, 16, "", signature), abi.encodeWithSelector(roles, uint256(16)));
        string memory where = string(new bytes(513));
        bytes memory long = abi.encodeWithSelector(INodeRegistry.AddressesTooLong.selector, uint256(513));
        refusesAt(address(nodes), newcomer, entry(hot, 1, where, signature), long);
    }

    function test_keys_rotate_and_several_nodes_live_side_by_side() public {
        yes(!nodes.hasRole(newcomer, 1), "no role");
        enrol(newcomer, PEER_KEY, hot, 1);
        enrol(newcomer, PEER_KEY + 1, hot, 3);
        yes(nodes.hasRole(newcomer, 1) && nodes.hasRole(newcomer, 2) && nodes.hasRole(newcomer, 3), "roles");
        // The entry changes in place: another hot key, another role.
        enrol(newcomer, PEER_KEY, challenger, 2);
        yes(nodes.actsFor(challenger, newcomer) && nodes.actsFor(hot, newcomer), "hot keys");
        refusesAt(
            address(nodes),
            stranger,
            abi.encodeCall(nodes.remove, (peer)),
            abi.encodeWithSelector(INodeRegistry.NotNodeOwner.selector, peer)
        );
        vm.prank(newcomer);
        nodes.remove(peer);
        yes(!nodes.actsFor(challenger, newcomer), "gone");
        yes(nodes.actsFor(hot, newcomer), "the other stays");
        vm.prank(newcomer);
        nodes.remove(vm.addr(PEER_KEY + 1));
        yes(!nodes.actsFor(hot, newcomer) && !nodes.hasRole(newcomer, 1), "all gone");
        // Freed, it may go to another owner.
        enrol(stranger, PEER_KEY, address(0), 1);
        yes(!nodes.actsFor(address(0), stranger), "nobody is no hot key");
        yes(nodes.actsFor(stranger, stranger), "the owner acts for itself");
    }

    function test_what_is_not_registered_cannot_be_removed() public {
        bytes memory call = abi.encodeCall(nodes.remove, (peer));
        bytes memory not = abi.encodeWithSelector(INodeRegistry.NotNodeOwner.selector, peer);
        refusesAt(address(nodes), newcomer, call, not);
        enrol(newcomer, PEER_KEY, hot, 1);
        vm.prank(newcomer);
        nodes.remove(peer);
        // It would take the role, or the hot key, of another node of the same owner.
        enrol(newcomer, PEER_KEY + 1, hot, 1);
        refusesAt(address(nodes), newcomer, call, not);
        yes(nodes.hasRole(newcomer, 1) && nodes.actsFor(hot, newcomer), "the other node stays");
    }

    /// Who was removed is not brought back by what its key signed before.
    function test_a_registration_is_not_brought_again_after_a_removal() public {
        bytes memory signature = signedFor(newcomer);
        vm.prank(newcomer);
        nodes.register(peer, hot, 1, bytes32("key"), "", signature);
        vm.prank(newcomer);
        nodes.remove(peer);
        bytes memory bad = abi.encodeWithSelector(INodeRegistry.BadPeerSignature.selector);
        refusesAt(address(nodes), newcomer, entry(hot, 1, "", signature), bad);
        refusesAt(address(nodes), stranger, entry(hot, 1, "", signature), bad);
        eq(nodes.node(peer).owner, address(0), "nobody's");
        yes(!nodes.hasRole(newcomer, 1), "no role");
    }

    /// A newcomer needs no node, so its jobs count without one, and after its node went.
    function test_counters_need_no_node() public {
        vm.prank(stranger);
        nodes.record(newcomer, 5, 7, provider);
        enrol(newcomer, PEER_KEY, hot, 1);
        vm.prank(newcomer);
        nodes.remove(peer);
        vm.prank(stranger);
        nodes.record(newcomer, 5, 7, provider);
        eq(nodes.outcomes(stranger, newcomer, 5), 2, "counted");
        eq(nodes.amounts(stranger, newcomer, 5), 14, "and added up");
    }

    function test_counters_are_the_reporters_own() public {
        vm.prank(stranger);
        nodes.record(provider, 11, 3, address(0));
        eq(nodes.outcomes(stranger, provider, 11), 1, "the stranger's word");
        eq(nodes.outcomes(address(market), provider, 11), 0, "not the market's");
    }

    function test_sets_belong_to_their_owner() public {
        bytes32 set = datasets.digest(dataOwner, ROOT, 9);
        vm.prank(dataOwner);
        eq(datasets.register(ROOT, 9, 100, royalties), set, "digest");
        address where = address(datasets);
        refusesAt(
            where,
            dataOwner,
            abi.encodeCall(datasets.register, (ROOT, 9, 100, royalties)),
            abi.encodeWithSelector(IDatasetRegistry.DatasetTaken.selector, uint256(set))
        );
        vm.prank(dataOwner);
        datasets.register(ROOT, 8, 5000, royalties);
        bytes memory high = abi.encodeWithSelector(IDatasetRegistry.RateTooHigh.selector, uint256(5001));
        refusesAt(where, dataOwner, abi.encodeCall(datasets.register, (ROOT, 7, 5001, royalties)), high);
        refusesAt(where, dataOwner, abi.encodeCall(datasets.change, (set, 5001, royalties)), high);
        bytes memory empty = abi.encodeWithSelector(IDatasetRegistry.EmptyDataset.selector);
        refusesAt(where, dataOwner, abi.encodeCall(datasets.register, (ROOT, 0, 1, royalties)), empty);
        refusesAt(where, dataOwner, abi.encodeCall(datasets.register, (ROOT, 1, 1, address(0))), empty);
        refusesAt(where, dataOwner, abi.encodeCall(datasets.change, (set, 1, address(0))), empty);
        refusesAt(
            where,
            stranger,
            abi.encodeCall(datasets.change, (set, 1, royalties)),
            abi.encodeWithSelector(IDatasetRegistry.NotDatasetOwner.selector, uint256(set))
        );
        // Somebody else's entry for the same root is another set.
        vm.prank(stranger);
        yes(datasets.register(ROOT, 9, 1, royalties) != set, "no squatting");
        eq(datasets.entry(set).rateBps, 100, "untouched");
    }

    function test_a_set_that_is_not_registered_cannot_be_changed() public {
        bytes32 set = datasets.digest(dataOwner, ROOT, 9);
        bytes memory call = abi.encodeCall(datasets.change, (set, 1, royalties));
        refusesAt(
            address(datasets),
            dataOwner,
            call,
            abi.encodeWithSelector(IDatasetRegistry.NotDatasetOwner.selector, uint256(set))
        );
        eq(datasets.entry(set).receiver, address(0), "nothing there");
    }

    function test_the_token_has_one_supply() public {
        ComputeToken fresh = new ComputeToken(stranger, 5e24);
        eq(fresh.totalSupply(), 5e24, "supply");
        eq(fresh.balanceOf(stranger), 5e24, "holder");
    }

    function test_entries_at_their_bounds() public {
        bytes memory signature = signedFor(newcomer);
        string memory where = string(new bytes(512));
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeRegistered(peer, newcomer, hot, 15, "key", where);
        vm.prank(newcomer);
        nodes.register(peer, hot, 15, "key", where, signature);
        yes(nodes.hasRole(newcomer, 15), "all roles");
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeRemoved(peer, newcomer);
        vm.prank(newcomer);
        nodes.remove(peer);
        yes(!nodes.hasRole(newcomer, 4) && !nodes.hasRole(newcomer, 8), "none");
    }

    function test_what_the_registers_tell() public {
        vm.expectEmit(address(nodes));
        emit INodeRegistry.Recorded(stranger, newcomer, 5, 1, 7, provider);
        vm.prank(stranger);
        nodes.record(newcomer, 5, 7, provider);
        bytes32 set = datasets.digest(dataOwner, ROOT, 9);
        vm.expectEmit(address(datasets));
        emit IDatasetRegistry.DatasetRegistered(set, dataOwner, ROOT, 9);
        vm.expectEmit(address(datasets));
        emit IDatasetRegistry.RateChanged(set, 100, royalties);
        vm.prank(dataOwner);
        datasets.register(ROOT, 9, 100, royalties);
        vm.expectEmit(address(datasets));
        emit IDatasetRegistry.RateChanged(set, 5000, stranger);
        vm.prank(dataOwner);
        datasets.change(set, 5000, stranger);
        eq(datasets.entry(set).receiver, stranger, "changed");
    }
}
