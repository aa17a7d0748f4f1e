//! What the trained policy earns on records that nobody tuned it on, beside the best heuristic of each window, chosen after the fact:
//! `cargo run --release -p hindsight-exo-idp --features studies --example generalisation -- RECORD LEARN:END,… [options]`.
//!
//! A record is a file, or `world:SEED,PRODUCTS,WEEKS,INTERMITTENT,PROMOTIONS`: the synthetic world, another one than that of pretraining.

mod record;
mod stock;
mod study;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hindsight_exo_idp::policy::LevelWeights;
use hindsight_exo_idp::train::Learner;
use hindsight_exo_idp::{Conventions, LeadTimes};

use record::Reading;
use study::Study;

const USAGE: &str = "usage: generalisation RECORD LEARN:END,... [--weights FILE] [--lead LOW-HIGH] [--cost-share S] [--holding-share H] \
    [--discount G] [--year N] [--least N] [--missing-is-zero] [--every N] [--unjudged N] [--seed N] [--fine-steps N] [--rate R] \
    [--price P] [--holding H] [--penalty P] [--whole-units] [--opening FILE] [--groups FILE COLUMN,...] [--unscored N]";

/// Options of the command line, `--name value`.
struct Options(Vec<String>);

impl Options {
    fn flag(&self, name: &str) -> bool {
        self.0.iter().any(|own| own == name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|own| own == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// The two values of an option.
    fn texts(&self, name: &str) -> Option<[&str; 2]> {
        let at = self.0.iter().position(|own| own == name)?;
        match self.0.get(at + 1..at + 3)? {
            [first, second] => Some([first, second]),
            _ => None,
        }
    }

    fn or<T: FromStr>(&self, name: &str, default: T) -> Result<T, Box<dyn Error>>
    where
        T::Err: Error + 'static,
    {
        Ok(self.text(name).map_or(Ok(default), str::parse)?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, spans, options @ ..] = &args[..] else {
        return Err(USAGE.into());
    };
    let options = Options(options.to_vec());
    let lead = options.text("--lead").unwrap_or("1-3");
    let (low, high) = lead.split_once('-').ok_or("--lead LOW-HIGH")?;
    let (low, high) = (low.parse::<usize>()?, high.parse::<usize>()?);
    let reading = Reading {
        price: options.or("--price", 10.0)?,
        cost_share: options.or("--cost-share", 0.6)?,
        least: options.or("--least", 20)?,
        missing_is_zero: options.flag("--missing-is-zero"),
        every: options.or("--every", 1)?,
    };
    let spans = spans.split(',').map(|span| {
        let (learn, end) = span.split_once(':').ok_or("LEARN:END")?;
        Ok((learn.parse()?, end.parse()?))
    });
    let mut learner = Learner {
        seed: options.or("--seed", 0)?,
        ..Learner::default()
    };
    learner.fine_tuning.steps = options.or("--fine-steps", learner.fine_tuning.steps)?;
    learner.fine_tuning.learning_rate = options.or("--rate", learner.fine_tuning.learning_rate)?;
    let panel = match file.strip_prefix("world:") {
        Some(numbers) => record::world(numbers)?,
        None => record::read(&PathBuf::from(file), &reading)?,
    };
    let opening = options.text("--opening").map(Path::new);
    let opening = opening.map(|file| stock::opening(file, &panel));
    let hierarchy = match options.texts("--groups") {
        Some([file, columns]) => stock::groups(Path::new(file), &panel, columns)?,
        None => vec![],
    };
    let study = Study {
        opening: opening.transpose()?,
        panel,
        law: |seed| LeadTimes::uniform(low, high, 0.5, seed),
        conventions: Conventions {
            discount: options.or("--discount", 0.998)?,
            holding_share: options.or("--holding-share", 0.005)?,
            holding: options.or("--holding", 0.0)?,
            penalty: options.or("--penalty", 0.0)?,
            whole_units: options.flag("--whole-units"),
            ..Conventions::default()
        },
        learner,
        year: options.or("--year", 52)?,
        hierarchy,
        unscored: options.or("--unscored", 0)?,
        unjudged: options.or("--unjudged", 1)?,
        weights: match options.text("--weights") {
            Some(file) => LevelWeights::from_bytes(&std::fs::read(file)?)?,
            None => LevelWeights::pretrained().clone(),
        },
        spans: spans.collect::<Result<_, Box<dyn Error>>>()?,
    };
    study.run()
}
