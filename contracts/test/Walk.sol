// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, Claim, Job, Member, State, Task} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice What a random walk over jobs remembers of its steps, and what must hold behind each of them.
abstract contract Walk is Scene {
    uint256 internal constant GRIEFER_KEY = 0x61;
    uint256 internal constant THIRD_KEY = 0xb3;
    /// Does what it can at any time; may accept jobs.
    address internal griefer = vm.addr(GRIEFER_KEY);
    /// Challenges at random.
    address internal heckler = address(0x4ec);
    address internal third = vm.addr(THIRD_KEY);

    mapping(bytes4 action => uint256) public reached;
    mapping(bytes32 id => mapping(uint256 index => bool)) internal proven;
    mapping(bytes32 id => bool) internal sampleStood;
    mapping(bytes32 id => uint256) public collected;
    mapping(bytes32 id => bytes32) private atEnd;
    mapping(bytes32 id => uint256) private bondLost;
    mapping(address validator => uint256) internal lastWord;
    mapping(address validator => bool) internal tookBack;
    /// Votes that were counted.
    mapping(Task task => uint256) public votes;
    uint256 internal donatedMarket;
    uint256 internal donatedVault;

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
    }

    /// Counts a step, and looks at the bonds of its job before and after.
    modifier counts(bytes32 id) {
        State before = market.jobOf(id).state;
        (uint256 bond, uint256 free) = bonds(id);
        _;
        ++reached[msg.sig];
        Job memory job = market.jobOf(id);
        if (before < State.Cancelled && job.state >= State.Cancelled) {
            // A default is not a way around a challenge.
            if (job.state == State.Defaulted) yes(!hasOpenWindow(id, job), "left in a window");
            (, uint256 freed) = bonds(id);
            bondLost[id] = bond + free - freed;
            job.earned = 0;
            atEnd[id] = keccak256(abi.encode(job));
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

    function pick(uint256 seed) internal view returns (bytes32 id, Job memory job) {
        if (ids.length == 0) return (id, job);
        // Live jobs first: of the ended ones only what was earned is left.
        for (uint256 i = 0; i < ids.length; ++i) {
            id = ids[(seed % ids.length + i) % ids.length];
            job = market.jobOf(id);
            if (job.state < State.Cancelled) return (id, job);
        }
    }

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

    /// How many jobs ended so.
    function endsIn(State state) external view returns (uint256 count) {
        for (uint256 k = 0; k < ids.length; ++k) {
            if (market.jobOf(ids[k]).state == state) ++count;
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
            // Paid the fixed price, for settled segments only, and without its last share unless that was earned.
            bool whole = job.state == State.Completed || job.state == State.Diverged;
            eq(collected[id] + earned, uint256(job.settled) * job.price * (whole ? 10 : 8) / 10, "paid for segments");
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
            if (job.state < State.Cancelled) continue;
            job.earned = 0;
            eq(keccak256(abi.encode(job)), atEnd[id], "an ended job never changes");
            eq(job.escrow + job.held + job.fees, 0, "nothing stays");
            (uint256 bond,) = bonds(id);
            eq(bond, 0, "no bond stays");
            for (uint256 i = 0; i < job.claimed; ++i) {
                eq(market.claimOf(id, i).challenger, address(0), "no challenge stays open");
                bytes32 challenge = keccak256(abi.encode(id, i));
                eq(
                    vault.bonded(challenge, challenger) + vault.bonded(challenge, heckler),
                    0,
                    "no challenger's bond stays"
                );
            }
            uint256 most = job.state == State.Slashed ? BOND : job.state == State.Defaulted ? BOND / 10 : 0;
            yes(bondLost[id] <= most, "lost bond");
            if (job.state == State.Slashed) eq(bondLost[id], BOND, "slashed in full");
        }
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
