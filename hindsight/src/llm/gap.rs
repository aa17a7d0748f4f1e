//! `hindsight llm gap`.

use std::path::PathBuf;

use clap::ValueEnum;
use llm_metrics::{
    BootstrapInterval, EmptyFilter, GapEstimate, GapOptions, Interval, Perfect, QuantileRule,
    Responses, Round, RoundSummary, ScalingTrend, Stages, SweepPoint, Weighting,
    bootstrap_interval, ensemble, gap_bootstrap, gap_with_weights, judge_rounds, paired_difference,
    scaling_trend, score_correlation, text_key, threshold_sweep, weights,
};
use serde_json::{Value, json};

use super::{Outputs, each_row, fault, level, positive, value};
use crate::chart::{Axis, Estimate, IntervalChart, Series, Svg, XyChart};
use crate::error::CliError;
use crate::number::{fixed, interval, percent};
use crate::page::Page;
use crate::table::{Column, Table, Width};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rule {
    Linear,
    Lower,
    Higher,
    InvertedCdf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Empty {
    /// Gap 0: the generator as it is.
    Base,
    /// Leave the prompt out.
    Drop,
    /// Stop with an error.
    Error,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Solved {
    /// Relative gap 0.
    Zero,
    /// Leave the prompt out of the relative mean.
    Drop,
}

/// Arguments of `hindsight llm gap`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Log with one line per response: prompt, utility (0 to 1, or true and false) and one or more verifiers' scores.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Field of the prompt.
    #[arg(long, default_value = "prompt", value_name = "FIELD")]
    prompt: String,
    /// Field of the true utility.
    #[arg(long, default_value = "correct", value_name = "FIELD")]
    utility: String,
    /// Fields of the verifiers' scores; several are compared and combined.
    #[arg(
        long,
        default_value = "score",
        value_delimiter = ',',
        value_name = "FIELD"
    )]
    score: Vec<String>,
    /// Field of the generator, for a matrix of generators and verifiers.
    #[arg(long, value_name = "FIELD", conflicts_with = "round")]
    generator: Option<String>,
    /// Field of each generator's pre-training FLOPs, for the trend of the relative gap.
    #[arg(long, value_name = "FIELD", requires = "generator")]
    flops: Option<String>,
    /// Field of the round of self-improvement.
    #[arg(long, value_name = "FIELD")]
    round: Option<String>,
    /// Keep responses with at least this score, whatever the prompt.
    #[arg(long, group = "filter", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Keep responses at or above this quantile of their prompt's scores (0.9: about the best tenth); the default, at 0.9.
    #[arg(long, group = "filter")]
    quantile: Option<f64>,
    /// Weight responses by exp(score / BETA).
    #[arg(long, group = "filter", value_parser = positive)]
    beta: Option<f64>,
    /// How a quantile between two scores is read.
    #[arg(long, value_enum, default_value = "linear")]
    rule: Rule,
    /// What a prompt counts of which nothing is kept.
    #[arg(long, value_enum, default_value = "base")]
    empty: Empty,
    /// What the relative gap of a prompt is on which all responses are right.
    #[arg(long, value_enum, default_value = "zero")]
    solved: Solved,
    /// Correct the bias of soft weights by the jackknife.
    #[arg(long)]
    jackknife: bool,
    /// Replicates of the bootstrap over prompts.
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95, value_parser = level)]
    level: f64,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    outputs: Outputs,
}

/// The records of one generator or one round.
#[derive(Default)]
struct Part {
    name: String,
    flops: Option<f64>,
    prompt: Vec<u64>,
    utility: Vec<f64>,
    scores: Vec<Vec<f64>>,
}

struct Estimated {
    generator: String,
    verifier: String,
    gap: GapEstimate,
    interval: Interval,
    relative: Option<Interval>,
}

/// FLOPs and relative gap of each generator, and the trend through them.
type Trend = (Vec<(f64, f64)>, ScalingTrend);

