// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault as V} from "../../src/interfaces/IStakeVault.sol";
import {Test, Vm} from "../Vm.sol";

/// @notice What the vault's events say of stake, bonds and accounts.
abstract contract IndexedStakes is Test {
    /// A bond, by its name and owner.
    struct Bond {
        bytes32 name;
        address owner;
    }

    Bond[] internal bonds;
    mapping(bytes32 name => mapping(address owner => uint256)) internal bonded;
    mapping(address owner => uint256) internal free;
    mapping(address owner => uint256) internal leaving;
    mapping(address account => uint256) internal ready;
    mapping(address owner => uint256) internal backed;
    mapping(address owner => uint256) internal backedUntil;
    mapping(address owner => uint256) internal stakeTaken;

    function who(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function onVault(Vm.Log memory log) internal returns (bool) {
        return onBond(log) || onStake(log);
    }

    function onStake(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        address owner = who(log.topics[1]);
        if (topic == V.LeavingStarted.selector) {
            (uint256 part,) = abi.decode(log.data, (uint256, uint64));
            free[owner] -= part;
            leaving[owner] += part;
            return true;
        }
        if (topic == V.Backed.selector) {
            (backed[owner], backedUntil[owner]) = abi.decode(log.data, (uint256, uint64));
            return true;
        }
        if (topic == V.StakeTaken.selector) {
            (uint256 part, uint256 rest) = abi.decode(log.data, (uint256, uint256));
            free[owner] -= part;
            leaving[owner] -= rest;
            stakeTaken[owner] += part + rest;
            return true;
        }
        uint256 amount = abi.decode(log.data, (uint256));
        if (topic == V.Deposited.selector) {
            free[owner] += amount;
        } else if (topic == V.Left.selector) {
            leaving[owner] -= amount;
        } else if (topic == V.Owed.selector) {
            ready[owner] += amount;
        } else if (topic == V.Withdrawn.selector) {
            ready[owner] -= amount;
        } else {
            return false;
        }
        return true;
    }

    function onBond(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == V.Locked.selector) {
            (bytes32 name, address owner) = (log.topics[1], who(log.topics[2]));
            bonds.push(Bond(name, owner));
            bonded[name][owner] = abi.decode(log.data, (uint256));
            free[owner] -= bonded[name][owner];
        } else if (topic == V.Released.selector) {
            (bytes32 name, address owner) = (log.topics[1], who(log.topics[2]));
            eq(abi.decode(log.data, (uint256)), bonded[name][owner], "what is left of a bond");
            free[owner] += bonded[name][owner];
            bonded[name][owner] = 0;
        } else if (topic == V.Taken.selector) {
            bonded[log.topics[1]][who(log.topics[2])] -= abi.decode(log.data, (uint256));
        } else {
            return false;
        }
        return true;
    }
}
