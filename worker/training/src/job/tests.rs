use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::example::Example;
use super::*;
use crate::data::DataSet;

/// A folder with a data set of 20 rows, 2 values a row and the labels 0, 1, 2.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let images: Vec<u8> = (0..40).collect();
    let labels: Vec<u8> = (0..20).map(|row| row % 3).collect();
    write("images", &[&[0, 0, 8, 2, 0, 0, 0, 20, 0, 0, 0, 2], &images[..]].concat());
    write("labels", &[&[0, 0, 8, 1, 0, 0, 0, 20], &labels[..]].concat());
    let row = |row: u8| format!("{},{},{}\n", labels[usize::from(row)], 2 * row, 2 * row + 1);
    write("table.csv", (0..20).map(row).collect::<String>().as_bytes());
    write("weights.safetensors", &[]);
    folder
}

const JOB: &str = r#"[network]
layers = [2, 8, 3]
[data]
format = "idx"
images = "images"
labels = "labels"
[training]
batch = 4
epochs = 3
steps_per_segment = 4
[learning_rate]
rate = 0.125
[initial_weights]
seed = 7
"#;

/// Parses [`JOB`] with each `(from, to)` replaced.
fn parse(changes: &[(&str, &str)]) -> Result<Job, String> {
    let folder = folder();
    let text = changes.iter().fold(JOB.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the job");
        text.replace(from, to)
    });
    Job::parse(&folder.path().join("job.toml"), &text)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// The error of [`JOB`] with `from` replaced by `to`.
fn refused(from: &str, to: &str) -> String {
    parse(&[(from, to)]).map(|job| job.steps).expect_err("the job is impossible")
}

#[test]
fn a_job_has_its_segments() {
    let job = parse(&[]).unwrap();
    assert_eq!((job.steps, job.segments()), (15, 6));
    let segment = |index| job.segment(index).unwrap();
    assert_eq!(segment(0), Segment { epoch: 0, position: 0, live: Live { steps: 4, last_rows: 4 }, rate: 8 });
    assert_eq!(segment(5), Segment { epoch: 2, position: 1, live: Live { steps: 1, last_rows: 4 }, rate: 8 });
    assert_eq!(job.segment(6), None);
    assert_eq!(job.segment(usize::MAX), None);
    assert_eq!(job.learning_rate(8), 0.125);
    assert_eq!(job.segment_rows(segment(5).position).unwrap().labels[..4], job.train.labels[16..20]);
    assert_eq!(job.architecture.precision().exponential_bits, 13);
    assert_eq!((job.initial_weights, job.columns, job.test), (InitialWeights::Seed(7), ColumnLength::Usual, None));
}

#[test]
fn steps_may_end_within_an_epoch_after_a_whole_segment() {
    let job = parse(&[("epochs = 3", "steps = 14")]).unwrap();
    assert_eq!((job.segments(), job.segment(4).unwrap().live), (5, Live { steps: 4, last_rows: 4 }));
    assert_eq!(job.segment(5), None);
    let live: usize = (0..5).map(|index| job.segment(index).unwrap().live.steps).sum();
    assert_eq!((live, job.steps_before(4), job.steps_before(5)), (14, 10, 14));
    let error = refused("epochs = 3", "steps = 12");
    assert_eq!(
        error,
        "job.toml:9: training.steps is 12, expected steps of whole segments, here 10 or 14; the nearest that works is 10"
    );
    assert!(refused("epochs = 3", "steps = 3").ends_with("here 4; the nearest that works is 4"));
    assert!(refused("epochs = 3", "steps = 13").ends_with("here 10 or 14; the nearest that works is 14"));
}

#[test]
fn a_last_batch_may_be_short() {
    let job = parse(&[("batch = 4", "batch = 8"), ("0.125", "0.25")]).unwrap();
    assert_eq!(job.segment(0).unwrap().live, Live { steps: 3, last_rows: 4 });
    assert_eq!((job.steps, job.segments()), (9, 3));
}

