//! The settings of the Solidity compiler, which are those of `contracts/foundry.toml` for everybody who compiles.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The settings that this library was built with.
pub(super) const BUILT_IN: &str = include_str!("../../../contracts/foundry.toml");

/// What the contracts that take proofs are compiled with: a profile of the settings.
pub const VERIFIER_PROFILE: &str = "verifier";
/// Has what another profile lacks.
const DEFAULT_PROFILE: &str = "default";

/// Settings that the compiler cannot be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is no file of settings, or a setting is missing or of another kind.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// There is no such profile.
    #[error("there is no profile `{name}`")]
    Profile {
        /// The profile.
        name: String,
    },
}

/// A profile of `foundry.toml`: what the compiler is to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// The compiler, below the folder of the file.
    pub solc: String,
    /// What the beginnings of imports stand for: `from=to`.
    pub remappings: Vec<String>,
    evm_version: String,
    via_ir: bool,
    optimizer: bool,
    optimizer_runs: u32,
    bytecode_hash: String,
    cbor_metadata: bool,
}

#[derive(Deserialize)]
struct Profiles {
    profile: BTreeMap<String, toml::Table>,
}

impl Settings {
    /// The profile `name` of the file with this content; what it lacks is that of the profile `default`.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(file: &str, name: &str) -> Result<Self, SettingsError> {
        let Profiles { mut profile } = toml::from_str(file)?;
        let mut remove = |name: &str| profile.remove(name);
        let own = remove(name).ok_or_else(|| SettingsError::Profile { name: name.to_owned() })?;
        let mut all = remove(DEFAULT_PROFILE).unwrap_or_default();
        all.extend(own);
        Ok(all.try_into()?)
    }

    /// The settings as in standard JSON, without what is asked for.
    pub fn standard_json(&self) -> Value {
        json!({
            "evmVersion": self.evm_version,
            "viaIR": self.via_ir,
            "optimizer": { "enabled": self.optimizer, "runs": self.optimizer_runs },
            "metadata": { "bytecodeHash": self.bytecode_hash, "appendCBOR": self.cbor_metadata },
            "remappings": self.remappings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a deployed verifier, and so its address in statements, depends on them.
    #[test]
    fn settings_change_only_on_purpose() {
        let expected = |runs: u32| {
            json!({
                "evmVersion": "prague",
                "viaIR": true,
                "optimizer": { "enabled": true, "runs": runs },
                "metadata": { "bytecodeHash": "none", "appendCBOR": false },
                "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
            })
        };
        for (profile, runs) in [(VERIFIER_PROFILE, 1_000_000), (DEFAULT_PROFILE, 1000)] {
            let settings = Settings::read(BUILT_IN, profile).expect("it has all settings");
            assert_eq!(settings.standard_json(), expected(runs), "{profile}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |file: &str, profile| Settings::read(file, profile).expect_err("it lacks something").to_string();
        assert_eq!(said(BUILT_IN, "fast"), "there is no profile `fast`");
        let error = said(&BUILT_IN.replace("via_ir", "via"), VERIFIER_PROFILE);
        assert!(error.contains("missing field `via_ir`"), "{error}");
        assert!(said("[profile", VERIFIER_PROFILE).contains("TOML parse error"));
    }
}
