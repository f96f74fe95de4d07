//! Names of what the market's interface has as numbers; the order is that of `contracts/src/market/Types.sol`.

/// Where a job stands. From `Cancelled` on, nothing changes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the table in docs/settlement.md says what each state is")]
pub enum State {
    None,
    Open,
    Assigned,
    Running,
    Drawing,
    Proving,
    Delivering,
    Handed,
    Disputed,
    Cancelled,
    Expired,
    Completed,
    Withheld,
    Defaulted,
    Slashed,
    Diverged,
}

/// What is paid without a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Nothing: each segment comes with its proof.
    Proven,
    /// All segments, if those that are drawn are proven.
    Sampled,
    /// A segment whose published opening nobody challenged in time.
    Optimistic,
}

/// What a member of the committee attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Task {
    /// The opening of a claimed segment was published and opens the claim.
    Opening,
    /// Training diverged in the next segment.
    Divergence,
    /// The handed weights can be fetched.
    Fetchable,
    /// Whether the weights that were opened to the committee are the last ones.
    Decision,
}

/// Names of the states.
pub const STATES: [&str; 16] = [
    "None",
    "Open",
    "Assigned",
    "Running",
    "Drawing",
    "Proving",
    "Delivering",
    "Handed",
    "Disputed",
    "Cancelled",
    "Expired",
    "Completed",
    "Withheld",
    "Defaulted",
    "Slashed",
    "Diverged",
];
/// Names of the assurance levels.
pub const LEVELS: [&str; 3] = ["Proven", "Sampled", "Optimistic"];
/// Names of the terms: `Term` of `contracts/src/interfaces/IMarketErrors.sol`.
pub const TERMS: [&str; 28] = [
    "Rows",
    "Segments",
    "Rates",
    "Price",
    "Ramp",
    "LastShare",
    "Bond",
    "HandBackFee",
    "ChallengeBond",
    "OpenSecs",
    "StartSecs",
    "RunSecs",
    "WindowSecs",
    "AnswerSecs",
    "RevealSecs",
    "ProveSecs",
    "DeliverSecs",
    "ComplainSecs",
    "DecideSecs",
    "Draws",
    "SecretHash",
    "MaxPending",
    "Members",
    "Threshold",
    "Fee",
    "Stake",
    "MemberOrder",
    "Verifier",
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
        for state in [State::None, State::Running, State::Cancelled, State::Diverged] {
            assert_eq!(name(&STATES, state as u8), format!("{state:?}"));
        }
        for level in [Level::Proven, Level::Sampled, Level::Optimistic] {
            assert_eq!(name(&LEVELS, level as u8), format!("{level:?}"));
        }
        assert_eq!(name(&LEVELS, 3), "3");
    }
}
