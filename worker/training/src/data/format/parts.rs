//! What is special in the example of a format.

/// What is special in an example.
pub(crate) struct Parts {
    /// Widths of the layers.
    pub layers: &'static str,
    /// The format and its keys, and comments.
    pub data: &'static str,
    /// Rows of a step.
    pub batch: &'static str,
    /// Steps of an epoch.
    pub steps: &'static str,
    /// Steps of a segment.
    pub segment: &'static str,
    /// A learning rate.
    pub rate: &'static str,
    /// One that changes.
    pub schedule: &'static str,
    /// Bits of exponentials for that number of classes.
    pub exponential: &'static str,
}

impl Parts {
    /// For images of 28 × 28 pixels and ten classes.
    pub const IMAGES: Self = Self {
        layers: "[784, 128, 128, 10]",
        data: "",
        batch: "64",
        steps: "938",
        segment: "32",
        rate: "0.25",
        schedule: "[{ from_segment = 0, rate = 0.5 }, { from_segment = 10, rate = 0.25 }]",
        exponential: "11",
    };

    /// For four numbers a row and three classes.
    pub const TABLE: Self = Self {
        layers: "[4, 16, 3]",
        data: "",
        batch: "16",
        steps: "10",
        segment: "4",
        rate: "0.125",
        schedule: "[{ from_segment = 0, rate = 0.125 }]",
        exponential: "13",
    };
}
