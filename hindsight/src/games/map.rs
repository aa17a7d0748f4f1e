//! `hindsight games map`: figures as SVG, with their data.

use std::path::PathBuf;

use clap::ValueEnum as _;
use report::{Page, Svg};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{figures_market as market, figures_play as play, figures_revenue as revenue};
use crate::document::{self, Outputs};
use crate::error::CliError;
use crate::output;
use crate::progress::Progress;

/// A figure and its data.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) svg: Svg,
    /// What it shows, a sentence without its stop.
    pub(super) finding: String,
    pub(super) data: Value,
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Marketplace: who does what, over both costs.
    Regimes,
    /// Marketplace: the seller's reply over the operator's price and stock, with the threshold.
    Reply,
    /// Marketplace: consumer surplus against the seller's monopoly, over both costs.
    Surplus,
    /// Marketplace: welfare against the seller's monopoly, over both costs.
    Welfare,
    /// Marketplace: the operator's payoff against the fee.
    OperatorFee,
    /// Shared revenue: the outcome over the fee and the ratio of costs.
    Outcomes,
    /// Shared revenue: the outcome over both costs.
    OutcomesCosts,
    /// Shared revenue: price, payoffs and surplus against the fee.
    Fee,
    /// Shared revenue: the best fee against the seller's outside option.
    OutsideOption,
    /// Learners: average swap regret against rounds.
    Regret,
    /// Learners: regret after a fixed number of rounds against the number of actions.
    Actions,
    /// All figures of the marketplace and of shared revenue for a table of parameters, and those of the learners, into a folder.
    Atlas,
}

/// Parameters of the figures; those that a figure varies are not used.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Parameters {
    /// Fee.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub(super) fee: f64,
    /// Experience value of a unit, as a share of the choke price 1.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub(super) experience: f64,
    /// The operator's cost.
    #[arg(long, default_value_t = 0.3, allow_negative_numbers = true)]
    pub(super) operator_cost: f64,
    /// The seller's cost.
    #[arg(long, default_value_t = 0.2, allow_negative_numbers = true)]
    pub(super) seller_cost: f64,
    /// The retailer's cost.
    #[arg(long, default_value_t = 0.6, allow_negative_numbers = true)]
    pub(super) retailer_cost: f64,
    /// intensity or proportional.
    #[arg(long, default_value = "intensity")]
    pub(super) rationing: String,
    /// Substitutability in the reply map, in (0, 1].
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub(super) substitutability: f64,
    /// Cells along each axis of a map, points of a curve.
    #[arg(long, default_value_t = 200)]
    pub(super) cells: usize,
    /// Rounds of the learners.
    #[arg(long, default_value_t = 2000)]
    pub(super) rounds: usize,
    /// Actions of the learners.
    #[arg(long, default_value_t = 8)]
    pub(super) actions: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

/// Arguments of `hindsight games map`.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// What to draw.
    #[arg(value_enum)]
    kind: Kind,
    /// The SVG file to write; for `atlas` the folder, made where there is none
    #[arg(long, value_name = "FILE.svg")]
    output: PathBuf,
    #[command(flatten)]
    outputs: Outputs,
    #[command(flatten)]
    parameters: Parameters,
}

