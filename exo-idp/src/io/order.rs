//! The order of a product's weeks.

use super::arrange::{Raw, Seen};
use super::error::RowProblem;
use crate::calendar::{Calendar, Week};

/// So many weeks without a row are taken for a mistake.
const LONGEST_GAP: i64 = 520;

/// What is wrong with a text that is no week.
pub(super) fn no_week(text: &str) -> RowProblem {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let field = text.to_owned();
    match text.trim().split_once(['W', 'w']) {
        Some((year, week)) if digits(year.trim_end_matches('-')) && digits(week) => {
            RowProblem::NoIsoWeek { text: field }
        }
        _ => RowProblem::NoWeek { text: field },
    }
}

/// What is wrong with the week of a further row of a product, if anything; the weeks of the file rise, or fall.
pub(super) fn out_of_order(
    seen: &Seen,
    number: usize,
    week: Week,
    place: i64,
    falling: bool,
    calendar: Calendar,
    raw: &Raw,
) -> Option<RowProblem> {
    let product = || seen.name.clone();
    // The weeks from the row before to this one, in the direction of the file.
    let step = if falling {
        seen.latest - place
    } else {
        place - seen.latest
    };
    let before = calendar.week(seen.latest);
    if step <= 0 {
        let mut rows = 0..raw.week.len();
        let twin = rows.find(|&row| raw.product[row] == number && raw.week[row] == place);
        return Some(match twin.map(|row| raw.line[row]) {
            Some(line) if week.begins_anew(before) => RowProblem::BeginsAnew {
                product: product(),
                week,
                before,
                line,
            },
            Some(line) => RowProblem::Repeated {
                product: product(),
                week,
                line,
            },
            None => RowProblem::OutOfOrder {
                product: product(),
                week,
                before,
                line: seen.last_line,
            },
        });
    }
    let gap = step - 1;
    if gap > 10 && week.looks_like_year_and_week() && before.looks_like_year_and_week() {
        return Some(RowProblem::YearAndWeek {
            product: product(),
            week,
            before,
        });
    }
    (gap > LONGEST_GAP).then(|| RowProblem::Gap {
        product: product(),
        week,
        gap,
        before,
        line: seen.last_line,
    })
}
