//! Tables, page and JSON of the calibration.

use std::path::PathBuf;

use llm_metrics::calibration::{
    EdgeRule, Edges, Reliability, Score, Scores, Selective, cluster_ece_bootstrap,
};
use llm_metrics::io::Schema;
use llm_metrics::stats::{Interval, bootstrap_standard_error};

use serde_json::json;

use super::{Args, State, fault, plots};
use crate::document::Run;
use crate::error::CliError;
use crate::llm::value;
use report::number::{fixed, interval, percent};
use report::{Column, Page, Table};

/// Reports what the records add up to.
pub(super) fn report(
    args: &Args,
    state: &mut State,
    schema: Schema,
    run: &Run,
) -> Result<(), CliError> {
    let file = &args.files[0];
    let lib = |e: llm_metrics::Error| fault(file, &e);
    let scores = state.log.scores().map_err(lib)?;
    let table = &scores.reliability;
    let spread = match &state.kept {
        Some((c, y, g)) => {
            let edges = Edges::equal_width(args.bins, EdgeRule::UpperClosed).map_err(lib)?;
            let seed = args.uncertainty.seed.seed;
            let r = cluster_ece_bootstrap(c, y, g, &edges, args.replicates.max(2), seed)
                .map_err(lib)?;
            Some(bootstrap_standard_error(&r).map_err(lib)?)
        }
        None => None,
    };
    let n = plots::count(scores.records);
    let shown = score_table(args, &scores, schema, spread);
    let notes = notes(args, &scores, state.suspects);

    let mut bins = Table::new([
        Column::text("bin"),
        Column::number("records"),
        Column::number("confidence"),
        Column::number("accuracy"),
        Column::number(format!("{:.0} % interval", 100.0 * args.uncertainty.level)).optional(),
        Column::number("difference"),
    ]);
    for b in table.bins() {
        let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| fixed(v, 4));
        let ends = b
            .clopper_pearson(args.uncertainty.level)
            .map_or_else(|_| "-".to_owned(), |i| interval(i.lower, i.upper, 3));
        let (open, close) = if table.rule() == EdgeRule::LowerClosed {
            ('[', ')')
        } else {
            ('(', ']')
        };
        let name = format!("{open}{:.4}, {:.4}{close}", b.lower(), b.upper());
        bins.row([
            name,
            fixed(plots::count(b.count()), 0),
            number(b.confidence()),
            number(b.accuracy()),
            ends,
            number(b.gap()),
        ]);
    }
    let width = crate::output::width();
    let mut text = format!("{}\n{}", shown.render(width), bins.render(width));
    for note in &notes {
        text.push('\n');
        text.push_str(note);
    }

    let mut page = Page::new(
        "Calibration",
        format!("{} records of {}", fixed(n, 0), names(&args.files)),
    );
    page.section("Reliability");
    let histogram = state.log.histogram();
    let curve = histogram
        .smooth_curve(scores.smooth.bandwidth)
        .map_err(lib)?;
    let selective = Selective::from_histogram(histogram).map_err(lib)?;
    let bands = format!(
        "Accuracy by bin with Clopper-Pearson {:.0} % intervals; the line is the kernel estimate.",
        100.0 * args.uncertainty.level
    );
    page.figures([
        (
            &plots::reliability(
                "Reliability",
                &[("bins", table)],
                &curve,
                args.uncertainty.level,
            ),
            bands.as_str(),
        ),
        (&plots::counts(table), "Records by bin."),
    ]);
    page.table(&shown, "Scores.");
    for note in &notes {
        page.text(note);
    }
    page.section("Risk and coverage");
    page.figure(
        &plots::risk_coverage(&selective, 1.0 - scores.accuracy.value),
        "Share of wrong answers among the most confident records; records within 1/16384 of confidence count as ties.",
    );
    page.section("Bins");
    page.table(&bins, "The reliability table.");
    page.section("How it was computed");
    page.text(&method(args, table));

    let results = json!({
        "level": args.uncertainty.level,
        "records": scores.records,
        "accuracy": scores.accuracy.value,
        "accuracy_interval": value(&scores.accuracy.interval)?,
        "mean_confidence": scores.mean_confidence,
        "ece": { "l1": scores.ece.value, "l1_interval": value(&scores.ece.interval)?, "l1_debiased": scores.ece_debiased, "noise_floor": scores.noise_floor,
                 "l2": scores.rms.value, "l2_interval": value(&scores.rms.interval)?, "l2_squared_debiased": scores.rms_squared_debiased,
                 "max": scores.largest.value, "max_interval": value(&scores.largest.interval)?,
                 "signed": scores.signed.value, "signed_interval": value(&scores.signed.interval)?, "average": scores.average, "group_sd": spread },
        "smooth_ece": value(&scores.smooth)?,
        "binary": { "brier": scores.answer[0], "nll": finite(scores.answer[1]), "impossible": scores.impossible },
        "multiclass": scores.class_wise_ece.map(|c| json!({ "brier": scores.brier.value, "nll": finite(scores.log_loss.value), "class_wise_ece": c, "ties": scores.ties })),
        "brier_interval": value(&scores.brier.interval)?,
        "nll_interval": value(&scores.log_loss.interval)?,
        "selective": { "aurc": scores.aurc.value, "aurc_interval": value(&scores.aurc.interval)?, "excess_aurc": scores.excess_aurc,
                       "accuracy_top_tenth": scores.accuracy_top_tenth.value, "accuracy_top_tenth_interval": value(&scores.accuracy_top_tenth.interval)? },
        "notes": notes,
        "reliability": value(table)?,
    });
    run.finish(&results, || page, &text)
}