#[test]
fn schedule_by_segment_and_epoch() {
    let schedule = "schedule = [{ from_segment = 0, rate = 0.125 }, { from_segment = 1, rate = 0.0625 },
        { from_epoch = 2, rate = 0.015625 }]";
    let job = parse(&[("rate = 0.125", schedule)]).unwrap();
    let rates: Vec<u32> = (0..job.segments()).map(|index| job.segment(index).unwrap().rate).collect();
    assert_eq!(rates, [8, 4, 4, 4, 1, 1]);
}

#[test]
fn csv_is_the_same_data() {
    let csv = (
        "format = \"idx\"\nimages = \"images\"\nlabels = \"labels\"",
        "format = \"csv\"\nimages = \"table.csv\"\ntest_images = \"table.csv\"\nlabel_column = 0\nscale = 0.00390625",
    );
    let job = parse(&[csv]).unwrap();
    assert_eq!(Some(&job.train), job.test.as_ref());
    let of_bytes = parse(&[]).unwrap().train;
    assert_eq!(job.train, DataSet { bytes: false, ..of_bytes });
}

#[test]
fn the_demonstration_is_four_epochs_of_digits() {
    let job = Job::demo().unwrap();
    assert_eq!((job.steps, job.segments(), job.architecture.widths()), (128, 4, Some(vec![784, 128, 128, 10])));
    assert_eq!((job.rates, job.test.unwrap().rows), (vec![RateChange { from_segment: 0, rate: 1 }], 512));
}

#[test]
fn the_examples_are_complete_and_their_defaults_are_the_defaults() {
    let examples = Example::all();
    let idx = Example::of("idx").unwrap();
    let digits = |text: &str| {
        let paths: Vec<&str> = text.lines().filter(|line| line.contains("data/mnist/")).collect();
        assert_eq!(paths.len(), 4);
        let text = paths.iter().fold(text.to_owned(), |text, path| text.replace(path, ""));
        Job::parse(Path::new("job.toml"), &text.replace("\"idx\"", "\"digits\"").replace("epochs = 1", "epochs = 11"))
            .unwrap()
    };
    let text = idx.text();
    let job = digits(&text);
    let (required, _) = text.split_once("[arithmetic]").unwrap();
    assert_eq!(job, digits(required));
    assert_eq!(job.rates.iter().map(|change| change.rate).collect::<Vec<_>>(), [2, 1]);
    // Every key that exists stands in one of them.
    let all: String = examples.iter().map(|example| example.text()).collect();
    for section in ["network", "data", "training", "learning_rate", "initial_weights", "arithmetic", "proof"] {
        let text = text.replace(&format!("[{section}]\n"), &format!("[{section}]\nzzz = 1\n"));
        let Err(JobError::UnknownName { known, .. }) = Job::parse(Path::new("job.toml"), &text) else {
            panic!("an unknown key in [{section}] was not refused");
        };
        for key in known {
            assert!(all.contains(&format!("{key} =")), "{key} is not in the examples");
        }
    }
    assert!(!all.contains('{') || !all.contains("{data}"), "every place is filled");
}

#[test]
fn the_examples_of_tables_and_arrays_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let row = |row: u16| format!("{},{},{},{},{}\n", row % 5, row % 7, row % 3, row % 11, row % 3);
    let table: String = (0..160).map(row).collect();
    write("train.csv", format!("a,b,c,d,class\n{table}").as_bytes());
    write("test.csv", format!("a,b,c,d,class\n{table}").as_bytes());
    let npy = |descr: &str, shape: &str, items: Vec<u8>| {
        let header =
            format!("{:<117}\n", format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"));
        [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), &items].concat()
    };
    let inputs = (0..640u32).flat_map(|i| ((i * i % 19) as f32).to_le_bytes()).collect::<Vec<u8>>();
    let labels = (0..160u32).map(|i| (i % 3) as u8).collect::<Vec<u8>>();
    for set in ["train", "test"] {
        write(&format!("x_{set}.npy"), &npy("<f4", "(160, 4)", inputs.clone()));
        write(&format!("y_{set}.npy"), &npy("|u1", "(160,)", labels.clone()));
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for name in ["x_train", "y_train", "x_test", "y_test"] {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        let array = fs::read(folder.path().join(format!("{name}.npy"))).unwrap();
        std::io::Write::write_all(&mut archive, &array).unwrap();
    }
    write("data.npz", archive.finish().unwrap().get_ref());
    for name in ["csv", "npy", "npz", "digits"] {
        let example = Example::of(name).unwrap();
        let job = Job::parse(&folder.path().join("job.toml"), &example.text()).unwrap();
        assert!(job.test.is_some() && job.notes.is_empty(), "{name}");
        // What the comments say of steps and rate is possible.
        let text = example.text();
        let steps = text.lines().find_map(|line| line.strip_prefix("# steps = ")).unwrap();
        assert_eq!(job.steps, steps.parse::<usize>().unwrap(), "{name}");
    }
}

