// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {DataTree} from "../src/libraries/DataTree.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Licence, Member, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Asks a data tree from call data, where proofs keep points and paths.
contract Tree {
    /// @return Whether these two words are the point of the only column of position 0 under the root.
    function holds(bytes32 root, bytes32[2] calldata point, bytes32[] calldata path) external pure returns (bool) {
        uint256 points;
        uint256 siblings;
        assembly ("memory-safe") {
            points := point
            siblings := path.offset
        }
        return DataTree.mismatch(root, 0, points, 1, siblings, path.length) == 1;
    }
}

/// @notice Mistakes for which audits of other settlement contracts were paid. The rest of them have their tests beside what they
/// are about; `docs/settlement.md` lists all.
contract MistakesTest is Scene {
    /// A cap that splitting ids avoids: whatever limits an account limits the job, or costs each identity as much.
    function test_splitting_identities_passes_no_cap() public {
        // Claims that wait for payment are counted by the job: a partner's hot key gets no room of its own.
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 4);
        bytes memory more = abi.encodeCall(market.claim, (id, 4, new bytes32[](1)));
        refuses(hot, more, why(IMarketErrors.TooManyClaims.selector, uint256(4)));
        // Stake backs one job: a second one needs a second bond, under whatever job, node or lead.
        address[] memory names = enrolMany(2, 1);
        stake(names[0], BOND);
        id = opened(Assurance.Optimistic);
        vm.prank(names[0]);
        market.accept(id, 0);
        enrol(names[0], 0xabcdef, address(0), 1);
        id = opened(Assurance.Optimistic);
        bytes memory accept = abi.encodeCall(market.accept, (id, 0));
        refuses(names[0], accept, abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, names[0], 0, BOND));
        refuses(names[1], accept, abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, names[1], 0, BOND));
        // A team of one person's names brings the same bond as one name.
        Seat[] memory seats = new Seat[](2);
        seats[0].member = Member(provider, 5000, BOND / 2);
        seats[1] = Seat(Member(names[0], 5000, BOND / 2), 1, vm.getBlockTimestamp(), "");
        seats[1].signature = sign(manyKeys[0], market.consentDigest(id, provider, seats[1], 0));
        bytes memory team = abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
        refuses(provider, team, abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, names[0], 0, BOND / 2));
    }

    /// A cap that splitting ids avoids: a validator with many nodes has one place, and one vote.
    function test_a_second_node_is_no_second_vote() public {
        bytes32 id = disputed();
        enrol(validators[0], 0xabcdef, address(0), 2);
        vote(id, Task.Decision, 0, YES, 0);
        bytes memory signature = voteSignature(id, Task.Decision, 0, YES, 0);
        bytes memory again = abi.encodeCall(market.attest, (id, Task.Decision, 0, YES, 0, signature));
        refuses(stranger, again, why(IMarketErrors.AlreadyVoted.selector, validators[0]));
        inState(id, State.Disputed);
    }

    /// Self-reported work: counters that anyone can raise for itself open no door, and none is closed without them.
    function test_counters_gate_nothing() public {
        for (uint256 i = 0; i < 10; ++i) {
            vm.prank(stranger);
            nodes.record(stranger, uint8(State.Completed));
        }
        bytes32 id = opened(Assurance.Proven);
        bytes memory accept = abi.encodeCall(market.accept, (id, 0));
        refuses(stranger, accept, abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, stranger, uint8(1)));
        eq(nodes.outcomes(address(market), provider, uint8(State.Completed)), 0, "a beginner");
        vm.prank(provider);
        market.accept(id, 0);
        inState(id, State.Assigned);
    }

    /// Self-reported work: a claim by itself is never paid, at any level, however long one waits.
    function test_self_reported_work_is_not_paid() public {
        bytes32 id = running(Assurance.Proven);
        bytes memory report = abi.encodeCall(market.claim, (id, 0, new bytes32[](1)));
        refuses(provider, report, abi.encodeWithSelector(IMarketErrors.WrongLevel.selector, Assurance.Proven));
        unpaid(id);

        id = running(Assurance.Optimistic);
        claim(id, 0, 4);
        bytes memory settle = abi.encodeCall(market.settle, (id));
        paysNothing(settle);
        bytes memory confirm = confirming(id, 0);
        refuses(provider, confirm, why(IMarketErrors.NotRequester.selector, provider));
        unpaid(id);

        id = running(Assurance.Sampled);
        claim(id, 0, SEGMENTS - 1);
        settle = abi.encodeCall(market.settle, (id));
        paysNothing(settle);
        unpaid(id);
        // All claimed, and the secret there: nothing is paid before what is drawn is proven.
        id = proving();
        eq(market.jobOf(id).earned, 0, "drawn, not proven");
        late(id);
        inState(id, State.Slashed);
        eq(market.jobOf(id).earned, 0, "never");
        solvent();
    }

    function paysNothing(bytes memory settle) private {
        vm.prank(provider);
        (bool done, bytes memory got) = address(market).call(settle);
        yes(!done && bytes4(got) == IMarketErrors.NothingToSettle.selector, "nothing to settle");
    }

    /// The job is left to time.
    function unpaid(bytes32 id) private {
        late(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).earned, 0, "unpaid");
        eq(market.jobOf(id).settled, 0, "unsettled");
    }

    /// Slashed tokens paid to the slasher who decides: whoever says that time is over gets nothing, and a committee that
    /// decides against the provider gets its fee and no part of what is lost.
    function test_who_decides_gets_nothing_of_what_is_lost() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 1);
        confirm(id, 0);
        contest(id, 0);
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        vm.prank(stranger);
        market.slash(id, 0);
        eq(vault.owed(stranger) + market.owed(stranger), 0, "who calls");
        eq(vault.owed(challenger) + vault.owed(requester) + vault.owed(BURNT), BOND, "all of it");
        late(id = proving());
        eq(vault.owed(stranger) + market.owed(stranger), 0, "who calls after a draw");
        id = disputed();
        agree(id, Task.Decision, 0, NO);
        inState(id, State.Withheld);
        for (uint256 i = 0; i < validators.length; ++i) {
            eq(vault.owed(validators[i]), 0, "no stake for the committee");
            yes(market.owed(validators[i]) <= 2 * FEE, "its fees, of two tasks");
        }
        solvent();
    }

    /// Expired requests that can be replayed: what was signed once serves once, and the market remembers that.
    function test_a_licence_and_a_consent_serve_once() public {
        Terms memory t = terms(Assurance.Proven);
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, 107, 1000, royalties);
        t.training.royaltyBps = 1000;
        Licence memory licence = Licence(5, vm.getBlockTimestamp() + 1 days, "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
        bytes32 id = open(t, licence);
        yes(market.nonceUsed(dataOwner, 5), "the licence's nonce");
        Seat[] memory seats = new Seat[](2);
        seats[0].member = Member(provider, 5000, BOND / 2);
        seats[1] = Seat(Member(partner, 5000, BOND / 2), 6, vm.getBlockTimestamp() + 1 days, "");
        seats[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, seats[1], 0));
        vm.prank(provider);
        market.acceptAsTeam(id, 0, seats);
        yes(market.nonceUsed(partner, 6), "the consent's nonce");
        // Neither is free again when the job is not run.
        vm.prank(provider);
        market.decline(id);
        reopened();
        bytes memory team = abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
        refuses(provider, team, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, partner, 6));
        vm.prank(requester);
        market.cancel(id);
        Permit memory none;
        bytes memory again = abi.encodeCall(market.open, (t, ++nonce, licence, none));
        refuses(requester, again, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, dataOwner, 5));
        solvent();
    }

    /// Inner Merkle nodes accepted as leaves: the two kinds begin differently, and the depth is fixed.
    function test_an_inner_node_is_no_leaf() public {
        Tree tree = new Tree();
        bytes32[2] memory point = [bytes32(uint256(1)), bytes32(uint256(2))];
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), uint64(0), uint64(0), point));
        bytes32 sibling = keccak256("sibling");
        bytes32 root = keccak256(abi.encodePacked(uint8(1), leaf, sibling));
        bytes32[] memory path = new bytes32[](1);
        path[0] = sibling;
        yes(tree.holds(root, point, path), "the leaf");
        // The root's two children, offered as the point of a tree of one leaf.
        yes(!tree.holds(root, [leaf, sibling], new bytes32[](0)), "a node as a leaf");
        yes(!tree.holds(root, point, new bytes32[](0)), "a path too short");
    }
}
