//! One chart of each kind on made-up numbers, on one page, so that a change of the drawing can be looked at:
//! `cargo run -p hindsight-report --example gallery -- gallery.html`.

use hindsight_report::{
    Axis, BarChart, Column, Estimate, HeatMap, Ink, IntervalChart, Page, Series, Shades, Table,
    XyChart,
};

fn ramp(n: u32, f: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    (0..n).map(|i| (f64::from(i), f(f64::from(i)))).collect()
}

fn main() -> std::io::Result<()> {
    let mut page = Page::new(
        "Gallery of charts",
        "Every kind of chart on made-up numbers.",
    );
    intervals(&mut page);
    lines(&mut page);
    points(&mut page);
    bars(&mut page);
    maps(&mut page);
    words(&mut page);
    let html = page.to_html();
    assert_eq!(html.matches("<figure").count(), 12);
    assert!(!html.contains("NaN"));
    match std::env::args_os().nth(1) {
        Some(path) => std::fs::write(path, html),
        None => Ok(()),
    }
}

fn intervals(page: &mut Page) {
    page.section("Intervals");
    let mut forest = IntervalChart::new(
        "Reward by policy",
        Axis::linear("Mean reward, USD a product and week"),
    );
    for (at, name) in [
        "perfect-information bound",
        "just-in-time oracle",
        "Direct Backprop",
        "newsvendor, promotion-aware",
        "base stock",
        "constant order",
    ]
    .iter()
    .enumerate()
    {
        let value = 41.0 - 3.7 * f64::from(u32::try_from(at).unwrap());
        let ink = if at == 2 {
            Ink::Series(1)
        } else if at < 2 {
            Ink::Muted
        } else {
            Ink::Series(0)
        };
        forest = forest.row(
            Estimate::new(
                *name,
                value,
                Some((value - 1.6, value + 1.4)),
                format!("{value:.1} [{:.1}, {:.1}]", value - 1.6, value + 1.4),
            )
            .ink(ink),
        );
    }
    page.figure(
        &forest.svg(),
        "Mean reward on the held-out weeks with 95 % intervals.",
    );
    let difference = IntervalChart::new("Difference", Axis::linear("USD a product and week"))
        .group("against the tuned target position")
        .row(Estimate::new(
            "Direct Backprop",
            1.2,
            Some((0.8, 1.7)),
            "1.2 [0.8, 1.7]",
        ))
        .row(Estimate::new(
            "constant order",
            -3.0,
            Some((-3.9, -2.2)),
            "-3.0 [-3.9, -2.2]",
        ))
        .reference(0.0, "no difference");
    page.figure(&difference.svg(), "Paired differences -3 to 2.");
}

fn lines(page: &mut Page) {
    page.section("Lines, steps, bars");
    let curve =
        |shift: f64| move |x: f64| 30.0 - 22.0 * (-x / 14.0).exp() - shift + (x * 1.7).sin() * 0.5;
    let validation = ramp(80, curve(2.0));
    let band = validation
        .iter()
        .map(|(x, y)| (*x, y - 1.5, y + 1.5))
        .collect();
    let training = XyChart::new(
        "Training curve",
        Axis::linear("Epoch"),
        Axis::linear("Reward, USD a product and week"),
    )
    .series(Series::line("training weeks", ramp(80, curve(0.0))))
    .series(
        Series::line("validation weeks", validation)
            .band(band)
            .dashed(),
    )
    .mark_x(61.0, "best epoch")
    .mark_y(32.0, "perfect information");
    page.figure(&training.svg(), "Reward by epoch.");
    let demand = |x: f64| {
        (40.0 + 25.0 * (x / 4.0).sin() + if (x % 9.0) < 1.0 { 160.0 } else { 0.0 }).round()
    };
    let panel = |name: &str| {
        XyChart::new(
            format!("Stock of {name}"),
            Axis::linear("Week"),
            Axis::linear("Units"),
        )
        .heading(name)
        .size(480.0, 280.0)
        .series(
            Series::bars(
                "orders",
                ramp(52, |x| if x % 3.0 < 1.0 { 110.0 } else { 0.0 }),
            )
            .ink(Ink::Series(5)),
        )
        .series(Series::step("demand", ramp(52, demand)).ink(Ink::Series(1)))
        .series(
            Series::step(
                "on hand",
                ramp(52, |x| (60.0 + 50.0 * (x / 3.0).cos()).max(0.0)),
            )
            .ink(Ink::Series(0)),
        )
        .shade(40.0, 51.0, "held out")
    };
    page.figures([
        (&panel("Store 5, Tropicana <64 oz>").svg(), "Fast."),
        (&panel("Store 8, Minute Maid").svg(), "Slow."),
    ]);
}

