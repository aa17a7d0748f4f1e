//! The days of the week.

use std::fmt;
use std::str::FromStr;

use crate::calendar::Calendar;

/// The day on which weeks begin. In text, its English name in lower case.
///
/// ```
/// use hindsight_exo_idp::io::Weekday;
/// assert_eq!("sunday".parse(), Ok(Weekday::Sunday));
/// assert_eq!(Weekday::ALL[0].to_string(), "monday");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A text that names no day of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day of the week")]
pub struct NoWeekday(pub String);

impl Weekday {
    /// From Monday to Sunday.
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// Its English name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        }
    }

    /// The calendar of days whose week 0 holds a day (since 1970-01-01).
    pub(super) fn days(self, day: i64) -> Calendar {
        Calendar::days(day, self as i64)
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Weekday {
    type Err = NoWeekday;

    fn from_str(text: &str) -> Result<Self, NoWeekday> {
        let mut all = Weekday::ALL.into_iter();
        let found = all.find(|day| day.name() == text);
        found.ok_or_else(|| NoWeekday(text.to_owned()))
    }
}
