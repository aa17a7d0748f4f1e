//! Figures of `hindsight drain`.

use ::drain::model::{Baseline, Placement, State};
use ::drain::protocol::{DistanceBin, Judged, Round};
use report::number::{percent, significant};
use report::{Axis, BarChart, Column, HeatMap, Ink, Series, Shades, Svg, Table, XyChart};

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

/// Who ships where in a week of mean demand, on the map: the cheapest plan under a placement.
pub(super) fn map(title: &str, stores: &Stores, levels: &[f64]) -> Result<Svg, CliError> {
    let state = State {
        stock: levels.to_vec(),
        demand: stores.world.mean_demand().to_vec(),
    };
    let flow = Baseline::LinearProgramme.flow(stores.world.costs(), &state);
    let flow = flow.map_err(wrong)?;
    let (houses, zones) = (&stores.layout.warehouses, &stores.layout.zones);
    let most = flow.iter().copied().fold(0.0, f64::max);
    let lines = |from: f64, to: f64| {
        let mut points = Vec::new();
        for (k, units) in flow.iter().enumerate() {
            if *units > from * most && *units <= to * most {
                let (w, z) = (houses[k / zones.len()], zones[k % zones.len()]);
                points.extend([(w.east, w.north), (z.east, z.north), (f64::NAN, f64::NAN)]);
            }
        }
        points
    };
    let places = |list: &[::drain::orders::Place]| list.iter().map(|p| (p.east, p.north)).collect();
    let axis = |label: &str| Axis::linear(label).range(-1200.0, 1200.0);
    Ok(XyChart::new(title, axis("East, km"), axis("North, km"))
        .size(520.0, 480.0)
        .series(
            Series::line(
                "more than a third of the largest flow",
                lines(1.0 / 3.0, 1.0),
            )
            .ink(Ink::Series(0)),
        )
        .series(
            Series::line("less", lines(1e-9, 1.0 / 3.0))
                .ink(Ink::Series(0))
                .dotted(),
        )
        .series(Series::points("warehouses", places(houses)).ink(Ink::Series(1)))
        .series(Series::points("zones", places(zones)).ink(Ink::Series(2)))
        .svg())
}

/// The ranks of outcomes among samples, and reliability.
pub(super) fn calibration(pit: &[u64], reliability: &[(f64, f64)]) -> [Svg; 2] {
    let all: u64 = pit.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of outcomes")]
    let share = |(k, count): (usize, &u64)| {
        let bins = pit.len() as f64;
        ((k as f64 + 0.5) / bins, *count as f64 * bins / all as f64)
    };
    let bars = pit.iter().enumerate().map(share).collect();
    let rank = || Axis::linear("Rank of the outcome among the samples").range(0.0, 1.0);
    [
        XyChart::new(
            "Probability integral transform",
            rank(),
            Axis::linear("Density").with_zero(),
        )
        .series(Series::bars("outcomes", bars))
        .mark_y(1.0, "calibrated")
        .svg(),
        XyChart::new(
            "Reliability",
            Axis::linear("Level of the quantile")
                .percent()
                .range(0.0, 1.0),
            Axis::linear("Outcomes below it").percent().range(0.0, 1.0),
        )
        .series(Series::points("outcomes", reliability.to_vec()))
        .diagonal("calibrated")
        .svg(),
    ]
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
    let mut table = Table::new(names.map(Column::text));
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
