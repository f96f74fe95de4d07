// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, Attestation, Claim, Job, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Every party of up to 24 jobs, three at a time, a donor, a griefer and time. Each action does what can be done, or nothing.
contract Handler is Scene {
    uint256 private constant JOBS = 24;
    uint256 private constant LIVE_JOBS = 3;

    mapping(bytes4 action => uint256) public reached;
    mapping(bytes32 id => mapping(uint256 index => bool)) private proven;
    mapping(bytes32 id => bool) private sampleStood;
    mapping(bytes32 id => uint256) public collected;
    mapping(bytes32 id => bytes32) private atEnd;
    mapping(bytes32 id => uint256) private bondLost;
    mapping(address validator => uint256) private lastWord;
    mapping(address validator => bool) private tookBack;
    uint256 private donatedMarket;
    uint256 private donatedVault;

    constructor() {
        setUp();
    }

    /// The actions that are drawn.
    function actions() public pure returns (bytes4[] memory all) {
        all = new bytes4[](25);
        all[0] = this.doOpen.selector;
        all[1] = this.doCancel.selector;
        all[2] = this.doAccept.selector;
        all[3] = this.doDecline.selector;
        all[4] = this.doStart.selector;
        all[5] = this.doClaim.selector;
        all[6] = this.doProve.selector;
        all[7] = this.doSettle.selector;
        all[8] = this.doConfirm.selector;
        all[9] = this.doChallenge.selector;
        all[10] = this.doSlash.selector;
        all[11] = this.doKeepHash.selector;
        all[12] = this.doReveal.selector;
        all[13] = this.doVote.selector;
        all[14] = this.doDeliver.selector;
        all[15] = this.doAcknowledge.selector;
        all[16] = this.doComplain.selector;
        all[17] = this.doAdvance.selector;
        all[18] = this.doAbandon.selector;
        all[19] = this.doCollect.selector;
        all[20] = this.doWithdraw.selector;
        all[21] = this.doDonate.selector;
        all[22] = this.doPass.selector;
        all[23] = this.doExit.selector;
        all[24] = this.doContradict.selector;
    }

    /// Counts an action that did something, and looks at the bonds of its job before and after.
    modifier counts(bytes32 id) {
        uint256 bond = vault.bonded(id, provider);
        uint256 free = vault.free(provider);
        State before = market.jobOf(id).state;
        _;
        ++reached[msg.sig];
        Job memory job = market.jobOf(id);
        if (before >= State.Running && before < State.Cancelled && job.state >= State.Cancelled) {
            bondLost[id] = bond - (vault.free(provider) - free);
            job.earned = 0;
            atEnd[id] = keccak256(abi.encode(job));
        }
    }

    function pick(uint256 seed) private view returns (bytes32 id, Job memory job) {
        if (ids.length == 0) return (id, job);
        // Live jobs first: of the ended ones only what was earned is left.
        for (uint256 i = 0; i < ids.length; ++i) {
            id = ids[(seed % ids.length + i) % ids.length];
            job = market.jobOf(id);
            if (job.state < State.Cancelled) return (id, job);
        }
    }

    function intime(Job memory job) private view returns (bool) {
        return vm.getBlockTimestamp() <= job.deadline;
    }

    function level(bytes32 id) private view returns (Assurance) {
        return market.termsOf(id).checks.level;
    }

    function doOpen(uint256 seed) external counts(0) {
        uint256 live = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (market.jobOf(ids[i]).state < State.Cancelled) ++live;
        }
        if (ids.length < JOBS && live < LIVE_JOBS) opened(Assurance(seed % 3));
    }

    function doCancel(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Open && seed % 5 == 0) act(id, requester, abi.encodeCall(market.cancel, (id)));
    }

    function doAccept(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Open && intime(job)) act(id, provider, abi.encodeCall(market.accept, (id, 0)));
    }

    function doDecline(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Assigned && seed % 3 == 0) act(id, provider, abi.encodeCall(market.decline, (id)));
    }

    function doStart(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Assigned && intime(job)) act(id, provider, abi.encodeCall(market.start, (id)));
    }

    function doClaim(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Running || !intime(job) || level(id) == Assurance.Proven) return;
        uint256 most = level(id) == Assurance.Optimistic ? job.settled + 4 : SEGMENTS;
        if (job.claimed >= job.total || job.claimed >= most) return;
        bytes32[] memory lasts = new bytes32[](1);
        lasts[0] = lastOf(job.claimed);
        act(id, provider, abi.encodeCall(market.claim, (id, job.claimed, lasts)));
    }

    function doProve(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        uint256 index = job.settled;
        if (job.state == State.Proving && intime(job)) {
            while (!market.isDue(id, index)) ++index;
        } else {
            if (job.state != State.Running) return;
            Claim memory c = market.claimOf(id, index);
            if (vm.getBlockTimestamp() > (c.challenger == address(0) ? job.deadline : c.answerUntil)) return;
            if (level(id) != Assurance.Proven && (index >= job.claimed || seed % 4 != 0)) return;
        }
        proven[id][index] = true;
        if (job.due == 1) sampleStood[id] = true;
        act(id, stranger, abi.encodeCall(market.prove, (id, index, proof(id, index, lastOf(index)))));
    }

    function doSettle(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Running || job.settled == job.claimed) return;
        Claim memory c = market.claimOf(id, job.settled);
        if (c.windowUntil == 0 || vm.getBlockTimestamp() <= c.windowUntil || c.challenger != address(0)) return;
        act(id, stranger, abi.encodeCall(market.settle, (id)));
    }

    function waiting(bytes32 id, Job memory job, uint256 seed)
        private
        view
        returns (bool, uint256 index, Claim memory c)
    {
        if (job.state != State.Running || level(id) != Assurance.Optimistic || job.settled == job.claimed) {
            return (false, 0, c);
        }
        index = job.settled + seed % (job.claimed - job.settled);
        c = market.claimOf(id, index);
        return (!c.proven, index, c);
    }

    function doConfirm(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        (bool open_, uint256 index, Claim memory c) = waiting(id, job, seed / 16);
        if (!open_ || c.windowUntil != 0 || !intime(job)) return;
        act(id, requester, abi.encodeCall(market.confirmOpening, (id, index)));
    }

    function doChallenge(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        (bool open_, uint256 index, Claim memory c) = waiting(id, job, seed / 16);
        if (!open_ || c.challenger != address(0) || vm.getBlockTimestamp() > c.windowUntil) return;
        if (vault.free(challenger) < CHALLENGE_BOND) return;
        act(id, challenger, abi.encodeCall(market.challenge, (id, index)));
    }

    function doSlash(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            Claim memory c = market.claimOf(id, i);
            if (job.state != State.Running || c.challenger == address(0)) continue;
            if (vm.getBlockTimestamp() <= c.answerUntil) continue;
            return act(id, stranger, abi.encodeCall(market.slash, (id, i)));
        }
    }

    function doKeepHash(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Drawing || job.drawHash != 0) return;
        passDrawBlock(id);
        act(id, stranger, abi.encodeCall(market.keepHash, (id)));
    }

    function doReveal(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Drawing || !intime(job)) return;
        if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
        act(id, stranger, abi.encodeCall(market.reveal, (id, SECRET)));
        if (market.jobOf(id).state != State.Proving) sampleStood[id] = true;
    }

    function doVote(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.None || !intime(job)) return;
        uint256 place = seed / 16 % 3;
        if (vault.free(validators[place]) < WORD) return;
        Task task = Task.Decision;
        uint32 index = 0;
        if (job.state == State.Running) {
            if (level(id) == Assurance.Optimistic && job.settled < job.claimed) {
                task = Task.Opening;
                index = job.settled;
                Claim memory c = market.claimOf(id, index);
                if (c.proven || c.windowUntil != 0) return;
            } else {
                if (job.openChallenges > 0 || job.claimed == job.total || seed % 64 != 7) return;
                (task, index) = (Task.Divergence, job.claimed);
            }
        } else if (job.state == State.Delivering) {
            if (!job.delivered) return;
            task = Task.Fetchable;
        } else if (job.state != State.Disputed) {
            return;
        }
        bytes32 verdict = task == Task.Decision && seed % 3 == 0 ? NO : YES;
        bytes memory signature = voteSignature(id, task, index, verdict, place);
        bytes memory call = abi.encodeCall(market.attest, (id, task, index, verdict, place, signature));
        // A second vote of the same member is refused; it changes nothing.
        uint256 here = vm.snapshotState();
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        vm.revertToState(here);
        if (!done) return;
        lastWord[validators[place]] = vm.getBlockTimestamp();
        tookBack[validators[place]] = false;
        act(id, stranger, call);
    }

    function doDeliver(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Delivering || !intime(job) || job.delivered) return;
        act(id, provider, abi.encodeCall(market.deliver, (id, bytes32(seed))));
    }

    function doAcknowledge(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state < State.Delivering || job.state > State.Disputed || seed % 16 != 0) return;
        act(id, requester, abi.encodeCall(market.acknowledge, (id)));
    }

    function doComplain(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Handed && intime(job)) act(id, requester, abi.encodeCall(market.complain, (id)));
    }

    function doAdvance(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.None || job.state >= State.Cancelled || intime(job)) return;
        if (job.state == State.Running) {
            if (job.openChallenges > 0) return;
            for (uint256 i = job.settled; i < job.claimed; ++i) {
                if (market.claimOf(id, i).windowUntil >= vm.getBlockTimestamp()) return;
            }
        }
        if (job.state == State.Drawing) sampleStood[id] = true;
        act(id, stranger, abi.encodeCall(market.advance, (id)));
    }

    function doAbandon(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Running || job.openChallenges > 0 || seed % 16 != 3) return;
        act(id, provider, abi.encodeCall(market.abandon, (id)));
    }

    function doCollect(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = ids[seed % ids.length];
        Job memory job = market.jobOf(id);
        if (job.earned == 0) return;
        collected[id] += job.earned;
        act(id, stranger, abi.encodeCall(market.collect, (id)));
    }

    function doWithdraw(uint256 seed) external counts(0) {
        address account = accounts[seed % accounts.length];
        if (market.owed(account) > 0) market.withdraw(account);
        if (vault.owed(account) > 0) vault.withdraw(account);
    }

    function doDonate(uint256 seed) external counts(0) {
        uint256 amount = seed % 1e18;
        vm.prank(stranger);
        yes(token.transfer(seed % 2 == 0 ? address(market) : address(vault), amount), "gift");
        if (seed % 2 == 0) donatedMarket += amount;
        else donatedVault += amount;
    }

    function doPass(uint256 seed) external counts(0) {
        vm.warp(vm.getBlockTimestamp() + (seed % 8 == 0 ? seed % 3 hours : seed % 10 minutes) + 1);
        vm.roll(vm.getBlockNumber() + seed % 40 + 1);
    }

    function doExit(uint256 seed) external counts(0) {
        address who = validators[seed % 3];
        if (seed % 2 == 0) {
            uint256 free = vault.free(who);
            uint256 before = vault.leaving(who);
            vm.prank(who);
            (bool done,) = address(vault).call(abi.encodeCall(vault.startExit, (free / 2 + 1)));
            yes(!done || vault.leaving(who) > before, "leaves");
        } else {
            vm.prank(who);
            (bool done,) = address(vault).call(abi.encodeCall(vault.finishExits, (who)));
            done;
        }
        stake(who, 10);
    }

    function doContradict(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.None || seed % 8 != 1) return;
        uint256 place = seed / 16 % 3;
        Attestation memory a = Attestation(id, Task.Decision, 0, bytes32(seed), YES);
        bytes memory first = wordSignature(a, place);
        a.verdict = NO;
        bytes memory second = wordSignature(a, place);
        tookBack[validators[place]] = true;
        act(id, stranger, abi.encodeCall(market.contradict, (a, YES, validators[place], second, first)));
    }

    function act(bytes32 id, address who, bytes memory call) private counts(id) {
        vm.prank(who);
        (bool done, bytes memory got) = address(market).call(call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(got, 32), mload(got))
            }
        }
    }

    // What must hold.

    function checkBooks() external {
        // Gifts are the only difference between what is there and what the books say.
        uint256 here = vm.snapshotState();
        take(address(market), donatedMarket);
        take(address(vault), donatedVault);
        solvent();
        vm.revertToState(here);
    }

    function take(address from, uint256 amount) private {
        vm.prank(from);
        yes(token.transfer(address(0xdddd), amount), "gift taken out");
    }

    function checkJobs() external view {
        for (uint256 k = 0; k < ids.length; ++k) {
            bytes32 id = ids[k];
            Job memory job = market.jobOf(id);
            uint256 earned = job.earned;
            // Paid at most the fixed price, for settled segments only.
            yes(collected[id] + earned <= uint256(job.settled) * job.price, "paid for settled segments");
            yes(job.settled <= job.claimed && job.claimed <= job.total && job.total <= SEGMENTS, "order");
            for (uint256 i = 0; i < job.settled; ++i) {
                Claim memory c = market.claimOf(id, i);
                bool lapsed = c.windowUntil != 0 && c.windowUntil < vm.getBlockTimestamp() && c.challenger == address(0);
                yes(proven[id][i] || sampleStood[id] || lapsed, "nothing is paid for nothing");
            }
            if (job.state < State.Cancelled) continue;
            job.earned = 0;
            if (atEnd[id] != 0) eq(keccak256(abi.encode(job)), atEnd[id], "an ended job never changes");
            eq(job.escrow + job.held + job.fees, 0, "nothing stays");
            eq(vault.bonded(id, provider), 0, "no bond stays");
            uint256 most = job.state == State.Slashed ? BOND : job.state == State.Defaulted ? BOND / 10 : 0;
            yes(bondLost[id] <= most, "lost bond");
            if (job.state == State.Slashed) eq(bondLost[id], BOND, "slashed in full");
        }
    }

    function checkCounters() external view {
        for (uint256 state = uint256(State.Cancelled); state <= uint256(State.Diverged); ++state) {
            uint256 ended = 0;
            uint256 byProvider = 0;
            for (uint256 k = 0; k < ids.length; ++k) {
                Job memory job = market.jobOf(ids[k]);
                if (uint256(job.state) != state) continue;
                ++ended;
                if (job.owner == provider) ++byProvider;
            }
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), requester, uint8(state) | 0x80), ended, "requester's count");
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), provider, uint8(state)), byProvider, "provider's count");
        }
    }

    /// Stake behind a word stays within reach as long as a window that the word may have started is open.
    function checkWords() external view {
        for (uint256 i = 0; i < 3; ++i) {
            address who = validators[i];
            if (lastWord[who] == 0 || tookBack[who]) continue;
            if (vm.getBlockTimestamp() >= lastWord[who] + vault.unbondingSecs()) continue;
            yes(vault.free(who) + vault.leaving(who) >= WORD, "stake behind a word");
        }
    }

    /// From here, time and a stranger's calls end every job.
    function checkEnds() external {
        uint256 here = vm.snapshotState();
        for (uint256 k = 0; k < ids.length; ++k) {
            bytes32 id = ids[k];
            for (uint256 i = 0; market.jobOf(id).state < State.Cancelled; ++i) {
                yes(i < 8, "no way out");
                vm.warp(vm.getBlockTimestamp() + 30 days);
                for (uint256 j = 0; j < SEGMENTS && market.jobOf(id).state == State.Running; ++j) {
                    if (market.claimOf(id, j).challenger == address(0)) continue;
                    vm.prank(stranger);
                    market.slash(id, j);
                }
                if (market.jobOf(id).state >= State.Cancelled) break;
                vm.prank(stranger);
                market.advance(id);
            }
        }
        vm.revertToState(here);
    }
}
