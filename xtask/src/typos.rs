//! The spelling checker typos over the files of the repository. `_typos.toml` has the words that are right although they look wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use eyre::{OptionExt, Result, WrapErr};

use crate::{command, root, run};

/// Version and digests of the checker, in the form of pip.
const REQUIREMENTS: &str = "xtask/requirements.txt";

/// Checks the spelling. The checker prints each word that is wrong, with its place.
pub fn check() -> Result<()> {
    let home = root().join("target/typos");
    install(&home)?;
    let checker = home.join("bin/typos");
    run(Command::new(&checker).current_dir(root()).args(["--format", "brief"]))
        .wrap_err("mend the words above, or add those that are right to _typos.toml")?;
    println!("No word is spelt wrong.");
    Ok(())
}

/// Puts the checker into a virtual environment, unless it is there in the required version.
fn install(home: &Path) -> Result<()> {
    let requirements = root().join(REQUIREMENTS);
    let text = fs::read_to_string(&requirements).wrap_err_with(|| format!("cannot read {REQUIREMENTS}"))?;
    let version = version(&text).ok_or_eyre("xtask/requirements.txt names no version of typos")?;
    let installed = Command::new(home.join("bin/typos")).arg("--version").stderr(Stdio::null()).output();
    if installed.is_ok_and(|output| output.stdout.trim_ascii().ends_with(format!(" {version}").as_bytes())) {
        return Ok(());
    }
    eprintln!("Installing typos {version} into target/typos.");
    run(command("python3").args(["-m", "venv"]).arg(home)).wrap_err("typos needs Python 3 with venv")?;
    let pip = &mut Command::new(home.join("bin/python"));
    let options =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"];
    run(pip.args(options).arg(requirements))
}

/// The version that the requirements ask for.
fn version(requirements: &str) -> Option<&str> {
    requirements.lines().find_map(|line| line.strip_prefix("typos==")?.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirements_name_one_version_with_digests() {
        let text = fs::read_to_string(root().join(REQUIREMENTS)).expect("the requirements are there");
        let parts: Vec<&str> = version(&text).expect("a version").split('.').collect();
        assert_eq!(parts.len(), 3, "{parts:?}");
        assert!(parts.iter().all(|part| part.parse::<u32>().is_ok()), "{parts:?}");
        assert!(text.matches("--hash=sha256:").count() >= 1);
        assert_eq!(version("# typos==1.0.0\nother==2.0.0\n"), None);
    }
}
