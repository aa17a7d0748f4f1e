//! What the trained policy earns on records that nobody tuned it on, beside the best heuristic of each window, chosen after the fact:
//! `cargo run --release -p hindsight-exo-idp --example generalisation -- FILE WEIGHTS LEARN:END,… [options]`.

mod record;
mod study;

use std::error::Error;
use std::path::PathBuf;

use hindsight_exo_idp::policy::LevelWeights;
use hindsight_exo_idp::train::Learner;
use hindsight_exo_idp::{Conventions, LeadTimes};

use record::Reading;
use study::Study;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, weights, spans, options @ ..] = &args[..] else {
        return Err("usage: generalisation FILE WEIGHTS LEARN:END,... [--lead LOW-HIGH] [--cost-share S] [--holding-share H] [--discount G] [--year N] [--least N] [--missing-is-zero] [--every N] [--unjudged N]".into());
    };
    let option = |name: &str| {
        let at = options.iter().position(|o| o == name)?;
        options.get(at + 1).cloned()
    };
    let number = |name: &str, default: f64| option(name).map_or(Ok(default), |v| v.parse::<f64>());
    let lead = option("--lead").unwrap_or_else(|| "1-3".into());
    let (low, high) = lead.split_once('-').ok_or("--lead LOW-HIGH")?;
    let reading = Reading {
        price: 10.0,
        cost_share: number("--cost-share", 0.6)?,
        least: option("--least").map_or(Ok(20), |v| v.parse())?,
        missing_is_zero: options.iter().any(|o| o == "--missing-is-zero"),
        every: option("--every").map_or(Ok(1), |v| v.parse())?,
    };
    let spans = spans.split(',').map(|span| {
        let (learn, end) = span.split_once(':').ok_or("LEARN:END")?;
        Ok((learn.parse()?, end.parse()?))
    });
    let study = Study {
        panel: record::read(&PathBuf::from(file), &reading)?,
        law: |seed| {
            LeadTimes::uniform(
                low.parse().unwrap_or(1),
                high.parse().unwrap_or(3),
                0.5,
                seed,
            )
        },
        conventions: Conventions {
            discount: number("--discount", 0.998)?,
            holding_share: number("--holding-share", 0.005)?,
            ..Conventions::default()
        },
        learner: Learner {
            seed: option("--seed").map_or(Ok(0), |v| v.parse())?,
            ..Learner::default()
        },
        year: option("--year").map_or(Ok(52), |v| v.parse())?,
        hierarchy: vec![],
        unjudged: option("--unjudged").map_or(Ok(1), |v| v.parse())?,
        weights: LevelWeights::from_bytes(&std::fs::read(weights)?)?,
        spans: spans.collect::<Result<_, Box<dyn Error>>>()?,
    };
    study.run()
}