/// Runs `hindsight llm gap`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    let options = GapOptions {
        empty: match args.empty {
            Empty::Base => EmptyFilter::KeepBase,
            Empty::Drop => EmptyFilter::Drop,
            Empty::Error => EmptyFilter::Error,
        },
        perfect: match args.solved {
            Solved::Zero => Perfect::Zero,
            Solved::Drop => Perfect::Drop,
        },
        jackknife: args.jackknife,
    };
    let weighting = weighting(args)?;
    let mut parts = read(args)?;
    if args.round.is_some() {
        // Numbered rounds in the order of their numbers, others in the order of the log.
        if parts.iter().all(|p| p.name.parse::<f64>().is_ok()) {
            let number = |p: &Part| p.name.parse::<f64>().unwrap_or_default();
            parts.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        return rounds(args, &parts, weighting, options, &targets);
    }
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let mut estimates = Vec::new();
    let mut sweeps: Vec<(String, Vec<SweepPoint>)> = Vec::new();
    let mut notes = Vec::new();
    for part in &parts {
        let (responses, order) = Responses::from_log(&part.prompt, &part.utility).map_err(lib)?;
        let mut filters = Vec::new();
        let mut first: Option<GapEstimate> = None;
        for (name, scores) in args.score.iter().zip(&part.scores) {
            let scores = Responses::arrange(&order, scores).map_err(lib)?;
            let w = weights(&responses, &scores, weighting).map_err(lib)?;
            let label = if part.name.is_empty() {
                name.clone()
            } else {
                format!("{} by {name}", part.name)
            };
            sweeps.push((
                label,
                threshold_sweep(&responses, &scores, options).map_err(lib)?,
            ));
            let e = estimate(args, &responses, &w, options, (&part.name, name))?;
            if let Some(first) = &first {
                let d = paired_difference(first, &e.gap).map_err(lib)?;
                let words = format!(
                    "{}: {} minus {name}: {} ± {} points",
                    part.name,
                    args.score[0],
                    points(d.difference),
                    points(d.standard_error)
                );
                notes.push(words.trim_start_matches(": ").to_owned());
            } else {
                first = Some(e.gap.clone());
            }
            estimates.push(e);
            filters.push(w);
        }
        if filters.len() > 1 {
            let all = ensemble(&filters).map_err(lib)?;
            estimates.push(estimate(
                args,
                &responses,
                &all,
                options,
                (&part.name, "all of them"),
            )?);
            for i in 1..args.score.len() {
                let r = score_correlation(&part.scores[0], &part.scores[i]).map_err(lib)?;
                notes.push(format!(
                    "correlation of the scores {} and {}: {}",
                    args.score[0],
                    args.score[i],
                    fixed(r, 3)
                ));
            }
        }
    }
    let trend = trend(args, &parts, &estimates)?;
    report(
        args,
        &estimates,
        &sweeps,
        &notes,
        trend.as_ref(),
        weighting,
        &targets,
    )
}

fn weighting(args: &Args) -> Result<Weighting, CliError> {
    if let Some(tau) = args.threshold {
        return Ok(Weighting::Threshold(tau));
    }
    if let Some(beta) = args.beta {
        return Ok(Weighting::Exponential { beta });
    }
    let q = args.quantile.unwrap_or(0.9);
    if !(0.0..=1.0).contains(&q) {
        return Err(CliError::argument("--quantile", q, "must lie in [0, 1]"));
    }
    let rule = match args.rule {
        Rule::Linear => QuantileRule::Linear,
        Rule::Lower => QuantileRule::Lower,
        Rule::Higher => QuantileRule::Higher,
        Rule::InvertedCdf => QuantileRule::InvertedCdf,
    };
    Ok(Weighting::Quantile { q, rule })
}

