//! The findings in words, and what each policy does.

use exo_idp::backtest::{ConfidenceLimits, Difference, Origins};
use report::number::{fixed, percent};

use super::document::Document;

/// Every policy of the back-test in a sentence, in the order in which they are usually read.
pub(super) const POLICIES: [(&str, &str); 12] = [
    (
        "just-in-time rule",
        "knows future demand and lead times, and orders what arrives just when it is sold",
    ),
    (
        "Direct Backprop",
        "is several networks fine-tuned on the record by gradient ascent through the replay, or what clearly earned more in the windows before: networks trained from scratch, the pretrained ones, blends with heuristics, or a heuristic",
    ),
    (
        "pretrained network",
        "orders up to a level by networks trained on synthetic records alone, as they are",
    ),
    (
        "promotion-aware newsvendor",
        "raises the stock position to the critical quantile of lead-time demand, forecast with planned covariates and prices and scaled by a tuned factor",
    ),
    (
        "target position, tuned",
        "raises the position to the critical quantile of the lead-time demand of the training weeks, scaled by a tuned factor",
    ),
    (
        "target position, untuned",
        "raises the position to the critical quantile of the lead-time demand of the training weeks, as it is",
    ),
    (
        "target position, mean lead time",
        "does so for the mean lead time in place of its distribution: what is lost when lead times are taken as fixed",
    ),
    (
        "base stock",
        "raises the position to mean demand over the lead time and the week of review, scaled by a tuned factor",
    ),
    (
        "seasonal base stock",
        "does so for recent demand with the seasonal index of the weeks covered",
    ),
    (
        "safety stock",
        "raises the position to exponentially smoothed demand over the lead time and the textbooks' safety stock, scaled by a tuned factor",
    ),
    ("constant order", "orders a week's mean demand every week"),
    ("own orders", "is what was really ordered, as the file says"),
];

/// What a reward is.
pub(super) const REWARD: &str = "A reward is what a policy earns: revenue less purchases and holding cost, discounted, with the change of the value of its \
    stock over the scored weeks.";

/// The findings, the most telling first: over all origins where there are several, then of the held-out weeks.
pub(super) fn findings(document: &Document) -> Vec<String> {
    let last = finding(document);
    match pooled_finding(document) {
        Some(pooled) => vec![pooled, format!("In the last window {last}")],
        None => vec![last],
    }
}

/// Which part of what was learnt acts in the held-out weeks, and by how many windows it was chosen.
pub(super) fn acted(document: &Document) -> String {
    let learning = &document.results.learning;
    let chosen = &learning.chosen;
    let share = learning.candidates.iter().find(|own| own.name == *chosen);
    let windows = learning.windows.len();
    if windows == 0 {
        return format!(
            "Direct Backprop is here the {chosen}: the record has no earlier window to choose by."
        );
    }
    let share = share.map_or_else(String::new, |own| percent(own.share, 1));
    let window = if windows == 1 { "window" } else { "windows" };
    let before = format!("the {windows} {window} before the held-out weeks");
    let first = learning.candidates.first();
    if first.is_some_and(|first| first.name == *chosen) {
        format!(
            "Direct Backprop is here the {chosen}: nothing earned clearly more in {before} ({share} of the best candidate's reward on average)."
        )
    } else if learning.learnt {
        format!(
            "Direct Backprop is here the {chosen}: it clearly earned most in {before} ({share} of the best candidate's reward on average)."
        )
    } else {
        format!(
            "Direct Backprop kept {chosen}: nothing that was learnt earned its place in {before}."
        )
    }
}

/// The finding in one or two sentences.
pub(super) fn finding(document: &Document) -> String {
    let results = &document.results;
    let Some(trained) = results.trained() else {
        return format!("The best heuristic is {}.", results.best_heuristic);
    };
    let share = if trained.share_of_bound.is_finite() {
        let share = percent(trained.share_of_bound, 1);
        let ends = super::tables::share_interval(trained.share_interval);
        format!(
            "{} of the hindsight optimum",
            format!("{share} {ends}").trim_end()
        )
    } else {
        let digits = super::tables::decimals(document);
        let bound = fixed(results.bound, digits);
        format!("even in hindsight no more than {bound} could have been earned")
    };
    let Some(difference) = trained.against_best else {
        return format!("{} is the best policy: {share}.", trained.name);
    };
    let said = said(document, &trained.name, &results.best_heuristic, difference);
    format!("{said}: {share}.")
}

/// The finding over all origins, where there are several.
pub(super) fn pooled_finding(document: &Document) -> Option<String> {
    let Origins {
        origins, pooled, ..
    } = document.results.origins.as_ref()?;
    let trained = pooled.trained()?;
    let difference = trained.against_best?;
    let said = said(document, &trained.name, &pooled.best_heuristic, difference);
    let ahead = origins
        .iter()
        .filter_map(|origin| origin.scores.trained()?.against_best)
        .filter(|difference| difference.mean > 0.0)
        .count();
    Some(format!(
        "Over all {} held-out windows together {said}; it is ahead of the best heuristic of the window in {ahead} of {}.",
        origins.len(),
        origins.len()
    ))
}

/// A difference in words.
fn said(document: &Document, policy: &str, best: &str, difference: Difference) -> String {
    let money = &document.run.money;
    let ConfidenceLimits { lo, hi } = difference.interval;
    let chance = lo <= 0.0 && hi >= 0.0;
    let less = if chance {
        difference.mean < 0.0
    } else {
        hi < 0.0
    };
    let (verdict, sign) = if less { ("less", -1.0) } else { ("more", 1.0) };
    let (lo, hi) = if less { (-hi, -lo) } else { (lo, hi) };
    let decimals = if difference.mean.abs() < 1.0 { 3 } else { 2 };
    let doubt = if chance { ", which may be chance" } else { "" };
    format!(
        "{policy} earns {} {money} a product and week {verdict} than the best heuristic, {best}{doubt} (95 % interval {} to {})",
        fixed(sign * difference.mean, decimals),
        fixed(lo, decimals),
        fixed(hi, decimals),
    )
}
