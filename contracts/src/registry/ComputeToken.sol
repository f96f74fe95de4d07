// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The token that jobs are paid and backed with.
/// @notice The whole supply is minted once, to the account that the constructor names. There is no owner, no minter and no
/// pause: nobody can make, take or freeze tokens afterwards.
contract ComputeToken is ERC20, ERC20Permit {
    /// @param holder Account that receives the whole supply.
    /// @param supply Tokens that will ever exist, in units of 10^-18.
    constructor(address holder, uint256 supply) ERC20("gradproof compute", "GPC") ERC20Permit("gradproof compute") {
        _mint(holder, supply);
    }
}
