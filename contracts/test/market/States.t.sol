// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {Job, SeatOffer, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Every function in every state that it is not for, and each party silent at each point.
contract StatesTest is Scene {
    function reach(State state) private returns (bytes32 id) {
        if (state == State.None) return keccak256("no job");
        if (state == State.Open) return open(terms(true));
        if (state == State.Assigned) return assigned(terms(true));
        if (state == State.Cancelled) {
            id = open(terms(true));
            vm.prank(requester);
            market.cancel(id);
            return id;
        }
        id = running(true);
        if (state == State.Running) return id;
        if (state == State.Stopped) {
            vm.prank(requester);
            market.stop(id, 0);
        } else if (state == State.Left) {
            vm.prank(provider);
            market.abandon(id);
        } else if (state == State.Slashed) {
            fillAndClose(id);
            skip(100 hours);
            market.fail(id, 0);
        } else {
            for (uint256 batch = 0; batch < BATCHES; ++batch) {
                fillAndClose(id);
                proveDue(id, batch);
                acknowledge(id, batch);
            }
        }
        isState(id, state);
    }

    /// All functions that change a job, but those that free bonds and pay; and the state that each is for.
    function calls(bytes32 id) private returns (bytes[] memory all, State[] memory state) {
        all = new bytes[](22);
        state = new State[](22);
        all[0] = abi.encodeCall(market.cancel, (id));
        all[1] = abi.encodeCall(market.accept, (id, 0, noPaths()));
        (state[0], state[1]) = (State.Open, State.Open);
        all[2] = abi.encodeCall(market.decline, (id));
        all[3] = abi.encodeCall(market.start, (id));
        (state[2], state[3]) = (State.Assigned, State.Assigned);
        SeatOffer memory offer = seatFor(id, partner, 1);
        all[4] = abi.encodeCall(market.join, (id, offer, noPaths()));
        all[5] = abi.encodeCall(market.claim, (id, 0, new bytes32[](1)));
        all[6] = abi.encodeCall(market.claimProven, (id, 0, ""));
        all[7] = abi.encodeCall(market.close, (id, 0, ROOT, 0));
        all[8] = abi.encodeCall(market.reveal, (id, 0, 0));
        all[9] = abi.encodeCall(market.fixLate, (id, 0, 0));
        all[10] = abi.encodeCall(market.drawLate, (id, 0));
        all[11] = abi.encodeCall(market.take, (id, 0, 0, 1));
        all[12] = abi.encodeCall(market.prove, (id, 0, ""));
        all[13] = abi.encodeCall(market.challenge, (id, 0, 0));
        all[14] = abi.encodeCall(market.fail, (id, 0));
        all[15] = abi.encodeCall(market.acknowledge, (id, 0, 0, ROOT));
        all[16] = abi.encodeCall(market.complain, (id, 0, 0, ROOT));
        all[17] = abi.encodeCall(market.addRoot, (id, 0, ROOT, 0));
        all[18] = abi.encodeCall(market.attest, (id, 0, true, 0, ""));
        all[19] = abi.encodeCall(market.lapse, (id, 0));
        all[20] = abi.encodeCall(market.stop, (id, 0));
        all[21] = abi.encodeCall(market.abandon, (id));
        for (uint256 i = 4; i < 22; ++i) {
            state[i] = State.Running;
        }
    }

    function test_each_function_is_refused_in_each_wrong_state() public {
        for (uint256 which = 0; which <= uint256(type(State).max); ++which) {
            uint256 here = vm.snapshotState();
            bytes32 id = reach(State(which));
            (bytes[] memory all, State[] memory wanted) = calls(id);
            for (uint256 i = 0; i < all.length; ++i) {
                if (wanted[i] == State(which)) continue;
                address who =
                    i == 0 || i == 15 || i == 16 || i == 20 ? requester : i == 11 || i == 4 ? partner : provider;
                refuses(who, all[i], wrongState(id, State(which)));
            }
            bytes memory settle_ = abi.encodeCall(market.settle, (id));
            if (State(which) != State.Running) refuses(stranger, settle_, wrongState(id, State(which)));
            vm.revertToState(here);
        }
    }

    function test_what_is_freed_behind_the_end_is_freed_once() public {
        for (uint256 which = uint256(State.Cancelled); which <= uint256(State.Slashed); ++which) {
            bytes32 id = reach(State(which));
            refuses(stranger, abi.encodeCall(market.reclaim, (id, 0)), why(IMarketErrors.NotPending.selector, 0));
            refuses(
                stranger, abi.encodeCall(market.reclaimComplaint, (id, 0)), why(IMarketErrors.NotWaiting.selector, 0)
            );
            skip(15 days);
            market.unback(id);
            refuses(stranger, abi.encodeCall(market.unback, (id)), wrongState(id, State(which)));
        }
        solvent();
    }

    // Silence. From each point time and a stranger's calls end the job.

    /// Does what anyone can, until the job has ended.
    function end(bytes32 id) private {
        for (uint256 i = 0; market.jobOf(id).state < State.Cancelled; ++i) {
            yes(i < 60, "no way out");
            skip(4 days);
            Job memory job = market.jobOf(id);
            if (job.state == State.Open && anyone(abi.encodeCall(market.cancel, (id)))) continue;
            if (job.state == State.Assigned && anyone(abi.encodeCall(market.decline, (id)))) continue;
            for (uint256 batch = 0; batch < SEGMENTS; ++batch) {
                anyone(abi.encodeCall(market.lapse, (id, batch)));
                if (anyone(abi.encodeCall(market.fixLate, (id, batch, 0)))) {
                    pass(9);
                    anyone(abi.encodeCall(market.drawLate, (id, batch)));
                }
                anyone(abi.encodeCall(market.drawLate, (id, batch)));
            }
            for (uint256 index = 0; index < SEGMENTS; ++index) {
                anyone(abi.encodeCall(market.fail, (id, index)));
            }
            while (anyone(abi.encodeCall(market.settle, (id)))) {}
            anyone(abi.encodeCall(market.abandon, (id)));
        }
        solvent();
    }

    function anyone(bytes memory call) private returns (bool done) {
        vm.prank(stranger);
        (done,) = address(market).call(call);
    }

    function test_silence_before_the_start() public {
        bytes32 id = open(terms(true));
        end(id);
        isState(id, State.Cancelled);
        id = assigned(terms(true));
        end(id);
        isState(id, State.Cancelled);
        eq(vault.owed(0x000000000000000000000000000000000000dEaD), HAND_BACK, "the provider's fee");
        id = running(true);
        end(id);
        isState(id, State.Left);
    }

    function test_silence_of_the_lead() public {
        // Behind claims, behind a close, behind proofs.
        bytes32 id = running(true);
        claim(id, 6);
        end(id);
        isState(id, State.Left);
        id = running(true);
        fillAndClose(id);
        end(id);
        isState(id, State.Slashed);
        eq(market.owed(provider), 0, "nothing");
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        end(id);
        isState(id, State.Left);
        eq(market.owed(provider), K * PRICE, "for what is proven");
        // With draws: behind the close, behind the draw.
        id = running(false);
        fillAndClose(id);
        end(id);
        isState(id, State.Slashed);
        id = drawn();
        end(id);
        isState(id, State.Slashed);
    }

    function test_silence_of_the_requester() public {
        // It does not reveal: the late block draws. It does not acknowledge: time pays.
        bytes32 id = running(false);
        for (uint256 batch = 0; batch < BATCHES; ++batch) {
            fillAndClose(id);
            skipTo(market.batchOf(id, batch).record.closedAt + 4 hours + 1);
            vm.prank(provider);
            market.fixLate(id, batch, 0);
            pass(9);
            market.drawLate(id, batch);
            proveDue(id, batch);
        }
        end(id);
        isState(id, State.Completed);
        eq(market.owed(provider), SEGMENTS * PRICE, "all of it");
    }

    function test_silence_of_the_committee() public {
        bytes32 id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 0);
        end(id);
        isState(id, State.Left);
        eq(market.owed(provider), 0, "burnt");
        eq(vault.bonded(id, provider), 0, "the bond is free, less a part for what was late");
    }

    function test_silence_behind_a_challenge() public {
        bytes32 id = drawn();
        proveDue(id, 0);
        contest(id, undrawnIn(id, 0));
        end(id);
        isState(id, State.Slashed);
    }

    function test_silence_of_a_member() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 0, seat);
        end(id);
        isState(id, State.Left);
        market.reclaim(id, 0);
        solvent();
    }

    /// A job in which nobody but strangers acts ends within the time of its terms.
    function test_every_draw_is_made_without_the_team() public {
        Terms memory t = terms(false);
        t.batches.ahead = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        prove(id, 0);
        prove(id, 1);
        prove(id, 2);
        prove(id, 3);
        end(id);
        isState(id, State.Left);
        eq(market.owed(provider), K * PRICE, "what was proven is paid");
    }
}
