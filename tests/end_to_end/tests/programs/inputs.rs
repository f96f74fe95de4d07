//! Wrong use and input: exit code 2, and a message that names the file, key or option.

use std::fs;

use crate::fixture::{JOB, PROVED, job_folder, run};

#[test]
fn wrong_use_exits_with_2() {
    let folder = job_folder();
    for line in [
        "verifier",
        "verifier verify",
        "verifier verify --proofs x",
        "provider prove --job job.toml",
        "provider nothing",
        "requester commit",
    ] {
        run(folder.path(), line).exits(2);
    }
    run(folder.path(), "provider prove --job job.toml --out o --openings x").exits(2).says("--statement");
}

#[test]
fn a_wrong_job_file_is_named_with_its_key() {
    let folder = job_folder();
    let programs = ["provider prove --out o --job", "provider train --out o --job", "requester commit --out o --job"];
    for program in programs {
        run(folder.path(), &format!("{program} nowhere.toml")).exits(2).says("nowhere.toml");
        for (from, to, message) in [
            ("batch = 4", "bacth = 4", "bad.toml:10: unknown name `bacth`, did you mean `batch`?"),
            ("epochs = 2", "steps = 7", "training.steps is 7, expected steps of whole segments, here 5 or 9"),
            ("rows.csv", "row.csv", "data.images: there is no file"),
            ("0.0625", "0.06", "learning_rate.schedule[1].rate is 0.06"),
        ] {
            fs::write(folder.path().join("bad.toml"), JOB.replace(from, to)).expect("written");
            run(folder.path(), &format!("{program} bad.toml")).exits(2).says(message);
        }
    }
    assert!(!folder.path().join("o").exists(), "nothing is written for a job that is refused");
}

/// Nothing builds `gradproof-cuda` beside the programs under test.
#[test]
fn cuda_is_refused_where_it_was_not_built() {
    let folder = job_folder();
    let prove = "provider prove --job job.toml --out o --proof wrapped --backend";
    run(folder.path(), &format!("{prove} cuda")).exits(2).says("this build has no CUDA").says("docs/gpu.md");
    run(folder.path(), &format!("{prove} gpu")).exits(2).says("auto, cpu, cuda");
    assert!(!folder.path().join("o").exists());
}

#[test]
fn a_training_that_diverges_is_told_with_its_step() {
    let folder = job_folder();
    let job = JOB.replace("rate = 0.125", "rate = 1024").replace("from_epoch = 1", "from_segment = 2");
    fs::write(folder.path().join("wild.toml"), job).expect("written");
    run(folder.path(), "provider train --job wild.toml --out o").exits(2).says("training diverged at step");
}

#[test]
fn files_of_the_verifier_are_named() {
    let folder = PROVED.copy();
    let verify = "verifier verify --statement posted/statement.json";
    run(folder.path(), &format!("{verify} --proofs nowhere")).exits(2).says("nowhere");
    run(folder.path(), &format!("{verify} --proofs out --key nowhere.key")).exits(2).says("nowhere.key");
    fs::write(folder.path().join("bad.key"), b"GPVK").expect("written");
    run(folder.path(), &format!("{verify} --proofs out --key bad.key")).exits(2).says("bad.key: not a key file");
    fs::create_dir(folder.path().join("empty")).expect("made");
    run(folder.path(), &format!("{verify} --proofs empty")).exits(1);
}

/// A table as it comes from elsewhere: texts as labels, a column of names, semicolons, rows sorted by class. The messages say what the
/// job lacks; with that it trains.
#[test]
fn a_table_from_elsewhere_is_trained_on_as_the_messages_say() {
    let folder = job_folder();
    let at = folder.path();
    let kinds = ["low", "middle", "high"];
    let row = |row: usize| {
        let values: Vec<String> = (0..6).map(|column| (1000 * (row % 6) + 37 * column * row).to_string()).collect();
        format!("flower {row};{};{}\n", values.join(";"), kinds[row / 6])
    };
    let table: String = (0..17).map(row).collect();
    fs::write(at.join("rows.csv"), format!("name;a;b;c;d;e;f;kind\n{table}")).expect("written");
    let mut job = JOB.replace("label_column = 0\nscale = 0.00390625", "label_column = \"kind\"");
    for (message, keys) in [
        ("data.delimiter = \";\" would part this line", "delimiter = \";\""),
        ("column 0 (\"name\") is \"flower 0\", expected a number", "columns = { except = [\"name\"] }"),
        ("data.classes = [\"high\", \"low\", \"middle\"]", "classes = [\"low\", \"middle\", \"high\"]\nshuffle = 7"),
        ("column 1 (\"a\") is \"1000\", expected a number that lies in [-128, 128)", "standardise = true"),
    ] {
        fs::write(at.join("job.toml"), &job).expect("written");
        run(at, "provider train --job job.toml --out o").exits(2).says(message);
        job = job.replace("[training]", &format!("{keys}\n[training]"));
    }
    fs::write(at.join("job.toml"), &job).expect("written");
    let ran = run(at, "provider train --job job.toml --out o").exits(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn every_format_has_its_example() {
    let folder = job_folder();
    let help = run(folder.path(), "requester example --help").exits(0).stdout;
    for example in gradproof_training::job::example::Example::all() {
        let printed = run(folder.path(), &format!("requester example --format {}", example.name())).exits(0).stdout;
        assert_eq!(printed.trim_end(), example.text().trim_end());
        assert!(help.contains(example.name()) && help.contains(example.about()), "{help}");
    }
    run(folder.path(), "requester example --format parquet").exits(2).says("[possible values: digits, ");
}
