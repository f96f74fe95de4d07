// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that calls out in the middle of every transfer, keeps a fee, or refuses, as it is told.
contract HostileToken is ERC20 {
    address private target;
    bytes private payload;
    uint256 private fee;
    bool private frozen;
    bool private inside;
    uint256 public calls;
    /// @notice Whether the call out succeeded, and what came back.
    bool public entered;
    bytes public answer;

    error Frozen();

    constructor(address holder, uint256 supply) ERC20("hostile", "H") {
        _mint(holder, supply);
    }

    function arm(address at_, bytes calldata call_) external {
        (target, payload, calls) = (at_, call_, 0);
        delete answer;
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function freeze(bool on) external {
        frozen = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (frozen) revert Frozen();
        super._update(from, to, value - fee);
        if (target == address(0) || inside) return;
        inside = true;
        (entered, answer) = target.call(payload);
        ++calls;
        inside = false;
    }
}
