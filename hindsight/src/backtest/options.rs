//! How the run is made: arguments of the replay and where its results go.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use exo_idp::backtest::BackTest;
use exo_idp::conventions::{Receipts, Terminal, Unmet};
use exo_idp::{Conventions, LeadTimes};

use report::number::fixed;

use super::tables::count;
use crate::document::{Outputs, Seed};
use crate::error::CliError;

/// The replay's conventions and its randomness.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Replay")]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) seed: Seed,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Weeks at the end that are kept from fitting and training, and scored [default: a quarter of the weeks]
    #[arg(long, value_name = "WEEKS")]
    pub(crate) held_out: Option<usize>,
    /// Does the whole job with earlier ends of the record too: N held-out windows that follow one another, each learnt only from
    /// the weeks before it [default: 4, or as many as the record allows, and 1 where it has a million rows or more; held-out weeks then: so few that half of the weeks come before the
    /// first window]
    #[arg(long, value_name = "N")]
    pub(crate) origins: Option<NonZeroUsize>,
    /// Takes the record to end with this week, as the file writes it: what came later is as if it had not been recorded
    #[arg(long, value_name = "WEEK")]
    pub(crate) until: Option<String>,
    /// Law of lead times in weeks: a number (2), a range of equally likely numbers (1-3), or the probabilities of 0, 1, 2, ...
    /// weeks (0,0.3,0.5,0.2)
    #[arg(long, value_name = "LAW", default_value = "1-3")]
    pub(crate) lead_time: String,
    /// Probability that a week's lead time is that of the week before
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub(crate) lead_time_persistence: f64,
    /// Weeks ahead for which planned covariates (and prices) are known when an order is placed [default: the longest lead time]
    #[arg(long, value_name = "WEEKS")]
    pub(crate) plan_weeks: Option<usize>,
    /// Prices of coming weeks are not known ahead
    #[arg(long)]
    pub(crate) price_unplanned: bool,
    /// Networks trained on the record from scratch, whose levels are averaged; those fine-tuned come with the program
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) members: NonZeroUsize,
    /// Steps of training of each network [default: 200 of fine-tuning, 300 from scratch]
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<NonZeroUsize>,
    /// Discount factor per week
    #[arg(long, value_name = "FACTOR", default_value_t = 0.998)]
    pub(crate) discount: f64,
    /// Holding cost per unit left at the end of a week, money
    #[arg(long, value_name = "MONEY", default_value_t = 0.0)]
    pub(crate) holding: f64,
    /// Holding cost per unit left at the end of a week, as a share of the unit's cost; the default is about 26 % a year
    #[arg(long, value_name = "SHARE", default_value_t = 0.005)]
    pub(crate) holding_share: f64,
    /// Worth of a unit left after the last week, as a share of its cost
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub(crate) salvage: f64,
    /// Cost of a unit of demand that is lost (or waits at the end of a week), beside its margin, money
    #[arg(long, value_name = "MONEY", default_value_t = 0.0)]
    pub(crate) penalty: f64,
    /// Orders are rounded to whole units, for every policy
    #[arg(long)]
    pub(crate) whole_units: bool,
    /// Unmet demand waits instead of being lost
    #[arg(long)]
    pub(crate) backorder: bool,
    /// Orders arrive after the demand of their week instead of before it
    #[arg(long)]
    pub(crate) receive_after_demand: bool,
}

