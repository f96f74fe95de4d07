// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, Attestation, Claim, Job, Member, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {Griefer} from "./Griefer.sol";
import {vm} from "./Vm.sol";

/// @notice Every party of up to 24 jobs, three at a time, a donor, a griefer and time. Each action does what can be done, or nothing.
contract Handler is Griefer {
    uint256 private constant JOBS = 24;
    uint256 private constant LIVE_JOBS = 3;

    /// The actions that are drawn.
    function actions() public pure returns (bytes4[] memory all) {
        all = new bytes4[](29);
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
        all[23] = this.doStartExit.selector;
        all[24] = this.doContradict.selector;
        all[25] = this.doReopen.selector;
        all[26] = this.doAcceptAsTeam.selector;
        all[27] = this.doGrief.selector;
        all[28] = this.doFinishExits.selector;
    }

    /// Whether there may be another job.
    function hasRoom() private view returns (bool) {
        uint256 live = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (market.jobOf(ids[i]).state < State.Cancelled) ++live;
        }
        return ids.length < JOBS && live < LIVE_JOBS;
    }

    function doOpen(uint256 seed) external {
        if (hasRoom()) post(terms(Assurance(seed % 3)));
    }

    /// A new job that goes on from one that ended: at its parameters, or from fresh commitments.
    function doReopen(uint256 seed) external {
        if (ids.length == 0 || !hasRoom()) return;
        bytes32 parent = ids[seed % ids.length];
        Job memory job = market.jobOf(parent);
        if (job.state < State.Cancelled) return;
        Terms memory t = terms(Assurance(seed / 32 % 3));
        (t.parent, t.rebased) = (parent, seed / 128 % 4 == 0);
        t.training.first = t.rebased ? bytes32(seed) : job.current;
        if (!t.rebased && job.settled < SEGMENTS) t.training.segments = SEGMENTS - job.settled;
        if (t.training.segments < t.checks.draws) t.checks.draws = uint8(t.training.segments);
        uint256 owed = market.owed(requester);
        uint256 had = token.balanceOf(requester);
        bytes32 id = post(t);
        uint256 escrow = market.jobOf(id).escrow;
        uint256 reused = owed < escrow ? owed : escrow;
        eq(market.owed(requester), owed - reused, "what is owed pays first");
        eq(token.balanceOf(requester), had + reused - escrow, "and the requester the rest");
    }

    function post(Terms memory t) private returns (bytes32) {
        ++reached[msg.sig];
        return open(t);
    }

    function doCancel(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Open && seed % 5 == 0) act(id, requester, abi.encodeCall(market.cancel, (id)));
    }

    function doAccept(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (isOpen(job)) act(id, provider, abi.encodeCall(market.accept, (id, 0)));
    }

    /// In time, and not handed back just now.
    function isOpen(Job memory job) private view returns (bool) {
        return job.state == State.Open && intime(job) && vm.getBlockNumber() >= job.acceptFrom;
    }

    /// The provider leads, with one partner or two.
    function doAcceptAsTeam(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (!isOpen(job)) return;
        Seat[] memory seats = new Seat[](2 + seed / 16 % 2);
        seats[0].member = Member(provider, 10_000, BOND);
        for (uint256 i = 1; i < seats.length; ++i) {
            Seat memory seat = seats[i];
            // Neither divides what it is a part of.
            seat.member =
                Member(i == 1 ? partner : third, uint16(seed / 64 % 3333), uint128(seed / 64 % (BOND / 4)) + 1);
            (seat.nonce, seat.expiry) = (++nonce, vm.getBlockTimestamp());
            seats[0].member.shareBps -= seat.member.shareBps;
            seats[0].member.bond -= seat.member.bond;
        }
        for (uint256 i = 1; i < seats.length; ++i) {
            bytes32 digest = market.consentDigest(id, provider, seats[i], PRICE);
            seats[i].signature = sign(i == 1 ? PARTNER_KEY : THIRD_KEY, digest);
        }
        act(id, provider, abi.encodeCall(market.acceptAsTeam, (id, PRICE, seats)));
    }

    function doDecline(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Assigned && seed % 3 == 0) act(id, job.owner, abi.encodeCall(market.decline, (id)));
    }

    function doStart(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.Assigned && intime(job)) act(id, job.owner, abi.encodeCall(market.start, (id)));
    }

    function doClaim(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Running || !intime(job) || level(id) == Assurance.Proven) return;
        uint256 most = level(id) == Assurance.Optimistic ? job.settled + 4 : SEGMENTS;
        if (most > job.total) most = job.total;
        if (job.claimed >= most) return;
        uint256 count = seed / 16 % 3 + 1;
        if (count > most - job.claimed) count = most - job.claimed;
        bytes32[] memory lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            lasts[i] = lastOf(job.claimed + i);
        }
        act(id, job.owner, abi.encodeCall(market.claim, (id, job.claimed, lasts)));
    }

    /// Up to three segments at once.
    function doProve(uint256 seed) external {
        for (uint256 i = 0; i <= seed / 64 % 3; ++i) {
            proveNext(seed);
        }
    }

    function proveNext(uint256 seed) private {
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
        // The griefer claims what it cannot prove.
        if (level(id) != Assurance.Proven && market.claimOf(id, index).last != lastOf(index)) return;
        proven[id][index] = true;
        if (job.due == 1) sampleStood[id] = true;
        // Claims are proven by anyone.
        bool claims = market.termsOf(id).checks.level != Assurance.Proven;
        address prover = claims ? stranger : market.jobOf(id).owner;
        act(id, prover, abi.encodeCall(market.prove, (id, index, proof(id, index, lastOf(index)))));
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
        if (job.state != State.Running || level(id) != Assurance.Optimistic || !intime(job)) return;
        // In order: the first that is neither opened nor proven.
        uint256 index = job.settled;
        while (index < job.claimed && isOpened(id, index)) ++index;
        if (index == job.claimed) return;
        act(id, requester, confirming(id, index));
    }

    function doChallenge(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        (bool open_, uint256 index, Claim memory c) = waiting(id, job, seed / 16);
        if (!open_ || c.challenger != address(0) || vm.getBlockTimestamp() > c.windowUntil) return;
        // Validators challenge as well, with what does not stand behind their words.
        address who = seed / 256 % 2 == 0 ? challenger : validators[seed / 512 % 3];
        if (vault.free(who) < vault.backing(who) + CHALLENGE_BOND) return;
        act(id, who, contesting(id, index));
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
        if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
        // Too late: the hash is lost.
        if (vm.getBlockNumber() > job.drawBlock + 256) return;
        act(id, stranger, abi.encodeCall(market.keepHash, (id)));
    }

    function doReveal(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Drawing || !intime(job)) return;
        if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
        act(id, stranger, abi.encodeCall(market.reveal, (id, SECRET)));
        if (market.jobOf(id).state != State.Proving) sampleStood[id] = true;
    }

    /// One member after another.
    function doVote(uint256 seed) external {
        for (uint256 i = 0; i <= seed / 64 % 3; ++i) {
            voteAt(seed, (seed / 16 + i) % 3);
        }
    }

    function voteAt(uint256 seed, uint256 place) private {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state == State.None || !intime(job)) return;
        if (vault.free(validators[place]) < WORD) return;
        Task task = Task.Decision;
        uint32 index = 0;
        if (job.state == State.Running) {
            if (level(id) == Assurance.Optimistic && job.settled < job.claimed) {
                task = Task.Opening;
                index = job.settled;
                Claim memory c = market.claimOf(id, index);
                // The requester may have come first.
                if (c.proven || (c.windowUntil != 0 && vm.getBlockTimestamp() > c.windowUntil)) return;
            } else {
                if (job.openChallenges > 0 || job.claimed == job.total || seed % 8 != 7) return;
                (task, index) = (Task.Divergence, job.claimed);
            }
        } else if (job.state == State.Delivering) {
            if (!job.delivered) return;
            task = Task.Fetchable;
        } else if (job.state != State.Disputed) {
            return;
        }
        // Where members can differ, they do.
        bool differ = task == Task.Decision || task == Task.Divergence;
        bytes32 verdict = differ && seed / 256 % 4 == place ? NO : YES;
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
        ++votes[task];
    }

    function doDeliver(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Delivering || !intime(job) || job.delivered) return;
        act(id, job.owner, abi.encodeCall(market.deliver, (id, bytes32(seed))));
    }

    function doAcknowledge(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state < State.Delivering || job.state > State.Disputed || seed / 64 % 4 != 0) return;
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
            if (job.openChallenges > 0 || hasOpenWindow(id, job)) return;
        }
        if (job.state == State.Drawing) sampleStood[id] = true;
        act(id, stranger, abi.encodeCall(market.advance, (id)));
    }

    function doAbandon(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed);
        if (job.state != State.Running || job.openChallenges > 0 || hasOpenWindow(id, job) || seed % 16 != 3) return;
        act(id, job.owner, abi.encodeCall(market.abandon, (id)));
    }

    function doCollect(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = ids[seed % ids.length];
        Job memory job = market.jobOf(id);
        if (job.earned < (job.state < State.Cancelled ? 10_000 : 1)) return;
        act(id, stranger, abi.encodeCall(market.collect, (id)));
        collected[id] += job.earned - market.jobOf(id).earned;
    }

    function doWithdraw(uint256 seed) external {
        address account = accounts[seed % accounts.length];
        uint256 before = token.balanceOf(account);
        uint256 owed = market.owed(account) + vault.owed(account);
        if (owed == 0) return;
        if (market.owed(account) > 0) market.withdraw(account);
        if (vault.owed(account) > 0) vault.withdraw(account);
        eq(token.balanceOf(account), before + owed, "paid");
        ++reached[msg.sig];
    }

    function doDonate(uint256 seed) external {
        uint256 amount = seed % 1e18 + 1;
        vm.prank(stranger);
        yes(token.transfer(seed % 2 == 0 ? address(market) : address(vault), amount), "gift");
        if (seed % 2 == 0) donatedMarket += amount;
        else donatedVault += amount;
        ++reached[msg.sig];
    }

    /// Mostly minutes; at times hours, days for jobs that nobody runs, and for stake to leave.
    function doPass(uint256 seed) external {
        uint256 secs = seed % 4 == 0 ? seed % 3 hours : seed % 10 minutes;
        if (seed % 64 == 8) secs = seed % 3 days;
        if (seed % 64 == 16) secs = vault.unbondingSecs();
        vm.warp(vm.getBlockTimestamp() + secs + 1);
        // A day has more blocks than hashes can be read of.
        vm.roll(vm.getBlockNumber() + seed % 40 + 1 + secs / 5 minutes);
        ++reached[msg.sig];
    }

    function doStartExit(uint256 seed) external {
        address who = validators[seed % 3];
        if (seed / 3 % 4 != 0) return;
        uint256 before = vault.leaving(who);
        uint256 amount = vault.free(who) / 2 + 1;
        vm.prank(who);
        (bool done,) = address(vault).call(abi.encodeCall(vault.startExit, (amount)));
        if (!done) return;
        eq(vault.leaving(who), before + amount, "leaves");
        stake(who, 10);
        ++reached[msg.sig];
    }

    /// What has left comes back at times, so that there are words again.
    function doFinishExits(uint256 seed) external {
        address who = validators[seed % 3];
        uint256 before = vault.leaving(who);
        (bool done,) = address(vault).call(abi.encodeCall(vault.finishExits, (who)));
        if (!done) return;
        uint256 left = before - vault.leaving(who);
        stake(who, left + 10);
        // An exit that was taken from may be empty.
        if (left > 0) ++reached[msg.sig];
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
}
