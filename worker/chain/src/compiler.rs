//! The Solidity compiler, called as forge calls it, with the settings of `contracts/foundry.toml`: those
//! of the profile `verifier`, and of `default` where it has none.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use alloy::primitives::Address;
use gradproof_evm::{Settings, VERIFIER_PROFILE};
use gradproof_terminal::atomic;
use gradproof_terminal::cache;
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::keccak::keccak256;
use serde_json::{Value, json};

use super::ChainError;

/// What is asked of the compiler for every contract.
const OUTPUTS: [&str; 5] = [
    "abi",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.linkReferences",
];

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
    /// Code of the contract, immutables and libraries not filled in.
    pub runtime: Vec<u8>,
    /// Its interface, as JSON.
    pub abi: Value,
    /// Where the creation code names libraries.
    pub links: Vec<Link>,
}

/// A place in creation code that is to hold the address of a library: zeros until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The library.
    pub library: ContractName,
    /// Where its 20 bytes begin.
    pub offset: usize,
}

/// A contract by the file that it stands in, below the folder, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractName {
    /// For example `src/core/SegmentVerifier.sol`.
    pub file: String,
    /// For example `SegmentVerifier`.
    pub name: String,
}

impl Artifact {
    /// The same with the addresses of its libraries filled in.
    ///
    /// # Errors
    /// [`ChainError::Unlinked`] for a library that has none.
    pub fn linked(mut self, libraries: &BTreeMap<ContractName, Address>) -> Result<Self, ChainError> {
        for Link { library, offset } in std::mem::take(&mut self.links) {
            let hole = self.bytecode.get_mut(offset..offset + Address::len_bytes());
            match libraries.get(&library).zip(hole) {
                Some((address, hole)) => hole.copy_from_slice(address.as_slice()),
                None => return Err(ChainError::Unlinked { library: library.name }),
            }
        }
        Ok(self)
    }
}

impl Compiler {
    /// The compiler of the folder `contracts`, with the settings for verifiers.
    ///
    /// # Errors
    /// If its `foundry.toml` cannot be read or lacks a setting.
    pub fn new(contracts: &Path) -> Result<Self, ChainError> {
        Self::with_profile(contracts, VERIFIER_PROFILE)
    }

    /// The compiler with the settings of a profile, and those of `default` where it has none.
    ///
    /// # Errors
    /// As [`Compiler::new`].
    pub fn with_profile(contracts: &Path, name: &str) -> Result<Self, ChainError> {
        let file = contracts.join("foundry.toml");
        let settings = Settings::read(&read(&file)?, name)
            .map_err(|error| ChainError::Settings { file: file.clone(), message: error.to_string() })?;
        let mut asked = settings.standard_json();
        asked["outputSelection"] = json!({ "*": { "*": OUTPUTS } });
        let split = |line: &String| line.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
        let remappings = settings.remappings.iter().filter_map(split).collect();
        Ok(Self {
            contracts: contracts.to_owned(),
            program: contracts.join(settings.solc),
            settings: asked,
            remappings,
        })
    }

    /// The settings, as in standard JSON, without what is asked for.
    pub fn settings(&self) -> Value {
        let mut settings = self.settings.clone();
        settings.as_object_mut().map(|settings| settings.remove("outputSelection"));
        settings
    }

    /// The compiler's version.
    ///
    /// # Errors
    /// [`ChainError::Missing`] if it is not installed; if it does not say.
    pub fn version(&self) -> Result<String, ChainError> {
        // To start it takes longer than to read an answer that was kept.
        static SAID: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = said.get(&self.program) {
            return Ok(version.clone());
        }
        let version = self.ask_version()?;
        said.insert(self.program.clone(), version.clone());
        Ok(version)
    }

    fn ask_version(&self) -> Result<String, ChainError> {
        let missing = |source| ChainError::Missing { program: self.program.clone(), source };
        let output = Command::new(&self.program).arg("--version").output().map_err(missing)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.lines().find_map(|line| line.strip_prefix("Version: "));
        version.map(str::to_owned).ok_or_else(|| ChainError::Answer("version".into()))
    }

    /// Compiles files below the folder and all that they import: every contract in them.
    ///
    /// # Errors
    /// As [`Compiler::compile`], or if a file cannot be read.
    pub fn compile_files(&self, files: &[&str]) -> Result<BTreeMap<ContractName, Artifact>, ChainError> {
        let mut sources = BTreeMap::new();
        for file in files {
            self.collect((*file).to_owned(), read(&self.contracts.join(file))?, &mut sources)?;
        }
        let answer = self.accepted(&standard_json(&self.settings, &sources))?;
        let mut artifacts = BTreeMap::new();
        for (file, contracts) in answer["contracts"].as_object().into_iter().flatten() {
            for (name, contract) in contracts.as_object().into_iter().flatten() {
                artifacts.insert(ContractName { file: file.clone(), name: name.clone() }, artifact(name, contract)?);
            }
        }
        Ok(artifacts)
    }

