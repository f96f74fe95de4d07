// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Segment} from "../../core/interfaces/ISegmentVerifier.sol";
import {IDatasetRegistry} from "../../registry/interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "../../registry/interfaces/INodeRegistry.sol";
import {
    Attestation,
    Batch,
    BatchState,
    Challenge,
    Complaint,
    Consent,
    Job,
    Licence,
    Offer,
    Paths,
    Seat,
    SeatOffer,
    Take,
    Terms
} from "../Types.sol";
import {IMarketErrors} from "./IMarketErrors.sol";
import {IMarketEvents} from "./IMarketEvents.sol";
import {IStakeVault, Permit} from "./IStakeVault.sol";

/// @notice A batch, as `batchOf` tells it.
struct BatchView {
    BatchState state;
    uint256 from;
    uint256 end;
    /// Mask of what is due and not proven.
    uint64 due;
    /// Digest at its end, once it is closed.
    bytes32 last;
    /// Until when it can be complained about, or challenged.
    uint256 paidAfter;
    Batch record;
    Complaint complaint;
}

/// @title Jobs: who is paid for what, and when.
/// @notice A requester escrows the price of a training job; a lead backs it with a bond, trains, and claims segments. They are paid in
/// batches, in order, when what is due of a batch is proven and its weights are handed over. `docs/settlement.md` has the states
/// and what each costs.
///
/// Assumptions:
/// - The token is a plain ERC-20: it moves exactly what it is asked to move, does not change balances by itself, and has no
///   switch against single accounts that somebody would use against a party. Amounts that come in are measured.
/// - The verifier accepts a proof only if the statement holds. Terms pin its code, and with it the key and the set-up, and
///   the code of the halo2 verifier. Both parties rebuild that code and refuse a job that names another.
/// - The chain includes a transaction within the shortest duration of the terms, at a price below what it settles.
/// - Blocks' times are right to some seconds; no duration is under ten minutes.
/// - A block's proposer does not know the requester's secret when it makes the block that draws. Who makes the late block can choose
///   among draws, and not escape a challenge.
/// - Fewer than `threshold` members of a committee collude. `docs/settlement.md` says what they could do.
/// - Data, weights, blindings and seeds travel off chain, encrypted; the market sees commitments only.
/// - No account has a role here: nobody can stop, upgrade, or take anything out of the books.
interface ITrainingMarket is IMarketErrors, IMarketEvents {
    /// @notice Posts a job of the caller and escrows its highest price. A job with a parent is paid from what the caller is owed first,
    /// unless another account is paid for it.
    /// @param terms Everything that is agreed.
    /// @param nonce A nonce that the caller has not used.
    /// @param licence The data owner's licence, if the terms name a set.
    /// @param consents Consents of the committee's members, in their order.
    /// @param permit A permit of the token, or nothing.
    /// @return id The job.
    function open(
        Terms calldata terms,
        uint256 nonce,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit
    ) external returns (bytes32 id);

    /// @notice Posts the job of a signed offer, and accepts it. The offer names the licence.
    /// @param terms Everything that is agreed.
    /// @param offer The requester's signed offer.
    /// @param licence The data owner's licence, if the terms name a set.
    /// @param consents Consents of the committee's members, in their order.
    /// @param permit A permit of the token, or nothing.
    /// @param minPrice The least price of a segment that is taken.
    /// @param paths The caller's paths in the trees of providers.
    /// @return id The job.
    function openAndAccept(
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit,
        uint256 minPrice,
        Paths calldata paths
    ) external returns (bytes32 id);

    /// @notice Takes back an open job: the requester at any time, anyone when `openSecs` are over.
    /// @param id The job.
    function cancel(bytes32 id) external;

    /// @notice Accepts a job, at the price of now if that is at least `minPrice`, and locks the bond.
    /// @param id The job.
    /// @param minPrice The least price of a segment that is taken.
    /// @param paths The caller's paths in the trees of providers.
    function accept(bytes32 id, uint256 minPrice, Paths calldata paths) external;

    /// @notice Gives an accepted job back, for the fee: the lead at any time, anyone when `startSecs` are over.
    /// @param id The job.
    function decline(bytes32 id) external;

    /// @notice Starts: data, first weights and blindings are there and open the commitments. Lead only.
    /// @param id The job.
    function start(bytes32 id) external;

    /// @notice Takes a seat in the team that the lead signed for the caller.
    /// @param id The job.
    /// @param offer The signed seat.
    /// @param paths The caller's paths in the trees of providers.
    /// @return number The seat's number.
    function join(bytes32 id, SeatOffer calldata offer, Paths calldata paths) external returns (uint256 number);

    /// @notice Gives a seat up. Behind the end of a job it frees the seat's bond.
    /// @param id The job.
    /// @param number The seat.
    function quit(bytes32 id, uint256 number) external;

