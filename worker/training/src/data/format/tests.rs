//! The registry: a format is one file, and what is said of formats elsewhere is said by all of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;
use crate::data::FilePlace;
use crate::data::table::{Label, Spot, TablePart, TakeRow};
use crate::data::transform;
use crate::job::Job;
use crate::job_file::Origin;

/// A format of one file: this is all that there is of it.
struct Ramp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    steps: Option<usize>,
}

impl Format for Ramp {
    fn name(&self) -> &'static str {
        "ramp"
    }

    fn about(&self) -> &'static str {
        "rows that rise"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["steps"]
    }

    fn example(&self) -> Parts {
        Parts { data: "format = \"ramp\"\nsteps = 8", ..Parts::TABLE }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        let Keys { steps } = section.read()?;
        let steps = steps.ok_or_else(|| section.presence("steps", false, "how many rows there are"))?;
        Ok(Sets { train: Box::new(move || Ok(Box::new(Rows(steps)))), test: None })
    }
}

struct Rows(usize);

impl LabelledRows for Rows {
    fn rows(&self) -> usize {
        self.0
    }

    fn columns(&self) -> usize {
        2
    }

    fn each_row(&self, columns: &[usize], take: &mut TakeRow<'_>) -> Result<(), DataError> {
        (0..self.0).try_for_each(|row| {
            let values: Vec<f64> = columns.iter().map(|&column| (row + 10 * column) as f64).collect();
            take(&values, Label::Integer(row as i128 % 3))
        })
    }

    fn spot(&self, part: TablePart) -> Spot {
        Spot { file: "ramp".into(), place: FilePlace::Byte(0), what: format!("{part:?}"), got: None }
    }
}

fn parse(data: &str) -> Result<Job, String> {
    let text = format!(
        "[network]\nlayers = [2, 4, 3]\n[data]\n{data}\n[training]\nbatch = 4\nepochs = 1\nsteps_per_segment = 2\n\
         [learning_rate]\nrate = 0.125\n[initial_weights]\nseed = 1\n"
    );
    let formats: Vec<&dyn Format> = FORMATS.iter().copied().chain([&Ramp as &dyn Format]).collect();
    Job::parse_with(Path::new("job.toml"), &text, &formats).map_err(|error| error.to_string())
}

#[test]
fn a_format_of_one_file_is_read_through_a_job() {
    let train = parse("format = \"ramp\"\nsteps = 8").unwrap().train;
    assert_eq!((train.rows, &train.inputs[..4], &train.labels[..4]), (8, &[0, 2560, 256, 2816][..], &[0, 1, 2, 0][..]));
    // Transformations and messages are those of all formats.
    let train = parse("format = \"ramp\"\nsteps = 8\ncolumns = [1, 0]\nscale = 0.5").unwrap().train;
    assert_eq!(train.inputs[..4], [1280, 0, 1408, 128]);
    let refused = |data: &str| parse(data).expect_err("refused");
    assert_eq!(
        refused("format = \"ramb\""),
        "job.toml:4: unknown name `ramb`, did you mean `ramp`? Known here: digits, idx, npy, npz, csv, ramp"
    );
    assert_eq!(refused("format = \"ramp\""), "job.toml:3: data.steps is missing, expected how many rows there are");
    assert!(
        refused("format = \"ramp\"\nstesp = 8").starts_with("job.toml:5: unknown name `stesp`, did you mean `steps`?")
    );
    assert!(refused("format = \"ramp\"\nsteps = \"8\"").starts_with("job.toml:5: invalid type: string \"8\""));
    let error = refused("format = \"ramp\"\nsteps = 8\nlabels = \"y\"");
    assert!(
        error.contains("data.labels is given, expected no such key: it is of format \"idx\", \"npy\", \"npz\" only")
    );
    assert!(
        refused("format = \"csv\"\nsteps = 8")
            .contains("data.steps is given, expected no such key: it is of format \"ramp\"")
    );
    assert!(refused("steps = 8").contains("missing field `format`"));
}

#[test]
fn names_differ_and_keys_are_those_that_are_read() {
    for (i, format) in FORMATS.iter().enumerate() {
        let mut known: Vec<&str> = format.keys().to_vec();
        assert!(FORMATS[..i].iter().all(|other| other.name() != format.name()));
        assert!(known.iter().all(|key| !transform::KEYS.contains(key) && *key != "format"), "{}", format.name());
        let text = "[data]\nzzz = 1\n";
        let section = Section::new(Origin { file: Path::new("job.toml"), text }, "data").unwrap();
        let mut read = match format.sets(&section).err().expect("an unknown key") {
            JobError::UnknownName { known, .. } => known,
            error => {
                assert!(error.to_string().contains("unknown field `zzz`, there are no fields"), "{error}");
                vec![]
            }
        };
        known.sort_unstable();
        read.sort_unstable();
        assert_eq!(known, read, "{}", format.name());
    }
}

#[test]
fn no_other_file_of_the_library_names_a_format() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let formats = source.join("data").join("format");
    let mut folders = vec![source.clone()];
    let mut files: Vec<PathBuf> = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path != formats && path != source.join("bin") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "in") && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in FORMATS.iter().map(|format| format.name()) {
            for mention in [format!("\"{name}\""), format!("\"{name}\\\""), format!("{name}::"), format!(".{name}\"")] {
                assert!(!text.contains(&mention), "{} has {mention}", file.display());
            }
        }
    }
}

/// `docs/data.md`, above the folder of this package.
fn page() -> String {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let pages = folders.map(|folder| folder.join("docs").join("data.md"));
    fs::read_to_string(pages.into_iter().find(|page| page.is_file()).expect("there is a page")).unwrap()
}

#[test]
fn the_page_has_every_format_and_key() {
    let page = page();
    let sections: Vec<&str> = page.split("\n## ").collect();
    for format in FORMATS {
        let heading = format!("`{}`", format.name());
        let section = sections.iter().find(|section| section.starts_with(&heading));
        let section = section.unwrap_or_else(|| panic!("no section is headed {heading}"));
        for key in format.keys() {
            assert!(section.contains(&format!("`{key}`")), "{key} is not in the section of {heading}");
        }
    }
    let transformations = sections.iter().find(|section| section.starts_with("Transformations")).expect("a section");
    for key in transform::KEYS {
        assert!(transformations.contains(&format!("`{key}")), "{key} is not among the transformations");
    }
    // Nothing is on the page that is not there: headings in code are formats.
    let headed = sections.iter().filter(|section| section.starts_with('`')).count();
    assert_eq!(headed, FORMATS.len());
}