    /// Compiles the contract `name` of a file below the folder, for example `src/core/SegmentVerifier.sol`.
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
    /// [`ChainError::Missing`] if the compiler is not installed, [`ChainError::Source`] for errors, and for warnings but those
    /// about packages.
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
        self.compile_input(&standard_json(settings, &sources), file, name)
    }

    /// Compiles the contract `name` of `file` of standard JSON `input`.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_input(&self, input: &Value, file: &str, name: &str) -> Result<Artifact, ChainError> {
        artifact(name, &self.accepted(input)?["contracts"][file][name])
    }

    /// The compiler's answer to standard JSON, if it has nothing to say against the sources: kept, under a name that is the
    /// digest of compiler and input, because it takes up to a minute.
    fn accepted(&self, input: &Value) -> Result<Value, ChainError> {
        let name = keccak256(&[self.version()?.as_bytes(), input.to_string().as_bytes()]);
        let name = format!("{}.solc.json", hex::encode(&name).trim_start_matches("0x"));
        let Some(path) = cache::folder().map(|folder| folder.join(name)) else { return self.answer(input) };
        let find = || serde_json::from_slice(&fs::read(&path).ok()?).ok();
        cache::once(&path, find, || {
            let answer = self.answer(input)?;
            // It can be made again: that it cannot be kept is no failure.
            let _ = atomic::write(&path, |file| file.write_all(answer.to_string().as_bytes()));
            Ok(answer)
        })
    }

    /// The answer of the compiler itself.
    fn answer(&self, input: &Value) -> Result<Value, ChainError> {
        let answer = self.run(input)?;
        let faults = answer["errors"].as_array().cloned().unwrap_or_default();
        let faults: Vec<&str> = faults
            .iter()
            .filter(|fault| fault["severity"] != "info" && !is_foreign_warning(fault))
            .filter_map(|fault| fault["formattedMessage"].as_str())
            .collect();
        if faults.is_empty() { Ok(answer) } else { Err(ChainError::Source(faults.join("\n"))) }
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

/// Sources as the compiler takes them.
fn standard_json(settings: &Value, sources: &BTreeMap<String, String>) -> Value {
    let sources = sources.iter().map(|(file, text)| (file.clone(), json!({ "content": text })));
    json!({
        "language": "Solidity",
        "sources": sources.collect::<serde_json::Map<_, _>>(),
        "settings": settings,
    })
}

/// True for a warning about a package, which is taken as it is.
fn is_foreign_warning(fault: &Value) -> bool {
    let file = fault["sourceLocation"]["file"].as_str().unwrap_or_default();
    fault["severity"] == "warning" && file.starts_with("node_modules/")
}

/// A contract of the compiler's answer.
fn artifact(name: &str, contract: &Value) -> Result<Artifact, ChainError> {
    let (bytecode, links) = code(name, &contract["evm"]["bytecode"])?;
    let (runtime, _) = code(name, &contract["evm"]["deployedBytecode"])?;
    Ok(Artifact { bytecode, runtime, abi: contract["abi"].clone(), links })
}

/// Code with zeros where it names libraries, and these places.
fn code(name: &str, part: &Value) -> Result<(Vec<u8>, Vec<Link>), ChainError> {
    let missing = || ChainError::Answer(format!("code of {name}"));
    let mut links = Vec::new();
    for (file, libraries) in part["linkReferences"].as_object().into_iter().flatten() {
        for (library, places) in libraries.as_object().into_iter().flatten() {
            for place in places.as_array().into_iter().flatten() {
                let offset = place["start"].as_u64().ok_or_else(missing)? as usize;
                links.push(Link { library: ContractName { file: file.clone(), name: library.clone() }, offset });
            }
        }
    }
    let mut digits = part["object"].as_str().ok_or_else(missing)?.as_bytes().to_vec();
    for Link { offset, .. } in &links {
        let digits = digits.get_mut(2 * offset..2 * (offset + Address::len_bytes()));
        digits.ok_or_else(missing)?.fill(b'0');
    }
    Ok((alloy::hex::decode(&digits).map_err(|_| missing())?, links))
}

fn read(file: &Path) -> Result<String, ChainError> {
    fs::read_to_string(file).map_err(|source| ChainError::Read { file: file.to_owned(), source })
}

/// The paths of a source's imports: the quoted part of its `import` directives, which may span lines.
///
/// They are found here because the digest of all sources is the name under which an answer is kept: to ask the compiler for them
/// would start it each time. It refuses a source that lacks an import.
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
    fn libraries_are_filled_in() {
        let part = json!({
            "object": format!("60__${}$__61", "a".repeat(34)),
            "linkReferences": { "src/A.sol": { "A": [{ "start": 1, "length": 20 }] } },
        });
        let (bytecode, links) = code("B", &part).unwrap();
        assert_eq!(bytecode, [&[0x60][..], &[0; 20], &[0x61]].concat());
        let library = ContractName { file: "src/A.sol".into(), name: "A".into() };
        assert_eq!(links, [Link { library: library.clone(), offset: 1 }]);
        let artifact = Artifact { bytecode, runtime: vec![], abi: Value::Null, links };
        let linked = artifact.clone().linked(&[(library, Address::repeat_byte(7))].into()).unwrap();
        assert_eq!(linked.bytecode, [&[0x60][..], &[7; 20], &[0x61]].concat());
        assert!(linked.links.is_empty());
        let error = artifact.linked(&BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "the address of the library A is missing");
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("src/libraries/../ISegmentVerifier.sol")), "src/ISegmentVerifier.sol");
        assert_eq!(normal(Path::new("src/./A.sol")), "src/A.sol");
    }
}
