// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IStakeVault, Permit} from "./interfaces/IStakeVault.sol";
import {BURNT, Token} from "./Token.sol";

/// @title Holds stake and bonds: see `IStakeVault`.
/// @dev An owner's free stake is never below what backs jobs: nothing but a contradiction takes from that part.
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    /// Who reports a contradiction gets this part of the stake.
    uint256 private constant REPORTER_PART = 10;

    IERC20 private immutable TOKEN;
    /// @inheritdoc IStakeVault
    address public immutable market;

    /// @inheritdoc IStakeVault
    mapping(address owner => uint256) public free;
    /// @inheritdoc IStakeVault
    mapping(address owner => uint256) public backing;
    /// @inheritdoc IStakeVault
    mapping(address account => uint256) public owed;
    /// @inheritdoc IStakeVault
    mapping(bytes32 bond => mapping(address owner => uint256)) public bonded;
    mapping(address account => address) private payees;
    /// @inheritdoc IStakeVault
    mapping(address account => address) public proposed;

    modifier onlyMarket() {
        if (msg.sender != market) revert NotMarket(msg.sender);
        _;
    }

    /// @param token Plain ERC-20 in which stake is held.
    constructor(IERC20 token) {
        TOKEN = token;
        market = msg.sender;
    }

    /// @inheritdoc IStakeVault
    function deposit(uint256 amount, Permit calldata permit) external nonReentrant {
        if (amount == 0 || amount > type(uint128).max) revert BadAmount(amount);
        Token.pull(TOKEN, msg.sender, amount, permit);
        free[msg.sender] += amount;
        emit Deposited(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function unstake(uint256 amount) external {
        if (amount == 0) revert BadAmount(amount);
        spend(msg.sender, amount);
        emit Unstaked(msg.sender, amount);
        credit(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function withdraw(address account) external nonReentrant returns (uint256 amount) {
        amount = owed[account];
        if (amount == 0) revert NothingOwed(account);
        owed[account] = 0;
        address payee = payeeOf(account);
        emit Withdrawn(account, payee, amount);
        SafeERC20.safeTransfer(TOKEN, payee, amount);
    }

    /// @inheritdoc IStakeVault
    function setPayee(address account, address payee) external {
        if (msg.sender != payeeOf(account)) revert NotPayee(account, msg.sender);
        proposed[account] = payee;
        emit PayeeProposed(account, payee);
    }

    /// @inheritdoc IStakeVault
    function acceptPayee(address account) external {
        if (msg.sender != proposed[account]) revert NotPayee(account, msg.sender);
        delete proposed[account];
        payees[account] = msg.sender;
        emit PayeeChanged(account, msg.sender);
    }

    /// @inheritdoc IStakeVault
    function back(address owner, uint256 amount) external onlyMarket {
        uint256 room = free[owner] - backing[owner];
        if (room < amount) revert StakeTooSmall(owner, room, amount);
        backing[owner] += amount;
        emit Backed(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function unback(address owner, uint256 amount) external onlyMarket {
        backing[owner] -= amount;
        emit Unbacked(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function lock(bytes32 bond, address owner, uint256 amount) external onlyMarket {
        if (bonded[bond][owner] != 0) revert BondExists(bond, owner);
        spend(owner, amount);
        bonded[bond][owner] = amount;
        emit Locked(bond, owner, amount);
    }

    /// @inheritdoc IStakeVault
    function release(bytes32 bond, address owner, uint256 amount) external onlyMarket {
        if (amount == 0) return;
        reduce(bond, owner, amount);
        free[owner] += amount;
        emit Released(bond, owner, amount);
    }

    /// @inheritdoc IStakeVault
    function take(bytes32 bond, address owner, address to, uint256 amount) external onlyMarket {
        if (amount == 0) return;
        reduce(bond, owner, amount);
        emit Taken(bond, owner, to, amount);
        credit(to, amount);
    }

    /// @inheritdoc IStakeVault
    function takeStake(address owner, uint256 amount, address reporter) external onlyMarket {
        spend(owner, amount);
        emit StakeTaken(owner, amount);
        credit(reporter, amount / REPORTER_PART);
        credit(BURNT, amount - amount / REPORTER_PART);
    }

    /// @inheritdoc IStakeVault
    function payeeOf(address account) public view returns (address) {
        address payee = payees[account];
        return payee == address(0) ? account : payee;
    }

    /// Takes free stake that backs nothing.
    function spend(address owner, uint256 amount) private {
        uint256 held = free[owner];
        uint256 room = held - backing[owner];
        if (room < amount) revert StakeTooSmall(owner, room, amount);
        free[owner] = held - amount;
    }

    function reduce(bytes32 bond, address owner, uint256 amount) private {
        uint256 held = bonded[bond][owner];
        if (held < amount) revert BondTooSmall(bond, owner, held, amount);
        bonded[bond][owner] = held - amount;
    }

    function credit(address account, uint256 amount) private {
        if (amount == 0) return;
        owed[account] += amount;
        emit Owed(account, amount);
    }
}
