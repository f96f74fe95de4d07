//! Where a contract refuses, or tells.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use eyre::{Result, bail};

use super::condition::{self, Condition, comparison, operands};
use crate::root;

/// A place where something can be taken out.
pub struct Site {
    /// The file.
    pub file: PathBuf,
    /// The file's text.
    pub text: Rc<str>,
    /// Where in it.
    pub bytes: Range<usize>,
    /// What stands there.
    pub kind: Kind,
}

/// What can be taken out.
pub enum Kind {
    /// A statement: `revert`, `require`, `emit`, or a call that only refuses.
    Statement,
    /// A guard whose answer is used: what it answers otherwise.
    Answer(String),
    /// A modifier of a function.
    Modifier,
    /// What assembly says of a fault: what says of `it` that there is none.
    Fault(&'static str),
    /// An operand of a condition: the word that stands for none.
    Operand(&'static str),
    /// A comparison in a condition, whose bound goes to the other side.
    Bound,
}

/// Calls that only refuse, and stand as statements.
const GUARDS: [&str; 11] = [
    "Guards.",
    "Rules.check(",
    "Rules.licence(",
    "checkCode(",
    "checkCodes(",
    "Opening.checkCodes(",
    "checkLicence(",
    "checkParent(",
    "safe(",
    "within(",
    "_requireScalars(",
];
/// The same behind a condition.
const CONDITIONAL_GUARDS: [&str; 2] = [") Guards.", ") Tables.requireSame("];
const MODIFIERS: [&str; 2] = ["nonReentrant", "onlyMarket"];
/// What begins what is said of a fault, or that all is good, in assembly, and what is said in a mutant.
const FAULTS: [(&str, &str); 3] =
    [("fault := ", "and(it, 0)"), ("good := ", "or(it, 1)"), ("points := staticcall", "or(it, 1)")];
/// A condition in assembly.
const UNLESS: &str = "if iszero(";

impl Site {
    /// Whether it can be switched off where it stands: assembly cannot.
    pub fn has_switch(&self) -> bool {
        !matches!(self.kind, Kind::Fault(_))
    }

    /// What stands here.
    pub fn here(&self) -> &str {
        &self.text[self.bytes.clone()]
    }

    /// The file's text without what stands here.
    pub fn without(&self) -> String {
        let here = self.here();
        let instead = match &self.kind {
            Kind::Statement => "{}".into(),
            Kind::Answer(answer) => answer.clone(),
            Kind::Modifier => String::new(),
            // What was looked at is still looked at, so that the compiler has nothing to say.
            Kind::Fault(none) => none.replace("it", here),
            Kind::Operand(none) => (*none).into(),
            Kind::Bound => comparison(here).map_or(String::new(), |c| [c.left, c.other, c.right].concat()),
        };
        [&self.text[..self.bytes.start], &instead, &self.text[self.bytes.end..]].concat()
    }

    /// What is changed, on one line.
    pub fn summary(&self) -> String {
        let here = self.here().split_whitespace().collect::<Vec<_>>().join(" ");
        match self.kind {
            Kind::Bound => format!("bound of {here}"),
            _ => here,
        }
    }

    /// Name of the file.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.file.file_name().unwrap_or_default().to_string_lossy()
    }

    /// File and line, below the folder of the contracts.
    pub fn place(&self) -> String {
        let line = self.text[..self.bytes.start].matches('\n').count() + 1;
        let file = self.file.strip_prefix(root().join("contracts")).unwrap_or(&self.file);
        format!("{}:{line}", file.display())
    }
}

/// Every site of a file, in order.
pub fn find(file: &Path) -> Result<Vec<Site>> {
    let text: Rc<str> = fs::read_to_string(file)?.into();
    let mut sites = Vec::new();
    let mut add =
        |bytes: Range<usize>, kind: Kind| sites.push(Site { file: file.into(), text: text.clone(), bytes, kind });
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let start = line_start;
        let code_start = start + line.len() - code.len();
        line_start += line.len();
        if code.starts_with("//") || code.starts_with("error ") || code.starts_with("import ") {
            continue;
        }
        for statement in ["revert ", "emit "].iter().chain(&CONDITIONAL_GUARDS) {
            if let Some(at) = line.find(statement) {
                let at = start + at + if statement.starts_with(')') { 2 } else { 0 };
                add(at..statement_end(&text, at)?, Kind::Statement);
            }
        }
        if let Some(Condition { bytes: condition, alone }) = condition::find(&text, start) {
            let (operands, neutral) = operands(&text[condition.clone()]);
            for operand in operands {
                let bytes = condition.start + operand.start..condition.start + operand.end;
                if comparison(&text[bytes.clone()]).is_some() {
                    add(bytes.clone(), Kind::Bound);
                }
                if let Some(none) = neutral.or(alone) {
                    add(bytes, Kind::Operand(none));
                }
            }
        }
        for (beginning, none) in FAULTS {
            let name = beginning.find(":= ").map_or(0, |at| at + 3);
            if let Some(at) = line.find(beginning).map(|at| at + name) {
                let end = line[at..].find(" }").map_or(line.trim_end().len(), |length| at + length);
                add(start + at..start + end, Kind::Fault(none));
            }
        }
        if let Some(at) = line.find(UNLESS).map(|at| start + at + 3) {
            let block = at + text[at..].find(" {").unwrap_or(0);
            let end = block + text[block..].find('}').unwrap_or(0);
            // Where the block says that there is a fault, that is a site.
            if !text[block..end].contains(":=") {
                add(at..block, Kind::Fault("and(it, 0)"));
            }
        }
        let is_guard = code.starts_with("require(") || GUARDS.iter().any(|guard| code.starts_with(guard));
        if is_guard {
            add(code_start..statement_end(&text, code_start)?, Kind::Statement);
        }
        if let Some(at) = line.find("Guards.inState(").filter(|_| !is_guard && !line.contains(") Guards.")) {
            let at = start + at;
            let end = at + text[at..].find(')').map_or(0, |end| end + 1);
            let job = text[at..end].split(", ").nth(1).unwrap_or_default();
            add(at..end, Kind::Answer(format!("s.jobs[{job}]")));
        }
        for modifier in MODIFIERS {
            let names = |word: &str| word == modifier;
            if code.starts_with("modifier") || !code.split(|c: char| !c.is_alphanumeric()).any(names) {
                continue;
            }
            if let Some(at) = line.find(modifier).map(|at| start + at) {
                add(at..at + modifier.len(), Kind::Modifier);
            }
        }
    }
    Ok(sites)
}

/// End of the statement that starts at `start`, its semicolon included.
fn statement_end(text: &str, start: usize) -> Result<usize> {
    match text[start..].find(';') {
        Some(end) => Ok(start + end + 1),
        None => bail!("a statement without an end"),
    }
}
