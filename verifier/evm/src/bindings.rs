//! The contracts that take proofs, from the checked-in `contracts/abi`; a test compares these with the compiled sources, and
//! `cargo xtask abi` makes them anew.

use alloy_sol_types::sol;

sol!(
    /// Verifier of the proof of one segment.
    #[derive(Debug, PartialEq, Eq)]
    SegmentVerifier,
    "../../contracts/abi/SegmentVerifier.json"
);
sol!(
    /// Verifier of the proofs of one circuit: what each generated one implements.
    #[derive(Debug, PartialEq, Eq)]
    IHalo2Verifier,
    "../../contracts/abi/IHalo2Verifier.json"
);

pub use SegmentVerifier::{Key as SegmentKey, Segment};