#[test]
fn a_rate_is_exact_or_rounded_on_request() {
    let at_100 =
        |rate: &str| parse(&[("batch = 4", "batch = 10"), ("segment = 4", "segment = 2"), ("rate = 0.125", rate)]);
    let error = at_100("rate = 0.01").expect_err("no multiple");
    assert!(error.contains("batch / 2^rate_bits = 10 / 2^8 = 0.0390625; with arithmetic.rate_bits = "), "{error}");
    assert!(error.contains("and learning_rate.round = true it is taken as 0.0"), "{error}");
    // What the message offers does.
    let bits: u32 = error.split("arithmetic.rate_bits = ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let job = at_100(&format!("rate = 0.01\nround = true\n[arithmetic]\nrate_bits = {bits}")).expect("rounded");
    assert!(
        job.notes[0].contains("learning_rate.rate = 0.01 is taken as 0.0") && job.notes[0].contains("% off"),
        "{:?}",
        job.notes
    );
    assert!((job.learning_rate(job.rates[0].rate) / 0.01 - 1.0).abs() <= 0.01);
    // Four times as large is not rounding.
    let error = at_100("rate = 0.01\nround = true").expect_err("too far");
    assert!(error.contains("at most 10 % off; with arithmetic.rate_bits = "), "{error}");
    // One that is exact with more bits is told so.
    let error = refused("0.125", "0.0078125");
    assert!(error.contains("; with arithmetic.rate_bits = 9 it is one"), "{error}");
    assert!(parse(&[("rate = 0.125", "rate = 0.125\nround = true")]).expect("exact").notes.is_empty());
}

#[test]
fn data_that_lose_their_meaning_are_refused_or_noted() {
    let folder = tempfile::tempdir().unwrap();
    let job = |table: &str, more: &str| {
        fs::write(folder.path().join("t.csv"), table).unwrap();
        let text = JOB
            .replace(
                "format = \"idx\"\nimages = \"images\"\nlabels = \"labels\"",
                &format!("format = \"csv\"\nimages = \"t.csv\"\nlabel_column = 0\n{more}"),
            )
            .replace("batch = 4", "batch = 2")
            .replace("epochs = 3", "epochs = 1")
            .replace("steps_per_segment = 4", "steps_per_segment = 2");
        Job::parse(&folder.path().join("job.toml"), &text).map_err(|error| error.to_string())
    };
    let rows = |f: &dyn Fn(u32) -> (f64, f64)| -> String {
        (0..8)
            .map(|row| {
                let (a, b) = f(row);
                format!("{},{a},{b}\n", row % 3)
            })
            .collect()
    };
    let zero = job(&rows(&|row| (1e-4 * f64::from(row), 1e-5)), "").expect_err("all become zero");
    assert!(zero.contains("data.scale is too small: every value of the training set becomes zero"), "{zero}");
    let flat = job(&rows(&|row| (1.0 + 1e-4 * f64::from(row), 2.0 + 1e-4 * f64::from(row))), "")
        .expect_err("all become the same");
    assert!(flat.contains("becomes the same in every row"), "{flat}");
    let one = job(&rows(&|row| (f64::from(row), 1e-4 * f64::from(row))), "").expect("one column is left");
    assert!(one.notes[0].contains("1 of 2 columns of the training set, column 2 (0 to 0.0007"), "{:?}", one.notes);
    assert!(
        one.notes[1].contains("50 % of the values of the training set that are not zero become zero"),
        "{:?}",
        one.notes
    );
    assert!(job(&rows(&|row| (f64::from(row), 0.01 * f64::from(row))), "").expect("nothing is lost").notes.is_empty());
    // Data that are the same in the file lose nothing.
    assert!(job(&rows(&|_| (1.0, 0.0)), "").expect("constant").notes.is_empty());
}

#[test]
fn tables_that_belong_together_have_their_columns_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, header: &str| {
        let rows: String = (0..20).map(|row| format!("{},{},{}\n", row, 2 * row % 7, row % 3)).collect();
        fs::write(folder.path().join(name), format!("{header}\n{rows}")).unwrap();
    };
    let data = "format = \"csv\"\nimages = \"a.csv\"\ntest_images = \"b.csv\"\nlabel_column = \"class\"";
    let text = JOB.replace("format = \"idx\"\nimages = \"images\"\nlabels = \"labels\"", data);
    let job = || Job::parse(&folder.path().join("job.toml"), &text).map_err(|error| error.to_string());
    write("a.csv", "x,y,class");
    write("b.csv", "x, y ,class");
    assert!(job().is_ok());
    write("b.csv", "y,x,class");
    let error = job().expect_err("another order");
    assert!(
        error.contains("b.csv, line 1: the header is [\"y\", \"x\"], expected the columns of the training set"),
        "{error}"
    );
    // Labels from one: that there is a class more is not the advice.
    let error = refused("layers = [2, 8, 3]", "layers = [2, 8, 2]");
    assert!(!error.contains("count from 0"), "{error}");
    let ones: Vec<u8> = (0..20).map(|row| 1 + row % 3).collect();
    let from_one = self::folder();
    fs::write(from_one.path().join("labels"), [&[0, 0, 8, 1, 0, 0, 0, 20], &ones[..]].concat()).unwrap();
    let error = Job::parse(&from_one.path().join("job.toml"), JOB).expect_err("three classes").to_string();
    assert!(
        error.contains(
            "row 2 of the training set has the label 3; labels count from 0, and none is 0: with data.first_label = 1"
        ),
        "{error}"
    );
    // What stands at that place in the file is another row, and its label another number.
    let error = refused("format = \"idx\"", "format = \"idx\"\nclasses = [7, 8, 9, 0, 1, 2]\nshuffle = 1");
    assert!(error.contains(" of the training set, as it is shuffled, has the class 5"), "{error}");
    assert!(!error.contains("first_label"), "{error}");
}

