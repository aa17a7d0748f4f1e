//! The Poisson bootstrap: every replicate gives every round a Poisson weight of mean one, so one pass is enough.

use crate::error::{Error, Result, check_level};
use crate::estimator::Estimator;
use crate::evaluation::Evaluation;
use crate::interval::Interval;
use crate::moments::{BLOCK, Column};
use crate::round::{Table, Weighted};
use crate::vectorize::vectorize_short;

/// Replicates that are drawn side by side.
const WIDTH: usize = 16;
/// Sums of each: of the weights, of what is averaged, of numerator and denominator of what is divided.
const SUMS: usize = 4;

/// Bootstrap replicates of one estimator, in one pass and in memory that depends on the number of replicates alone.
///
/// Source: Chamandy, Muralidharan, Najmi and Naidu (2012). Weights are 0 to 8, with the probabilities of the Poisson law rounded to
/// multiples of $2^{-16}$, so that their mean is 1 and their variance 1 to four digits. The same seed and rounds give the same bytes.
///
/// ```
/// use hindsight_bandit_eval::{Bootstrap, Estimator, Weighted};
/// let mut bootstrap = Bootstrap::new(Estimator::Ips, 500, 1)?;
/// for i in 0..1_000 {
///     bootstrap.push(&Weighted { weight: 1.0, propensity: 0.5, reward: f64::from(i % 2), model: None })?;
/// }
/// let interval = bootstrap.interval(0.95)?;
/// assert!(interval.contains(0.5) && (interval.width() - 0.062).abs() < 0.008);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// Rounds wait here, are checked here, and their terms are computed here.
    evaluation: Evaluation,
    estimator: Estimator,
    replicates: usize,
    generators: Vec<Generators>,
    /// Sums of weights, and of the weighted terms of the estimator, `[block of replicates][term][replicate]`.
    sums: Vec<[f64; WIDTH]>,
}

impl Bootstrap {
    /// Returns so many replicates without a round.
    ///
    /// # Errors
    /// When there are fewer than two replicates, a parameter of the estimator is outside its range, or it is `ControlVariate`, which is no
    /// function of means.
    pub fn new(estimator: Estimator, replicates: usize, seed: u64) -> Result<Self> {
        if replicates < 2 {
            return Err(Error::TooFew {
                what: "the number of replicates",
                needed: 2,
                found: replicates,
            });
        }
        if estimator == Estimator::ControlVariate {
            return Err(Error::NotKept(estimator));
        }
        let evaluation = Evaluation::new(&[estimator])?;
        let blocks = replicates.div_ceil(WIDTH);
        let mut state = seed;
        let generators = (0..blocks)
            .map(|_| std::array::from_fn(|_| std::array::from_fn(|_| split_mix(&mut state))));
        Ok(Bootstrap {
            evaluation,
            estimator,
            replicates,
            generators: generators.collect(),
            sums: vec![[0.0; WIDTH]; blocks * SUMS],
        })
    }

    /// Takes a round in weighted form.
    ///
    /// # Errors
    /// As [`Evaluation::push_weighted`].
    pub fn push(&mut self, round: &Weighted) -> Result<()> {
        self.evaluation.push_weighted(round)?;
        self.draw_full();
        Ok(())
    }

    /// Takes all rounds of a table.
    ///
    /// # Errors
    /// As [`Evaluation::push`], of the first round that is at fault; those before it have been taken.
    pub fn extend<T: Copy + Into<f64>>(&mut self, table: &Table<'_, T>) -> Result<()> {
        let rounds = table.check()?;
        let mut first = 0;
        while first < rounds {
            let last = rounds.min(first + BLOCK - self.evaluation.waiting());
            self.evaluation.extend(&table.part(first, last))?;
            self.draw_full();
            first = last;
        }
        Ok(())
    }

    /// Draws the weights of a block that has just become full.
    fn draw_full(&mut self) {
        if self.evaluation.waiting() == 0 {
            self.draw(BLOCK);
        }
    }

    /// Draws the weights of a block's first rounds, and adds them up.
    fn draw(&mut self, rounds: usize) {
        let (plain, ratio) = columns(self.estimator, &self.evaluation);
        vectorize_short(
            #[inline(always)]
            || {
                let blocks = self
                    .generators
                    .iter_mut()
                    .zip(self.sums.chunks_exact_mut(SUMS));
                for (generator, sums) in blocks {
                    match &ratio {
                        None => add(generator, rounds, [&plain], sums),
                        Some([numerator, denominator]) => {
                            add(generator, rounds, [&plain, numerator, denominator], sums);
                        }
                    }
                }
            },
        );
    }

