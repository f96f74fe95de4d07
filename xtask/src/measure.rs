//! The tables of `docs/benchmarks.md`, measured.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use clap::ValueEnum;
use eyre::{Result, WrapErr, ensure, eyre};
use serde_json::Value;

use crate::{cargo, command, contracts, root, run};

/// A table of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Figures {
    /// Where the time of a segment goes.
    Parts,
    /// Both kinds of proofs over the lengths of columns.
    Profiles,
    /// Segments on chain.
    Chain,
    /// Layers of 512 and of 1024.
    Layers,
    /// One epoch of MNIST.
    Mnist,
}

/// The network of most tables.
const NETWORK: [&str; 4] = ["--layers", "784,128,128,10", "--batch", "64"];

/// Measures `table`, and prints it in Markdown.
pub fn measure(table: Figures) -> Result<()> {
    run(cargo().args([
        "build",
        "--release",
        "--package",
        "gradproof-worker",
        "--package",
        "gradproof-verifier-program",
        "--bins",
    ]))?;
    let rows = match table {
        Figures::Parts => parts()?,
        Figures::Profiles => profiles()?,
        Figures::Chain => chain()?,
        Figures::Layers => layers()?,
        Figures::Mnist => mnist()?,
    };
    println!("{}", rows.join("\n"));
    Ok(())
}

/// One segment, as `provider bench --json` measures it.
fn bench(arguments: &[&str]) -> Result<Value> {
    eprintln!("provider bench {}", arguments.join(" "));
    let provider = root().join("target/release/provider");
    let output = command(&provider.to_string_lossy())
        .arg("bench")
        .args(arguments)
        .arg("--json")
        .stderr(Stdio::null())
        .output()
        .wrap_err("cannot start the provider")?;
    ensure!(output.status.success(), "provider bench {} failed", arguments.join(" "));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or(f64::NAN)
}

fn secs(report: &Value, name: &str) -> String {
    format!("{:.2}", number(report, &format!("{name}_secs")))
}

/// A whole number with its thousands apart.
fn grouped(value: &Value) -> String {
    let digits = value.as_u64().map_or_else(|| "-".into(), |number| number.to_string());
    let mut groups: Vec<&str> = Vec::new();
    let mut rest = digits.as_str();
    while rest.len() > 3 {
        let (more, group) = rest.split_at(rest.len() - 3);
        groups.insert(0, group);
        rest = more;
    }
    groups.insert(0, rest);
    groups.join(",")
}

fn memory(report: &Value) -> String {
    format!("{:.2} GB", number(report, "peak_memory_bytes") / 1e9)
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The two lines that a table begins with: its first `left` columns are text.
fn head(names: &[&str], left: usize) -> Vec<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rule: Vec<&str> = (0..names.len()).map(|i| if i < left { "---" } else { "---:" }).collect();
    vec![line(&names), format!("|{}|", rule.join("|"))]
}

/// Rows of a part each, columns of a run each.
fn transposed(runs: &[(String, Value)], with_network: bool) -> Vec<String> {
    let mut names = vec![""];
    names.extend(runs.iter().map(|(name, _)| name.as_str()));
    let mut rows = head(&names, 1);
    let mut row = |name: &str, cell: &dyn Fn(&Value) -> String| {
        rows.push(line(&[vec![name.to_owned()], runs.iter().map(|(_, report)| cell(report)).collect()].concat()));
    };
    if with_network {
        row("parameters", &|report| grouped(&report["parameters"]));
    }
    row("columns", &|report| format!("{} of 2^{}", grouped(&report["columns"]), report["column_bits"]));
    for (name, key) in [
        ("training", "train"),
        ("witness", "witness"),
        ("commit", "commit"),
        ("random column", "mask"),
        ("look-ups", "lookup"),
        ("pointwise", "pointwise"),
        ("products and updates", "product"),
        ("merging", "merge"),
        ("opening", "opening"),
        ("wrap", "wrap"),
        ("total, without training", "total"),
    ] {
        row(name, &|report| secs(report, key));
    }
    row("a step", &|report| format!("{:.3}", number(report, "secs_per_step")));
    row("floor", &|report| secs(report, "floor"));
    row("without opening and wrap / floor", &|report| format!("{:.2}", number(report, "ratio_to_floor")));
    row("peak memory", &memory);
    row("verification", &|report| format!("{:.1} ms", number(report, "verify_ms")));
    row("proof", &|report| format!("{} bytes", grouped(&report["bytes"])));
    rows
}