impl Replay {
    /// The conventions that these arguments name.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the argument and its value.
    pub(crate) fn conventions(&self) -> Result<Conventions, CliError> {
        let shares = [
            ("--holding-share", self.holding_share, f64::MAX),
            ("--holding", self.holding, f64::MAX),
            ("--penalty", self.penalty, f64::MAX),
            ("--salvage", self.salvage, 1.0),
        ];
        for (name, value, most) in shares {
            if !(0.0..=most).contains(&value) {
                let upper = if most < f64::MAX {
                    " and not above 1"
                } else {
                    ""
                };
                return Err(CliError::argument(
                    name,
                    value,
                    format!("must be a finite number, not negative{upper}"),
                ));
            }
        }
        if !(self.discount > 0.0 && self.discount <= 1.0) {
            return Err(CliError::argument(
                "--discount",
                self.discount,
                "must lie above 0 and not above 1",
            ));
        }
        let conventions = Conventions {
            receipts: if self.receive_after_demand {
                Receipts::AfterDemand
            } else {
                Receipts::BeforeDemand
            },
            unmet: if self.backorder {
                Unmet::Backordered
            } else {
                Unmet::Lost
            },
            terminal: if self.salvage < 1.0 {
                Terminal::ShareOfCost(self.salvage)
            } else {
                Terminal::AtCost
            },
            discount: self.discount,
            holding_share: self.holding_share,
            holding: self.holding,
            penalty: self.penalty,
            whole_units: self.whole_units,
            ..Conventions::default()
        };
        conventions
            .validate()
            .map_err(|error| CliError::Input(error.to_string()))?;
        Ok(conventions)
    }

    /// The back-test that these arguments describe.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the argument and its value.
    pub(crate) fn backtest(&self) -> Result<BackTest, CliError> {
        let mut backtest = BackTest {
            held_out: self.held_out,
            origins: self.origins.map(NonZeroUsize::get),
            lead_time: self.lead_time_law()?,
            lead_time_persistence: self.lead_time_persistence,
            conventions: self.conventions()?,
            plan_weeks: self.plan_weeks,
            price_planned: !self.price_unplanned,
            seed: self.seed.seed,
            ..BackTest::default()
        };
        let learner = &mut backtest.learner;
        learner.ensemble_size = self.members.get();
        if let Some(steps) = self.steps {
            learner.fine_tuning.steps = steps.get();
            learner.from_scratch.steps = steps.get();
        }
        Ok(backtest)
    }

    /// The probabilities of lead times of 0, 1, 2, … weeks.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the argument and its value.
    fn lead_time_law(&self) -> Result<Vec<f64>, CliError> {
        let text = self.lead_time.trim();
        let bad = |problem: &str| CliError::argument("--lead-time", format!("{text:?}"), problem);
        let weeks = |text: &str| -> Result<usize, CliError> {
            let weeks = text.trim().parse().map_err(|_| {
                bad("must be a whole number, a range such as 1-3, or probabilities that sum to one")
            })?;
            if weeks > 52 {
                Err(bad("must not exceed 52 weeks"))
            } else {
                Ok(weeks)
            }
        };
        if !(0.0..1.0).contains(&self.lead_time_persistence) {
            return Err(CliError::argument(
                "--lead-time-persistence",
                self.lead_time_persistence,
                "must be at least 0 and below 1",
            ));
        }
        let law = if text.contains(',') {
            let parts: Result<Vec<f64>, _> = text
                .split(',')
                .map(|part| part.trim().parse::<f64>())
                .collect();
            let parts = parts.map_err(|_| bad("has a part that is not a number"))?;
            if parts.len() > 53 {
                return Err(bad("must not exceed 52 weeks"));
            }
            parts
        } else if let Some((low, high)) = text.split_once('-') {
            let (low, high) = (weeks(low)?, weeks(high)?);
            if high < low {
                return Err(bad("must begin with the shorter lead time"));
            }
            let mut law = vec![0.0; high + 1];
            law[low..].fill(1.0 / count(high - low + 1));
            law
        } else {
            let mut law = vec![0.0; weeks(text)? + 1];
            law.last_mut().into_iter().for_each(|last| *last = 1.0);
            law
        };
        LeadTimes::new(law.clone(), self.lead_time_persistence, self.seed.seed)
            .map_err(|error| bad(&error.to_string()))?;
        Ok(law)
    }

    /// The law in words, for the report.
    pub(crate) fn lead_time_words(&self) -> String {
        let text = self.lead_time.trim();
        let persistence = format!(
            "each as the week before with probability {}",
            self.lead_time_persistence
        );
        if text.contains(',') {
            format!("0, 1, 2, ... weeks with probabilities {text}; {persistence}")
        } else if let Some((low, high)) = text.split_once('-') {
            format!("{low} to {high} weeks, equally likely; {persistence}")
        } else {
            format!("{text} weeks")
        }
    }
}

