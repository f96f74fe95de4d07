//! What the length of the committed columns is chosen for.

/// What the length of columns is chosen for: many short ones are committed to fast, few long ones
/// are cheap for a verifier that pays for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Fast proofs, for verifiers that are programs.
    #[default]
    Local,
    /// Few columns, for verifiers that pay for every byte and multiplication: contracts.
    Chain,
}

impl Profile {
    /// Both, by name.
    pub const NAMES: [(&'static str, Self); 2] = [("local", Self::Local), ("chain", Self::Chain)];
}