fn parts() -> Result<Vec<String>> {
    let mut runs = Vec::new();
    for (kind, bits) in
        [("core", "14"), ("core", "16"), ("core", "18"), ("wrapped", "14"), ("wrapped", "17"), ("wrapped", "20")]
    {
        let arguments = [&NETWORK[..], &["--steps", "64", "--column-bits", bits, "--proof", kind]].concat();
        runs.push((format!("{kind}, 2^{bits}"), bench(&arguments)?));
    }
    Ok(transposed(&runs, false))
}

fn profiles() -> Result<Vec<String>> {
    let names = [
        "network, T",
        "kind",
        "column",
        "columns",
        "commit",
        "random column",
        "opening",
        "wrap",
        "total",
        "memory",
        "verification",
        "proof bytes",
        "gas, by the formula",
    ];
    let mut rows = head(&names, 3);
    for (layers, steps) in [("784,32,10", "32"), ("784,128,128,10", "64")] {
        for kind in ["core", "wrapped"] {
            let chosen = |profile: &str| -> Result<u64> {
                let arguments =
                    ["--layers", layers, "--batch", "64", "--steps", steps, "--proof", kind, "--profile", profile];
                bench(&arguments)?["column_bits"].as_u64().ok_or_else(|| eyre!("no column size"))
            };
            let (local, on_chain) = (chosen("local")?, chosen("chain")?);
            for bits in 11..=20 {
                let bits_text = bits.to_string();
                let arguments = [
                    "--layers",
                    layers,
                    "--batch",
                    "64",
                    "--steps",
                    steps,
                    "--proof",
                    kind,
                    "--column-bits",
                    &bits_text,
                ];
                let report = bench(&arguments)?;
                let profile = match bits {
                    bits if bits == local => ", **local**",
                    bits if bits == on_chain => ", **chain**",
                    _ => "",
                };
                rows.push(line(&[
                    format!("{}, {steps}", layers.replace(',', "-")),
                    kind.to_owned(),
                    format!("2^{bits}{profile}"),
                    grouped(&report["columns"]),
                    secs(&report, "commit"),
                    secs(&report, "mask"),
                    secs(&report, "opening"),
                    secs(&report, "wrap"),
                    secs(&report, "total"),
                    memory(&report),
                    format!("{:.0} ms", number(&report, "verify_ms")),
                    grouped(&report["bytes"]),
                    grouped(&report["estimated_gas"]),
                ]));
            }
        }
    }
    Ok(rows)
}

fn chain() -> Result<Vec<String>> {
    contracts::install()?;
    let folder = root().join("contracts");
    let folder = folder.to_string_lossy();
    let names = [
        "T",
        "kind",
        "column",
        "columns",
        "random column",
        "opening",
        "wrap",
        "total",
        "memory",
        "proof bytes",
        "verification",
        "gas",
        "call data",
        "circuit",
        "points",
        "pairing",
        "other",
    ];
    let mut rows = head(&names, 3);
    for steps in ["16", "64", "128"] {
        let arguments = [&NETWORK[..], &["--steps", steps, "--profile", "chain", "--contracts", &folder]].concat();
        let report = bench(&arguments)?;
        let gas = &report["chain"];
        let part = |name: &str| gas["parts"][name].as_u64().unwrap_or(0);
        rows.push(line(&[
            steps.to_owned(),
            "wrapped".into(),
            format!("2^{}", report["column_bits"]),
            grouped(&report["columns"]),
            secs(&report, "mask"),
            secs(&report, "opening"),
            secs(&report, "wrap"),
            secs(&report, "total"),
            memory(&report),
            grouped(&report["bytes"]),
            format!("{:.1} ms", number(&report, "verify_ms")),
            grouped(&gas["gas"]),
            grouped(&(part("base") + part("call_data")).into()),
            grouped(&part("circuit").into()),
            grouped(&part("points").into()),
            grouped(&part("pairing").into()),
            grouped(&part("other").into()),
        ]));
    }
    Ok(rows)
}