fn read(args: &Args) -> Result<Vec<Part>, CliError> {
    let split = args.generator.as_ref().or(args.round.as_ref());
    let mut fields = vec![args.prompt.clone(), args.utility.clone()];
    fields.extend(args.score.iter().cloned());
    let (part_field, flops_field) = (fields.len(), fields.len() + 1);
    fields.push(split.cloned().unwrap_or_default());
    fields.push(args.flops.clone().unwrap_or_default());
    let mut parts: Vec<Part> = Vec::new();
    each_row(&args.file, &fields, |rows, row| {
        let name = if split.is_some() {
            rows.text(row, part_field)?
        } else {
            String::new()
        };
        let at = parts
            .iter()
            .position(|p| p.name == name)
            .unwrap_or(parts.len());
        if at == parts.len() {
            parts.push(Part {
                name,
                scores: vec![Vec::new(); args.score.len()],
                ..Part::default()
            });
        }
        let part = &mut parts[at];
        part.prompt.push(text_key(&rows.text(row, 0)?));
        let utility = match rows.outcome(row, 1) {
            Ok(right) => f64::from(u8::from(right)),
            Err(_) => rows.number(row, 1)?,
        };
        if !(0.0..=1.0).contains(&utility) {
            return Err(rows.fault(row, 1, format!("the utility {utility} is outside [0, 1]")));
        }
        part.utility.push(utility);
        for (i, scores) in part.scores.iter_mut().enumerate() {
            scores.push(rows.number(row, 2 + i)?);
        }
        if args.flops.is_some() {
            let flops = rows.number(row, flops_field)?;
            if part.flops.is_some_and(|f| (f - flops).abs() > 1e-9 * f) {
                return Err(rows.fault(
                    row,
                    flops_field,
                    format!("{flops} differs from earlier records of this generator"),
                ));
            }
            part.flops = Some(flops);
        }
        Ok(())
    })?;
    Ok(parts)
}

fn estimate(
    args: &Args,
    responses: &Responses,
    w: &[f64],
    options: GapOptions,
    (generator, verifier): (&str, &str),
) -> Result<Estimated, CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let gap = gap_with_weights(responses, w, options).map_err(lib)?;
    let r = gap_bootstrap(
        responses,
        w,
        options,
        Stages::Prompts,
        args.replicates.max(1),
        args.seed,
    )
    .map_err(lib)?;
    let interval = bootstrap_interval(&r.gap, gap.gap, args.level, BootstrapInterval::Percentile)
        .map_err(lib)?;
    let relative = bootstrap_interval(
        &r.relative,
        gap.relative,
        args.level,
        BootstrapInterval::Percentile,
    )
    .ok();
    Ok(Estimated {
        generator: generator.to_owned(),
        verifier: verifier.to_owned(),
        gap,
        interval,
        relative,
    })
}

fn trend(args: &Args, parts: &[Part], estimates: &[Estimated]) -> Result<Option<Trend>, CliError> {
    if args.flops.is_none() {
        return Ok(None);
    }
    let verifier = &args.score[0];
    let of = |p: &Part| {
        estimates
            .iter()
            .find(|e| e.generator == p.name && e.verifier == *verifier)
    };
    let data: Vec<(f64, f64)> = parts
        .iter()
        .filter_map(|p| Some((p.flops?, of(p)?.gap.relative)))
        .collect();
    let (flops, gaps): (Vec<f64>, Vec<f64>) = data.iter().copied().unzip();
    let fit = scaling_trend(&flops, &gaps, args.level).map_err(|e| fault(&args.file, &e))?;
    Ok(Some((data, fit)))
}

fn points(x: f64) -> String {
    fixed(100.0 * x, 2)
}

