//! What is in a file, for `--check`.

use super::tables::{count, products};
use crate::output;
use exo_idp::io::SalesTable;
use report::Column;
use report::number::{fixed, percent, significant};

/// What is in a file, for `--check`.
pub(super) fn describe(table: &SalesTable, notes: &[String]) -> String {
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
    for own in table.summaries() {
        let planned = if own.planned { " (planned)" } else { "" };
        let [least, mean, largest] = [own.least, own.mean, own.largest].map(|x| significant(x, 4));
        columns.row([format!("{}{planned}", own.name), least, mean, largest]);
    }
    text + "\n" + &columns.render(output::width())
}
