//! How to tune a recipe without fooling yourself: on worlds of which there are as many as one likes, some to choose on and others
//! to judge on, the differences to the best heuristic paired within a world and pooled over worlds.
//!
//! `cargo run --release -p hindsight-exo-idp --features studies --example recipe -- FIRST LAST [NAME=VALUE ...]`
//!
//! Names: `members`, `samples`, `steps`, `batch`, `rate`, `decay`, `balance`, `validation` (weeks), `anchored`, `folds`, `channels`,
//! `hidden`, `layers`, `products`.
//!
//! 1. Choose on a few seeds (`101 108`), one change at a time. Look at the worlds' differences, not at their sum: one large
//!    product can decide a world.
//! 2. Ask where the network stands: below the heuristics on the weeks that it learnt from means optimisation, above them there and below
//!    on the held-out weeks means generalisation.
//! 3. Evaluation once, on seeds that were never looked at (`201 212`). What is then reported is this number, whatever it is.
//!
//! The interval is Student's over worlds, which are independent; products and weeks of one world are not. The best heuristic is
//! picked on the same held-out weeks, in its favour.

mod world;

use std::error::Error;

use hindsight_exo_idp::train::Recipe;
use hindsight_gpu::Device;
use statrs::distribution::{ContinuousCDF, StudentsT};
use world::{Judged, Size, judge};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (mut first, mut last) = (101, 108);
    for seed in [&mut first, &mut last] {
        if let Some(given) = args.next() {
            *seed = given.parse()?;
        }
    }
    let (mut recipe, mut size) = (Recipe::default(), Size::default());
    for arg in args {
        let (name, value) = arg.split_once('=').ok_or("settings are NAME=VALUE")?;
        set(&mut recipe, &mut size, name, value)?;
    }
    println!(
        "Direct Backprop minus the best heuristic of the same weeks, % of what that one earns"
    );
    println!(
        "{:>6} {:>9} {:>11} {:>9} {:>9} {:>9}  best heuristic on the held-out weeks",
        "seed", "learnt", "validation", "held out", "balanced", "of bound"
    );
    let device = Device::default();
    let mut worlds = Vec::new();
    for seed in first..=last {
        let judged = judge(seed, &size, &recipe, &device)?;
        let Judged {
            learnt,
            validation,
            held_out,
            balanced,
            share,
            ..
        } = judged;
        println!(
            "{seed:>6} {learnt:>9.2} {validation:>11.2} {held_out:>9.2} {balanced:>9.2} {share:>9.2}  {}, steps {:?}",
            judged.best, judged.steps
        );
        worlds.push(judged);
    }
    println!();
    pooled("weeks learnt from", &worlds, |w| w.learnt);
    pooled("validation weeks", &worlds, |w| w.validation);
    pooled("held-out weeks", &worlds, |w| w.held_out);
    pooled("held-out weeks, products alike", &worlds, |w| w.balanced);
    Ok(())
}

/// One setting of the recipe or of the worlds.
fn set(
    recipe: &mut Recipe,
    size: &mut Size,
    name: &str,
    value: &str,
) -> Result<(), Box<dyn Error>> {
    match name {
        "members" => recipe.ensemble_size = value.parse()?,
        "samples" => recipe.samples = value.parse()?,
        "steps" => recipe.training.steps = value.parse()?,
        "batch" => recipe.training.batch = value.parse()?,
        "rate" => recipe.training.learning_rate = value.parse()?,
        "decay" => recipe.training.weight_decay = value.parse()?,
        "balance" => recipe.balance = value.parse()?,
        "folds" => recipe.folds = value.parse()?,
        "anchored" => recipe.anchored = value.parse()?,
        "channels" => recipe.network.channels = value.parse()?,
        "hidden" => recipe.network.hidden = value.parse()?,
        "layers" => recipe.network.dilations = (0..value.parse()?).map(|k: u32| 1 << k).collect(),
        "validation" => size.validation = value.parse()?,
        "products" => size.products = value.parse()?,
        _ => return Err(format!("there is no setting {name}").into()),
    }
    Ok(())
}

/// The mean over worlds and its 95 % interval.
fn pooled(what: &str, worlds: &[Judged], of: impl Fn(&Judged) -> f64) {
    let values: Vec<f64> = worlds.iter().map(of).collect();
    #[allow(clippy::cast_precision_loss, reason = "a few worlds")]
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        println!("{what}: {mean:+.2} %, one world and so no interval");
        return;
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = StudentsT::new(0.0, 1.0, n - 1.0)
        .map_or(f64::INFINITY, |law| law.inverse_cdf(0.975))
        * (variance / n).sqrt();
    println!(
        "{what}: {mean:+.2} % [{:+.2}, {:+.2}], {n} worlds",
        mean - half,
        mean + half
    );
}
