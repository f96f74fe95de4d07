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
    /// @param owner Whose it is.
    /// @param amount How much.
    event Deposited(address indexed owner, uint256 amount);
    /// @notice Stake began to leave; it can still be taken until then.
    /// @param owner Whose it is.
    /// @param amount How much.
    /// @param freeAt When it is free.
    event LeavingStarted(address indexed owner, uint256 amount, uint64 freeAt);
    /// @notice Stake that had waited was moved to what is owed.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Left(address indexed owner, uint256 amount);
    /// @notice So much of the owner's stake stands behind its words until then.
    /// @param owner Whose it is.
    /// @param amount How much stands there now.
    /// @param until The first second in which it does not.
    event Backed(address indexed owner, uint256 amount, uint64 until);
    /// @notice A bond was locked.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Locked(bytes32 indexed bond, address indexed owner, uint256 amount);
    /// @notice A bond, or the rest of it, became free stake again.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Released(bytes32 indexed bond, address indexed owner, uint256 amount);
    /// @notice A part of a bond was taken.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param to Who gets it.
    /// @param amount How much.
    event Taken(bytes32 indexed bond, address indexed owner, address indexed to, uint256 amount);
    /// @notice Stake was taken: free stake, and of what is leaving the part that would be free first.
    /// @param owner Whose it is.
    /// @param free How much was free.
    /// @param leaving How much was leaving.
    event StakeTaken(address indexed owner, uint256 free, uint256 leaving);
    /// @notice A payment became ready to be withdrawn.
    /// @param account The account.
    /// @param amount How much.
    event Owed(address indexed account, uint256 amount);
    /// @notice A payment was withdrawn.
    /// @param account The account.
    /// @param amount How much.
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice Only the market may call this.
    /// @param caller Who called.
    error NotMarket(address caller);
    /// @notice The owner's free stake, less what stands behind its words if a bond is asked for, is too small.
    /// @param owner Whose it is.
    /// @param free What may be used.
    /// @param needed What is needed.
    error StakeTooSmall(address owner, uint256 free, uint256 needed);
    /// @notice The bond is locked already.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    error BondExists(bytes32 bond, address owner);
    /// @notice More was to be taken than the bond holds.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param held What the bond holds.
    /// @param needed What is needed.
    error BondTooSmall(bytes32 bond, address owner, uint256 held, uint256 needed);
    /// @notice The token did not move exactly this amount.
    /// @param expected What was expected.
    /// @param got What was there.
    error InexactTransfer(uint256 expected, uint256 got);
    /// @notice The owner has as many exits under way as there may be.
    /// @param exits How many there are.
    error TooManyExits(uint256 exits);
    /// @notice There is nothing to pay.
    /// @param account The account.
    error NothingOwed(address account);
    /// @notice The amount is zero, or too large to be real.
    /// @param amount The amount.
    error BadAmount(uint256 amount);

    /// @notice Adds stake of the caller. A permit that somebody else has used already does no harm.
    /// @param amount How much is added.
    /// @param permit A permit of the token, or nothing.
    function deposit(uint256 amount, Permit calldata permit) external;

    /// @notice Starts the way out of free stake. It stays within reach of `takeStake` for `unbondingSecs`.
    /// @param amount How much leaves.
    function startExit(uint256 amount) external;

    /// @notice Moves what has waited long enough to what the owner is owed. Anyone may call it.
    /// @param owner Whose it is.
    /// @return amount How much.
    function finishExits(address owner) external returns (uint256 amount);

    /// @notice Pays what an account is owed, to that account. Anyone may call it.
    /// @param account Who is paid.
    /// @return amount How much.
    function withdraw(address account) external returns (uint256 amount);

    /// @notice Keeps at least this much of the owner's stake out of bonds for `unbondingSecs`: it stands behind a word, and a
    /// bond may be paid to an account that the owner holds as well. Market only.
    /// @param owner Whose it is.
    /// @param amount The least that is kept.
    function back(address owner, uint256 amount) external;

    /// @notice Locks free stake as a bond. Market only.
    /// @param bond Name of the bond: a job, or a challenge.
    /// @param owner Whose it is.
    /// @param amount How much.
    function lock(bytes32 bond, address owner, uint256 amount) external;

    /// @notice Makes a bond, or its rest, free stake again. Market only.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    function release(bytes32 bond, address owner) external;

    /// @notice Moves a part of a bond to what `to` is owed. Market only.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param to Who gets it.
    /// @param amount How much.
    function take(bytes32 bond, address owner, address to, uint256 amount) external;

    /// @notice Takes up to `most` of free, then of leaving stake, what leaves first first. A tenth goes to `reporter`, enough to
    /// pay for telling; the rest is burnt, so that an owner that reports itself saves nothing that is worth it. Market only.
    /// @param owner Whose it is.
    /// @param most The most that is taken.
    /// @param reporter Who gets a tenth.
    /// @return amount How much was taken.
    function takeStake(address owner, uint256 most, address reporter) external returns (uint256 amount);

    /// @notice The market whose bonds these are.
    /// @return The market.
    function market() external view returns (address);

    /// @notice Seconds that stake takes to leave.
    /// @return Seconds.
    function unbondingSecs() external view returns (uint64);

    /// @notice Stake that no bond holds and that is not leaving.
    /// @param owner Whose it is.
    /// @return How much.
    function free(address owner) external view returns (uint256);

    /// @notice Stake behind the owner's words now.
    /// @param owner Whose it is.
    /// @return How much.
    function backing(address owner) external view returns (uint256);

    /// @notice Stake that is leaving.
    /// @param owner Whose it is.
    /// @return How much.
    function leaving(address owner) external view returns (uint256);

    /// @notice What a bond holds.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @return How much.
    function bonded(bytes32 bond, address owner) external view returns (uint256);

    /// @notice What an account can withdraw.
    /// @param account The account.
    /// @return How much.
    function owed(address account) external view returns (uint256);
}
