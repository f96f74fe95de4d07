//! From the keys of a job file to a job: each function checks one part and refuses what cannot work.

use gradproof_circuits::architecture::{Architecture, ArchitectureError, MAX_RATE_BITS};
use gradproof_circuits::network::epoch::Epoch;
use gradproof_circuits::network::precision::Precision;

use super::schema::{JobFile, Parents};
use super::{COLUMN_BITS, ColumnLength, InitialWeights, MAX_RATE, MAX_SEGMENTS, RateChange, rate_unit};
use crate::data::format::Format;
use crate::data::read::read;
use crate::data::{DataSet, Losses};
use crate::job_file::Section;
use crate::job_file::{JobError, Origin};

/// The word in `data.format` for a registered set, whose rows only its owner and assigned providers have.
const LICENSED: &str = "licensed";

/// Shape and precision of the network.
pub(super) fn architecture(origin: &Origin, job: &JobFile) -> Result<Architecture, JobError> {
    let layers = &job.network.layers;
    let classes = layers.last().copied().unwrap_or(1);
    let (bits, usual) = (&job.arithmetic, Precision::of_classes(classes));
    let precision = Precision {
        activation_bits: bits.activation_bits.unwrap_or(usual.activation_bits),
        gradient_bits: bits.gradient_bits.unwrap_or(usual.gradient_bits),
        rate_bits: bits.rate_bits.unwrap_or(usual.rate_bits),
        exponential_bits: bits.exponential_bits.unwrap_or(usual.exponential_bits),
    };
    let (batch, steps) = (job.training.batch, job.training.steps_per_segment);
    let key = |name| match name {
        "batch" => "training.batch".to_owned(),
        "steps per segment" => "training.steps_per_segment".to_owned(),
        "number of layers" | "width of a layer" => "network.layers".to_owned(),
        bits => format!("arithmetic.{bits}"),
    };
    Architecture::perceptron(layers, batch, steps, precision).map_err(|error| match error {
        ArchitectureError::OutOfRange { name: "number of layers", most, .. } => {
            let expected = format!("the input's width, then the width of each of 1 to {most} layers");
            origin.value("network.layers", format!("{layers:?}"), expected, None)
        }
        ArchitectureError::OutOfRange { name, got, least, most } => {
            let nearest = Some(got.clamp(least, most).to_string());
            match name {
                "width of a layer" => {
                    let key = layers.iter().position(|&width| width == got).unwrap_or_default();
                    origin.value(&format!("network.layers[{key}]"), got, format!("{least} to {most}"), nearest)
                }
                _ => origin.value(&key(name), got, format!("{least} to {most}"), nearest),
            }
        }
        ArchitectureError::NotPowerOfTwo { name, got, nearest } => {
            origin.value(&key(name), got, "a power of two", Some(nearest.to_string()))
        }
        // The enumeration may grow; its words serve until this does.
        error => origin.value("network", error, "another shape", None),
    })
}

/// Where the first weights come from.
pub(super) fn initial_weights(origin: &Origin, job: &JobFile) -> Result<InitialWeights, JobError> {
    let given = &job.initial_weights;
    match (given.seed, &given.file, &given.parent) {
        (Some(seed), None, None) => Ok(InitialWeights::Seed(seed)),
        (None, Some(path), None) => Ok(InitialWeights::File(origin.file("initial_weights.file", path)?)),
        (None, None, Some(parents)) => {
            let folders = match parents {
                Parents::One(folder) => std::slice::from_ref(folder),
                Parents::Many(folders) => folders,
            };
            if folders.is_empty() {
                return Err(origin.value("initial_weights.parent", "[]", "at least one folder", None));
            }
            let folders = folders.iter().map(|folder| origin.folder("initial_weights.parent", folder));
            Ok(InitialWeights::Parent(folders.collect::<Result<_, _>>()?))
        }
        (seed, ..) => Err(origin.presence("initial_weights.seed", seed.is_some(), "one of `seed`, `file`, `parent`")),
    }
}

