// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Attestation, Claim, Job, Licence, Member, Offer, Seat, Task, Terms} from "../market/Types.sol";
import {IDatasetRegistry} from "./IDatasetRegistry.sol";
import {IMarketErrors} from "./IMarketErrors.sol";
import {IMarketEvents} from "./IMarketEvents.sol";
import {INodeRegistry} from "./INodeRegistry.sol";
import {Segment} from "./ISegmentVerifier.sol";
import {IStakeVault, Permit} from "./IStakeVault.sol";

/// @title Jobs: who is paid for what, and when.
/// @notice A requester escrows the price of a training job; a provider, or a team, backs it with a bond, trains, and is paid a
/// segment at a time, for a proof or for a claim that stood. `docs/settlement.md` has the states and what each costs.
///
/// Assumptions:
/// - The token is a plain ERC-20: it moves exactly what it is asked to move, does not change balances by itself, and has no
///   switch against single accounts that somebody would use against a party. Amounts that come in are measured.
/// - The verifier accepts a proof only if the statement holds. Terms pin its code, and with it the key and the set-up, and
///   the code of the halo2 verifier. Both parties rebuild that code and refuse a job that names another.
/// - The chain includes a transaction within the shortest duration of the terms, at a price below what it settles.
/// - Blocks' times are right to some seconds; no duration is under ten minutes.
/// - A block's proposer does not know the requester's secret when it makes the block that draws.
/// - Fewer than `threshold` members of a committee collude. `docs/settlement.md` says what they could do.
/// - Data, weights, blindings and seeds travel off chain, encrypted; the market sees commitments only.
/// - No account has a role here: nobody can stop, upgrade, or take anything out of the books.
interface ITrainingMarket is IMarketErrors, IMarketEvents {
    /// @notice Posts a job of the caller and escrows its highest price. A job with a parent is paid from what the caller is
    /// owed first; a permit or allowance for all of it serves also if somebody pays that out before. `licence` counts only if the terms name a data set.
    /// @param terms Everything that is agreed.
    /// @param nonce A nonce that the caller has not used.
    /// @param licence The data owner's licence, if the terms name a set.
    /// @param permit A permit of the token, or nothing.
    /// @return id The job.
    function open(Terms calldata terms, uint256 nonce, Licence calldata licence, Permit calldata permit)
        external
        returns (bytes32 id);

    /// @notice Posts the job of a signed offer, and accepts it.
    /// @param terms Everything that is agreed.
    /// @param offer The requester's signed offer.
    /// @param licence The data owner's licence, if the terms name a set.
    /// @param permit A permit of the token, or nothing.
    /// @param minPrice The least price of a segment that is taken.
    /// @return id The job.
    function openAndAccept(
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Permit calldata permit,
        uint256 minPrice
    ) external returns (bytes32 id);

    /// @notice Takes back an open job. Requester only.
    /// @param id The job.
    function cancel(bytes32 id) external;

    /// @notice Accepts a job alone, at the price of now if that is at least `minPrice`, and locks the bond. A job that was handed
    /// back can be accepted from the second block on. Nobody who is in the job's committee can.
    /// @param id The job.
    /// @param minPrice The least price of a segment that is taken.
    function accept(bytes32 id, uint256 minPrice) external;

    /// @notice Accepts a job as the lead of a team; all other members have signed their seats. The lead brings at least half of
    /// the bond: it alone decides what is claimed.
    /// @param id The job.
    /// @param minPrice The least price of a segment that is taken.
    /// @param seats All members, the lead first.
    function acceptAsTeam(bytes32 id, uint256 minPrice, Seat[] calldata seats) external;

    /// @notice Gives an accepted job back, for the fee. Provider only.
    /// @param id The job.
    function decline(bytes32 id) external;

    /// @notice Starts: data, first weights and blindings are there and open the commitments. Provider only.
    /// @param id The job.
    function start(bytes32 id) external;

    /// @notice Claims segments from `index` on. Provider only; not for `Proven` jobs.
    /// @param id The job.
    /// @param index The first of the segments.
    /// @param lasts Digests of the last parameters of each.
    function claim(bytes32 id, uint256 index, bytes32[] calldata lasts) external;

