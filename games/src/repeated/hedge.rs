//! Hedge: exponential weights, with fixed or decreasing rate, plain or optimistic.

use super::learner::{Learner, check_actions, check_horizon, check_rewards};
use crate::error::{Argument, GamesError, positive, real};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rate {
    Fixed(f64),
    Anytime,
}

/// Exponential weights, $x_t(i)\propto\exp\left(\eta\sum_{\tau<t}g_\tau(i)\right)$.
///
/// | constructor | rate | external regret over $T$ rounds, rewards in $\[0,1\]$ |
/// |---|---|---|
/// | [`Hedge::fixed`] | $\sqrt{8\ln K/T}$ | $\sqrt{T\ln K/2}$ |
/// | [`Hedge::anytime`] | $\sqrt{8\ln K/t}$ | $\sqrt{2T\ln K}+\sqrt{\ln K/8}$ (Cesa-Bianchi and Lugosi 2006, theorem 2.3) |
/// | [`Hedge::with_rate`] | $\eta$ | $\ln K/\eta+\eta T/8$ |
/// | [`Hedge::optimistic`] | $\eta$, last reward counted twice | $\ln K/\eta+\eta\sum_t\lVert g_t-g_{t-1}\rVert_\infty^2$ (Syrgkanis and others 2015) |
///
/// Each round costs one exponential an action; sums are shifted by their maximum, so nothing overflows. At a fixed rate and rewards with
/// $\eta\lvert g\rvert\le1/64$ the weights are carried from round to round by a short series and computed anew from the sums every 64 rounds, which
/// keeps them within some $10^{-14}$ of the definition.
///
/// ```
/// use hindsight_games::repeated::{Hedge, Learner};
/// let mut hedge = Hedge::fixed(2, 100)?;
/// assert_eq!(hedge.play(), &[0.5, 0.5]);
/// hedge.observe(&[1.0, 0.0])?;
/// assert!(hedge.play()[0] > 0.5);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hedge {
    rate: Rate,
    optimistic: bool,
    total: Vec<f64>,
    last: Vec<f64>,
    weights: Vec<f64>,
    play: Vec<f64>,
    rounds: usize,
    fresh: bool,
    carried: u32,
}

/// Rounds for which weights are multiplied on before they are computed anew from the sums, so that rounding cannot pile up.
const CARRIED: u32 = 64;

/// Largest exponent of one round, in absolute value, by which weights are multiplied on.
const SMALL: f64 = 1.0 / 64.0;

impl Hedge {
    fn new(actions: usize, rate: Rate, optimistic: bool) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        Ok(Self {
            rate,
            optimistic,
            total: vec![0.0; k],
            last: vec![0.0; k],
            weights: vec![1.0; k],
            play: vec![1.0 / real(k); k],
            rounds: 0,
            fresh: true,
            carried: 0,
        })
    }

    /// The rate that is best for a known number of rounds, $\sqrt{8\ln K/T}$.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    pub fn fixed(actions: usize, horizon: usize) -> Result<Self, GamesError> {
        let rate =
            (8.0 * real(check_actions(actions)?).ln() / real(check_horizon(horizon)?)).sqrt();
        Self::new(actions, Rate::Fixed(rate), false)
    }

    /// The decreasing rate $\sqrt{8\ln K/t}$, for an unknown number of rounds.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions.
    pub fn anytime(actions: usize) -> Result<Self, GamesError> {
        Self::new(actions, Rate::Anytime, false)
    }

    /// A rate of one's own.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions, [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for the rate.
    pub fn with_rate(actions: usize, rate: f64) -> Result<Self, GamesError> {
        Self::new(actions, Rate::Fixed(positive(Argument::Rate, rate)?), false)
    }

    /// Optimistic Hedge: the last reward vector is the guess for the next, so it counts twice. In two-player zero-sum self-play the sum of both
    /// regrets stays bounded when the rate is a small constant.
    ///
    /// # Errors
    /// As [`Hedge::with_rate`].
    pub fn optimistic(actions: usize, rate: f64) -> Result<Self, GamesError> {
        Self::new(actions, Rate::Fixed(positive(Argument::Rate, rate)?), true)
    }

    /// Bound on the external regret after `rounds` rounds of rewards in $\[0,1\]$; infinite for the optimistic form, whose bound depends on how the
    /// rewards move.
    #[must_use]
    pub fn bound(&self, rounds: usize) -> f64 {
        let (ln_k, t) = (real(self.total.len()).ln(), real(rounds));
        match self.rate {
            _ if self.optimistic => f64::INFINITY,
            Rate::Fixed(rate) if rate > 0.0 => ln_k / rate + rate * t / 8.0,
            Rate::Fixed(_) => 0.0,
            Rate::Anytime => (2.0 * t * ln_k).sqrt() + (ln_k / 8.0).sqrt(),
        }
    }
}

