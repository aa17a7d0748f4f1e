//! How the trained policy came about: windows, candidates, training.

use super::super::document::Document;
use super::super::tables::{count, decimals, money};
use super::super::words::acted;
use super::rewards::ink_of;
use exo_idp::backtest::Learning;
use report::number::{fixed, percent};
use report::{Axis, Column, Estimate, Ink, IntervalChart, Page, Series, Svg, Table, XyChart};

/// The colour of a candidate: that of the trained policy for the one that acts, its own for a policy that is in the table too.
fn candidate_ink(document: &Document, learning: &Learning, name: &str) -> Ink {
    if name == learning.chosen {
        Ink::Series(1)
    } else {
        ink_of(document, name)
    }
}

/// The candidates' share of the best one's reward over the earlier windows, the best first.
fn candidates(document: &Document, learning: &Learning) -> Svg {
    let axis = Axis::linear("Reward as a share of the best candidate's, mean over the windows");
    let mut chart = IntervalChart::new("Candidates in earlier windows", axis.percent());
    let mut by_share: Vec<_> = learning.candidates.iter().collect();
    by_share.sort_by(|a, b| b.share.total_cmp(&a.share));
    for candidate in by_share {
        let own = candidate_ink(document, learning, &candidate.name);
        let text = percent(candidate.share, 1);
        chart = chart.row(Estimate::new(&candidate.name, candidate.share, None, text).ink(own));
    }
    chart.svg()
}

/// What every candidate earned in every earlier window.
fn windows(document: &Document, learning: &Learning) -> Table {
    let digits = decimals(document);
    let spans = learning
        .windows
        .iter()
        .map(|(from, to)| Column::number(format!("{from} to {to}")));
    let columns = std::iter::once(Column::text("candidate"))
        .chain(spans)
        .chain([Column::number("of the best"), Column::text("")]);
    let mut table = Table::new(columns);
    for candidate in &learning.candidates {
        let mark = if candidate.name == learning.chosen {
            "acts"
        } else {
            ""
        };
        let cells = candidate.earned.iter().map(|&x| fixed(x, digits));
        table.row(
            std::iter::once(candidate.name.clone())
                .chain(cells)
                .chain([percent(candidate.share, 1), mark.to_owned()]),
        );
    }
    table
}

/// The objective while networks were trained.
fn training(document: &Document, learning: &Learning) -> Svg {
    let mut chart = XyChart::new(
        "Training on the weeks before the held-out ones",
        Axis::linear("Step of training"),
        Axis::linear("Objective of the mini-batches"),
    );
    for (at, course) in learning.courses.iter().enumerate() {
        let point = |p: &exo_idp::backtest::TrainingPoint| (count(p.step), p.objective);
        let points = course.points.iter().map(point).collect();
        let ink = candidate_ink(document, learning, &course.candidate);
        let line = Series::line(&course.candidate, points).ink(ink);
        chart = chart.series(line.dash(at));
    }
    chart.svg()
}

/// The section of the page.
pub(super) fn section(page: &mut Page, document: &Document) {
    let learning = &document.results.learning;
    page.section("What was learnt, and what acts")
        .note(&acted(document));
    page.text(
        "Networks that were pretrained on synthetic records are fine-tuned on windows of the record's own past, others are trained on them from scratch. They, the \
         pretrained ones as they are, half-and-half blends of each with the levels of two heuristics, and the heuristics themselves are candidates. Each is made anew before \
         each earlier window, from the weeks before it alone, and replayed over it. In the held-out weeks the fine-tuned networks act, unless another candidate earned more over all of \
         these windows, by more than windows differ.",
    );
    if !learning.windows.is_empty() {
        page.figure(
            &candidates(document, learning),
            "What each candidate would have earned in the earlier windows, as a share of the best candidate of each: the mean over the windows. The held-out weeks \
             played no part. Orange: what acts; purple: the pretrained networks as they are; blue: heuristics; green: other networks.",
        );
        page.table(
            &windows(document, learning),
            &format!(
                "Mean reward of every candidate in the earlier windows, {} a product and week, and the mean share of the best.",
                money(document)
            ),
        );
    }
    if learning
        .courses
        .iter()
        .any(|course| course.points.len() > 1)
    {
        page.figure(
            &training(document, learning),
            "The objective of training: what the products of a mini-batch earn in a week, large and small brought together. The first network of each \
             ensemble. Training ends after a fixed number of steps; the moving average of the parameters is kept.",
        );
    }
}
