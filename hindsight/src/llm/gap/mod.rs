//! `hindsight llm gap`.

use std::path::PathBuf;

use clap::ValueEnum;
use llm_metrics::{
    stats::{BootstrapInterval, Interval, bootstrap_interval},
    verification::{
        EmptyFilter, GapEstimate, GapOptions, Perfect, QuantileRule, Responses, Stages, SweepPoint,
        Weighting, ensemble, gap_bootstrap, gap_with_weights, paired_difference, score_correlation,
        threshold_sweep, weights,
    },
};

use super::{Uncertainty, each_row, fault, positive, value};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use ::report::number::fixed;

mod log;
mod report;
mod rounds;
mod tournament;

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

const EXAMPLES: &str = "\
Examples:
  A log of responses (prompt, correct, score), the best tenth of each prompt kept:
    hindsight llm gap responses.jsonl

  Two verifiers and both together, at one threshold:
    hindsight llm gap responses.csv --score mc,cot --threshold 0.8

  A verifier that compares two responses at a time; responses.csv has prompt, response and correct, games.csv has prompt, winner and loser:
    hindsight llm gap responses.csv --tournament games.csv --report gap.html";

/// Arguments of `hindsight llm gap`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::llm) struct Args {
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
    /// Results of pairwise comparisons, for a verifier that holds tournaments: one line per game with prompt, winner and loser (names of responses), and
    /// round where the games of one tournament were recorded. The gap is then reported after every round, and no scores are read.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["generator", "round", "weighting", "jackknife", "score"])]
    tournament: Option<PathBuf>,
    /// Field that names a response within its prompt (with --tournament).
    #[arg(long, default_value = "response", value_name = "FIELD")]
    response: String,
    /// Field of the round of self-improvement.
    #[arg(long, value_name = "FIELD")]
    round: Option<String>,
    /// Keep responses with at least this score, whatever the prompt.
    #[arg(long, group = "weighting", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Keep responses at or above this quantile of their prompt's scores (0.9: about the best tenth); the default, at 0.9.
    #[arg(long, group = "weighting")]
    quantile: Option<f64>,
    /// Weight responses by exp(score / BETA).
    #[arg(long, group = "weighting", value_parser = positive)]
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
    /// The filter to take from lm-evaluation-harness samples, which hold one line per document and filter.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    #[command(flatten)]
    uncertainty: Uncertainty,
    #[command(flatten)]
    outputs: Outputs,
}

struct Estimated {
    generator: String,
    verifier: String,
    gap: GapEstimate,
    interval: Interval,
    relative: Option<Interval>,
}

/// The gap at every threshold of one generator's responses under one verifier.
struct Sweep {
    generator: String,
    verifier: String,
    points: Vec<SweepPoint>,
}

/// Runs `hindsight llm gap`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin(
        "llm gap",
        &args.outputs,
        Some(args.uncertainty.seed.seed),
        std::iter::once(args.file.as_path()).chain(args.tournament.as_deref()),
    )?;
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
    if let Some(games) = &args.tournament {
        return tournament::run(args, games, options, &run);
    }
    let weighting = weighting(args)?;
    let mut parts = log::read(run.inputs(), args)?;
    if args.round.is_some() {
        // Numbered rounds in the order of their numbers, others in the order of the log.
        if parts.iter().all(|p| p.name.parse::<f64>().is_ok()) {
            let number = |p: &log::Part| p.name.parse::<f64>().unwrap_or_default();
            parts.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        return rounds::run(args, &parts, weighting, options, &run);
    }
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let mut estimates = Vec::new();
    let mut sweeps: Vec<Sweep> = Vec::new();
    let mut notes = Vec::new();
    for part in &parts {
        let (responses, order) = Responses::from_log(&part.prompt, &part.utility).map_err(lib)?;
        let mut filters = Vec::new();
        let mut first: Option<GapEstimate> = None;
        for (name, scores) in args.score.iter().zip(&part.scores) {
            let scores = Responses::arrange(&order, scores).map_err(lib)?;
            let w = weights(&responses, &scores, weighting).map_err(lib)?;
            sweeps.push(Sweep {
                generator: part.name.clone(),
                verifier: name.clone(),
                points: threshold_sweep(&responses, &scores, options).map_err(lib)?,
            });
            let e = estimate(args, &responses, &w, options, (&part.name, name))?;
            if let Some(first) = &first {
                let d = paired_difference(first, &e.gap).map_err(lib)?;
                notes.push(format!(
                    "{}{} minus {name}: {} ± {} points",
                    part.prefix(),
                    args.score[0],
                    points(d.difference),
                    points(d.standard_error)
                ));
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
                (&part.name, &args.score.join(" and ")),
            )?);
            for i in 1..args.score.len() {
                let r = score_correlation(&part.scores[0], &part.scores[i]).map_err(lib)?;
                notes.push(format!(
                    "{}correlation of the scores {} and {}: {}",
                    part.prefix(),
                    args.score[0],
                    args.score[i],
                    fixed(r, 3)
                ));
            }
        }
    }
    let trend = report::trend(args, &parts, &estimates)?;
    report::report(
        args,
        &estimates,
        &sweeps,
        &notes,
        trend.as_ref(),
        weighting,
        &run,
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
        args.uncertainty.seed.seed,
    )
    .map_err(lib)?;
    let interval = bootstrap_interval(
        &r.gap,
        gap.gap,
        args.uncertainty.level,
        BootstrapInterval::Percentile,
    )
    .map_err(lib)?;
    let relative = bootstrap_interval(
        &r.relative,
        gap.relative,
        args.uncertainty.level,
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

/// A share as percentage points.
fn points(x: f64) -> String {
    fixed(100.0 * x, 2)
}
