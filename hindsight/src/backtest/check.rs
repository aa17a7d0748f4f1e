//! What is in a file, for `--check`.

use super::tables::{count, products};
use crate::output;
use exo_idp::io::SalesTable;
use report::Column;
use report::number::{fixed, percent, significant};

/// What is in a file, for `--check`.
pub(super) fn describe(table: &SalesTable, notes: &[String]) -> String {
    let recorded = |column: &[f64]| -> (f64, f64, f64) {
        let values = column.iter().zip(&table.recorded);
        let values = values.filter(|(_, recorded)| **recorded);
        let values: Vec<f64> = values.map(|(value, _)| *value).collect();
        let (lo, hi) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        let total: f64 = values.iter().sum();
        (lo, total / count(values.len().max(1)), hi)
    };
    let (first, last) = table.weeks().unwrap_or((0, 0));
    let cells = table.recorded.len();
    let missing = count(table.missing()) / count(cells.max(1));
    let mut text = format!(
        "{}: {} rows, {}, weeks {} to {}\n{} weeks between a product's first and last have no row ({})\n",
        table.source,
        fixed(count(table.rows_read), 0),
        products(table.products.len()),
        table.week(first),
        table.week(last),
        fixed(count(table.missing()), 0),
        percent(missing, 1)
    );
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
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
    match &table.sales {
        Some(sales) => add("sales", sales),
        None => add("demand", &table.demand),
    }
    add("price", &table.price);
    add("cost", &table.cost);
    let stock = [
        ("in stock", &table.stock.in_stock),
        ("views while out", &table.stock.views_out),
        ("views while in", &table.stock.views_in),
        ("conversion", &table.stock.conversion),
    ];
    let orders = ("orders", &table.orders);
    for (name, values) in stock.into_iter().chain([orders]) {
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