    /// @notice Claims segments from `index` on. Lead only.
    /// @param id The job.
    /// @param index The first of the segments.
    /// @param lasts Digests of the last parameters of each.
    function claim(bytes32 id, uint256 index, bytes32[] calldata lasts) external;

    /// @notice Claims the next segment by its proof, where all segments are proven. Lead only.
    /// @param id The job.
    /// @param index The segment.
    /// @param proof The proof.
    function claimProven(bytes32 id, uint256 index, bytes calldata proof) external;

    /// @notice Closes the next batch, and names the encrypted weights at its end. The lead, or a member after `closeSecs`.
    /// @param id The job.
    /// @param batch The batch.
    /// @param root Digest of the encrypted weights.
    /// @param seat The member's seat, or zero for the lead.
    function close(bytes32 id, uint256 batch, bytes32 root, uint256 seat) external;

    /// @notice Draws with the requester's secret, from 16 blocks after the close on, within `revealSecs`. Anyone may.
    /// @param id The job.
    /// @param batch The batch.
    /// @param secret Its secret.
    function reveal(bytes32 id, uint256 batch, bytes32 secret) external;

    /// @notice Fixes the late block, when no secret came within `revealSecs`: the team, or anyone a day later.
    /// @param id The job.
    /// @param batch The batch.
    /// @param seat The member's seat, or zero for the lead and for anyone.
    function fixLate(bytes32 id, uint256 batch, uint256 seat) external;

    /// @notice Draws with the hash of the late block. Anyone may; times of proofs and challenges run from this call.
    /// @param id The job.
    /// @param batch The batch.
    function drawLate(bytes32 id, uint256 batch) external;

    /// @notice Takes a claim to prove it: half of what is left of its time is the member's. It locks `challengeBond` of the seat's bond. A
    /// challenged claim is not taken when it is late, and none where a batch has failed.
    /// @param id The job.
    /// @param index The segment.
    /// @param last Its digest.
    /// @param seat The member's seat.
    function take(bytes32 id, uint256 index, bytes32 last, uint256 seat) external;

    /// @notice Proves a claim, of a closed batch or of the one being filled. Anyone may; who holds the claim is paid.
    /// @param id The job.
    /// @param index The segment.
    /// @param proof The proof.
    function prove(bytes32 id, uint256 index, bytes calldata proof) external;

    /// @notice Makes a claim due that was not drawn; locks the caller's bond, which goes to who holds the claim if the proof comes in
    /// time. The first claim that differs is the one to challenge: later ones may be proven from where it ends.
    /// @param id The job.
    /// @param index The segment.
    /// @param last Its digest.
    function challenge(bytes32 id, uint256 index, bytes32 last) external;

    /// @notice Says that a due claim was not proven, late time included. Anyone may.
    /// @param id The job.
    /// @param index The segment.
    function fail(bytes32 id, uint256 index) external;

    /// @notice Frees the bonds behind a claim that became void, or what a lapsed take was promised of the batch's pay. Anyone may.
    /// @param id The job.
    /// @param index The segment.
    function reclaim(bytes32 id, uint256 index) external;

    /// @notice Says that the weights of a batch arrived. Requester, or its hot key. Of an open complaint's bond a member's share is lost.
    /// @param id The job.
    /// @param batch The batch.
    /// @param last Digest at its end.
    /// @param root The root that served.
    function acknowledge(bytes32 id, uint256 batch, bytes32 last, bytes32 root) external;

    /// @notice Says that the weights of a batch did not arrive. Needs a committee, and the requester's stake for the bond.
    /// @param id The job.
    /// @param batch The batch.
    /// @param last Digest at its end.
    /// @param root A root that was named.
    function complain(bytes32 id, uint256 batch, bytes32 last, bytes32 root) external;

    /// @notice Names another root behind a complaint. The lead, and each member, once, also one that quit.
    /// @param id The job.
    /// @param batch The batch.
    /// @param root Digest of encrypted weights.
    /// @param seat The member's seat, or zero for the lead.
    function addRoot(bytes32 id, uint256 batch, bytes32 root, uint256 seat) external;

    /// @notice Brings the signed word of the member at `place` of the committee. Anyone may, in the second half of the time.
    /// @param id The job.
    /// @param batch The batch.
    /// @param yes The word.
    /// @param place Place in the committee.
    /// @param signature The signature of the key that the member named.
    function attest(bytes32 id, uint256 batch, bool yes, uint256 place, bytes calldata signature) external;

    /// @notice Ends a complaint that was not decided in time. Anyone may.
    /// @param id The job.
    /// @param batch The batch.
    function lapse(bytes32 id, uint256 batch) external;

    /// @notice Frees the bond of a complaint about a batch that became void. Anyone may.
    /// @param id The job.
    /// @param batch The batch.
    function reclaimComplaint(bytes32 id, uint256 batch) external;

