//! The results as a terminal table and as a page.

use super::results::{Difference, Interval, PolicyResult, Results, Role, Sample};
use super::winners::{self, Split};
use crate::chart::{Axis, BarChart, Estimate, Ink, IntervalChart, Series, Svg, XyChart};
use crate::number::{duration, fixed, interval, percent};
use crate::page::Page;
use crate::table::{Column, Table};

/// Policies that the figure of winners names; the others are drawn together.
const NAMED_WINNERS: usize = 4;

/// Digits after the point that suit money of this size.
fn decimals(results: &Results) -> usize {
    let largest = results
        .policies
        .iter()
        .map(|policy| policy.mean.abs())
        .fold(0.0, f64::max);
    if largest >= 1000.0 {
        0
    } else if largest >= 100.0 {
        1
    } else if largest >= 1.0 {
        2
    } else {
        4
    }
}

fn signed(x: f64, digits: usize) -> String {
    let text = fixed(x, digits);
    if x > 0.0 { format!("+{text}") } else { text }
}

/// The policies as a table for the terminal.
pub(super) fn table(results: &Results) -> Table {
    let digits = decimals(results);
    let mut table = Table::new([
        Column::text("policy"),
        Column::number(format!("reward {}", results.run.money)),
        Column::number("95 % interval").optional(),
        Column::number("of bound"),
        Column::number("vs best"),
        Column::number("95 % interval"),
        Column::number("fill rate").optional(),
        Column::number("stock").optional(),
        Column::number("ordered").optional(),
        Column::number("order weeks").optional(),
    ]);
    table.row(bound_row(results));
    let mut oracles = true;
    table.rule();
    for policy in &results.policies {
        if oracles && policy.role != Role::Oracle {
            if table.rows().count() > 1 {
                table.rule();
            }
            oracles = false;
        }
        table.row(
            money_cells(results, policy, digits)
                .into_iter()
                .chain(service_cells(policy)),
        );
    }
    table
}

fn bound_row(results: &Results) -> Vec<String> {
    vec![
        "perfect information".to_owned(),
        fixed(results.bound, decimals(results)),
        String::new(),
        percent(1.0, 1),
    ]
}

fn money_cells(results: &Results, policy: &PolicyResult, digits: usize) -> Vec<String> {
    let (difference, range) = match (policy.against_best, policy.name == results.best_heuristic) {
        (
            Some(Difference {
                mean,
                interval: Interval { lo, hi },
            }),
            _,
        ) => (signed(mean, digits), interval(lo, hi, digits)),
        (None, true) => ("(best)".to_owned(), String::new()),
        (None, false) => (String::new(), String::new()),
    };
    vec![
        policy.name.clone(),
        fixed(policy.mean, digits),
        interval(policy.interval.lo, policy.interval.hi, digits),
        percent(policy.share_of_bound, 1),
        difference,
        range,
    ]
}

fn service_cells(policy: &PolicyResult) -> Vec<String> {
    vec![
        percent(policy.fill_rate, 1),
        fixed(policy.stock, 1),
        fixed(policy.ordered, 1),
        percent(policy.order_frequency, 0),
    ]
}

/// What each policy earned: the first table of the page.
fn money_table(results: &Results) -> Table {
    let mut table = Table::new([
        Column::text("policy"),
        Column::number(format!("reward, {}", results.run.money)),
        Column::number("95 % interval"),
        Column::number("share of bound"),
        Column::number("difference to the best heuristic"),
        Column::number("95 % interval"),
    ]);
    table.row(bound_row(results));
    for policy in &results.policies {
        table.row(money_cells(results, policy, decimals(results)));
    }
    table
}

/// What each policy did: the second table of the page.
fn service_table(results: &Results) -> Table {
    let mut table = Table::new([
        Column::text("policy"),
        Column::number("fill rate"),
        Column::number("stock, units"),
        Column::number("ordered, units"),
        Column::number("weeks with an order"),
        Column::number("share of bound, product by product"),
    ]);
    for policy in &results.policies {
        let own = policy
            .share_by_product
            .map_or_else(String::new, |share| percent(share, 1));
        table.row(
            std::iter::once(policy.name.clone())
                .chain(service_cells(policy))
                .chain([own]),
        );
    }
    table
}

