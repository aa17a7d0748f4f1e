//! The results as a page.

pub(crate) mod gaps;
mod learning;
pub(super) mod origins;
mod rewards;
mod segments;
mod tracks;

use super::document::Document;
use super::tables::{count, links_table, money_table, service_table};
use super::words::{POLICIES, REWARD, findings};
use report::number::fixed;
use report::{Column, Page, Svg, Table};

use rewards::{differences, ink_of, rewards, shares};
use segments::{best_policy_charts, differences_by_group, named};
use tracks::{last_weeks, tracks};

/// The report page.
pub(super) fn page(document: &Document) -> Page {
    let lead = format!("{}.", document.scope());
    let mut page = Page::new("What each buying policy would have earned", lead);

    for finding in findings(document) {
        page.note(&finding);
    }
    page.section("Rewards");
    for notice in &document.notices {
        page.text(&format!("Note: {notice}."));
    }
    page.figure(
        &rewards(document),
        "Mean reward of each policy on the held-out weeks, all on the same demand and lead times, with 95 % intervals by bootstrap over products and \
         blocks of weeks. Policies in grey know the future.",
    );

    comparison_section(&mut page, document);

    if let Some(origins) = &document.results.origins {
        origins::section(&mut page, document, origins);
    }

    gaps::section(&mut page, document);
    learning::section(&mut page, document);

    page.section("Share of the hindsight optimum")
        .figure(&shares(document), &shares_caption(document));

    segments_section(&mut page, document);
    if !document.results.samples.is_empty() {
        page.section("Stock and orders, week by week");
        page.text("Products chosen by their demand, from fast to slow, each under several policies, on one scale; of long records the last three years.");
        let charts = document.results.samples.iter();
        let charts: Vec<_> = charts
            .map(|sample| {
                let shown = tracks(&last_weeks(sample), |policy| ink_of(document, policy));
                (sample.product.as_str(), shown)
            })
            .collect();
        let sets = charts
            .iter()
            .map(|(product, charts)| (*product, &charts[..]));
        page.choice("Product", sets);
    }

    page.section("What the policies do");
    page.text(REWARD).table(
        &policies(document),
        "Every policy in a sentence. Factors are tuned on the training weeks, per group of products that vary alike.",
    );
    page.section("How the run was made").facts(facts(document));
    page
}

fn comparison_section(page: &mut Page, document: &Document) {
    page.section("Against the best heuristic");
    page.figure(
        &differences(document),
        &format!(
            "Reward minus that of {}, paired by product and week, with 95 % intervals. An interval that excludes zero is a difference that chance \
             alone would seldom make. The pairing makes these intervals narrower than those of the rewards themselves.",
            document.results.best_heuristic
        ),
    );
    page.table(
        &money_table(document),
        "What each policy earned on the held-out weeks: means per product and week.",
    );
    if !document.results.pairs.is_empty() {
        page.table(
            &links_table(document),
            "Is the order more than chance? Each policy minus the next one below it, paired by product and week.",
        );
    }
    page.table(
        &service_table(document),
        "What each policy did. Fill rate: units sold over units demanded. Stock: mean units on hand at the end of a week. Ordered: mean units a week. \
         The last column weighs every product the same.",
    );
}

fn shares_caption(document: &Document) -> String {
    let given = document.results.policies.iter();
    let intervals = match given.clone().any(|own| own.share_interval.is_some()) {
        true => {
            "with 95 % intervals by bootstrap over products and blocks of weeks: what a policy earns and what the optimum earns are drawn together, and their ratio is taken in every draw."
        }
        false => {
            "without intervals: over products and weeks drawn again the optimum comes near zero or below it, and a share of it says nothing."
        }
    };
    format!(
        "Total reward as a share of the hindsight optimum, {intervals} Money-weighted: products that earn more count for more."
    )
}

fn segments_section(page: &mut Page, document: &Document) {
    if let Some(overall) = document
        .results
        .splits
        .first()
        .and_then(|split| split.groups.first())
    {
        page.section("The best policy by segment");
        let left_out: usize = document
            .results
            .splits
            .iter()
            .map(|split| split.left_out)
            .sum();
        let more = if left_out > 0 {
            " Of groups with many members only the twelve largest are shown."
        } else {
            ""
        };
        let first = format!(
            "Reward of the trained policy minus that of the best heuristic, with 95 % intervals, FOR; in brackets the number of products.{more} Many intervals \
             are shown: some exclude zero by chance."
        );
        captioned(page, &differences_by_group(document), &first);
        let first = "The share of products on which each policy earns most over the held-out weeks, FOR. Ties are shared.";
        let shares = best_policy_charts(document, &named(document, &overall.wins));
        captioned(page, &shares, first);
    }
}

/// Figures of one kind, each with what its groups are: `first` explains the kind, with `FOR` where they are named.
fn captioned(page: &mut Page, figures: &[(String, Svg)], first: &str) {
    for (at, (groups, svg)) in figures.iter().enumerate() {
        let caption = match at {
            0 => first.replace("FOR", groups),
            _ => format!("The same {groups}."),
        };
        page.figure(svg, &caption);
    }
}

/// The policies of this back-test, with what each does.
fn policies(document: &Document) -> Table {
    let mut table = Table::new([Column::text("policy"), Column::text("what it does")]);
    for (name, words) in POLICIES {
        if document.results.policies.iter().any(|own| own.name == name) {
            table.row([name, words]);
        }
    }
    table
}

fn facts(document: &Document) -> Vec<(String, String)> {
    let run = &document.run;
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
    facts.push(("held-out weeks".to_owned(), span(&run.held_out)));
    facts.push(("lead time".to_owned(), run.lead_time.clone()));
    facts.extend(run.conventions.iter().cloned());
    facts
}

#[cfg(test)]
mod tests;
