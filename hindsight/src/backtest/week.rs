//! Weeks of a file: see [`exo_idp::calendar`].

pub(crate) use exo_idp::calendar::{Calendar, Week};

/// The day on which weeks begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say all")]
pub(crate) enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// The calendar of days whose week 0 holds a day (since 1970-01-01).
    pub(crate) fn days(self, day: i64) -> Calendar {
        Calendar::days(day, self as i64)
    }
}
