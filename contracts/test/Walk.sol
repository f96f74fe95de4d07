// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Claim, Job, Member, State, Task, Terms} from "../src/market/Types.sol";
import {BURNT} from "../src/Token.sol";
import {Scene} from "./Scene.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice What a random walk over jobs remembers of its steps, and what must hold behind each of them.
abstract contract Walk is Scene {
    uint256 internal constant GRIEFER_KEY = 0x61;
    uint256 internal constant THIRD_KEY = 0xb3;
    /// Does what it can at any time; may accept jobs.
    address internal griefer = vm.addr(GRIEFER_KEY);
    /// Challenges at random.
    address internal heckler = address(0x4ec);
    address internal third = vm.addr(THIRD_KEY);

    /// What a walk must have come past, besides its actions.
    enum Sight {
        Royalty,
        /// Accepted while the price grew.
        Growing,
        /// Slashed after a draw, and by a challenger.
        Drawn,
        Challenged,
        /// A word on a question behind a word whose stake may have left since.
        Late
    }

    /// What one job took from the bonds of its team at its end.
    struct Loss {
        uint256 burnt;
        uint256 requester;
        uint256 challenger;
        address to;
    }

    /// A job before a step.
    struct Before {
        Job job;
        uint256 bond;
        uint256 free;
        uint256 royalties;
    }

    mapping(bytes4 action => uint256) internal reached;
    mapping(Sight sight => uint256) internal seen;
    mapping(bytes32 id => mapping(uint256 index => bool)) internal proven;
    mapping(bytes32 id => bool) internal sampleStood;
    mapping(bytes32 id => uint256) internal collected;
    mapping(bytes32 id => bytes32) private atEnd;
    mapping(bytes32 id => uint256) private agreed;
    mapping(bytes32 id => uint256) private royaltyPaid;
    mapping(bytes32 id => Loss) internal lost;
    /// When each member gave a verdict last.
    mapping(bytes32 side => mapping(uint256 place => uint256)) private wordAt;
    mapping(address validator => uint256) internal lastWord;
    mapping(address validator => bool) internal tookBack;
    /// Votes that were counted.
    mapping(Task task => uint256) internal votes;
    uint256 internal donatedMarket;
    uint256 internal donatedVault;
    /// Registered by the data owner, and what the register must say of it.
    bytes32 internal set;
    bytes32 internal entry;
    /// What the receivers of royalties had before.
    uint256 private fortune;

    constructor() {
        setUp();
        address[3] memory more = [griefer, heckler, third];
        for (uint256 i = 0; i < 3; ++i) {
            accounts.push(more[i]);
            yes(token.transfer(more[i], 1e24), "fortune");
            vm.prank(more[i]);
            token.approve(address(vault), type(uint256).max);
            stake(more[i], 100_000e18);
        }
        enrol(griefer, 0xee4, address(0), 3);
        enrol(third, 0xee3, address(0), 1);
        vm.prank(dataOwner);
        set = datasets.register(ROOT, 107, 1000, royalties);
        entry = keccak256(abi.encode(datasets.entry(set)));
        fortune = received();
    }

    /// What those have who may receive royalties.
    function received() private view returns (uint256) {
        return token.balanceOf(royalties) + market.owed(royalties) + token.balanceOf(dataOwner) + market.owed(dataOwner);
    }

    /// Counts a step, and looks at its job before and after.
    modifier counts(bytes32 id) {
        Before memory was;
        was.job = market.jobOf(id);
        (was.bond, was.free) = bonds(id);
        was.royalties = market.owed(was.job.royaltyTo);
        vm.recordLogs();
        _;
        ++reached[msg.sig];
        Job memory job = market.jobOf(id);
        keepRoyalty(id, was);
        if (was.job.state < State.Assigned && job.state == State.Assigned) keepPrice(id, job);
        if (was.job.state < State.Cancelled && job.state >= State.Cancelled) keepEnd(id, job, was);
    }

    function keepRoyalty(bytes32 id, Before memory was) private {
        uint256 royalty = market.owed(was.job.royaltyTo);
        // Less: the griefer has them paid out.
        if (royalty <= was.royalties) return;
        royaltyPaid[id] += royalty - was.royalties;
        ++seen[Sight.Royalty];
    }

    function keepPrice(bytes32 id, Job memory job) private {
        Terms memory t = market.termsOf(id);
        yes(t.price.start <= job.price && job.price <= t.price.max, "a price between the two");
        if (t.price.start < job.price && job.price < t.price.max) ++seen[Sight.Growing];
        agreed[id] = job.price;
    }

    function keepEnd(bytes32 id, Job memory job, Before memory was) private {
        // A default is not a way around a challenge.
        if (job.state == State.Defaulted) yes(!hasOpenWindow(id, job), "left in a window");
        Loss storage loss = lost[id];
        keepLoss(id, loss);
        (, uint256 freed) = bonds(id);
        eq(loss.burnt + loss.requester + loss.challenger, was.bond + was.free - freed, "the vault tells what it took");
        if (job.state == State.Slashed) ++seen[loss.to == address(0) ? Sight.Drawn : Sight.Challenged];
        job.earned = 0;
        atEnd[id] = keccak256(abi.encode(job));
    }

    /// Who got what of the bonds, by the vault's events.
    function keepLoss(bytes32 id, Loss storage loss) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(vault) || logs[i].topics[0] != IStakeVault.Taken.selector) continue;
            if (logs[i].topics[1] != id) continue;
            address to = address(uint160(uint256(logs[i].topics[3])));
            uint256 amount = abi.decode(logs[i].data, (uint256));
            if (to == BURNT) {
                loss.burnt += amount;
            } else if (to == requester) {
                loss.requester += amount;
            } else {
                yes(loss.to == address(0) || loss.to == to, "one challenger");
                loss.challenger += amount;
                loss.to = to;
            }
        }
    }

    /// What the team of a job has locked for it, and has free.
    function bonds(bytes32 id) private view returns (uint256 bond, uint256 free) {
        Member[] memory team = market.teamOf(id);
        for (uint256 i = 0; i < team.length; ++i) {
            bond += vault.bonded(id, team[i].owner);
            free += vault.free(team[i].owner);
        }
    }

    /// A job in one of these states, or none.
    function pick(uint256 seed, State from, State to) internal view returns (bytes32 id, Job memory job) {
        return find(seed, from, to, false);
    }

    function pick(uint256 seed, State state) internal view returns (bytes32, Job memory) {
        return find(seed, state, state, false);
    }

    /// A running optimistic job, or none.
    function pickOptimistic(uint256 seed) internal view returns (bytes32, Job memory) {
        return find(seed, State.Running, State.Running, true);
    }

    function find(uint256 seed, State from, State to, bool optimistic)
        private
        view
        returns (bytes32 id, Job memory job)
    {
        for (uint256 i = 0; i < ids.length; ++i) {
            id = ids[(seed % ids.length + i) % ids.length];
            job = market.jobOf(id);
            if (job.state < from || job.state > to) continue;
            if (!optimistic || level(id) == Assurance.Optimistic) return (id, job);
        }
        Job memory none;
        return (0, none);
    }

    /// A job that is not there never is.
    function intime(Job memory job) internal view returns (bool) {
        return vm.getBlockTimestamp() <= job.deadline;
    }

    function isOpened(bytes32 id, uint256 index) internal view returns (bool) {
        Claim memory c = market.claimOf(id, index);
        return c.proven || c.windowUntil != 0;
    }

    /// Whether somebody could still challenge a claim.
    function hasOpenWindow(bytes32 id, Job memory job) internal view returns (bool) {
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            Claim memory c = market.claimOf(id, i);
            if (!c.proven && c.windowUntil >= vm.getBlockTimestamp()) return true;
        }
        return false;
    }

    /// How many jobs ended in each way.
    function ends() internal view returns (uint256[] memory count) {
        uint256 first = uint256(State.Cancelled);
        count = new uint256[](uint256(type(State).max) + 1 - first);
        for (uint256 k = 0; k < ids.length; ++k) {
            State state = market.jobOf(ids[k]).state;
            if (state >= State.Cancelled) ++count[uint256(state) - first];
        }
    }

    function level(bytes32 id) internal view returns (Assurance) {
        return market.termsOf(id).checks.level;
    }

    /// A step that must succeed.
    function act(bytes32 id, address who, bytes memory call) internal counts(id) {
        vm.prank(who);
        (bool done, bytes memory got) = address(market).call(call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(got, 32), mload(got))
            }
        }
    }

    /// A member's word, which was counted just now, and whether it decided.
    function keepWord(Attestation memory a, uint256 place, bool decided) internal {
        bytes32 side = keccak256(abi.encode(a));
        (address who, uint256 now_) = (validators[place], vm.getBlockTimestamp());
        for (uint256 i = 0; i < 3; ++i) {
            if (wordAt[side][i] != 0 && wordAt[side][i] + vault.unbondingSecs() <= now_) ++seen[Sight.Late];
        }
        (wordAt[side][place], lastWord[who], tookBack[who]) = (now_, now_, false);
        if (decided) checkDecision(a.job, side);
    }

    /// A decision stands on words whose stake stays within reach until all windows are over that may follow.
    function checkDecision(bytes32 id, bytes32 side) private view {
        Terms memory t = market.termsOf(id);
        uint256 end = vm.getBlockTimestamp() + windows(t);
        uint256 words = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (wordAt[side][i] + vault.unbondingSecs() < end) continue;
            address who = validators[i];
            yes(tookBack[who] || vault.free(who) + vault.leaving(who) >= t.committee.stake, "stake behind a decision");
            ++words;
        }
        yes(words >= t.committee.threshold, "a decision on words that are too old");
    }

    /// The longest that all windows of a job take which may follow a word.
    function windows(Terms memory t) private pure returns (uint256) {
        return uint256(t.times.windowSecs) + uint256(t.times.answerSecs) * t.checks.maxPending + t.times.revealSecs
            + uint256(t.times.proveSecs) * t.training.segments + t.times.deliverSecs + t.times.complainSecs
            + t.times.decideSecs;
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
            checkPaid(id, job);
            checkClaims(id, job);
            if (job.state >= State.Cancelled) checkEnd(id, job);
        }
    }

    /// Paid the fixed price, for settled segments only, the royalty out of it, and without the last share unless that
    /// was earned.
    function checkPaid(bytes32 id, Job memory job) private view {
        if (job.owner == address(0)) return;
        Terms memory t = market.termsOf(id);
        eq(job.price, agreed[id], "a fixed price");
        uint256 royalty = uint256(job.price) * t.training.royaltyBps / 10_000;
        eq(royaltyPaid[id], job.settled * royalty, "royalty for segments");
        bool whole = job.state == State.Completed || job.state == State.Diverged;
        uint256 last = whole ? 0 : uint256(job.price) * t.price.lastShareBps / 10_000;
        eq(collected[id] + job.earned + royaltyPaid[id], job.settled * (job.price - last), "paid for segments");
    }

    function checkClaims(bytes32 id, Job memory job) private view {
        yes(job.settled <= job.claimed && job.claimed <= job.total && job.total <= SEGMENTS, "order");
        for (uint256 i = 0; i < job.settled; ++i) {
            Claim memory c = market.claimOf(id, i);
            bool lapsed = c.windowUntil != 0 && c.windowUntil < vm.getBlockTimestamp() && c.challenger == address(0);
            yes(proven[id][i] || sampleStood[id] || lapsed, "nothing is paid for nothing");
        }
        // Openings come in order.
        for (uint256 i = job.settled; i + 1 < job.claimed; ++i) {
            if (market.claimOf(id, i + 1).windowUntil != 0) yes(isOpened(id, i), "opened in order");
        }
    }

    function checkEnd(bytes32 id, Job memory job) private view {
        checkLoss(id, job);
        job.earned = 0;
        eq(keccak256(abi.encode(job)), atEnd[id], "an ended job never changes");
        eq(job.escrow + job.held + job.fees, 0, "nothing stays");
        (uint256 bond,) = bonds(id);
        eq(bond, 0, "no bond stays");
        for (uint256 i = 0; i < job.claimed; ++i) {
            eq(market.claimOf(id, i).challenger, address(0), "no challenge stays open");
            bytes32 challenge = keccak256(abi.encode(id, i));
            uint256 stays = vault.bonded(challenge, challenger) + vault.bonded(challenge, heckler);
            eq(stays, 0, "no challenger's bond stays");
        }
    }

    /// Half of a slashed bond is burnt, a quarter goes to the requester, and one to the challenger, if there is one. Of
    /// a default a tenth is burnt, for the part not done. Nothing else takes from a bond. Each member's part is
    /// rounded.
    function checkLoss(bytes32 id, Job memory job) private view {
        Loss memory loss = lost[id];
        if (job.state == State.Slashed) {
            bool drawn = level(id) == Assurance.Sampled;
            rounded(id, loss.requester, BOND / 4, "the requester's quarter");
            eq(loss.challenger, drawn ? 0 : loss.requester, "the challenger's quarter");
            eq(loss.burnt + loss.requester + loss.challenger, BOND, "slashed in full");
        } else {
            eq(loss.requester + loss.challenger, 0, "nobody gains without a slash");
            uint256 left = job.state == State.Defaulted ? job.total - job.settled : 0;
            uint256 part = left == 0 ? 0 : BOND * left / (10 * uint256(job.total));
            rounded(id, loss.burnt, part, "a tenth, for the part not done");
        }
    }

    /// Rounded down for each member of the team.
    function rounded(bytes32 id, uint256 got, uint256 whole, string memory what) private view {
        if (got > whole || got + market.teamOf(id).length < whole) {
            revert Different(what, bytes32(got), bytes32(whole));
        }
    }

    /// The data owner has what its jobs paid, from first to last at the rate that they agreed on, and nobody else
    /// changes its set.
    function checkRoyalties() external view {
        uint256 paid = 0;
        for (uint256 k = 0; k < ids.length; ++k) {
            paid += royaltyPaid[ids[k]];
        }
        eq(received(), fortune + paid, "royalties");
        eq(keccak256(abi.encode(datasets.entry(set))), entry, "the set's entry");
    }

    function checkCounters() external view {
        for (uint256 state = uint256(State.Cancelled); state <= uint256(State.Diverged); ++state) {
            uint256 ended = 0;
            uint256 byProvider = 0;
            uint256 byGriefer = 0;
            for (uint256 k = 0; k < ids.length; ++k) {
                Job memory job = market.jobOf(ids[k]);
                if (uint256(job.state) != state) continue;
                ++ended;
                if (job.owner == provider) ++byProvider;
                if (job.owner == griefer) ++byGriefer;
            }
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), requester, uint8(state) | 0x80), ended, "requester's count");
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), provider, uint8(state)), byProvider, "provider's count");
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), griefer, uint8(state)), byGriefer, "griefer's count");
        }
    }

    /// Stake behind a word stays within reach for as long as stake takes to leave. That this is long enough for all
    /// windows that the word may start is checked where it decides.
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
                vm.warp(vm.getBlockTimestamp() + 365 days);
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