/// Infinity has no JSON number: it is written as a word.
fn finite(v: f64) -> serde_json::Value {
    if v.is_finite() {
        json!(v)
    } else {
        json!(v.to_string())
    }
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

fn score_table(args: &Args, scores: &Scores, schema: Schema, spread: Option<f64>) -> Table {
    let mut shown = Table::new([
        Column::text("score"),
        Column::number("value"),
        Column::text(format!("{:.0} % interval", 100.0 * args.uncertainty.level)),
        Column::text("").optional(),
    ]);
    let mut row = |name: &str, value: String, ends: Option<Interval>, words: &str| {
        let ends = ends.map_or_else(String::new, |i| interval(i.lower, i.upper, 4));
        shown.row([name.to_owned(), value, ends, words.to_owned()]);
    };
    let four = |s: &Score| (fixed(s.value, 4), s.interval);
    row(
        "records",
        fixed(plots::count(scores.records), 0),
        None,
        schema_words(schema),
    );
    row(
        "accuracy",
        percent(scores.accuracy.value, 2),
        scores.accuracy.interval,
        "exact",
    );
    row(
        "mean confidence",
        percent(scores.mean_confidence, 2),
        None,
        over_or_under(&scores.reliability),
    );
    let (value, ends) = four(&scores.ece);
    row("ECE", value, ends, "given the confidences");
    row("ECE, debiased", fixed(scores.ece_debiased, 4), None, "");
    row(
        "ECE, if calibrated",
        fixed(scores.noise_floor, 4),
        None,
        "what sampling noise alone would show on average",
    );
    let (value, ends) = four(&scores.rms);
    row("RMS error", value, ends, "");
    let squared = scores.rms_squared_debiased;
    row(
        "RMS error, debiased",
        fixed(squared.max(0.0).sqrt(), 4),
        None,
        &format!("debiased square {}", fixed(squared, 6)),
    );
    let (value, ends) = four(&scores.largest);
    row("largest bin error", value, ends, "");
    let (value, ends) = four(&scores.signed);
    row("signed error", value, ends, "accuracy minus confidence");
    row(
        "smooth ECE",
        fixed(scores.smooth.value, 4),
        None,
        &plots::smooth_words(&scores.smooth),
    );
    if let Some(sd) = spread {
        row(
            "ECE, spread over groups",
            fixed(sd, 4),
            None,
            "standard deviation of the ECE when groups are resampled",
        );
    }
    if let Some(class_wise) = scores.class_wise_ece {
        row(
            "class-wise ECE",
            fixed(class_wise, 4),
            None,
            "mean over classes",
        );
    }
    let several = scores.ties.is_some();
    let (value, ends) = four(&scores.brier);
    row(
        "Brier score",
        value,
        ends,
        if several { "sum over classes" } else { "" },
    );
    let (value, ends) = four(&scores.log_loss);
    row(
        "log loss",
        value,
        ends,
        if scores.impossible > 0 {
            "a record had probability 0"
        } else {
            "nats"
        },
    );
    if let Some(ties) = scores.ties {
        row(
            "tied top classes",
            fixed(plots::count(ties), 0),
            None,
            "the first counts",
        );
    }
    let (value, ends) = four(&scores.aurc);
    row("AURC", value, ends, "area under risk and coverage");
    row(
        "AURC above the best order",
        fixed(scores.excess_aurc, 4),
        None,
        "",
    );
    row(
        "accuracy, top 10 %",
        percent(scores.accuracy_top_tenth.value, 2),
        scores.accuracy_top_tenth.interval,
        "most confident tenth",
    );
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

fn names(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|f| f.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn method(args: &Args, table: &Reliability) -> String {
    let kind = if args.equal_mass {
        "equal mass, edges on multiples of 1/16384"
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
