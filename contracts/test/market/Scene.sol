// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Books} from "../../src/market/Books.sol";
import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView, ITrainingMarket} from "../../src/market/interfaces/ITrainingMarket.sol";
import {IStakeVault, Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {BURNT} from "../../src/market/Token.sol";
import {TrainingMarket} from "../../src/market/TrainingMarket.sol";
import {
    Attestation,
    Batches,
    Committee,
    Consent,
    Job,
    Licence,
    Paths,
    Price,
    SeatOffer,
    State,
    Terms,
    Times,
    Training
} from "../../src/market/Types.sol";
import {ComputeToken} from "../../src/registry/ComputeToken.sol";
import {DatasetRegistry} from "../../src/registry/DatasetRegistry.sol";
import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {History} from "../mocks/History.sol";
import {Mode, MockVerifier} from "../mocks/Verifiers.sol";
import {Test, vm} from "../Vm.sol";

/// @notice A market with its parties, and the steps of a job in one line each.
abstract contract Scene is Test {
    uint256 internal constant FORTUNE = 1e30;
    uint128 internal constant PRICE = 100e18;
    uint128 internal constant CHALLENGE_BOND = 80e18;
    uint128 internal constant FEE = 1e18;
    uint128 internal constant STAKE = 500e18;
    /// Segments, of a batch, and batches: two whole ones and a short one.
    uint32 internal constant SEGMENTS = 10;
    uint8 internal constant K = 4;
    uint256 internal constant BATCHES = 3;
    uint128 internal constant BOND = K * PRICE;
    uint128 internal constant HAND_BACK = BOND / 100;
    uint128 internal constant SEAT_PAY = 70e18;
    uint128 internal constant SEAT_BOND = 5 * CHALLENGE_BOND;
    /// Secrets that a requester has.
    uint256 private constant SECRETS = 70;
    bytes32 internal constant FIRST = keccak256("first");
    bytes32 internal constant DATA = keccak256("root");
    bytes32 internal constant ROOT = keccak256("encrypted weights");
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    ComputeToken internal token;
    NodeRegistry internal nodes;
    DatasetRegistry internal datasets;
    TrainingMarket internal market;
    IStakeVault internal vault;
    MockVerifier internal verifier;

    uint256 internal constant REQUESTER_KEY = 0xa1;
    uint256 internal constant PROVIDER_KEY = 0xb1;
    uint256 internal constant PARTNER_KEY = 0xb2;
    uint256 internal constant OWNER_KEY = 0xd1;
    address internal requester = vm.addr(REQUESTER_KEY);
    address internal provider = vm.addr(PROVIDER_KEY);
    address internal partner = vm.addr(PARTNER_KEY);
    address internal dataOwner = vm.addr(OWNER_KEY);
    address internal royalties = address(0x70);
    address internal stranger = address(0x99);
    address internal challenger = address(0xc4);
    address internal hot = address(0x407);
    address internal requesterHot = address(0x408);
    /// By ascending address. Each names another key for its words.
    uint256[] internal validatorKeys;
    address[] internal validators;

    address[] internal accounts;
    bytes32[] internal ids;
    uint256 internal nonce = 1000;
    mapping(bytes32 tip => bytes32 root) internal roots;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(20_000_000);
        vm.etch(HISTORY, address(new History()).code);
        token = new ComputeToken(address(this), FORTUNE);
        nodes = new NodeRegistry();
        datasets = new DatasetRegistry();
        build(IERC20(address(token)));
    }

    function build(IERC20 money) internal {
        market = new TrainingMarket(money, nodes, datasets);
        vault = market.vault();
        verifier = new MockVerifier(address(token), Mode.Check, false, 10, 4);
        makeCommittee();
        accounts = [requester, provider, partner, dataOwner, royalties, stranger, challenger, hot, BURNT, address(this)];
        for (uint256 i = 0; i < validators.length; ++i) {
            accounts.push(validators[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            if (account == BURNT || account == royalties || account == address(this)) continue;
            yes(money.transfer(account, 1e24), "fortune");
            vm.prank(account);
            money.approve(address(market), type(uint256).max);
            vm.prank(account);
            money.approve(address(vault), type(uint256).max);
        }
        enrol(provider, 0xee1, hot, 1);
        enrol(partner, 0xee2, address(0), 1);
        enrol(requester, 0xee3, requesterHot, 4);
        for (uint256 i = 0; i < validators.length; ++i) {
            enrol(validators[i], 0xee10 + i, address(0), 2);
            stake(validators[i], 10_000e18);
        }
        stake(provider, 100_000e18);
        stake(partner, 100_000e18);
        stake(challenger, 10_000e18);
        stake(requester, 10_000e18);
    }

    function makeCommittee() private {
        validatorKeys = [uint256(0xc1), 0xc2, 0xc3];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                (uint256 a, uint256 b) = (validatorKeys[j], validatorKeys[j + 1]);
                if (vm.addr(a) > vm.addr(b)) (validatorKeys[j], validatorKeys[j + 1]) = (b, a);
            }
        }
        for (uint256 i = 0; i < 3; ++i) {
            validators.push(vm.addr(validatorKeys[i]));
        }
    }

    function enrol(address owner, uint256 peerKey, address hotKey, uint8 roles) internal {
        address peer = vm.addr(peerKey);
        bytes memory signature = sign(peerKey, nodes.registrationDigest(peer, owner));
        vm.prank(owner);
        nodes.register(peer, hotKey, roles, keccak256("encryption"), "/ip4/127.0.0.1", signature);
    }

    function stake(address owner, uint256 amount) internal {
        Permit memory none;
        vm.prank(owner);
        vault.deposit(amount, none);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // What is agreed.

    /// With d = k, or d = k / 2, and a committee.
    function terms(bool whole) internal returns (Terms memory t) {
        return terms(whole, true);
    }

    function terms(bool whole, bool decided) internal returns (Terms memory t) {
        t.training = Training({
            verifier: address(verifier),
            verifierCode: address(verifier).codehash,
            halo2: address(token),
            halo2Code: address(token).codehash,
            graph: keccak256("graph"),
            subject: 0,
            order: 0,
            chained: true,
            dataRoot: DATA,
            // Three segments an epoch: 4, 4 and 3 steps, the last of 7 rows.
            rows: 107,
            segments: SEGMENTS,
            first: FIRST,
            rates: new uint64[](2),
            dataset: 0,
            royaltyBps: 0
        });
        t.training.rates[0] = 9;
        t.training.rates[1] = uint64(5) << 32 | 4;
        t.price = Price({
            start: PRICE,
            max: PRICE,
            rampSecs: 0,
            bond: BOND,
            handBackFee: HAND_BACK,
            challengeBond: CHALLENGE_BOND,
            complaintBond: decided ? 3 * FEE : 0
        });
        t.times = Times({
            openSecs: 1 days,
            reopenSecs: 30 minutes,
            startSecs: 1 days,
            batchSecs: 3 days,
            closeSecs: 12 hours,
            revealSecs: 4 hours,
            proveSecs: 36 hours,
            eachSecs: 10 minutes,
            windowSecs: 24 hours,
            complainSecs: 48 hours,
            decideSecs: 72 hours
        });
        t.batches = Batches({deliverEvery: K, draws: whole ? K : K / 2, ahead: 8, tip: whole ? bytes32(0) : newTip()});
        if (decided) t.committee = Committee({members: validators, threshold: 2, fee: FEE, stake: STAKE});
    }

    function newTip() internal returns (bytes32 tip) {
        bytes32 root = keccak256(abi.encode("secrets", ++nonce));
        tip = root;
        for (uint256 i = 0; i < SECRETS; ++i) {
            tip = keccak256(abi.encode(tip));
        }
        roots[tip] = root;
    }

    function secretOf(bytes32 id, uint256 batch) internal view returns (bytes32 secret) {
        secret = roots[market.termsOf(id).batches.tip];
        for (uint256 i = batch + 1; i < SECRETS; ++i) {
            secret = keccak256(abi.encode(secret));
        }
    }

    function noPaths() internal pure returns (Paths memory paths) {}

    function wordKey(uint256 place) internal view returns (uint256) {
        return validatorKeys[place] + 0x1000;
    }

    function consentsOf(bytes32 id, Terms memory t) internal view returns (Consent[] memory consents) {
        consents = new Consent[](t.committee.members.length);
        for (uint256 i = 0; i < consents.length; ++i) {
            (consents[i].key, consents[i].expiry) = (vm.addr(wordKey(i)), vm.getBlockTimestamp());
            bytes32 digest = market.consentDigest(id, consents[i].key, consents[i].expiry);
            consents[i].signature = sign(validatorKeys[i], digest);
        }
    }

    // Steps.

    function open(Terms memory t) internal returns (bytes32 id) {
        Licence memory licence;
        return open(t, licence);
    }

    function open(Terms memory t, Licence memory licence) internal returns (bytes32 id) {
        Permit memory none;
        Consent[] memory consents = consentsOf(market.idOf(requester, ++nonce, t), t);
        vm.prank(requester);
        id = market.open(t, nonce, licence, consents, none);
        ids.push(id);
    }

    function assigned(Terms memory t) internal returns (bytes32 id) {
        id = open(t);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
    }

    function running(Terms memory t) internal returns (bytes32 id) {
        id = assigned(t);
        vm.prank(provider);
        market.start(id);
    }

    function running(bool whole) internal returns (bytes32) {
        return running(terms(whole));
    }

    function lastOf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("last", index));
    }

    /// A digest that no proof ends with.
    function falseOf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("false", index));
    }

    function proof(bytes32 id, uint256 index, bytes32 last) internal view returns (bytes memory) {
        return abi.encode(keccak256(abi.encode(market.segmentOf(id, index))), last);
    }

    function prove(bytes32 id, uint256 index) internal {
        bytes memory p = proof(id, index, lastOf(index));
        vm.prank(stranger);
        market.prove(id, index, p);
    }

    function claim(bytes32 id, uint256 count) internal {
        claim(id, count, type(uint256).max);
    }

    /// One of the claims may be false.
    function claim(bytes32 id, uint256 count, uint256 wrong) internal {
        uint256 from = market.jobOf(id).claimed;
        bytes32[] memory lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            lasts[i] = from + i == wrong ? falseOf(wrong) : lastOf(from + i);
        }
        vm.prank(provider);
        market.claim(id, from, lasts);
    }

    function close(bytes32 id) internal {
        uint256 batch = market.jobOf(id).closed / market.termsOf(id).batches.deliverEvery;
        vm.prank(provider);
        market.close(id, batch, ROOT, 0);
    }

    function fillAndClose(bytes32 id) internal {
        fillAndClose(id, type(uint256).max);
    }

    function fillAndClose(bytes32 id, uint256 wrong) internal {
        Job memory job = market.jobOf(id);
        uint256 end = job.closed + market.termsOf(id).batches.deliverEvery;
        if (end > job.total) end = job.total;
        if (end > job.claimed) claim(id, end - job.claimed, wrong);
        close(id);
    }

    /// Lets blocks pass, twelve seconds each, that have hashes.
    function pass(uint256 blocks) internal {
        uint256 number = vm.getBlockNumber() + blocks;
        vm.roll(number);
        vm.warp(vm.getBlockTimestamp() + 12 * blocks);
        uint256 last = blocks < 256 ? blocks : 256;
        for (uint256 i = 1; i <= last; ++i) {
            vm.setBlockhash(number - i, keccak256(abi.encode("block", number - i)));
        }
    }

    function skip(uint256 secs) internal {
        pass(1);
        vm.roll(vm.getBlockNumber() + secs / 12);
        vm.warp(vm.getBlockTimestamp() + secs);
    }

    function skipTo(uint256 time) internal {
        uint256 now_ = vm.getBlockTimestamp();
        if (time > now_) {
            vm.roll(vm.getBlockNumber() + (time - now_) / 12 + 1);
            vm.warp(time);
        }
    }

    function reveal(bytes32 id, uint256 batch) internal {
        pass(16);
        bytes32 secret = secretOf(id, batch);
        vm.prank(stranger);
        market.reveal(id, batch, secret);
    }

    /// Proves what is due of a batch.
    function proveDue(bytes32 id, uint256 batch) internal {
        BatchView memory v = market.batchOf(id, batch);
        for (uint256 i = v.from; i < v.end; ++i) {
            if (v.due >> (i - v.from) & 1 == 1) prove(id, i);
        }
    }

    function acknowledge(bytes32 id, uint256 batch) internal {
        bytes32 last = market.batchOf(id, batch).last;
        vm.prank(requester);
        market.acknowledge(id, batch, last, ROOT);
    }

    function complain(bytes32 id, uint256 batch) internal {
        bytes32 last = market.batchOf(id, batch).last;
        vm.prank(requester);
        market.complain(id, batch, last, ROOT);
    }

    function attest(bytes32 id, uint256 batch, bool word, uint256 place) internal {
        bytes memory signature = wordOf(id, batch, word, wordKey(place));
        vm.prank(stranger);
        market.attest(id, batch, word, place, signature);
    }

    function wordOf(bytes32 id, uint256 batch, bool word, uint256 key) internal view returns (bytes memory) {
        Attestation memory a = Attestation(id, uint32(batch), market.batchOf(id, batch).last, word);
        return sign(key, market.attestationDigest(a));
    }

    /// Two of three members give this word, when it counts.
    function decide(bytes32 id, uint256 batch, bool word) internal {
        skipTo(market.batchOf(id, batch).complaint.until - 1 hours);
        attest(id, batch, word, 0);
        attest(id, batch, word, 2);
    }

    /// Settles the next batch, when that is possible.
    function settle(bytes32 id) internal {
        uint256 batch = market.jobOf(id).settled / market.termsOf(id).batches.deliverEvery;
        skipTo(market.batchOf(id, batch).paidAfter + 1);
        vm.prank(stranger);
        market.settle(id);
    }

    function contest(bytes32 id, uint256 index) internal {
        bytes32 last = market.claimsOf(id, index, 1)[0];
        vm.prank(challenger);
        market.challenge(id, index, last);
    }

    /// The partner's seat.
    function join(bytes32 id) internal returns (uint256) {
        return join(id, partner, SEAT_PAY);
    }

    function join(bytes32 id, address who, uint128 pay) internal returns (uint256) {
        SeatOffer memory offer = seatFor(id, who, pay);
        vm.prank(who);
        return market.join(id, offer, noPaths());
    }

    function seatFor(bytes32 id, address who, uint128 pay) internal returns (SeatOffer memory offer) {
        offer = SeatOffer(pay, SEAT_BOND, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(PROVIDER_KEY, market.seatDigest(id, who, offer));
    }

    function take(bytes32 id, uint256 index, uint256 seat) internal {
        bytes32 last = market.claimsOf(id, index, 1)[0];
        vm.prank(partner);
        market.take(id, index, last, seat);
    }

    /// A drawn batch: closed, its secret revealed.
    function drawn() internal returns (bytes32 id) {
        id = running(false);
        fillAndClose(id);
        reveal(id, 0);
    }

    /// A claim of a batch that was not drawn, and one that was.
    function undrawnIn(bytes32 id, uint256 batch) internal view returns (uint256 index) {
        BatchView memory v = market.batchOf(id, batch);
        index = v.from;
        while (v.record.drawn >> (index - v.from) & 1 == 1) ++index;
    }

    function drawnIn(bytes32 id, uint256 batch) internal view returns (uint256 index) {
        BatchView memory v = market.batchOf(id, batch);
        index = v.from;
        while (v.record.drawn >> (index - v.from) & 1 == 0) ++index;
    }

    /// A job on a registered set, and its licence.
    function licensed(Terms memory t, uint16 rate) internal returns (Licence memory licence) {
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(DATA, 107, rate, royalties);
        t.training.royaltyBps = rate;
        licence.mostSegments = SEGMENTS;
        (licence.nonce, licence.expiry) = (++nonce, vm.getBlockTimestamp());
        signLicence(t, licence);
    }

    function signLicence(Terms memory t, Licence memory licence) internal view {
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
    }

    // Assertions.

    function why(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector);
    }

    function why(bytes4 selector, uint256 a) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a);
    }

    function why(bytes4 selector, uint256 a, uint256 b) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    function refuses(address who, bytes memory call, bytes memory reason) internal {
        refusesAt(address(market), who, call, reason);
    }

    function refusesAt(address where, address who, bytes memory call, bytes memory reason) internal {
        vm.prank(who);
        (bool done, bytes memory got) = where.call(call);
        yes(!done, "must refuse");
        eq(keccak256(got), keccak256(reason), "reason");
    }

    function wrongState(bytes32 id, State state) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketErrors.WrongState.selector, id, state);
    }

    function isState(bytes32 id, State state) internal view {
        eq(uint256(market.jobOf(id).state), uint256(state), "state");
    }

    /// Market and vault hold what their books say, exactly.
    function solvent() internal view {
        uint256 books = 0;
        uint256 stakes = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            Job memory job = market.jobOf(ids[i]);
            books += job.escrow;
            uint256 segments = market.termsOf(ids[i]).training.segments;
            for (uint256 k = 0; k < accounts.length; ++k) {
                stakes += vault.bonded(ids[i], accounts[k]);
                for (uint256 j = 0; j < segments; ++j) {
                    stakes += vault.bonded(Books.challengeBond(ids[i], j), accounts[k]);
                }
                for (uint256 j = 0; j <= job.seats; ++j) {
                    stakes += vault.bonded(Books.seatBond(ids[i], j), accounts[k]);
                }
            }
            for (uint256 j = 0; j < segments; ++j) {
                stakes += vault.bonded(Books.complaintBond(ids[i], j), requester);
            }
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            books += market.owed(accounts[i]);
            stakes += vault.owed(accounts[i]) + vault.free(accounts[i]);
        }
        eq(market.token().balanceOf(address(market)), books, "market's books");
        eq(market.token().balanceOf(address(vault)), stakes, "vault's books");
    }

    /// All that an account has, in the token, market and vault, its bond of a job included.
    function worth(address who, bytes32 id) internal view returns (uint256 sum) {
        sum = token.balanceOf(who) + market.owed(who) + vault.owed(who) + vault.free(who) + vault.bonded(id, who);
    }
}