/// What the terminal shows below the table.
pub(super) fn summary(results: &Results) -> String {
    let run = &results.run;
    let mut text = format!(
        "\nMeans per product and week, {} products, weeks {} to {}, lead time {}; seed {}; {}.\n\n{}\n",
        fixed(count(run.products), 0),
        run.held_out.0,
        run.held_out.1,
        run.lead_time,
        run.seed,
        duration(run.elapsed),
        results.finding()
    );
    for warning in &run.warnings {
        text.push_str(&format!("note: {warning}\n"));
    }
    text
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

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

/// The stacked shares of one split: the policies that win most by name, the rest together.
fn winners_chart(results: &Results, split: &Split, named: &[usize], contenders: &[usize]) -> Svg {
    let labels = split
        .groups
        .iter()
        .map(|group| format!("{} ({})", group.label, group.products));
    let axis = Axis::linear("Share of products on which the policy earns most")
        .percent()
        .range(0.0, 1.0);
    let mut chart = BarChart::new(format!("Who wins {}", split.name), axis, labels);
    for (order, &at) in named.iter().enumerate() {
        let policy = &results.policies[contenders[at]];
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
            split.groups.iter().map(|group| group.shares[at]).collect(),
            colour,
        );
    }
    if named.len() < contenders.len() {
        let rest = |shares: &[f64]| {
            (0..shares.len())
                .filter(|at| !named.contains(at))
                .map(|at| shares[at])
                .sum::<f64>()
        };
        chart = chart.inked(
            "others",
            split
                .groups
                .iter()
                .map(|group| rest(&group.shares))
                .collect(),
            Ink::Muted,
        );
    }
    chart.stacked().svg()
}

