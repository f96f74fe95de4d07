// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {BURNT} from "./Token.sol";
import {Typed} from "./Typed.sol";
import {Batch, Batches, Job, Paths, Seat, SeatOffer, State, Store, Take, Times} from "./Types.sol";

/// @title Members of the team: seats, and the claims that they take to prove.
library Seats {
    /// @notice Takes a seat that the lead signed for the caller.
    function join(Store storage s, bytes32 id, SeatOffer calldata offer, Paths calldata paths, bytes32 domain)
        external
        returns (uint256 number)
    {
        Job storage job = Guards.inState(s, id, State.Running);
        if (job.seats == Bounds.SEATS) revert IMarketErrors.TooManySeats(Bounds.SEATS);
        if (block.timestamp > offer.expiry) revert IMarketErrors.SignatureExpired(offer.expiry);
        Guards.spend(s, job.owner, offer.nonce);
        Guards.signed(job.owner, domain, Typed.seat(id, msg.sender, offer), offer.signature);
        Guards.canTrain(s, id, msg.sender, paths);
        Batches storage cut = s.terms[id].batches;
        // Where all is proven, a segment's proof is paid from its price; else from the batch's.
        uint256 most = Cut.isWhole(cut) ? job.price - job.royalty : promisable(job, cut.deliverEvery);
        if (offer.pay > most) revert IMarketErrors.PayTooHigh(offer.pay, most);
        number = ++job.seats;
        s.seats[id][number] = Seat(msg.sender, 0, false, offer.pay);
        emit IMarketEvents.Joined(id, number, msg.sender, offer.pay, offer.bond);
        s.vault.lock(Books.seatBond(id, number), msg.sender, offer.bond);
    }

    /// @notice Gives a seat up: what its open takes do not hold of its bond is free. Its number is not given again, and what it is
    /// paid for stays its own.
    function quit(Store storage s, bytes32 id, uint256 number) external {
        Seat storage seat = Guards.asMember(s, id, number);
        seat.gone = true;
        emit IMarketEvents.Quit(id, number);
        bytes32 bond = Books.seatBond(id, number);
        uint256 held = seat.open * uint256(s.terms[id].price.challengeBond);
        s.vault.release(bond, seat.owner, s.vault.bonded(bond, seat.owner) - held);
    }

    /// @notice Takes a claim to prove it: one in the batch being filled where all is proven, or one that is due. Only if nothing before
    /// it can fail, so that nobody proves in vain. The claim's digest is named, as in a challenge.
    function take(Store storage s, bytes32 id, uint256 index, bytes32 last, uint256 number) external {
        Guards.inState(s, id, State.Running);
        Seat storage seat = Guards.asMember(s, id, number);
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        Batch storage b = s.batches[id][batch];
        // Below 64.
        uint64 bit = uint64(1 << (index - from));
        uint256 end = takeable(s, id, index, batch, from, b, bit);
        if (last != s.claims[id][index]) revert IMarketErrors.WrongLast(s.claims[id][index], last);
        safe(s, id, batch);
        uint256 held = (seat.open + uint256(1)) * s.terms[id].price.challengeBond;
        if (seat.open == Bounds.TAKES || s.vault.bonded(Books.seatBond(id, number), seat.owner) < held) {
            revert IMarketErrors.TooManyTakes(seat.open);
        }
        if (promised(s, id, b, bit)) reserve(s, id, batch, b, seat.pay);
        seat.open += 1;
        b.taken |= bit;
        Take storage t = s.takes[id][index];
        t.until = uint40(block.timestamp + (end - block.timestamp) / 2);
        t.fromBlock = uint48(block.number) + Bounds.TAKE_DELAY_BLOCKS;
        // At most 15.
        t.seat = uint8(number);
        emit IMarketEvents.Taken(id, index, number, t.until, t.fromBlock);
    }

    /// @notice Gives back what stands for a claim of a void batch: the challenger's bond, and the member's, which is burnt if the take
    /// had lapsed when its batch failed. Where the pay of a batch is gone, the member's alone. Of a take that lapsed in a batch that goes
    /// on, what it was promised: the batch can promise it to others, and the bond waits for the proof.
    function reclaim(Store storage s, bytes32 id, uint256 index) external {
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        Batch storage b = s.batches[id][batch];
        // Below 64.
        uint64 bit = uint64(1 << (index - from));
        // Of a proven claim neither a challenge nor a take is left.
        bool isVoid = index >= s.jobs[id].total;
        bool isTaken = s.takes[id][index].seat != 0 && (isVoid || isUnpaid(s, id, batch, b, bit));
        if (!isVoid && !isTaken) return release(s, id, index, b, bit);
        if (isVoid && s.challenges[id][index].by != address(0)) unchallenge(s, id, index);
        else if (!isTaken) revert IMarketErrors.NotPending(index);
        if (!isTaken) return;
        bool lapsed = isVoid && b.closedAt != 0 && s.takes[id][index].until < s.jobs[id].failedAt;
        untake(s, id, index, lapsed ? BURNT : address(0));
    }

    /// @notice Ends the take of a claim that is proven; returns the seat that is paid for the proof. A take that lapsed loses its bond
    /// to the lead, who is paid then. One that is too young, or of a batch whose pay is gone, is freed.
    function resolve(Store storage s, bytes32 id, uint256 batch, uint256 index) internal returns (uint256 number) {
        Take memory t = s.takes[id][index];
        if (t.seat == 0) return 0;
        Batch storage b = s.batches[id][batch];
        (, uint256 from) = Cut.place(s, id, index);
        uint64 bit = uint64(1 << (index - from));
        if (isUnpaid(s, id, batch, b, bit)) {
            untake(s, id, index, address(0));
            return 0;
        }
        bool lapsed = block.timestamp > t.until;
        if (!lapsed && block.number >= t.fromBlock) {
            free(s, id, index, t.seat);
            return t.seat;
        }
        if (!t.released && promised(s, id, b, bit)) b.reserved -= s.seats[id][t.seat].pay;
        untake(s, id, index, lapsed ? s.jobs[id].owner : address(0));
    }

    /// Gives what a lapsed take was promised back to its batch, once.
    function release(Store storage s, bytes32 id, uint256 index, Batch storage b, uint64 bit) private {
        Take storage t = s.takes[id][index];
        if (t.seat == 0 || t.released || block.timestamp <= t.until || !promised(s, id, b, bit)) {
            revert IMarketErrors.NotPending(index);
        }
        t.released = true;
        b.reserved -= s.seats[id][t.seat].pay;
        emit IMarketEvents.Released(id, index, t.seat);
    }

    /// Frees the bond of a challenge that nobody has to answer any more.
    function unchallenge(Store storage s, bytes32 id, uint256 index) private {
        address by = s.challenges[id][index].by;
        delete s.challenges[id][index];
        emit IMarketEvents.Answered(id, index, by);
        s.vault.release(Books.challengeBond(id, index), by, s.terms[id].price.challengeBond);
    }

    /// Frees a take, or gives its bond to `to`.
    function untake(Store storage s, bytes32 id, uint256 index, address to) private {
        uint256 number = s.takes[id][index].seat;
        uint256 amount = to == address(0) ? 0 : s.terms[id].price.challengeBond;
        emit IMarketEvents.Untaken(id, index, number, amount);
        if (amount == 0) return free(s, id, index, number);
        delete s.takes[id][index];
        s.seats[id][number].open -= 1;
        s.vault.take(Books.seatBond(id, number), s.seats[id][number].owner, to, amount);
    }

    /// Ends a take without loss: who gave its seat up has its bond free.
    function free(Store storage s, bytes32 id, uint256 index, uint256 number) private {
        delete s.takes[id][index];
        Seat storage seat = s.seats[id][number];
        seat.open -= 1;
        if (seat.gone) s.vault.release(Books.seatBond(id, number), seat.owner, s.terms[id].price.challengeBond);
    }

    /// Until when the period runs in which a claim must be proven; refuses a claim that cannot be taken.
    function takeable(
        Store storage s,
        bytes32 id,
        uint256 index,
        uint256 batch,
        uint256 from,
        Batch storage b,
        uint64 bit
    ) private view returns (uint256) {
        Job storage job = s.jobs[id];
        // A job that failed loses what is left of its lead's bond anyhow.
        if (job.failed || index < job.settled || index >= job.claimed || (b.proven | b.taken) & bit != 0) {
            revert IMarketErrors.NotPending(index);
        }
        if (isUnpaid(s, id, batch, b, bit)) revert IMarketErrors.NotPending(index);
        Times storage times = s.terms[id].times;
        if (from == job.closed && Cut.isWhole(s.terms[id].batches)) return block.timestamp + times.proveSecs;
        // A batch behind the one being filled has nothing that is due.
        if (Cut.due(b) & bit == 0) revert IMarketErrors.NotPending(index);
        uint256 until = Cut.dueUntil(s, id, index, b, bit);
        if (block.timestamp <= until) return until;
        // A late answer to a challenge earns nothing.
        Guards.notAfter(b.challenged & bit == 0 ? until + times.proveSecs : until);
        return until + times.proveSecs;
    }

    /// Refuses a take in a batch behind one that can still fail.
    function safe(Store storage s, bytes32 id, uint256 batch) private view {
        (uint256 i,) = Cut.place(s, id, s.jobs[id].settled);
        for (; i < batch; ++i) {
            Batch storage b = s.batches[id][i];
            if (Cut.due(b) != 0 || Cut.canChange(b)) revert IMarketErrors.NotSafe(i);
        }
    }

    /// Whether nobody is paid for a proof: the pay of the batch is gone, and no challenger's bond waits for it.
    function isUnpaid(Store storage s, bytes32 id, uint256 batch, Batch storage b, uint64 bit)
        private
        view
        returns (bool)
    {
        return Cut.isRefused(s, id, batch) && b.challenged & bit == 0;
    }

    /// Whether a claim is paid from the batch's pay, of which so much is promised: where not all is proven, and it is not challenged.
    function promised(Store storage s, bytes32 id, Batch storage b, uint64 bit) private view returns (bool) {
        return !Cut.isWhole(s.terms[id].batches) && b.challenged & bit == 0;
    }

    /// What members may be promised of a batch in which not all is proven. A batch that fails by a challenge costs the lead what the
    /// challenger, who may be its friend, does not get, and saves what members and the data's owner would have been paid: that must
    /// not be worth more.
    function promisable(Job storage job, uint256 segments) private view returns (uint256) {
        uint256 price = segments * job.price;
        uint256 lost = price - price / Bounds.BOUNTY_PART;
        return lost - Cut.least(lost, segments * job.royalty);
    }

    function reserve(Store storage s, bytes32 id, uint256 batch, Batch storage b, uint128 pay) private {
        Job storage job = s.jobs[id];
        (uint256 from, uint256 end) = Cut.span(s, id, batch);
        uint256 left = promisable(job, end - from) - b.reserved;
        if (pay > left) revert IMarketErrors.PayTooHigh(pay, left);
        b.reserved += pay;
    }
}
