//! How far the CUDA backend goes on this machine: compiled, linked, started.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyre::{OptionExt, Result, WrapErr, bail, ensure};
use serde_json::Value;

use crate::{cargo, command, root, run};

/// What the program and its libraries call of the driver's library `libcuda`, which no package brings.
const DRIVER_CALLS: [&str; 10] = [
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuMemAddressFree",
    "cuMemAddressReserve",
    "cuMemCreate",
    "cuMemGetAllocationGranularity",
    "cuMemMap",
    "cuMemRelease",
    "cuMemSetAccess",
    "cuMemUnmap",
];
/// What each of them answers: `CUDA_ERROR_STUB_LIBRARY`.
const STUB_ANSWER: u32 = 34;
/// The devices that are compiled for, unless `CUDA_ARCH` says others; newer ones translate from the oldest.
const ARCHITECTURE: &str = "80";

const JOB: &str = r#"[network]
layers = [6, 5, 4, 3]
[data]
format = "csv"
images = "rows.csv"
label_column = 0
scale = 0.00390625
[training]
batch = 4
epochs = 1
steps_per_segment = 4
[learning_rate]
schedule = [{ from_segment = 0, rate = 0.125 }]
[initial_weights]
seed = 7
"#;

/// Builds `gradproof-cuda` with the compiler of PyPI, and tells which stages were passed.
pub fn check() -> Result<()> {
    let folder = root().join("target/cuda");
    let toolkit = toolkit(&folder)?;
    let program = build(&folder, &toolkit)?;
    start(&folder, &program)
}

/// Installs the compiler, and gives the folder that it stands in.
fn toolkit(folder: &Path) -> Result<PathBuf> {
    let (environment, requirements) = (folder.join("venv"), root().join("cuda/requirements.txt"));
    run(command("python3").args(["-m", "venv"]).arg(&environment))
        .wrap_err("nvcc comes from PyPI, which needs Python 3")?;
    let pip = &mut Command::new(environment.join("bin/python"));
    let options =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"];
    run(pip.args(options).arg(requirements))?;
    // `lib/python3.N/site-packages`
    for entry in fs::read_dir(environment.join("lib"))? {
        let toolkit = entry?.path().join("site-packages/nvidia/cu13");
        if toolkit.join("bin/nvcc").is_file() {
            link_folder(folder, &toolkit)?;
            return Ok(toolkit);
        }
    }
    bail!("the packages of PyPI hold no nvcc where it is expected, in nvidia/cu13/bin")
}

/// Fills `lib` with what the linker asks for: the runtime as an archive, under both of its names, so that the program needs
/// no library but the driver's; and a stub of that, also in `stub` under the name it is loaded by.
fn link_folder(folder: &Path, toolkit: &Path) -> Result<()> {
    let (lib, stub) = (folder.join("lib"), folder.join("stub"));
    for folder in [&lib, &stub] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    for name in ["libcudart.a", "libcudart_static.a"] {
        fs::copy(toolkit.join("lib/libcudart_static.a"), lib.join(name))?;
    }
    let source: String = DRIVER_CALLS.map(|call| format!("int {call}(void) {{ return {STUB_ANSWER}; }}\n")).concat();
    fs::write(stub.join("stub.c"), source)?;
    let compile = &mut command("cc");
    compile.args(["-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o"]);
    run(compile.arg(stub.join("libcuda.so.1")).arg(stub.join("stub.c")))?;
    fs::copy(stub.join("libcuda.so.1"), lib.join("libcuda.so"))?;
    Ok(())
}