impl Hedge {
    /// Computes the weights from the sums.
    fn start_from_sums(&mut self) {
        let rate = match self.rate {
            Rate::Fixed(rate) => rate,
            Rate::Anytime => (8.0 * real(self.total.len()).ln() / real(self.rounds + 1)).sqrt(),
        };
        if self.optimistic {
            for ((x, l), t) in self.play.iter_mut().zip(&self.last).zip(&self.total) {
                *x = l + t;
            }
            exponentials(rate, &self.play, &mut self.weights);
        } else {
            exponentials(rate, &self.total, &mut self.weights);
        }
        self.carried = 0;
    }

    /// Multiplies the weights by the round's factors where its exponents are small; otherwise the next play starts from the sums.
    fn carry(&mut self, rewards: &[f64]) {
        self.carried = match self.rate {
            Rate::Fixed(rate)
                if !self.optimistic
                    && self.carried < CARRIED
                    && in_lanes(0.0, rewards, |a, b| b.max(a.abs())) * rate <= SMALL =>
            {
                for (w, r) in self.weights.iter_mut().zip(rewards) {
                    *w *= exp_small(rate * r);
                }
                self.carried + 1
            }
            _ => CARRIED,
        };
    }
}

/// Writes $\exp(\eta(v_i-\max v))$, normalised.
pub(crate) fn softmax(rate: f64, values: &[f64], out: &mut [f64]) {
    exponentials(rate, values, out);
    let scale = 1.0 / in_lanes(0.0, out, |a, b| a + b);
    for o in out {
        *o *= scale;
    }
}

/// Writes $\exp(\eta(v_i-\max v))$.
fn exponentials(rate: f64, values: &[f64], out: &mut [f64]) {
    let top = in_lanes(f64::NEG_INFINITY, values, |a, b| if a > b { a } else { b });
    for (o, v) in out.iter_mut().zip(values) {
        *o = exp_below_zero(rate * (v - top));
    }
}

