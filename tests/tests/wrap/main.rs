//! The wrap circuit against the native verifier.

mod completeness;