/// Length of a column.
pub(super) fn columns(origin: &Origin, job: &JobFile) -> Result<ColumnLength, JobError> {
    let (least, most) = (*COLUMN_BITS.start(), *COLUMN_BITS.end());
    match (job.proof.column_bits, job.proof.profile) {
        (Some(bits), Some(_)) => Err(origin.value(
            "proof.column_bits",
            bits,
            "no length where proof.profile is given, which chooses one",
            None,
        )),
        (Some(bits), None) if !COLUMN_BITS.contains(&bits) => {
            let nearest = Some(bits.clamp(least, most).to_string());
            Err(origin.value("proof.column_bits", bits, format!("{least} to {most}"), nearest))
        }
        (Some(bits), None) => Ok(ColumnLength::Bits(bits)),
        (None, Some(profile)) => Ok(ColumnLength::For(profile)),
        (None, None) => Ok(ColumnLength::Usual),
    }
}

/// The training and test set, checked against the network.
pub(super) fn data(
    origin: &Origin,
    formats: &[&dyn Format],
    architecture: &Architecture,
    notes: &mut Vec<String>,
) -> Result<(DataSet, Option<DataSet>), JobError> {
    let section = Section::new(*origin, "data")?;
    let (train, test) = read(section, formats, architecture.precision().activation_bits)?;
    check_fit(origin, architecture, &train, "training")?;
    check_losses(origin, &train, "training", notes)?;
    if let Some(test) = &test {
        check_fit(origin, architecture, test, "test")?;
        check_losses(origin, test, "test", notes)?;
    }
    check_batch(origin, architecture, &train)?;
    Ok((train, test))
}

/// A registered set of so many rows with so many values each, which are not here: its place in a job.
pub(super) fn licensed(
    origin: &Origin,
    architecture: &Architecture,
    rows: usize,
    width: usize,
) -> Result<(DataSet, Option<DataSet>), JobError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Choice {
        format: String,
    }
    let mut section = Section::new(*origin, "data")?;
    let Choice { format } = section.take(&["format"]).read()?;
    if format != LICENSED {
        return Err(section.unknown("format", &format, &[LICENSED]));
    }
    if let Some(key) = section.keys().next() {
        return Err(section.presence(key, true, "no other key: the rows are as their owner committed to them"));
    }
    let train = DataSet { rows, width, classes: architecture.classes(), ..DataSet::default() };
    check_fit(origin, architecture, &train, "training")?;
    check_batch(origin, architecture, &train)?;
    Ok((train, None))
}

/// Refuses steps that are longer than the training set.
fn check_batch(origin: &Origin, architecture: &Architecture, train: &DataSet) -> Result<(), JobError> {
    if architecture.batch() > train.rows {
        let expected = format!("at most the {} rows of the training set", train.rows);
        return Err(origin.value("training.batch", architecture.batch(), expected, Some(train.rows.to_string())));
    }
    Ok(())
}

/// Checks that the network takes the inputs and knows the classes of a data set.
fn check_fit(origin: &Origin, architecture: &Architecture, set: &DataSet, which: &str) -> Result<(), JobError> {
    let (inputs, classes) = (architecture.inputs(), architecture.classes());
    if inputs != set.width {
        let expected = format!("{}, the values of a row of the {which} set", set.width);
        return Err(origin.value("network.layers[0]", inputs, expected, Some(set.width.to_string())));
    }
    let last = format!("network.layers[{}]", architecture.layers().len());
    if classes < set.classes {
        let from_one = if set.renamed || set.labels.contains(&0) {
            ""
        } else {
            "; labels count from 0, and none is 0: with data.first_label = 1 they count from 1"
        };
        let Some(row) = set.labels.iter().position(|&label| usize::from(label) + 1 == set.classes) else {
            let expected = format!("{}: data.classes lists as many", set.classes);
            let nearest = Some(set.classes.to_string());
            return Err(origin.value(&last, classes, expected, nearest));
        };
        let expected = format!(
            "at least {}: row {row} of the {which} set{} has the {} {}{from_one}",
            set.classes,
            if set.shuffled { ", as it is shuffled," } else { "" },
            if set.renamed { "class" } else { "label" },
            set.classes - 1
        );
        let nearest = Some(set.classes.to_string());
        return Err(origin.value(&last, classes, expected, nearest));
    }
    Ok(())
}

