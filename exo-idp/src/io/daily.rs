//! Days summed to weeks.

use super::arrange::{Raw, Seen};
use super::places::Places;
use super::sheet::Domain;
use crate::backtest::Notice;
use crate::calendar::{Calendar, Week};

/// Days of a week.
const WEEK: i64 = 7;

/// The rows of a daily record as those of weeks: amounts summed, other numbers averaged over the days. A week counts where all of its
/// days have a row, or, with `missing_is_zero`, where it lies within the record. The notice says what was left out.
pub(super) fn to_weeks(
    origin: i64,
    mut seen: Vec<Seen>,
    raw: &Raw,
    places: &Places,
    missing_is_zero: bool,
) -> (Calendar, Vec<Seen>, Raw, Notice) {
    let first = raw.week.iter().copied().min().unwrap_or(0);
    let last = raw.week.iter().copied().max().unwrap_or(0);
    let whole = (first + WEEK - 1).div_euclid(WEEK)..(last + 1).div_euclid(WEEK);
    let (mut weeks, days) = summed(raw, seen.len());
    let complete: Vec<bool> = weeks
        .week
        .iter()
        .zip(&days)
        .map(|(week, &days)| whole.contains(week) && (missing_is_zero || days == WEEK))
        .collect();
    for (slot, values) in places.slots.iter().zip(&mut weeks.values) {
        if slot.domain != Domain::Amount {
            for (value, &days) in values.iter_mut().zip(&days) {
                *value /= f64::from(i32::try_from(days).unwrap_or(i32::MAX));
            }
        }
        retain(values, &complete);
    }
    let parts = complete.iter().zip(&weeks.week);
    let within = parts.filter(|(complete, week)| !**complete && whole.contains(week));
    let notice = notice(origin, first..last + 1, &whole, within.count());
    retain(&mut weeks.product, &complete);
    retain(&mut weeks.week, &complete);
    retain(&mut weeks.line, &complete);
    for product in &mut seen {
        // One that has no whole week is too short to be used.
        (product.first, product.last, product.count) = (whole.start, whole.start, 0);
    }
    for (&product, &week) in weeks.product.iter().zip(&weeks.week) {
        let product = &mut seen[product];
        if product.count == 0 {
            (product.first, product.last) = (week, week);
        }
        (product.first, product.last) = (product.first.min(week), product.last.max(week));
        product.count += 1;
    }
    (Calendar::Dates(origin), seen, weeks, notice)
}

/// The sums of every product's weeks, and of how many days each is.
fn summed(raw: &Raw, products: usize) -> (Raw, Vec<i64>) {
    let mut weeks = Raw {
        values: vec![Vec::new(); raw.values.len()],
        ..Raw::default()
    };
    let mut days: Vec<i64> = Vec::new();
    // The row of the week that a product is in.
    let mut open: Vec<Option<usize>> = vec![None; products];
    for (row, &product) in raw.product.iter().enumerate() {
        let week = raw.week[row].div_euclid(WEEK);
        let at = match open[product].filter(|&at| weeks.week[at] == week) {
            Some(at) => {
                days[at] += 1;
                at
            }
            None => {
                weeks.product.push(product);
                weeks.week.push(week);
                weeks.line.push(raw.line[row]);
                days.push(1);
                for (sums, values) in weeks.values.iter_mut().zip(&raw.values) {
                    if !values.is_empty() {
                        sums.push(0.0);
                    }
                }
                days.len() - 1
            }
        };
        open[product] = Some(at);
        for (sums, values) in weeks.values.iter_mut().zip(&raw.values) {
            if let Some(value) = values.get(row) {
                sums[at] += value;
            }
        }
    }
    (weeks, days)
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next() == Some(&true));
}

fn notice(
    origin: i64,
    days: std::ops::Range<i64>,
    whole: &std::ops::Range<i64>,
    incomplete: usize,
) -> Notice {
    let day = |at: i64| Week::Day(origin + at).to_string();
    let edges = [
        (days.start, WEEK * whole.start),
        (WEEK * whole.end, days.end),
    ];
    let dropped = edges.into_iter().filter(|(from, to)| from < to);
    Notice::Daily {
        first: day(WEEK * whole.start),
        dropped: dropped.map(|(from, to)| (day(from), day(to - 1))).collect(),
        incomplete,
    }
}

#[cfg(test)]
mod tests {
    use crate::backtest::Notice;
    use crate::calendar::Week;
    use crate::io::sheet::{Format, Sheet};
    use crate::io::{Columns, SalesTable, Settings, Weekday, read};

    /// From Wednesday 2021-03-03 on so many days of product a, and of product b without the day before the last.
    fn table(days: usize, weekday: Weekday, missing_is_zero: bool) -> SalesTable {
        let mut text = String::from("product,week,demand,price,cost\n");
        for day in 0..days {
            let date = Week::Day(18_689 + i64::try_from(day).unwrap());
            for product in ["a", "b"] {
                if product == "a" || day + 2 != days {
                    text.push_str(&format!("{product},{date},{day},{},2\n", 3 + day % 7));
                }
            }
        }
        let settings = Settings {
            daily: Some(weekday),
            missing_is_zero,
            ..Settings::default()
        };
        let bytes = std::io::Cursor::new(text.into_bytes());
        let mut sheet = Sheet::from_reader(bytes, "f.csv", Format::default()).unwrap();
        read(&mut sheet, &Columns::default(), &settings, |_| {}).unwrap()
    }

    fn first_week(table: &SalesTable) -> String {
        table.week(table.products[0].first_week).to_string()
    }

    fn lengths(table: &SalesTable) -> Vec<usize> {
        table.products.iter().map(|own| own.rows.len()).collect()
    }

    #[test]
    fn days_become_weeks_and_parts_of_weeks_are_dropped() {
        // Five days, then three whole weeks and two days.
        let read = table(5 + 21 + 2, Weekday::Monday, false);
        assert_eq!(first_week(&read), "2021-03-08");
        let sums: Vec<f64> = (0..3)
            .map(|week| (0..7).map(|day| f64::from(5 + 7 * week + day)).sum())
            .collect();
        assert_eq!(read.demand, [&sums[..], &sums[..]].concat());
        assert!(read.price.iter().all(|price| (price - 6.0).abs() < 1e-12));
        let span = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let daily = Notice::Daily {
            first: "2021-03-08".to_owned(),
            dropped: vec![
                span("2021-03-03", "2021-03-07"),
                span("2021-03-29", "2021-03-30"),
            ],
            incomplete: 0,
        };
        assert_eq!(read.notices, [daily]);
        let words = read.notices[0].to_string();
        assert!(
            words.ends_with("; 2021-03-29 to 2021-03-30 are no whole week and were dropped"),
            "{words}"
        );
    }

    #[test]
    fn a_week_without_all_of_its_days_is_unknown_unless_missing_is_zero() {
        let read = table(5 + 21, Weekday::Monday, false);
        assert_eq!(lengths(&read), [3, 2]);
        let one = |notice: &Notice| matches!(notice, Notice::Daily { incomplete: 1, .. });
        assert!(one(&read.notices[0]), "{:?}", read.notices);
        let filled = table(5 + 21, Weekday::Monday, true);
        assert_eq!(lengths(&filled), [3, 3]);
        assert_eq!(
            first_week(&table(5 + 21, Weekday::Sunday, false)),
            "2021-03-07"
        );
    }
}
