// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {Segment} from "./interfaces/ISegmentVerifier.sol";
import {IStakeVault, Permit} from "./interfaces/IStakeVault.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Attesting} from "./market/Attesting.sol";
import {Books} from "./market/Books.sol";
import {Bounds} from "./market/Bounds.sol";
import {Challenges} from "./market/Challenges.sol";
import {Clock} from "./market/Clock.sol";
import {Delivery} from "./market/Delivery.sol";
import {Guards} from "./market/Guards.sol";
import {Opening} from "./market/Opening.sol";
import {Running} from "./market/Running.sol";
import {Sampling} from "./market/Sampling.sol";
import {Segments} from "./market/Segments.sol";
import {Starting} from "./market/Starting.sol";
import {Typed} from "./market/Typed.sol";
import {Attestation, Claim, Job, Licence, Member, Offer, Seat, Store, Task, Terms} from "./market/Types.sol";
import {StakeVault} from "./StakeVault.sol";

/// @title Jobs: who is paid for what, and when. See `ITrainingMarket`.
/// @dev The steps are in the libraries of `market/`, one file a phase, over one storage. Every entry that writes is guarded
/// against being entered again, and writes its state before it calls another contract.
contract TrainingMarket is ITrainingMarket, ReentrancyGuardTransient, EIP712 {
    Store private s;

    /// @param token_ Plain ERC-20 of all amounts.
    /// @param nodes_ Register of owners and keys.
    /// @param datasets_ Register of data sets.
    constructor(IERC20 token_, INodeRegistry nodes_, IDatasetRegistry datasets_) EIP712("gradproof market", "1") {
        s.token = token_;
        s.nodes = nodes_;
        s.datasets = datasets_;
        s.vault = new StakeVault(token_, Bounds.UNBONDING_SECS);
    }

    /// @inheritdoc ITrainingMarket
    function open(Terms calldata terms, uint256 nonce, Licence calldata licence, Permit calldata permit)
        external
        nonReentrant
        returns (bytes32 id)
    {
        return Opening.open(s, terms, nonce, licence, permit, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function openAndAccept(
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Permit calldata permit,
        uint256 minPrice
    ) external nonReentrant returns (bytes32 id) {
        id = Opening.openOffered(s, terms, offer, licence, permit, _domainSeparatorV4());
        Starting.accept(s, id, minPrice);
    }

    /// @inheritdoc ITrainingMarket
    function cancel(bytes32 id) external nonReentrant {
        Opening.cancel(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function accept(bytes32 id, uint256 minPrice) external nonReentrant {
        Starting.accept(s, id, minPrice);
    }

    /// @inheritdoc ITrainingMarket
    function acceptAsTeam(bytes32 id, uint256 minPrice, Seat[] calldata seats) external nonReentrant {
        Starting.acceptAsTeam(s, id, minPrice, seats, _domainSeparatorV4());
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
    function claim(bytes32 id, uint256 index, bytes32[] calldata lasts) external nonReentrant {
        Running.claim(s, id, index, lasts);
    }

    /// @inheritdoc ITrainingMarket
    function prove(bytes32 id, uint256 index, bytes calldata proof) external nonReentrant {
        Running.prove(s, id, index, proof);
    }

    /// @inheritdoc ITrainingMarket
    function settle(bytes32 id) external nonReentrant {
        Running.settle(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function abandon(bytes32 id) external nonReentrant {
        Running.abandon(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function confirmOpening(bytes32 id, uint256 index, bytes32 last) external nonReentrant {
        Challenges.confirmOpening(s, id, index, last);
    }

    /// @inheritdoc ITrainingMarket
    function challenge(bytes32 id, uint256 index, bytes32 last) external nonReentrant {
        Challenges.challenge(s, id, index, last);
    }

    /// @inheritdoc ITrainingMarket
    function slash(bytes32 id, uint256 index) external nonReentrant {
        Challenges.slash(s, id, index);
    }

    /// @inheritdoc ITrainingMarket
    function keepHash(bytes32 id) external nonReentrant {
        Sampling.keepHash(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function reveal(bytes32 id, bytes32 secret) external nonReentrant {
        Sampling.reveal(s, id, secret);
    }

    /// @inheritdoc ITrainingMarket
    function attest(bytes32 id, Task task, uint32 index, bytes32 verdict, uint256 place, bytes calldata signature)
        external
        nonReentrant
    {
        Attesting.attest(s, Attestation(id, task, index, 0, verdict), place, signature, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function contradict(
        Attestation calldata a,
        bytes32 other,
        address validator,
        bytes calldata signature,
        bytes calldata otherSignature
    ) external nonReentrant {
        Attesting.contradict(s, a, other, validator, signature, otherSignature, _domainSeparatorV4());
    }

    /// @inheritdoc ITrainingMarket
    function deliver(bytes32 id, bytes32 digest) external nonReentrant {
        Delivery.deliver(s, id, digest);
    }

    /// @inheritdoc ITrainingMarket
    function acknowledge(bytes32 id) external nonReentrant {
        Delivery.acknowledge(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function complain(bytes32 id) external nonReentrant {
        Delivery.complain(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function advance(bytes32 id) external nonReentrant {
        Clock.advance(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function collect(bytes32 id) external nonReentrant {
        Books.collect(s, id);
    }

    /// @inheritdoc ITrainingMarket
    function withdraw(address account) external nonReentrant returns (uint256 amount) {
        amount = s.owed[account];
        if (amount == 0) revert NothingOwed(account);
        s.owed[account] = 0;
        emit Withdrawn(account, amount);
        SafeERC20.safeTransfer(s.token, account, amount);
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
    function teamOf(bytes32 id) external view returns (Member[] memory) {
        return s.teams[id];
    }

    /// @inheritdoc ITrainingMarket
    function claimOf(bytes32 id, uint256 index) external view returns (Claim memory) {
        return s.claims[id][index];
    }

    /// @inheritdoc ITrainingMarket
    function segmentOf(bytes32 id, uint256 index) external view returns (Segment memory) {
        return Segments.build(s, id, index);
    }

    /// @inheritdoc ITrainingMarket
    function isDue(bytes32 id, uint256 index) external view returns (bool) {
        return Sampling.isDue(s, id, index);
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
        return _hashTypedDataV4(Typed.offer(offer, Typed.terms(terms)));
    }

    /// @inheritdoc ITrainingMarket
    function consentDigest(bytes32 id, address lead, Seat calldata seat, uint256 minPrice)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(Typed.consent(id, lead, seat, minPrice));
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
    function subjectOf(bytes32 id, Task task, uint32 index, bytes32 verdict) external view returns (bytes32) {
        return Attesting.subjectOf(s, Attestation(id, task, index, 0, verdict));
    }
}
