//! What became of the demand of all products together.

use super::history::History;

/// Weeks over which the panel's demand is compared with what was before.
const SPANS: [usize; 3] = [4, 8, 16];

/// Numbers that [`panel`] returns.
pub(super) const ROWS: usize = 2 * SPANS.len();

/// For spans of 4, 8 and 16 weeks: the logarithm of the mean ratio of a product's demand over the span to that before it, once over all
/// products, once over those that still sell. The same for every product of a week.
pub(super) fn panel(histories: &[History]) -> [f64; ROWS] {
    let mut out = [0.0; ROWS];
    for (pair, span) in out.chunks_exact_mut(2).zip(SPANS) {
        let (mut all, mut live) = ((0.0, 0.0), (0.0, 0.0));
        for history in histories {
            let now = history.weeks();
            let Some(then) = now.checked_sub(span) else {
                continue;
            };
            let (known, sum) = history.total(then, now);
            let (before, sold) = history.total(0, then);
            if known <= 0.0 || before <= 3.0 || sold <= 0.0 {
                continue;
            }
            let ratio = ((sum / known) / (sold / before)).min(5.0);
            all = (all.0 + ratio, all.1 + 1.0);
            if history.total(now.saturating_sub(2 * span), now).1 > 0.0 {
                live = (live.0 + ratio, live.1 + 1.0);
            }
        }
        for (out, (sum, n)) in pair.iter_mut().zip([all, live]) {
            if n > 2.0 {
                *out = f64::ln(sum / n + 0.05);
            }
        }
    }
    out
}

/// How the panel's last four weeks stand to its last quarter, against the same a year before: the mean difference of logarithms over
/// the products that sold in both. Zero before a year and a quarter are over.
pub(super) fn against_last_year(histories: &[History], year: usize) -> f64 {
    let quarter = (year / 4).max(1);
    let month = quarter.div_ceil(3);
    let shape = |history: &History, now: usize| {
        let (n, sum) = history.total(now - month, now);
        let (m, all) = history.total(now - quarter, now);
        (n > 0.0 && m > 0.0 && all > 0.0).then(|| (sum / n) / (all / m))
    };
    let (mut now_sum, mut then_sum, mut n) = (0.0, 0.0, 0.0);
    for history in histories {
        let now = history.weeks();
        let Some(then) = now.checked_sub(year).filter(|&then| then >= quarter) else {
            return 0.0;
        };
        if let (Some(now), Some(then)) = (shape(history, now), shape(history, then)) {
            (now_sum, then_sum, n) = (now_sum + now, then_sum + then, n + 1.0);
        }
    }
    if n > 2.0 && now_sum > 0.0 && then_sum > 0.0 {
        (now_sum / then_sum).ln().clamp(-2.0, 2.0)
    } else {
        0.0
    }
}