/// Refuses data that lose their meaning in fixed point, and notes those that lose some of it.
fn check_losses(origin: &Origin, set: &DataSet, which: &str, notes: &mut Vec<String>) -> Result<(), JobError> {
    let Losses { nonzero, zeroed, flat, examples } = &set.losses;
    let hint = "input = round(value * data.scale * 2^arithmetic.activation_bits)";
    if (*nonzero > 0 && zeroed == nonzero) || (*flat > 0 && *flat == set.width) {
        let got = if zeroed == nonzero { "zero" } else { "the same in every row" };
        let expected = format!("values that stay apart: {hint}; choose a larger data.scale");
        return Err(origin.value(
            "data.scale",
            format!("too small: every value of the {which} set becomes {got}"),
            expected,
            None,
        ));
    }
    if *flat > 0 {
        notes.push(format!(
            "{flat} of {} columns of the {which} set, {examples}, become the same in every row: {hint}; choose another data.scale",
            set.width
        ));
    }
    let share = *zeroed as f64 / (*nonzero).max(1) as f64;
    if share > 0.01 {
        notes.push(format!(
            "{:.0} % of the values of the {which} set that are not zero become zero: {hint}; choose a larger data.scale",
            100.0 * share
        ));
    }
    Ok(())
}

/// Steps of the job.
pub(super) fn steps(
    origin: &Origin,
    job: &JobFile,
    architecture: &Architecture,
    epoch: &Epoch,
) -> Result<usize, JobError> {
    let training = &job.training;
    let (key, got, unit) = match (training.steps, training.epochs) {
        (Some(steps), None) => ("training.steps", steps, 1),
        (None, Some(epochs)) => ("training.epochs", epochs, epoch.steps()),
        (steps, _) => return Err(origin.presence("training.steps", steps.is_some(), "either `steps` or `epochs`")),
    };
    let most = epoch.steps_of(MAX_SEGMENTS) / unit;
    if got == 0 || got > most {
        let expected = format!("1 to {most}: a job has at most {MAX_SEGMENTS} segments; see steps_per_segment");
        return Err(origin.value(key, got, expected, Some(got.clamp(1, most.max(1)).to_string())));
    }
    let steps = got * unit;
    // A segment ends with its epoch.
    let useful = epoch.steps().next_power_of_two();
    if architecture.steps() > useful {
        let expected = format!("at most {useful}: an epoch, and so a segment, has {} steps", epoch.steps());
        let nearest = Some(useful.to_string());
        return Err(origin.value("training.steps_per_segment", architecture.steps(), expected, nearest));
    }
    if epoch.segments_of(steps).is_none() {
        // Registered data are always trained whole.
        let (lower, upper) = (epoch.segments_within(steps), epoch.segments_within(steps) + 1);
        let [lower, upper] = [lower, upper].map(|segments| epoch.steps_of(segments));
        let ends = if lower == 0 { upper.to_string() } else { format!("{lower} or {upper}") };
        let nearest = if lower > 0 && steps - lower <= upper - steps { lower } else { upper };
        let expected = format!("steps of whole segments, here {ends}");
        return Err(origin.value(key, got, expected, Some(nearest.to_string())));
    }
    Ok(steps)
}

