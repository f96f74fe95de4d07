// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A wallet of one key that signs by ERC-1271.
contract ContractWallet {
    address private immutable SIGNER;

    constructor(address signer) {
        SIGNER = signer;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address got,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return got == SIGNER ? bytes4(0x1626ba7e) : bytes4(0);
    }

    function approve(IERC20 token, address spender) external {
        token.approve(spender, type(uint256).max);
    }
}
