//! Weeks as files write them: whole numbers, the date of one day of each week, or ISO weeks (2020-W02).
//!
//! ```
//! use hindsight_exo_idp::calendar::Week;
//! let first = Week::parse("2020-W53").expect("a week");
//! let calendar = first.calendar();
//! assert_eq!(calendar.place(Week::parse("2021-W01").expect("a week")), Ok(1));
//! assert_eq!(calendar.week(2).to_string(), "2021-W02");
//! ```

use std::fmt;
use std::ops::RangeInclusive;

/// A week as written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Week {
    /// A number that grows by one a week.
    Number(i64),
    /// Days since 1970-01-01 of one day of the week.
    Day(i64),
    /// An ISO week, by the days since 1970-01-01 of its Monday.
    Iso(i64),
}

/// The weeks of a file: what they count from, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Calendar {
    /// Numbers as they stand in the file.
    Numbers,
    /// Dates; the value is the day (since 1970-01-01) of week 0.
    Dates(i64),
    /// ISO weeks; the value is the Monday (since 1970-01-01) of week 0.
    IsoWeeks(i64),
    /// Days, one after another; the value is the first weekday (since 1970-01-01) of week 0.
    Days(i64),
}

/// Why a week has no place in a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// A date that is no whole number of weeks from the first.
    #[error("\"{week}\" is no whole number of weeks from {first} (one date a week, the same weekday throughout){}", hint(*week, *first))]
    PartOfWeek {
        /// The week.
        week: Week,
        /// The first one.
        first: Week,
    },
    /// A week in another notation than those before.
    #[error("\"{week}\" is {}", self::notation(*week, *calendar))]
    Notation {
        /// The week.
        week: Week,
        /// That of the weeks before.
        calendar: Calendar,
    },
}

fn hint(week: Week, first: Week) -> &'static str {
    let (Week::Day(a), Week::Day(b)) = (week, first) else {
        return "";
    };
    match (a - b).abs() {
        1 => "; days must be summed to weeks (--daily)",
        28..=31 => "; months are no weeks",
        _ => "",
    }
}

fn notation(week: Week, calendar: Calendar) -> String {
    let before = match calendar {
        Calendar::Days(_) => return "no date, which days summed to weeks need".to_owned(),
        Calendar::Numbers => "numbers",
        Calendar::Dates(_) => "dates",
        Calendar::IsoWeeks(_) => "ISO weeks",
    };
    let own = match week {
        Week::Number(_) => "a number",
        Week::Day(_) => "a date",
        Week::Iso(_) => "an ISO week",
    };
    format!("{own}, but the weeks before are {before}")
}

impl Week {
    /// Reads `40`, `2017-08-15`, `2017/08/15` or `15.08.2017` (a time of day behind it is of no account), or `2020-W02`. A date like `08/09/2017` is none: nobody
    /// knows which of its numbers is the month.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(monday) = iso_monday(text) {
            return Some(Week::Iso(monday));
        }
        let text = without_time(text);
        if let Some((year, rest)) = text.split_once('-')
            && year.len() == 4
        {
            let (month, day) = rest.split_once('-')?;
            if month.len() != 2 || day.len() != 2 {
                return None;
            }
            return days(digits(year)?, digits(month)?, digits(day)?).map(Week::Day);
        }
        if let Some(date) = slashed_or_dotted(text) {
            return date.map(Week::Day);
        }
        // Written by programs that keep whole numbers as floating ones.
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole
            .parse()
            .ok()
            .filter(|week: &i64| week.abs() < 1_000_000_000)
            .map(Week::Number)
    }

    /// Whether it looks like a year and a week in one number (202352): such numbers do not follow one another.
    #[must_use]
    pub fn looks_like_year_and_week(self) -> bool {
        matches!(self, Week::Number(n) if (190_001..=210_053).contains(&n) && (1..=53).contains(&(n % 100)))
    }

    /// Whether it is the 53rd week of an ISO year, which few years have.
    #[must_use]
    pub fn is_53rd(self) -> bool {
        matches!(self, Week::Iso(monday) if iso_week(monday).1 == 53)
    }

    /// Whether one of two numbers that follow one another in a file begins the weeks of a year anew: 1 beside 52 or 53.
    #[must_use]
    pub fn begins_anew(self, before: Self) -> bool {
        let last_and_first = |a, b| (52..=53).contains(&a) && (0..=1).contains(&b);
        matches!((before, self), (Week::Number(a), Week::Number(b)) if last_and_first(a, b) || last_and_first(b, a))
    }

    /// The calendar that starts here.
    #[must_use]
    pub fn calendar(self) -> Calendar {
        match self {
            Week::Number(_) => Calendar::Numbers,
            Week::Day(day) => Calendar::Dates(day),
            Week::Iso(monday) => Calendar::IsoWeeks(monday),
        }
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Week::Number(number) => write!(f, "{number}"),
            Week::Day(day) => {
                let (year, month, day) = civil(*day);
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Week::Iso(monday) => {
                let (year, week) = iso_week(*monday);
                write!(f, "{year:04}-W{week:02}")
            }
        }
    }
}