    /// @notice Shows that a member signed both answers to one question: it loses the terms' stake, of which the caller gets a tenth.
    /// @param id The job.
    /// @param batch The batch.
    /// @param last What the question was about.
    /// @param place Place in the committee.
    /// @param yes The signature of one word.
    /// @param no The signature of the other.
    function contradict(bytes32 id, uint32 batch, bytes32 last, uint256 place, bytes calldata yes, bytes calldata no)
        external;

    /// @notice Frees the stake of the committee behind the end of a job. Anyone may.
    /// @param id The job.
    function unback(bytes32 id) external;

    /// @notice Pays, returns or burns the price of the next batch. Anyone may.
    /// @param id The job.
    function settle(bytes32 id) external;

    /// @notice Makes a job shorter. Requester, or its hot key.
    /// @param id The job.
    /// @param total Segments that it shall have; more where more is claimed.
    function stop(bytes32 id, uint256 total) external;

    /// @notice Leaves a job. The lead at any time, anyone when no batch was closed for `batchSecs`; and again, when the batch that was made
    /// shorter was not closed.
    /// @param id The job.
    function abandon(bytes32 id) external;

    /// @notice Pays what an account is owed, to the account that it named in the vault, or to itself. Anyone may.
    /// @param account The account.
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

    /// @notice A batch.
    /// @param id The job.
    /// @param batch The batch.
    /// @return Where it stands.
    function batchOf(bytes32 id, uint256 batch) external view returns (BatchView memory);

    /// @notice Digests of claims.
    /// @param id The job.
    /// @param from The first of them.
    /// @param count How many.
    /// @return Their digests; zero where nothing is claimed.
    function claimsOf(bytes32 id, uint256 from, uint256 count) external view returns (bytes32[] memory);

    /// @notice A seat.
    /// @param id The job.
    /// @param number The seat.
    /// @return Who has it.
    function seatOf(bytes32 id, uint256 number) external view returns (Seat memory);

    /// @notice An open challenge.
    /// @param id The job.
    /// @param index The segment.
    /// @return Who challenged, and until when the proof is in time.
    function challengeOf(bytes32 id, uint256 index) external view returns (Challenge memory);

    /// @notice An open take.
    /// @param id The job.
    /// @param index The segment.
    /// @return Whose it is, and until when.
    function takeOf(bytes32 id, uint256 index) external view returns (Take memory);

    /// @notice The committee: keys of its members' words, and who of them backs the job.
    /// @param id The job.
    /// @return keys Their keys, by place.
    /// @return backed Mask of places.
    function committeeOf(bytes32 id) external view returns (address[] memory keys, uint256 backed);

    /// @notice What the proof of a claimed or next segment must say.
    /// @param id The job.
    /// @param index The segment.
    /// @return The segment, as the verifier is asked about it.
    function segmentOf(bytes32 id, uint256 index) external view returns (Segment memory);

    /// @notice Until when only the lead closes the next batch, once it is full.
    /// @param id The job.
    /// @return The last second.
    function closableAfter(bytes32 id) external view returns (uint256);

    /// @notice Calls of the market that anyone can make about a job now, because its time has come: of the job, and one for each batch.
    /// @param id The job.
    /// @return The calls, encoded.
    function readyOf(bytes32 id) external view returns (bytes[] memory);

    /// @notice Price of a segment if an open job were accepted now. The time for which a provider held the job does not count.
    /// @param id The job.
    /// @return The price of a segment.
    function priceOf(bytes32 id) external view returns (uint256);

    /// @notice Refuses terms that are out of bounds, or name verifiers with other code. It does not look at data set, licence and
    /// parent, nor at what the verifiers say of themselves: `open` does. Who cannot train the job itself again should name a committee: without one there is
    /// no complaint.
    /// @param terms The terms.
    function check(Terms calldata terms) external view;

    /// @notice What a job holds at first.
    /// @param terms The terms.
    /// @param licenceFee The licence's flat fee.
    /// @return How much.
    function escrowOf(Terms calldata terms, uint128 licenceFee) external pure returns (uint256);

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

    /// @notice What a lead signs for a member.
    /// @param id The job.
    /// @param member The member.
    /// @param offer The seat; its signature does not count.
    /// @return The EIP-712 digest.
    function seatDigest(bytes32 id, address member, SeatOffer calldata offer) external view returns (bytes32);

    /// @notice What a member of the committee signs before the job is posted.
    /// @param id The job.
    /// @param key Key of its words.
    /// @param expiry The last second at which the job can be posted with it.
    /// @return The EIP-712 digest.
    function consentDigest(bytes32 id, address key, uint256 expiry) external view returns (bytes32);

    /// @notice What a data owner signs.
    /// @param dataset Digest of the data set.
    /// @param requester Who pays for the job.
    /// @param licence The licence; its signature does not count.
    /// @return The EIP-712 digest.
    function licenceDigest(bytes32 dataset, address requester, Licence calldata licence) external view returns (bytes32);

    /// @notice What a validator signs.
    /// @param attestation What is attested.
    /// @return The EIP-712 digest.
    function attestationDigest(Attestation calldata attestation) external view returns (bytes32);
}
