//! Tables, page and JSON of the calibration.

use std::path::PathBuf;

use llm_metrics::io::Schema;
use llm_metrics::{
    calibration::{
        EdgeRule, Norm, Reliability, Selective, calibration_interval, cluster_ece_bootstrap,
    },
    stats::{Interval, bootstrap_standard_error},
};
use serde_json::json;

use super::{Args, State, Targets, fault, plots, value};
use crate::error::CliError;
use report::number::{fixed, interval, percent};
use report::{Column, Page, Table};

/// Reports what the records add up to.
pub(super) fn report(
    args: &Args,
    state: &State,
    schema: Schema,
    targets: &Targets,
) -> Result<(), CliError> {
    let file = &args.files[0];
    let lib = |e: llm_metrics::Error| fault(file, &e);
    let summary = state.accumulator.summary().map_err(lib)?;
    let table = if args.equal_mass {
        state.histogram.equal_mass(args.bins).map_err(lib)?
    } else {
        summary.reliability.clone()
    };
    let smooth = state.histogram.smooth_ece().map_err(lib)?;
    let selective = Selective::from_histogram(&state.histogram).map_err(lib)?;
    let l1 = calibration_interval(
        &table,
        Norm::L1,
        args.uncertainty.level,
        1000,
        args.uncertainty.seed,
    )
    .map_err(lib)?;
    let l2 = calibration_interval(
        &table,
        Norm::L2,
        args.uncertainty.level,
        1000,
        args.uncertainty.seed,
    )
    .map_err(lib)?;
    let grouped = match &state.kept {
        Some((c, y, g)) => Some(
            cluster_ece_bootstrap(
                c,
                y,
                g,
                state.accumulator.edges(),
                args.replicates.max(2),
                args.uncertainty.seed,
            )
            .map_err(lib)?,
        ),
        None => None,
    };
    let spread = grouped
        .map(|r| bootstrap_standard_error(&r).map_err(lib))
        .transpose()?;
    let n = plots::count(summary.n);
    let multi = match schema {
        Schema::Binary => None,
        _ => Some(state.distributions.summary().map_err(lib)?),
    };
    let class_wise = match &multi {
        Some(m) => m.class_wise.lp(1.0).map_err(lib)?,
        None => 0.0,
    };

    let mut scores = Table::new([
        Column::text("score"),
        Column::number("value"),
        Column::text("").optional(),
    ]);
    let mut row = |name: &str, value: String, words: &str| {
        scores.row([name.to_owned(), value, words.to_owned()]);
    };
    let shown = |i: Interval| {
        format!(
            "{:.0} % interval {}",
            100.0 * args.uncertainty.level,
            interval(i.lower, i.upper, 4)
        )
    };
    row("records", fixed(n, 0), schema_words(schema));
    row("accuracy", percent(summary.accuracy, 2), "");
    row(
        "mean confidence",
        percent(summary.mean_confidence, 2),
        over_or_under(&table),
    );
    row(
        "ECE",
        fixed(table.l1(), 4),
        &format!("{}, given the confidences", shown(l1)),
    );
    row("ECE, debiased", fixed(table.debiased_l1(), 4), "");
    row(
        "ECE, if calibrated",
        fixed(table.noise_floor(), 4),
        "what sampling noise alone would show on average",
    );
    row("RMS error", fixed(table.l2(), 4), &shown(l2));
    row(
        "RMS error, debiased",
        fixed(table.debiased_l2(), 4),
        &format!("debiased square {}", fixed(table.debiased_l2_squared(), 6)),
    );
    row("largest bin error", fixed(table.max(), 4), "");
    row(
        "signed error",
        fixed(table.signed(), 4),
        "accuracy minus confidence",
    );
    row(
        "smooth ECE",
        fixed(smooth.value, 4),
        &plots::smooth_words(&smooth),
    );
    if let Some(sd) = spread {
        row(
            "ECE, spread over groups",
            fixed(sd, 4),
            "standard deviation of the ECE when groups are resampled",
        );
    }
    if let Some(m) = &multi {
        row("class-wise ECE", fixed(class_wise, 4), "mean over classes");
        row("Brier score", fixed(m.brier, 4), "sum over classes");
        row("log loss", fixed(m.nll, 4), "nats");
        row(
            "tied top classes",
            fixed(plots::count(m.ties), 0),
            "the first counts",
        );
    } else {
        row("Brier score", fixed(summary.brier, 4), "");
        row(
            "log loss",
            fixed(summary.nll, 4),
            if summary.impossible > 0 {
                "a record had probability 0"
            } else {
                "nats"
            },
        );
    }
    row(
        "AURC",
        fixed(selective.aurc(), 4),
        "area under risk and coverage",
    );
    row(
        "AURC above the best order",
        fixed(selective.excess_aurc(), 4),
        "",
    );
    let top = selective.accuracy_at_coverage(0.1).map_err(lib)?;
    row(
        "accuracy, top 10 %",
        percent(top, 2),
        "most confident tenth",
    );

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
    let text = format!("{}\n{}", scores.render(width), bins.render(width));

    let mut page = Page::new(
        "Calibration",
        format!("{} records of {}", fixed(n, 0), names(&args.files)),
    );
    page.section("Reliability");
    let curve = state
        .histogram
        .smooth_curve(smooth.bandwidth)
        .map_err(lib)?;
    let bands = format!(
        "Accuracy by bin with Clopper-Pearson {:.0} % intervals; the line is the kernel estimate.",
        100.0 * args.uncertainty.level
    );
    page.figures([
        (
            &plots::reliability(
                "Reliability",
                &[("bins", &table)],
                &curve,
                args.uncertainty.level,
            ),
            bands.as_str(),
        ),
        (&plots::counts(&table), "Records by bin."),
    ]);
    page.table(&scores, "Scores.");
    page.section("Risk and coverage");
    page.figure(
        &plots::risk_coverage(&selective, 1.0 - summary.accuracy),
        "Share of wrong answers among the most confident records; records within 1/16384 of confidence count as ties.",
    );
    page.section("Bins");
    page.table(&bins, "The reliability table.");
    page.section("How it was computed");
    page.text(&method(args, &table));

    let results = json!({
        "files": args.files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(),
        "level": args.uncertainty.level,
        "seed": args.uncertainty.seed,
        "records": summary.n,
        "accuracy": summary.accuracy,
        "mean_confidence": summary.mean_confidence,
        "ece": { "l1": table.l1(), "l1_interval": value(&l1)?, "l1_debiased": table.debiased_l1(), "noise_floor": table.noise_floor(),
                 "l2": table.l2(), "l2_interval": value(&l2)?, "l2_squared_debiased": table.debiased_l2_squared(),
                 "max": table.max(), "signed": table.signed(), "average": table.average(), "group_sd": spread },
        "smooth_ece": value(&smooth)?,
        "binary": { "brier": summary.brier, "nll": finite(summary.nll), "impossible": summary.impossible },
        "multiclass": multi.map(|m| json!({ "brier": m.brier, "nll": finite(m.nll), "class_wise_ece": class_wise, "ties": m.ties })),
        "selective": { "aurc": selective.aurc(), "excess_aurc": selective.excess_aurc(), "accuracy_top_tenth": top },
        "reliability": value(&table)?,
    });
    targets.finish("llm calibration", &text, results, &page)
}

/// Infinity has no JSON number: it is written as a word.
fn finite(v: f64) -> serde_json::Value {
    if v.is_finite() {
        json!(v)
    } else {
        json!(v.to_string())
    }
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
        args.uncertainty.seed
    )
}
