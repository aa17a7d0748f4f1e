//! Tables, page and JSON of the calibration.

use llm_metrics::calibration::{
    EdgeRule, Edges, Reliability, Score, Scores, Selective, cluster_ece_bootstrap,
};
use llm_metrics::io::Schema;
use llm_metrics::stats::bootstrap_standard_error;

use super::{Args, State, fault, plots};
use crate::document::Run;
use crate::error::CliError;
use report::number::{fixed, interval, percent};
use report::{Column, Page, Table};

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Results<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    /// Standard deviation of the ECE when groups are resampled.
    group_sd: Option<f64>,
    notes: &'a [String],
}

/// Reports what the records add up to.
pub(super) fn report(
    args: &Args,
    state: &mut State,
    schema: Schema,
    run: &Run,
) -> Result<(), CliError> {
    let lib = |e| fault(&args.files[0], e);
    let scores = state.log.scores().map_err(lib)?;
    let spread = spread(args, state).map_err(lib)?;
    let (shown, bins) = (score_table(&scores, schema, spread), bin_table(&scores));
    let notes = notes(args, &scores, state.suspects);
    let width = crate::output::width();
    let finding = finding(&scores);
    let mut text = format!(
        "{finding}\n\n{}\n{}",
        shown.render(width),
        bins.render(width)
    );
    for note in &notes {
        text.push('\n');
        text.push_str(note);
    }
    let histogram = state.log.histogram();
    let curve = histogram
        .smooth_curve(scores.smooth.bandwidth)
        .map_err(lib)?;
    let selective = Selective::from_histogram(histogram).map_err(lib)?;
    let names: Vec<String> = args.files.iter().map(|f| f.display().to_string()).collect();
    let mut page = Page::new(
        "Calibration",
        format!(
            "{} records of {}",
            fixed(plots::count(scores.records), 0),
            names.join(", ")
        ),
    );
    page.note(&finding).section("Reliability");
    let table = &scores.reliability;
    let bands = format!(
        "Accuracy by bin with Clopper-Pearson {:.0} % intervals; the line is the kernel estimate.",
        100.0 * scores.level
    );
    let reliability = plots::reliability("Reliability", &[("bins", table)], &curve, scores.level);
    page.figures([
        (&reliability, bands.as_str()),
        (&plots::counts(table), "Records by bin."),
    ]);
    page.table(&shown, "Scores.");
    for note in &notes {
        page.text(note);
    }
    page.section("Risk and coverage");
    page.figure(
        &plots::risk_coverage(&selective, 1.0 - scores.accuracy.value),
        "Share of wrong answers among the most confident records; records within 1/16,384 of confidence count as ties.",
    );
    page.section("Bins");
    page.table(&bins, "The reliability table.");
    page.section("How it was computed");
    page.text(&method(args, table));
    let results = Results {
        scores: &scores,
        group_sd: spread,
        notes: &notes,
    };
    run.finish(&results, || page, &text)
}

/// What the scores come to.
fn finding(scores: &Scores) -> String {
    let (right, table) = (scores.accuracy.value, &scores.reliability);
    let signed = table.signed();
    let side = if signed < 0.0 { "over" } else { "under" };
    format!(
        "{} of the answers are right where {} is claimed: {}confident by {} points on average. The calibration error is {}, debiased {}; perfect calibration would give {} by chance.",
        percent(right, 1),
        percent(right - signed, 1),
        side,
        fixed(100.0 * signed.abs(), 1),
        fixed(table.l1(), 3),
        fixed(table.debiased_l1(), 3),
        fixed(table.noise_floor(), 3),
    )
}

/// The standard deviation of the ECE when groups are resampled, if there are groups.
fn spread(args: &Args, state: &State) -> llm_metrics::Result<Option<f64>> {
    let Some((c, y, g)) = &state.kept else {
        return Ok(None);
    };
    let edges = Edges::equal_width(args.bins, EdgeRule::UpperClosed)?;
    let seed = args.uncertainty.seed.seed;
    let drawn = cluster_ece_bootstrap(c, y, g, &edges, args.replicates.max(2), seed)?;
    bootstrap_standard_error(&drawn).map(Some)
}

fn bin_table(scores: &Scores) -> Table {
    let table = &scores.reliability;
    let mut bins = Table::new([
        Column::text("bin"),
        Column::number("records"),
        Column::number("confidence"),
        Column::number("accuracy"),
        Column::number(format!("{:.0} % interval", 100.0 * scores.level)).optional(),
        Column::number("difference"),
    ]);
    let (open, close) = if table.rule() == EdgeRule::LowerClosed {
        ('[', ')')
    } else {
        ('(', ']')
    };
    let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| fixed(v, 4));
    for b in table.bins() {
        let ends = b
            .clopper_pearson(scores.level)
            .map_or_else(|_| "-".to_owned(), |i| interval(i.lower, i.upper, 3));
        bins.row([
            format!("{open}{:.4}, {:.4}{close}", b.lower(), b.upper()),
            fixed(plots::count(b.count()), 0),
            number(b.confidence()),
            number(b.accuracy()),
            ends,
            number(b.gap()),
        ]);
    }
    bins
}