fn layers() -> Result<Vec<String>> {
    let mut runs = Vec::new();
    for kind in ["core", "wrapped"] {
        for width in ["512", "1024"] {
            let layers = format!("784,{}10", format!("{width},").repeat(8));
            let arguments = ["--layers", &layers, "--batch", "64", "--steps", "8", "--proof", kind];
            runs.push((format!("{kind}, {width}"), bench(&arguments)?));
        }
    }
    Ok(transposed(&runs, true))
}

/// An epoch of the full MNIST, trained, proved and verified by the programs.
fn mnist() -> Result<Vec<String>> {
    crate::digits::fetch()?;
    let folder = root().join("target/measure");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let names = [
        "kind",
        "profile",
        "columns",
        "keys",
        "registrations",
        "segments",
        "of that, wraps",
        "whole run",
        "a step",
        "memory",
        "proofs",
        "verification of all",
        "accuracy",
    ];
    let mut rows = head(&names, 2);
    for (kind, profile) in [("core", "local"), ("wrapped", "local")] {
        rows.push(mnist_run(&folder, kind, profile)?);
    }
    Ok(rows)
}

fn mnist_run(folder: &Path, kind: &str, profile: &str) -> Result<String> {
    let program = |name: &str| command(&root().join("target/release").join(name).to_string_lossy());
    let data = root().join("data/mnist");
    let file = |name: &str| data.join(name).to_string_lossy().into_owned();
    let job = folder.join(format!("{kind}-{profile}.toml"));
    fs::write(
        &job,
        format!(
            "[network]\nlayers = [784, 128, 128, 10]\n[data]\nformat = \"idx\"\nimages = {:?}\nlabels = {:?}\ntest_images = {:?}\n\
             test_labels = {:?}\n[training]\nbatch = 64\nepochs = 1\nsteps_per_segment = 64\n[learning_rate]\nrate = 0.25\n\
             [initial_weights]\nseed = 1\n[proof]\nprofile = \"{profile}\"\n",
            file("train-images-idx3-ubyte"),
            file("train-labels-idx1-ubyte"),
            file("t10k-images-idx3-ubyte"),
            file("t10k-labels-idx1-ubyte")
        ),
    )?;
    eprintln!("an epoch of MNIST, {kind}, {profile}");
    let out = folder.join(format!("{kind}-{profile}"));
    let begin = Instant::now();
    let proved = program("provider")
        .args(["prove", "--json", "--proof", kind, "--job"])
        .arg(&job)
        .arg("--out")
        .arg(&out)
        .stderr(Stdio::null())
        .output()?;
    let whole = begin.elapsed().as_secs_f64();
    ensure!(proved.status.success(), "provider prove failed");
    let report: Value = serde_json::from_slice(&proved.stdout)?;
    let verified = program("verifier")
        .args(["verify", "--json", "--statement"])
        .arg(out.join("statement.json"))
        .arg("--proofs")
        .arg(&out)
        .stderr(Stdio::null())
        .output()?;
    let verified: Value = serde_json::from_slice(&verified.stdout)?;
    ensure!(verified["accepted"] == true, "the proofs are rejected: {verified}");
    let statement: Value = serde_json::from_slice(&fs::read(out.join("statement.json"))?)?;
    let segments = report["segments"].as_array().cloned().unwrap_or_default();
    let sum = |name: &str| segments.iter().map(|segment| number(&segment["proof"], name)).sum::<f64>();
    let registration = &report["registration"];
    let keys = number(registration, "setup_secs");
    let registrations = number(registration, "commit_secs") + number(registration, "prove_secs");
    let minutes = |secs: f64| format!("{} min {:.0} s", (secs / 60.0).floor(), secs % 60.0);
    Ok(line(&[
        kind.into(),
        profile.into(),
        format!("2^{}", statement["column_vars"]),
        format!("{keys:.1} s"),
        format!("{registrations:.0} s"),
        format!("{:.0} s", sum("total_secs")),
        format!("{:.0} s", sum("wrap_secs")),
        minutes(whole),
        format!("{:.0} ms", 1e3 * sum("total_secs") / number(&report, "steps")),
        memory(&report),
        format!("{:.2} MB", number(&report, "proof_bytes") / 1e6),
        format!("{:.2} s", number(&verified, "verify_ms") / 1e3),
        format!("{:.2} %", 100.0 * number(&report, "test_accuracy")),
    ]))
}
