//! gradproof.
