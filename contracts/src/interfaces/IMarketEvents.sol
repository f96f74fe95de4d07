// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Member, State, Task, Terms} from "../market/Types.sol";

/// @title What the market tells. The state of every job, claim, vote and account can be rebuilt from these.
interface IMarketEvents {
    /// @notice A job was posted and its escrow pulled, `reused` of it from what the requester was owed.
    event Opened(
        bytes32 indexed job,
        address indexed requester,
        uint256 nonce,
        Terms terms,
        uint256 escrow,
        uint256 reused,
        uint256 fees,
        address royaltyTo,
        uint32 batch,
        uint32 steps,
        uint256 until
    );
    /// @notice A provider, the lead of a team, accepted at this price a segment. It must start until then.
    event Accepted(bytes32 indexed job, address indexed owner, uint256 price, Member[] team, uint256 until);
    /// @notice The provider did not start; the job is open again.
    event HandedBack(bytes32 indexed job, address indexed owner, bool declined, uint256 until);
    /// @notice Training started and has time until then.
    event Started(bytes32 indexed job, uint256 until);

    /// @notice A segment was claimed.
    event Claimed(bytes32 indexed job, uint256 indexed index, bytes32 last);
    /// @notice A segment's proof was accepted.
    event Proved(bytes32 indexed job, uint256 indexed index, bytes32 last, address by);
    /// @notice `count` segments from `from` on were paid: parts for the team, the royalty and the delivery.
    event Settled(
        bytes32 indexed job, uint256 from, uint256 count, bytes32 current, uint256 earned, uint256 royalty, uint256 held
    );

    /// @notice The claims are closed. After that block a secret draws; it is awaited until then.
    event ClaimsClosed(bytes32 indexed job, bytes32 claims, uint256 drawBlock, uint256 until);
    /// @notice The hash of the block was stored.
    event HashKept(bytes32 indexed job, bytes32 blockHash);
    /// @notice These segments must be proven until then: all open ones, or the distinct `indices`.
    event Drawn(bytes32 indexed job, bytes32 seed, bool all, uint256[] indices, uint256 due, uint256 until);

    /// @notice The opening of a claim was published; it can be challenged until then.
    event WindowStarted(bytes32 indexed job, uint256 indexed index, uint256 until);
    /// @notice A claim was challenged; the provider can prove it until then.
    event Challenged(bytes32 indexed job, uint256 indexed index, address indexed challenger, uint256 until);
    /// @notice The proof came; the challenger's bond went to the provider.
    event Answered(bytes32 indexed job, uint256 indexed index, address indexed challenger, uint256 bond);

    /// @notice A member of the committee attested, for this fee.
    event Attested(
        bytes32 indexed job,
        address indexed validator,
        Task indexed task,
        uint256 index,
        bytes32 subject,
        bytes32 verdict,
        uint256 fee
    );
    /// @notice The committee confirmed that training diverged; the job ends behind `total` segments.
    event DivergenceConfirmed(bytes32 indexed job, uint256 total, uint256 step, uint256 layer);
    /// @notice A member signed two attestations that contradict each other, and lost stake.
    event Contradicted(bytes32 indexed job, address indexed validator, address indexed reporter, uint256 stake);

    /// @notice All segments are settled; the provider hands the weights over until then.
    event DeliveryDue(bytes32 indexed job, uint256 until);
    /// @notice The provider named what it handed over.
    event Delivered(bytes32 indexed job, bytes32 delivery);
    /// @notice The weights can be fetched; the requester may complain until then.
    event Fetchable(bytes32 indexed job, uint256 until);
    /// @notice The requester complained; the committee decides until then.
    event Complained(bytes32 indexed job, uint256 until);

    /// @notice The job ended: the rest of its escrow went to the requester, `burnt` of it to nobody.
    event Ended(bytes32 indexed job, State indexed state, uint256 refund, uint256 burnt);
    /// @notice The team's earnings were credited to its members.
    event Collected(bytes32 indexed job, uint256 amount);
    /// @notice An account can withdraw this much more.
    event Owed(bytes32 indexed job, address indexed account, uint256 amount);
    /// @notice An account was paid.
    event Withdrawn(address indexed account, uint256 amount);
    /// @notice A nonce was used or cancelled.
    event NonceSpent(address indexed signer, uint256 nonce);
}
