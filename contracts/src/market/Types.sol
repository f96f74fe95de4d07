// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";

/// @notice Where a job stands. From `Cancelled` on, nothing changes any more.
enum State {
    None,
    Open,
    Assigned,
    Running,
    Drawing,
    Proving,
    Delivering,
    Handed,
    Disputed,
    Cancelled,
    Expired,
    Completed,
    Withheld,
    Defaulted,
    Slashed,
    Diverged
}

/// @notice What is paid without a proof.
enum Assurance {
    /// Nothing: each segment comes with its proof.
    Proven,
    /// All segments, if those that are drawn are proven.
    Sampled,
    /// A segment whose published opening nobody challenged in time.
    Optimistic
}

/// @notice What a member of the committee attests.
enum Task {
    /// The opening of a claimed segment was published and opens the claim. Verdict: yes.
    Opening,
    /// Training diverged in the next segment. Verdict: step << 32 | layer.
    Divergence,
    /// The handed weights can be fetched. Verdict: yes.
    Fetchable,
    /// Whether the weights that were opened to the committee are the last ones. Verdict: yes or no.
    Decision
}

/// @notice What is trained, and who checks it.
struct Training {
    address verifier;
    /// Hash of the verifier's code. It includes the key and the set-up, which are immutables of it.
    bytes32 verifierCode;
    address halo2;
    bytes32 halo2Code;
    /// Root of the tree of the data's columns.
    bytes32 dataRoot;
    uint64 rows;
    uint32 segments;
    /// Digest of the commitments to the first parameters.
    bytes32 first;
    /// Learning rates: `fromSegment << 32 | rate`, ascending, the first from segment 0.
    uint64[] rates;
    /// Registered data set, or zero.
    bytes32 dataset;
    /// Part of each paid segment's price that is the set's royalty.
    uint16 royaltyBps;
}

/// @notice Amounts, in the smallest unit of the token.
struct Price {
    /// Price of a segment when the job is posted.
    uint128 start;
    /// Price of a segment after `rampSecs`: it grows evenly.
    uint128 max;
    uint32 rampSecs;
    /// Part of each segment's price that is held back for the delivery.
    uint16 lastShareBps;
    uint128 bond;
    /// Burnt from the bond of a provider that accepts and does not start.
    uint128 handBackFee;
    /// Bond of a challenger: at least the cost of a proof.
    uint128 challengeBond;
}

/// @notice Durations in seconds. The time at which one ends is fixed when its phase starts.
struct Times {
    uint32 openSecs;
    uint32 startSecs;
    uint32 runSecs;
    uint32 windowSecs;
    /// For a challenge, times the number of open ones.
    uint32 answerSecs;
    uint32 revealSecs;
    /// For a drawn segment, times their number.
    uint32 proveSecs;
    uint32 deliverSecs;
    uint32 complainSecs;
    uint32 decideSecs;
}

/// @notice The assurance level and its numbers.
struct Checks {
    Assurance level;
    /// Segments that are drawn (`Sampled`).
    uint8 draws;
    /// Claims that may wait for payment at once (`Optimistic`).
    uint8 maxPending;
    /// keccak256 of the requester's secret (`Sampled`).
    bytes32 secretHash;
}

/// @notice Validators that attest for this job.
struct Committee {
    address[] members;
    uint8 threshold;
    /// Paid to `threshold` members a task: the first that attest an opening or a delivery; of a divergence or a decision those
    /// whose verdict stands.
    uint128 fee;
    /// Free stake that a member must have when it attests, that backs no bond while a window is open, and that it loses if it
    /// contradicts itself.
    uint128 stake;
}

/// @notice Everything that is agreed. Its digest is part of the job's id.
struct Terms {
    Training training;
    Price price;
    Times times;
    Checks checks;
    Committee committee;
    /// Job that this one goes on from, or zero.
    bytes32 parent;
    /// Whether it starts from fresh commitments instead of the parent's.
    bool rebased;
}

