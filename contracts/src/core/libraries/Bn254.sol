// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The curve BN254, through the precompiled contracts
/// @dev Functions take places in memory, so that nothing is copied. The precompiled contracts refuse a point that is not
/// on the curve and a coordinate that is not below the modulus; they accept the point at infinity, which is zeros.
library Bn254 {
    /// @notice Order of the group.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @notice x of the generator of G2, imaginary part first, as the pairing takes it.
    uint256 internal constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    /// @notice y of the generator of G2, imaginary part first.
    uint256 internal constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 internal constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    /// @notice A multiplicative inverse of zero was asked for.
    error NotInvertible();

    /// @notice Why a point was refused.
    enum Fault {
        None,
        NotOnCurve,
        AtInfinity
    }

    /// @notice The sum of rho^i · P_i over `count` points in memory, by Horner's rule from the last to the first.
    /// @dev The sum takes the place of P_0. From the sum so far, in the place of P_(i+1), and rho behind it, the product is
    /// made in that same place: the precompiled addition finds it beside P_i. So nothing is copied, and the memory of the
    /// points and 32 bytes behind them are overwritten.
    /// @param points Where P_0 stands.
    /// @param count Number of points, at least one.
    /// @param known How many of them, at the end, may be the point at infinity.
    /// @param rho The factor.
    /// @return fault Whether a point was refused.
    /// @return index Which.
    function combine(uint256 points, uint256 count, uint256 known, uint256 rho)
        internal
        view
        returns (Fault fault, uint256 index)
    {
        assembly ("memory-safe") {
            let at := add(points, shl(6, sub(count, 1)))
            let given := add(points, shl(6, sub(count, known)))
            if lt(at, given) { fault := shl(1, iszero(or(mload(at), mload(add(at, 0x20))))) }
            for {} and(iszero(fault), gt(at, points)) {} {
                mstore(add(at, 0x40), rho)
                if iszero(staticcall(gas(), 0x07, at, 0x60, at, 0x40)) {
                    fault := 1
                    break
                }
                at := sub(at, 0x40)
                if iszero(or(mload(at), mload(add(at, 0x20)))) {
                    if lt(at, given) {
                        fault := 2
                        break
                    }
                }
                if iszero(staticcall(gas(), 0x06, at, 0x80, at, 0x40)) {
                    fault := 1
                    break
                }
            }
            index := shr(6, sub(at, points))
        }
    }

    /// @notice The inverse modulo R, by Fermat.
    function inverse(uint256 value) internal view returns (uint256 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x20)
            mstore(add(free, 0x20), 0x20)
            mstore(add(free, 0x40), 0x20)
            mstore(add(free, 0x60), value)
            mstore(add(free, 0x80), sub(R, 2))
            mstore(add(free, 0xa0), R)
            pop(staticcall(gas(), 0x05, free, 0xc0, 0x00, 0x20))
            result := mload(0x00)
        }
        if (result == 0) revert NotInvertible();
    }
}
