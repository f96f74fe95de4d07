// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDatasetRegistry} from "../registry/interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "../registry/interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @notice Where a job stands. From `Cancelled` on, nothing changes any more. Where several causes meet, the later name is the end.
enum State {
    None,
    Open,
    Assigned,
    Running,
    Cancelled,
    Completed,
    Stopped,
    Left,
    Slashed
}

/// @notice Where a batch stands. It is computed from the job's counters and the batch's record: nothing stores it.
enum BatchState {
    /// Not closed yet.
    Filling,
    /// Closed; the draw is not made.
    Drawing,
    /// What is due is known: it is proven, challenged, and then waited for.
    Proving,
    /// The committee decides a complaint.
    Disputed,
    /// Paid, returned or burnt.
    Settled,
    /// The job ends before it.
    Void
}

/// @notice What became of the complaint about a batch.
enum Verdict {
    None,
    Pending,
    Yes,
    No,
    /// Nobody decided in time.
    Nothing
}

/// @notice What is trained, and who checks it.
struct Training {
    address verifier;
    /// Hash of the verifier's code. It includes the key and the set-up, which are immutables of it.
    bytes32 verifierCode;
    address halo2;
    bytes32 halo2Code;
    /// Digest of the graph. Both parties compare it with the verifier's key.
    bytes32 graph;
    /// What an evaluation is about. No program uses it: zero.
    bytes32 subject;
    /// Seed of the order of positions. No program uses it: zero.
    bytes32 order;
    /// Whether a segment starts where the one before it ended. Otherwise each starts from `first`.
    bool chained;
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
    /// The lead's bond: at least the price of a batch.
    uint128 bond;
    /// Burnt from bond and escrow, each, if a provider accepts and does not start. Paid to the lead if the requester stops.
    uint128 handBackFee;
    /// Bond of a challenger, and of a member for each claim that it takes: at least the cost of a proof.
    uint128 challengeBond;
    /// Bond of a complaint: at least what the committee's members are paid.
    uint128 complaintBond;
}

/// @notice Durations in seconds.
struct Times {
    uint32 openSecs;
    /// From a hand-back until the job can be accepted again.
    uint32 reopenSecs;
    uint32 startSecs;
    /// In which the next batch is closed; otherwise anyone may end the job.
    uint32 batchSecs;
    /// After which a member may close in the lead's place.
    uint32 closeSecs;
    uint32 revealSecs;
    /// For the proofs of a batch, and once more for late ones.
    uint32 proveSecs;
    /// For each proof beside it.
    uint32 eachSecs;
    /// In which claims of a drawn batch can be challenged.
    uint32 windowSecs;
    uint32 complainSecs;
    uint32 decideSecs;
}

/// @notice How a job is cut into batches, and how many of a batch's segments are proven.
struct Batches {
    /// Segments of a batch, k.
    uint8 deliverEvery;
    /// Segments of a batch that must be proven, d.
    uint8 draws;
    /// Batches that may be closed and not settled.
    uint8 ahead;
    /// Tip of the chain of the requester's secrets: keccak256, b + 1 times, of the secret of batch b. Zero where d = k.
    bytes32 tip;
}

/// @notice Validators that decide complaints of this job.
struct Committee {
    address[] members;
    /// Words that decide: of half of the members, rounded down, and one more.
    uint8 threshold;
    /// Paid to each member that decides.
    uint128 fee;
    /// Free stake of each member that backs the job until it has ended and the unbonding time has passed. A member that contradicts
    /// itself loses it.
    uint128 stake;
}

/// @notice Everything that is agreed. Its digest is part of the job's id.
struct Terms {
    Training training;
    Price price;
    Times times;
    Batches batches;
    Committee committee;
    /// Who may train: zero for anyone, an address, or the root of a Merkle tree of addresses.
    bytes32 providers;
    /// Job that this one goes on from, or zero.
    bytes32 parent;
    /// Whether it starts from fresh commitments instead of the parent's.
    bool rebased;
}

/// @notice A job's state. Counts are of segments: claimed ≥ closed ≥ settled, and none is over total.
/// @dev What a proof reads stands together in two words.
struct Job {
    /// Lead of the team, the owner that a proof names.
    address owner;
    State state;
    uint16 total;
    uint16 claimed;
    uint16 closed;
    uint16 settled;
    /// Secrets that are known: that of batch `known` - 1 and all before it.
    uint16 known;
    /// As in the terms.
    bool chained;
    /// As in the terms, with the shape that it says of itself.
    address verifier;
    uint32 stepRows;
    uint32 steps;
    /// The one learning rate of the terms, or zero where they have several.
    uint32 rate;
    address requester;
    bool stopped;
    bool left;
    bool failed;
    uint8 handBacks;
    /// Complaints that are not decided.
    uint8 complaints;
    /// Seats that were taken so far.
    uint8 seats;
    /// When the present state's time is over: Open, Assigned.
    uint40 deadline;
    uint40 openedAt;
    /// From when the price grows: later than `openedAt` by the time for which providers held the job and did not start.
    uint40 rampFrom;
    /// From when the job can be accepted.
    uint40 acceptFrom;
    /// Latest of start, last close, last settlement that made room, last end of a complaint, the stop that
    /// filled a batch.
    uint40 progressAt;
    /// When the batch being filled was fully claimed, if it is.
    uint40 fullAt;
    /// Ends of the queues of proofs: of what was drawn, and of what was challenged.
    uint40 queueUntil;
    uint40 challengesUntil;
    /// Who challenged first in the batch for which the job is slashed, of claims that are not proven; or zero.
    address failedTo;
    uint40 failedAt;
    uint40 endedAt;
    address royaltyTo;
    /// Price of a segment, and the royalty in it; fixed when the job is accepted.
    uint128 price;
    uint128 royalty;
    /// Tokens of the job that nobody was credited with.
    uint128 escrow;
    /// Price of the batches that were paid.
    uint128 paid;
    /// By the licence: flat fee, and least royalty of a segment.
    uint128 licenceFee;
    uint128 minRoyalty;
    /// By the licence: who may train, as in the terms.
    bytes32 licensed;
    /// Secret of batch `known` - 1, or the tip.
    bytes32 secret;
    /// Digest at the end of the last paid batch, or the first one.
    bytes32 current;
}

