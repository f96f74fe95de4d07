//! Judges that do not refuse at the first failed check.

use std::collections::BTreeSet;

use gradproof_circuits::field::check::{Check, Judge, Rejection};

/// Skips exactly one check.
#[derive(Clone, Copy, Debug)]
pub struct Except(pub Check);

impl Judge for Except {
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection> {
        if holds || check == self.0 { Ok(()) } else { Err(Rejection { check }) }
    }
}

/// Notes every check that fails, and goes on.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// The checks that failed.
    pub failed: BTreeSet<Check>,
}

impl Judge for Recorder {
    fn require(&mut self, check: Check, holds: bool) -> Result<(), Rejection> {
        if !holds {
            self.failed.insert(check);
        }
        Ok(())
    }
}

/// Takes no notice of failed checks: a prover of tests that argues for a wrong witness.
#[derive(Clone, Copy, Debug, Default)]
pub struct Careless;

impl Judge for Careless {
    fn require(&mut self, _: Check, _: bool) -> Result<(), Rejection> {
        Ok(())
    }
}
