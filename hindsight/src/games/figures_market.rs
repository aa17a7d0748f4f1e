//! Figures of the marketplace.

use games::marketplace::{MarketParameters, Marketplace, PhaseDiagram, Rationing, Regime};
use serde_json::json;

use super::fields::named;
use super::map::{Figure, Parameters};
use super::problem::Problem;
use report::{Axis, HeatMap, Series, Shades, XyChart};

const REGIMES: [(Regime, &str); 6] = [
    (
        Regime::Compete,
        "compete: the seller matches, the stock is a threat",
    ),
    (Regime::Wait, "wait: the operator sells out first"),
    (Regime::Abstain, "abstain: the seller stays out"),
    (Regime::SellerAlone, "the seller alone"),
    (Regime::OperatorAlone, "the operator alone"),
    (Regime::NoTrade, "no trade"),
];

/// Classes that occur, in order, and each cell's index among them.
fn classes(regimes: &[Option<Regime>]) -> (Vec<usize>, Vec<&'static str>) {
    let present: Vec<&(Regime, &str)> = REGIMES
        .iter()
        .filter(|(r, _)| regimes.contains(&Some(*r)))
        .collect();
    let cells = regimes
        .iter()
        .map(|r| {
            present
                .iter()
                .position(|(p, _)| Some(*p) == *r)
                .unwrap_or(usize::MAX)
        })
        .collect();
    (cells, present.iter().map(|p| p.1).collect())
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
    let regimes: Vec<Option<Regime>> = map.equilibria.iter().map(|c| Some(c.regime)).collect();
    let (cells, names) = classes(&regimes);
    let (x, y) = cost_axes();
    let shares: Vec<(Regime, f64)> = REGIMES[..4]
        .iter()
        .map(|(r, _)| (*r, map.share(*r)))
        .collect();
    let svg = HeatMap::classes(
        format!("Equilibrium of the marketplace: {}", caption(p)),
        x,
        y,
        (0.0, 1.0),
        (0.0, 1.0),
        p.cells,
        &cells,
        names,
    )
    .size(720.0, 560.0)
    .svg();
    Ok(Figure {
        svg,
        data: json!({ "fee": p.fee, "experience": p.experience, "rationing": p.rationing, "shares": shares, "map": map }),
    })
}

/// The seller's reply over the operator's postings.
pub(super) fn reply(p: &Parameters) -> Result<Figure, Problem> {
    let market = Marketplace::new(base(p))?;
    let map = market.reply_map(rationing(p)?, p.substitutability, p.cells)?;
    let regimes: Vec<Option<Regime>> = map.replies.iter().map(|c| c.regime).collect();
    let (cells, names) = classes(&regimes);
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
    let svg = HeatMap::classes(
        title,
        Axis::linear("Operator's price / choke price"),
        Axis::linear("Operator's stock / choke price"),
        (0.0, 1.0),
        (0.0, 1.0),
        p.cells,
        &cells,
        names,
    )
    .line("stock that makes the seller compete", curve)
    .size(720.0, 560.0)
    .svg();
    Ok(Figure {
        svg,
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
    let finding = if share > 0.0 {
        format!("; falls in {:.1} % of the cells", 100.0 * share)
    } else {
        "; falls nowhere".to_owned()
    };
    let (x, y) = cost_axes();
    let svg = HeatMap::values(
        format!(
            "{what} minus that of the seller's monopoly: {}{finding}",
            caption(p)
        ),
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
        format!("{what} gain"),
    )
    .line(
        "right of it the seller alone could not trade: nothing to compare with",
        vec![(1.0 - p.fee, 0.0), (1.0 - p.fee, 1.0)],
    )
    .size(720.0, 560.0)
    .svg();
    Ok(Figure {
        svg,
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
    .series(
        Series::line(
            "operator, seller alone",
            curve.operator_when_seller_alone.clone(),
        )
        .dashed(),
    )
    .series(Series::line("seller", curve.seller.clone()).dotted())
    .mark_x(curve.best_fee.0, "best fee")
    .size(720.0, 400.0)
    .svg();
    Ok(Figure {
        svg,
        data: json!(curve),
    })
}
