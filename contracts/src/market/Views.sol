// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Claims} from "./Claims.sol";
import {Cut} from "./Cut.sol";
import {BatchView} from "./interfaces/ITrainingMarket.sol";
import {Typed} from "./Typed.sol";
import {Batch, Offer, Store, Terms} from "./Types.sol";

/// @title What can be asked of a job.
library Views {
    /// @notice A batch: where it stands, its record, and what became of a complaint.
    function batchOf(Store storage s, bytes32 id, uint256 batch) external view returns (BatchView memory v) {
        Batch storage b = s.batches[id][batch];
        (v.from, v.end) = Cut.span(s, id, batch);
        v.state = Cut.stateOf(s, id, batch);
        v.record = b;
        v.complaint = s.complaints[id][batch];
        v.due = Cut.due(b);
        if (b.closedAt == 0) return v;
        v.last = v.end > v.from ? Cut.lastOf(s, id, batch) : bytes32(0);
        v.paidAfter = Books.paidAfter(s, id, b);
    }

    /// @notice Digests of claims.
    function claimsOf(Store storage s, bytes32 id, uint256 from, uint256 count)
        external
        view
        returns (bytes32[] memory lasts)
    {
        lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            lasts[i] = s.claims[id][from + i];
        }
    }

    /// @notice Until when only the lead closes the next batch, once it is full.
    function closableAfter(Store storage s, bytes32 id) external view returns (uint256) {
        return Claims.closableAfter(s, id);
    }

    /// @notice Hash of an offer's struct.
    function offerHash(Offer calldata offer, Terms calldata terms) external pure returns (bytes32) {
        return Typed.offer(offer, terms);
    }
}
