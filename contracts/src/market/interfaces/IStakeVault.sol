// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice A permit of the token, to be tried before a transfer. A zero deadline means none.
struct Permit {
    uint256 value;
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title Stake, what it backs, and the bonds that jobs lock.
/// @notice Stake is free, or locked under the name of a bond. A part of free stake backs jobs: those whose committee the owner is in.
/// What is free and backs nothing leaves at once. Only the market that created the vault locks, releases and takes bonds, and
/// takes the stake of a validator that contradicted itself. Nobody else can, and nobody can change that.
///
/// An account may name another one that is paid what it is owed, here and in the market. The account's own key does not change
/// that any more. It still moves free stake and bonds: into jobs, and out of them again to the payee.
///
/// Assumptions: the token is a plain ERC-20 that moves exactly the amount asked for, does not change balances by itself, and
/// whose transfers out of the vault do not fail for ever. Transfers in are measured; all payments out are pulled, so that a
/// token that fails holds up nothing but its own withdrawals.
interface IStakeVault {
    /// @notice Stake was added.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Deposited(address indexed owner, uint256 amount);
    /// @notice Free stake was moved to what is owed.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Unstaked(address indexed owner, uint256 amount);
    /// @notice So much more of the owner's free stake backs a job.
    /// @param owner Whose it is.
    /// @param amount How much more.
    event Backed(address indexed owner, uint256 amount);
    /// @notice So much less of it backs a job.
    /// @param owner Whose it is.
    /// @param amount How much less.
    event Unbacked(address indexed owner, uint256 amount);
    /// @notice A bond was locked.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param amount How much.
    event Locked(bytes32 indexed bond, address indexed owner, uint256 amount);
    /// @notice A bond, or a part of it, became free stake again.
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
    /// @notice Stake was taken.
    /// @param owner Whose it is.
    /// @param amount How much.
    event StakeTaken(address indexed owner, uint256 amount);
    /// @notice A payee was proposed; it must accept.
    /// @param account Whose payments they are.
    /// @param payee Who would be paid.
    event PayeeProposed(address indexed account, address indexed payee);
    /// @notice An account's payments go to another one from now on.
    /// @param account Whose payments they are.
    /// @param payee Who is paid.
    event PayeeChanged(address indexed account, address indexed payee);
    /// @notice A payment became ready to be withdrawn.
    /// @param account The account.
    /// @param amount How much.
    event Owed(address indexed account, uint256 amount);
    /// @notice A payment was withdrawn.
    /// @param account The account.
    /// @param payee Who was paid.
    /// @param amount How much.
    event Withdrawn(address indexed account, address indexed payee, uint256 amount);

    /// @notice Only the market may call this.
    /// @param caller Who called.
    error NotMarket(address caller);
    /// @notice Only who is paid for the account, or is proposed for it, may do this.
    /// @param account The account.
    /// @param caller Who called.
    error NotPayee(address account, address caller);
    /// @notice The owner's free stake that backs nothing is too small.
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

    /// @notice Moves free stake of the caller that backs nothing to what it is owed.
    /// @param amount How much leaves.
    function unstake(uint256 amount) external;

    /// @notice Pays what an account is owed, to its payee. Anyone may call it.
    /// @param account The account.
    /// @return amount How much.
    function withdraw(address account) external returns (uint256 amount);

    /// @notice Proposes who is paid for an account. The account may, and once there is a payee, that one alone.
    /// @param account The account.
    /// @param payee Who shall be paid.
    function setPayee(address account, address payee) external;

    /// @notice Accepts to be paid for an account.
    /// @param account The account.
    function acceptPayee(address account) external;

    /// @notice Lets free stake back a job. Market only.
    /// @param owner Whose it is.
    /// @param amount How much.
    function back(address owner, uint256 amount) external;

    /// @notice Ends that. Market only.
    /// @param owner Whose it is.
    /// @param amount How much.
    function unback(address owner, uint256 amount) external;

    /// @notice Locks free stake that backs nothing as a bond. Market only.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param amount How much.
    function lock(bytes32 bond, address owner, uint256 amount) external;

    /// @notice Makes a part of a bond free stake again. Market only.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param amount How much.
    function release(bytes32 bond, address owner, uint256 amount) external;

    /// @notice Moves a part of a bond to what `to` is owed. Market only.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @param to Who gets it.
    /// @param amount How much.
    function take(bytes32 bond, address owner, address to, uint256 amount) external;

    /// @notice Takes free stake that backed a job until now. A tenth goes to `reporter`, enough to pay for telling; the rest is burnt, so
    /// that an owner that reports itself saves nothing that is worth it. Market only.
    /// @param owner Whose it is.
    /// @param amount How much.
    /// @param reporter Who gets a tenth.
    function takeStake(address owner, uint256 amount, address reporter) external;

    /// @notice The market whose bonds these are.
    /// @return The market.
    function market() external view returns (address);

    /// @notice Stake that no bond holds, what backs jobs included.
    /// @param owner Whose it is.
    /// @return How much.
    function free(address owner) external view returns (uint256);

    /// @notice Free stake that backs jobs.
    /// @param owner Whose it is.
    /// @return How much.
    function backing(address owner) external view returns (uint256);

    /// @notice What a bond holds.
    /// @param bond Name of the bond.
    /// @param owner Whose it is.
    /// @return How much.
    function bonded(bytes32 bond, address owner) external view returns (uint256);

    /// @notice What an account can withdraw.
    /// @param account The account.
    /// @return How much.
    function owed(address account) external view returns (uint256);

    /// @notice Who is paid for an account: itself, if it named nobody.
    /// @param account The account.
    /// @return The payee.
    function payeeOf(address account) external view returns (address);

    /// @notice Who is proposed for it, or nobody.
    /// @param account The account.
    /// @return The proposed payee.
    function proposed(address account) external view returns (address);
}
