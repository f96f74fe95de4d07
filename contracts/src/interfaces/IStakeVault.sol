// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice Stake that is on its way out.
struct Exit {
    uint192 amount;
    uint64 freeAt;
}

/// @notice Stake behind a validator's words.
struct Backing {
    uint192 amount;
    uint64 until;
}

/// @notice A permit of the token, to be tried before a transfer. A zero deadline means none.
struct Permit {
    uint256 value;
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title Stake, its way out, and the bonds that jobs lock.
/// @notice Stake is free, leaving, or locked under the name of a bond. Only the market that created the vault locks, releases
/// and takes bonds, and takes the stake of a validator that contradicted itself. Nobody else can, and nobody can change that.
///
/// Assumptions: the token is a plain ERC-20 that moves exactly the amount asked for, does not change balances by itself, and
/// whose transfers out of the vault do not fail for ever. Transfers in are measured; all payments out are pulled, so that a
/// token that fails holds up nothing but its own withdrawals.
interface IStakeVault {
    /// @notice Stake was added.
    event Deposited(address indexed owner, uint256 amount);
    /// @notice Stake began to leave; it can still be taken until then.
    event LeavingStarted(address indexed owner, uint256 amount, uint64 freeAt);
    /// @notice Stake that had waited was moved to what is owed.
    event Left(address indexed owner, uint256 amount);
    /// @notice So much of the owner's stake stands behind its words until then.
    event Backed(address indexed owner, uint256 amount, uint64 until);
    /// @notice A bond was locked.
    event Locked(bytes32 indexed bond, address indexed owner, uint256 amount);
    /// @notice A bond, or the rest of it, became free stake again.
    event Released(bytes32 indexed bond, address indexed owner, uint256 amount);
    /// @notice A part of a bond was taken.
    event Taken(bytes32 indexed bond, address indexed owner, address indexed to, uint256 amount);
    /// @notice Free or leaving stake was taken.
    event StakeTaken(address indexed owner, uint256 amount);
    /// @notice A payment became ready to be withdrawn.
    event Owed(address indexed account, uint256 amount);
    /// @notice A payment was withdrawn.
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice Only the market may call this.
    error NotMarket(address caller);
    /// @notice The owner's free stake, less what stands behind its words if a bond is asked for, is too small.
    error StakeTooSmall(address owner, uint256 free, uint256 needed);
    /// @notice The bond is locked already.
    error BondExists(bytes32 bond, address owner);
    /// @notice More was to be taken than the bond holds.
    error BondTooSmall(bytes32 bond, address owner, uint256 held, uint256 needed);
    /// @notice The token did not move exactly this amount.
    error InexactTransfer(uint256 expected, uint256 got);
    /// @notice The owner has as many exits under way as there may be.
    error TooManyExits(uint256 exits);
    /// @notice There is nothing to pay.
    error NothingOwed(address account);
    /// @notice The amount is zero, or too large to be real.
    error BadAmount(uint256 amount);

    /// @notice Adds stake of the caller. A permit that somebody else has used already does no harm.
    function deposit(uint256 amount, Permit calldata permit) external;

    /// @notice Starts the way out of free stake. It stays within reach of `takeStake` for `unbondingSecs`.
    function startExit(uint256 amount) external;

    /// @notice Moves what has waited long enough to what the owner is owed. Anyone may call it.
    function finishExits(address owner) external returns (uint256 amount);

    /// @notice Pays what an account is owed, to that account. Anyone may call it.
    function withdraw(address account) external returns (uint256 amount);

    /// @notice Keeps at least this much of the owner's stake out of bonds for `unbondingSecs`: it stands behind a word, and a
    /// bond may be paid to an account that the owner holds as well. Market only.
    function back(address owner, uint256 amount) external;

    /// @notice Locks free stake as a bond. Market only.
    function lock(bytes32 bond, address owner, uint256 amount) external;

    /// @notice Makes a bond, or its rest, free stake again. Market only.
    function release(bytes32 bond, address owner) external;

    /// @notice Moves a part of a bond to what `to` is owed. Market only.
    function take(bytes32 bond, address owner, address to, uint256 amount) external;

    /// @notice Takes up to `most` of free, then of leaving stake: half burnt, a quarter to each of two accounts. Market only.
    function takeStake(address owner, uint256 most, address first, address second) external returns (uint256 amount);

    /// @notice The market whose bonds these are.
    function market() external view returns (address);

    /// @notice Seconds that stake takes to leave.
    function unbondingSecs() external view returns (uint64);

    /// @notice Stake that no bond holds and that is not leaving.
    function free(address owner) external view returns (uint256);

    /// @notice Stake behind the owner's words now.
    function backing(address owner) external view returns (uint256);

    /// @notice Stake that is leaving.
    function leaving(address owner) external view returns (uint256);

    /// @notice What a bond holds.
    function bonded(bytes32 bond, address owner) external view returns (uint256);

    /// @notice What an account can withdraw.
    function owed(address account) external view returns (uint256);
}