    /// Returns the estimates of all replicates.
    #[must_use]
    pub fn estimates(&self) -> Vec<f64> {
        let mut all = self.clone();
        all.draw(self.evaluation.waiting());
        let blocks = all.sums.chunks_exact(SUMS);
        let each = blocks.flat_map(|sums| {
            (0..WIDTH).map(|i| {
                let plain = sums[1][i] / sums[0][i];
                if sums[3][i] == 0.0 {
                    plain
                } else {
                    plain + sums[2][i] / sums[3][i]
                }
            })
        });
        each.take(all.replicates).collect()
    }

    /// Returns the percentile interval.
    ///
    /// # Errors
    /// When the level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        let mut estimates = self.estimates();
        estimates.sort_by(f64::total_cmp);
        let at = |q: f64| {
            #[allow(clippy::cast_precision_loss, reason = "a rank")]
            let place = q * (estimates.len() - 1) as f64;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rank"
            )]
            let below = place.floor() as usize;
            let above = (below + 1).min(estimates.len() - 1);
            estimates[below] + place.fract() * (estimates[above] - estimates[below])
        };
        let tail = (1.0 - level) / 2.0;
        Ok(Interval {
            lower: at(tail),
            upper: at(1.0 - tail),
            level,
        })
    }

    /// Returns the standard deviation of the replicates.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let estimates = self.estimates();
        #[allow(clippy::cast_precision_loss, reason = "a number of replicates")]
        let n = estimates.len() as f64;
        let mean = estimates.iter().sum::<f64>() / n;
        let squares: f64 = estimates.iter().map(|e| (e - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    }
}

/// What of a block is averaged, and what is divided.
fn columns(estimator: Estimator, block: &Evaluation) -> (Column, Option<[Column; 2]>) {
    let mut values = vec![Column::ZERO; block.terms.len()];
    block.block_terms(&vec![0.0; values.len()], &mut values);
    let column = |term| {
        let at = block.terms.iter().position(|t| *t == term);
        at.map_or(Column::ZERO, |at| values[at].clone())
    };
    let (plain, ratio) = estimator.split();
    (
        plain.map_or(Column::ZERO, column),
        ratio.map(|pair| pair.map(column)),
    )
}

/// Adds the rounds to the sums of a block of replicates, each with a new weight.
#[inline(always)]
fn add<const N: usize>(
    generator: &mut Generators,
    rounds: usize,
    columns: [&Column; N],
    sums: &mut [[f64; WIDTH]],
) {
    // A block has at most 8 * 256 in all.
    let mut counts = [0_i16; WIDTH];
    let mut totals = [[0.0; WIDTH]; N];
    let mut state = *generator;
    for round in 0..rounds {
        let drawn = poisson(&mut state);
        for (count, w) in counts.iter_mut().zip(&drawn) {
            *count += w;
        }
        let weights = drawn.map(f64::from);
        for (total, column) in totals.iter_mut().zip(columns) {
            let x = column[round];
            for (total, w) in total.iter_mut().zip(&weights) {
                *total += w * x;
            }
        }
    }
    *generator = state;
    let counts = counts.map(f64::from);
    for (sums, more) in sums.iter_mut().zip(std::iter::once(&counts).chain(&totals)) {
        for (sum, more) in sums.iter_mut().zip(more) {
            *sum += more;
        }
    }
}

/// $65536\thinspace P(N \ge k) - 32768$ for $k = 1 \dots 8$, rounded so that the mean is one: below so much of the numbers of 16 bits, of which half are negative.
const TAILS: [i16; 8] = [
    8_659, -15_451, -27_505, -31_524, -32_528, -32_729, -32_763, -32_767,
];

/// Four generators side by side.
type Generators = [[u64; 4]; 2];

/// Sixteen Poisson weights of mean one: a uniform number of 16 bits counts the tails that it lies in.
#[inline(always)]
fn poisson(state: &mut Generators) -> [i16; WIDTH] {
    // xorshift128+.
    let [a, b] = *state;
    let mut words = [0; 4];
    for lane in 0..4 {
        words[lane] = a[lane].wrapping_add(b[lane]).to_le();
        let mixed = a[lane] ^ (a[lane] << 23);
        state[0][lane] = b[lane];
        state[1][lane] = mixed ^ b[lane] ^ (mixed >> 18) ^ (b[lane] >> 5);
    }
    let uniform: [i16; WIDTH] = bytemuck::cast(words);
    let mut weights = [0_i16; WIDTH];
    for tail in TAILS {
        for (weight, u) in weights.iter_mut().zip(uniform) {
            // The sign of the difference, as a number: comparisons are taken one by one.
            *weight -= u.saturating_sub(tail) >> 15;
        }
    }
    weights
}

/// The next number of SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
