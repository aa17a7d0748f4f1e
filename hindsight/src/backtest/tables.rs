//! The results as tables: one for the terminal, two for the page.

use super::document::Document;
use super::words::{acted, findings};
use exo_idp::backtest::{ConfidenceLimits, Difference, PolicyResult, Role};
use report::number::{fixed, interval, percent};
use report::{Column, Table};

/// Digits after the point that suit money of this size.
pub(super) fn decimals(document: &Document) -> usize {
    let largest = document
        .results
        .policies
        .iter()
        .map(|policy| policy.mean.abs())
        .fold(0.0, f64::max);
    if largest >= 1000.0 {
        0
    } else if largest >= 100.0 {
        1
    } else if largest >= 1.0 {
        2
    } else {
        4
    }
}

pub(super) fn signed(x: f64, digits: usize) -> String {
    let text = fixed(x, digits);
    if x > 0.0 { format!("+{text}") } else { text }
}

/// The policies as a table for the terminal.
pub(super) fn table(document: &Document) -> Table {
    let digits = decimals(document);
    let mut table = Table::new([
        Column::text("policy"),
        Column::number(format!("reward {}", document.run.money)),
        Column::number("95 % interval").optional(),
        Column::number("of optimum"),
        Column::number("95 % interval").optional(),
        Column::number("vs best"),
        Column::number("95 % interval"),
        Column::number("fill rate").optional(),
        Column::number("stock").optional(),
        Column::number("ordered").optional(),
        Column::number("order weeks").optional(),
        Column::number("gap"),
        Column::number("tweak adds").optional(),
    ]);
    table.row(bound_row(document));
    let mut oracles = true;
    table.rule();
    for policy in &document.results.policies {
        if oracles && policy.role != Role::Oracle {
            if table.rows().count() > 1 {
                table.rule();
            }
            oracles = false;
        }
        table.row(
            money_cells(document, policy, digits)
                .into_iter()
                .chain(service_cells(policy))
                .chain(gap_cells(document, &policy.name)),
        );
    }
    table
}

/// A policy's equilibrium gap, and what the change that it is the gain of would add.
fn gap_cells(document: &Document, policy: &str) -> Vec<String> {
    let own = document.gaps.iter().find(|gap| gap.policy == policy);
    let digits = decimals(document);
    own.map_or_else(Vec::new, |own| {
        vec![fixed(own.gap, digits), signed(own.tweak, digits)]
    })
}

/// A share of the hindsight optimum; none where nothing could have been earned.
pub(super) fn share(x: f64) -> String {
    if x.is_finite() {
        percent(x, 1)
    } else {
        "n/a".to_owned()
    }
}

fn bound_row(document: &Document) -> Vec<String> {
    vec![
        "hindsight optimum".to_owned(),
        fixed(document.results.bound, decimals(document)),
        String::new(),
        percent(1.0, 1),
    ]
}

fn money_cells(document: &Document, policy: &PolicyResult, digits: usize) -> Vec<String> {
    let (difference, range) = match (
        policy.against_best,
        policy.name == document.results.best_heuristic,
    ) {
        (
            Some(Difference {
                mean,
                interval: ConfidenceLimits { lo, hi },
            }),
            _,
        ) => (signed(mean, digits), interval(lo, hi, digits)),
        (None, true) => ("(best)".to_owned(), String::new()),
        (None, false) => (String::new(), String::new()),
    };
    vec![
        policy.name.clone(),
        fixed(policy.mean, digits),
        interval(policy.interval.lo, policy.interval.hi, digits),
        share(policy.share_of_bound),
        share_interval(policy.share_interval),
        difference,
        range,
    ]
}

/// The interval of a share of the hindsight optimum, in per cent; nothing where none is given.
pub(super) fn share_interval(limits: Option<ConfidenceLimits>) -> String {
    limits.map_or_else(String::new, |ConfidenceLimits { lo, hi }| {
        interval(100.0 * lo, 100.0 * hi, 1)
    })
}

fn service_cells(policy: &PolicyResult) -> Vec<String> {
    vec![
        percent(policy.fill_rate, 1),
        fixed(policy.stock, 1),
        fixed(policy.ordered, 1),
        percent(policy.order_frequency, 0),
    ]
}

/// What each policy earned: the first table of the page.
pub(super) fn money_table(document: &Document) -> Table {
    let mut table = Table::new([
        Column::text("policy"),
        Column::number(format!("reward, {}", document.run.money)),
        Column::number("95 % interval"),
        Column::number("share of optimum"),
        Column::number("95 % interval"),
        Column::number("difference to the best heuristic"),
        Column::number("95 % interval"),
    ]);
    table.row(bound_row(document));
    for policy in &document.results.policies {
        table.row(money_cells(document, policy, decimals(document)));
    }
    table
}

/// Every policy minus the next one below it.
pub(super) fn links_table(document: &Document) -> Table {
    let digits = decimals(document);
    let mut table = Table::new([
        Column::text("policy"),
        Column::text("minus"),
        Column::number("difference"),
        Column::number("95 % interval"),
    ]);
    for next in document.results.policies.windows(2) {
        let (policy, minus) = (&next[0].name, &next[1].name);
        let found = document
            .results
            .pairs
            .iter()
            .find(|pair| pair.policy == *policy && pair.minus == *minus);
        if let Some(pair) = found {
            let Difference {
                mean,
                interval: ConfidenceLimits { lo, hi },
            } = pair.difference;
            table.row([
                policy.clone(),
                minus.clone(),
                signed(mean, digits),
                interval(lo, hi, digits),
            ]);
        }
    }
    table
}

/// What each policy did: the second table of the page.
pub(super) fn service_table(document: &Document) -> Table {
    let mut table = Table::numbers([
        "policy",
        "fill rate",
        "stock, units",
        "ordered, units",
        "weeks with an order",
        "share of optimum, by product",
    ]);
    for policy in &document.results.policies {
        let own = policy.share_by_product.map_or_else(String::new, share);
        table.row(
            std::iter::once(policy.name.clone())
                .chain(service_cells(policy))
                .chain([own]),
        );
    }
    table
}

/// What the terminal shows below the table.
pub(super) fn summary(document: &Document) -> String {
    let run = &document.run;
    let mut text = format!(
        "\nMeans per product and week, {}, weeks {} to {}, lead time {}.\n\n{}\n",
        products(run.products),
        run.held_out.0,
        run.held_out.1,
        run.lead_time,
        findings(document).join("\n")
    );
    text.push_str(&format!("{}\n", acted(document)));
    for notice in &document.notices {
        text.push_str(&format!("note: {notice}\n"));
    }
    text
}

/// The unit of money.
pub(super) fn money(document: &Document) -> &str {
    &document.run.money
}

/// A number of products in words.
pub(super) fn products(n: usize) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} product{s}", fixed(count(n), 0))
}

pub(super) fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
