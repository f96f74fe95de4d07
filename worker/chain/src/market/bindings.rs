//! The market's contracts, from the checked-in `contracts/abi`; a test compares these with the compiled sources, and
//! `cargo xtask abi` makes them anew.

#![expect(missing_docs, reason = "the documentation is in the Solidity sources")]
#![expect(clippy::too_many_arguments, reason = "an event of the market has as many as it has")]

use alloy::sol;

sol!(
    /// The token that jobs are paid and backed with.
    #[derive(Debug, PartialEq, Eq)]
    ComputeToken,
    "../../contracts/abi/ComputeToken.json"
);
sol!(
    /// Who takes part, with which keys, and where they are reached.
    #[derive(Debug, PartialEq, Eq)]
    NodeRegistry,
    "../../contracts/abi/NodeRegistry.json"
);
sol!(
    /// Stake, its way out, and the bonds that jobs lock.
    #[derive(Debug, PartialEq, Eq)]
    StakeVault,
    "../../contracts/abi/StakeVault.json"
);
sol!(
    /// Data sets, their owners and licence fees.
    #[derive(Debug, PartialEq, Eq)]
    DatasetRegistry,
    "../../contracts/abi/DatasetRegistry.json"
);
sol!(
    /// Jobs: who is paid for what, and when.
    #[derive(Debug, PartialEq, Eq)]
    TrainingMarket,
    "../../contracts/abi/TrainingMarket.json"
);
