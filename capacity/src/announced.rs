//! Announced prices beside those that were charged.

use crate::backtest::{AHEAD, Paired, Trial};

/// From this share of the mean price on, announced prices that miss to one side are said to be biased.
const BIASED: f64 = 0.25;

/// How prices that were announced fit those that were then charged, by the weeks of [`AHEAD`], as shares of the mean price.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Announced {
    /// The mean absolute difference.
    pub error: [f64; AHEAD.len()],
    /// Announced less charged, with its 95 % interval over the cohorts.
    pub bias: [Paired; AHEAD.len()],
}

impl Announced {
    /// Of what a method announced.
    #[must_use]
    pub fn of(trial: &Trial) -> Self {
        let bias = |k: usize| {
            let all = trial.scores.iter().map(|score| score.forecast_bias[k]);
            Paired::of(&all.collect::<Vec<f64>>(), 1)
        };
        Announced {
            error: std::array::from_fn(|k| trial.mean(|score| score.forecast_error[k])),
            bias: std::array::from_fn(bias),
        }
    }

    /// The weeks ahead for which prices are biased: by a quarter of the mean price or more, the interval without zero.
    pub fn biased(&self) -> impl Iterator<Item = usize> {
        let sure = |bias: &Paired| bias.interval[0] * bias.interval[1] > 0.0;
        let biased = move |bias: &Paired| bias.mean.abs() >= BIASED && sure(bias);
        let all = AHEAD.into_iter().zip(&self.bias);
        all.filter(move |(_, bias)| biased(bias))
            .map(|(ahead, _)| ahead)
    }
}

impl std::fmt::Display for Announced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |x: f64| 100.0 * x;
        f.write_str("Announced prices less those then charged, in % of the mean price, and their mean distance:")?;
        for ((ahead, bias), error) in AHEAD.iter().zip(&self.bias).zip(self.error) {
            let weeks = if *ahead == 1 { "week" } else { "weeks" };
            let end = if *ahead == AHEAD[AHEAD.len() - 1] {
                "."
            } else {
                ";"
            };
            let [low, high] = bias.interval.map(percent);
            let (mean, error) = (percent(bias.mean), percent(error));
            write!(
                f,
                " {ahead} {weeks} ahead {mean:+.0} [{low:+.0}, {high:+.0}], {error:.0}{end}"
            )?;
        }
        let biased: Vec<String> = self.biased().map(|ahead| ahead.to_string()).collect();
        if !biased.is_empty() {
            write!(
                f,
                " Biased {} weeks ahead: take what is announced so far ahead for an order of size, not for a forecast.",
                biased.join(", ")
            )?;
        }
        Ok(())
    }
}
