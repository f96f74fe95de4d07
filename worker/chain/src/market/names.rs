//! Names of what the market's interface has as numbers; the order is that of `contracts/src/market`.

/// Where a job stands. From `Cancelled` on, nothing changes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "docs/settlement.md says what each state is")]
pub enum State {
    None,
    Open,
    Assigned,
    Running,
    Cancelled,
    Completed,
    Stopped,
    Left,
    Slashed,
}

/// Where a batch of segments stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum BatchState {
    /// It is not closed yet.
    Filling,
    /// It is closed, and the draw is not made.
    Drawing,
    /// What is due is known: it is proven, challenged, and then waited for.
    Proving,
    /// The committee decides a complaint.
    Disputed,
    /// It is paid, returned or burnt.
    Settled,
    /// The job ends before it.
    Void,
}

impl State {
    /// All states, in order.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Open,
        Self::Assigned,
        Self::Running,
        Self::Cancelled,
        Self::Completed,
        Self::Stopped,
        Self::Left,
        Self::Slashed,
    ];

    /// The state of a number, if there is one.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }

    /// The name of a number, or the number.
    pub fn name(number: u8) -> String {
        Self::of(number).map_or_else(|| number.to_string(), |state| format!("{state:?}"))
    }
}

impl BatchState {
    /// All states, in order.
    pub const ALL: [Self; 6] = [Self::Filling, Self::Drawing, Self::Proving, Self::Disputed, Self::Settled, Self::Void];
}

/// Names of the terms: `Term` of `contracts/src/market/interfaces/IMarketErrors.sol`.
pub const TERMS: [&str; 33] = [
    "Rows",
    "Segments",
    "Rates",
    "Reserved",
    "Price",
    "Ramp",
    "Bond",
    "HandBackFee",
    "ChallengeBond",
    "ComplaintBond",
    "OpenSecs",
    "ReopenSecs",
    "StartSecs",
    "BatchSecs",
    "CloseSecs",
    "RevealSecs",
    "ProveSecs",
    "EachSecs",
    "WindowSecs",
    "ComplainSecs",
    "DecideSecs",
    "DeliverEvery",
    "Draws",
    "Ahead",
    "Tip",
    "Members",
    "Threshold",
    "Fee",
    "Stake",
    "MemberOrder",
    "Verifier",
    "LicenceFee",
    "MinRoyalty",
];

/// The name of a number, or the number.
pub fn name(names: &[&str], number: u8) -> String {
    names.get(usize::from(number)).map_or_else(|| number.to_string(), |&name| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_numbers() {
        for (number, state) in (0u8..).zip(State::ALL) {
            assert_eq!((state as u8, State::name(number)), (number, format!("{state:?}")));
        }
        for (number, state) in (0u8..).zip(BatchState::ALL) {
            assert_eq!(state as u8, number);
        }
        assert_eq!(State::name(9), "9");
        assert_eq!(name(&TERMS, 33), "33");
    }
}
