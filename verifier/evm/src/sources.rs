//! The Solidity of the verifier, as input of the compiler.

use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::NUMBERS;
use gradproof_verifier::protocol::key::VerifyingKey;
use serde_json::{Map, Value, json};

use super::settings::{BUILT_IN, Settings, SettingsError, VERIFIER_PROFILE};
use crate::solidity::{GenerateError, generate};

/// Files below `contracts/`, by their names there.
macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../../contracts/", $name)))),*] };
}

const HALO2_INTERFACE: [(&str, &str); 1] = files!["src/core/interfaces/IHalo2Verifier.sol"];
const SEGMENT_VERIFIER: [(&str, &str); 9] = files![
    "src/core/SegmentVerifier.sol",
    "src/core/interfaces/ISegmentVerifier.sol",
    "src/core/interfaces/IHalo2Verifier.sol",
    "src/core/libraries/Bn254.sol",
    "src/core/libraries/DataTree.sol",
    "src/core/libraries/HyperKzg.sol",
    "src/core/libraries/Setup.sol",
    "src/core/libraries/Statement.sol",
    "src/core/libraries/Tables.sol",
];

/// A contract with everything that it is compiled from.
#[derive(Clone, Debug)]
pub struct ContractSource {
    /// The contract.
    pub name: &'static str,
    /// The file that has it, among [`Self::files`].
    pub file: &'static str,
    /// All files, by name: content.
    pub files: Vec<(&'static str, String)>,
    /// Whether it goes over the compiler's intermediate language. For the long straight lines of a generated verifier that way
    /// finds no layout of the stack, nor has it anything to gain there.
    pub via_ir: bool,
}

/// The verifier of the circuit of segments, written for `key`: the same source for the same key.
///
/// # Errors
/// The key is for core proofs.
pub fn halo2_verifier(key: &VerifyingKey) -> Result<ContractSource, GenerateError> {
    let file = "src/core/Halo2Verifier.sol";
    let mut files = vec![(file, halo2_source(key)?)];
    files.extend(HALO2_INTERFACE.map(owned));
    Ok(ContractSource { name: "Halo2Verifier", file, files, via_ir: false })
}

/// The verifier of segments, which is the same for every key.
pub fn segment_verifier() -> ContractSource {
    let files = SEGMENT_VERIFIER.map(owned).into();
    ContractSource { name: "SegmentVerifier", file: SEGMENT_VERIFIER[0].0, files, via_ir: true }
}

/// The Solidity source of the verifier of a segment's circuit.
///
/// # Errors
/// The key is for core proofs.
pub fn halo2_source(key: &VerifyingKey) -> Result<String, GenerateError> {
    let wrap = key.wrap(Subject::Segment).ok_or(GenerateError::Unsupported { feature: "core proofs" })?;
    generate(wrap.halo2(), &[NUMBERS + key.column_vars])
}

fn owned((name, text): (&'static str, &str)) -> (&'static str, String) {
    (name, text.to_owned())
}

impl ContractSource {
    /// Standard JSON for solc 0.8.37, with the settings of `contracts/foundry.toml`. The code that comes out depends on it
    /// alone: the digest of the metadata is left out.
    ///
    /// # Errors
    /// The settings that this library was built with lack something: a test says that they do not.
    pub fn standard_json(&self) -> Result<Value, SettingsError> {
        let sources: Map<String, Value> =
            self.files.iter().map(|(name, text)| ((*name).to_owned(), json!({ "content": text }))).collect();
        let mut settings = Settings::read(BUILT_IN, VERIFIER_PROFILE)?.standard_json();
        // No file here imports from a package.
        settings.as_object_mut().map(|settings| settings.remove("remappings"));
        settings["viaIR"] = self.via_ir.into();
        settings["outputSelection"] =
            json!({ "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } });
        Ok(json!({ "language": "Solidity", "sources": sources, "settings": settings }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_of_foundry_but_for_packages() {
        let input = segment_verifier().standard_json().expect("it has all settings");
        assert_eq!(
            input["settings"],
            json!({
                "evmVersion": "prague",
                "viaIR": true,
                "optimizer": { "enabled": true, "runs": 1_000_000 },
                "metadata": { "bytecodeHash": "none", "appendCBOR": false },
                "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
            })
        );
        let generated =
            ContractSource { via_ir: false, ..segment_verifier() }.standard_json().expect("it has all settings");
        assert_eq!(generated["settings"]["viaIR"], false);
    }
}
