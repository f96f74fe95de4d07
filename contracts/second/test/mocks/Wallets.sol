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

/// @notice Denies every signature.
contract Denier {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0;
    }
}

/// @notice Takes every signature for its own.
contract Nodder {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }
}

/// @notice Comes back while it is asked about a signature: it says yes only if that failed.
contract EnteringWallet {
    address private target;
    bytes private payload;

    function arm(address at_, bytes calldata call_) external {
        (target, payload) = (at_, call_);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool done,) = target.call(payload);
        return done ? bytes4(0) : bytes4(0x1626ba7e);
    }

    function act(address at_, bytes calldata call_) external returns (bytes memory got) {
        bool done;
        (done, got) = at_.call(call_);
        if (!done) revert Refused(got);
    }

    error Refused(bytes reason);
}
