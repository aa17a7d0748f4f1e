//! The results as a page.

pub(super) mod origins;
mod rewards;
mod tracks;
mod winners;

use super::results::Results;
use super::tables::{count, links_table, money_table, service_table};
use report::Page;
use report::number::fixed;

use rewards::{differences, rewards, shares, training};
use tracks::tracks;
use winners::{differences_by_group, named_winners, winners_chart};

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
    if let Some(finding) = results.pooled_finding() {
        page.note(&finding);
    }
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
    if !results.pairs.is_empty() {
        page.table(
            &links_table(results),
            "Is the order more than chance? Each policy minus the next one below it, paired by product and week.",
        );
    }
    page.table(
        &service_table(results),
        "What each policy did. Fill rate: units sold over units demanded. Stock: mean units on hand at the end of a week. Ordered: mean units a week. \
         The last column weighs every product the same.",
    );

    if let Some(origins) = &results.origins {
        origins::section(&mut page, results, origins);
    }

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
            "Mean reward of the validation weeks while the first network was trained on the weeks before them. The networks of the report were trained on all weeks \
             before the held-out ones, each for the number of steps that was best for it (for the first one, “kept”); their outputs are averaged. The held-out weeks \
             played no part.",
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
    facts
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::super::results::{Difference, Interval, Role};
    use super::super::scores::{Origin, Origins, Pair, Scores, Standing};
    use super::super::tables::{summary, table};
    use super::*;
    use report::Width;

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
            "taken as demand",
        ] {
            assert!(html.contains(word), "{word}");
        }
        assert!(!html.contains("NaN") && !html.contains(">inf<") && !html.contains("n/a"));
        if let Some(path) = std::env::var_os("HINDSIGHT_REPORT") {
            std::fs::write(path, html).unwrap();
        }
    }

    /// Two windows: ahead by 1.7 in one, behind by 2 in the other, whatever the order in which a pair is asked for.
    #[test]
    fn several_origins_have_a_section_of_their_own() {
        let scores = |trained: f64| {
            let (net, rule) = ("Direct Backprop", "promotion-aware newsvendor");
            let difference = |mean: f64| Difference {
                mean,
                interval: Interval {
                    lo: mean - 0.5,
                    hi: mean + 1.0,
                },
            };
            let standing = |name: &str, role, mean: f64, against_best| Standing {
                name: name.to_owned(),
                role,
                mean,
                interval: Interval {
                    lo: mean - 1.0,
                    hi: mean + 1.0,
                },
                share_of_bound: mean / 60.0,
                against_best,
            };
            Scores {
                products: 96,
                weeks: 15,
                bound: 60.0,
                best_heuristic: rule.to_owned(),
                policies: vec![
                    standing(
                        net,
                        Role::Trained,
                        40.0 + trained,
                        Some(difference(trained)),
                    ),
                    standing(rule, Role::Heuristic, 40.0, None),
                ],
                pairs: vec![Pair {
                    policy: net.to_owned(),
                    minus: rule.to_owned(),
                    difference: difference(trained),
                }],
            }
        };
        let turned = scores(1.7).difference("promotion-aware newsvendor", "Direct Backprop");
        let turned = turned.unwrap();
        assert!((turned.mean + 1.7).abs() < 1e-12);
        assert!(
            (turned.interval.lo + 2.7).abs() < 1e-12 && (turned.interval.hi + 1.2).abs() < 1e-12
        );
        let origin = |from: u32, trained: f64| Origin {
            training: ("40".to_owned(), (from - 1).to_string()),
            held_out: (from.to_string(), (from + 14).to_string()),
            scores: scores(trained),
        };
        let mut results = made_up();
        results.origins = Some(Origins {
            origins: vec![origin(131, 1.7), origin(146, -2.0)],
            pooled: scores(-0.15),
        });
        let finding = results.pooled_finding().unwrap();
        assert!(
            finding.contains("0.150 USD a product and week less than the best heuristic")
                && finding.contains("which may be chance (95 % interval -0.850 to 0.650)")
                && finding.ends_with("in 1 of 2."),
            "{finding}"
        );
        let html = page(&results).to_html();
        assert_eq!(html.matches("<figure").count(), 3 + 2 + 4 + 1 + 1);
        for word in [
            "Over several origins",
            "146 to 160",
            "40 to 130",
            "together",
        ] {
            assert!(html.contains(word), "{word}");
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
