//! What the page and the terminal say.

use exo_idp::backtest::{ConfidenceLimits, Difference, Role};
use report::Width;

use super::super::fixture::fixture;
use super::super::tables::{summary, table};
use super::super::words::{acted, finding, pooled_finding};
use super::*;

/// The fixture, its trained policy ahead of the best heuristic by this much.
fn ahead(mean: f64, lo: f64, hi: f64) -> Document {
    let mut document = fixture();
    let difference = Difference {
        mean,
        interval: ConfidenceLimits { lo, hi },
    };
    let trained = |role: Role| role == Role::Trained;
    for policy in &mut document.results.policies {
        if trained(policy.role) {
            policy.against_best = Some(difference);
        }
    }
    let origins = document.results.origins.as_mut().unwrap();
    for policy in &mut origins.pooled.policies {
        if trained(policy.role) {
            policy.against_best = Some(difference);
        }
    }
    for (origin, mean) in origins.origins.iter_mut().zip([1.0, -1.0]) {
        for policy in &mut origin.scores.policies {
            if trained(policy.role) {
                policy.against_best = Some(Difference { mean, ..difference });
            }
        }
    }
    document
}

#[test]
fn the_page_shows_everything() {
    let document = fixture();
    let html = page(&document).to_html();
    // Rewards, differences, origins, shares, two by segment, four products under two policies, candidates, training.
    assert_eq!(html.matches("<figure").count(), 3 + 1 + 2 + 8 + 2);
    for word in [
        "Direct Backprop",
        "Over several origins",
        "What was learnt, and what acts",
        "fine-tuned network and heuristics",
        "1 to 3 weeks",
        "taken as demand",
        "A reward is what a policy earns",
        "brand-2",
        "together",
    ] {
        assert!(html.contains(word), "{word}");
    }
    assert!(!html.contains("NaN") && !html.contains(">inf<") && !html.contains("n/a"));
    // Every policy is defined in a sentence.
    for policy in &document.results.policies {
        let known = POLICIES.iter().find(|(name, _)| *name == policy.name);
        assert!(
            html.contains(known.unwrap().1.split('\'').next().unwrap()),
            "{}",
            policy.name
        );
    }
}

#[test]
fn the_terminal_fits_eighty_columns() {
    let document = ahead(1.7, 1.1, 2.4);
    let text = table(&document).render(Width::at_most(80));
    let widest = text.lines().map(console::measure_text_width).max();
    assert!(widest <= Some(80), "{text}");
    assert!(text.contains("+1.7") && text.contains("(best)"), "{text}");
    assert!(summary(&document).contains("95 % interval 1.10 to 2.40"));
}

#[test]
fn differences_are_said_with_their_doubt() {
    for (mean, lo, hi, words) in [
        (0.1, -0.4, 0.6, "0.100 USD a product and week more than"),
        (-2.0, -3.0, -1.0, "2.00 USD a product and week less than"),
    ] {
        let document = ahead(mean, lo, hi);
        let finding = finding(&document);
        assert!(finding.contains(words), "{finding}");
        assert_eq!(finding.contains("may be chance"), lo < 0.0 && hi > 0.0);
    }
    let pooled = pooled_finding(&ahead(-0.15, -0.85, 0.65)).unwrap();
    assert!(
        pooled.contains("0.150 USD a product and week less than the best heuristic")
            && pooled.contains("which may be chance (95 % interval -0.650 to 0.850)")
            && pooled.ends_with("in 1 of 2."),
        "{pooled}"
    );
}

#[test]
fn a_pair_can_be_asked_for_both_ways() {
    let document = fixture();
    let pooled = &document.results.origins.as_ref().unwrap().pooled;
    let (a, b) = (&pooled.policies[0].name, &pooled.policies[3].name);
    let (there, back) = (
        pooled.difference(a, b).unwrap(),
        pooled.difference(b, a).unwrap(),
    );
    assert!((there.mean + back.mean).abs() < 1e-12);
    assert!((there.interval.lo + back.interval.hi).abs() < 1e-12);
    assert!(pooled.difference(a, a).is_none());
}

#[test]
fn nothing_but_policies_still_makes_a_page() {
    let mut document = fixture();
    let results = &mut document.results;
    results.products.clear();
    results.splits.clear();
    results.samples.clear();
    results.learning.windows.clear();
    results.learning.courses.clear();
    results.origins = None;
    results
        .policies
        .retain(|policy| policy.role == Role::Heuristic);
    assert!(page(&document).to_html().contains("The best heuristic is "));
}

#[test]
fn it_is_said_which_part_acts() {
    let mut document = fixture();
    let learning = &mut document.results.learning;
    (learning.chosen, learning.learnt) = ("base stock".to_owned(), false);
    let said = acted(&document);
    assert!(
        said.contains("kept base stock: nothing that was learnt earned its place"),
        "{said}"
    );
    let learning = &mut document.results.learning;
    (learning.chosen, learning.learnt) = ("fine-tuned network".to_owned(), true);
    let said = acted(&document);
    assert!(
        said.starts_with("Direct Backprop is here the fine-tuned network"),
        "{said}"
    );
    document.results.learning.windows.clear();
    assert!(acted(&document).contains("no earlier window to choose by"));
}

#[test]
fn all_windows_together_come_first() {
    let document = ahead(1.7, 1.1, 2.4);
    let found = findings(&document);
    assert!(
        found[0].starts_with("Over all 2 held-out windows together"),
        "{found:?}"
    );
    assert!(found[1].starts_with("In the last window"), "{found:?}");
}

#[test]
fn shares_of_the_optimum_have_intervals_or_it_is_said_why_not() {
    let mut document = fixture();
    for policy in &document.results.policies {
        let ends = policy.share_interval.unwrap();
        assert!(ends.lo < ends.hi && ends.hi <= 1.0, "{policy:?}");
    }
    let pooled = &document.results.origins.as_ref().unwrap().pooled;
    assert!(pooled.policies.iter().all(|p| p.share_interval.is_some()));
    let html = page(&document).to_html();
    assert!(html.contains("their ratio is taken in every draw"));
    for policy in &mut document.results.policies {
        policy.share_interval = None;
    }
    let html = page(&document).to_html();
    assert!(html.contains("a share of it says nothing"));
}