    /// @notice Proves a segment: pays it, answers a challenge, or discharges a drawn one. The proof of a claim may come from anyone;
    /// where nothing was claimed, which is in `Proven`, only the provider may: it is the proof that says where the segment ends.
    /// @param id The job.
    /// @param index The segment.
    /// @param proof The proof.
    function prove(bytes32 id, uint256 index, bytes calldata proof) external;

    /// @notice Pays the claims at the head of the queue that were proven or whose window passed. Anyone may.
    /// @param id The job.
    function settle(bytes32 id) external;

    /// @notice Leaves a running job; settled segments stay paid. Not while a claim can be, or is, challenged. Provider only.
    /// @param id The job.
    function abandon(bytes32 id) external;

    /// @notice Says that the opening of a claim is there: its window starts. Not before that of the claim before it, unless that
    /// one is proven. Requester only.
    /// @param id The job.
    /// @param index The segment.
    /// @param last What the opening is of: the claim may be another where a block was replaced.
    function confirmOpening(bytes32 id, uint256 index, bytes32 last) external;

    /// @notice Challenges a claim in its window; locks the challenger's bond. The first claim that differs is the one to
    /// challenge: later ones may be proven from where it ends. Behind a claim whose opening you do not have, nothing is.
    /// @param id The job.
    /// @param index The claim.
    /// @param last What was found to differ: the claim may be another where a block was replaced.
    function challenge(bytes32 id, uint256 index, bytes32 last) external;

    /// @notice Ends a job whose challenge was not answered in time. Anyone may.
    /// @param id The job.
    /// @param index The segment.
    function slash(bytes32 id, uint256 index) external;

    /// @notice Stores the hash of the drawing block. Anyone may.
    /// @param id The job.
    function keepHash(bytes32 id) external;

    /// @notice Draws, with the requester's secret. Anyone may.
    /// @param id The job.
    /// @param secret The secret whose hash is in the terms.
    function reveal(bytes32 id, bytes32 secret) external;

    /// @notice Brings the signed vote of the member at `place` of the committee. Anyone may. Votes on one question decide together
    /// if they come within 7 days of the first; behind that the count begins anew, and who voted before brings its vote itself.
    /// A vote is signed with the key of the member's account; ERC-1271 does not count, because code could later deny what it
    /// signed. A vote on an opening is refused before the claim before it is opened or proven, and is good then; it is paid
    /// also if the requester has started the window, while that is open.
    /// @param id The job.
    /// @param task What was asked.
    /// @param index The segment, or 0 for tasks that are about none.
    /// @param verdict The answer.
    /// @param place Place in the committee.
    /// @param signature The signature.
    function attest(bytes32 id, Task task, uint32 index, bytes32 verdict, uint256 place, bytes calldata signature)
        external;

    /// @notice Shows two signed votes of a member that contradict each other: the second is `a` with the verdict `other`. The
    /// member loses the terms' stake: a tenth goes to the caller, the rest to nobody.
    /// @param a The first vote.
    /// @param other The verdict of the second vote.
    /// @param validator The member.
    /// @param signature The signature of the first vote.
    /// @param otherSignature The signature of the second vote.
    function contradict(
        Attestation calldata a,
        bytes32 other,
        address validator,
        bytes calldata signature,
        bytes calldata otherSignature
    ) external;

    /// @notice Names what was handed over. Provider only.
    /// @param id The job.
    /// @param digest Digest of the encrypted weights.
    function deliver(bytes32 id, bytes32 digest) external;

    /// @notice Says that the weights arrived: the last share is paid. Requester only.
    /// @param id The job.
    function acknowledge(bytes32 id) external;

    /// @notice Says that the weights are not those of the last commitment. Requester only.
    /// @param id The job.
    function complain(bytes32 id) external;

    /// @notice Takes a job on from a state whose time is over. Anyone may.
    /// @param id The job.
    function advance(bytes32 id) external;

    /// @notice Splits a team's earnings among its members. Anyone may.
    /// @param id The job.
    function collect(bytes32 id) external;

    /// @notice Pays what an account is owed, to that account. Anyone may: an account can be a contract that knows no market, as the
    /// receiver of a royalty, or nobody's, where tokens are burnt.
    /// @param account Who is paid.
    /// @return amount How much.
    function withdraw(address account) external returns (uint256 amount);