impl Run {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.check()?;
        if self.kind == Kind::Atlas {
            return self.atlas();
        }
        let mut run = self.begin()?;
        let svg = run.also(&self.output)?;
        let figure = draw(self.kind, &self.parameters)?;
        run.put(svg, figure.svg.standalone(output::GENERATOR));
        let page = || {
            let mut page = Page::new(words(self.kind), format!("{}.", figure.finding));
            let caption = format!("{}.", figure.svg.title());
            page.section("The figure").figure(&figure.svg, &caption);
            page
        };
        run.finish(&json!({ "figure": figure.data }), page, "")
    }

    fn begin(&self) -> Result<document::Run, CliError> {
        let seed = Some(self.parameters.seed);
        document::Run::begin("games map", &self.outputs, seed, [])
    }

    fn check(&self) -> Result<(), CliError> {
        let p = &self.parameters;
        for (name, value, high) in [
            ("--cells", p.cells, 2000),
            ("--rounds", p.rounds, 10_000_000),
            ("--actions", p.actions, 200),
        ] {
            if value < 2 || value > high {
                return Err(CliError::argument(
                    name,
                    value,
                    format!("must lie between 2 and {high}"),
                ));
            }
        }
        if !(p.substitutability > 0.0 && p.substitutability <= 1.0) {
            return Err(CliError::argument(
                "--substitutability",
                p.substitutability,
                "must lie in (0, 1]",
            ));
        }
        Ok(())
    }

    fn atlas(&self) -> Result<(), CliError> {
        std::fs::create_dir_all(&self.output)
            .map_err(|e| CliError::Input(format!("--output {}: {e}", self.output.display())))?;
        let mut plan: Vec<(String, Kind, Parameters)> = Vec::new();
        let own = &self.parameters;
        for fee in [0.05, 0.1, 0.2, 0.3, 0.5] {
            let parameters = Parameters { fee, ..own.clone() };
            let stem = format!("outcomes-costs-fee-{fee}");
            plan.push((stem, Kind::OutcomesCosts, parameters.clone()));
            for experience in [0.0, 0.05, 0.1, 0.3] {
                for rationing in ["intensity", "proportional"] {
                    let parameters = Parameters {
                        experience,
                        rationing: rationing.to_owned(),
                        ..parameters.clone()
                    };
                    let stem = format!("{rationing}-fee-{fee}-experience-{experience}");
                    plan.push((format!("regimes-{stem}"), Kind::Regimes, parameters.clone()));
                    plan.push((format!("welfare-{stem}"), Kind::Welfare, parameters));
                }
            }
        }
        let over_fees = [
            Kind::Regimes,
            Kind::Welfare,
            Kind::OutcomesCosts,
            Kind::Atlas,
        ];
        let others = Kind::value_variants().iter();
        for kind in others.filter(|kind| !over_fees.contains(kind)) {
            let value = kind.to_possible_value();
            let name = value.map_or_else(String::new, |value| value.get_name().to_owned());
            plan.push((name, *kind, own.clone()));
        }
        plan.sort_by_key(|(_, kind, _)| *kind as u8);
        let mut run = self.begin()?;
        let targets = plan
            .iter()
            .map(|(name, ..)| run.also(&self.output.join(format!("{name}.svg"))))
            .collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::new("figures", u64::try_from(plan.len()).ok());
        let mut all = serde_json::Map::new();
        let mut page = Page::new(
            "Atlas",
            "All figures of marketplaces, shared revenue and learners.",
        );
        let mut opened = None;
        for (target, (name, kind, parameters)) in targets.into_iter().zip(&plan) {
            let figure = draw(*kind, parameters)?;
            run.put(target, figure.svg.standalone(output::GENERATOR));
            if opened.replace(*kind) != Some(*kind) {
                page.section(words(*kind));
            }
            page.text(&format!("{}.", figure.finding))
                .figure(&figure.svg, &format!("{}.", figure.svg.title()));
            all.insert(name.clone(), figure.data);
            progress.step(1);
        }
        progress.finish();
        run.finish(&json!({ "figure": all }), || page, "")
    }
}

/// What a kind shows, in the words of the help.
fn words(kind: Kind) -> String {
    let value = kind.to_possible_value();
    let help = value.and_then(|value| value.get_help().map(ToString::to_string));
    help.unwrap_or_default().trim_end_matches('.').to_owned()
}

fn draw(kind: Kind, p: &Parameters) -> Result<Figure, CliError> {
    let figure = match kind {
        Kind::Regimes => market::regimes(p),
        Kind::Reply => market::reply(p),
        Kind::Surplus => market::difference(p, false),
        Kind::Welfare => market::difference(p, true),
        Kind::OperatorFee => market::operator_fee(p),
        Kind::Outcomes => revenue::outcomes(p, true),
        Kind::OutcomesCosts => revenue::outcomes(p, false),
        Kind::Fee => revenue::fee(p),
        Kind::OutsideOption => revenue::outside_option(p),
        Kind::Regret => play::regret(p),
        Kind::Actions | Kind::Atlas => play::actions(p),
    };
    figure.map_err(Problem::of_flags)
}

/// Centres of `cells` equal parts of `[low, high]`.
pub(super) fn centres(low: f64, high: f64, cells: usize) -> Vec<f64> {
    (0..cells)
        .map(|i| low + (high - low) * (real(i) + 0.5) / real(cells))
        .collect()
}

#[allow(clippy::cast_precision_loss)] // counts far below 2^53
pub(super) fn real(count: usize) -> f64 {
    count as f64
}