/// The contenders that win the most products, the trained one always among them.
fn named_winners(results: &Results, overall: &[f64], contenders: &[usize]) -> Vec<usize> {
    let trained = |at: &usize| results.policies[contenders[*at]].role == Role::Trained;
    let mut order: Vec<usize> = (0..contenders.len()).collect();
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

    let splits = winners::splits(results);
    if let Some(overall) = splits.first().and_then(|split| split.groups.first()) {
        let contenders = winners::contenders(results);
        let named = named_winners(results, &overall.shares, &contenders);
        page.section("Who wins where");
        page.text("The share of products on which each policy earns most over the held-out weeks; in brackets the number of products. Ties are shared.");
        for split in &splits {
            let more = if split.left_out > 0 {
                format!(
                    " The largest groups are shown; {} more are left out.",
                    split.left_out
                )
            } else {
                String::new()
            };
            page.figure(
                &winners_chart(results, split, &named, &contenders),
                &format!("Winners {}.{more}", split.name),
            );
        }
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
    use super::super::results::{Epoch, ProductResult, Run, Track};
    use super::*;
    use crate::table::Width;

    /// Made-up results: the shapes of a real run, none of its numbers.
    fn made_up() -> Results {
        let names = [
            ("just-in-time oracle", Role::Oracle, 58.0),
            ("Direct Backprop", Role::Trained, 49.6),
            ("promotion-aware newsvendor", Role::Heuristic, 47.9),
            ("target position, tuned", Role::Heuristic, 46.2),
            ("base stock", Role::Heuristic, 45.7),
            ("target position, untuned", Role::Heuristic, 43.0),
            ("constant order", Role::Heuristic, 21.3),
        ];
        let policies = names
            .iter()
            .map(|(name, role, mean)| PolicyResult {
                name: (*name).to_owned(),
                role: *role,
                total: mean * 913.0 * 30.0,
                mean: *mean,
                interval: Interval {
                    lo: mean - 3.1,
                    hi: mean + 3.4,
                },
                share_of_bound: mean / 60.2,
                share_interval: Some(Interval {
                    lo: mean / 60.2 - 0.02,
                    hi: mean / 60.2 + 0.02,
                }),
                share_by_product: Some(mean / 62.0),
                against_best: (*name != "promotion-aware newsvendor").then_some(Difference {
                    mean: mean - 47.9,
                    interval: Interval {
                        lo: mean - 47.9 - 0.6,
                        hi: mean - 47.9 + 0.7,
                    },
                }),
                fill_rate: 0.8 + mean / 400.0,
                stock: 140.0 - mean,
                ordered: 118.0,
                order_frequency: 0.7,
            })
            .collect();
        let products = (0..96u32)
            .map(|at| ProductResult {
                name: format!("p{at}"),
                rewards: (0..7u32)
                    .map(|policy| {
                        100.0 - 4.0 * f64::from(policy) + f64::from((at * 37 + policy * 61) % 23)
                    })
                    .collect(),
                bound: 130.0,
                demand: 5.0 + f64::from(at * at) / 30.0,
                margin: 0.2 + f64::from(at % 7) / 40.0,
                promoted: Some(f64::from(at % 11) / 20.0),
                groups: vec![
                    ["tropicana-64", "minute-maid-64", "dominicks-64"][(at % 3) as usize]
                        .to_owned(),
                    (at % 24).to_string(),
                ],
            })
            .collect();
        let demand: Vec<f64> = (0..30u32)
            .map(|week| {
                if week % 7 == 3 {
                    310.0
                } else {
                    60.0 + f64::from(week * 13 % 29)
                }
            })
            .collect();
        let track = |policy: &str, level: f64| Track {
            policy: policy.to_owned(),
            stock: demand
                .iter()
                .map(|units| (level - units).max(0.0))
                .collect(),
            orders: demand
                .iter()
                .map(|units| (units * level / 260.0).round())
                .collect(),
        };
        let sample = |product: &str| Sample {
            product: product.to_owned(),
            weeks: (131..161).map(|week| week.to_string()).collect(),
            demand: demand.clone(),
            tracks: vec![
                track("Direct Backprop", 240.0),
                track("promotion-aware newsvendor", 330.0),
            ],
        };
        let training_curve = (0..60u32)
            .map(|step| Epoch {
                step: step * 20,
                training: Some(52.0 - 30.0 * (-f64::from(step) / 9.0).exp()),
                validation: (step % 5 == 0)
                    .then(|| 50.0 - 30.0 * (-f64::from(step) / 8.0).exp() - f64::from(step) / 60.0),
            })
            .collect();
        Results {
            generator: Results::generator(),
            run: Run {
                source: "made-up numbers".to_owned(),
                seed: 7,
                rows: 2_880,
                products: 96,
                missing_weeks: 14,
                training: ("40".to_owned(), "110".to_owned()),
                validation: Some(("111".to_owned(), "130".to_owned())),
                held_out: ("131".to_owned(), "160".to_owned()),
                lead_time: "uniform on 1 to 3 weeks".to_owned(),
                money: "USD".to_owned(),
                conventions: vec![
                    ("unmet demand".to_owned(), "lost".to_owned()),
                    ("discount".to_owned(), "0.995 a week".to_owned()),
                ],
                warnings: vec!["the file holds sales, which are taken as demand".to_owned()],
                elapsed: 61.2,
            },
            policies,
            best_heuristic: "promotion-aware newsvendor".to_owned(),
            bound: 60.2,
            training_curve,
            best_step: Some(700),
            group_names: vec!["brand".to_owned(), "store".to_owned()],
            samples: vec![sample("tropicana-64_5"), sample("dominicks-64_111")],
            products,
        }
    }

    /// `HINDSIGHT_REPORT=FILE.html cargo test --release -p hindsight-cli made_up_report` writes the page, to be looked at.
    #[test]
    fn made_up_report() {
        let results = made_up();
        let html = page(&results).to_html();
        assert_eq!(html.matches("<figure").count(), 3 + 3 + 4 + 1);
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
