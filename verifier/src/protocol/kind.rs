//! The two kinds of proofs.

/// The kinds of proofs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofKind {
    /// With all messages of the argument: fast, and **not** zero-knowledge.
    Core,
    /// With a short proof of a circuit in their place: zero-knowledge, and what a contract takes.
    #[default]
    Wrapped,
}

impl std::fmt::Display for ProofKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Wrapped => "wrapped",
        })
    }
}

impl ProofKind {
    /// Both, by name.
    pub const NAMES: [(&'static str, Self); 2] = [("core", Self::Core), ("wrapped", Self::Wrapped)];
}
