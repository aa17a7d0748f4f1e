//! What `hindsight capacity` says.

use ::capacity::backtest::{AHEAD, Announced, Fitted, Paired, Trial};
use ::capacity::limits::{Fall, Infeasible, Limits};
use ::capacity::{Cases, Error, HORIZON};
use report::{Axis, Column, Ink, Page, Series, Table, Width, XyChart, number};
use serde::Serialize;

/// The page of a training.
pub(super) fn trained(fitted: &Fitted) -> Page {
    let lead = "Prices of storage and inbound labour that products share.";
    let mut page = Page::new("A coordinator of capacity", lead);
    let [_, own, _] = fitted.held_out.reward.map(|x| number::percent(x, 1));
    let [free, left] = fitted.held_out.excess.map(|x| number::percent(x, 2));
    page.note(&format!("On held-out cohorts the coordinator keeps {own} of the reward of no control and leaves limits exceeded by {left} on average, where no control leaves {free}."))
        .section("Training")
        .text(&fitted.to_string())
        .text("The command capacity backtest, given the model, shows how well it keeps limits on weeks that training did not see, and at what cost in reward.");
    page
}

/// The coordinator less another method, paired over the paths.
#[derive(Debug, Serialize)]
struct Difference {
    other: String,
    /// Of mean violations, as shares of the limits.
    violation: Paired,
    /// Of rewards, as shares of that of no control.
    reward: Paired,
}

/// Everything that the back-test says.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    methods: Vec<Trial>,
    /// Empty on a single path.
    differences: Vec<Difference>,
    /// By path: the first week in which a limit cannot be kept whatever is ordered.
    infeasible: Vec<Option<Infeasible>>,
    limits: Vec<Limits>,
    /// Weeks at the beginning that are not scored.
    warm_up: usize,
    announced: Option<Announced>,
    /// How the model was trained, where it was, and how its announced prices fit.
    notes: String,
}

const NAMES: [&str; 2] = ["storage", "inbound"];
/// The method whose weeks are drawn beside those of no control.
const SHOWN: &str = "neural coordinator";

const PAIRED: &str = "Paired differences over cohorts with their paths, with 95 % bootstrap intervals; reward in points of that of no control.";
/// Falls of a limit of at least this share are marked.
const MARKED: f64 = 0.1;

#[expect(clippy::cast_precision_loss, reason = "weeks")]
fn week(t: usize) -> f64 {
    t as f64
}

