//! Figures of `hindsight drain`.

use ::drain::model::Placement;
use ::drain::protocol::{DistanceBin, Judged, Round};
use report::number::{percent, significant};
use report::{Axis, BarChart, HeatMap, Series, Shades, Svg, Table, XyChart, figures};

use super::{Stores, wrong};
use crate::error::CliError;

/// Flows `[warehouse][region]` as shades.
pub(super) fn flow_map(title: &str, flow: &[f64], regions: usize) -> Svg {
    let end = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let warehouses = flow.len() / regions;
    let (x, y) = (Axis::linear("Region"), Axis::linear("Warehouse"));
    let label = "units";
    let (wide, high) = ((-0.5, end(regions) - 0.5), (-0.5, end(warehouses) - 0.5));
    HeatMap::values(
        title,
        x,
        y,
        wide,
        high,
        regions,
        flow.to_vec(),
        Shades::Sequential,
        label,
    )
    .svg()
}

/// Who ships where in a week of a quarter more than mean demand: the cheapest plan under a placement.
pub(super) fn map(title: &str, stores: &Stores, levels: &[f64]) -> Result<Svg, CliError> {
    let flow = stores.world.planned_flow(levels, 1.25).map_err(wrong)?;
    let places = |list: &[::drain::orders::Place]| -> Vec<(f64, f64)> {
        list.iter().map(|p| (p.east, p.north)).collect()
    };
    let (houses, zones) = (&stores.layout.warehouses, &stores.layout.zones);
    Ok(figures::flows(
        title,
        &places(houses),
        &places(zones),
        &flow,
    ))
}

/// Errors by distance from the training states.
pub(super) fn by_distance(bins: &[(&str, &[DistanceBin])]) -> Table {
    let names = [
        "states",
        "distance in shares of demand",
        "number",
        "error of units",
        "bias of money",
    ];
    let mut table = Table::numbers(names);
    for (name, bins) in bins {
        for b in *bins {
            let range = if b.to.is_finite() {
                format!("{:.2} to {:.2}", b.from, b.to)
            } else {
                format!("{:.2} and more", b.from)
            };
            let row = [
                (*name).to_owned(),
                range,
                b.states.to_string(),
                percent(b.wape, 1),
                percent(b.cost_bias, 1),
            ];
            table.row(row);
        }
    }
    table
}

/// Stock by warehouse in each of some placements.
pub(super) fn placements(list: &[(String, &Placement)]) -> Svg {
    let count = list.first().map_or(0, |(_, p)| p.levels.len());
    let names = (0..count).map(|w| format!("warehouse {w}"));
    let chart = BarChart::new("Stock by warehouse", Axis::linear("Units"), names);
    let add =
        |chart: BarChart, (name, p): &(String, &Placement)| chart.series(name, p.levels.clone());
    list.iter().fold(chart, add).svg()
}

/// What placements cost by the model and by the referee.
pub(super) fn ranking(rounds: &[Round]) -> Svg {
    let point = |j: &Judged| (j.model, j.referee);
    let (x, y) = (
        Axis::linear("Money a week by the model"),
        Axis::linear("Money a week by the referee"),
    );
    let add = |chart: XyChart, (k, round): (usize, &Round)| {
        let name = format!(
            "{} (rank correlation {})",
            stage(k),
            significant(round.spearman, 3)
        );
        chart.series(Series::points(
            name,
            round.candidates.iter().map(point).collect(),
        ))
    };
    let chart = XyChart::new("Placements of one budget", x, y).diagonal("the same");
    rounds.iter().enumerate().fold(chart, add).svg()
}

/// The name of a round.
pub(super) fn stage(round: usize) -> String {
    match round {
        0 => "first fit".to_owned(),
        1 => "refitted".to_owned(),
        more => format!("refitted {more} times"),
    }
}
