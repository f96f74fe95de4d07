//! Zero-knowledge: what a wrapped proof makes public, its halo2 proof aside, says nothing but the statement.

mod guesses;
mod pieces;
mod randomness;
mod simulation;
