//! The Solidity compiler, called as forge calls it, with the settings of `contracts/foundry.toml`: those
//! of the profile `verifier`, and of `default` where it has none.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use super::ChainError;

/// The compiler and its settings.
#[derive(Clone, Debug)]
pub struct Compiler {
    contracts: PathBuf,
    program: PathBuf,
    settings: Value,
    remappings: Vec<(String, String)>,
}

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Creation code, which the constructor's arguments follow.
    pub bytecode: Vec<u8>,
    /// Code of the contract, immutables not filled in.
    pub runtime: Vec<u8>,
    /// Its interface, as JSON.
    pub abi: Value,
}

impl Compiler {
    /// The compiler of the folder `contracts`.
    ///
    /// # Errors
    /// If its `foundry.toml` cannot be read or lacks a setting.
    pub fn new(contracts: &Path) -> Result<Self, ChainError> {
        let file = contracts.join("foundry.toml");
        let text = read(&file)?;
        let wrong = |message: String| ChainError::Settings { file: file.clone(), message };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        let profile = |name| table.get("profile").and_then(|profiles| profiles.get(name));
        let profiles = [profile("verifier"), profile("default")];
        let get = |name: &str| {
            let found = profiles.iter().flatten().find_map(|profile| profile.get(name));
            found.ok_or_else(|| wrong(format!("no `{name}` in the profile")))
        };
        let lines = get("remappings")?.as_array().cloned().unwrap_or_default();
        let remappings: Vec<String> = lines.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect();
        let settings = json!({
            "evmVersion": get("evm_version")?,
            "viaIR": get("via_ir")?,
            "optimizer": { "enabled": get("optimizer")?, "runs": get("optimizer_runs")? },
            "metadata": { "bytecodeHash": get("bytecode_hash")?, "appendCBOR": get("cbor_metadata")? },
            "remappings": remappings,
            "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
        });
        let split = |line: &String| line.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
        let remappings = remappings.iter().filter_map(split).collect();
        let program = contracts.join(get("solc")?.as_str().unwrap_or("solc"));
        Ok(Self { contracts: contracts.to_owned(), program, settings, remappings })
    }

    /// Compiles the contract `name` of a file below the folder, for example `src/SegmentVerifier.sol`.
    ///
    /// # Errors
    /// As [`Compiler::compile`], or if a file cannot be read.
    pub fn compile_file(&self, file: &str, name: &str) -> Result<Artifact, ChainError> {
        let source = read(&self.contracts.join(file))?;
        self.compile(file, &source, name)
    }

    /// Compiles the contract `name` of `source`, which stands in for the file `file` below the folder: its imports are
    /// found from there.
    ///
    /// # Errors
    /// [`ChainError::Missing`] if the compiler is not installed, [`ChainError::Source`] for errors and warnings.
    pub fn compile(&self, file: &str, source: &str, name: &str) -> Result<Artifact, ChainError> {
        self.compile_with(&self.settings, file, source, name)
    }