impl Calendar {
    /// The calendar of days whose week 0 holds a day (since 1970-01-01) and begins on a weekday, 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn days(day: i64, weekday: i64) -> Self {
        // 1970-01-01 was a Thursday.
        let since_monday = (day + 3).rem_euclid(7);
        Calendar::Days(day - (since_monday - weekday).rem_euclid(7))
    }

    /// The place of a week in this calendar.
    ///
    /// # Errors
    /// When it is written in another notation, or a date is no whole number of weeks away.
    pub fn place(self, week: Week) -> Result<i64, CalendarError> {
        match (self, week) {
            (Calendar::Numbers, Week::Number(number)) => Ok(number),
            (Calendar::Dates(origin), Week::Day(day)) if (day - origin) % 7 == 0 => {
                Ok((day - origin) / 7)
            }
            (Calendar::Dates(origin), Week::Day(_)) => Err(CalendarError::PartOfWeek {
                week,
                first: Week::Day(origin),
            }),
            (Calendar::IsoWeeks(origin), Week::Iso(monday)) => Ok((monday - origin) / 7),
            (Calendar::Days(origin), Week::Day(day)) => Ok(day - origin),
            (calendar, week) => Err(CalendarError::Notation { week, calendar }),
        }
    }

    /// The week at a place, written as in the file.
    #[must_use]
    pub fn week(self, place: i64) -> Week {
        match self {
            Calendar::Numbers => Week::Number(place),
            Calendar::Dates(origin) => Week::Day(origin + 7 * place),
            Calendar::IsoWeeks(origin) => Week::Iso(origin + 7 * place),
            Calendar::Days(origin) => Week::Day(origin + place),
        }
    }
}

/// The weeks of most rows of a record, without those that lie apart from them: stretches of weeks, each with its products' first and last week and rows,
/// where no product is recorded for more than `apart` weeks. An empty record is week 0.
pub fn main_stretch(
    products: impl IntoIterator<Item = (RangeInclusive<i64>, usize)>,
    apart: i64,
) -> RangeInclusive<i64> {
    let mut spans: Vec<_> = products.into_iter().collect();
    spans.sort_by_key(|(weeks, _)| *weeks.start());
    let mut stretches: Vec<(RangeInclusive<i64>, usize)> = Vec::new();
    for (own, rows) in spans {
        match stretches.last_mut() {
            Some((weeks, total)) if own.start() - *weeks.end() <= apart => {
                *weeks = *weeks.start()..=*own.end().max(weeks.end());
                *total += rows;
            }
            _ => stretches.push((own, rows)),
        }
    }
    let most = stretches.into_iter().max_by_key(|(_, rows)| *rows);
    most.map_or(0..=0, |(weeks, _)| weeks)
}

/// The day of `2017/08/15` or `15.08.2017`; `Some(None)` where there is no such day.
fn slashed_or_dotted(text: &str) -> Option<Option<i64>> {
    let mark = if text.contains('/') { '/' } else { '.' };
    let parts: Vec<&str> = text.split(mark).collect();
    let (year, month, day) = match (mark, &parts[..]) {
        ('/', [year, month, day]) | ('.', [day, month, year]) => (*year, *month, *day),
        _ => return None,
    };
    let short = |part: &str| (1..=2).contains(&part.len());
    if year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    Some(days(digits(year)?, digits(month)?, digits(day)?))
}

/// The date before a time of day: `2020-01-06 00:00:00`, `2020-01-06T00:00:00Z`.
fn without_time(text: &str) -> &str {
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return text;
    };
    let time_like = time.trim_end_matches('Z').split([':', '.', '+', '-']);
    let parts = time_like.clone().count();
    if parts >= 2 && time_like.clone().all(|part| digits(part).is_some()) {
        date
    } else {
        text
    }
}

/// The Monday of an ISO week, `2020-W02` or `2020W02`; `None` if there is no such week.
fn iso_monday(text: &str) -> Option<i64> {
    let (year, week) = text.split_once(['W', 'w'])?;
    let year = year.strip_suffix('-').unwrap_or(year);
    if year.len() != 4 || week.len() != 2 {
        return None;
    }
    let (year, week) = (digits(year)?, digits(week)?);
    let monday = first_monday(year) + 7 * (week - 1);
    (week >= 1 && monday < first_monday(year + 1)).then_some(monday)
}

/// The year and the number of the ISO week that begins on a Monday: the year is that of its Thursday.
fn iso_week(monday: i64) -> (i64, i64) {
    let (year, ..) = civil(monday + 3);
    (year, (monday - first_monday(year)) / 7 + 1)
}

/// The Monday of week 1 of an ISO year: the week of 4 January.
fn first_monday(year: i64) -> i64 {
    let fourth = days(year, 1, 4).unwrap_or_default();
    // 1970-01-01 was a Thursday.
    fourth - (fourth + 3).rem_euclid(7)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Days since 1970-01-01 in the Gregorian calendar; `None` if there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let count = 365 * shifted + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + of_year
        - 719_468;
    (civil(count) == (year, month, day)).then_some(count)
}

