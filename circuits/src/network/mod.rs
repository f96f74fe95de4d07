//! What is trained: the network, the shape of a segment, its integer arithmetic, and the trace that training leaves.

pub mod architecture;
pub mod arithmetic;
pub mod epoch;
pub mod precision;
pub mod trace;
