// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {State} from "../Types.sol";

/// @notice A term that can be out of bounds.
enum Term {
    Rows,
    Segments,
    Rates,
    Reserved,
    Price,
    Ramp,
    Bond,
    HandBackFee,
    ChallengeBond,
    ComplaintBond,
    OpenSecs,
    ReopenSecs,
    StartSecs,
    BatchSecs,
    CloseSecs,
    RevealSecs,
    ProveSecs,
    EachSecs,
    WindowSecs,
    ComplainSecs,
    DecideSecs,
    DeliverEvery,
    Draws,
    Ahead,
    Tip,
    Members,
    Threshold,
    Fee,
    Stake,
    MemberOrder,
    Verifier,
    LicenceFee,
    MinRoyalty
}

/// @title Why the market refuses.
interface IMarketErrors {
    /// @notice The job is in a state in which this cannot be done.
    /// @param job The job.
    /// @param state The state.
    error WrongState(bytes32 job, State state);
    /// @notice Only the requester of the job, or one of its hot keys, may do this.
    /// @param caller Who called.
    error NotRequester(address caller);
    /// @notice Only the lead, or one of its hot keys, may do this.
    /// @param caller Who called.
    error NotProvider(address caller);
    /// @notice Only the member that has this seat, or one of its hot keys, may do this.
    /// @param caller Who called.
    /// @param seat The seat.
    error NotMember(address caller, uint256 seat);
    /// @notice The time for this is over.
    /// @param until The last second at which it could be done.
    error TooLate(uint256 until);
    /// @notice The time for this has not come; it comes after this second, or block.
    /// @param until The last second, or block.
    error TooEarly(uint256 until);

    /// @notice A term is out of its bounds.
    /// @param term The term.
    error BadTerm(Term term);
    /// @notice The contract at this address does not have the code that the terms name, or none.
    /// @param account The account.
    error CodeChanged(address account);
    /// @notice The verifier's set-up is not secure, and this is not the local chain.
    /// @param verifier The verifier.
    error InsecureVerifier(address verifier);
    /// @notice The data set is not registered as the terms say.
    /// @param dataset Digest of the data set.
    error DatasetMismatch(bytes32 dataset);
    /// @notice The licence is for other terms, or for fewer segments, or not the one that the offer names.
    /// @param dataset Digest of the data set.
    error LicenceMismatch(bytes32 dataset);
    /// @notice The parent is not an ended job of this requester that was paid up to these parameters.
    /// @param parent The named parent.
    error BadParent(bytes32 parent);
    /// @notice The requester used this chain of secrets in another job.
    /// @param tip Its tip.
    error TipUsed(bytes32 tip);
    /// @notice The signer has used or cancelled this nonce.
    /// @param signer Whose signature it is, or should be.
    /// @param nonce The nonce.
    error NonceUsed(address signer, uint256 nonce);
    /// @notice The signature was good until then.
    /// @param expiry The last second at which it was good.
    error SignatureExpired(uint256 expiry);
    /// @notice This is not the signer's signature of this message.
    /// @param signer Whose signature it is, or should be.
    error BadSignature(address signer);
    /// @notice The offer is for another provider.
    /// @param provider The provider that it is for.
    error OfferForAnother(address provider);
    /// @notice Terms or licence do not admit this account.
    /// @param account The account.
    error NotAdmitted(address account);

    /// @notice The price has not come up to what the provider asks.
    /// @param price Price of a segment.
    /// @param asked What the provider asks.
    error PriceTooLow(uint256 price, uint256 asked);
    /// @notice The account has no registered node with this role.
    /// @param owner The account.
    /// @param role The missing role.
    error NotRegistered(address owner, uint8 role);
    /// @notice The account is in the job's committee, and would decide about its own work.
    /// @param owner The account.
    error InCommittee(address owner);
    /// @notice There are as many consents as members.
    /// @param expected How many members there are.
    /// @param got How many consents were given.
    error WrongConsents(uint256 expected, uint256 got);

    /// @notice Two members of the committee name one key for their words.
    /// @param key The key.
    error KeyTwice(address key);

    /// @notice A job has no more seats.
    /// @param most The most there may be.
    error TooManySeats(uint256 most);
    /// @notice The seat is paid more than is left for it.
    /// @param pay What it is paid.
    /// @param most What is left.
    error PayTooHigh(uint256 pay, uint256 most);
    /// @notice The seat has as many open takes as it may have, or as its bond covers.
    /// @param open How many it has.
    error TooManyTakes(uint256 open);
    /// @notice In a batch before this one something is due, or can still be challenged.
    /// @param batch That batch.
    error NotSafe(uint256 batch);

    /// @notice Another segment, or another batch, is next.
    /// @param expected The next one.
    /// @param got The one given.
    error WrongIndex(uint256 expected, uint256 got);
    /// @notice The segment is not waiting for this.
    /// @param index The segment.
    error NotPending(uint256 index);
    /// @notice The batch is not waiting for this.
    /// @param batch The batch.
    error NotWaiting(uint256 batch);
    /// @notice No segment is claimed.
    error NoClaims();
    /// @notice More segments than may be claimed.
    /// @param most The most there may be.
    error TooManyClaims(uint256 most);
    /// @notice The batch is not fully claimed.
    /// @param claimed What is claimed.
    /// @param needed What must be.
    error NotFull(uint256 claimed, uint256 needed);
    /// @notice As many batches are closed and not settled as may be.
    /// @param ahead How many.
    error NoRoom(uint256 ahead);
    /// @notice Where not all is proven, a claim comes before its proof.
    error OnlyClaims();
    /// @notice The claim is of other last parameters than the proof, or than the caller means.
    /// @param claimed What was claimed.
    /// @param given What the proof is of, or the caller means.
    error WrongLast(bytes32 claimed, bytes32 given);
    /// @notice Nobody named this root of the batch's weights.
    /// @param root The root.
    error WrongRoot(bytes32 root);
    /// @notice The batch is not closed.
    error NothingToSettle();
    /// @notice The batch's draw is not made.
    /// @param batch The batch.
    error NotDrawn(uint256 batch);
    /// @notice Segments of the batch are due and not proven.
    /// @param due Their mask.
    error NotProven(uint256 due);
    /// @notice A complaint is not decided.
    error ComplaintOpen();
    /// @notice The call would change nothing.
    /// @param total Segments of the job.
    error NothingChanges(uint256 total);

    /// @notice The secret is not of the requester's chain.
    error WrongSecret();
    /// @notice The block's hash can no longer be read.
    error HashLost();

    /// @notice The job has no committee, or the batch had its complaint.
    error NoComplaint();
    /// @notice The account has no such place in the committee, or its stake does not back the job any more.
    /// @param place The place.
    error NoPlace(uint256 place);
    /// @notice The member has voted on this.
    /// @param validator The member.
    error AlreadyVoted(address validator);
    /// @notice This seat has added its root.
    /// @param seat The seat.
    error AlreadyAdded(uint256 seat);
    /// @notice There is nothing to pay.
    /// @param account The account.
    error NothingOwed(address account);
}