    /// @notice Makes everything that the caller signed with this nonce void.
    /// @param nonce The nonce.
    function cancelNonce(uint256 nonce) external;

    /// @notice The token of all amounts.
    /// @return The token.
    function token() external view returns (IERC20);

    /// @notice Where stake and bonds are.
    /// @return The vault.
    function vault() external view returns (IStakeVault);

    /// @notice The register of owners and keys.
    /// @return The register.
    function nodes() external view returns (INodeRegistry);

    /// @notice The register of data sets.
    /// @return The register.
    function datasets() external view returns (IDatasetRegistry);

    /// @notice A job's state.
    /// @param id The job.
    /// @return Its state; all zero if there is no such job.
    function jobOf(bytes32 id) external view returns (Job memory);

    /// @notice A job's terms.
    /// @param id The job.
    /// @return Its terms.
    function termsOf(bytes32 id) external view returns (Terms memory);

    /// @notice A job's team, the lead first.
    /// @param id The job.
    /// @return Its members.
    function teamOf(bytes32 id) external view returns (Member[] memory);

    /// @notice A claim.
    /// @param id The job.
    /// @param index The segment.
    /// @return The claim.
    function claimOf(bytes32 id, uint256 index) external view returns (Claim memory);

    /// @notice What the proof of a claimed or next segment must say. Refuses other segments, and settled ones of a `Proven` job,
    /// whose ends are in the events only.
    /// @param id The job.
    /// @param index The segment.
    /// @return The segment, as the verifier is asked about it.
    function segmentOf(bytes32 id, uint256 index) external view returns (Segment memory);

    /// @notice Whether a drawn segment must still be proven.
    /// @param id The job.
    /// @param index The segment.
    /// @return Whether it is drawn, or all are due, and not proven.
    function isDue(bytes32 id, uint256 index) external view returns (bool);

    /// @notice Price of a segment if an open job were accepted now. The time for which a provider held the job does not count.
    /// @param id The job.
    /// @return The price of a segment.
    function priceOf(bytes32 id) external view returns (uint256);

    /// @notice Id of the job that these terms make.
    /// @param requester Who pays for the job.
    /// @param nonce The requester's nonce.
    /// @param terms Everything that is agreed.
    /// @return The id.
    function idOf(address requester, uint256 nonce, Terms calldata terms) external view returns (bytes32);

    /// @notice What an account can withdraw.
    /// @param account The account.
    /// @return How much.
    function owed(address account) external view returns (uint256);

    /// @notice Whether a signer's nonce is used or cancelled.
    /// @param signer Whose signature it is, or should be.
    /// @param nonce The nonce.
    /// @return Whether it is.
    function nonceUsed(address signer, uint256 nonce) external view returns (bool);

    /// @notice What the requester of an offer signs.
    /// @param offer The offer; its signature does not count.
    /// @param terms Everything that is agreed.
    /// @return The EIP-712 digest.
    function offerDigest(Offer calldata offer, Terms calldata terms) external view returns (bytes32);

    /// @notice What a member of a team signs.
    /// @param id The job.
    /// @param lead Lead of the team.
    /// @param seat The place; its signature does not count.
    /// @param minPrice The least price of a segment that is taken.
    /// @return The EIP-712 digest.
    function consentDigest(bytes32 id, address lead, Seat calldata seat, uint256 minPrice)
        external
        view
        returns (bytes32);

    /// @notice What a data owner signs.
    /// @param dataset Digest of the data set.
    /// @param requester Who pays for the job.
    /// @param licence The licence; its signature does not count.
    /// @return The EIP-712 digest.
    function licenceDigest(bytes32 dataset, address requester, Licence calldata licence) external view returns (bytes32);

    /// @notice What a validator signs, with the key of its account.
    /// @param attestation What is attested.
    /// @return The EIP-712 digest.
    function attestationDigest(Attestation calldata attestation) external view returns (bytes32);

    /// @notice What a validator's vote on a task is about now.
    /// @param id The job.
    /// @param task What was asked.
    /// @param index The segment, or 0 for tasks that are about none.
    /// @param verdict The answer.
    /// @return Digest of the parameters, or of the delivery, that the question is about.
    function subjectOf(bytes32 id, Task task, uint32 index, bytes32 verdict) external view returns (bytes32);
}