fn report(
    args: &Args,
    estimates: &[Estimated],
    sweeps: &[(String, Vec<SweepPoint>)],
    notes: &[String],
    trend: Option<&Trend>,
    weighting: Weighting,
    targets: &super::Targets,
) -> Result<(), CliError> {
    let mut table = Table::new([
        Column::text("generator and verifier"),
        Column::number("utility %"),
        Column::number("filtered %"),
        Column::number("gap, points"),
        Column::number(format!("{:.0} % interval", 100.0 * args.level)),
        Column::number("relative"),
        Column::number("median").optional(),
        Column::number("below -1").optional(),
        Column::number("kept").optional(),
        Column::number("pooled %").optional(),
    ]);
    let mut forest =
        IntervalChart::new("Gap", Axis::linear("Gap, percentage points")).reference(0.0, "no gain");
    for e in estimates {
        let g = &e.gap;
        let name = if e.generator.is_empty() {
            e.verifier.clone()
        } else {
            format!("{} by {}", e.generator, e.verifier)
        };
        let ends = (100.0 * e.interval.lower, 100.0 * e.interval.upper);
        table.row([
            name.clone(),
            points(g.base),
            points(g.filtered),
            points(g.gap),
            interval(ends.0, ends.1, 2),
            points(g.relative),
            points(g.relative_median),
            percent(g.relative_below_minus_one, 1),
            percent(g.kept, 1),
            points(g.pooled),
        ]);
        let text = format!("{} {}", points(g.gap), interval(ends.0, ends.1, 2));
        forest = forest.row(Estimate::new(name, 100.0 * g.gap, Some(ends), text));
    }
    let (g, g_first) = (&estimates[0].gap, &estimates[0].generator);
    let mut words = format!(
        "{}{} prompts, {} responses; {} prompts of which nothing is kept, {} with nothing to gain. Weights: {}. Intervals by bootstrap over prompts, \
         relative gap in per cent: the mean of the prompts' ratios.",
        if g_first.is_empty() {
            String::new()
        } else {
            format!("{g_first}: ")
        },
        g.prompts,
        g.responses,
        g.empty_prompts,
        g.perfect_prompts,
        weighting_words(weighting)
    );
    let mut page = Page::new("Generation-verification gap", words.clone());
    page.section("Gap");
    page.figure(
        &forest.svg(),
        "Gain in utility by filtering, with bootstrap intervals over prompts.",
    );
    page.table(&table, "Gap and relative gap.");
    for note in notes {
        words.push('\n');
        words.push_str(note);
        page.text(note);
    }
    page.section("Threshold");
    page.figure(
        &sweep_chart(sweeps),
        "Gap at every threshold on the score; the band is two standard errors over prompts.",
    );
    if let Some((data, fit)) = trend {
        let slope = fit.fit.coefficients[1];
        let ends = fit.slope_interval.map_or_else(String::new, |i| {
            format!(" {}", interval(100.0 * i.lower, 100.0 * i.upper, 2))
        });
        let p = fit
            .monotone
            .p_value
            .map_or_else(|| "n/a".to_owned(), |p| fixed(p, 3));
        let line = format!(
            "Relative gap per decade of FLOPs: {}{ends} points; Kendall's tau {} (exact p {p}).",
            points(slope.estimate),
            fixed(fit.monotone.tau, 2)
        );
        words.push('\n');
        words.push_str(&line);
        page.section("Compute");
        page.text(&line);
        let dots = data.iter().map(|(f, g)| (*f, 100.0 * g)).collect();
        let at = |f: f64| 100.0 * (fit.fit.coefficients[0].estimate + slope.estimate * f.log10());
        let fitted = data.iter().map(|(f, _)| (*f, at(*f))).collect();
        let chart = XyChart::new(
            "Relative gap and compute",
            Axis::log("Pre-training FLOPs"),
            Axis::linear("Relative gap, per cent"),
        )
        .series(Series::points("generators", dots))
        .series(Series::line("least squares", fitted).dashed());
        page.figure(&chart.svg(), "Relative gap against compute.");
    }
    let text = format!("{}\n{words}", table.render(Width::of_stdout()));
    let rows = estimates
        .iter()
        .map(|e| {
            Ok(json!({ "generator": e.generator, "verifier": e.verifier, "estimate": value(&e.gap)?, "interval": value(&e.interval)?,
                       "relative_interval": value(&e.relative)? }))
        })
        .collect::<Result<Vec<Value>, CliError>>()?;
    let sweeps = sweeps
        .iter()
        .map(|(n, s)| Ok(json!({ "name": n, "points": value(s)? })))
        .collect::<Result<Vec<Value>, CliError>>()?;
    let results = json!({ "file": args.file.display().to_string(), "weighting": value(&weighting)?, "level": args.level, "seed": args.seed,
                          "gaps": rows, "sweeps": sweeps, "notes": notes, "trend": value(&trend.map(|t| &t.1))? });
    targets.finish("llm gap", &text, results, &page)
}

