// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Backing, IStakeVault, Exit, Permit} from "./interfaces/IStakeVault.sol";
import {BURNT, Token} from "./Token.sol";

/// @title Holds stake and bonds: see `IStakeVault`.
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    uint256 private constant MAX_EXITS = 16;
    /// Who reports a contradiction gets this part of the stake.
    uint256 private constant REPORTER_PART = 10;

    IERC20 private immutable TOKEN;
    /// @inheritdoc IStakeVault
    address public immutable market;
    /// @inheritdoc IStakeVault
    uint64 public immutable unbondingSecs;

    /// @inheritdoc IStakeVault
    mapping(address owner => uint256) public free;
    /// @inheritdoc IStakeVault
    mapping(address account => uint256) public owed;
    /// @inheritdoc IStakeVault
    mapping(bytes32 bond => mapping(address owner => uint256)) public bonded;
    /// In the order in which they started.
    mapping(address owner => Exit[]) private exits;
    mapping(address owner => Backing) private words;

    modifier onlyMarket() {
        if (msg.sender != market) revert NotMarket(msg.sender);
        _;
    }

    /// @param token Plain ERC-20 in which stake is held.
    /// @param secs Seconds that stake takes to leave.
    constructor(IERC20 token, uint64 secs) {
        TOKEN = token;
        market = msg.sender;
        unbondingSecs = secs;
    }

    /// @inheritdoc IStakeVault
    function deposit(uint256 amount, Permit calldata permit) external nonReentrant {
        if (amount == 0 || amount > type(uint128).max) revert BadAmount(amount);
        Token.pull(TOKEN, msg.sender, amount, permit);
        free[msg.sender] += amount;
        emit Deposited(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function startExit(uint256 amount) external {
        if (amount == 0) revert BadAmount(amount);
        if (exits[msg.sender].length >= MAX_EXITS) revert TooManyExits(exits[msg.sender].length);
        spend(msg.sender, amount, 0);
        uint64 freeAt = uint64(block.timestamp) + unbondingSecs;
        // Deposits are bounded by 2^128 each, and by the supply together.
        exits[msg.sender].push(Exit(uint192(amount), freeAt));
        emit LeavingStarted(msg.sender, amount, freeAt);
    }

    /// @inheritdoc IStakeVault
    function finishExits(address owner) external returns (uint256 amount) {
        Exit[] storage queue = exits[owner];
        uint256 length = queue.length;
        uint256 done = 0;
        // In the order in which they started, which is the order in which they are free.
        while (done < length && queue[done].freeAt <= block.timestamp) {
            amount += queue[done].amount;
            ++done;
        }
        // An exit that was taken from may be empty, and goes too.
        if (done == 0) revert NothingOwed(owner);
        for (uint256 i = done; i < length; ++i) {
            queue[i - done] = queue[i];
        }
        for (uint256 i = 0; i < done; ++i) {
            queue.pop();
        }
        emit Left(owner, amount);
        credit(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function withdraw(address account) external nonReentrant returns (uint256 amount) {
        amount = owed[account];
        if (amount == 0) revert NothingOwed(account);
        owed[account] = 0;
        emit Withdrawn(account, amount);
        SafeERC20.safeTransfer(TOKEN, account, amount);
    }

    /// @inheritdoc IStakeVault
    function back(address owner, uint256 amount) external onlyMarket {
        uint256 before = backing(owner);
        if (before > amount) amount = before;
        uint64 until = uint64(block.timestamp) + unbondingSecs;
        // The owner has this much.
        words[owner] = Backing(uint192(amount), until);
        emit Backed(owner, amount, until);
    }

    /// @inheritdoc IStakeVault
    function lock(bytes32 bond, address owner, uint256 amount) external onlyMarket {
        if (bonded[bond][owner] != 0) revert BondExists(bond, owner);
        spend(owner, amount, backing(owner));
        bonded[bond][owner] = amount;
        emit Locked(bond, owner, amount);
    }

    /// @inheritdoc IStakeVault
    function release(bytes32 bond, address owner) external onlyMarket {
        uint256 amount = bonded[bond][owner];
        bonded[bond][owner] = 0;
        free[owner] += amount;
        emit Released(bond, owner, amount);
    }

    /// @inheritdoc IStakeVault
    function take(bytes32 bond, address owner, address to, uint256 amount) external onlyMarket {
        uint256 held = bonded[bond][owner];
        if (held < amount) revert BondTooSmall(bond, owner, held, amount);
        bonded[bond][owner] = held - amount;
        emit Taken(bond, owner, to, amount);
        credit(to, amount);
    }

    /// @inheritdoc IStakeVault
    function takeStake(address owner, uint256 most, address reporter) external onlyMarket returns (uint256 amount) {
        uint256 taken = most < free[owner] ? most : free[owner];
        free[owner] -= taken;
        amount = taken;
        Exit[] storage queue = exits[owner];
        // What leaves first is taken first: the rest stays within reach of other contradictions for longer.
        for (uint256 i = 0; i < queue.length && amount < most; ++i) {
            Exit storage exit = queue[i];
            uint256 part = most - amount < exit.amount ? most - amount : exit.amount;
            // Not more than the entry holds, which is of this type.
            exit.amount -= uint192(part);
            amount += part;
        }
        emit StakeTaken(owner, taken, amount - taken);
        credit(reporter, amount / REPORTER_PART);
        credit(BURNT, amount - amount / REPORTER_PART);
    }

    /// @inheritdoc IStakeVault
    function backing(address owner) public view returns (uint256) {
        Backing storage word = words[owner];
        return block.timestamp < word.until ? word.amount : 0;
    }

    /// @inheritdoc IStakeVault
    function leaving(address owner) external view returns (uint256 amount) {
        for (uint256 i = 0; i < exits[owner].length; ++i) {
            amount += exits[owner][i].amount;
        }
    }

    /// Takes free stake, and leaves `kept` of it.
    function spend(address owner, uint256 amount, uint256 kept) private {
        uint256 held = free[owner];
        uint256 room = held > kept ? held - kept : 0;
        if (room < amount) revert StakeTooSmall(owner, room, amount);
        free[owner] = held - amount;
    }

    function credit(address account, uint256 amount) private {
        if (amount == 0) return;
        owed[account] += amount;
        emit Owed(account, amount);
    }
}