/// Year, month and day of a day since 1970-01-01.
fn civil(day: i64) -> (i64, i64, i64) {
    let from_march = day + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + 400 * era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(Week::parse("1970-01-01"), Some(Week::Day(0)));
        assert_eq!(Week::parse("2000-02-29"), Some(Week::Day(11_016)));
        assert_eq!(Week::parse("2026-11-22"), Some(Week::Day(20_779)));
        assert_eq!(Week::parse(" 40.0 "), Some(Week::Number(40)));
        assert_eq!(Week::parse("-3"), Some(Week::Number(-3)));
        for timed in [
            "2000-02-29 00:00:00",
            "2000-02-29T13:05",
            "2000-02-29T00:00:00.000Z",
            "2000-02-29T00:00:00+01:00",
        ] {
            assert_eq!(Week::parse(timed), Some(Week::Day(11_016)), "{timed}");
        }
        for written in ["2000/02/29", "29.02.2000", "29.2.2000", "29.02.2000 08:30"] {
            assert_eq!(Week::parse(written), Some(Week::Day(11_016)), "{written}");
        }
        // 2020-01-06 was the Monday of week 2; 2020 had 53 weeks, and 2021-01-04 began the next year.
        assert_eq!(Week::parse("2020-W02"), Some(Week::Iso(18_267)));
        assert_eq!(Week::parse("2020W53"), Some(Week::Iso(18_624)));
        assert_eq!(Week::parse("2021-W01"), Some(Week::Iso(18_631)));
        assert!(Week::Iso(18_624).is_53rd() && !Week::Iso(18_631).is_53rd());
        let numbers = |a, b| Week::Number(b).begins_anew(Week::Number(a));
        assert!(
            numbers(52, 1)
                && numbers(1, 53)
                && numbers(52, 0)
                && !numbers(52, 53)
                && !numbers(1, 2)
        );
        for wrong in [
            "2001-02-29",
            "29.02.2001",
            "08/09/2017",
            "8.9.17",
            "1.2.3.2000",
            "1900-02-29",
            "2001-13-01",
            "2001-1-1",
            "2001-00-10",
            "",
            "x",
            "1.5",
            "2001-01-01Txx",
            "2020-W54",
            "2019-W53",
            "2020-W00",
            "2020-W2",
            "9999999999",
            "1e3",
        ] {
            assert_eq!(Week::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weeks_years_apart_are_another_record() {
        let products = [(0..=9, 10), (400..=460, 61), (5..=20, 16), (455..=470, 3)];
        assert_eq!(main_stretch(products.clone(), 104), 400..=470);
        assert_eq!(main_stretch(products, 1_000), 0..=470);
        assert_eq!(main_stretch([], 104), 0..=0);
    }

    #[test]
    fn a_calendar_keeps_one_notation_and_one_weekday() {
        let calendar = Week::Day(0).calendar();
        assert_eq!(calendar.place(Week::Day(21)), Ok(3));
        assert!(
            calendar
                .place(Week::Day(22))
                .unwrap_err()
                .to_string()
                .contains("1970-01-23")
        );
        assert!(calendar.place(Week::Number(1)).is_err());
        assert!(Week::Number(1).calendar().place(Week::Day(7)).is_err());
        assert!(Week::Number(202_352).looks_like_year_and_week());
        assert!(!Week::Number(1_941).looks_like_year_and_week());
    }

    #[test]
    fn weeks_of_days_begin_on_the_chosen_day() {
        // 2021-03-03 was a Wednesday.
        let Some(Week::Day(day)) = Week::parse("2021-03-03") else {
            panic!("a date")
        };
        for (weekday, first) in [(0, "2021-03-01"), (2, "2021-03-03"), (6, "2021-02-28")] {
            let calendar = Calendar::days(day, weekday);
            assert_eq!(calendar.week(0).to_string(), first);
            assert_eq!(
                calendar.place(Week::Day(day + 7)),
                Ok(day + 7
                    - match calendar {
                        Calendar::Days(origin) => origin,
                        _ => 0,
                    })
            );
        }
        assert!(Calendar::days(day, 0).place(Week::Number(3)).is_err());
    }

    proptest! {
        #[test]
        fn a_date_is_written_as_it_was_read(day in 0i64..2_900_000 ) {
            let day = day - 719_162; // years 1 to about 7940
            let text = Week::Day(day).to_string();
            prop_assert_eq!(Week::parse(&text), Some(Week::Day(day)));
            let monday = day - (day + 3).rem_euclid(7);
            if civil(monday + 3).0 >= 1 {
                prop_assert_eq!(Week::parse(&Week::Iso(monday).to_string()), Some(Week::Iso(monday)));
            }
            let (year, month, first) = civil(day);
            let next = civil(day + 1);
            prop_assert!(next == (year, month, first + 1) || next.2 == 1);
        }
    }
}
