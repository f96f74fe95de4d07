// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISegmentLedger, Terms as LedgerTerms} from "../src/interfaces/ISegmentLedger.sol";
import {ISegmentVerifier, Segment} from "../src/interfaces/ISegmentVerifier.sol";
import {SegmentLedger} from "../src/SegmentLedger.sol";
import {EnteringVerifier, Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Jobs whose segments are proved one after the other: their ids, what is refused, and what a proof is of.
contract LedgerTest is Scene {
    SegmentLedger private ledger;

    function setUp() public override {
        ledger = new SegmentLedger();
        verifier = new MockVerifier(address(this), Mode.Check, false, 10, 4);
    }

    /// Five segments, of which an epoch has three; the last of an epoch has three steps, the last of them seven rows.
    function good() private view returns (LedgerTerms memory) {
        return LedgerTerms(verifier, provider, ROOT, 3, 5, 3, 7, 9, FIRST);
    }

    function opens(LedgerTerms memory t) private returns (bytes32) {
        vm.prank(requester);
        return ledger.open(t);
    }

    function refusesTerms(LedgerTerms memory t, bytes memory reason) private {
        refusesAt(address(ledger), requester, abi.encodeCall(ledger.open, (t)), reason);
    }

    function idOf(uint256 chain, SegmentLedger where, address opener, uint256 count, LedgerTerms memory t)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(chain, where, opener, count, t));
    }

    // What an id is.

    /// Whichever term is another one, the job is another one.
    function test_id_binds_each_term() public {
        bytes32 base = idOf(31_337, ledger, requester, 0, good());
        LedgerTerms[9] memory others;
        for (uint256 i = 0; i < 9; ++i) {
            others[i] = good();
        }
        others[0].verifier = new MockVerifier(address(this), Mode.Check, false, 10, 4);
        others[1].owner = partner;
        others[2].dataRoot = FIRST;
        others[3].epochSegments = 4;
        others[4].segments = 6;
        others[5].lastSteps = 4;
        others[6].lastRows = 8;
        others[7].rate = 10;
        others[8].first = ROOT;
        uint256 here = vm.snapshotState();
        eq(opens(good()), base, "as it is");
        for (uint256 i = 0; i < 9; ++i) {
            vm.revertToState(here);
            bytes32 id = opens(others[i]);
            eq(id, idOf(31_337, ledger, requester, 0, others[i]), "id");
            yes(id != base, "another job");
        }
    }

    function test_id_binds_chain_contract_opener_and_nonce() public {
        uint256 here = vm.snapshotState();
        eq(opens(good()), idOf(31_337, ledger, requester, 0, good()), "as it is");
        eq(opens(good()), idOf(31_337, ledger, requester, 1, good()), "the same opened again");
        eq(ledger.nonces(requester), 2, "two jobs");
        eq(ledger.nonces(stranger), 0, "each opener counts its own");
        vm.prank(stranger);
        eq(ledger.open(good()), idOf(31_337, ledger, stranger, 0, good()), "another opener");
        vm.revertToState(here);
        vm.chainId(5);
        eq(opens(good()), idOf(5, ledger, requester, 0, good()), "another chain");
        vm.chainId(31_337);
        ledger = new SegmentLedger();
        eq(opens(good()), idOf(31_337, ledger, requester, 0, good()), "another ledger");
    }

    function test_opening_is_announced() public {
        opens(good());
        bytes32 id = idOf(31_337, ledger, requester, 1, good());
        vm.expectEmit(address(ledger));
        emit ISegmentLedger.Opened(id, requester, 1, good());
        opens(good());
    }

    // What is not opened.

    function test_terms_that_make_no_job() public {
        LedgerTerms memory t = good();
        t.owner = address(0);
        refusesTerms(t, why(ISegmentLedger.NoOwner.selector));
        t = good();
        t.segments = 0;
        refusesTerms(t, why(ISegmentLedger.NoSegments.selector));
        t = good();
        t.epochSegments = 0;
        refusesTerms(t, why(ISegmentLedger.NoEpoch.selector));
        t = good();
        t.rate = 0;
        refusesTerms(t, why(ISegmentLedger.NoRate.selector));
        t = good();
        t.verifier = ISegmentVerifier(stranger);
        refusesTerms(t, why(ISegmentLedger.NoVerifier.selector));
        eq(ledger.nonces(requester), 0, "what is refused is not counted");
    }

    /// Each bound from both sides.
    function test_the_last_segment_of_an_epoch_fits_the_verifier() public {
        bytes4 steps = ISegmentLedger.LastSteps.selector;
        bytes4 rows = ISegmentLedger.LastRows.selector;
        LedgerTerms memory t = good();
        t.lastSteps = 0;
        refusesTerms(t, abi.encodeWithSelector(steps, 0, 4));
        t.lastSteps = 5;
        refusesTerms(t, abi.encodeWithSelector(steps, 5, 4));
        t.lastSteps = 4;
        t.lastRows = 0;
        refusesTerms(t, abi.encodeWithSelector(rows, 0, 10));
        t.lastRows = 11;
        refusesTerms(t, abi.encodeWithSelector(rows, 11, 10));
        t.lastRows = 10;
        opens(t);
        (t.lastSteps, t.lastRows) = (1, 1);
        opens(t);
    }

    function test_an_insecure_setup_is_for_the_local_chain() public {
        LedgerTerms memory t = good();
        t.verifier = new MockVerifier(address(this), Mode.Check, true, 10, 4);
        opens(t);
        vm.chainId(1);
        refusesTerms(t, why(ISegmentLedger.InsecureSetup.selector));
        opens(good());
    }

    // What is proved.

    /// The segment that is to be proved next, as its terms say.
    function segment(bytes32 id, uint64 index) private view returns (Segment memory) {
        bool whole = index % 3 != 2;
        return Segment({
            job: id,
            owner: provider,
            index: index,
            dataRoot: ROOT,
            epochSegments: 3,
            position: index % 3,
            liveSteps: whole ? 4 : 3,
            liveRows: whole ? 10 : 7,
            rate: 9,
            first: index == 0 ? FIRST : lastOf(index - 1)
        });
    }

    function proofOf(bytes32 id, uint64 index) private view returns (bytes memory) {
        return abi.encode(keccak256(abi.encode(segment(id, index))), lastOf(index));
    }

    function submit(bytes32 id, uint64 index) private view returns (bytes memory) {
        return abi.encodeCall(ledger.submit, (id, proofOf(id, index)));
    }

    function proves(bytes32 id, uint64 index) private {
        bytes memory p = proofOf(id, index);
        vm.prank(provider);
        ledger.submit(id, p);
    }

    /// Each begins where the one before ended, and an epoch's last one is cut as the terms say.
    function test_segments_are_proved_in_their_order() public {
        bytes32 id = opens(good());
        for (uint64 i = 0; i < 5; ++i) {
            eq(keccak256(abi.encode(ledger.next(id))), keccak256(abi.encode(segment(id, i))), "next");
            vm.expectEmit(address(ledger));
            emit ISegmentLedger.Proven(id, i, lastOf(i));
            proves(id, i);
        }
        Segment memory behind = ledger.next(id);
        eq(behind.index, 5, "all are proved");
        eq(behind.first, lastOf(4), "where the job ended");
    }

    function test_a_proof_is_of_the_next_segment_of_its_job() public {
        bytes32 id = opens(good());
        bytes32 other = opens(good());
        bytes memory no = why(MockVerifier.NotAProof.selector);
        refusesAt(address(ledger), provider, submit(id, 1), no);
        bytes memory mixed = abi.encodeCall(ledger.submit, (id, proofOf(other, 0)));
        refusesAt(address(ledger), provider, mixed, no);
        eq(ledger.next(id).index, 0, "nothing was proved");
        proves(id, 0);
        refusesAt(address(ledger), provider, submit(id, 0), no);
        eq(ledger.next(id).index, 1, "once");
        eq(ledger.next(other).index, 0, "the other job is where it was");
    }

    function test_only_the_owner_proves() public {
        bytes32 id = opens(good());
        for (uint64 i = 0; i < 5; ++i) {
            bytes memory not = abi.encodeWithSelector(ISegmentLedger.NotOwner.selector, requester, provider);
            refusesAt(address(ledger), requester, submit(id, i), not);
            proves(id, i);
        }
    }

    /// Whoever calls: first that there is a job, then that it has segments left.
    function test_jobs_that_have_no_next_segment() public {
        bytes32 id = idOf(31_337, ledger, requester, 0, good());
        bytes memory unknown = why(ISegmentLedger.UnknownJob.selector, uint256(id));
        refusesAt(address(ledger), provider, submit(id, 0), unknown);
        refusesAt(address(ledger), stranger, submit(id, 0), unknown);
        refusesAt(address(ledger), stranger, abi.encodeCall(ledger.next, (id)), unknown);
        opens(good());
        for (uint64 i = 0; i < 5; ++i) {
            proves(id, i);
        }
        bytes memory finished = why(ISegmentLedger.Finished.selector, uint256(id));
        refusesAt(address(ledger), provider, submit(id, 5), finished);
        refusesAt(address(ledger), stranger, submit(id, 5), finished);
        eq(ledger.next(id).index, 5, "no more than it has");
    }

    /// What the terms said of the verifier was read when the job was opened: nothing is cut in another way later.
    function test_a_jobs_shape_stays() public {
        bytes32 id = opens(good());
        vm.etch(address(verifier), address(new MockVerifier(address(this), Mode.Check, false, 20, 8)).code);
        proves(id, 0);
        eq(ledger.next(id).liveSteps, 4, "steps");
        eq(ledger.next(id).liveRows, 10, "rows");
    }

    /// A verifier is asked by a call that may change nothing: it cannot come back.
    function test_a_verifier_that_comes_back_proves_nothing() public {
        EnteringVerifier entering = new EnteringVerifier(address(this));
        LedgerTerms memory t = good();
        (t.verifier, t.owner) = (ISegmentVerifier(address(entering)), address(entering));
        bytes32 id = opens(t);
        bytes memory call = abi.encodeCall(ledger.submit, (id, abi.encode(lastOf(0))));
        // By itself it may bring a proof, or open a job.
        entering.arm(address(ledger), "");
        uint256 here = vm.snapshotState();
        entering.act(address(ledger), call);
        entering.act(address(ledger), abi.encodeCall(ledger.open, (t)));
        vm.revertToState(here);
        entering.arm(address(ledger), call);
        entering.act(address(ledger), call);
        eq(ledger.next(id).index, 1, "one");
        entering.arm(address(ledger), abi.encodeCall(ledger.open, (t)));
        entering.act(address(ledger), call);
        eq(ledger.nonces(address(entering)), 0, "no job");
    }
}
