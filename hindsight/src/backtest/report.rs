//! The results as a terminal table and as a page.

use super::results::{Difference, Group, Interval, Results, Role, Sample};
use super::tables::{count, decimals, money_table, service_table, signed};
use crate::chart::{Axis, BarChart, Estimate, Ink, IntervalChart, Series, Svg, XyChart};
use crate::number::{duration, fixed, interval, percent};
use crate::page::Page;

/// Policies that the figure of winners names; the others are drawn together.
const NAMED_WINNERS: usize = 4;

fn ink(role: Role) -> Ink {
    match role {
        Role::Oracle => Ink::Muted,
        Role::Trained => Ink::Series(1),
        Role::Heuristic => Ink::Series(0),
    }
}

fn pair(interval: Interval) -> (f64, f64) {
    (interval.lo, interval.hi)
}

fn rewards(results: &Results) -> Svg {
    let digits = decimals(results);
    let axis = Axis::linear(format!(
        "Mean reward, {} a product and week",
        results.run.money
    ));
    let mut chart = IntervalChart::new("Reward by policy", axis);
    for policy in &results.policies {
        let text = format!(
            "{} {}",
            fixed(policy.mean, digits),
            interval(policy.interval.lo, policy.interval.hi, digits)
        );
        chart = chart.row(
            Estimate::new(&policy.name, policy.mean, Some(pair(policy.interval)), text)
                .ink(ink(policy.role)),
        );
    }
    chart
        .reference(
            results.bound,
            format!("perfect information, {}", fixed(results.bound, digits)),
        )
        .svg()
}

fn differences(results: &Results) -> Svg {
    let digits = decimals(results);
    let axis = Axis::linear(format!(
        "Difference in reward, {} a product and week",
        results.run.money
    ));
    let mut chart = IntervalChart::new(
        format!("Reward minus that of {}", results.best_heuristic),
        axis,
    );
    for policy in results
        .policies
        .iter()
        .filter(|policy| policy.role != Role::Oracle)
    {
        let Some(difference) = policy.against_best else {
            continue;
        };
        let text = format!(
            "{} {}",
            signed(difference.mean, digits),
            interval(difference.interval.lo, difference.interval.hi, digits)
        );
        chart = chart.row(
            Estimate::new(
                &policy.name,
                difference.mean,
                Some(pair(difference.interval)),
                text,
            )
            .ink(ink(policy.role)),
        );
    }
    chart.reference(0.0, "no difference").svg()
}

fn shares(results: &Results) -> Svg {
    let mut chart = IntervalChart::new(
        "Share of the perfect-information bound",
        Axis::linear("Reward as a share of the bound").percent(),
    );
    for policy in &results.policies {
        let mut text = percent(policy.share_of_bound, 1);
        if let Some(Interval { lo, hi }) = policy.share_interval {
            text.push_str(&format!(
                " [{}, {}]",
                fixed(100.0 * lo, 1),
                fixed(100.0 * hi, 1)
            ));
        }
        chart = chart.row(
            Estimate::new(
                &policy.name,
                policy.share_of_bound,
                policy.share_interval.map(pair),
                text,
            )
            .ink(ink(policy.role)),
        );
    }
    chart.reference(1.0, "perfect information").svg()
}

/// The trained policy against the best heuristic, group by group.
fn differences_by_group(results: &Results) -> Option<Svg> {
    let trained = results.trained()?;
    let digits = decimals(results);
    let axis = Axis::linear(format!(
        "{} minus {}, {} a product and week",
        trained.name, results.best_heuristic, results.run.money
    ));
    let mut chart = IntervalChart::new(
        "The trained policy against the best heuristic, by group of products",
        axis,
    );
    let mut rows = 0;
    for split in &results.splits {
        if split.groups.len() > 1 {
            chart = chart.group(format!("by {}", split.name));
        }
        for group in &split.groups {
            let Some(Difference {
                mean,
                interval: Interval { lo, hi },
            }) = group.difference
            else {
                continue;
            };
            let text = format!("{} {}", signed(mean, digits), interval(lo, hi, digits));
            chart = chart.row(
                Estimate::new(
                    format!("{} ({})", group.label, group.products),
                    mean,
                    Some((lo, hi)),
                    text,
                )
                .ink(Ink::Series(1)),
            );
            rows += 1;
        }
    }
    (rows > 0).then(|| chart.reference(0.0, "no difference").svg())
}