/// Builds the program in a target folder of its own, and tells the stages as far as they go.
fn build(folder: &Path, toolkit: &Path) -> Result<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths([toolkit.join("bin")].into_iter().chain(std::env::split_paths(&paths)))?;
    let architecture = std::env::var("CUDA_ARCH").unwrap_or_else(|_| ARCHITECTURE.into());
    let mut build = cargo();
    build
        .args(["build", "--release", "--package", "gradproof-cuda", "--features", "cuda"])
        .args(["--message-format", "json-render-diagnostics", "--target-dir"])
        .arg(folder.join("build"))
        .env("PATH", paths)
        .env("CUDA_PATH", toolkit)
        .env("CUDA_LIB_DIR", folder.join("lib"))
        .env("CUDA_ARCH", &architecture)
        .stdout(Stdio::piped());
    let mut child = build.spawn()?;
    let output = child.stdout.take().ok_or_eyre("cargo has no output")?;
    let mut program = None;
    let (mut objects, mut linked) = (0, 0);
    for line in std::io::BufReader::new(output).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        let package = message["package_id"].as_str().unwrap_or_default();
        match message["reason"].as_str() {
            Some("build-script-executed") if package.contains("halo2-axiom-gpu") || package.contains("openvm-cuda") => {
                let out = message["out_dir"].as_str().ok_or_eyre("a build script without a folder")?;
                for entry in fs::read_dir(out)? {
                    let name = entry?.file_name().into_string().unwrap_or_default();
                    linked += usize::from(name.ends_with("_dlink.o"));
                    objects += usize::from(name.ends_with(".o") && !name.ends_with("_dlink.o"));
                }
            }
            Some("compiler-artifact") if package.contains("gradproof-cuda") => {
                program = message["executable"].as_str().map(PathBuf::from);
            }
            _ => {}
        }
    }
    let status = child.wait()?;
    stage(objects > 0, &format!("device code compiled for sm_{architecture}: {objects} files"));
    stage(linked > 0, &format!("device code linked: {linked} libraries"));
    stage(status.success(), "program gradproof-cuda linked, with a stub in the place of the driver's library libcuda");
    ensure!(status.success(), "`cargo build` failed with {status}");
    program.ok_or_eyre("cargo built no program")
}

/// Starts `provider` beside the program: with the stub for a driver, then with what the machine has.
fn start(folder: &Path, program: &Path) -> Result<()> {
    run(cargo().args(["build", "--release", "--bin", "provider"]))?;
    let job = folder.join("job");
    if job.exists() {
        fs::remove_dir_all(&job)?;
    }
    fs::create_dir_all(&job)?;
    fs::copy(root().join("target/release/provider"), job.join("provider"))?;
    fs::copy(program, job.join("gradproof-cuda"))?;
    fs::write(job.join("job.toml"), JOB)?;
    let rows: String =
        (0..16).map(|i| format!("{},{}\n", i % 3, [i * 15; 6].map(|x| x.to_string()).join(","))).collect();
    fs::write(job.join("rows.csv"), rows)?;

    let provider = |out: &str| {
        let mut command = Command::new(job.join("provider"));
        command.current_dir(&job).args(["prove", "--job", "job.toml", "--backend", "cuda", "--without-zero-knowledge"]);
        command.args(["--out", out, "--key-cache", "keys"]);
        command
    };
    let output = provider("stub").env("LD_LIBRARY_PATH", folder.join("stub")).output()?;
    let said = refusal(&output.stderr);
    stage(
        said.is_some(),
        &format!("`provider --backend cuda` with the stub: {}", said.as_deref().unwrap_or("no refusal")),
    );
    ensure!(said.is_some(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = provider("device").output()?;
    match refusal(&output.stderr) {
        Some(said) => {
            stage(true, &format!("`provider --backend cuda` on this machine: {said}"));
            stage(false, "proofs on a device: there is none");
        }
        None => {
            stage(output.status.success(), "proofs on a device, each verified");
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    Ok(())
}

/// The line that says that there is no device.
fn refusal(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    text.lines().find(|line| line.contains("no CUDA device")).map(str::to_owned)
}

fn stage(passed: bool, what: &str) {
    println!("{} {what}", if passed { "passed:    " } else { "NOT passed:" });
}
