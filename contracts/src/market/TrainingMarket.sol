// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Segment} from "../core/interfaces/ISegmentVerifier.sol";
import {IDatasetRegistry} from "../registry/interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "../registry/interfaces/INodeRegistry.sol";
import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Claims} from "./Claims.sol";
import {Complaints} from "./Complaints.sol";
import {Draws} from "./Draws.sol";
import {Guards} from "./Guards.sol";
import {BatchView, ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {IStakeVault, Permit} from "./interfaces/IStakeVault.sol";
import {Leaving} from "./Leaving.sol";
import {Opening} from "./Opening.sol";
import {Proofs} from "./Proofs.sol";
import {Ready} from "./Ready.sol";
import {Rules} from "./Rules.sol";
import {Seats} from "./Seats.sol";
import {Segments} from "./Segments.sol";
import {StakeVault} from "./StakeVault.sol";
import {Starting} from "./Starting.sol";
import {Typed} from "./Typed.sol";
import {
    Attestation,
    Challenge,
    Consent,
    Job,
    Licence,
    Offer,
    Paths,
    Seat,
    SeatOffer,
    Store,
    Take,
    Terms
} from "./Types.sol";
import {Views} from "./Views.sol";

/// @title Jobs: who is paid for what, and when. See `ITrainingMarket`.
/// @dev The steps are in the libraries beside it, one file a phase, over one storage. Every entry that writes is guarded against
/// being entered again, and writes its state before it calls another contract.
contract TrainingMarket is ITrainingMarket, ReentrancyGuardTransient, EIP712, Multicall {
    Store private s;

    /// @param token_ Plain ERC-20 of all amounts.
    /// @param nodes_ Register of owners and keys.
    /// @param datasets_ Register of data sets.
    constructor(IERC20 token_, INodeRegistry nodes_, IDatasetRegistry datasets_) EIP712("gradproof market", "2") {
        s.token = token_;
        s.nodes = nodes_;
        s.datasets = datasets_;
        s.vault = new StakeVault(token_);
    }

    /// @inheritdoc ITrainingMarket
    function open(
        Terms calldata terms,
        uint256 nonce,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit
    ) external nonReentrant returns (bytes32 id) {
        return Opening.open(s, terms, nonce, licence, consents, permit, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function openAndAccept(
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit,
        uint256 minPrice,
        Paths calldata paths
    ) external nonReentrant returns (bytes32 id) {
        id = Opening.openOffered(s, terms, offer, licence, consents, permit, _domainSeparatorV4());
        Starting.accept(s, id, minPrice, paths);
    }

    /// @inheritdoc ITrainingMarket
    function cancel(bytes32 id) external nonReentrant {
        Opening.cancel(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function accept(bytes32 id, uint256 minPrice, Paths calldata paths) external nonReentrant {
        Starting.accept(s, id, minPrice, paths);
    }

    /// @inheritdoc ITrainingMarket
    function decline(bytes32 id) external nonReentrant {
        Starting.decline(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function start(bytes32 id) external nonReentrant {
        Starting.start(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function quit(bytes32 id, uint256 number) external nonReentrant {
        Seats.quit(s, id, number);
    }

    /// @inheritdoc ITrainingMarket
    function claim(bytes32 id, uint256 index, bytes32[] calldata lasts) external nonReentrant {
        Claims.claim(s, id, index, lasts);
    }

    /// @inheritdoc ITrainingMarket
    function claimProven(bytes32 id, uint256 index, bytes calldata proof) external nonReentrant {
        Claims.claimProven(s, id, index, proof);
    }

    /// @inheritdoc ITrainingMarket
    function close(bytes32 id, uint256 batch, bytes32 root, uint256 seat) external nonReentrant {
        Claims.close(s, id, batch, root, seat);
    }

    /// @inheritdoc ITrainingMarket
    function reveal(bytes32 id, uint256 batch, bytes32 secret) external nonReentrant {
        Draws.reveal(s, id, batch, secret);
    }

    /// @inheritdoc ITrainingMarket
    function fixLate(bytes32 id, uint256 batch, uint256 seat) external nonReentrant {
        Draws.fixLate(s, id, batch, seat);
    }

    /// @inheritdoc ITrainingMarket
    function drawLate(bytes32 id, uint256 batch) external nonReentrant {
        Draws.drawLate(s, id, batch);
    }

    /// @inheritdoc ITrainingMarket
    function take(bytes32 id, uint256 index, bytes32 last, uint256 seat) external nonReentrant {
        Seats.take(s, id, index, last, seat);
    }

    /// @inheritdoc ITrainingMarket
    function prove(bytes32 id, uint256 index, bytes calldata proof) external nonReentrant {
        Proofs.prove(s, id, index, proof);
    }

    /// @inheritdoc ITrainingMarket
    function challenge(bytes32 id, uint256 index, bytes32 last) external nonReentrant {
        Proofs.challenge(s, id, index, last);
    }

    /// @inheritdoc ITrainingMarket
    function fail(bytes32 id, uint256 index) external nonReentrant {
        Proofs.fail(s, id, index);
    }

    /// @inheritdoc ITrainingMarket
    function reclaim(bytes32 id, uint256 index) external nonReentrant {
        Seats.reclaim(s, id, index);
    }

    /// @inheritdoc ITrainingMarket
    function acknowledge(bytes32 id, uint256 batch, bytes32 last, bytes32 root) external nonReentrant {
        Complaints.acknowledge(s, id, batch, last, root);
    }

    /// @inheritdoc ITrainingMarket
    function complain(bytes32 id, uint256 batch, bytes32 last, bytes32 root) external nonReentrant {
        Complaints.complain(s, id, batch, last, root);
    }

    /// @inheritdoc ITrainingMarket
    function addRoot(bytes32 id, uint256 batch, bytes32 root, uint256 seat) external nonReentrant {
        Complaints.addRoot(s, id, batch, root, seat);
    }

    /// @inheritdoc ITrainingMarket
    function attest(bytes32 id, uint256 batch, bool yes, uint256 place, bytes calldata signature)
        external
        nonReentrant
    {
        Complaints.attest(s, id, batch, yes, place, signature, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function lapse(bytes32 id, uint256 batch) external nonReentrant {
        Complaints.lapse(s, id, batch);
    }

    /// @inheritdoc ITrainingMarket
    function reclaimComplaint(bytes32 id, uint256 batch) external nonReentrant {
        Complaints.reclaim(s, id, batch);
    }

    /// @inheritdoc ITrainingMarket
    function unback(bytes32 id) external nonReentrant {
        Complaints.unback(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function settle(bytes32 id) external nonReentrant {
        Books.settle(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function stop(bytes32 id, uint256 total) external nonReentrant {
        Leaving.stop(s, id, total);
    }

    /// @inheritdoc ITrainingMarket
    function abandon(bytes32 id) external nonReentrant {
        Leaving.abandon(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function join(bytes32 id, SeatOffer calldata offer, Paths calldata paths)
        external
        nonReentrant
        returns (uint256 number)
    {
        return Seats.join(s, id, offer, paths, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function contradict(bytes32 id, uint32 batch, bytes32 last, uint256 place, bytes calldata yes, bytes calldata no)
        external
        nonReentrant
    {
        Complaints.contradict(s, id, batch, last, place, yes, no, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function withdraw(address account) external nonReentrant returns (uint256 amount) {
        amount = s.owed[account];
        if (amount == 0) revert NothingOwed(account);
        s.owed[account] = 0;
        address payee = s.vault.payeeOf(account);
        emit Withdrawn(account, payee, amount);
        SafeERC20.safeTransfer(s.token, payee, amount);
    }

    /// @inheritdoc ITrainingMarket
    function cancelNonce(uint256 nonce) external nonReentrant {
        Guards.spend(s, msg.sender, nonce);
    }

    /// @inheritdoc ITrainingMarket
    function token() external view returns (IERC20) {
        return s.token;
    }

    /// @inheritdoc ITrainingMarket
    function vault() external view returns (IStakeVault) {
        return s.vault;
    }

    /// @inheritdoc ITrainingMarket
    function nodes() external view returns (INodeRegistry) {
        return s.nodes;
    }

    /// @inheritdoc ITrainingMarket
    function datasets() external view returns (IDatasetRegistry) {
        return s.datasets;
    }

    /// @inheritdoc ITrainingMarket
    function jobOf(bytes32 id) external view returns (Job memory) {
        return s.jobs[id];
    }

    /// @inheritdoc ITrainingMarket
    function termsOf(bytes32 id) external view returns (Terms memory) {
        return s.terms[id];
    }

    /// @inheritdoc ITrainingMarket
    function batchOf(bytes32 id, uint256 batch) external view returns (BatchView memory) {
        return Views.batchOf(s, id, batch);
    }

    /// @inheritdoc ITrainingMarket
    function claimsOf(bytes32 id, uint256 from, uint256 count) external view returns (bytes32[] memory) {
        return Views.claimsOf(s, id, from, count);
    }

    /// @inheritdoc ITrainingMarket
    function seatOf(bytes32 id, uint256 number) external view returns (Seat memory) {
        return s.seats[id][number];
    }

    /// @inheritdoc ITrainingMarket
    function challengeOf(bytes32 id, uint256 index) external view returns (Challenge memory) {
        return s.challenges[id][index];
    }

    /// @inheritdoc ITrainingMarket
    function takeOf(bytes32 id, uint256 index) external view returns (Take memory) {
        return s.takes[id][index];
    }

    /// @inheritdoc ITrainingMarket
    function committeeOf(bytes32 id) external view returns (address[] memory keys, uint256 backed) {
        return (s.keys[id], s.backed[id]);
    }

    /// @inheritdoc ITrainingMarket
    function segmentOf(bytes32 id, uint256 index) external view returns (Segment memory) {
        return Segments.build(s, id, index);
    }

    /// @inheritdoc ITrainingMarket
    function closableAfter(bytes32 id) external view returns (uint256) {
        return Views.closableAfter(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function readyOf(bytes32 id) external view returns (bytes[] memory) {
        return Ready.callsOf(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function priceOf(bytes32 id) external view returns (uint256) {
        return Starting.priceNow(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function idOf(address requester, uint256 nonce, Terms calldata terms) external view returns (bytes32) {
        return Typed.job(requester, nonce, Typed.terms(terms));
    }

    /// @inheritdoc ITrainingMarket
    function owed(address account) external view returns (uint256) {
        return s.owed[account];
    }

    /// @inheritdoc ITrainingMarket
    function nonceUsed(address signer, uint256 nonce) external view returns (bool) {
        return s.used[signer][nonce];
    }

    /// @inheritdoc ITrainingMarket
    function offerDigest(Offer calldata offer, Terms calldata terms) external view returns (bytes32) {
        return _hashTypedDataV4(Views.offerHash(offer, terms));
    }

    /// @inheritdoc ITrainingMarket
    function seatDigest(bytes32 id, address member, SeatOffer calldata offer) external view returns (bytes32) {
        return _hashTypedDataV4(Typed.seat(id, member, offer));
    }

    /// @inheritdoc ITrainingMarket
    function consentDigest(bytes32 id, address key, uint256 expiry) external view returns (bytes32) {
        return _hashTypedDataV4(Typed.consent(id, key, expiry));
    }

    /// @inheritdoc ITrainingMarket
    function licenceDigest(bytes32 dataset, address requester, Licence calldata licence)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(Typed.licence(dataset, requester, licence));
    }

    /// @inheritdoc ITrainingMarket
    function attestationDigest(Attestation calldata attestation) external view returns (bytes32) {
        return _hashTypedDataV4(Typed.attestation(attestation));
    }

    /// @inheritdoc ITrainingMarket
    function check(Terms calldata terms) external view {
        Opening.check(terms);
    }

    /// @inheritdoc ITrainingMarket
    function escrowOf(Terms calldata terms, uint128 licenceFee) external pure returns (uint256) {
        return Rules.escrow(terms, licenceFee);
    }
}