/// Joins all values by `join`, in four lanes: one chain of operations would wait for each.
#[inline]
fn in_lanes(start: f64, values: &[f64], join: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [start; 4];
    let fours = values.chunks_exact(4);
    let rest = fours.remainder();
    for four in fours {
        for (lane, v) in lanes.iter_mut().zip(four) {
            *lane = join(*v, *lane);
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane = join(*v, *lane);
    }
    join(join(lanes[0], lanes[2]), join(lanes[1], lanes[3]))
}

/// $e^x$ for $x\le0$ to within two units in the last place, 0 below -708 and for NaN. No call and no branch, so that the loop over the actions runs in vector registers
/// and gives the same bytes on every machine.
#[inline]
fn exp_below_zero(x: f64) -> f64 {
    /// Adding it rounds to a whole number, which then stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let bounded = x.max(-708.0);
    let shifted = bounded * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (bounded - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // Taylor's series up to r^13 in pairs, |r| <= 0.35.
    let (r2, pair) = (r * r, |a: f64, b: f64| a + b * r);
    let r4 = r2 * r2;
    let low = pair(1.0, 1.0) + r2 * pair(1.0 / 2.0, 1.0 / 6.0);
    let middle = pair(1.0 / 24.0, 1.0 / 120.0) + r2 * pair(1.0 / 720.0, 1.0 / 5_040.0);
    let high =
        pair(1.0 / 40_320.0, 1.0 / 362_880.0) + r2 * pair(1.0 / 3_628_800.0, 1.0 / 39_916_800.0);
    let last = pair(1.0 / 479_001_600.0, 1.0 / 6_227_020_800.0);
    let series = low + r4 * (middle + r4 * (high + r4 * last));
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    if x >= -708.0 { series * power } else { 0.0 }
}

/// $e^x$ for $\lvert x\rvert\le1/64$ by Taylor's series up to $x^6$, whose remainder is below $2^{-54}$.
#[inline]
fn exp_small(x: f64) -> f64 {
    let x2 = x * x;
    let low = (1.0 + x) + x2 * (1.0 / 2.0 + x * (1.0 / 6.0));
    low + (x2 * x2) * ((1.0 / 24.0 + x * (1.0 / 120.0)) + x2 * (1.0 / 720.0))
}

impl Learner for Hedge {
    fn actions(&self) -> usize {
        self.total.len()
    }

    fn play(&mut self) -> &[f64] {
        if !self.fresh {
            if self.carried == CARRIED {
                self.start_from_sums();
            }
            let scale = 1.0 / in_lanes(0.0, &self.weights, |a, b| a + b);
            for (x, w) in self.play.iter_mut().zip(&self.weights) {
                *x = w * scale;
            }
            self.fresh = true;
        }
        &self.play
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.total.len(), rewards)?;
        for (t, r) in self.total.iter_mut().zip(rewards) {
            *t += r;
        }
        if self.optimistic {
            self.last.copy_from_slice(rewards);
        }
        self.carry(rewards);
        self.rounds += 1;
        self.fresh = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RegretAccount;
    use super::super::learner::opponents::rng;
    use super::*;
    use crate::laws::Adversary;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn external_regret_stays_below_the_bound(k in 1usize..12, horizon in 1usize..1500, seed in any::<u64>()) {
            for opponent in Adversary::ALL {
                for mut hedge in [Hedge::fixed(k, horizon).unwrap(), Hedge::anytime(k).unwrap(), Hedge::with_rate(k, 0.3).unwrap()] {
                    let mut rng = rng(seed);
                    let mut account = RegretAccount::new(k).unwrap();
                    let mut g = vec![0.0; k];
                    for t in 0..horizon {
                        let x = hedge.play().to_vec();
                        opponent.rewards(t, &x, &mut rng, &mut g);
                        account.record(&x, &g).unwrap();
                        hedge.observe(&g).unwrap();
                    }
                    prop_assert!(account.external() <= hedge.bound(horizon) + 1e-9);
                }
            }
        }

        #[test]
        fn optimism_pays_for_variation_only(k in 2usize..8, rate in 0.05f64..0.5, seed in any::<u64>()) {
            for opponent in Adversary::ALL {
                let mut hedge = Hedge::optimistic(k, rate).unwrap();
                let mut rng = rng(seed);
                let mut account = RegretAccount::new(k).unwrap();
                let (mut g, mut before, mut variation) = (vec![0.0; k], vec![0.0; k], 0.0);
                for t in 0..600 {
                    let x = hedge.play().to_vec();
                    opponent.rewards(t, &x, &mut rng, &mut g);
                    account.record(&x, &g).unwrap();
                    hedge.observe(&g).unwrap();
                    let change = g.iter().zip(&before).map(|(a, b): (&f64, &f64)| (a - b).abs()).fold(0.0, f64::max);
                    variation += change * change;
                    before.copy_from_slice(&g);
                }
                prop_assert!(account.external() <= real(k).ln() / rate + rate * variation + 1e-9);
            }
        }
    }

    proptest! {
        #[test]
        fn weights_carried_on_are_those_of_the_sums(k in 1usize..9, rate in 1e-3f64..0.1, rounds in 1usize..300, large in 0.0f64..0.1, asked in 0.2f64..1.0, seed in any::<u64>()) {
            use rand::RngExt;
            let mut rng = rng(seed);
            let mut hedge = Hedge::with_rate(k, rate).unwrap();
            let (mut total, mut expected) = (vec![0.0; k], vec![0.0; k]);
            for _ in 0..rounds {
                let scale = if rng.random_bool(large) { 100.0 } else { 0.15 };
                let g: Vec<f64> = (0..k).map(|_| scale * rng.random_range(-1.0..1.0)).collect();
                hedge.observe(&g).unwrap();
                total.iter_mut().zip(&g).for_each(|(t, g)| *t += g);
                if rng.random_bool(asked) {
                    softmax(rate, &total, &mut expected);
                    for (x, e) in hedge.play().iter().zip(&expected) {
                        prop_assert!((x - e).abs() <= 1e-13 * e, "{x} {e}");
                    }
                }
            }
        }

        #[test]
        fn the_short_series_is_right_to_two_units_in_the_last_place(x in -SMALL..=SMALL) {
            prop_assert!((exp_small(x) - x.exp()).abs() <= 2.0 * f64::EPSILON * x.exp());
        }

        #[test]
        fn the_exponential_is_right_to_two_units_in_the_last_place(x in -708.0f64..=0.0) {
            let (ours, theirs) = (exp_below_zero(x), x.exp());
            prop_assert!((ours - theirs).abs() <= 2.0 * f64::EPSILON * theirs, "{x}: {ours} {theirs}");
        }
    }

    #[test]
    fn the_ends_of_the_exponential() {
        assert_eq!(exp_below_zero(0.0), 1.0);
        assert_eq!(exp_below_zero(-0.0), 1.0);
        assert_eq!(exp_below_zero(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp_below_zero(-1e300), 0.0);
    }

    #[test]
    fn huge_rewards_do_not_overflow_and_nan_is_refused() {
        let mut hedge = Hedge::with_rate(3, 10.0).unwrap();
        hedge.observe(&[1e300, -1e300, 0.0]).unwrap();
        assert_eq!(hedge.play(), &[1.0, 0.0, 0.0]);
        assert!(matches!(
            hedge.observe(&[0.0, f64::NAN, 0.0]),
            Err(GamesError::NotFinite {
                argument: Argument::Rewards,
                ..
            })
        ));
        assert!(matches!(
            hedge.observe(&[0.0]),
            Err(GamesError::Length {
                expected: 3,
                found: 1,
                ..
            })
        ));
        assert!(matches!(
            Hedge::with_rate(3, -1.0),
            Err(GamesError::OutOfRange { .. })
        ));
        assert!(matches!(Hedge::fixed(0, 5), Err(GamesError::Empty { .. })));
    }
}