/// What a reader of the scores should know besides.
fn notes(args: &Args, scores: &Scores, suspects: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(reason) = &scores.without_interval {
        notes.push(format!(
            "No interval for the calibration errors: {reason}. Take fewer bins."
        ));
    }
    for (name, score) in [("ECE", &scores.ece), ("RMS error", &scores.rms)] {
        if score.interval.is_some_and(|i| !i.contains(score.value)) {
            notes.push(format!(
                "The {name} lies outside its own interval: with {} bins for {} records sampling noise alone shows {} on average, which the interval leaves out and the \
                 printed error does not.",
                args.bins,
                scores.records,
                fixed(scores.noise_floor, 4)
            ));
        }
    }
    if suspects > 0 {
        notes.push(format!(
            "Warning: the logits of {suspects} of {} records are in [0, 1] and sum to 1. If they are probabilities, name them by --probs: their softmax is nearly uniform.",
            scores.records
        ));
    }
    if scores.impossible > 0 {
        notes.push(format!(
            "{} records were given probability 0: the log loss is infinite.",
            scores.impossible
        ));
    }
    notes
}

fn score_table(scores: &Scores, schema: Schema, spread: Option<f64>) -> Table {
    let mut shown = Table::new([
        Column::text("score"),
        Column::number("value"),
        Column::text(format!("{:.0} % interval", 100.0 * scores.level)),
        Column::text("note").optional(),
    ]);
    let ends = |s: &Score, scale: f64, digits: usize| {
        let ends = s.interval;
        ends.map_or_else(String::new, |i| {
            interval(scale * i.lower, scale * i.upper, digits)
        })
    };
    let share = |s: &Score| (percent(s.value, 2), ends(s, 100.0, 2) + " %");
    let four = |s: &Score| (fixed(s.value, 4), ends(s, 1.0, 4));
    let alone = |v: f64| (fixed(v, 4), String::new());
    let count = |n: u64| (fixed(plots::count(n), 0), String::new());
    let squared = scores.rms_squared_debiased;
    let debiased = format!("debiased square {}", fixed(squared, 6));
    let smooth = plots::smooth_words(&scores.smooth);
    let several = scores.ties.is_some();
    let brier = if several { "sum over classes" } else { "" };
    let infinite = |s: &Score| s.interval.is_some_and(|i| i.upper.is_infinite());
    let log_loss = if scores.impossible > 0 {
        "a record had probability 0"
    } else if infinite(&scores.log_loss) {
        "nats; a wrong answer at confidence 1 would have cost infinity"
    } else {
        "nats"
    };
    let noise = "what sampling noise alone would show on average";
    let groups = "standard deviation of the ECE when groups are resampled";
    let rows = [
        ("records", Some(count(scores.records)), schema_words(schema)),
        ("accuracy", Some(share(&scores.accuracy)), "exact"),
        (
            "mean confidence",
            Some((percent(scores.mean_confidence, 2), String::new())),
            over_or_under(&scores.reliability),
        ),
        ("ECE", Some(four(&scores.ece)), "given the confidences"),
        ("ECE, debiased", Some(alone(scores.ece_debiased)), ""),
        ("ECE, if calibrated", Some(alone(scores.noise_floor)), noise),
        ("RMS error", Some(four(&scores.rms)), ""),
        (
            "RMS error, debiased",
            Some(alone(squared.max(0.0).sqrt())),
            &debiased,
        ),
        ("largest bin error", Some(four(&scores.largest)), ""),
        (
            "signed error",
            Some(four(&scores.signed)),
            "accuracy minus confidence",
        ),
        ("smooth ECE", Some(alone(scores.smooth.value)), &smooth),
        ("ECE, spread over groups", spread.map(alone), groups),
        (
            "class-wise ECE",
            scores.class_wise_ece.map(alone),
            "mean over classes",
        ),
        ("Brier score", Some(four(&scores.brier)), brier),
        ("log loss", Some(four(&scores.log_loss)), log_loss),
        (
            "tied top classes",
            scores.ties.map(count),
            "the first counts",
        ),
        (
            "AURC",
            Some(four(&scores.aurc)),
            "area under risk and coverage",
        ),
        (
            "AURC above the best order",
            Some(alone(scores.excess_aurc)),
            "",
        ),
        (
            "accuracy, top 10 %",
            Some(share(&scores.accuracy_top_tenth)),
            "most confident tenth",
        ),
    ];
    for (name, score, words) in rows {
        if let Some((value, ends)) = score {
            shown.row([name.to_owned(), value, ends, words.to_owned()]);
        }
    }
    shown
}

fn schema_words(schema: Schema) -> &'static str {
    match schema {
        Schema::Probabilities => "top label of class probabilities",
        Schema::Logits => "top label of the softmax of logits",
        Schema::LmEval => "lm-evaluation-harness: softmax over the choices' log-likelihoods",
        _ => "confidence and outcome",
    }
}

fn over_or_under(table: &Reliability) -> &'static str {
    if table.signed() < 0.0 {
        "overconfident on the whole"
    } else {
        "underconfident on the whole"
    }
}

fn method(args: &Args, table: &Reliability) -> String {
    let kind = if args.equal_mass {
        "equal mass, edges on multiples of 1/16,384"
    } else {
        "equal width"
    };
    let rule = if table.rule() == EdgeRule::LowerClosed {
        "[l, u), 1 in the last"
    } else {
        "(l, u], 0 in the first"
    };
    format!(
        "{} bins of {kind}, {rule}; {} of them empty. The interval of the ECE inverts a test of each possible value given the confidences \
         and so covers near zero too, where percentiles of a bootstrap do not; it takes records as independent. Seed {}.",
        table.bins().len(),
        table.empty_bins(),
        args.uncertainty.seed.seed
    )
}