/// The stacked shares of all splits: the policies that win most by name, the rest together.
fn winners_chart(results: &Results, named: &[usize]) -> Svg {
    let groups: Vec<(&str, &Group)> = results
        .splits
        .iter()
        .flat_map(|split| {
            split
                .groups
                .iter()
                .map(|group| (split.name.as_str(), group))
        })
        .collect();
    let own = |name: &str, label: &str| {
        name == "all"
            || results.group_names.iter().any(|column| column == name)
            || label.starts_with(name)
    };
    let labels = groups.iter().map(|(name, group)| {
        let trait_of = if own(name, &group.label) {
            String::new()
        } else {
            format!("{name} ")
        };
        format!("{trait_of}{} ({})", group.label, group.products)
    });
    let axis = Axis::linear("Share of products on which the policy earns most")
        .percent()
        .range(0.0, 1.0);
    let mut chart = BarChart::new("Who earns most, by group of products", axis, labels);
    for (order, &at) in named.iter().enumerate() {
        let policy = &results.policies[at];
        let colour = if policy.role == Role::Trained {
            Ink::Series(1)
        } else {
            [
                Ink::Series(0),
                Ink::Series(2),
                Ink::Series(3),
                Ink::Series(4),
            ][order % 4]
        };
        chart = chart.inked(
            &policy.name,
            groups.iter().map(|(_, group)| group.wins[at]).collect(),
            colour,
        );
    }
    let rest = |wins: &[f64]| {
        (0..wins.len())
            .filter(|at| !named.contains(at))
            .map(|at| wins[at])
            .sum::<f64>()
    };
    if groups.iter().any(|(_, group)| rest(&group.wins) > 0.0) {
        chart = chart.inked(
            "others",
            groups.iter().map(|(_, group)| rest(&group.wins)).collect(),
            Ink::Muted,
        );
    }
    chart.stacked().svg()
}

/// The policies that win the most products, the trained one always among them.
fn named_winners(results: &Results, overall: &[f64]) -> Vec<usize> {
    let trained = |at: &usize| results.policies[*at].role == Role::Trained;
    let mut order: Vec<usize> = (0..results.policies.len())
        .filter(|at| trained(at) || overall.get(*at).is_some_and(|share| *share > 0.0))
        .collect();
    order.sort_by(|a, b| {
        trained(b)
            .cmp(&trained(a))
            .then(overall[*b].total_cmp(&overall[*a]))
            .then(a.cmp(b))
    });
    order.truncate(NAMED_WINNERS);
    order
}

fn week_axis(sample: &Sample) -> Axis {
    let every = sample.weeks.len().div_ceil(6).max(1);
    let numbers = sample
        .weeks
        .first()
        .is_some_and(|week| week.parse::<i64>().is_ok());
    let every = if numbers && every > 5 {
        every.div_ceil(5) * 5
    } else {
        every
    };
    let ticks = sample
        .weeks
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(at, week)| (count(at), week.clone()))
        .collect();
    Axis::linear("Week").ticks(ticks)
}

fn tracks(sample: &Sample) -> Vec<(Svg, String)> {
    let points = |values: &[f64]| {
        values
            .iter()
            .enumerate()
            .map(|(at, value)| (count(at), *value))
            .collect::<Vec<_>>()
    };
    // One scale for all policies on one product, so that stocks compare at sight.
    let highest = sample
        .tracks
        .iter()
        .flat_map(|track| track.stock.iter().chain(&track.orders))
        .chain(&sample.demand)
        .copied()
        .fold(0.0, f64::max);
    sample
        .tracks
        .iter()
        .map(|track| {
            let y = Axis::linear("Units").range(0.0, highest.max(1.0) * 1.04);
            // A week reaches half a week to both sides of its tick, for steps as for bars.
            let steps = |values: &[f64]| -> Vec<(f64, f64)> {
                let end = values.last().map(|last| (count(values.len()) - 0.5, *last));
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| (count(at) - 0.5, *value))
                    .chain(end)
                    .collect()
            };
            let svg = XyChart::new(
                format!("{} on {}", track.policy, sample.product),
                week_axis(sample),
                y,
            )
            .heading(format!("{}: {}", sample.product, track.policy))
            .size(460.0, 270.0)
            .series(Series::bars("orders", points(&track.orders)).ink(Ink::Series(5)))
            .series(
                Series::step("stock at the end of the week", steps(&track.stock))
                    .ink(Ink::Series(0)),
            )
            .series(
                Series::step("demand", steps(&sample.demand))
                    .ink(Ink::Series(1))
                    .dotted(),
            )
            .svg();
            (svg, format!("{}, {}.", sample.product, track.policy))
        })
        .collect()
}