fn sweep_chart(sweeps: &[(String, Vec<SweepPoint>)]) -> Svg {
    let mut chart = XyChart::new(
        "Gap and threshold",
        Axis::linear("Threshold on the score"),
        Axis::linear("Gap, percentage points").with_zero(),
    );
    for (name, sweep) in sweeps.iter().take(6) {
        let step = sweep.len().div_ceil(400).max(1);
        let thin: Vec<&SweepPoint> = sweep.iter().step_by(step).rev().collect();
        let line = thin.iter().map(|p| (p.threshold, 100.0 * p.gap)).collect();
        let band = thin
            .iter()
            .map(|p| {
                (
                    p.threshold,
                    100.0 * (p.gap - 2.0 * p.gap_se),
                    100.0 * (p.gap + 2.0 * p.gap_se),
                )
            })
            .collect();
        chart = chart.series(Series::line(name.clone(), line).band(band));
    }
    chart.svg()
}

fn weighting_words(w: Weighting) -> String {
    match w {
        Weighting::Threshold(t) => format!("score at least {t}"),
        Weighting::Quantile { q, .. } => format!("score at or above its prompt's {q} quantile"),
        Weighting::Exponential { beta } => format!("exp(score / {beta})"),
        _ => "as given".to_owned(),
    }
}

fn rounds(
    args: &Args,
    parts: &[Part],
    weighting: Weighting,
    options: GapOptions,
    targets: &super::Targets,
) -> Result<(), CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let mut logs = Vec::new();
    for part in parts {
        let (responses, order) = Responses::from_log(&part.prompt, &part.utility).map_err(lib)?;
        let scores = Responses::arrange(&order, &part.scores[0]).map_err(lib)?;
        logs.push(Round { responses, scores });
    }
    let rows: Vec<RoundSummary> = judge_rounds(&logs, weighting, options).map_err(lib)?;
    let mut table = Table::new([
        Column::text("round"),
        Column::number("utility %"),
        Column::number("gap, points"),
        Column::number("standard error"),
        Column::number("relative"),
        Column::number("next round's gain"),
        Column::number("gain minus gap").optional(),
    ]);
    let or_dash = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), points);
    for (row, part) in rows.iter().zip(parts) {
        table.row([
            part.name.clone(),
            points(row.utility),
            points(row.gap),
            points(row.gap_se),
            points(row.relative),
            or_dash(row.improvement),
            or_dash(row.update_excess),
        ]);
    }
    let mut chart = XyChart::new(
        "pass@k by round",
        Axis::log("k"),
        Axis::linear("pass@k").percent(),
    );
    for (row, part) in rows.iter().zip(parts) {
        #[allow(clippy::cast_precision_loss)] // Small k.
        let line = row.pass.iter().map(|p| (p.k as f64, p.pass_at_k)).collect();
        chart = chart.series(Series::line(format!("round {}", part.name), line));
    }
    let mut page = Page::new(
        "Rounds of self-improvement",
        format!(
            "{} rounds, weights: {}",
            rows.len(),
            weighting_words(weighting)
        ),
    );
    page.section("Rounds");
    page.table(&table, "Utility and gap by round.");
    if rows.iter().all(|r| !r.pass.is_empty()) {
        page.figure(&chart.svg(), "A curve that rises for small k and falls for large k over the rounds shows a loss of diversity.");
    }
    let results = json!({ "file": args.file.display().to_string(), "weighting": value(&weighting)?, "rounds": value(&rows)? });
    targets.finish("llm gap", &table.render(Width::of_stdout()), results, &page)
}
