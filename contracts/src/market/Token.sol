// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IStakeVault, Permit} from "./interfaces/IStakeVault.sol";

// Where burnt tokens go: nobody has its key.
address constant BURNT = 0x000000000000000000000000000000000000dEaD;

/// @title Moves tokens in, and believes only the balance.
library Token {
    /// @notice Pulls exactly `amount` from `from`, after trying the permit. A permit that fails is no reason to stop: somebody may
    /// have sent it ahead, and then the allowance is there.
    function pull(IERC20 token, address from, uint256 amount, Permit memory permit) internal {
        if (permit.deadline != 0) {
            try IERC20Permit(address(token))
                .permit(from, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) {}
                catch {}
        }
        uint256 before = token.balanceOf(address(this));
        SafeERC20.safeTransferFrom(token, from, address(this), amount);
        uint256 got = token.balanceOf(address(this)) - before;
        if (got != amount) revert IStakeVault.InexactTransfer(amount, got);
    }
}
