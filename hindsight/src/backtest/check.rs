//! What is in a file, for `--check`.

use super::data::Table;
use crate::output;
use report::Column;
use report::number::{fixed, percent, significant};

/// What is in a file, for `--check`.
pub(super) fn describe(table: &Table) -> String {
    let count = |n: usize| fixed(f64::from(u32::try_from(n).unwrap_or(u32::MAX)), 0);
    let recorded = |column: &[f64]| -> (f64, f64, f64) {
        let values: Vec<f64> = column
            .iter()
            .zip(&table.present)
            .filter(|(_, present)| **present)
            .map(|(value, _)| *value)
            .collect();
        let total: f64 = values.iter().sum();
        let (lo, hi) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        (
            lo,
            total / f64::from(u32::try_from(values.len().max(1)).unwrap_or(u32::MAX)),
            hi,
        )
    };
    let (first, last) = table.weeks().unwrap_or((0, 0));
    let cells = table.present.len();
    let missing = f64::from(u32::try_from(table.missing()).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(cells.max(1)).unwrap_or(u32::MAX));
    let mut text = format!(
        "{}: {} rows, {} products, weeks {} to {}\n{} weeks between a product's first and last have no row ({})\n",
        table.source,
        count(table.rows_read),
        count(table.products.len()),
        table.week(first),
        table.week(last),
        count(table.missing()),
        percent(missing, 1)
    );
    for note in &table.notes {
        text.push_str(&format!(
            "note: {note}
"
        ));
    }
    let mut columns = report::Table::new(
        [Column::text("column")]
            .into_iter()
            .chain(["least", "mean", "largest"].map(Column::number)),
    );
    let mut add = |name: &str, values: &[f64]| {
        let (lo, mean, hi) = recorded(values);
        let show = |x: f64| significant(x, 4);
        columns.row([name.to_owned(), show(lo), show(mean), show(hi)]);
    };
    add(
        if table.is_sales { "sales" } else { "demand" },
        &table.demand,
    );
    add("price", &table.price);
    add("cost", &table.cost);
    let censoring = [
        ("in stock", &table.censoring.in_stock),
        ("views while out", &table.censoring.views_out),
        ("views while in", &table.censoring.views_in),
        ("conversion", &table.censoring.conversion),
    ];
    for (name, values) in censoring {
        if let Some(values) = values {
            add(name, values);
        }
    }
    for covariate in &table.covariates {
        add(
            &format!(
                "{}{}",
                covariate.name,
                if covariate.planned { " (planned)" } else { "" }
            ),
            &covariate.values,
        );
    }
    text + "\n" + &columns.render(output::width())
}
