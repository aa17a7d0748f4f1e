//! Figures of the marketplace.

use games::marketplace::{MarketParameters, Marketplace, PhaseDiagram, Rationing, Regime};
use serde_json::json;

use super::fields::named;
use super::map::{Figure, Parameters};
use super::problem::Problem;
use report::number::{percent, plain};
use report::{Axis, HeatMap, Ink, Series, Shades, XyChart};

/// Each cell's place among the regimes.
fn classes(regimes: impl Iterator<Item = Option<Regime>>) -> Vec<usize> {
    let place = |r| Regime::ALL.iter().position(|p| Some(*p) == r);
    regimes.map(|r| place(r).unwrap_or(usize::MAX)).collect()
}

fn rationing(p: &Parameters) -> Result<Rationing, Problem> {
    named(
        "rationing",
        Some(&p.rationing),
        &["intensity", "proportional"],
    )
}

fn base(p: &Parameters) -> MarketParameters {
    MarketParameters {
        choke_price: 1.0,
        operator_cost: p.operator_cost,
        seller_cost: p.seller_cost,
        fee: p.fee,
        experience: p.experience,
    }
}

fn diagram(p: &Parameters) -> Result<PhaseDiagram, Problem> {
    Ok(Marketplace::phase_diagram(base(p), rationing(p)?, p.cells)?)
}

fn caption(p: &Parameters) -> String {
    format!(
        "fee {}, experience value {}, {} rationing",
        p.fee, p.experience, p.rationing
    )
}

fn cost_axes() -> (Axis, Axis) {
    (
        Axis::linear("Seller's cost / choke price"),
        Axis::linear("Operator's cost / choke price"),
    )
}

/// Equilibrium regimes over both costs.
pub(super) fn regimes(p: &Parameters) -> Result<Figure, Problem> {
    let map = diagram(p)?;
    let cells = classes(map.equilibria.iter().map(|c| Some(c.regime)));
    let (x, y) = cost_axes();
    let shares: Vec<(Regime, f64)> = Regime::ALL[..4]
        .iter()
        .map(|r| (*r, map.share(*r)))
        .collect();
    let chart = HeatMap::classes(
        format!("Equilibrium of the marketplace: {}", caption(p)),
        x,
        y,
        (0.0, 1.0),
        (0.0, 1.0),
        p.cells,
        &cells,
        Regime::ALL.map(Regime::words),
    )
    .size(720.0, 560.0);
    Ok(Figure {
        svg: chart.svg(),
        finding: chart.told(),
        data: json!({ "fee": p.fee, "experience": p.experience, "rationing": p.rationing, "shares": shares, "map": map }),
    })
}

/// The seller's reply over the operator's postings.
pub(super) fn reply(p: &Parameters) -> Result<Figure, Problem> {
    let market = Marketplace::new(base(p))?;
    let map = market.reply_map(rationing(p)?, p.substitutability, p.cells)?;
    let cells = classes(map.replies.iter().map(|c| c.regime));
    let title = format!(
        "The seller's reply: seller's cost {}, fee {}, substitutability {}, {} rationing",
        p.seller_cost, p.fee, p.substitutability, p.rationing
    );
    let curve = map
        .threshold
        .iter()
        .copied()
        .filter(|(_, q)| *q <= 1.0)
        .collect();
    let chart = HeatMap::classes(
        title,
        Axis::linear("Operator's price / choke price"),
        Axis::linear("Operator's stock / choke price"),
        (0.0, 1.0),
        (0.0, 1.0),
        p.cells,
        &cells,
        Regime::ALL.map(Regime::words),
    )
    .line("stock from which the seller competes", curve)
    .size(720.0, 560.0);
    Ok(Figure {
        svg: chart.svg(),
        finding: chart.told(),
        data: json!({ "parameters": market.parameters(), "map": map }),
    })
}

/// Surplus or welfare against the seller's monopoly, over both costs.
pub(super) fn difference(p: &Parameters, welfare: bool) -> Result<Figure, Problem> {
    let map = diagram(p)?;
    let gains = map.gains(|cell| match welfare {
        true => cell.welfare_gain,
        false => cell.surplus_gain,
    });
    let share = gains.share_lost;
    let what = if welfare {
        "Welfare"
    } else {
        "Consumer surplus"
    };
    let falls = match share {
        0.0 => "nowhere".to_owned(),
        _ => format!("in {} of the area", percent(share, 1)),
    };
    let (x, y) = cost_axes();
    let svg = HeatMap::values(
        format!("{what} minus that of the seller's monopoly: {}", caption(p)),
        x,
        y,
        (0.0, 1.0),
        (0.0, 1.0),
        p.cells,
        gains.cells,
        if welfare {
            Shades::Diverging(0.0)
        } else {
            Shades::Sequential
        },
        "gain",
    )
    .line(
        "right of it the seller alone could not trade: nothing to compare with",
        vec![(1.0 - p.fee, 0.0), (1.0 - p.fee, 1.0)],
    )
    .size(720.0, 560.0)
    .svg();
    Ok(Figure {
        svg,
        finding: format!("{what} falls {falls} against the seller's monopoly"),
        data: json!({ "fee": p.fee, "experience": p.experience, "rationing": p.rationing, "share_of_cells_where_it_falls": share, "least": gains.least, "map": map }),
    })
}

/// The operator's payoff against the fee.
pub(super) fn operator_fee(p: &Parameters) -> Result<Figure, Problem> {
    let curve = Marketplace::fee_curve(base(p), rationing(p)?, p.cells)?;
    let title = format!(
        "Payoffs against the fee: operator's cost {}, seller's cost {}, experience value {}, {} rationing",
        p.operator_cost, p.seller_cost, p.experience, p.rationing
    );
    let svg = XyChart::new(
        title,
        Axis::linear("Fee").percent().range(0.0, 1.0),
        Axis::linear("Payoff").with_zero(),
    )
    .series(Series::line("operator, as leader", curve.operator.clone()))
    // The operator and the seller have the colours of the other charts over the fee.
    .series(Series::line("seller", curve.seller.clone()).dashed())
    .series(
        Series::line(
            "operator, seller alone",
            curve.operator_when_seller_alone.clone(),
        )
        .ink(Ink::Series(0))
        .dotted(),
    )
    .mark_x(curve.best_fee.0, "best fee")
    .size(720.0, 400.0)
    .svg();
    let (fee, earned) = curve.best_fee;
    // From some fee on the operator may sell alone, and the fee is idle.
    let mut above = curve.operator.iter().filter(|point| point.0 > fee);
    let more = if above.all(|point| point.1 >= earned - 1e-9) {
        " or more"
    } else {
        ""
    };
    let (fee, earned) = (percent(fee, 1), plain(earned, 4));
    Ok(Figure {
        svg,
        finding: format!("The operator earns most, {earned}, at a fee of {fee}{more}"),
        data: json!(curve),
    })
}
