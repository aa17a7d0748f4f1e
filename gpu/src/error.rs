//! What can be wrong with a program or its data.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has the wrong number of values.
    #[error("{array}: {found} values, expected {expected}")]
    Length {
        /// The array.
        array: &'static str,
        /// How many values it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// An index lies outside its range.
    #[error("{what} {index} is outside 0..{limit}")]
    Range {
        /// What is indexed.
        what: &'static str,
        /// The index.
        index: usize,
        /// The first index that does not exist.
        limit: usize,
    },
    /// A run without lanes, periods or rows.
    #[error("{0} must be at least one")]
    Empty(&'static str),
    /// Single lanes were picked from a batch in groups, whose sums are over whole groups.
    #[error("lanes of a batch in groups are picked group by group")]
    LanesOfGroups,
    /// Text that is no saved model.
    #[error("line {line}: no saved model")]
    NotAModel {
        /// The first line that is not, from 1.
        line: usize,
    },
    /// A model saved in another form.
    #[error("the saved model has the form of version {found}")]
    Version {
        /// The version found.
        found: String,
    },
    /// A saved model whose digest is not that of its content.
    #[error("the model is not as it was saved: its digest differs")]
    Corrupt,
    /// A number is outside its domain.
    #[error("{name} is {value}, expected {domain}")]
    Domain {
        /// The argument.
        name: &'static str,
        /// The domain, in words.
        domain: &'static str,
        /// The value.
        value: f64,
    },
    /// An input that is used as an index names nothing: it must be a whole number from 0 up to the number of classes.
    #[error(
        "{array} input {input} of lane {lane}, period {period}, names a class: {value} is not a whole number in 0..{classes}"
    )]
    Index {
        /// The array.
        array: &'static str,
        /// Which of its inputs.
        input: usize,
        /// The lane, the first for what all lanes share.
        lane: usize,
        /// The period, the first for what all periods share.
        period: usize,
        /// The value.
        value: f64,
        /// How many classes there are.
        classes: usize,
    },
    /// A name that is none of a device.
    #[error("there is no device {0:?}: cpu, gpu or auto")]
    NotADevice(String),
    /// No graphics processor was found.
    #[error("no graphics processor: looked for {looked_for}; {reason}")]
    NoAdapter {
        /// The interfaces that were asked.
        looked_for: String,
        /// What they answered.
        reason: String,
    },
    /// An operation of the caller's own has no [`shader`](crate::record::CustomOp::shader), and so cannot run on a graphics processor.
    #[error("the operation {operation} has no shader, which a graphics processor needs")]
    NoShader {
        /// The operation, as its `Debug` says.
        operation: String,
    },
    /// A program, or part of it, that the graphics processor's executor does not run yet: the processor's does.
    #[error("{0} does not run on a graphics processor yet")]
    NotOnDevice(&'static str),
    /// A run needs more than the device has.
    #[error("{what}: {needed} bytes needed, the device has {available}")]
    DeviceLimit {
        /// What there is too little of.
        what: &'static str,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        available: u64,
    },
    /// The device has no memory left for a buffer.
    #[error("{what}: the graphics processor has no memory for {needed} bytes more")]
    OutOfMemory {
        /// What there is no memory for.
        what: &'static str,
        /// Bytes that were asked for.
        needed: u64,
    },
    /// The device failed: it was lost, or refused a shader.
    #[error("the graphics processor failed: {0}")]
    Device(String),
}