fn training(results: &Results) -> Svg {
    let curve = |of: fn(&super::results::Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        results
            .training_curve
            .iter()
            .filter_map(|epoch| Some((f64::from(epoch.step), of(epoch)?)))
            .collect()
    };
    let reward = Axis::linear(format!(
        "Mean reward, {} a product and week",
        results.run.money
    ));
    let mut chart = XyChart::new(
        "Reward while training",
        Axis::linear("Step of training"),
        reward,
    )
    .series(Series::line("training weeks", curve(|epoch| epoch.training)).ink(Ink::Series(0)))
    .series(
        Series::line("validation weeks", curve(|epoch| epoch.validation))
            .ink(Ink::Series(1))
            .dashed(),
    );
    if let Some(best) = results.best_step {
        chart = chart.mark_x(f64::from(best), "kept");
    }
    chart.svg()
}

/// The report page.
pub(super) fn page(results: &Results) -> Page {
    let run = &results.run;
    let lead = format!(
        "{}: {} products, scored on weeks {} to {}.",
        run.source,
        fixed(count(run.products), 0),
        run.held_out.0,
        run.held_out.1
    );
    let mut page = Page::new("What each buying policy would have earned", lead);

    page.section("The finding").note(&results.finding());
    for warning in &run.warnings {
        page.text(&format!("Note: {warning}."));
    }
    page.figure(
        &rewards(results),
        "Mean reward of each policy on the held-out weeks, all on the same demand and lead times, with 95 % intervals by bootstrap over products and \
         blocks of weeks. Policies in grey know the future.",
    );

    page.section("Against the best heuristic");
    page.figure(
        &differences(results),
        &format!(
            "Reward minus that of {}, paired by product and week, with 95 % intervals. An interval that excludes zero is a difference that chance \
             alone would seldom make. The pairing makes these intervals narrower than those of the rewards themselves.",
            results.best_heuristic
        ),
    );
    page.table(
        &money_table(results),
        "What each policy earned on the held-out weeks: means per product and week.",
    );
    page.table(
        &service_table(results),
        "What each policy did. Fill rate: units sold over units demanded. Stock: mean units on hand at the end of a week. Ordered: mean units a week. \
         The last column weighs every product the same.",
    );

    page.section("Share of the bound").figure(
        &shares(results),
        "Total reward as a share of what perfect information would have earned product by product. Money-weighted: products that earn more count for more.",
    );

    if let Some(overall) = results
        .splits
        .first()
        .and_then(|split| split.groups.first())
    {
        page.section("Who wins where");
        let left_out: usize = results.splits.iter().map(|split| split.left_out).sum();
        let more = if left_out > 0 {
            " Of groups with many members only the twelve largest are shown."
        } else {
            ""
        };
        if let Some(svg) = differences_by_group(results) {
            page.figure(
                &svg,
                &format!(
                    "Reward of the trained policy minus that of the best heuristic by quarters of demand, margin and promotion, and by the file's groups, \
                     with 95 % intervals; in brackets the number of products.{more} Many intervals are shown: some exclude zero by chance."
                ),
            );
        }
        page.figure(
            &winners_chart(results, &named_winners(results, &overall.wins)),
            "The share of products on which each policy earns most over the held-out weeks. Ties are shared.",
        );
    }

    if !results.samples.is_empty() {
        page.section("Stock and orders, week by week");
        page.text("Products chosen by their demand, from fast to slow. Each row shows one product under several policies, on one scale.");
        for sample in &results.samples {
            let charts = tracks(sample);
            page.figures(charts.iter().map(|(svg, caption)| (svg, caption.as_str())));
        }
    }

    if !results.training_curve.is_empty() {
        page.section("Training").figure(
            &training(results),
            "Mean reward while the policy was trained through the replay. The parameters of the step marked “kept” are those of the report: the best on the \
             validation weeks. The held-out weeks played no part.",
        );
    }

    page.section("How the run was made").facts(facts(results));
    page
}

