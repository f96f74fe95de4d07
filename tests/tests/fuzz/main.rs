//! One definition of fuzzing for every decoder of verifier and prover: no bytes make it panic or allocate much more than
//! they are, and what it takes is encoded to the same bytes again. `decoders` lists all decoders of the workspace.

mod decoders;
mod keys;
mod proofs;
mod statements;
mod values;
mod wire;
