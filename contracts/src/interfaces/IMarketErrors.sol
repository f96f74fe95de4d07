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
    MemberOrder,
    Verifier
}

/// @title Why the market refuses.
interface IMarketErrors {
    /// @notice The job is in a state in which this cannot be done.
    /// @param job The job.
    /// @param state The state.
    error WrongState(bytes32 job, State state);
    /// @notice The job's assurance level knows no such step.
    /// @param level The job's level.
    error WrongLevel(Assurance level);
    /// @notice Only the requester of the job may do this.
    /// @param caller Who called.
    error NotRequester(address caller);
    /// @notice Only the owner that trains, or one of its hot keys, may do this.
    /// @param caller Who called.
    error NotProvider(address caller);
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
    /// @notice The parent is not an ended job of this requester that stopped at these parameters.
    /// @param parent The named parent.
    error BadParent(bytes32 parent);
    /// @notice The signer has used or cancelled this nonce.
    /// @param signer Whose signature it is, or should be.
    /// @param nonce The nonce.
    error NonceUsed(address signer, uint256 nonce);
    /// @notice The signature was good until then.
    /// @param expiry The last second at which it was good.
    error SignatureExpired(uint256 expiry);
    /// @notice This is not the signer's signature of this message. A member's word counts by the key of its account alone.
    /// @param signer Whose signature it is, or should be.
    error BadSignature(address signer);
    /// @notice The offer is for another provider.
    /// @param provider The provider that it is for.
    error OfferForAnother(address provider);

    /// @notice The price has not come up to what the provider asks.
    /// @param price Price of a segment.
    /// @param asked What the provider asks.
    error PriceTooLow(uint256 price, uint256 asked);
    /// @notice The account has no registered node with this role.
    /// @param owner The account.
    /// @param role The missing role.
    error NotRegistered(address owner, uint8 role);
    /// @notice Seats: 1 to 16, the lead first, shares that make a whole, bonds that make the bond.
    error BadTeam();
    /// @notice The lead brings less than half of the bond.
    /// @param bond What it brings.
    /// @param least The least that it must bring.
    error LeadBondTooSmall(uint256 bond, uint256 least);
    /// @notice This member of the team is in the job's committee, and would attest its own work.
    /// @param owner The member.
    error InCommittee(address owner);
    /// @notice This member of the team brings no bond.
    /// @param owner The member.
    error NoBond(address owner);

    /// @notice Another segment is next.
    /// @param expected The next segment.
    /// @param got The segment given.
    error WrongIndex(uint256 expected, uint256 got);
    /// @notice The segment is not waiting for this.
    /// @param index The segment.
    error NotPending(uint256 index);
    /// @notice No segment is claimed.
    error NoClaims();
    /// @notice More segments than may be claimed, or wait for payment, at once.
    /// @param most The most there may be.
    error TooManyClaims(uint256 most);
    /// @notice The claim is of other last parameters than the proof, or than the caller means.
    /// @param claimed What was claimed.
    /// @param given What the proof is of, or the caller means.
    error WrongLast(bytes32 claimed, bytes32 given);
    /// @notice No segment can be paid yet.
    error NothingToSettle();
    /// @notice There is a challenge to be answered first.
    error ChallengeOpen();
    /// @notice Nobody challenged this segment.
    /// @param index The segment.
    error NoChallenge(uint256 index);
    /// @notice Nobody attested yet that the opening of this claim was published.
    /// @param index The segment.
    error NotOpened(uint256 index);

    /// @notice The secret does not have the hash of the terms.
    error WrongSecret();
    /// @notice The block's hash can no longer be read.
    error HashLost();
    /// @notice The block's hash is stored already.
    error HashStored();

    /// @notice The committee has no such member.
    /// @param place The place.
    error NotMember(uint256 place);
    /// @notice The account is not in the committee.
    /// @param account The account.
    error NotValidator(address account);
    /// @notice The member has voted on this in the present count.
    /// @param validator The member.
    error AlreadyVoted(address validator);
    /// @notice The member's word was counted in a count that is over: only the member itself can bring it again.
    /// @param validator The member.
    error OldWord(address validator);
    /// @notice No such verdict can be given on this.
    /// @param verdict The answer.
    error BadVerdict(bytes32 verdict);
    /// @notice The member does not have the stake that its word needs.
    /// @param validator The member.
    /// @param free What it has.
    /// @param needed What is needed.
    error StakeBehindWord(address validator, uint256 free, uint256 needed);
    /// @notice The two attestations do not contradict each other.
    error NoContradiction();
    /// @notice The member was reported for this already: nothing more is taken, and it can bring
    /// no word on this any more.
    /// @param validator The member.
    error AlreadyReported(address validator);

    /// @notice The provider has handed nothing over.
    error NothingDelivered();
    /// @notice There is nothing to pay.
    /// @param account The account.
    error NothingOwed(address account);
}
