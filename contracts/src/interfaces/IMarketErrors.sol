// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, State} from "../market/Types.sol";

/// @notice A term that can be out of bounds.
enum Term {
    Rows,
    Segments,
    Rates,
    Price,
    Ramp,
    LastShare,
    Bond,
    HandBackFee,
    ChallengeBond,
    OpenSecs,
    StartSecs,
    RunSecs,
    WindowSecs,
    AnswerSecs,
    RevealSecs,
    ProveSecs,
    DeliverSecs,
    ComplainSecs,
    DecideSecs,
    Draws,
    SecretHash,
    MaxPending,
    Members,
    Threshold,
    Fee,
    Stake,
    MemberOrder
}

/// @title Why the market refuses.
interface IMarketErrors {
    /// @notice The job is in a state in which this cannot be done.
    error WrongState(bytes32 job, State state);
    /// @notice The job's assurance level knows no such step.
    error WrongLevel(Assurance level);
    /// @notice Only the requester of the job may do this.
    error NotRequester(address caller);
    /// @notice Only the owner that trains, or one of its hot keys, may do this.
    error NotProvider(address caller);
    /// @notice The time for this is over.
    error TooLate(uint256 until);
    /// @notice The time for this has not come; it comes after this second, or block.
    error TooEarly(uint256 until);

    /// @notice A term is out of its bounds.
    error BadTerm(Term term);
    /// @notice The contract at this address does not have the code that the terms name.
    error CodeChanged(address account);
    /// @notice The verifier's set-up is not secure, and this is not the local chain.
    error InsecureVerifier(address verifier);
    /// @notice The data set is not registered as the terms say.
    error DatasetMismatch(bytes32 dataset);
    /// @notice The parent is not an ended job of this requester that stopped at these parameters.
    error BadParent(bytes32 parent);
    /// @notice The signer has used or cancelled this nonce.
    error NonceUsed(address signer, uint256 nonce);
    /// @notice The signature was good until then.
    error SignatureExpired(uint256 expiry);
    /// @notice This is not the signer's signature of this message.
    error BadSignature(address signer);
    /// @notice The offer is for another provider.
    error OfferForAnother(address provider);

    /// @notice The price has not come up to what the provider asks.
    error PriceTooLow(uint256 price, uint256 asked);
    /// @notice The account has no registered node with this role.
    error NotRegistered(address owner, uint8 role);
    /// @notice Seats: 1 to 16, the lead first, shares that make a whole, bonds that make the bond.
    error BadTeam();
    /// @notice This member of the team brings no bond.
    error NoBond(address owner);

    /// @notice Another segment is next.
    error WrongIndex(uint256 expected, uint256 got);
    /// @notice The segment is not waiting for this.
    error NotPending(uint256 index);
    /// @notice More segments than may be claimed, or wait for payment, at once.
    error TooManyClaims(uint256 most);
    /// @notice The proof is of other last parameters than were claimed.
    error WrongLast(bytes32 claimed, bytes32 proven);
    /// @notice No segment can be paid yet.
    error NothingToSettle();
    /// @notice There is a challenge to be answered first.
    error ChallengeOpen();
    /// @notice Nobody challenged this segment.
    error NoChallenge(uint256 index);
    /// @notice Nobody attested yet that the opening of this claim was published.
    error NotOpened(uint256 index);

    /// @notice The secret does not have the hash of the terms.
    error WrongSecret();
    /// @notice The block's hash can no longer be read.
    error HashLost();
    /// @notice The block's hash is stored already.
    error HashStored();

    /// @notice The committee has no such member.
    error NotMember(uint256 place);
    /// @notice The account is not in the committee.
    error NotValidator(address account);
    /// @notice The member has voted on this.
    error AlreadyVoted(address validator);
    /// @notice No such verdict can be given on this.
    error BadVerdict(bytes32 verdict);
    /// @notice The member does not have the stake that its word needs.
    error StakeBehindWord(address validator, uint256 free, uint256 needed);
    /// @notice The two attestations do not contradict each other.
    error NoContradiction();
    /// @notice The member has lost its stake for this already.
    error AlreadyReported(address validator);

    /// @notice The provider has handed nothing over.
    error NothingDelivered();
    /// @notice There is nothing to pay.
    error NothingOwed(address account);
}
