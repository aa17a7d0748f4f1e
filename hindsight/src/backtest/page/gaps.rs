//! Could the policies be bettered in hindsight?

use super::super::document::Document;
use super::super::tables::{decimals, signed};
use super::rewards::ink;
use bandit_eval::Interval;
use exo_idp::backtest::Role;
use report::number::{fixed, interval, percent, with_interval};
use report::{Axis, Column, Estimate, IntervalChart, Page, Table};

/// Every policy's gap.
pub(crate) fn table(document: &Document) -> Table {
    let digits = decimals(document);
    let ends = |i: Interval| interval(i.lower, i.upper, digits);
    let mut table = Table::new([
        Column::text("policy"),
        Column::number("gap"),
        Column::number("95 % interval"),
        Column::number("over Direct Backprop"),
        Column::number("95 % interval"),
        Column::number("orders changed").optional(),
        Column::number("tweak adds"),
        Column::number("95 % interval"),
    ]);
    for own in &document.gaps {
        let over = own.over_trained;
        table.row([
            own.policy.clone(),
            fixed(own.gap, digits),
            ends(own.interval),
            over.map_or_else(String::new, |over| signed(over.mean, digits)),
            over.map_or_else(String::new, |over| ends(over.interval)),
            percent(own.changed, 0),
            signed(own.tweak, digits),
            ends(own.tweak_interval),
        ]);
    }
    table
}

/// What the numbers mean.
pub(crate) fn words(document: &Document) -> String {
    let windows = document.gaps.first().map_or(0, |own| own.windows.len());
    let drawn = document.gaps.first().map(|own| own.products);
    let which = drawn
        .filter(|drawn| *drawn < document.run.products)
        .map_or_else(
            || "the products".to_owned(),
            |drawn| format!("{drawn} products drawn by lot"),
        );
    format!(
        "The gap is what changing a small share of a policy's orders (times 0 to 2, by a tree over planned covariates, price and recent demand) would have earned, {} a changed order, \
         over {windows} held-out window{}. Half of {which} choose the changes, the others say what they gain, so that no gap flatters itself by luck; below 0 nothing was found. The tweak follows the \
         changes in all orders at once: what that adds to the reward a product and week. Each window has its own changes; the share of orders changed is that of the last. Intervals know that products share their weeks.",
        document.run.money,
        if windows == 1 { "" } else { "s" },
    )
}

/// The policy that hindsight betters least, in a sentence.
pub(crate) fn finding(document: &Document) -> String {
    let digits = decimals(document);
    let least = document
        .gaps
        .iter()
        .filter(|own| own.role != Role::Oracle)
        .min_by(|a, b| a.gap.total_cmp(&b.gap));
    let Some(own) = least else {
        return "No policy has an equilibrium gap here.".to_owned();
    };
    let (lower, upper) = (own.interval.lower, own.interval.upper);
    let shown = match lower > 0.0 {
        true => "changing a small share of its orders would still have earned more",
        false => "that a change would have bettered it is not shown",
    };
    format!(
        "The smallest gap of a policy that does not know the future is that of {}, {} {} a changed order: {shown}.",
        own.policy,
        with_interval(own.gap, (lower, upper), digits),
        document.run.money
    )
}

/// The section of the page.
pub(crate) fn section(page: &mut Page, document: &Document) {
    if document.gaps.is_empty() {
        return;
    }
    let digits = decimals(document);
    let axis = Axis::linear(format!(
        "Equilibrium gap, {} a changed order",
        document.run.money
    ));
    let mut chart = IntervalChart::new("What hindsight would have changed", axis);
    for own in &document.gaps {
        let ends = (own.interval.lower, own.interval.upper);
        let text = with_interval(own.gap, ends, digits);
        chart = chart.row(Estimate::new(&own.policy, own.gap, Some(ends), text).ink(ink(own.role)));
    }
    page.section("Could the policies be bettered in hindsight?")
        .text(&words(document))
        .figure(&chart.reference(0.0, "an equilibrium: no change found").svg(), "The equilibrium gap of each policy with its 95 % interval. The smaller, the nearer is the policy to one that no such change betters.")
        .table(&table(document), "Gaps, their differences to that of Direct Backprop order by order, and what following the changes found would add.");
}
