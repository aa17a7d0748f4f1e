//! `hindsight llm gap`.

use std::path::PathBuf;

use clap::ValueEnum;
use llm_metrics::verification::{
    EmptyFilter, GapLog, GapOptions, GapPart, GapStudy, GapStudySettings, Generator, Perfect,
    QuantileRule, Weighting,
};

use super::{Uncertainty, fault, opened, positive};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use ::report::number::fixed;

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
    #[arg(
        long,
        visible_alias = "correct",
        default_value = "correct",
        value_name = "FIELD"
    )]
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
    /// The filter to take from lm-evaluation-harness samples (of promptfoo the promptIdx, of HELM the perturbation or none).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    #[command(flatten)]
    uncertainty: Uncertainty,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight llm gap`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let file = args.file.as_path();
    let seed = args.uncertainty.seed.seed;
    let inputs = std::iter::once(file).chain(args.tournament.as_deref());
    let run = Run::begin("llm gap", &args.outputs, Some(seed), inputs)?;
    let settings = settings(args)?;
    if let Some(games) = &args.tournament {
        return tournament::run(args, games, &settings, &run);
    }
    let log = GapLog {
        prompt: args.prompt.clone(),
        utility: args.utility.clone(),
        scores: args.score.clone(),
        part: args.generator.clone().or_else(|| args.round.clone()),
        flops: args.flops.clone(),
        filter: args.filter.clone(),
    };
    let lib = |e| fault(file, e);
    let mut parts = log.read(opened(run.inputs(), file)?).map_err(lib)?;
    if args.round.is_some() {
        // Numbered rounds in the order of their numbers, others in the order of the log.
        if parts.iter().all(|p| p.name.parse::<f64>().is_ok()) {
            let number = |p: &GapPart| p.name.parse::<f64>().unwrap_or_default();
            parts.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        return rounds::run(args, parts, &settings, &run);
    }
    let generators: Vec<Generator<'_>> = parts
        .iter()
        .map(|p| Generator {
            name: &p.name,
            flops: p.flops,
            responses: &p.responses,
            scores: &p.scores,
        })
        .collect();
    let study = GapStudy::new(&args.score, &generators, &settings).map_err(lib)?;
    report::report(&args.score, &study, &run)
}

fn settings(args: &Args) -> Result<GapStudySettings, CliError> {
    Ok(GapStudySettings {
        weighting: weighting(args)?,
        options: GapOptions {
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
        },
        level: args.uncertainty.level,
        replicates: args.replicates,
        seed: args.uncertainty.seed.seed,
    })
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

/// A share as percentage points.
fn points(x: f64) -> String {
    fixed(100.0 * x, 2)
}

/// A name before a sentence about what it names.
fn prefix(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    }
}