fn points(page: &mut Page) {
    page.section("Points");
    let bins: Vec<(f64, f64)> = (0..10)
        .map(|i| (f64::from(i) / 10.0 + 0.05, f64::from(i * i) / 110.0 + 0.06))
        .collect();
    let errors = bins.iter().map(|(x, y)| (*x, y - 0.05, y + 0.05)).collect();
    let reliability = XyChart::new(
        "Reliability",
        Axis::linear("Confidence").percent().range(0.0, 1.0),
        Axis::linear("Share right").percent().range(0.0, 1.0),
    )
    .size(420.0, 400.0)
    .diagonal("calibrated")
    .series(Series::points("model A", bins.clone()).band(errors))
    .series(Series::points(
        "model B",
        bins.iter().map(|(x, y)| (*x, (y + x) / 2.0)).collect(),
    ));
    let cloud: Vec<(f64, f64)> = (0..600)
        .map(|i| {
            (
                10f64.powf(f64::from(i % 97) / 30.0),
                10f64.powf(f64::from((i * 31) % 89) / 40.0),
            )
        })
        .collect();
    let cloud = XyChart::new(
        "Cloud",
        Axis::log("Demand, units a week"),
        Axis::log("Price, USD"),
    )
    .size(420.0, 400.0)
    .series(Series::cloud("product", cloud));
    page.figures([
        (&reliability.svg(), "Reliability."),
        (&cloud.svg(), "Products."),
    ]);
}

fn bars(page: &mut Page) {
    page.section("Bars");
    let bars = BarChart::new(
        "Who wins where",
        Axis::linear("Share of products").percent().range(0.0, 1.0),
        [
            "all products",
            "demand: lowest quarter",
            "demand: highest quarter",
        ],
    )
    .series("Direct Backprop", vec![0.62, 0.45, 0.8])
    .series("newsvendor, promotion-aware", vec![0.3, 0.45, 0.17])
    .series("other", vec![0.08, 0.1, 0.03])
    .stacked();
    page.figure(
        &bars.svg(),
        "Share of products on which each policy earns most.",
    );
    let grouped = BarChart::new(
        "Service",
        Axis::linear("Fill rate").percent(),
        ["base stock", "constant order"],
    )
    .series("promotion weeks", vec![0.91, 0.5])
    .series("other weeks", vec![0.97, -0.12]);
    page.figure(&grouped.svg(), "Grouped bars, one negative.");
}

fn maps(page: &mut Page) {
    page.section("Maps");
    let cells: Vec<f64> = (0..60 * 80)
        .map(|i| (f64::from(i % 80) / 17.0).sin() + f64::from(i / 80) / 30.0)
        .collect();
    let heat = HeatMap::values(
        "Profit",
        Axis::linear("Price"),
        Axis::linear("Quality"),
        (0.0, 2.0),
        (0.0, 1.0),
        80,
        cells,
        Shades::Sequential,
        "USD a week",
    )
    .line(
        "boundary by theory",
        (0..=20)
            .map(|i| (f64::from(i) / 10.0, f64::from(i) / 20.0))
            .collect(),
    );
    let small = HeatMap::values(
        "Gap",
        Axis::linear("Lead time").ticks((1..=4).map(|l| (f64::from(l), l.to_string())).collect()),
        Axis::linear("Penalty").ticks(vec![(0.5, "4".to_owned()), (1.5, "9".to_owned())]),
        (0.5, 4.5),
        (0.0, 2.0),
        4,
        vec![-3.0, 6.6, 8.0, 10.1, 2.1, 4.0, 5.2, 6.6],
        Shades::Diverging(0.0),
        "per cent",
    )
    .annotate(1)
    .size(420.0, 300.0);
    page.figure(&heat.svg(), "A map.");
    let classes: Vec<usize> = (0..60 * 80)
        .map(|i| usize::from(i % 80 > i / 80) + usize::from(i % 80 > 60))
        .collect();
    let phase = HeatMap::classes(
        "Phases",
        Axis::linear("a"),
        Axis::linear("b"),
        (0.0, 1.0),
        (0.0, 1.0),
        80,
        &classes,
        ["A leads", "B leads", "shared"],
    )
    .size(420.0, 380.0);
    page.figures([(&small.svg(), "Cells."), (&phase.svg(), "Phases.")]);
}

fn words(page: &mut Page) {
    page.section("Words");
    let mut table = Table::new([
        Column::text("policy"),
        Column::number("reward"),
        Column::number("share of bound"),
    ]);
    table
        .row(["Direct Backprop", "33.6", "81.2 %"])
        .row(["constant order", "-2.1", "n/a"]);
    page.note("Direct Backprop earns 1.2 more a week than the best heuristic.")
        .table(&table, "All policies.")
        .facts([("seed", "7"), ("products", "913")]);
}
