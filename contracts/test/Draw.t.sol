// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice The drawn segments, computed here as anyone can: from job, claims, secret and the block's hash.
contract DrawTest is Scene {
    uint32 private constant MANY = 100;
    uint8 private constant DRAWS = 20;
    bytes32 private constant HASH = keccak256("hash of the drawing block");

    function sampledTerms(bytes32 secret) private view returns (Terms memory t) {
        t = terms(Assurance.Sampled);
        (t.training.segments, t.checks.draws, t.price.bond) = (MANY, DRAWS, PRICE * MANY / DRAWS);
        (t.price.handBackFee, t.checks.secretHash) = (0, keccak256(abi.encode(secret)));
    }

    /// A job with all its claims, the last of them as given.
    function claimedTo(Terms memory t, bytes32 last) private returns (bytes32 id) {
        id = running(t);
        claim(id, 0, 50);
        claim(id, 50, 49);
        bytes32[] memory lasts = new bytes32[](1);
        lasts[0] = last;
        vm.prank(provider);
        market.claim(id, 99, lasts);
    }

    /// What the market draws.
    function drawnBy(bytes32 id, bytes32 secret, bytes32 hash) private returns (uint256 bits) {
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        vm.setBlockhash(drawBlock, hash);
        market.reveal(id, secret);
        for (uint256 i = 0; i < MANY; ++i) {
            if (market.isDue(id, i)) bits |= 1 << i;
        }
    }

    /// What must be drawn: `DRAWS` distinct ones of `MANY` (Floyd), the set as bits.
    function expected(bytes32 id, bytes32 claims, bytes32 secret, bytes32 hash) private pure returns (uint256 bits) {
        bytes32 seed = keccak256(abi.encode(id, claims, secret, hash));
        for (uint256 i = 0; i < DRAWS; ++i) {
            uint256 top = MANY - DRAWS + i;
            uint256 index = uint256(keccak256(abi.encode(seed, i))) % (top + 1);
            if (bits >> index & 1 == 1) index = top;
            bits |= 1 << index;
        }
    }

    function claimsTo(bytes32 last) private pure returns (bytes32 claims) {
        for (uint256 i = 0; i < MANY; ++i) {
            claims = keccak256(abi.encode(claims, i + 1 < MANY ? lastOf(i) : last));
        }
    }

    function test_anyone_can_compute_the_draw() public {
        bytes32 id = claimedTo(sampledTerms(SECRET), lastOf(99));
        bytes32 claims = claimsTo(lastOf(99));
        eq(market.jobOf(id).claims, claims, "claims");
        uint256 bits = drawnBy(id, SECRET, HASH);
        eq(bits, expected(id, claims, SECRET, HASH), "the draw");
        // None of the four can be left out, or another put in its place.
        yes(bits != expected(keccak256("job"), claims, SECRET, HASH), "job");
        yes(bits != expected(id, claimsTo(lastOf(98)), SECRET, HASH), "claims");
        yes(bits != expected(id, claims, keccak256("other secret"), HASH), "secret");
        yes(bits != expected(id, claims, SECRET, keccak256("other hash")), "hash");
    }

    /// Neither side chooses: each of its inputs changes the draw, and so does what it cannot choose.
    function test_job_claims_secret_and_hash_change_the_draw() public {
        uint256 here = vm.snapshotState();
        uint256 bits = drawnBy(claimedTo(sampledTerms(SECRET), lastOf(99)), SECRET, HASH);
        vm.revertToState(here);
        yes(bits == drawnBy(claimedTo(sampledTerms(SECRET), lastOf(99)), SECRET, HASH), "the same again");
        vm.revertToState(here);
        yes(bits != drawnBy(claimedTo(sampledTerms(SECRET), lastOf(0)), SECRET, HASH), "the provider's last claim");
        vm.revertToState(here);
        yes(bits != drawnBy(claimedTo(sampledTerms(SECRET), lastOf(99)), SECRET, keccak256("other")), "the block");
        vm.revertToState(here);
        // Another secret has another hash in the terms; the same terms under another nonce are another job.
        bytes32 secret = keccak256("other secret");
        yes(bits != drawnBy(claimedTo(sampledTerms(secret), lastOf(99)), secret, HASH), "the requester's secret");
        vm.revertToState(here);
        ++nonce;
        yes(bits != drawnBy(claimedTo(sampledTerms(SECRET), lastOf(99)), SECRET, HASH), "the job");
    }
}
