// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Member, State, Task, Terms} from "../market/Types.sol";

/// @title What the market tells. The state of every job, claim, vote and account can be rebuilt from these.
interface IMarketEvents {
    /// @notice A job was posted and its escrow pulled, `reused` of it from what the requester was owed.
    /// @param job The job.
    /// @param requester Who pays for the job.
    /// @param nonce The nonce.
    /// @param terms Everything that is agreed.
    /// @param escrow Tokens held for the job.
    /// @param reused Part of the escrow that the requester was owed.
    /// @param fees Part of the escrow for the committee.
    /// @param royaltyTo Who gets the royalty, or zero.
    /// @param batch Rows of a step.
    /// @param steps Steps of a segment.
    /// @param until The last second, or block.
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
    /// @param job The job.
    /// @param owner The provider, or the lead of the team.
    /// @param price Price of a segment.
    /// @param team Members, shares and bonds.
    /// @param until The last second, or block.
    event Accepted(bytes32 indexed job, address indexed owner, uint256 price, Member[] team, uint256 until);
    /// @notice The provider did not start; the job is open again.
    /// @param job The job.
    /// @param owner The provider that had accepted.
    /// @param declined Whether the provider said so.
    /// @param until The last second, or block.
    event HandedBack(bytes32 indexed job, address indexed owner, bool declined, uint256 until);
    /// @notice Training started and has time until then.
    /// @param job The job.
    /// @param until The last second, or block.
    event Started(bytes32 indexed job, uint256 until);

    /// @notice A segment was claimed.
    /// @param job The job.
    /// @param index The segment.
    /// @param last Digest of the commitments to its last parameters.
    event Claimed(bytes32 indexed job, uint256 indexed index, bytes32 last);
    /// @notice A segment's proof was accepted.
    /// @param job The job.
    /// @param index The segment.
    /// @param last Digest of the commitments to the last parameters.
    /// @param by Who brought the proof.
    event Proved(bytes32 indexed job, uint256 indexed index, bytes32 last, address by);
    /// @notice `count` segments from `from` on were paid: parts for the team, the royalty and the delivery.
    /// @param job The job.
    /// @param from The first of them.
    /// @param count How many.
    /// @param current Digest of the commitments to the parameters behind them.
    /// @param earned The team's part.
    /// @param royalty The data owner's part.
    /// @param held The part that waits for the delivery.
    event Settled(
        bytes32 indexed job, uint256 from, uint256 count, bytes32 current, uint256 earned, uint256 royalty, uint256 held
    );

    /// @notice The claims are closed. After that block a secret draws; it is awaited until then.
    /// @param job The job.
    /// @param claims Running hash of the claims.
    /// @param drawBlock The block whose hash draws.
    /// @param until The last second for the secret.
    event ClaimsClosed(bytes32 indexed job, bytes32 claims, uint256 drawBlock, uint256 until);
    /// @notice The hash of the block was stored.
    /// @param job The job.
    /// @param blockHash The hash.
    event HashKept(bytes32 indexed job, bytes32 blockHash);
    /// @notice These segments must be proven until then: all open ones, or the distinct `indices`.
    /// @param job The job.
    /// @param seed What the indices are drawn from.
    /// @param all Whether all open segments are due.
    /// @param indices The drawn segments.
    /// @param due How many must be proven.
    /// @param until The last second for the proofs.
    event Drawn(bytes32 indexed job, bytes32 seed, bool all, uint256[] indices, uint256 due, uint256 until);

    /// @notice The opening of a claim was published; it can be challenged until then.
    /// @param job The job.
    /// @param index The segment.
    /// @param until The last second, or block.
    event WindowStarted(bytes32 indexed job, uint256 indexed index, uint256 until);
    /// @notice A claim was challenged; the provider can prove it until then.
    /// @param job The job.
    /// @param index The segment.
    /// @param challenger Who challenged.
    /// @param until The last second, or block.
    event Challenged(bytes32 indexed job, uint256 indexed index, address indexed challenger, uint256 until);
    /// @notice The proof came; the challenger's bond went to the provider.
    /// @param job The job.
    /// @param index The segment.
    /// @param challenger Who challenged.
    /// @param bond What the challenger lost.
    event Answered(bytes32 indexed job, uint256 indexed index, address indexed challenger, uint256 bond);

