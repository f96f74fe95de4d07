// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {State, Terms, Verdict} from "../Types.sol";

/// @title What the market tells. The state of every job, batch, claim and account can be rebuilt from these.
interface IMarketEvents {
    /// @notice A job was posted and its escrow pulled, `reused` of it from what the requester was owed.
    /// @param job The job.
    /// @param requester Who pays for the job.
    /// @param nonce The nonce.
    /// @param terms Everything that is agreed.
    /// @param escrow Tokens held for the job.
    /// @param reused Part of the escrow that the requester was owed.
    /// @param stepRows Rows of a step.
    /// @param steps Steps of a segment.
    /// @param until The last second in which it can be accepted.
    event Opened(
        bytes32 indexed job,
        address indexed requester,
        uint256 nonce,
        Terms terms,
        uint256 escrow,
        uint256 reused,
        uint32 stepRows,
        uint32 steps,
        uint256 until
    );
    /// @notice The committee's members named the keys of their words, and back the job.
    /// @param job The job.
    /// @param keys Their keys, by place.
    event Seated(bytes32 indexed job, address[] keys);
    /// @notice The job has a licence.
    /// @param job The job.
    /// @param royaltyTo Who gets fee and royalty.
    /// @param fee Flat fee.
    /// @param minRoyalty Least royalty of a segment.
    /// @param providers Who may see the data.
    event Licensed(bytes32 indexed job, address indexed royaltyTo, uint256 fee, uint256 minRoyalty, bytes32 providers);
    /// @notice A provider accepted. It must start until then.
    /// @param job The job.
    /// @param owner The provider.
    /// @param price Price of a segment.
    /// @param royalty Royalty in it.
    /// @param until The last second for the start.
    event Accepted(bytes32 indexed job, address indexed owner, uint256 price, uint256 royalty, uint256 until);
    /// @notice The provider did not start; the job is open again, or has ended.
    /// @param job The job.
    /// @param owner The provider that had accepted.
    /// @param burnt What was burnt of bond and escrow, each.
    /// @param from From when it can be accepted.
    event HandedBack(bytes32 indexed job, address indexed owner, uint256 burnt, uint256 from);
    /// @notice Training started. What was escrowed beyond the fixed price was credited to the requester.
    /// @param job The job.
    /// @param excess How much that was.
    event Started(bytes32 indexed job, uint256 excess);

    /// @notice A member took a seat.
    /// @param job The job.
    /// @param seat Its number.
    /// @param owner The member.
    /// @param pay For each proof of a claim that it took.
    /// @param bond Its bond.
    event Joined(bytes32 indexed job, uint256 indexed seat, address indexed owner, uint256 pay, uint256 bond);
    /// @notice A member gave its seat up, or took its bond back behind the end.
    /// @param job The job.
    /// @param seat The seat.
    event Quit(bytes32 indexed job, uint256 indexed seat);

    /// @notice Segments were claimed.
    /// @param job The job.
    /// @param from The first of them.
    /// @param lasts Digests of the commitments to the last parameters of each.
    event Claimed(bytes32 indexed job, uint256 from, bytes32[] lasts);
    /// @notice A batch was closed.
    /// @param job The job.
    /// @param batch The batch.
    /// @param end The segment behind it.
    /// @param root Digest of the encrypted weights at its end.
    /// @param claims Running hash of the claims, or zero where nothing needs it.
    /// @param drawBlock Block whose hash draws, or zero where everything is due.
    event Closed(
        bytes32 indexed job, uint256 indexed batch, uint256 end, bytes32 root, bytes32 claims, uint256 drawBlock
    );
    /// @notice A late block was fixed, whose hash draws.
    /// @param job The job.
    /// @param batch The batch.
    /// @param drawBlock The block.
    event LateFixed(bytes32 indexed job, uint256 indexed batch, uint256 drawBlock);
    /// @notice These segments of a batch must be proven.
    /// @param job The job.
    /// @param batch The batch.
    /// @param seed What they were drawn from; zero where everything is due.
    /// @param drawn Their mask.
    /// @param until The last second for those that are not proven.
    /// @param windowUntil The last second for challenges, or zero.
    event Drawn(
        bytes32 indexed job, uint256 indexed batch, bytes32 seed, uint256 drawn, uint256 until, uint256 windowUntil
    );
    /// @notice A secret of the requester's chain became known.
    /// @param job The job.
    /// @param batch The batch.
    /// @param secret The secret.
    event Revealed(bytes32 indexed job, uint256 indexed batch, bytes32 secret);
    /// @notice A member took a claim, to prove it.
    /// @param job The job.
    /// @param index The segment.
    /// @param seat The member's seat.
    /// @param until The last second of the take.
    /// @param fromBlock The first block in which its proof pays the member.
    event Taken(bytes32 indexed job, uint256 indexed index, uint256 seat, uint256 until, uint256 fromBlock);
    /// @notice A segment's proof was accepted.
    /// @param job The job.
    /// @param index The segment.
    /// @param last Digest of the commitments to the last parameters.
    /// @param seat The seat that is paid, or zero for the lead.
    /// @param burnt What was burnt of the lead's bond, because the proof is late.
    /// @param by Who brought the proof.
    event Proved(bytes32 indexed job, uint256 indexed index, bytes32 last, uint256 seat, uint256 burnt, address by);
    /// @notice A take ended without a proof by its member in time: its bond was freed, or taken.
    /// @param job The job.
    /// @param index The segment.
    /// @param seat The member's seat.
    /// @param lost What it lost.
    event Untaken(bytes32 indexed job, uint256 indexed index, uint256 seat, uint256 lost);
    /// @notice A take lapsed: what its seat was promised can be promised to others. Its bond waits for the proof.
    /// @param job The job.
    /// @param index The segment.
    /// @param seat The member's seat.
    event Released(bytes32 indexed job, uint256 indexed index, uint256 seat);
    /// @notice A claim was challenged.
    /// @param job The job.
    /// @param index The segment.
    /// @param challenger Who challenged.
    /// @param until The last second for the proof.
    event Challenged(bytes32 indexed job, uint256 indexed index, address indexed challenger, uint256 until);
    /// @notice A challenge ended: the proof came, or the batch became void. The bond went to `to`.
    /// @param job The job.
    /// @param index The segment.
    /// @param to Who has the bond: the challenger has it back, or who is paid for the proof has it.
    event Answered(bytes32 indexed job, uint256 indexed index, address to);
    /// @notice A due claim was never proven: the job is as long as what comes before its batch.
    /// @param job The job.
    /// @param batch The batch.
    /// @param index The segment.
    /// @param to Who gets a quarter of the bond, or zero.
    event Failed(bytes32 indexed job, uint256 indexed batch, uint256 index, address to);

