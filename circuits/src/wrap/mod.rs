//! The wrap: the field-side verifier as a halo2 circuit over BN254, whose proof is short and zero-knowledge.
//!
//! [`circuit::WrapCircuit`] runs [`crate::argument::verify`] over [`cells::Cells`] and gives halo2 the rows that this leaves.
//! There is no curve arithmetic inside: the opening of the commitments is checked outside, natively.
//!
//! | module | what |
//! |---|---|
//! | [`columns`] | five advice, six constant, three selector columns, one instance; how gates share selectors |
//! | [`arithmetic`] | one gate for sums and products |
//! | [`rounds`] | a round of a sumcheck in a row |
//! | [`poseidon`] | a permutation in 21 rows |
//! | [`rows`] | the rows and their copies, before halo2 sees them |
//! | [`convert`] | numbers and points of the two libraries |

pub mod arithmetic;
pub mod cells;
pub mod circuit;
pub mod columns;
pub mod convert;
pub mod gate;
pub mod keys;
pub mod poseidon;
pub mod rounds;
pub mod rows;
