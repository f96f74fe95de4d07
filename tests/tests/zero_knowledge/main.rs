//! Zero-knowledge: what a wrapped proof makes public says nothing but the statement.

mod guesses;
mod jobs;
mod pieces;
mod randomness;
mod simulation;
mod wrapped;