    /// [`Self::compile`] for the generated verifier of a circuit: long straight lines of assembly, for which the compiler's way
    /// over its intermediate language finds no layout of the stack; nor has it anything to gain there.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_generated(&self, file: &str, source: &str, name: &str) -> Result<Artifact, ChainError> {
        let mut settings = self.settings.clone();
        settings["viaIR"] = false.into();
        self.compile_with(&settings, file, source, name)
    }

    fn compile_with(&self, settings: &Value, file: &str, source: &str, name: &str) -> Result<Artifact, ChainError> {
        let mut sources = BTreeMap::new();
        self.collect(file.to_owned(), source.to_owned(), &mut sources)?;
        let input = json!({
            "language": "Solidity",
            "sources": sources.iter().map(|(file, text)| (file.clone(), json!({ "content": text }))).collect::<serde_json::Map<_, _>>(),
            "settings": settings,
        });
        self.compile_input(&input, file, name)
    }

    /// Compiles the contract `name` of `file` of standard JSON `input`.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_input(&self, input: &Value, file: &str, name: &str) -> Result<Artifact, ChainError> {
        let answer = self.run(input)?;
        let faults = answer["errors"].as_array().cloned().unwrap_or_default();
        let faults: Vec<&str> = faults
            .iter()
            .filter(|fault| fault["severity"] != "info")
            .filter_map(|fault| fault["formattedMessage"].as_str())
            .collect();
        if !faults.is_empty() {
            return Err(ChainError::Source(faults.join("\n")));
        }
        let contract = &answer["contracts"][file][name];
        let code = |part: &str| {
            let digits = contract["evm"][part]["object"].as_str();
            digits
                .and_then(|digits| alloy::hex::decode(digits).ok())
                .ok_or_else(|| ChainError::Answer(format!("{part} of {name}")))
        };
        Ok(Artifact { bytecode: code("bytecode")?, runtime: code("deployedBytecode")?, abi: contract["abi"].clone() })
    }

    /// Runs the compiler on standard JSON.
    fn run(&self, input: &Value) -> Result<Value, ChainError> {
        let mut process = Command::new(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ChainError::Missing { program: self.program.clone(), source })?;
        let text = input.to_string();
        let pipe = process.stdin.take();
        // Beside the reading, so that neither side waits for the other.
        let writer = thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(text.as_bytes())));
        let system = |source| ChainError::System { what: "the compiler does not answer", source };
        let output = process.wait_with_output().map_err(system)?;
        writer.join().ok();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(if stderr.contains("Cannot find module") {
                let source =
                    std::io::Error::new(std::io::ErrorKind::NotFound, "the npm package `solc` is not installed");
                ChainError::Missing { program: self.program.clone(), source }
            } else {
                ChainError::CompilerFailed { program: self.program.clone(), status: output.status, stderr }
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| ChainError::Answer(format!("JSON: {error}")))
    }

    /// Adds a source and all that it imports.
    fn collect(&self, file: String, text: String, sources: &mut BTreeMap<String, String>) -> Result<(), ChainError> {
        let imports: Vec<String> = imports(&text).map(|path| self.resolve(&file, path)).collect();
        sources.insert(file, text);
        for import in imports {
            if !sources.contains_key(&import) {
                let text = read(&self.contracts.join(&import))?;
                self.collect(import, text, sources)?;
            }
        }
        Ok(())
    }

    /// The file that an import in `file` means: relative to it, or by a remapping.
    fn resolve(&self, file: &str, path: &str) -> String {
        if path.starts_with('.') {
            let folder = Path::new(file).parent().unwrap_or(Path::new(""));
            return normal(&folder.join(path));
        }
        let mapped = |(from, to): &(String, String)| path.strip_prefix(from.as_str()).map(|rest| format!("{to}{rest}"));
        self.remappings.iter().find_map(mapped).unwrap_or_else(|| path.to_owned())
    }
}

fn read(file: &Path) -> Result<String, ChainError> {
    fs::read_to_string(file).map_err(|source| ChainError::Read { file: file.to_owned(), source })
}

/// The paths of a source's imports: the quoted part of its `import` directives, which may span lines.
fn imports(source: &str) -> impl Iterator<Item = &str> {
    // A directive begins its line and ends at a semicolon.
    let begins = source.match_indices("import").map(|(begin, _)| begin);
    let directives = begins.filter(|&begin| begin == 0 || source.as_bytes().get(begin - 1) == Some(&b'\n'));
    directives.filter_map(|begin| source.get(begin..)?.split(';').next()?.split('"').nth(1))
}

/// The path without `.` and `..`, with slashes.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_wherever_a_directive_may_stand() {
        let source = "// import \"not\";\npragma solidity 0.8.37;\n\nimport {A} from \"./A.sol\";\nimport {\n    B,\n    C\n} \
                      from \"../B.sol\";\nimport \"c/C.sol\";\ncontract D { string constant important = \"x\"; }\n";
        assert_eq!(imports(source).collect::<Vec<_>>(), ["./A.sol", "../B.sol", "c/C.sol"]);
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("src/libraries/../ISegmentVerifier.sol")), "src/ISegmentVerifier.sol");
        assert_eq!(normal(Path::new("src/./A.sol")), "src/A.sol");
    }
}