/// The learning rates of the job.
pub(super) fn rates(
    origin: &Origin,
    job: &JobFile,
    architecture: &Architecture,
    epoch: &Epoch,
    segments: usize,
    notes: &mut Vec<String>,
) -> Result<Vec<RateChange>, JobError> {
    let mut rate = |key: &str, value: f64| rate(origin, architecture, key, value, job.learning_rate.round, notes);
    match (job.learning_rate.rate, &job.learning_rate.schedule) {
        (Some(value), None) => Ok(vec![RateChange { from_segment: 0, rate: rate("learning_rate.rate", value)? }]),
        (None, Some(schedule)) => {
            let mut changes: Vec<RateChange> = Vec::new();
            for (i, change) in schedule.iter().enumerate() {
                let entry = format!("learning_rate.schedule[{i}]");
                let (key, got, unit) = match (change.from_segment, change.from_epoch) {
                    (Some(segment), None) => ("from_segment", segment, 1),
                    (None, Some(number)) => ("from_epoch", number, epoch.segments()),
                    (segment, _) => {
                        let key = format!("{entry}.from_segment");
                        return Err(origin.presence(&key, segment.is_some(), "either `from_segment` or `from_epoch`"));
                    }
                };
                let least = changes.last().map_or(0, |before| before.from_segment / unit + 1);
                let most = if i == 0 { 0 } else { (segments - 1) / unit };
                if !(least..=most).contains(&got) {
                    let (expected, nearest) = match i {
                        0 => ("0, the start of the job".to_owned(), Some("0".into())),
                        _ if least > most => ("no further entry: the job ends before".to_owned(), None),
                        _ => (
                            format!("{least} to {most}, as entries ascend and begin within the job"),
                            Some(got.clamp(least, most).to_string()),
                        ),
                    };
                    return Err(origin.value(&format!("{entry}.{key}"), got, expected, nearest));
                }
                let rate = rate(&format!("{entry}.rate"), change.rate)?;
                changes.push(RateChange { from_segment: got * unit, rate });
            }
            if changes.is_empty() {
                return Err(origin.value("learning_rate.schedule", "[]", "at least one entry", None));
            }
            Ok(changes)
        }
        (rate, _) => Err(origin.presence("learning_rate.rate", rate.is_some(), "either `rate` or `schedule`")),
    }
}

/// How far a rounded learning rate may be from the one that was asked for.
const ROUNDED_WITHIN: f64 = 0.1;

/// `c` of a learning rate, which must be `c · batch · 2^-k` exactly, unless it may be rounded to that.
fn rate(
    origin: &Origin,
    architecture: &Architecture,
    key: &str,
    value: f64,
    round: bool,
    notes: &mut Vec<String>,
) -> Result<u32, JobError> {
    let unit = rate_unit(architecture);
    let nearest = (value / unit).round().clamp(1.0, f64::from(MAX_RATE));
    // `unit` and every multiple of it below 2^53 are exact in a double, so that this comparison is.
    if nearest * unit == value {
        return Ok(nearest as u32);
    }
    let (batch, bits) = (architecture.batch(), architecture.precision().rate_bits);
    let off = |taken: f64| (taken / value - 1.0).abs();
    if round && off(nearest * unit) <= ROUNDED_WITHIN {
        notes.push(format!(
            "{key} = {value} is taken as {} = {nearest} * {batch} / 2^{bits}, {:.1} % off",
            nearest * unit,
            100.0 * off(nearest * unit)
        ));
        return Ok(nearest as u32);
    }
    let serves = bits_that_serve(architecture, value);
    let more = match serves {
        Some((bits, taken)) if taken == value => format!("; with arithmetic.rate_bits = {bits} it is one"),
        Some((bits, taken)) => {
            format!("; with arithmetic.rate_bits = {bits} and learning_rate.round = true it is taken as {taken}")
        }
        None => String::new(),
    };
    let within = if round { format!(", at most {} % off", 100.0 * ROUNDED_WITHIN) } else { String::new() };
    let expected =
        format!("a multiple, 1 to {MAX_RATE}, of batch / 2^rate_bits = {batch} / 2^{bits} = {unit}{within}{more}");
    // Not a number has no nearest value.
    Err(origin.value(key, value, expected, (!nearest.is_nan()).then(|| (nearest * unit).to_string())))
}

/// The least `rate_bits` with which a learning rate is exact, or else within a hundredth, and what it is taken as.
fn bits_that_serve(architecture: &Architecture, value: f64) -> Option<(u32, f64)> {
    let taken = |bits: u32| {
        let unit = architecture.batch() as f64 / 2f64.powi(bits as i32);
        let nearest = (value / unit).round();
        (1.0..=f64::from(MAX_RATE)).contains(&nearest).then_some((bits, nearest * unit))
    };
    let all = || (0..=MAX_RATE_BITS).filter_map(taken);
    all().find(|(_, taken)| *taken == value).or_else(|| all().find(|(_, taken)| (taken / value - 1.0).abs() <= 0.01))
}
