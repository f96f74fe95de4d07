//! Complete, commented job files, one for each format of data.

/// The format of the data that an example reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Example {
    /// Built-in digits, no files needed.
    #[default]
    Digits,
    /// The full MNIST, and its kin.
    Idx,
    /// NumPy arrays.
    Npy,
    /// A table.
    Csv,
}

/// What differs between the examples.
struct Parts {
    layers: &'static str,
    data: &'static str,
    batch: &'static str,
    steps: &'static str,
    segment: &'static str,
    rate: &'static str,
    schedule: &'static str,
    exponential: &'static str,
}

const IMAGES: Parts = Parts {
    layers: "[784, 128, 128, 10]",
    data: r#"# "idx" (MNIST and its kin), "npy" (NumPy), "csv", or "digits": the 2,048 + 512 digits of MNIST that are built in.
# Files may be compressed with gzip. The order of the rows is the order of training.
# `cargo xtask fetch-data` supplies the data set that is named here.
format = "idx"
images = "data/mnist/train-images-idx3-ubyte"
labels = "data/mnist/train-labels-idx1-ubyte"
# Optional: what the accuracy is measured on.
test_images = "data/mnist/t10k-images-idx3-ubyte"
test_labels = "data/mnist/t10k-labels-idx1-ubyte""#,
    batch: "64",
    steps: "938",
    segment: "32",
    rate: "0.25",
    schedule: "[{ from_segment = 0, rate = 0.5 }, { from_segment = 10, rate = 0.25 }]",
    exponential: "11",
};

const DIGITS: Parts = Parts {
    layers: "[784, 32, 10]",
    data: r#"# The 2,048 + 512 digits of MNIST that are built in; for files "idx" (MNIST and its kin), "npy" (NumPy) or "csv":
# `requester example --format csv`. The order of the rows is the order of training.
format = "digits""#,
    steps: "32",
    schedule: "[{ from_segment = 0, rate = 0.25 }]",
    ..IMAGES
};

const TABLE: Parts = Parts {
    layers: "[4, 16, 3]",
    data: r#"# A sample a line, numbers separated by commas, one column of which is the label, a whole number from 0.
# Files may be compressed with gzip. The order of the rows is the order of training: shuffle them first.
format = "csv"
images = "train.csv"
# Optional: what the accuracy is measured on.
test_images = "test.csv"
# Name in the header, or index from 0.
label_column = "class"
# Whether the first line names the columns; default: true if label_column is a name.
# header = true"#,
    batch: "16",
    steps: "10",
    segment: "4",
    rate: "0.125",
    schedule: "[{ from_segment = 0, rate = 0.125 }]",
    exponential: "13",
};

const ARRAYS: Parts = Parts {
    data: r#"# What `numpy.save` writes: samples of any shape (rows first) and type among uint8, int16, int32, int64, float32, float64,
# labels of one dimension and an integer type, from 0. The order of the rows is the order of training: shuffle them first.
format = "npy"
images = "x_train.npy"
labels = "y_train.npy"
# Optional: what the accuracy is measured on.
test_images = "x_test.npy"
test_labels = "y_test.npy""#,
    ..TABLE
};

impl Example {
    /// The job file.
    pub fn text(self) -> String {
        let parts = match self {
            Self::Digits => DIGITS,
            Self::Idx => IMAGES,
            Self::Npy => ARRAYS,
            Self::Csv => TABLE,
        };
        let filled = [
            ("{layers}", parts.layers),
            ("{data}", parts.data),
            ("{batch}", parts.batch),
            ("{steps}", parts.steps),
            ("{segment}", parts.segment),
            ("{rate}", parts.rate),
            ("{schedule}", parts.schedule),
            ("{exponential}", parts.exponential),
        ];
        let template = include_str!("example.toml.in").to_owned();
        filled.into_iter().fold(template, |text, (name, value)| text.replace(name, value))
    }
}