    /// @notice A member of the committee attested, for this fee. A divergence and a decision are paid with `Decided`.
    /// @param job The job.
    /// @param validator The member.
    /// @param task What was asked.
    /// @param index The segment, or 0 for tasks that are about none.
    /// @param subject What the question is about.
    /// @param verdict The answer.
    /// @param until The last second of the count in which it counts: a question may have several, one after the other.
    /// @param fee What it was paid.
    event Attested(
        bytes32 indexed job,
        address indexed validator,
        Task indexed task,
        uint256 index,
        bytes32 subject,
        bytes32 verdict,
        uint256 until,
        uint256 fee
    );
    /// @notice So many members gave this verdict that it stands; each of them, and nobody else, was paid the fee.
    /// @param job The job.
    /// @param task What was asked.
    /// @param index The segment, or 0 for tasks that are about none.
    /// @param subject What the question is about.
    /// @param verdict The answer.
    /// @param fee What each of them was paid.
    event Decided(bytes32 indexed job, Task indexed task, uint256 index, bytes32 subject, bytes32 verdict, uint256 fee);
    /// @notice The committee confirmed that training diverged; the job ends behind `total` segments.
    /// @param job The job.
    /// @param total Segments of the job now.
    /// @param step Step that diverged.
    /// @param layer Layer that diverged.
    event DivergenceConfirmed(bytes32 indexed job, uint256 total, uint256 step, uint256 layer);
    /// @notice A member signed two attestations that contradict each other, and lost stake.
    /// @param job The job.
    /// @param validator The member.
    /// @param reporter Who reported it.
    /// @param task What was asked.
    /// @param index The segment, or 0 for tasks that are about none.
    /// @param subject What the question is about.
    /// @param stake What was taken.
    event Contradicted(
        bytes32 indexed job,
        address indexed validator,
        address indexed reporter,
        Task task,
        uint256 index,
        bytes32 subject,
        uint256 stake
    );

    /// @notice All segments are settled; the provider hands the weights over until then.
    /// @param job The job.
    /// @param until The last second, or block.
    event DeliveryDue(bytes32 indexed job, uint256 until);
    /// @notice The provider named what it handed over.
    /// @param job The job.
    /// @param delivery Digest of what was handed over.
    event Delivered(bytes32 indexed job, bytes32 delivery);
    /// @notice The weights can be fetched; the requester may complain until then.
    /// @param job The job.
    /// @param until The last second, or block.
    event Fetchable(bytes32 indexed job, uint256 until);
    /// @notice The requester complained; the committee decides until then.
    /// @param job The job.
    /// @param until The last second, or block.
    event Complained(bytes32 indexed job, uint256 until);

    /// @notice The job ended: the rest of its escrow went to the requester, `burnt` of it to nobody.
    /// @param job The job.
    /// @param state How it ended.
    /// @param refund What the requester gets back.
    /// @param burnt What nobody gets.
    event Ended(bytes32 indexed job, State indexed state, uint256 refund, uint256 burnt);
    /// @notice The team's earnings were credited to its members.
    /// @param job The job.
    /// @param amount How much they share.
    event Collected(bytes32 indexed job, uint256 amount);
    /// @notice An account can withdraw this much more.
    /// @param job The job.
    /// @param account The account.
    /// @param amount How much.
    event Owed(bytes32 indexed job, address indexed account, uint256 amount);
    /// @notice An account was paid.
    /// @param account The account.
    /// @param amount How much.
    event Withdrawn(address indexed account, uint256 amount);
    /// @notice A nonce was used or cancelled.
    /// @param signer Whose signature it is, or should be.
    /// @param nonce The nonce.
    event NonceSpent(address indexed signer, uint256 nonce);
}