impl Results {
    /// What methods came to on limits that were drawn, or `given`.
    pub(super) fn new(
        methods: Vec<Trial>,
        cases: &Cases<f32>,
        given: bool,
        training: Option<String>,
    ) -> Result<Self, Error> {
        let announced = methods.iter().find(|m| m.name == SHOWN).map(Announced::of);
        let notes = announced.iter().map(ToString::to_string).chain(training);
        let notes: Vec<String> = notes.collect();
        let warm_up = cases.course().warm_up;
        let differences = if cases.groups() > 1 {
            differences(&methods)
        } else {
            Vec::new()
        };
        Ok(Results {
            announced,
            methods,
            differences,
            infeasible: cases.infeasible(if given { 0 } else { warm_up })?,
            warm_up,
            notes: notes.join("\n\n"),
            limits: cases.limits().to_vec(),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::numbers([
            "method",
            "reward",
            "of no control",
            "violation",
            "P95",
            "weeks above 5 %",
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

    /// The coordinator beside every other method.
    fn comparison(&self) -> Table {
        let mut table = Table::new([
            Column::text("coordinator less"),
            Column::text("violation, points"),
            Column::text("reward, points"),
        ]);
        for d in &self.differences {
            table.row([d.other.clone(), points(&d.violation), points(&d.reward)]);
        }
        table
    }

    /// What the coordinator keeps and leaves, beside no control and planned prices.
    fn finding(&self) -> String {
        let free = &self.methods[0];
        let of = |name: &str| self.methods.iter().find(|m| m.name == name);
        let said = |m: &Trial| {
            [
                number::percent(m.reward_of(free), 1),
                number::percent(m.mean(|s| s.violation), 2),
            ]
        };
        let [_, unkept] = said(free);
        let mut text = String::new();
        if let Some([reward, excess]) = of(SHOWN).map(said) {
            text = format!(
                "The coordinator keeps {reward} of the reward of no control and leaves limits exceeded by {excess} on average, where no control leaves {unkept}"
            );
            if let Some([reward, excess]) = of("planned prices (MPC)").map(said) {
                text += &format!(" and planned prices {excess} at {reward} of the reward");
            }
            text += ". ";
        }
        text
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
        let scored = if first.week < self.warm_up {
            ", one of the warm-up, which is not scored"
        } else {
            ""
        };
        format!(
            "{text} On {} of them a limit cannot be kept whatever is ordered: first in week {} of the roll-out{scored}: {}, by {}.",
            self.infeasible.iter().flatten().count(),
            first.week + 1,
            NAMES[first.resource.min(1)],
            number::significant(first.excess, 3),
        )
    }

    pub(super) fn text(&self, width: Width) -> String {
        let (finding, words) = (self.finding(), self.words());
        let mut text = format!("{finding}{words}\n{}\n", self.table().render(width));
        if !self.differences.is_empty() {
            text += &format!("\n{PAIRED}\n{}\n", self.comparison().render(width));
        }
        text + &format!("\n{}\n", self.notes)
    }

    pub(super) fn page(&self) -> Page {
        let free = &self.methods[0];
        let mut frontier = XyChart::new(
            "Reward and violation",
            Axis::linear("Mean violation").percent(),
            Axis::linear("Reward, share of no control").percent(),
        );
        for m in &self.methods {
            let point = vec![(m.mean(|s| s.violation), m.reward_of(free))];
            let series = Series::points(m.name.as_str(), point);
            frontier = frontier.series(series.ink(self.ink(&m.name)));
        }
        let mut page = Page::new("Capacity that products share", self.words());
        page.note(self.finding().trim_end());
        page.section("The methods")
            .figure(
                &frontier.svg(),
                "Every method on the same paths: up is more reward, left is closer to the limits.",
            )
            .table(&self.table(), "Means over the paths.");
        if !self.differences.is_empty() {
            page.section("The coordinator less each of the others")
                .table(&self.comparison(), PAIRED);
        }
        (self.notes.split("\n\n")).fold(&mut page, |page, note| page.text(note));
        let shown = self.methods.iter().find(|m| m.name == SHOWN);
        if let Some(shown) = shown {
            page.section("Use, limit and prices");
            let path = self.steepest();
            let whose = if self.limits.len() > 1 {
                " on the path whose limits fall most at once"
            } else {
                ""
            };
            for (resource, name) in NAMES.iter().enumerate() {
                let band = if self.limits.len() > 1 {
                    ": median over the paths, and the band that holds eight in ten of them"
                } else {
                    ""
                };
                page.figure(
                    &self.usage(shown, resource).svg(),
                    &format!("What is used of {name}, as a share of the limit{band}."),
                );
            }
            for (resource, name) in NAMES.iter().enumerate() {
                let fan = marked(
                    fan(shown, self.ink(SHOWN), resource, path),
                    self.limits[path].steepest_fall(resource),
                );
                page.figure(
                    &fan.svg(),
                    &format!("Prices of {name}{whose}: what was charged, and what was announced every sixth week for the weeks ahead."),
                );
            }
            if let Some(announced) = &self.announced {
                page.table(&ahead(announced), "Prices as announced less those then charged, in % of the mean price: the mean with its 95 % interval over the paths, and the mean distance.");
            }
        }
        page
    }

    /// Use over limit by week: median and band over the paths, on a single path with its steepest fall.
    fn usage(&self, shown: &Trial, resource: usize) -> XyChart {
        let name = number::capital(NAMES[resource]);
        let title = format!("{name} used, share of the limit");
        let mut chart = XyChart::new(title, Axis::linear("Week"), Axis::linear("Share").percent())
            .mark_y(1.0, "limit");
        let several = self.limits.len() > 1;
        for (at, trial) in [&self.methods[0], shown].into_iter().enumerate() {
            let used = trial.use_of(&self.limits, resource);
            let points = |of: fn(&[f64; 3]) -> f64| {
                let weeks = used.iter().enumerate();
                weeks.map(|(t, shares)| (week(t), of(shares))).collect()
            };
            let series = Series::line(trial.name.as_str(), points(|shares| shares[1]));
            let series = series.ink(self.ink(&trial.name)).dash(1 - at);
            let band = used.iter().enumerate();
            let band = band.map(|(t, shares)| (week(t), shares[0], shares[2]));
            let series = if several {
                series.band(band.collect())
            } else {
                series
            };
            chart = chart.series(series);
        }
        if several {
            return chart;
        }
        marked(chart, self.limits[0].steepest_fall(resource))
    }

    /// The colour of a method, the same in every chart of the page; the coordinator's is unlike that of no control.
    fn ink(&self, name: &str) -> Ink {
        let at = self.methods.iter().position(|m| m.name == name);
        let colour = at.and_then(|at| [0, 5, 2, 3, 4, 1, 6, 7].get(at));
        colour.map_or(Ink::Text, |&colour| Ink::Series(colour))
    }

    /// The path whose limits fall most from one week to the next: there prices have most to announce.
    fn steepest(&self) -> usize {
        let share = |limits: &Limits| {
            let falls = (0..limits.resources()).filter_map(|r| limits.steepest_fall(r));
            falls.map(|fall| fall.share).fold(0.0, f64::max)
        };
        let shares = self.limits.iter().map(share).enumerate();
        shares
            .fold(
                (0, 0.0),
                |most, own| if own.1 > most.1 { own } else { most },
            )
            .0
    }
}

/// The coordinator less every other method.
fn differences(methods: &[Trial]) -> Vec<Difference> {
    let Some(own) = methods.iter().find(|m| m.name == SHOWN) else {
        return Vec::new();
    };
    let others = methods.iter().filter(|m| m.name != SHOWN);
    others
        .map(|other| Difference {
            other: other.name.clone(),
            violation: own.violation_against(other, 1),
            reward: own.reward_against(other, &methods[0], 1),
        })
        .collect()
}

/// Announced prices beside those then charged, by how far ahead.
fn ahead(announced: &Announced) -> Table {
    let mut table = Table::numbers(["weeks ahead", "mean difference", "mean distance"]);
    for ((weeks, bias), error) in AHEAD.iter().zip(&announced.bias).zip(announced.error) {
        let distance = number::fixed(100.0 * error, 2);
        table.row([weeks.to_string(), points(bias), distance]);
    }
    table
}

fn points(paired: &Paired) -> String {
    let [low, high] = paired.interval.map(|x| 100.0 * x);
    let mean = number::fixed(100.0 * paired.mean, 2);
    format!("{mean} {}", number::interval(low, high, 2))
}

/// A chart over weeks with the steepest fall of a limit, from [`MARKED`] on: when it comes, and when it becomes known.
fn marked(chart: XyChart, fall: Option<Fall>) -> XyChart {
    match fall {
        Some(fall) if fall.share >= MARKED => chart.mark_x(week(fall.announced), "known").mark_x(
            week(fall.week),
            format!("limit {} lower", number::percent(fall.share, 0)),
        ),
        _ => chart,
    }
}

/// Announced prices as lines from the week of the announcement on, beside what was charged.
fn fan(shown: &Trial, ink: Ink, resource: usize, path: usize) -> XyChart {
    let prices = &shown.roll.prices[path];
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
        .series(Series::line("charged", charged).ink(ink))
        .series(Series::line("announced", announced).ink(Ink::Text).dashed())
}
