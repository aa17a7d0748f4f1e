//! The four-arm comparison of noise in debates, on synthetic debates.

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::StandardNormal;

use super::judge::{Counted, Judge, Noisy, WinMatrix};
use crate::equilibrium::{coarse_correlated_gap, nash_conv, solve_zero_sum};
use crate::error::{Argument, GamesError, non_negative, positive, real};
use crate::repeated::{RegretAccount, draw, softmax};

/// How the debaters answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Arm {
    /// Best reply to the history, no noise (temperature 0).
    Control,
    /// Best reply to a history of judge probabilities seen with noise.
    RewardNoise,
    /// Answers sampled with probability $\propto\exp(\text{history}/\text{temperature})$.
    Sampling,
    /// Both.
    Combined,
}

/// The arms in the order of the authors' experiment.
pub const ARMS: [Arm; 4] = [Arm::Control, Arm::RewardNoise, Arm::Sampling, Arm::Combined];

/// Sizes and noise of the comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ArmSettings {
    /// Debates, each with its own random judge.
    pub debates: usize,
    /// Rounds a debate.
    pub rounds: usize,
    /// Strategies of each debater.
    pub strategies: usize,
    /// How much the truth helps: the log odds of winning are `advantage` plus a standard normal draw for each pair of strategies.
    pub advantage: f64,
    /// Standard deviation of the noise on the judge's probability (the authors: 0.2).
    pub deviation: f64,
    /// Sampling temperature (the authors: 0.8).
    pub temperature: f64,
}

impl Default for ArmSettings {
    fn default() -> Self {
        Self {
            debates: 100,
            rounds: 200,
            strategies: 8,
            advantage: 0.5,
            deviation: 0.2,
            temperature: 0.8,
        }
    }
}

/// A mean over debates with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

/// What an arm gave.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ArmResult {
    /// The arm.
    pub arm: Arm,
    /// Probability that the debater with the right answer wins, over all rounds.
    pub accuracy: Estimate,
    /// The same minus the value of the debate: 0 when both debate optimally.
    pub value_gap: Estimate,
    /// Larger average external regret of the two debaters, of realised answers against true probabilities.
    pub external: Estimate,
    /// Larger average internal regret.
    pub internal: Estimate,
    /// Coarse correlated gap of the empirical joint play.
    pub coarse_gap: Estimate,
    /// NashConv of the empirical frequencies.
    pub nash_conv: Estimate,
    /// Judge calls a round, both debaters together.
    pub calls: f64,
}

/// Runs the four arms on the same synthetic debates: control, reward noise, sampling, combined.
///
/// The arms and their noise are those of the authors' public code (arXiv 2312.04792); the debates are random matrices of win probabilities instead of language models, so
/// only the ordering of the arms is comparable, not their accuracies. Each round both debaters choose by the history of the probabilities shown to them, then each asks the judge
/// about all of its strategies against the other's answer.
///
/// # Errors
/// [`GamesError::Empty`] for zero debates, rounds or strategies; [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for the noise.
///
/// ```
/// use hindsight_games::debate::{ArmSettings, compare_arms};
/// let arms = compare_arms(ArmSettings { debates: 4, rounds: 50, ..ArmSettings::default() }, 1)?;
/// assert_eq!(arms.len(), 4);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn compare_arms(settings: ArmSettings, seed: u64) -> Result<Vec<ArmResult>, GamesError> {
    let ArmSettings {
        debates,
        rounds,
        strategies,
        advantage,
        deviation,
        temperature,
    } = settings;
    if debates == 0 || rounds == 0 || strategies == 0 {
        return Err(GamesError::Empty {
            argument: Argument::Debates,
        });
    }
    crate::error::finite(Argument::Advantage, advantage)?;
    non_negative(Argument::Deviation, deviation)?;
    positive(Argument::Temperature, temperature)?;
    let mut generator = rand::rngs::Xoshiro256PlusPlus::seed_from_u64(seed);
    let judges = (0..debates)
        .map(|_| random_judge(strategies, advantage, &mut generator))
        .collect::<Result<Vec<_>, _>>()?;
    ARMS.iter()
        .map(|&arm| {
            let mut columns: [Vec<f64>; 6] = std::array::from_fn(|_| Vec::with_capacity(debates));
            let mut calls = 0;
            for (debate, judge) in judges.iter().enumerate() {
                let noise = if matches!(arm, Arm::RewardNoise | Arm::Combined) {
                    deviation
                } else {
                    0.0
                };
                let heat = if matches!(arm, Arm::Sampling | Arm::Combined) {
                    temperature
                } else {
                    0.0
                };
                // A stream for each debate, the same for every arm.
                let stream = seed ^ (debate as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let (one, counted) = one_debate(judge, rounds, noise, heat, stream)?;
                calls += counted;
                for (column, value) in columns.iter_mut().zip(one) {
                    column.push(value);
                }
            }
            let [
                accuracy,
                value_gap,
                external,
                internal,
                coarse_gap,
                nash_conv,
            ] = columns.map(|c| estimate(&c));
            Ok(ArmResult {
                arm,
                accuracy,
                value_gap,
                external,
                internal,
                coarse_gap,
                nash_conv,
                calls: real(calls) / real(debates * rounds),
            })
        })
        .collect()
}

