// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ComputeToken} from "../src/ComputeToken.sol";
import {DatasetRegistry} from "../src/DatasetRegistry.sol";
import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../src/interfaces/IMarketEvents.sol";
import {Segment} from "../src/interfaces/ISegmentVerifier.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {ITrainingMarket} from "../src/interfaces/ITrainingMarket.sol";
import {BURNT} from "../src/Token.sol";
import {
    Assurance,
    Attestation,
    Checks,
    Committee,
    Job,
    Licence,
    Member,
    Price,
    Seat,
    State,
    Task,
    Terms,
    Times,
    Training
} from "../src/market/Types.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {TrainingMarket} from "../src/TrainingMarket.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Test, Vm, vm} from "./Vm.sol";

/// @notice A market with its parties, and the steps of a job in one line each.
abstract contract Scene is Test {
    uint256 internal constant FORTUNE = 1e30;
    uint128 internal constant PRICE = 100e18;
    uint128 internal constant BOND = 2400e18;
    uint128 internal constant CHALLENGE_BOND = 40e18;
    uint128 internal constant FEE = 1e18;
    uint128 internal constant WORD = 500e18;
    uint32 internal constant SEGMENTS = 7;
    bytes32 internal constant SECRET = keccak256("secret");
    bytes32 internal constant FIRST = keccak256("first");
    bytes32 internal constant ROOT = keccak256("root");
    bytes32 internal constant YES = bytes32(uint256(1));
    bytes32 internal constant NO = 0;

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
    uint256[] internal validatorKeys;
    address[] internal validators;
    uint256[] internal manyKeys;

    address[] internal accounts;
    bytes32[] internal ids;
    uint256 internal nonce = 1000;

    function setUp() public virtual {
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
        accounts = [requester, provider, partner, dataOwner, royalties, stranger, challenger, hot, BURNT];
        for (uint256 i = 0; i < validators.length; ++i) {
            accounts.push(validators[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            if (account == BURNT || account == royalties) continue;
            yes(money.transfer(account, 1e24), "fortune");
            vm.prank(account);
            money.approve(address(market), type(uint256).max);
            vm.prank(account);
            money.approve(address(vault), type(uint256).max);
        }
        enrol(provider, 0xee1, hot, 1);
        enrol(partner, 0xee2, address(0), 1);
        for (uint256 i = 0; i < validators.length; ++i) {
            enrol(validators[i], 0xee10 + i, address(0), 2);
            stake(validators[i], 10_000e18);
        }
        accounts.push(address(this));
        stake(provider, 100_000e18);
        stake(partner, 100_000e18);
        stake(challenger, 10_000e18);
    }

    function makeCommittee() private {
        validatorKeys = [uint256(0xc1), 0xc2, 0xc3];
        order(validatorKeys);
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

    /// New owners of a node each, by ascending address; `manyKeys` has their keys.
    function enrolMany(uint256 count, uint8 roles) internal returns (address[] memory many) {
        delete manyKeys;
        for (uint256 i = 0; i < count; ++i) {
            manyKeys.push(uint256(keccak256(abi.encode("many", roles, i))));
        }
        order(manyKeys);
        IERC20 money = market.token();
        many = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            many[i] = vm.addr(manyKeys[i]);
            accounts.push(many[i]);
            yes(money.transfer(many[i], 1e24), "fortune");
            vm.prank(many[i]);
            money.approve(address(vault), type(uint256).max);
            enrol(many[i], uint256(keccak256(abi.encode("peer", manyKeys[i]))), address(0), roles);
        }
    }

    /// Sorts keys by their addresses.
    function order(uint256[] storage keys) private {
        for (uint256 i = 0; i < keys.length; ++i) {
            for (uint256 j = 0; j + 1 < keys.length; ++j) {
                if (vm.addr(keys[j]) > vm.addr(keys[j + 1])) (keys[j], keys[j + 1]) = (keys[j + 1], keys[j]);
            }
        }
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

    function permitOf(uint256 key, address from, address to, uint256 amount) internal view returns (Permit memory p) {
        p.value = amount;
        p.deadline = vm.getBlockTimestamp() + 1 hours;
        bytes32 what = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                from,
                to,
                amount,
                token.nonces(from),
                p.deadline
            )
        );
        (p.v, p.r, p.s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), what)));
    }

    // What is agreed.

    function terms(Assurance level) internal view returns (Terms memory t) {
        t.training = Training({
            verifier: address(verifier),
            verifierCode: address(verifier).codehash,
            halo2: address(token),
            halo2Code: address(token).codehash,
            dataRoot: ROOT,
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
            lastShareBps: 2000,
            bond: BOND,
            handBackFee: 24e18,
            challengeBond: CHALLENGE_BOND
        });
        t.times = Times({
            openSecs: 1 days,
            startSecs: 1 hours,
            runSecs: 2 days,
            windowSecs: 2 hours,
            answerSecs: 30 minutes,
            revealSecs: 1 hours,
            proveSecs: 20 minutes,
            deliverSecs: 3 hours,
            complainSecs: 4 hours,
            decideSecs: 5 hours
        });
        t.checks = Checks({level: level, draws: 3, maxPending: 4, secretHash: keccak256(abi.encode(SECRET))});
        t.committee = Committee({members: validators, threshold: 2, fee: FEE, stake: WORD});
    }

    // Steps.

    function open(Terms memory t) internal returns (bytes32 id) {
        Licence memory licence;
        return open(t, licence);
    }

    function open(Terms memory t, Licence memory licence) internal returns (bytes32 id) {
        Permit memory none;
        vm.prank(requester);
        id = market.open(t, ++nonce, licence, none);
        ids.push(id);
    }

    function opened(Assurance level) internal returns (bytes32) {
        return open(terms(level));
    }

    function assigned(Terms memory t) internal returns (bytes32 id) {
        id = open(t);
        vm.prank(provider);
        market.accept(id, 0);
    }

    function running(Terms memory t) internal returns (bytes32 id) {
        id = assigned(t);
        vm.prank(provider);
        market.start(id);
    }

    function running(Assurance level) internal returns (bytes32) {
        return running(terms(level));
    }

    /// A running job on a registered set, of which a tenth of the price goes to `receiver`.
    function runningLicensed(address receiver) internal returns (bytes32 id) {
        Terms memory t = terms(Assurance.Proven);
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, 107, 1000, receiver);
        t.training.royaltyBps = 1000;
        Licence memory licence = Licence(++nonce, vm.getBlockTimestamp(), "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
        id = open(t, licence);
        vm.prank(provider);
        market.accept(id, 0);
        vm.prank(provider);
        market.start(id);
    }

    function lastOf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("last", index));
    }

    function proof(bytes32 id, uint256 index, bytes32 last) internal view returns (bytes memory) {
        return abi.encode(keccak256(abi.encode(market.segmentOf(id, index))), last);
    }

    function prove(bytes32 id, uint256 index) internal {
        bytes memory p = proof(id, index, lastOf(index));
        // Claims are proven by anyone.
        bool claims = market.termsOf(id).checks.level != Assurance.Proven;
        address prover = claims ? stranger : market.jobOf(id).owner;
        vm.prank(prover);
        market.prove(id, index, p);
    }

    function proveAll(bytes32 id) internal {
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            prove(id, i);
        }
    }

    function claim(bytes32 id, uint256 from, uint256 count) internal {
        bytes32[] memory lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            lasts[i] = lastOf(from + i);
        }
        vm.prank(provider);
        market.claim(id, from, lasts);
    }

    function drawing() internal returns (bytes32 id) {
        id = running(Assurance.Sampled);
        claim(id, 0, SEGMENTS);
    }

    function passDrawBlock(bytes32 id) internal {
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        vm.setBlockhash(drawBlock, keccak256(abi.encode("block", drawBlock)));
    }

    function proving() internal returns (bytes32 id) {
        id = drawing();
        passDrawBlock(id);
        market.reveal(id, SECRET);
    }

    function proveDue(bytes32 id) internal {
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            if (market.isDue(id, i)) prove(id, i);
        }
    }

    /// A running optimistic job with so many claims.
    function claimed(uint256 count) internal returns (bytes32 id) {
        id = running(Assurance.Optimistic);
        claim(id, 0, count);
    }

    /// Lets the window of a claim pass.
    function lapse(bytes32 id, uint256 index) internal {
        vm.warp(market.claimOf(id, index).windowUntil + 1);
    }

    function confirm(bytes32 id, uint256 index) internal {
        bytes32 last = market.claimOf(id, index).last;
        vm.prank(requester);
        market.confirmOpening(id, index, last);
    }

    function contest(bytes32 id, uint256 index) internal {
        bytes32 last = market.claimOf(id, index).last;
        vm.prank(challenger);
        market.challenge(id, index, last);
    }

    /// Call that confirms the claim that is there.
    function confirming(bytes32 id, uint256 index) internal view returns (bytes memory) {
        return abi.encodeCall(market.confirmOpening, (id, index, market.claimOf(id, index).last));
    }

    /// Call that challenges the claim that is there.
    function contesting(bytes32 id, uint256 index) internal view returns (bytes memory) {
        return abi.encodeCall(market.challenge, (id, index, market.claimOf(id, index).last));
    }

    function vote(bytes32 id, Task task, uint32 index, bytes32 verdict, uint256 place) internal {
        bytes memory signature = voteSignature(id, task, index, verdict, place);
        vm.prank(stranger);
        market.attest(id, task, index, verdict, place, signature);
    }

    function voteSignature(bytes32 id, Task task, uint32 index, bytes32 verdict, uint256 place)
        internal
        view
        returns (bytes memory)
    {
        bytes32 subject = market.subjectOf(id, task, index, verdict);
        return wordSignature(Attestation(id, task, index, subject, verdict), place);
    }

    function wordSignature(Attestation memory a, uint256 place) internal view returns (bytes memory) {
        return sign(validatorKeys[place], market.attestationDigest(a));
    }

    function agree(bytes32 id, Task task, uint32 index, bytes32 verdict) internal {
        vote(id, task, index, verdict, 0);
        vote(id, task, index, verdict, 2);
    }

    function delivering() internal returns (bytes32 id) {
        id = running(Assurance.Proven);
        proveAll(id);
    }

    function deliver(bytes32 id) internal {
        vm.prank(provider);
        market.deliver(id, keccak256("weights"));
    }

    function handed() internal returns (bytes32 id) {
        id = delivering();
        deliver(id);
        agree(id, Task.Fetchable, 0, YES);
    }

    function disputed() internal returns (bytes32 id) {
        id = handed();
        vm.prank(requester);
        market.complain(id);
    }

    /// A job in a state, on the shortest way.
    function reach(State state) internal returns (bytes32 id) {
        if (state == State.None) return keccak256("no job");
        if (state == State.Open) return opened(Assurance.Optimistic);
        if (state == State.Assigned) return assigned(terms(Assurance.Optimistic));
        if (state == State.Running) return claimed(2);
        if (state == State.Drawing) return drawing();
        if (state == State.Proving) return proving();
        if (state == State.Delivering) return delivering();
        if (state == State.Handed) return handed();
        if (state == State.Disputed) return disputed();
        if (state == State.Cancelled) {
            id = opened(Assurance.Proven);
            vm.prank(requester);
            market.cancel(id);
        } else if (state == State.Expired) {
            id = opened(Assurance.Proven);
            late(id);
        } else if (state == State.Completed) {
            id = delivering();
            vm.prank(requester);
            market.acknowledge(id);
        } else if (state == State.Withheld) {
            id = delivering();
            late(id);
        } else if (state == State.Defaulted) {
            id = running(Assurance.Proven);
            late(id);
        } else if (state == State.Slashed) {
            id = proving();
            late(id);
        } else {
            id = running(Assurance.Proven);
            agree(id, Task.Divergence, 0, bytes32(uint256(3) << 32 | 1));
        }
    }

    /// Behind a hand-back: the first block in which the job can be accepted.
    function reopened() internal {
        nextBlock();
        nextBlock();
    }

    function nextBlock() internal {
        vm.roll(vm.getBlockNumber() + 1);
    }

    /// Lets the present state's time pass, and says so.
    function late(bytes32 id) internal {
        vm.warp(market.jobOf(id).deadline + 1);
        vm.prank(stranger);
        market.advance(id);
    }

    // Checks.

    /// What was recorded tells of no payment of nothing, and of no bond of nobody.
    function noEmptyPayment() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            bool owed = topic == IMarketEvents.Owed.selector || topic == IStakeVault.Owed.selector;
            yes(!owed || abi.decode(logs[i].data, (uint256)) > 0, "a payment of nothing");
            yes(topic != IStakeVault.Released.selector || logs[i].topics[2] != 0, "a bond of nobody");
        }
    }

    /// All that an account has, here and there.
    function wealth(address who) internal view returns (uint256) {
        return token.balanceOf(who) + market.owed(who) + vault.owed(who) + vault.free(who);
    }

    function inState(bytes32 id, State state) internal view {
        eq(uint256(market.jobOf(id).state), uint256(state), "state");
    }

    /// The call is refused with exactly this error.
    function refuses(address who, bytes memory call, bytes memory reason) internal {
        refusesAt(address(market), who, call, reason);
    }

    function refusesAt(address where, address who, bytes memory call, bytes memory reason) internal {
        vm.prank(who);
        (bool done, bytes memory got) = where.call(call);
        yes(!done, "the call must be refused");
        if (keccak256(got) != keccak256(reason)) {
            assembly ("memory-safe") {
                revert(add(got, 32), mload(got))
            }
        }
    }

    function why(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodePacked(selector);
    }

    function why(bytes4 selector, uint256 value) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, value);
    }

    function why(bytes4 selector, address value) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, value);
    }

    function wrongState(bytes32 id, State state) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketErrors.WrongState.selector, id, state);
    }

    /// What the books of market and vault say is what they have.
    function solvent() internal view {
        uint256 books = 0;
        uint256 stakes = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            Job memory job = market.jobOf(ids[i]);
            books += job.escrow + job.earned;
            Member[] memory team = market.teamOf(ids[i]);
            for (uint256 j = 0; j < team.length; ++j) {
                stakes += vault.bonded(ids[i], team[j].owner);
            }
            // A bond that stays behind, or without a claim, is missing in the sum.
            uint256 claims = job.state < State.Cancelled ? job.claimed : 0;
            for (uint256 j = 0; j < claims; ++j) {
                bytes32 bond = keccak256(abi.encode(ids[i], j));
                for (uint256 k = 0; k < accounts.length; ++k) {
                    stakes += vault.bonded(bond, accounts[k]);
                }
            }
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            books += market.owed(accounts[i]);
            stakes += vault.owed(accounts[i]) + vault.free(accounts[i]) + vault.leaving(accounts[i]);
        }
        eq(market.token().balanceOf(address(market)), books, "market's books");
        eq(market.token().balanceOf(address(vault)), stakes, "vault's books");
    }
}
