//! What it costs to take sales for demand, once and round after round.
//!
//! `cargo run --release -p hindsight-exo-idp --features studies --example censoring [-- --full]`
//!
//! A synthetic world keeps its true demand; its record shows the sales of a policy that runs out of stock, and page views in and out
//! of stock. Two kinds of policies, the tuned target position and a network trained by Direct Backprop, are made three times each: from the
//! sales, from the sales corrected by views while out of stock, and from the truth. All are judged on the *true* demand of weeks held
//! out, on the same lead times and from the same opening stock; intervals are of paired differences, products and blocks of weeks
//! drawn again.
//!
//! A policy is made and fed from one record. The careless user has sales and nothing else in the demand column, so sales are what
//! his target is a quantile of, what his tuning and training replay on, what his network is normalised by, and what it sees as recent demand, in
//! the weeks held out too. Giving his network the true demand as features would lend it a cure that he does not have. Those sales are
//! of the policy that made the record, not of his own, as for anyone who switches policies; the spiral then hands him his own.
//!
//! The spiral: a policy is fitted to the record, put in charge of all weeks, and what it sells (at the true demand) becomes the
//! record that the next is fitted to, four rounds, with the correction and without. The same span of weeks is lived again in every
//! round, so that rounds differ by their records alone. It begins twice: with the record of a well-stocked shelf, from which belief
//! falls, and with that of a starved one, which four rounds do not make up. `--full` spirals the network too.

#![allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]

mod experiment;

use experiment::{Experiment, Failure, Round};
use hindsight_exo_idp::compare::Bootstrap;
use hindsight_exo_idp::policy::{NeuralConfig, Policy};
use hindsight_exo_idp::train::{Recipe, Training};
use hindsight_exo_idp::world::{DemandColumn, WorldConfig};
use hindsight_exo_idp::{Outcomes, Panel, replay::Quantity};

fn main() -> Result<(), Failure> {
    let full = std::env::args().any(|argument| argument == "--full");
    let recipe = Recipe {
        network: NeuralConfig {
            channels: 8,
            dilations: vec![1, 2, 4],
            hidden: 16,
        },
        training: Training {
            steps: 200,
            batch: 100,
            learning_rate: 3e-3,
            validate_every: 25,
            ..Training::default()
        },
        ensemble_size: 1,
        samples: 1,
        ..Recipe::default()
    };
    let experiment = world(1.2, &recipe)?;
    println!("Judged on the true demand of weeks 104 to 155, 200 products\n");
    ablation("target position, tuned", &experiment, |panel| {
        experiment.target(panel)
    })?;
    ablation("Direct Backprop", &experiment, |panel| {
        experiment.network(panel)
    })?;
    for (safety, start) in [(5.0, "a well-stocked"), (1.2, "a starved")] {
        let experiment = world(safety, &recipe)?;
        println!("The spiral from {start} record\n");
        spiral("target position, tuned", &experiment, |panel| {
            experiment.target(panel)
        })?;
        if full {
            spiral("Direct Backprop", &experiment, |panel| {
                experiment.network(panel)
            })?;
        }
    }
    Ok(())
}

/// A world whose logged policy stocks, in the median, `safety` times recent sales over lead time and review.
fn world(safety: f64, recipe: &Recipe) -> Result<Experiment, Failure> {
    let config = WorldConfig {
        products: 200,
        weeks: 156,
        safety,
        seed: 1,
        ..WorldConfig::default()
    };
    Experiment::new(&config, 104, recipe.clone())
}

fn ablation<P: Policy>(
    name: &str,
    experiment: &Experiment,
    fit: impl Fn(&Panel) -> Result<P, Failure>,
) -> Result<(), Failure> {
    let judge = |column| experiment.judge(&fit(&experiment.panel(column)?)?);
    let rows = [
        ("true demand", judge(DemandColumn::Truth)?),
        ("corrected", judge(DemandColumn::Corrected)?),
        ("sales", judge(DemandColumn::Sales)?),
    ];
    println!("{name}");
    println!(
        "  {:<14} {:>10} {:>10} {:>11} {:>26}",
        "made from", "reward", "fill rate", "mean stock", "less than from the truth"
    );
    let truth = &rows[0].1;
    for (column, outcomes) in &rows {
        let lost = Bootstrap::default().difference(truth, outcomes)?;
        println!(
            "  {column:<14} {:>10.0} {:>9.1}% {:>11.1} {:>10.0} [{:>6.0}, {:>6.0}]",
            outcomes.reward(),
            100.0 * outcomes.fill_rate(),
            mean_stock(outcomes),
            lost.estimate,
            lost.low,
            lost.high,
        );
    }
    let gain = Bootstrap::default().difference(&rows[1].1, &rows[2].1)?;
    println!(
        "  corrected earns {:.0} more than sales, 95% interval [{:.0}, {:.0}]: {:.1}% of the reward from sales\n",
        gain.estimate,
        gain.low,
        gain.high,
        100.0 * gain.estimate / rows[2].1.reward(),
    );
    Ok(())
}

fn mean_stock(outcomes: &Outcomes) -> f64 {
    let cells = outcomes.products() * outcomes.scored().len();
    outcomes.total(Quantity::OnHand) / cells as f64
}

fn spiral<P: Policy>(
    name: &str,
    experiment: &Experiment,
    fit: impl Fn(&Panel) -> Result<P, Failure>,
) -> Result<(), Failure> {
    let corrected = experiment.spiral(true, &fit)?;
    let raw = experiment.spiral(false, &fit)?;
    println!("{name}, refitted to the sales of the round before");
    println!(
        "  {:<6} {:>10} {:>10} {:>10}   {:>10} {:>10} {:>10}   {:>26}",
        "", "from sales", "", "", "corrected", "", "", "sales lose"
    );
    println!(
        "  {:<6} {:>10} {:>10} {:>10}   {:>10} {:>10} {:>10}",
        "round", "believed", "fill rate", "reward", "believed", "fill rate", "reward"
    );
    for (round, (raw, corrected)) in raw.iter().zip(&corrected).enumerate() {
        let lost = Bootstrap::default().difference(&corrected.outcomes, &raw.outcomes)?;
        println!(
            "  {:<6} {}   {}   {:>8.0} [{:>6.0}, {:>6.0}]",
            round + 1,
            cells(raw),
            cells(corrected),
            lost.estimate,
            lost.low,
            lost.high,
        );
    }
    println!("  believed demand as a share of the true demand, from sales (s) and corrected (c):");
    for (round, (raw, corrected)) in raw.iter().zip(&corrected).enumerate() {
        println!("  {:<6} s {}", round + 1, bar(raw.believed));
        println!("  {:<6} c {}", "", bar(corrected.believed));
    }
    println!();
    Ok(())
}

fn cells(round: &Round) -> String {
    format!(
        "{:>9.1}% {:>9.1}% {:>10.0}",
        100.0 * round.believed,
        100.0 * round.outcomes.fill_rate(),
        round.outcomes.reward(),
    )
}

/// Fifty marks are all of the true demand.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of about one"
)]
fn bar(share: f64) -> String {
    "#".repeat((50.0 * share).round() as usize)
}