    /// @notice The requester has the weights at the end of a batch.
    /// @param job The job.
    /// @param batch The batch.
    /// @param root Digest of what it got.
    event Acknowledged(bytes32 indexed job, uint256 indexed batch, bytes32 root);
    /// @notice The requester complained about a batch.
    /// @param job The job.
    /// @param batch The batch.
    /// @param until The last second for the committee.
    event Complained(bytes32 indexed job, uint256 indexed batch, uint256 until);
    /// @notice The lead or a member named a root that serves.
    /// @param job The job.
    /// @param batch The batch.
    /// @param seat The member's seat, or zero for the lead.
    /// @param root Digest of the encrypted weights.
    /// @param until The last second for the committee.
    event RootAdded(bytes32 indexed job, uint256 indexed batch, uint256 seat, bytes32 root, uint256 until);
    /// @notice A member of the committee gave its word.
    /// @param job The job.
    /// @param batch The batch.
    /// @param validator The member.
    /// @param last What the question is about.
    /// @param yes Its word.
    /// @param signature The signature.
    event Attested(
        bytes32 indexed job, uint256 indexed batch, address indexed validator, bytes32 last, bool yes, bytes signature
    );
    /// @notice A complaint ended.
    /// @param job The job.
    /// @param batch The batch.
    /// @param verdict How.
    /// @param fees What members were paid from the batch's price.
    event Decided(bytes32 indexed job, uint256 indexed batch, Verdict verdict, uint256 fees);
    /// @notice A validator signed two answers to one question, and lost its stake.
    /// @param job The job.
    /// @param validator The member.
    /// @param reporter Who reported it.
    /// @param batch The batch.
    /// @param last What the question was about.
    /// @param stake What was taken.
    event Contradicted(
        bytes32 indexed job,
        address indexed validator,
        address indexed reporter,
        uint256 batch,
        bytes32 last,
        uint256 stake
    );
    /// @notice The stake of the committee's members does not back the job any more.
    /// @param job The job.
    event Unbacked(bytes32 indexed job);

    /// @notice A batch was settled.
    /// @param job The job.
    /// @param batch The batch.
    /// @param verdict No: its price went back. Nothing: it was burnt. Otherwise it was paid.
    /// @param amount Its price, less fees that were paid from it.
    /// @param royalty The data owner's part of it.
    event Settled(bytes32 indexed job, uint256 indexed batch, Verdict verdict, uint256 amount, uint256 royalty);
    /// @notice The requester stopped the job.
    /// @param job The job.
    /// @param total Segments of the job now.
    /// @param fee What the lead got.
    event StopAsked(bytes32 indexed job, uint256 total, uint256 fee);
    /// @notice The job was left, or ends behind a complaint that was not refused.
    /// @param job The job.
    /// @param total Segments of the job now.
    /// @param burnt What was burnt of the lead's bond.
    event LeaveAsked(bytes32 indexed job, uint256 total, uint256 burnt);
    /// @notice The job ended.
    /// @param job The job.
    /// @param state How it ended.
    /// @param refund What the requester gets back.
    event Ended(bytes32 indexed job, State indexed state, uint256 refund);

    /// @notice An account can withdraw this much more.
    /// @param job The job.
    /// @param account The account.
    /// @param amount How much.
    event Owed(bytes32 indexed job, address indexed account, uint256 amount);
    /// @notice What an account was owed was paid.
    /// @param account The account.
    /// @param payee Who was paid.
    /// @param amount How much.
    event Withdrawn(address indexed account, address indexed payee, uint256 amount);
    /// @notice A nonce was used or cancelled.
    /// @param signer Whose signature it is, or should be.
    /// @param nonce The nonce.
    event NonceSpent(address indexed signer, uint256 nonce);
}
