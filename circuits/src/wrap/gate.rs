//! The gates of the circuit.

/// What holds in a row, and what it says about the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing.
    None,
    /// [`super::arithmetic`].
    Arithmetic,
    /// [`super::rounds`]: a round with a common `eq`.
    EqRound,
    /// [`super::rounds`]: a round of degree three.
    PlainRound,
    /// [`super::poseidon`]: a full round.
    FullRound,
    /// [`super::poseidon`]: the full round before the partial ones.
    EnterPartial,
    /// [`super::poseidon`]: five partial rounds.
    PartialRounds,
    /// [`super::poseidon`]: the last five partial rounds.
    LeavePartial,
}
