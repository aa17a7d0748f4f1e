//! Figures of shared-revenue Bertrand competition.

use games::bertrand::{LinearDemand, OutcomeKind, SharedRevenue};
use serde_json::json;

use super::map::{Figure, Parameters, centres};
use super::problem::Problem;
use report::{Axis, HeatMap, Ink, Series, XyChart};

/// Outcomes over (fee, ratio of costs) or over both costs.
pub(super) fn outcomes(p: &Parameters, over_fee: bool) -> Result<Figure, Problem> {
    let demand = LinearDemand::new(1.0)?;
    let kinds = if over_fee {
        SharedRevenue::kinds_over_fees(&demand, p.retailer_cost, p.cells)?
    } else {
        SharedRevenue::kinds_over_costs(&demand, p.fee, p.cells)?
    };
    let cells: Vec<usize> = kinds.into_iter().map(|kind| kind as usize).collect();
    let (title, x, y, top) = if over_fee {
        (
            format!(
                "Refined outcome of shared-revenue Bertrand: retailer's cost {}",
                p.retailer_cost
            ),
            Axis::linear("Fee").percent(),
            Axis::linear("Seller's cost / retailer's cost"),
            1.5,
        )
    } else {
        (
            format!("Refined outcome of shared-revenue Bertrand: fee {}", p.fee),
            Axis::linear("Retailer's cost / choke price"),
            Axis::linear("Seller's cost / choke price"),
            1.0,
        )
    };
    let chart = HeatMap::classes(
        title,
        x,
        y,
        (0.0, 1.0),
        (0.0, top),
        p.cells,
        &cells,
        OutcomeKind::ALL.map(OutcomeKind::words),
    )
    .size(720.0, 580.0);
    Ok(Figure {
        svg: chart.svg(),
        finding: chart.told(),
        data: json!({ "cells": p.cells, "names": OutcomeKind::ALL.map(OutcomeKind::words), "outcomes": cells }),
    })
}

/// Price, payoffs and surplus against the fee; an interval as a band.
pub(super) fn fee(p: &Parameters) -> Result<Figure, Problem> {
    let game = SharedRevenue::new(LinearDemand::new(1.0)?, p.retailer_cost, p.seller_cost, 0.0)?;
    let mut lines: [Vec<(f64, f64)>; 4] = std::array::from_fn(|_| Vec::new());
    let mut bands: [Vec<(f64, f64, f64)>; 4] = std::array::from_fn(|_| Vec::new());
    for (fee, [low, high]) in game.sales_over_fees(p.cells)? {
        for (i, (a, b)) in [
            (low.retailer, high.retailer),
            (low.seller, high.seller),
            (low.consumers, high.consumers),
            (low.price, high.price),
        ]
        .into_iter()
        .enumerate()
        {
            lines[i].push((fee, b));
            bands[i].push((fee, a.min(b), a.max(b)));
        }
    }
    let best = game.best_fee(0.0)?;
    let title = format!(
        "Outcome against the fee: retailer's cost {}, seller's cost {} (lines: highest price of an interval)",
        p.retailer_cost, p.seller_cost
    );
    let mut chart = XyChart::new(
        title,
        Axis::linear("Fee").percent().range(0.0, 1.0),
        Axis::linear("Price, payoff, surplus").with_zero(),
    )
    .size(720.0, 420.0);
    let names = ["retailer", "seller", "consumers", "price"];
    for (at, name) in names.into_iter().enumerate() {
        let line = Series::line(name, lines[at].clone()).dash(at);
        chart = chart.series(line.band(bands[at].clone()));
    }
    if let Some(fee) = best.fee {
        chart = chart.mark_x(fee, "best fee");
    }
    Ok(Figure {
        svg: chart.svg(),
        finding: format!("With these costs {}", best.words()),
        data: json!({ "best_fee": best, "price": bands[3], "retailer": bands[0], "seller": bands[1], "consumers": bands[2] }),
    })
}

/// The best fee against the outside option.
pub(super) fn outside_option(p: &Parameters) -> Result<Figure, Problem> {
    let game = SharedRevenue::new(LinearDemand::new(1.0)?, p.retailer_cost, p.seller_cost, 0.0)?;
    let (mut fees, mut values, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for omega in centres(0.0, 0.25 * (1.0 - p.seller_cost).max(0.04).powi(2), p.cells) {
        let best = game.best_fee(omega)?;
        fees.push((omega, best.fee.unwrap_or(f64::NAN)));
        values.push((omega, best.value));
        alone.push((omega, best.alone));
    }
    let title = format!(
        "Best fee against the seller's outside option: retailer's cost {}, seller's cost {}",
        p.retailer_cost, p.seller_cost
    );
    // Colours as in the charts over the fee.
    let alone = Series::line("retailer alone", alone).ink(Ink::Muted);
    let fee = Series::line("best fee (none where the line ends)", fees.clone());
    let fee = fee.ink(Ink::Series(3));
    let svg = XyChart::new(
        title,
        Axis::linear("Outside option (payoff)"),
        Axis::linear("Fee, payoff").with_zero(),
    )
    .series(Series::line("retailer's payoff", values.clone()))
    .series(alone.dashed())
    .series(fee.dotted())
    .size(720.0, 400.0)
    .svg();
    Ok(Figure {
        svg,
        finding: format!("Without an outside option: {}", game.best_fee(0.0)?.words()),
        data: json!({ "fee": fees, "value": values }),
    })
}