fn random_judge<R: Rng + ?Sized>(
    k: usize,
    advantage: f64,
    rng: &mut R,
) -> Result<WinMatrix, GamesError> {
    let rows: Vec<Vec<f64>> = (0..k)
        .map(|_| {
            (0..k)
                .map(|_| {
                    let odds = advantage + rng.sample::<f64, _>(StandardNormal);
                    1.0 / (1.0 + (-odds).exp())
                })
                .collect()
        })
        .collect();
    WinMatrix::new(&rows)
}

fn one_debate(
    judge: &WinMatrix,
    rounds: usize,
    noise: f64,
    heat: f64,
    seed: u64,
) -> Result<([f64; 6], usize), GamesError> {
    let (k, _) = judge.strategies();
    let mut rng = rand::rngs::Xoshiro256PlusPlus::seed_from_u64(seed);
    let noisy = Noisy::new(
        judge.clone(),
        noise,
        rand::rngs::Xoshiro256PlusPlus::seed_from_u64(!seed),
    )?;
    let mut shown = Counted::new(noisy);
    let mut truth = judge.clone();
    let mut history = [vec![0.0; k], vec![0.0; k]];
    let mut accounts = [RegretAccount::new(k)?, RegretAccount::new(k)?];
    let mut joint = vec![0.0; k * k];
    let (mut weights, mut rewards) = (vec![0.0; k], vec![0.0; k]);
    let mut wins = 0.0;
    for _ in 0..rounds {
        let mut choice = [0; 2];
        for (c, h) in choice.iter_mut().zip(&history) {
            *c = if heat > 0.0 {
                softmax(1.0 / heat, h, &mut weights);
                draw(&weights, &mut rng)
            } else {
                let top = h.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                h.iter().position(|v| *v >= top).unwrap_or(0)
            };
        }
        let [a, b] = choice;
        wins += truth.win(a, b);
        joint[a * k + b] += 1.0 / real(rounds);
        for (i, r) in rewards.iter_mut().enumerate() {
            *r = truth.win(i, b);
        }
        accounts[0].record_pure(a, &rewards)?;
        for (j, r) in rewards.iter_mut().enumerate() {
            *r = 1.0 - truth.win(a, j);
        }
        accounts[1].record_pure(b, &rewards)?;
        let [first, second] = &mut history;
        for (i, (f, s)) in first.iter_mut().zip(second).enumerate() {
            *f += shown.win(i, b);
            *s += 1.0 - shown.win(a, i);
        }
    }
    let game = judge.game()?;
    let row: Vec<f64> = joint
        .chunks_exact(k)
        .map(|line| line.iter().sum())
        .collect();
    let column: Vec<f64> = (0..k)
        .map(|j| joint.iter().skip(j).step_by(k).sum())
        .collect();
    let [x, y] = accounts.map(|a| a.regrets().average());
    let accuracy = wins / real(rounds);
    let value = solve_zero_sum(&judge.rows())?.value;
    let out = [
        accuracy,
        accuracy - value,
        x.external.max(y.external),
        x.internal.max(y.internal),
        coarse_correlated_gap(&game, &joint)?,
        nash_conv(&game, &[row, column])?,
    ];
    Ok((out, shown.calls()))
}

fn estimate(values: &[f64]) -> Estimate {
    let n = real(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let error = if values.len() > 1 {
        (squares / (n - 1.0) / n).sqrt()
    } else {
        f64::NAN
    };
    Estimate { mean, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_reproducible_counted_and_ordered() {
        let settings = ArmSettings {
            debates: 60,
            rounds: 300,
            ..ArmSettings::default()
        };
        let arms = compare_arms(settings, 7).unwrap();
        assert_eq!(arms, compare_arms(settings, 7).unwrap());
        for arm in &arms {
            assert!(
                (arm.calls - 16.0).abs() < 1e-12,
                "both debaters ask about all strategies"
            );
            assert!(
                (arm.coarse_gap.mean - arm.external.mean).abs() < 1e-9,
                "coarse gap is the larger external regret"
            );
        }
        let [control, reward, sampling, _] = &arms[..] else {
            panic!("four arms")
        };
        // Sampling (Hedge) has a regret guarantee of ln K/(eta T) + eta/8 in expectation; here rate 1/0.8.
        let bound = 8.0f64.ln() * 0.8 / 300.0 + 1.0 / (0.8 * 8.0);
        assert!(sampling.external.mean <= bound);
        assert!(
            sampling.internal.mean <= control.internal.mean + 3.0 * control.internal.error
                || reward.internal.mean <= control.internal.mean + 3.0 * control.internal.error
        );
        // With a true advantage the right answer wins more often than not.
        assert!(arms.iter().all(|a| a.accuracy.mean > 0.5));
        assert!(
            compare_arms(
                ArmSettings {
                    temperature: 0.0,
                    ..settings
                },
                1
            )
            .is_err()
        );
    }
}
