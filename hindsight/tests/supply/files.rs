//! The kinds of file: how weeks, numbers and products are written.

use super::Expected::{Refused, Said};
use super::{Expected, Kind, daily, date, named, plain, record, units};

fn file(
    name: &'static str,
    file: String,
    arguments: &'static [&'static str],
    expected: Expected,
) -> Kind {
    Kind {
        name,
        file,
        arguments,
        expected,
    }
}

/// How weeks are written.
pub(crate) fn names_of_weeks() -> Vec<Kind> {
    vec![
        file(
            "dates of a year with 53 weeks",
            named(|w| date(7 * w)),
            &["--check"],
            Said("weeks 2020-01-13 to 2021-03-01\n0 weeks"),
        ),
        file(
            "ISO weeks",
            named(|w| {
                if w <= 53 {
                    format!("2020-W{w:02}")
                } else {
                    format!("2021-W{:02}", w - 53)
                }
            }),
            &["--check"],
            Said("weeks 2020-W01 to 2021-W07\n0 weeks"),
        ),
        file(
            "weeks of the year, 52 in each",
            named(|w| {
                let (years, week) = ((w - 1) / 52, (w - 1) % 52 + 1);
                format!("{}-W{week:02}", 2020 + years)
            }),
            &["--check"],
            Said("no row is of 2020-W53"),
        ),
        file(
            "weeks of the year that begin before the first Monday",
            named(|w| format!("2019-W{:02}", w - 1)),
            &[],
            Refused("is no ISO week"),
        ),
        file(
            "numbers that begin anew each year",
            named(|w| ((w - 1) % 52 + 1).to_string()),
            &[],
            Refused("weeks of a year that begin anew"),
        ),
        file(
            "year and week in one number",
            named(|w| {
                if w <= 53 {
                    format!("2020{w:02}")
                } else {
                    format!("2021{:02}", w - 53)
                }
            }),
            &[],
            Refused("numbers made of year and week are not consecutive"),
        ),
        file(
            "days",
            daily(),
            &[],
            Refused("days must be summed to weeks (--daily)"),
        ),
        file(
            "days that are summed",
            daily(),
            &["--daily", "--check"],
            Said("weeks 2020-01-06 to 2020-07-13"),
        ),
        file(
            "months",
            named(|w| format!("{}-{:02}-01", 2020 + w / 12, w % 12 + 1)),
            &[],
            Refused("months are no weeks"),
        ),
        file(
            "two weekdays",
            named(|w| date(7 * w + w / 40)),
            &[],
            Refused("is no whole number of weeks from"),
        ),
    ]
}

/// How numbers are written.
pub(crate) fn numbers() -> Vec<Kind> {
    let plain_text = plain(|p, w| Some(units(p, w)));
    let semicolons = plain_text.replace(',', ";");
    vec![
        file(
            "thousands in quotes",
            plain(|p, w| Some(units(p, w))).replacen(",10,6", ",\"1,000\",6", 1),
            &[],
            Refused("is not a number"),
        ),
        file(
            "a decimal comma",
            semicolons.replace(";10;6\n", ";10,5;6\n"),
            &["--delimiter", ";"],
            Refused("give --decimal-comma"),
        ),
        file(
            "a decimal comma that is said",
            semicolons.replace(";10;6\n", ";10,5;6\n"),
            &["--decimal-comma", "--check"],
            Said("10.50  10.50    10.50"),
        ),
        file(
            "a decimal comma that the file shows",
            semicolons.replace(";10;6\n", ";10,5;6\n"),
            &["--check"],
            Said("10.50  10.50    10.50"),
        ),
        file(
            "commas that may stand between thousands",
            semicolons.replace(";10;6\n", ";1,250;6\n"),
            &[],
            Refused("for a decimal comma give --decimal-comma"),
        ),
        file(
            "points between thousands",
            semicolons.replace(";10;6\n", ";1.000,5;6\n"),
            &["--decimal-comma"],
            Refused("a point has no meaning"),
        ),
        file(
            "three decimals everywhere",
            record(1, "demand,price,cost", |p, w| {
                Some((w.to_string(), format!("{}.250,10,6", units(p, w))))
            }),
            &["--check"],
            Said("has three digits behind it"),
        ),
        file(
            "a byte order mark and returns",
            format!("\u{feff}{}", plain_text.replace('\n', "\r\n")),
            &["--check"],
            Said("180 rows, 3 products"),
        ),
        file(
            "returned goods",
            plain_text.replace("p1,7,", "p1,7,-"),
            &[],
            Refused("is negative"),
        ),
        file(
            "an empty price",
            plain_text.replacen(",10,6", ",,6", 1),
            &[],
            Refused("is empty (leave the whole row out"),
        ),
        file(
            "a price of zero",
            plain_text.replacen(",10,6", ",0,6", 1),
            &[],
            Refused("must be above zero"),
        ),
    ]
}

/// How products are named, and which are there.
pub(crate) fn products() -> Vec<Kind> {
    let plain_text = plain(|p, w| Some(units(p, w)));
    vec![
        file(
            "two shops in one file",
            format!("{plain_text}{}", &plain_text[30..]),
            &[],
            Refused("already on line 2: a duplicated row"),
        ),
        file(
            "two shops by their names",
            record(3, "demand,price,cost,shop", |p, w| {
                Some((w.to_string(), format!("{},10,6,s{p}", units(p, w))))
            }),
            &["--product", "shop,product", "--check"],
            Said("3 products"),
        ),
        file(
            "blanks behind a name",
            plain_text.replace("p2,", "p2 ,").replacen("p2 ,", "p2,", 9),
            &["--check"],
            Said("180 rows, 3 products"),
        ),
        file(
            "one product in one week",
            format!("{plain_text}p9,60,3,10,6\n"),
            &["--check"],
            Said("1 product with fewer than 2 weeks was left out: p9"),
        ),
        file(
            "one product only",
            record(1, "demand,price,cost", |p, w| {
                Some((w.to_string(), format!("{},10,6", units(p, w))))
            }),
            &["--check"],
            Said("60 rows, 1 product, weeks"),
        ),
        file(
            "a product ten years late",
            format!("{plain_text}p9,620,3,10,6\np9,621,3,10,6\n"),
            &["--check"],
            Said(
                "1 product recorded years apart from all others was left out (is the date right?): p9",
            ),
        ),
    ]
}