fn facts(results: &Results) -> Vec<(String, String)> {
    let run = &results.run;
    let span = |weeks: &(String, String)| format!("{} to {}", weeks.0, weeks.1);
    let mut facts = vec![
        ("data".to_owned(), run.source.clone()),
        ("rows".to_owned(), fixed(count(run.rows), 0)),
        ("products".to_owned(), fixed(count(run.products), 0)),
        (
            "weeks without a row".to_owned(),
            fixed(count(run.missing_weeks), 0),
        ),
        (
            "weeks for fitting and training".to_owned(),
            span(&run.training),
        ),
    ];
    if let Some(validation) = &run.validation {
        facts.push(("weeks for early stopping".to_owned(), span(validation)));
    }
    facts.push(("held-out weeks".to_owned(), span(&run.held_out)));
    facts.push(("lead time".to_owned(), run.lead_time.clone()));
    facts.extend(run.conventions.iter().cloned());
    facts.push(("seed".to_owned(), run.seed.to_string()));
    facts.push(("elapsed".to_owned(), duration(run.elapsed)));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::super::tables::{summary, table};
    use super::*;
    use crate::table::Width;

    /// `HINDSIGHT_REPORT=FILE.html cargo test --release -p hindsight-cli made_up_report` writes the page, to be looked at.
    #[test]
    fn made_up_report() {
        let results = made_up();
        let html = page(&results).to_html();
        assert_eq!(html.matches("<figure").count(), 3 + 2 + 4 + 1);
        for word in [
            "Direct Backprop",
            "tropicana-64_5",
            "uniform on 1 to 3 weeks",
            "seed",
            "taken as demand",
        ] {
            assert!(html.contains(word), "{word}");
        }
        assert!(!html.contains("NaN") && !html.contains(">inf<") && !html.contains("n/a"));
        if let Some(path) = std::env::var_os("HINDSIGHT_REPORT") {
            std::fs::write(path, html).unwrap();
        }
    }

    #[test]
    fn the_terminal_fits_eighty_columns() {
        let results = made_up();
        let text = table(&results).render(Width::at_most(80));
        assert!(
            text.lines()
                .all(|line| console::measure_text_width(line) <= 80),
            "{text}"
        );
        assert!(
            text.contains("49.60") && text.contains("+1.70") && text.contains("(best)"),
            "{text}"
        );
        assert!(
            summary(&results).contains("95 % interval 1.10 to 2.40"),
            "{}",
            summary(&results)
        );
    }

    #[test]
    fn a_doubtful_difference_is_said_to_be_one() {
        let mut results = made_up();
        results.policies[1].against_best = Some(Difference {
            mean: 0.1,
            interval: Interval { lo: -0.4, hi: 0.6 },
        });
        assert!(
            results.finding().contains("may be chance"),
            "{}",
            results.finding()
        );
        results.policies[1].against_best = Some(Difference {
            mean: -2.0,
            interval: Interval { lo: -3.0, hi: -1.0 },
        });
        assert!(
            results
                .finding()
                .contains("2.00 USD a product and week less than"),
            "{}",
            results.finding()
        );
        assert!(
            results.finding().contains("interval 1.00 to 3.00"),
            "{}",
            results.finding()
        );
    }

    #[test]
    fn equal_runs_give_equal_json() {
        let (a, mut b) = (made_up(), made_up());
        b.run.elapsed = 99.0;
        let json = |results: &Results| serde_json::to_string_pretty(results).unwrap();
        assert_eq!(json(&a), json(&b));
        assert!(json(&a)[..crate::output::MARK.len() + 40].contains(crate::output::MARK));
    }

    #[test]
    fn nothing_but_policies_still_makes_a_page() {
        let mut results = made_up();
        results.products.clear();
        results.splits.clear();
        results.samples.clear();
        results.training_curve.clear();
        results
            .policies
            .retain(|policy| policy.role == Role::Heuristic);
        assert!(
            page(&results)
                .to_html()
                .contains("The best heuristic is promotion-aware newsvendor.")
        );
    }
}