#[test]
fn unknown_names_get_the_nearest_known_one() {
    assert_eq!(
        refused("batch = 4", "bacth = 4"),
        "job.toml:8: unknown name `bacth`, did you mean `batch`? Known here: batch, steps, epochs, steps_per_segment"
    );
    assert!(
        refused("[training]", "[trainings]").contains("job.toml:7: unknown name `trainings`, did you mean `training`?")
    );
    assert!(refused("\"idx\"", "\"idk\"").contains("job.toml:4: unknown name `idk`, did you mean `idx`?"));
    assert!(refused("layers", "layer").contains("did you mean `layers`?"));
    let schedule = "schedule = [{ from_epochs = 0, rate = 0.125 }]";
    assert!(refused("rate = 0.125", schedule).contains("did you mean `from_epoch`?"));
}

#[test]
fn syntax_missing_keys_and_types_are_named_with_their_line() {
    assert!(refused("batch = 4", "batch = ").starts_with("job.toml:8: "));
    assert_eq!(refused("batch = 4\n", ""), "job.toml:7: missing field `batch`");
    assert!(refused("seed = 7", "seed = -7").starts_with("job.toml:14: invalid value: integer `-7`"));
    assert!(refused("batch = 4", "batch = \"4\"").starts_with("job.toml:8: invalid type: string \"4\""));
    let error = Job::load(Path::new("nowhere/job.toml")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read nowhere/job.toml: "));
    let folder = folder();
    let path = folder.path().join("job.toml");
    fs::write(&path, JOB).unwrap();
    assert_eq!(Job::load(&path).unwrap(), Job::parse(&path, JOB).unwrap());
    fs::write(&path, format!("{JOB}{}", "#".repeat(1 << 20))).unwrap();
    assert!(Job::load(&path).unwrap_err().to_string().ends_with("a job file has at most 1048576 bytes"));
}

#[test]
fn impossible_shapes_are_refused() {
    assert_eq!(
        refused("[2, 8, 3]", "[]"),
        "job.toml:2: network.layers is [], expected the input's width, then the width of each of 1 to 16 layers"
    );
    assert!(refused("[2, 8, 3]", "[2]").contains("network.layers is [2], expected the input's width"));
    let zero = "job.toml:2: network.layers[1] is 0, expected 1 to 16384; the nearest that works is 1";
    assert_eq!(refused("[2, 8, 3]", "[2, 0, 3]"), zero);
    assert_eq!(
        refused("[2, 8, 3]", "[3, 8, 3]"),
        "job.toml:2: network.layers[0] is 3, expected 2, the values of a row of the training set; the nearest that works is 2"
    );
    assert_eq!(
        refused("[2, 8, 3]", "[2, 8, 2]"),
        "job.toml:2: network.layers[2] is 2, expected at least 3: row 2 of the training set has the label 2; the nearest that works is 3"
    );
    for (bits, key) in
        [("activation_bits", "15"), ("gradient_bits", "15"), ("rate_bits", "21"), ("exponential_bits", "14")]
    {
        let error = refused("[training]", &format!("[arithmetic]\n{bits} = {key}\n[training]"));
        assert!(error.starts_with(&format!("job.toml:8: arithmetic.{bits} is {key}, expected ")), "{error}");
    }
    let error = refused("[training]", "[proof]\ncolumn_bits = 3\n[training]");
    assert_eq!(error, "job.toml:8: proof.column_bits is 3, expected 4 to 21; the nearest that works is 4");
    let error = refused("[training]", "[proof]\nprofile = \"chain\"\ncolumn_bits = 12\n[training]");
    let expected = "no length where proof.profile is given, which chooses one";
    assert_eq!(error, format!("job.toml:9: proof.column_bits is 12, expected {expected}"));
}

#[test]
fn impossible_lengths_are_refused() {
    assert_eq!(
        refused("batch = 4", "batch = 21"),
        "job.toml:8: training.batch is 21, expected at most the 20 rows of the training set; the nearest that works is 20"
    );
    assert!(
        refused("batch = 4", "batch = 0")
            .contains("training.batch is 0, expected 1 to 4096; the nearest that works is 1")
    );
    let error = refused("steps_per_segment = 4", "steps_per_segment = 6");
    assert_eq!(
        error,
        "job.toml:10: training.steps_per_segment is 6, expected a power of two; the nearest that works is 8"
    );
    let error = refused("steps_per_segment = 4", "steps_per_segment = 16");
    assert!(error.contains("training.steps_per_segment is 16, expected at most 8") && error.ends_with("works is 8"));
    assert!(refused("epochs = 3", "epochs = 0").contains("training.epochs is 0, expected 1 to 2048"));
    assert!(refused("epochs = 3", "epochs = 2049").ends_with("the nearest that works is 2048"));
    assert!(refused("epochs = 3", "steps = 10241").contains("training.steps is 10241, expected 1 to 10240"));
    assert!(refused("epochs = 3", &format!("epochs = {}", i64::MAX)).ends_with("the nearest that works is 2048"));
    assert!(refused("epochs = 3", "epochs = 3\nsteps = 3").contains("training.steps is given, expected either"));
    assert!(refused("epochs = 3\n", "").contains("training.steps is missing, expected either `steps` or `epochs`"));
    parse(&[("epochs = 3", "steps = 10240")]).unwrap();
}

#[test]
fn impossible_learning_rates_are_refused() {
    assert_eq!(
        refused("0.125", "0.1"),
        "job.toml:12: learning_rate.rate is 0.1, expected a multiple, 1 to 65536, of batch / 2^rate_bits = 4 / 2^8 = \
         0.015625; with arithmetic.rate_bits = 11 and learning_rate.round = true it is taken as 0.099609375; the nearest that \
         works is 0.09375"
    );
    for (value, nearest) in [("0.0", "0.015625"), ("-1.0", "0.015625"), ("1e9", "1024"), ("inf", "1024")] {
        assert!(refused("0.125", value).ends_with(&format!("the nearest that works is {nearest}")), "{value}");
    }
    assert!(refused("0.125", "nan").contains("is NaN, expected a multiple"));
    assert!(
        refused("rate = 0.125\n", "").contains("learning_rate.rate is missing, expected either `rate` or `schedule`")
    );
    let schedule = |entries: &str| refused("rate = 0.125", &format!("schedule = [{entries}]"));
    assert!(schedule("").contains("learning_rate.schedule is [], expected at least one entry"));
    let first = "{ from_segment = 0, rate = 0.125 }";
    assert!(schedule("{ from_segment = 1, rate = 0.125 }").contains("[0].from_segment is 1, expected 0, the start"));
    let error = schedule(&format!("{first},\n{{ from_segment = 0, rate = 0.125 }}"));
    assert_eq!(
        error,
        "job.toml:13: learning_rate.schedule[1].from_segment is 0, expected 1 to 5, as entries ascend and begin within the job; \
         the nearest that works is 1"
    );
    assert!(
        schedule(&format!("{first}, {{ from_epoch = 3, rate = 0.125 }}"))
            .ends_with("expected 1 to 2, as entries ascend and begin within the job; the nearest that works is 2")
    );
    assert!(schedule(&format!("{first}, {{ from_segment = 1, rate = 0.1 }}")).contains("schedule[1].rate is 0.1"));
    assert!(schedule("{ rate = 0.125 }").contains("schedule[0].from_segment is missing"));
    assert!(schedule("{ from_segment = 0, from_epoch = 0, rate = 0.125 }").contains("from_segment is given"));
}

#[test]
fn paths_are_checked_before_anything_is_read() {
    assert_eq!(
        refused("\"images\"", "\"image\""),
        "job.toml:5: data.images: there is no file image; the nearest in that folder is images"
    );
    let error = refused("\"images\"", "\"data/mnist/train-images-idx3-ubyte\"");
    assert!(error.ends_with("`cargo xtask fetch-data` makes data/mnist/"), "{error}");
    assert!(refused("\"images\"", "\"there/x\"").contains("nor is there a folder there"));
    assert!(refused("labels = \"labels\"\n", "").contains("data.labels is missing, expected the path of a file"));
    assert!(refused("[training]", "test_labels = \"labels\"\n[training]").contains("data.test_images is missing"));
    assert!(
        refused("seed = 7", "file = \"weight.safetensors\"")
            .contains("the nearest in that folder is weights.safetensors")
    );
    assert!(
        refused("seed = 7", "").contains("initial_weights.seed is missing, expected one of `seed`, `file`, `parent`")
    );
    let job = parse(&[("seed = 7", "file = \"weights.safetensors\"")]).unwrap();
    assert!(matches!(job.initial_weights, InitialWeights::File(path) if path.ends_with("weights.safetensors")));
}

#[test]
fn keys_of_another_format_are_refused() {
    let digits = refused("\"idx\"", "\"digits\"");
    assert!(digits.contains("data.images is given, expected no path: the digits are built in"), "{digits}");
    assert!(refused("[training]", "header = true\n[training]").contains("data.header is given, expected no such key"));
    assert!(refused("[training]", "label_column = 0\n[training]").contains("data.label_column is given"));
    let error = parse(&[("\"idx\"", "\"csv\""), ("labels = \"labels\"\n", "")]).expect_err("no label column");
    assert!(error.contains("data.label_column is missing, expected the name or the index"), "{error}");
    let csv = |more: &str| refused("format = \"idx\"", &format!("format = \"csv\"\n{more}"));
    assert!(csv("label_column = 0").contains("data.labels is given, expected no path"));
    let csv = |more: &str| {
        let format = format!("format = \"csv\"\n{more}");
        parse(&[("format = \"idx\"", &format), ("labels = \"labels\"\n", "")])
            .map(|job| job.steps)
            .expect_err("refused")
    };
    assert!(csv("label_column = \"class\"\nheader = false").contains("data.header is false, expected true"));
    assert!(csv("label_column = 0.5").contains("label_column must be a name in the header, or an index from 0"));
    assert!(refused("[training]", "scale = 0.0\n[training]").contains("data.scale is 0, expected a finite number"));
}

#[test]
fn defects_of_the_data_are_passed_on() {
    let error = refused("labels = \"labels\"", "labels = \"images\"");
    assert_eq!(error, "images, byte 3: the rank of the labels is 2, expected 1");
    let error = refused("images = \"images\"", "images = \"labels\"");
    assert!(error.contains("network.layers[0] is 2, expected 1, the values of a row"), "{error}");
}

proptest! {
    #[test]
    fn no_number_makes_it_panic(key in 0usize..9, value in prop_oneof![
        -3i64..70, any::<i64>(), Just(i64::MAX), (0u32..63).prop_map(|bits| 1 << bits)
    ]) {
        let lines = [
            ("[2, 8, 3]", "[2, 8, N]"), ("[2, 8, 3]", "[2, N, 3]"), ("batch = 4", "batch = N"), ("epochs = 3", "epochs = N"),
            ("epochs = 3", "steps = N"), ("steps_per_segment = 4", "steps_per_segment = N"), ("0.125", "N.0"),
            ("rate = 0.125", "schedule = [{ from_segment = 0, rate = 0.125 }, { from_epoch = N, rate = 0.125 }]"),
            ("seed = 7", "seed = 7\n[arithmetic]\nrate_bits = N"),
        ];
        let (from, to) = lines[key];
        if let Ok(job) = parse(&[(from, &to.replace('N', &value.to_string()))]) {
            let live: usize = (0..job.segments()).map(|index| job.segment(index).unwrap().live.steps).sum();
            prop_assert_eq!(live, job.steps);
            prop_assert_eq!(job.segment(job.segments()), None);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}=\", .a-z0-9\n]{0,200}", at in 0..JOB.len()) {
        let mutated = format!("{}{text}{}", &JOB[..at], &JOB[at..]);
        for text in [text, mutated] {
            let _ = Job::parse(Path::new("nowhere/job.toml"), &text);
        }
    }
}

#[test]
fn a_job_on_a_licensed_set_is_that_on_its_rows_without_them() {
    let folder = folder();
    let path = folder.path().join("job.toml");
    let licensed = JOB.replace("format = \"idx\"\nimages = \"images\"\nlabels = \"labels\"", "format = \"licensed\"");
    let load = |text: &str, rows, width| {
        fs::write(&path, text).unwrap();
        Job::load_licensed(&path, rows, width).map_err(|error| error.to_string())
    };
    let (own, job) = (Job::parse(&path, JOB).unwrap(), load(&licensed, 20, 2).unwrap());
    assert_eq!((job.architecture.clone(), job.steps, &job.rates), (own.architecture.clone(), own.steps, &own.rates));
    assert_eq!((job.epoch(), job.train.rows, job.train.inputs.len()), (own.epoch(), 20, 0));
    assert!(job.segment_rows(0).is_err(), "nobody trains on rows that are not here");
    assert!(load(&licensed, 20, 3).unwrap_err().contains("network.layers[0]"));
    assert!(load(&licensed, 3, 2).unwrap_err().contains("training.batch"));
    assert!(load(JOB, 20, 2).unwrap_err().contains("`idx`"));
    assert!(
        load(&licensed.replace("\"licensed\"", "\"licensed\"\nimages = \"images\""), 20, 2)
            .unwrap_err()
            .contains("data.images")
    );
    assert!(Job::parse(&path, &licensed).unwrap_err().to_string().contains("`licensed`"));
}
