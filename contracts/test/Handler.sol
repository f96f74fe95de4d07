// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Permit} from "../src/interfaces/IStakeVault.sol";
import {Bounds} from "../src/market/Bounds.sol";
import {
    Assurance,
    Attestation,
    Claim,
    Job,
    Licence,
    Member,
    Offer,
    Seat,
    State,
    Task,
    Terms,
    Times
} from "../src/market/Types.sol";
import {Griefer} from "./Griefer.sol";
import {vm} from "./Vm.sol";

/// @notice Every party of up to 24 jobs, five at a time, a donor, a griefer and time. Each action does what can be
/// done, or nothing.
contract Handler is Griefer {
    uint256 private constant JOBS = 24;
    uint256 private constant LIVE_JOBS = 5;

    /// The actions that are drawn.
    function actions() public pure returns (bytes4[] memory all) {
        all = new bytes4[](35);
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
        all[29] = this.doTakeOffer.selector;
        all[30] = this.doChangeRate.selector;
        all[31] = this.doWithdrawRoyalty.selector;
        all[32] = this.doLeap.selector;
        all[33] = this.doStake.selector;
        all[34] = this.doVoteLate.selector;
    }

    /// How often the walk came by: each action, each call of the griefer, what it did in all, each task's vote, each
    /// end, and what else must be seen.
    function coverage() external view returns (uint256[][] memory all) {
        all = new uint256[][](6);
        bytes4[] memory drawn_ = actions();
        all[0] = new uint256[](drawn_.length);
        for (uint256 k = 0; k < drawn_.length; ++k) {
            all[0][k] = reached[drawn_[k]];
        }
        (all[1], all[2]) = (new uint256[](CALLS), new uint256[](1));
        for (uint256 k = 0; k < CALLS; ++k) {
            all[1][k] = did[k] + failed[k];
            all[2][0] += did[k];
        }
        all[3] = new uint256[](uint256(type(Task).max) + 1);
        for (uint256 k = 0; k < all[3].length; ++k) {
            all[3][k] = votes[Task(k)];
        }
        all[4] = ends();
        all[5] = new uint256[](uint256(type(Sight).max) + 1);
        for (uint256 k = 0; k < all[5].length; ++k) {
            all[5][k] = seen[Sight(k)];
        }
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
        if (hasRoom()) post(drawn(seed));
    }

    /// What a job is about: some are short, or have a price that grows, a data owner, or times as long as may be.
    function drawn(uint256 seed) private view returns (Terms memory t) {
        t = terms(Assurance(seed % 4 < 3 ? seed % 4 : 2));
        if (seed / 4 % 3 == 0) (t.price.start, t.price.rampSecs) = (PRICE * 2 / 5, 12 hours);
        if (seed / 16 % 2 == 0) (t.training.dataset, t.training.royaltyBps) = (set, datasets.entry(set).rateBps);
        if (seed / 32 % 4 == 0) t.times = longest();
        if (seed / 128 % 2 == 0) shorten(t, seed / 256 % 3 + 1);
    }

    /// No more is drawn than there is.
    function shorten(Terms memory t, uint256 segments) private pure {
        t.training.segments = uint32(segments);
        if (segments < t.checks.draws) t.checks.draws = uint8(segments);
    }

    function longest() private pure returns (Times memory) {
        return Times({
            openSecs: Bounds.OPEN_SECS,
            startSecs: Bounds.START_SECS,
            runSecs: Bounds.RUN_SECS,
            windowSecs: Bounds.WINDOW_SECS,
            // Of as many claims as may wait.
            answerSecs: Bounds.ANSWERS_SECS / 4,
            revealSecs: Bounds.REVEAL_SECS,
            proveSecs: Bounds.PROVING_SECS / SEGMENTS,
            deliverSecs: Bounds.DELIVER_SECS,
            complainSecs: Bounds.COMPLAIN_SECS,
            decideSecs: Bounds.DECIDE_SECS
        });
    }

    /// What the data owner signs, if there is one.
    function licence(Terms memory t) private returns (Licence memory l) {
        if (t.training.dataset == 0) return l;
        (l.nonce, l.expiry) = (++nonce, vm.getBlockTimestamp());
        l.signature = sign(OWNER_KEY, market.licenceDigest(set, requester, l));
    }

    /// A new job that goes on from one that ended: at its parameters, or from fresh commitments.
    function doReopen(uint256 seed) external {
        if (ids.length == 0 || !hasRoom()) return;
        bytes32 parent = ids[seed % ids.length];
        Job memory job = market.jobOf(parent);
        if (job.state < State.Cancelled) return;
        Terms memory t = drawn(seed >> 8);
        (t.parent, t.rebased) = (parent, seed / 32 % 4 == 0);
        t.training.first = t.rebased ? bytes32(seed) : job.current;
        if (!t.rebased && job.settled < SEGMENTS) shorten(t, SEGMENTS - job.settled);
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
        return open(t, licence(t));
    }

    /// The requester signs an offer, the provider brings it, and with it a permit at times: the price is the first one.
    function doTakeOffer(uint256 seed) external {
        if (!hasRoom()) return;
        Terms memory t = drawn(seed);
        address taker = seed / 1024 % 2 == 0 ? provider : address(0);
        Offer memory offer = Offer(requester, taker, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        Permit memory permit;
        if (seed / 2048 % 2 == 0) {
            permit = permitOf(REQUESTER_KEY, requester, address(market), type(uint256).max);
        }
        bytes32 id = market.idOf(requester, offer.nonce, t);
        ids.push(id);
        act(id, provider, abi.encodeCall(market.openAndAccept, (t, offer, licence(t), permit, t.price.start)));
        eq(market.jobOf(id).price, t.price.start, "the first price");
    }

    /// The data owner asks for another rate, and has its royalties paid elsewhere: that is for new jobs.
    function doChangeRate(uint256 seed) external {
        vm.prank(dataOwner);
        datasets.change(set, uint16(seed % (Bounds.ROYALTY_BPS + 1)), seed / 8192 % 2 == 0 ? royalties : dataOwner);
        entry = keccak256(abi.encode(datasets.entry(set)));
        ++reached[msg.sig];
    }

    function doWithdrawRoyalty(uint256 seed) external {
        address receiver = seed % 2 == 0 ? royalties : dataOwner;
        if (market.owed(receiver) > 0) payOut(receiver);
    }

    function doCancel(uint256 seed) external {
        (bytes32 id,) = pick(seed, State.Open);
        if (id != 0 && seed % 5 == 0) act(id, requester, abi.encodeCall(market.cancel, (id)));
    }

    function doAccept(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Open);
        if (isOpen(job)) act(id, provider, abi.encodeCall(market.accept, (id, 0)));
    }

    /// In time, and not handed back just now.
    function isOpen(Job memory job) private view returns (bool) {
        return intime(job) && vm.getBlockNumber() >= job.acceptFrom;
    }

    /// The provider leads, with one partner or two.
    function doAcceptAsTeam(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Open);
        if (!isOpen(job)) return;
        Seat[] memory seats = new Seat[](2 + seed / 16 % 2);
        uint256 price = market.priceOf(id);
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
            bytes32 digest = market.consentDigest(id, provider, seats[i], price);
            seats[i].signature = sign(i == 1 ? PARTNER_KEY : THIRD_KEY, digest);
        }
        act(id, provider, abi.encodeCall(market.acceptAsTeam, (id, price, seats)));
    }

    function doDecline(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Assigned);
        if (id != 0 && seed % 3 == 0) act(id, job.owner, abi.encodeCall(market.decline, (id)));
    }

    function doStart(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Assigned);
        if (intime(job)) act(id, job.owner, abi.encodeCall(market.start, (id)));
    }

    function doClaim(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Running);
        if (!intime(job) || level(id) == Assurance.Proven) return;
        uint256 most = level(id) == Assurance.Optimistic ? job.settled + 4 : job.total;
        if (most > job.total) most = job.total;
        if (job.claimed >= most) return;
        uint256 count = seed / 16 % SEGMENTS + 1;
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
        (bytes32 id, Job memory job) = pick(seed, State.Running, State.Proving);
        uint256 index = job.settled;
        if (job.state == State.Proving) {
            if (!intime(job)) return;
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
        (bytes32 id, Job memory job) = pickOptimistic(seed);
        if (job.settled == job.claimed) return;
        Claim memory c = market.claimOf(id, job.settled);
        if (c.windowUntil == 0 || vm.getBlockTimestamp() <= c.windowUntil || c.challenger != address(0)) return;
        act(id, stranger, abi.encodeCall(market.settle, (id)));
    }

    function waiting(bytes32 id, Job memory job, uint256 seed)
        private
        view
        returns (bool, uint256 index, Claim memory c)
    {
        if (job.settled == job.claimed) return (false, 0, c);
        index = job.settled + seed % (job.claimed - job.settled);
        c = market.claimOf(id, index);
        return (!c.proven, index, c);
    }

    function doConfirm(uint256 seed) external {
        (bytes32 id, Job memory job) = pickOptimistic(seed);
        if (!intime(job)) return;
        // In order: the first that is neither opened nor proven.
        uint256 index = job.settled;
        while (index < job.claimed && isOpened(id, index)) ++index;
        if (index == job.claimed) return;
        act(id, requester, confirming(id, index));
    }

    function doChallenge(uint256 seed) external {
        (bytes32 id, Job memory job) = pickOptimistic(seed);
        (bool open_, uint256 index, Claim memory c) = waiting(id, job, seed / 16);
        if (!open_ || c.challenger != address(0) || vm.getBlockTimestamp() > c.windowUntil) return;
        // Validators challenge as well, with what does not stand behind their words.
        address who = seed / 256 % 2 == 0 ? challenger : validators[seed / 512 % 3];
        if (vault.free(who) < vault.backing(who) + CHALLENGE_BOND) return;
        act(id, who, contesting(id, index));
    }

    function doSlash(uint256 seed) external {
        (bytes32 id, Job memory job) = pickOptimistic(seed);
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            Claim memory c = market.claimOf(id, i);
            if (c.challenger == address(0) || vm.getBlockTimestamp() <= c.answerUntil) continue;
            act(id, stranger, abi.encodeCall(market.slash, (id, i)));
            return eq(lost[id].to, c.challenger, "who challenged is paid");
        }
    }

    function doKeepHash(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Drawing);
        if (id == 0 || job.drawHash != 0) return;
        if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
        // Too late: the hash is lost.
        if (vm.getBlockNumber() > job.drawBlock + 256) return;
        act(id, stranger, abi.encodeCall(market.keepHash, (id)));
    }

    function doReveal(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Drawing);
        if (!intime(job)) return;
        if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
        act(id, stranger, abi.encodeCall(market.reveal, (id, SECRET)));
        if (market.jobOf(id).state != State.Proving) sampleStood[id] = true;
    }

    /// One member after another.
    function doVote(uint256 seed) external {
        State from = seed / 1024 % 2 == 0 ? State.Running : State.Delivering;
        (bytes32 id,) = pick(seed, from, State.Disputed);
        for (uint256 i = 0; i <= seed / 64 % 3; ++i) {
            voteOn(id, seed, (seed / 16 + i) % 3);
        }
    }

    /// A member speaks and takes its stake out; much later another speaks.
    function doVoteLate(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Running);
        // All the time that stake needs, or a half, a quarter, an eighth of it.
        uint256 secs = vault.unbondingSecs() >> seed / 64 % 4;
        if (job.deadline <= vm.getBlockTimestamp() + secs || seed % 2 == 0) return;
        uint256 place = seed / 16 % 3;
        // Of any level: all are asked about a divergence.
        voteOn(id, seed | 7, place);
        exit(validators[place], vault.free(validators[place]));
        later(secs, 0);
        voteOn(id, seed | 7, (place + 1) % 3);
    }

    function voteOn(bytes32 id, uint256 seed, uint256 place) private {
        Job memory job = market.jobOf(id);
        if (!intime(job) || vault.free(validators[place]) < WORD) return;
        (bool open_, Task task, uint32 index) = asked(id, job, seed);
        if (!open_) return;
        // Where members can differ, they do.
        bool differ = task == Task.Decision || task == Task.Divergence;
        bytes32 verdict = differ && seed / 256 % 4 == place ? NO : YES;
        speak(Attestation(id, task, index, market.subjectOf(id, task, index, verdict), verdict), place);
    }

    /// What the committee is asked.
    function asked(bytes32 id, Job memory job, uint256 seed) private view returns (bool, Task, uint32) {
        if (job.state == State.Delivering) return (job.delivered, Task.Fetchable, 0);
        if (job.state != State.Running) return (job.state == State.Disputed, Task.Decision, 0);
        if (level(id) == Assurance.Optimistic && job.settled < job.claimed) {
            Claim memory c = market.claimOf(id, job.settled);
            // The requester may have come first.
            bool over = c.windowUntil != 0 && vm.getBlockTimestamp() > c.windowUntil;
            return (!c.proven && !over, Task.Opening, job.settled);
        }
        bool diverges = job.openChallenges == 0 && job.claimed < job.total && seed % 8 == 7;
        return (diverges, Task.Divergence, job.claimed);
    }

    /// A second word of the same member is refused; it changes nothing.
    function speak(Attestation memory a, uint256 place) private {
        bytes memory signature = wordSignature(a, place);
        bytes memory call = abi.encodeCall(market.attest, (a.job, a.task, a.index, a.verdict, place, signature));
        uint256 here = vm.snapshotState();
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        vm.revertToState(here);
        if (!done) return;
        bytes32 before = answers(a);
        act(a.job, stranger, call);
        ++votes[a.task];
        keepWord(a, place, answers(a) != before);
    }

    /// What a decision of the committee changes.
    function answers(Attestation memory a) private view returns (bytes32) {
        Job memory job = market.jobOf(a.job);
        return keccak256(abi.encode(job.state, job.diverged, market.claimOf(a.job, a.index).windowUntil));
    }

    function doDeliver(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Delivering);
        if (!intime(job) || job.delivered) return;
        act(id, job.owner, abi.encodeCall(market.deliver, (id, bytes32(seed))));
    }

    function doAcknowledge(uint256 seed) external {
        (bytes32 id,) = pick(seed, State.Delivering, State.Disputed);
        if (id == 0 || seed / 64 % 8 != 0) return;
        act(id, requester, abi.encodeCall(market.acknowledge, (id)));
    }

    function doComplain(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Handed);
        if (intime(job)) act(id, requester, abi.encodeCall(market.complain, (id)));
    }

    function doAdvance(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Open, State.Disputed);
        if (id == 0 || intime(job)) return;
        if (job.state == State.Running) {
            if (job.openChallenges > 0 || hasOpenWindow(id, job)) return;
        }
        if (job.state == State.Drawing) sampleStood[id] = true;
        act(id, stranger, abi.encodeCall(market.advance, (id)));
    }

    function doAbandon(uint256 seed) external {
        (bytes32 id, Job memory job) = pick(seed, State.Running);
        if (id == 0 || job.openChallenges > 0 || hasOpenWindow(id, job) || seed % 16 != 3) return;
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
        if (market.owed(account) + vault.owed(account) > 0) payOut(account);
    }

    function payOut(address account) private {
        uint256 all = token.balanceOf(account) + market.owed(account) + vault.owed(account);
        if (market.owed(account) > 0) market.withdraw(account);
        if (vault.owed(account) > 0) vault.withdraw(account);
        eq(token.balanceOf(account), all, "paid");
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
        later(secs + 1, seed % 40);
    }

    /// Far, in a job whose times are long, but mostly not out of what it is in.
    function doLeap(uint256 seed) external {
        (, Job memory job) = pick(seed, State.Running, State.Disputed);
        if (job.deadline <= vm.getBlockTimestamp() + 3 days) return;
        uint256 left = job.deadline - vm.getBlockTimestamp();
        later(seed / 64 % 8 == 0 ? left + 1 : seed / 512 % left, 0);
    }

    /// A day has more blocks than hashes can be read of.
    function later(uint256 secs, uint256 blocks) private {
        vm.warp(vm.getBlockTimestamp() + secs);
        vm.roll(vm.getBlockNumber() + blocks + 1 + secs / 5 minutes);
        ++reached[msg.sig];
    }

    /// The half of a validator's stake, or all of it.
    function doStartExit(uint256 seed) external {
        address who = validators[seed % 3];
        if (seed / 3 % 4 != 0) return;
        if (exit(who, seed / 16 % 2 == 0 ? vault.free(who) : vault.free(who) / 2 + 1)) ++reached[msg.sig];
    }

    function exit(address who, uint256 amount) private returns (bool done) {
        uint256 before = vault.leaving(who);
        vm.prank(who);
        (done,) = address(vault).call(abi.encodeCall(vault.startExit, (amount)));
        if (done) eq(vault.leaving(who), before + amount, "leaves");
    }

    function doFinishExits(uint256 seed) external {
        address who = validators[seed % 3];
        uint256 before = vault.leaving(who);
        (bool done,) = address(vault).call(abi.encodeCall(vault.finishExits, (who)));
        // An exit that was taken from may be empty.
        if (done && vault.leaving(who) < before) ++reached[msg.sig];
    }

    /// A validator that has no stake left brings new one, so that there are words again.
    function doStake(uint256 seed) external {
        address who = validators[seed % 3];
        if (vault.free(who) >= WORD) return;
        stake(who, 4 * WORD);
        ++reached[msg.sig];
    }

    function doContradict(uint256 seed) external {
        if (ids.length == 0 || seed % 8 != 1) return;
        bytes32 id = ids[seed / 64 % ids.length];
        uint256 place = seed / 16 % 3;
        Attestation memory a = Attestation(id, Task.Decision, 0, bytes32(seed), YES);
        bytes memory first = wordSignature(a, place);
        a.verdict = NO;
        bytes memory second = wordSignature(a, place);
        tookBack[validators[place]] = true;
        act(id, stranger, abi.encodeCall(market.contradict, (a, YES, validators[place], second, first)));
    }
}
