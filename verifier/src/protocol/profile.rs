//! What the length of the committed columns is chosen for.

/// What the length of columns is chosen for: many short ones are committed to fast, few long ones are cheap on a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Fast proofs, for verifiers that are programs.
    #[default]
    Local,
    /// Little gas, for contracts.
    Chain,
}

impl Profile {
    /// Both, by name.
    pub const NAMES: [(&'static str, Self); 2] = [("local", Self::Local), ("chain", Self::Chain)];
}
