//! What `hindsight capacity` says.

use ::capacity::backtest::Trial;
use ::capacity::limits::Infeasible;
use ::capacity::{Cases, Error, HORIZON, Model};
use report::{Axis, Column, Page, Series, Table, Width, XyChart, number};
use serde::Serialize;

/// A trained model, in numbers.
#[derive(Debug, Serialize)]
pub(super) struct Fitted {
    parameters: usize,
}

impl Fitted {
    pub(super) fn of(model: &Model) -> Self {
        Fitted {
            parameters: model.coordinator.theta().len(),
        }
    }
    pub(super) fn text(&self) -> String {
        format!(
            "A buyer and a coordinator of {} parameters were trained.\n",
            self.parameters
        )
    }
    pub(super) fn page(&self) -> Page {
        Page::new("A coordinator of capacity", self.text())
    }
}

/// Everything that the back-test says.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    methods: Vec<Trial>,
    /// By path: the first week in which a limit cannot be kept whatever is ordered.
    infeasible: Vec<Option<Infeasible>>,
    /// Limits `[path][resource][week]`.
    limits: Vec<Vec<Vec<f64>>>,
}

const NAMES: [&str; 2] = ["storage", "inbound"];
/// The method whose weeks are drawn beside those of no control.
const SHOWN: &str = "neural coordinator";

#[expect(clippy::cast_precision_loss, reason = "weeks")]
fn week(t: usize) -> f64 {
    t as f64
}

impl Results {
    pub(super) fn new(methods: Vec<Trial>, cases: &Cases<f32>) -> Result<Self, Error> {
        let rows = |r: usize, l: &::capacity::limits::Limits| l.of(r).to_vec();
        Ok(Results {
            methods,
            infeasible: cases.infeasible(cases.course().warm_up)?,
            limits: (cases.limits().iter())
                .map(|l| (0..l.resources()).map(|r| rows(r, l)).collect())
                .collect(),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new([
            Column::text("method"),
            Column::number("reward"),
            Column::number("of no control"),
            Column::number("violation"),
            Column::number("P95"),
            Column::number("weeks above 5 %"),
        ]);
        let free = &self.methods[0];
        for m in &self.methods {
            table.row([
                m.name.clone(),
                number::fixed(m.mean(|s| s.reward), 0),
                number::percent(m.reward_of(free), 1),
                number::percent(m.mean(|s| s.violation), 2),
                number::percent(m.mean(|s| s.violation_p95), 1),
                number::percent(m.mean(|s| s.violated[1]), 1),
            ]);
        }
        table
    }

    fn words(&self) -> String {
        let paths = self.infeasible.len();
        let text = format!(
            "{paths} path{} of limits on weeks that training did not see. Violation: mean excess over a limit, as a share of it.",
            if paths == 1 { "" } else { "s" }
        );
        let Some(first) = self.infeasible.iter().flatten().min_by_key(|i| i.week) else {
            return text;
        };
        format!(
            "{text} On {} of them a limit cannot be kept whatever is ordered: first in week {} of the roll-out, {}, by {}.",
            self.infeasible.iter().flatten().count(),
            first.week + 1,
            NAMES[first.resource.min(1)],
            number::significant(first.excess, 3),
        )
    }

    pub(super) fn text(&self, width: Width) -> String {
        format!("{}\n{}\n", self.table().render(width), self.words())
    }

    pub(super) fn page(&self) -> Page {
        let free = &self.methods[0];
        let mut frontier = XyChart::new(
            "Reward and violation",
            Axis::linear("Mean violation").percent(),
            Axis::linear("Reward, share of no control").percent(),
        );
        for m in &self.methods {
            let point = (m.mean(|s| s.violation), m.reward_of(free));
            frontier = frontier.series(Series::points(m.name.as_str(), vec![point]));
        }
        let mut page = Page::new("Capacity that products share", self.words());
        page.section("The methods")
            .figure(
                &frontier.svg(),
                "Every method on the same paths: up is more reward, left is closer to the limits.",
            )
            .table(&self.table(), "Means over the paths.");
        let shown = self.methods.iter().find(|m| m.name == SHOWN);
        if let Some(shown) = shown {
            page.section("Use, limit and prices");
            for (resource, name) in NAMES.iter().enumerate() {
                page.figure(
                    &self.usage(shown, resource).svg(),
                    &format!("What is used of {name}, as a share of the limit: median over the paths, and the band that holds eight in ten of them."),
                );
            }
            for (resource, name) in NAMES.iter().enumerate() {
                page.figure(
                    &fan(shown, resource).svg(),
                    &format!("Prices of {name} on the first path: what was charged, and what was announced every sixth week for the weeks ahead."),
                );
            }
        }
        page
    }

    /// Use over limit by week: median and band over the paths.
    fn usage(&self, shown: &Trial, resource: usize) -> XyChart {
        let name = NAMES[resource];
        let title = format!(
            "{}{} used, share of the limit",
            name[..1].to_uppercase(),
            &name[1..]
        );
        let mut chart = XyChart::new(title, Axis::linear("Week"), Axis::linear("Share").percent())
            .mark_y(1.0, "limit");
        for trial in [&self.methods[0], shown] {
            let (mut line, mut band) = (Vec::new(), Vec::new());
            for t in 0..trial.roll.usage[0][resource].len() {
                let paths = trial.roll.usage.iter().zip(&self.limits);
                let mut all: Vec<f64> = paths
                    .map(|(used, limit)| used[resource][t] / limit[resource][t].max(1e-9))
                    .collect();
                all.sort_by(f64::total_cmp);
                let at = |tenth: usize| all[(all.len() - 1) * tenth / 10];
                line.push((week(t), at(5)));
                band.push((week(t), at(1), at(9)));
            }
            let series = Series::line(trial.name.as_str(), line);
            let several = trial.roll.usage.len() > 1;
            chart = chart.series(if several { series.band(band) } else { series });
        }
        chart
    }
}

/// Announced prices as lines from the week of the announcement on, beside what was charged.
fn fan(shown: &Trial, resource: usize) -> XyChart {
    let prices = &shown.roll.prices[0];
    let at = |t: usize, ahead: usize| prices[t][resource * (HORIZON + 1) + ahead];
    let charged = (0..prices.len()).map(|t| (week(t), at(t, 0))).collect();
    // Announcements are one series: a line breaks where a value is not finite.
    let mut announced = Vec::new();
    for t in (0..prices.len()).step_by(6) {
        let ahead = (0..=HORIZON).filter(|h| t + h < prices.len());
        announced.extend(ahead.map(|h| (week(t + h), at(t, h))));
        announced.push((week(t), f64::NAN));
    }
    let title = format!("Price of {}", NAMES[resource]);
    let axis = Axis::linear("Money per volume").with_zero();
    XyChart::new(title, Axis::linear("Week"), axis)
        .series(Series::line("charged", charged))
        .series(Series::line("announced", announced).dashed())
}