/// @notice A job's state.
struct Job {
    address requester;
    State state;
    bool diverged;
    bool delivered;
    /// Whether all open segments must be proven, because the block's hash is lost.
    bool allDue;
    uint8 openChallenges;
    uint40 openedAt;
    /// Lead of the team, the owner that a proof names.
    address owner;
    /// When the present state's time is over.
    uint40 deadline;
    /// Segments of the job; fewer than the terms' after a divergence.
    uint16 total;
    uint16 claimed;
    uint16 settled;
    /// Drawn segments that are not proven yet.
    uint16 due;
    uint32 batch;
    uint32 steps;
    uint64 drawBlock;
    /// From when the price grows: later than `openedAt` by the time for which providers held the job and did not start.
    uint40 rampFrom;
    /// Block from which on the job can be accepted, once it was handed back.
    uint64 acceptFrom;
    address royaltyTo;
    /// Price of a segment; fixed when the job is accepted.
    uint128 price;
    /// Tokens of the job that nobody was credited with.
    uint128 escrow;
    /// Part of the escrow: last shares of the settled segments.
    uint128 held;
    /// Part of the escrow: fees of the committee.
    uint128 fees;
    /// What the team has earned and not collected; not part of the escrow.
    uint128 earned;
    /// Digest of the commitments to the parameters after the settled segments.
    bytes32 current;
    /// Running hash of the claims.
    bytes32 claims;
    bytes32 drawHash;
    /// What the provider handed over.
    bytes32 delivery;
}

/// @notice A claimed segment.
struct Claim {
    bytes32 last;
    /// Zero: there is no open challenge.
    address challenger;
    uint40 answerUntil;
    /// Zero: nobody attested that the opening was published.
    uint40 windowUntil;
    bool proven;
}

/// @notice A place in a team.
struct Member {
    address owner;
    uint16 shareBps;
    uint128 bond;
}

/// @notice A member's signed consent to a place in a team. The lead comes first, and needs none.
struct Seat {
    Member member;
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice A data owner's signed licence.
struct Licence {
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice A requester's signed offer.
struct Offer {
    address requester;
    /// Provider that may take it, or zero for any.
    address provider;
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice What a validator signs, with the key of its account: ERC-1271 does not count.
struct Attestation {
    bytes32 job;
    Task task;
    uint32 index;
    bytes32 subject;
    bytes32 verdict;
}

/// @notice Votes on one question. Those count together that come within `Bounds.COUNT_SECS` of the first: then a count that is
/// not finished is over, and the next word begins another, so that no word decides when the stake behind it may be gone.
struct Votes {
    /// Members that voted in the present count, by their place in the committee.
    uint16 voted;
    /// Members that voted in a count before: their words count again only if they bring them.
    uint16 before;
    /// The last second of the present count, which is its name.
    uint40 until;
    mapping(uint256 until => mapping(bytes32 verdict => Side)) sides;
}

/// @notice Who gave one verdict.
struct Side {
    /// By their place in the committee.
    uint16 members;
    uint8 count;
}

/// @notice Who was paid for a task.
struct Bill {
    /// By their place in the committee.
    uint16 members;
    uint8 paid;
}

/// @notice Storage of the market.
struct Store {
    IERC20 token;
    IStakeVault vault;
    INodeRegistry nodes;
    IDatasetRegistry datasets;
    mapping(bytes32 job => Job) jobs;
    mapping(bytes32 job => Terms) terms;
    mapping(bytes32 job => Member[]) teams;
    mapping(bytes32 job => mapping(uint256 index => Claim)) claims;
    /// Drawn segments, one bit each.
    mapping(bytes32 job => mapping(uint256 word => uint256)) drawn;
    mapping(bytes32 question => Votes) votes;
    mapping(bytes32 task => Bill) bills;
    mapping(bytes32 question => mapping(address validator => bool)) contradicted;
    mapping(address account => uint256) owed;
    mapping(address signer => mapping(uint256 nonce => bool)) used;
}
