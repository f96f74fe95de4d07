//! The kernels for graphics cards, translated in advance: the text that the crate `gpu` holds, and what it takes of a card.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use eyre::{OptionExt, Result, WrapErr, ensure, eyre};
use flate2::{Compression, GzBuilder, read::GzDecoder};

use crate::{command, root, run};

const KERNELS: &str = "gpu/kernels/gradproof.ptx.gz";
const RESOURCES: &str = "gpu/kernels/resources.txt";
/// Generations of cards that the text is translated for, to see what it takes.
const ARCHITECTURES: [&str; 4] = ["sm_75", "sm_80", "sm_90", "sm_100"];
const HEADING: &str = "# Kernel, architecture, registers a thread, bytes spilled, bytes of shared memory, bytes of code: cargo xtask gpu-kernels";

/// Writes the kernels' text and table, or with `check` only compares both with what is stored.
pub fn make(check: bool) -> Result<()> {
    let home = root().join("target/gpu");
    fs::create_dir_all(&home)?;
    let tools = install(&home)?;
    let text = home.join("gradproof.ptx");
    let script = root().join("gpu/kernels/compile.py");
    run(Command::new(home.join("bin/python")).arg(script).arg(tools.join("cuda_nvrtc/lib/libnvrtc.so.12")).arg(&text))
        .wrap_err("the kernels are not translated")?;
    let translated = fs::read(&text)?;
    let table = resources(&home, &tools.join("cuda_nvcc/bin/ptxas"), &text)?;
    let (kernels, resources) = (root().join(KERNELS), root().join(RESOURCES));
    if check {
        let mut stored = vec![];
        GzDecoder::new(fs::File::open(&kernels)?).read_to_end(&mut stored).wrap_err(KERNELS)?;
        ensure!(stored == translated, "{KERNELS} is not what gpu/kernels/*.cu gives: run `cargo xtask gpu-kernels`");
        let stored = fs::read_to_string(&resources).wrap_err(RESOURCES)?;
        ensure!(stored == table, "{RESOURCES} is not what ptxas says: run `cargo xtask gpu-kernels`\n{table}");
        println!("The kernels are those of their sources: {} bytes of PTX.", translated.len());
        return Ok(());
    }
    // Without the time, so that equal kernels are equal files.
    let mut compressed = GzBuilder::new().mtime(0).write(vec![], Compression::best());
    compressed.write_all(&translated)?;
    fs::write(kernels, compressed.finish()?)?;
    fs::write(resources, &table)?;
    print!("{table}");
    Ok(())
}

/// Installs the compilers, and gives the folder that they stand in.
fn install(home: &Path) -> Result<PathBuf> {
    run(command("python3").args(["-m", "venv"]).arg(home))
        .wrap_err("the compilers come from PyPI, which needs Python 3 with venv")?;
    let pip = &mut Command::new(home.join("bin/python"));
    let options =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"];
    run(pip.args(options).arg(root().join("gpu/kernels/requirements.txt")))?;
    // `lib/python3.N/site-packages`
    for entry in fs::read_dir(home.join("lib"))? {
        let tools = entry?.path().join("site-packages/nvidia");
        if tools.join("cuda_nvcc/bin/ptxas").is_file() {
            return Ok(tools);
        }
    }
    Err(eyre!("the packages of PyPI hold no ptxas where it is expected, in nvidia/cuda_nvcc/bin"))
}

/// The table of what each kernel takes on each architecture.
fn resources(home: &Path, assembler: &Path, text: &Path) -> Result<String> {
    let rows = |architecture: &'static str| -> Result<Vec<(String, usize, String)>> {
        let binary = home.join(format!("{architecture}.cubin"));
        let mut assemble = Command::new(assembler);
        assemble.args(["--verbose", "--gpu-name", architecture, "--output-file"]).arg(&binary).arg(text);
        let output = assemble.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ptxas for {architecture}:\n{said}");
        let binary = fs::read(binary)?;
        let place = ARCHITECTURES.iter().position(|known| *known == architecture).unwrap_or_default();
        let mut rows = vec![];
        for part in said.split("Compiling entry function '").skip(1) {
            let name = part.split('\'').next().unwrap_or_default();
            let spilled =
                number(part, " bytes spill stores").unwrap_or(0) + number(part, " bytes spill loads").unwrap_or(0);
            let registers = number(part, " registers").ok_or_eyre("ptxas names no registers")?;
            let shared = number(part, " bytes smem").unwrap_or(0);
            let code = section_bytes(&binary, &format!(".text.{name}")).ok_or_eyre("a kernel without code")?;
            rows.push((
                name.to_owned(),
                place,
                format!("{name} {architecture} {registers} {spilled} {shared} {code}\n"),
            ));
        }
        Ok(rows)
    };
    let mut all = vec![];
    thread::scope(|scope| -> Result<()> {
        let threads = ARCHITECTURES.map(|architecture| scope.spawn(move || rows(architecture)));
        for thread in threads {
            all.extend(thread.join().map_err(|_| eyre!("a thread panicked"))??);
        }
        Ok(())
    })?;
    all.sort();
    Ok(format!("{HEADING}\n{}", all.into_iter().map(|(.., row)| row).collect::<String>()))
}

/// The number before a text.
fn number(text: &str, unit: &str) -> Option<u64> {
    let before = text.split(unit).next().filter(|before| before.len() < text.len())?;
    before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Size of a section of a 64-bit ELF file.
fn section_bytes(file: &[u8], name: &str) -> Option<u64> {
    let number = |at: usize, bytes: usize| {
        let mut value = [0; 8];
        value[..bytes].copy_from_slice(file.get(at..at.checked_add(bytes)?)?);
        usize::try_from(u64::from_le_bytes(value)).ok()
    };
    // Where the table of sections begins, how many there are, which of them has the names.
    let (begin, count, names) = (number(40, 8)?, number(60, 2)?, number(62, 2)?);
    let field = |section: usize, at: usize, bytes: usize| number(begin + 64 * section + at, bytes);
    let names = field(names, 24, 8)?;
    let section = (0..count).find(|section| {
        let text = field(*section, 0, 4).and_then(|at| file.get(names + at..));
        text.is_some_and(|text| text.split(|byte| *byte == 0).next() == Some(name.as_bytes()))
    });
    field(section?, 32, 8).map(|bytes| bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_before_their_units() {
        let said = "0 bytes stack frame, 16 bytes spill stores, 8 bytes spill loads\nptxas info : Used 127 registers, 8192 bytes smem";
        assert_eq!(number(said, " bytes spill stores"), Some(16));
        assert_eq!(number(said, " bytes spill loads"), Some(8));
        assert_eq!(number(said, " registers"), Some(127));
        assert_eq!(number(said, " bytes smem"), Some(8192));
        assert_eq!(number(said, " bytes cmem"), None);
    }

    #[test]
    fn sections_of_a_program_have_sizes() {
        let program = fs::read(std::env::current_exe().expect("a program")).expect("it can be read");
        assert!(section_bytes(&program, ".text").is_some_and(|bytes| bytes > 1000));
        assert_eq!(section_bytes(&program, ".nothing"), None);
        assert_eq!(section_bytes(&program[..50], ".text"), None);
    }
}
