//! Figures and tables of several origins.

use super::super::document::Document;
use super::super::tables::{decimals, money, share, share_interval, signed};
use super::rewards::difference_row;
use exo_idp::backtest::{Origins, Standings};
use report::number::{fixed, interval};
use report::{Axis, Column, Ink, IntervalChart, Page, Svg, Table};

/// The trained policy minus the best heuristic: of every window by itself, then of all windows together.
fn differences(document: &Document, origins: &Origins) -> Svg {
    let digits = decimals(document);
    let axis = Axis::linear(format!(
        "Difference in reward, {} a product and week",
        money(document)
    ));
    let mut chart = IntervalChart::new("Direct Backprop minus the best heuristic, by origin", axis)
        .group("each window, against its own best heuristic");
    for origin in &origins.origins {
        let best = &origin.scores.best_heuristic;
        let label = format!("{} to {}: {best}", origin.held_out.0, origin.held_out.1);
        if let Some(difference) = origin.scores.trained().and_then(|t| t.against_best) {
            chart = chart.row(difference_row(label, difference, digits).ink(Ink::Series(1)));
        }
    }
    chart = chart.group("all windows together, against every heuristic");
    let pooled = &origins.pooled;
    for other in pooled.heuristics() {
        let found = pooled
            .trained()
            .and_then(|trained| pooled.difference(&trained.name, &other.name));
        if let Some(difference) = found {
            chart = chart.row(difference_row(&other.name, difference, digits).ink(Ink::Series(0)));
        }
    }
    chart.reference(0.0, "no difference").svg()
}

/// What every policy earned in every window.
pub(in super::super) fn rewards_table(document: &Document, origins: &Origins) -> Table {
    let digits = decimals(document);
    let windows = origins
        .origins
        .iter()
        .map(|origin| format!("{} to {}", origin.held_out.0, origin.held_out.1));
    let columns = std::iter::once(Column::text("policy"))
        .chain(windows.map(Column::number))
        .chain(["together", "of optimum", "95 % interval"].map(Column::number));
    let mut table = Table::new(columns);
    for policy in &origins.pooled.policies {
        let in_window = |scores: &Standings| {
            scores
                .of(&policy.name)
                .map_or_else(String::new, |own| fixed(own.mean, digits))
        };
        let cells = origins.origins.iter().map(|o| in_window(&o.scores));
        table.row(
            std::iter::once(policy.name.clone())
                .chain(cells)
                .chain([fixed(policy.mean, digits), share(policy.share_of_bound)])
                .chain([share_interval(policy.share_interval)]),
        );
    }
    table
}

/// The trained policy against the best heuristic, window by window.
pub(in super::super) fn differences_table(document: &Document, origins: &Origins) -> Table {
    let digits = decimals(document);
    let mut table = Table::new([
        Column::text("held-out weeks"),
        Column::text("trained on").optional(),
        Column::text("acted").optional(),
        Column::text("best heuristic"),
        Column::number("difference"),
        Column::number("95 % interval"),
    ]);
    let span = |weeks: &(String, String)| format!("{} to {}", weeks.0, weeks.1);
    let mut row = |weeks: String, trained_on: String, acted: &str, scores: &Standings| {
        let difference = scores.trained().and_then(|t| t.against_best);
        let (mean, range) = difference.map_or_else(Default::default, |d| {
            let range = interval(d.interval.lo, d.interval.hi, digits);
            (signed(d.mean, digits), range)
        });
        table.row([
            weeks,
            trained_on,
            acted.to_owned(),
            scores.best_heuristic.clone(),
            mean,
            range,
        ]);
    };
    for origin in &origins.origins {
        row(
            span(&origin.held_out),
            span(&origin.training),
            &origin.chosen,
            &origin.scores,
        );
    }
    row("together".to_owned(), String::new(), "", &origins.pooled);
    table
}

/// The section of the page.
pub(super) fn section(page: &mut Page, document: &Document, origins: &Origins) {
    page.section("Over several origins");
    page.text(
        "The whole job, fitting and training included, was repeated with earlier ends of the record. The held-out windows follow one another and do not \
         overlap; each was trained on only the weeks before it, and the record that was given to it ends with it. All other sections are about the last window.",
    );
    page.figure(
        &differences(document, origins),
        "Above, each window against the heuristic that earned most in it, which no one knows beforehand; below, all windows together against each heuristic. \
         95 % intervals by paired bootstrap over products and blocks of weeks; for all windows together the weeks of all windows are drawn.",
    );
    page.table(
        &differences_table(document, origins),
        "The trained policy minus the best heuristic of each window, and of all windows together; what acted as the trained policy was chosen by the windows before.",
    );
    page.table(
        &rewards_table(document, origins),
        "Mean reward of each policy in each window, and in all of them together, also as a share of the hindsight optimum, with its 95 % interval by the same bootstrap.",
    );
}
