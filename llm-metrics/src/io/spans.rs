//! Where the values of a scanned line lie.

/// A value in a scanned line: its bytes, and the wanted field that it is, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) field: Option<usize>,
}

/// What the scanner spans of a line.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) slots: Vec<Slot>,
    /// Some value is a nested array, or a wanted one a text, an object or an array of anything but numbers: the line has no shape.
    pub(super) irregular: bool,
}