/// The conventions of a back-test in words, by name; `opening` says with what stock replays open.
pub(super) fn convention_words(backtest: &BackTest, opening: &str) -> Vec<(String, String)> {
    let conventions = &backtest.conventions;
    let words = |name: &str, value: String| (name.to_owned(), value);
    let unmet = match conventions.unmet {
        Unmet::Backordered => "waits",
        _ => "is lost",
    };
    let receipts = match conventions.receipts {
        Receipts::AfterDemand => "after demand",
        _ => "before demand",
    };
    let bootstrap = &backtest.bootstrap;
    vec![
        words("unmet demand", unmet.to_owned()),
        words("receipts", receipts.to_owned()),
        words("discount", format!("{} a week", conventions.discount)),
        words(
            "holding cost",
            format!(
                "{} of cost and {} a unit and week",
                conventions.holding_share, conventions.holding
            ),
        ),
        words(
            "after the last week",
            format!("a unit is worth {} of what it cost", conventions.salvage()),
        ),
        words(
            "lost unit",
            format!("costs {} beside its margin", conventions.penalty),
        ),
        words(
            "orders",
            if conventions.whole_units {
                "whole units"
            } else {
                "of any size"
            }
            .to_owned(),
        ),
        words("opening", opening.to_owned()),
        words(
            "intervals",
            format!(
                "bootstrap over products and blocks of {} weeks, {} replicates",
                bootstrap.block,
                fixed(count(bootstrap.replicates), 0)
            ),
        ),
    ]
}

/// Where results go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    #[command(flatten)]
    places: Outputs,
    /// Write no page [without this and --report: report.html]
    #[arg(long, conflicts_with = "report")]
    no_report: bool,
}

impl Output {
    /// The places, the page's by default `report.html`.
    pub(crate) fn places(&self) -> Outputs {
        let mut places = self.places.clone();
        if places.report.is_none() && !self.no_report {
            places.report = Some(PathBuf::from("report.html"));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        replay: Replay,
    }

    fn parse(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once("x").chain(arguments.iter().copied())).unwrap()
    }

    #[test]
    fn laws_of_lead_times() {
        let law = |text: &str| parse(&["--lead-time", text]).replay.lead_time_law();
        assert_eq!(law("2").unwrap(), [0.0, 0.0, 1.0]);
        assert_eq!(law("0-1").unwrap(), [0.5, 0.5]);
        assert_eq!(law("0, 0.25,0.75").unwrap(), [0.0, 0.25, 0.75]);
        for wrong in [
            "", "x", "3-1", "1.5", "0.5,0.6", "-0.5,1.5", "a,b", "99", "1-99", "-2",
        ] {
            let error = law_error(wrong);
            assert!(error.contains("--lead-time"), "{wrong}: {error}");
        }
    }

    fn law_error(text: &str) -> String {
        let argument = format!("--lead-time={text}");
        let error = parse(&[&argument]).replay.lead_time_law().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn conventions_out_of_range_name_their_argument() {
        for (argument, value) in [
            ("--discount", "0"),
            ("--discount", "1.1"),
            ("--discount", "NaN"),
            ("--holding", "-1"),
            ("--holding", "inf"),
            ("--penalty", "-1"),
            ("--salvage", "2"),
        ] {
            let error = parse(&[&format!("{argument}={value}")])
                .replay
                .conventions()
                .unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("{argument} ")),
                "{error}"
            );
        }
        let defaults = Conventions {
            discount: 0.998,
            holding_share: 0.005,
            ..Conventions::default()
        };
        assert_eq!(parse(&[]).replay.conventions().unwrap(), defaults);
        let error = parse(&["--lead-time-persistence=1"])
            .replay
            .lead_time_law()
            .unwrap_err();
        assert!(
            error.to_string().starts_with("--lead-time-persistence 1"),
            "{error}"
        );
    }
}
