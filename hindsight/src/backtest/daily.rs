//! Days summed to weeks.

use super::arrange::{Raw, Seen};
use super::plan::Plan;
use sheet::Domain;

use super::week::{Calendar, Week};

/// Days of a week.
const WEEK: i64 = 7;

/// The rows of a daily record as those of weeks: amounts summed, other numbers averaged over the days. A week counts where all of its
/// days have a row, or, with `missing_is_zero`, where it lies within the record. What was left out is said in the note.
pub(super) fn to_weeks(
    origin: i64,
    mut seen: Vec<Seen>,
    raw: &Raw,
    plan: &Plan,
    missing_is_zero: bool,
) -> (Calendar, Vec<Seen>, Raw, String) {
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
    for (slot, values) in plan.slots.iter().zip(&mut weeks.values) {
        if slot.domain != Domain::Amount {
            for (value, &days) in values.iter_mut().zip(&days) {
                *value /= f64::from(i32::try_from(days).unwrap_or(i32::MAX));
            }
        }
        retain(values, &complete);
    }
    let parts = complete.iter().zip(&weeks.week);
    let within = parts.filter(|(complete, week)| !**complete && whole.contains(week));
    let note = note(origin, first..last + 1, &whole, within.count());
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
    (Calendar::Dates(origin), seen, weeks, note)
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

fn note(
    origin: i64,
    days: std::ops::Range<i64>,
    whole: &std::ops::Range<i64>,
    within: usize,
) -> String {
    let day = |at: i64| Week::Day(origin + at);
    let mut note = format!(
        "days were summed to weeks, the first of which begins on {}",
        day(WEEK * whole.start)
    );
    let edges = [
        (days.start, WEEK * whole.start),
        (WEEK * whole.end, days.end),
    ];
    for (from, to) in edges {
        if from < to {
            let (from, to) = (day(from), day(to - 1));
            note.push_str(&format!(
                "; {from} to {to} are no whole week and were dropped"
            ));
        }
    }
    if within > 0 {
        note.push_str(&format!(
            "; {within} weeks of products with fewer than seven days were left out (--missing-is-zero takes their missing days for days without demand)"
        ));
    }
    note
}

#[cfg(test)]
mod tests {

    use super::super::data::Table;
    use super::super::input::Input;
    use super::super::read::read_from;
    use sheet::Sheet;

    use crate::backtest::week::Weekday;

    /// From Wednesday 2021-03-03 on so many days of product a, and of product b without the day before the last.
    fn table(days: usize, change: impl FnOnce(&mut Input)) -> Table {
        let mut text = String::from("product,week,demand,price,cost\n");
        for day in 0..days {
            let date = super::Week::Day(18_689 + i64::try_from(day).unwrap());
            for product in ["a", "b"] {
                if product == "a" || day + 2 != days {
                    text.push_str(&format!("{product},{date},{day},{},2\n", 3 + day % 7));
                }
            }
        }
        let mut input = Input {
            daily: Some(Weekday::Monday),
            ..Input::default()
        };
        change(&mut input);
        let bytes = std::io::Cursor::new(text.into_bytes());
        read_from(
            Sheet::from_reader(bytes, "f.csv", input.format.checked().unwrap()).unwrap(),
            &input,
        )
        .unwrap()
    }

    #[test]
    fn days_become_weeks_and_parts_of_weeks_are_dropped() {
        // Five days, then three whole weeks and two days.
        let read = table(5 + 21 + 2, |_| {});
        assert_eq!(
            read.week(read.products[0].first_week).to_string(),
            "2021-03-08"
        );
        let sums: Vec<f64> = (0..3)
            .map(|week| (0..7).map(|day| f64::from(5 + 7 * week + day)).sum())
            .collect();
        assert_eq!(read.demand, [&sums[..], &sums[..]].concat());
        assert!(read.price.iter().all(|price| (price - 6.0).abs() < 1e-12));
        let note = &read.notes[0];
        assert!(
            note.contains("2021-03-03 to 2021-03-07 are no whole week"),
            "{note}"
        );
        assert!(
            note.contains("2021-03-29 to 2021-03-30 are no whole week"),
            "{note}"
        );
    }

    #[test]
    fn a_week_without_all_of_its_days_is_unknown_unless_missing_is_zero() {
        let read = table(5 + 21, |_| {});
        let lengths: Vec<usize> = read
            .products
            .iter()
            .map(|product| product.rows.len())
            .collect();
        assert_eq!(lengths, [3, 2]);
        assert!(
            read.notes[0].contains("1 weeks of products"),
            "{}",
            read.notes[0]
        );
        let filled = table(5 + 21, |input| input.missing_is_zero = true);
        let lengths: Vec<usize> = filled
            .products
            .iter()
            .map(|product| product.rows.len())
            .collect();
        assert_eq!(lengths, [3, 3]);
        let sunday = table(5 + 21, |input| input.daily = Some(Weekday::Sunday));
        assert_eq!(
            sunday.week(sunday.products[0].first_week).to_string(),
            "2021-03-07"
        );
    }
}