/// @notice Record of a batch. A mask has a bit for each segment.
struct Batch {
    uint64 drawn;
    uint64 proven;
    uint64 challenged;
    /// Claims that a member took, once.
    uint64 taken;
    /// Four bits a segment: the seat that is paid for its proof, or zero for the lead.
    uint256 holders;
    /// Zero: it is not closed.
    uint40 closedAt;
    /// Last second for what was drawn; then `proveSecs` for late proofs.
    uint40 until;
    /// Last second for challenges.
    uint40 windowUntil;
    /// Block whose hash draws: the first one, then the late one.
    uint48 drawBlock;
    /// When the late block was fixed, or zero.
    uint40 lateAt;
    /// Whether what is due is known.
    bool known;
    /// Whether a late proof has cost its tenth.
    bool late;
    bool acknowledged;
    /// Digest of the encrypted weights at its end.
    bytes32 root;
    /// Running hash of the claims, where it draws or names the end.
    bytes32 claims;
    /// Pay of seats that is promised (d < k).
    uint128 reserved;
}

/// @notice A challenge that is not answered.
struct Challenge {
    address by;
    /// Last second for the proof; then `proveSecs` for a late one.
    uint40 until;
}

/// @notice A claim that a member took to prove.
struct Take {
    uint40 until;
    /// A proof before this block pays the lead.
    uint48 fromBlock;
    uint8 seat;
    /// Whether it lapsed and gave its part of the batch's pay back.
    bool released;
}

/// @notice A member of the team.
struct Seat {
    address owner;
    /// Claims that it took and that are not resolved.
    uint8 open;
    bool gone;
    /// For each proof of a claim that it took.
    uint128 pay;
}

/// @notice The complaint about a batch.
struct Complaint {
    uint40 since;
    uint40 until;
    Verdict verdict;
    /// Whether a root was added.
    bool added;
    /// Members of the committee, by their place.
    uint16 yes;
    uint16 no;
    /// Seats that added a root; bit 0 is the lead.
    uint16 adders;
    /// Fees that were paid from the batch's price.
    uint128 fees;
}

/// @notice A seat that the lead offers to a member. The member brings it.
struct SeatOffer {
    uint128 pay;
    uint128 bond;
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice A validator's consent to a place in the committee. It names the job, so that it serves once.
struct Consent {
    /// Key that will sign its words.
    address key;
    uint256 expiry;
    /// That it may see the data, if the licence says who may.
    bytes32[] path;
    bytes signature;
}

/// @notice A data owner's signed licence.
struct Licence {
    /// Who may see the data: as `Terms.providers`, and for the committee as well.
    bytes32 providers;
    /// Paid at the start.
    uint128 fee;
    /// Least royalty of a segment.
    uint128 minRoyalty;
    /// Most segments of the job.
    uint32 mostSegments;
    /// keccak256 of the encoded terms that it is for, as in the job's id, or zero for any.
    bytes32 terms;
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice A requester's signed offer.
struct Offer {
    address requester;
    /// Provider that may bring it, or zero for any.
    address provider;
    /// What the data owner signed (`licenceDigest`): the licence that comes with it, and its fee. Zero where there is no data set.
    bytes32 licence;
    uint256 nonce;
    uint256 expiry;
    bytes signature;
}

/// @notice Merkle paths of an account: in the terms' tree of providers, and in the licence's.
struct Paths {
    bytes32[] terms;
    bytes32[] licence;
}

/// @notice What a validator signs: whether the opening that it was shown is that of `last`, the end of the batch, and can be fetched.
struct Attestation {
    bytes32 job;
    uint32 batch;
    bytes32 last;
    bool yes;
}

/// @notice Storage of the market.
struct Store {
    IERC20 token;
    IStakeVault vault;
    INodeRegistry nodes;
    IDatasetRegistry datasets;
    mapping(bytes32 job => Job) jobs;
    mapping(bytes32 job => Terms) terms;
    mapping(bytes32 job => mapping(uint256 index => bytes32)) claims;
    mapping(bytes32 job => mapping(uint256 batch => Batch)) batches;
    mapping(bytes32 job => mapping(uint256 index => Challenge)) challenges;
    mapping(bytes32 job => mapping(uint256 index => Take)) takes;
    mapping(bytes32 job => mapping(uint256 number => Seat)) seats;
    mapping(bytes32 job => mapping(uint256 batch => Complaint)) complaints;
    /// Roots that lead and members added behind a complaint.
    mapping(bytes32 job => mapping(uint256 batch => mapping(bytes32 root => bool))) roots;
    /// Keys that sign the words of the committee's members, by their place.
    mapping(bytes32 job => address[]) keys;
    /// Members of the committee whose stake backs the job, by their place.
    mapping(bytes32 job => uint16) backed;
    mapping(address account => uint256) owed;
    mapping(address signer => mapping(uint256 nonce => bool)) used;
    mapping(address requester => mapping(bytes32 tip => bool)) tips;
}
