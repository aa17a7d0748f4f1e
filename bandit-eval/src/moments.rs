//! Means, covariances, third and fourth moments of a few columns in one pass, by blocks.
//!
//! Sums are taken about a pivot, the mean of all rounds before, so that a block needs one pass; after sixteen blocks they are brought to their own
//! mean and merged. Little cancels: if the new rounds lie far from the pivot, the spread of old and new together is as large as what was summed about
//! the pivot, or at least a seventeenth of it, since the first block is taken about its own mean.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::products::{Lanes, Plan, Sums};

/// Rounds that are taken together: few enough for the first-level cache.
pub(crate) const BLOCK: usize = 256;

/// A block of a column, at the start of a cache line: a vector that straddles two takes twice as long.
#[derive(Debug, Clone, PartialEq)]
#[repr(align(64))]
pub(crate) struct Column([f64; BLOCK]);

impl Column {
    pub(crate) const ZERO: Column = Column([0.0; BLOCK]);
}

impl Deref for Column {
    type Target = [f64; BLOCK];

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Column {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Rounds whose sums are about one pivot.
const SETTLED: f64 = 4096.0;

/// Running means of columns, and sums of products of their deviations: of pairs, triples and quadruples within groups.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    count: f64,
    mean: Vec<f64>,
    /// About the mean.
    sums: Sums<f64>,
    /// Rounds that came since, and their sums about that mean.
    waiting: f64,
    recent: Sums<Lanes>,
    plan: Arc<Plan>,
    /// Room for the products of pairs of a block.
    products: Vec<Column>,
}

/// In how many orders a tuple can be written.
fn orders(of: &[usize]) -> f64 {
    let (mut ways, mut run) = (1.0, 0.0);
    for (i, column) in of.iter().enumerate() {
        run = if i > 0 && of[i - 1] == *column {
            run + 1.0
        } else {
            1.0
        };
        #[allow(clippy::cast_precision_loss, reason = "at most four")]
        let place = (i + 1) as f64;
        ways *= place / run;
    }
    ways
}

impl PartialEq for Moments {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count
            && self.mean == other.mean
            && self.sums == other.sums
            && self.waiting == other.waiting
            && self.recent == other.recent
            && self.plan == other.plan
    }
}

impl Moments {
    /// Moments without a row: all products within each of `groups`, those of pairs alone within each of `bare`.
    pub(crate) fn new(columns: usize, groups: &[Vec<usize>], bare: &[Vec<usize>]) -> Self {
        let plan = Arc::new(Plan::new(columns, groups, bare));
        Moments {
            count: 0.0,
            mean: vec![0.0; columns],
            sums: Sums::new(&plan, columns, 0.0),
            waiting: 0.0,
            recent: Sums::new(&plan, columns, Lanes::default()),
            plan,
            products: Vec::new(),
        }
    }

    /// Whether no round waits: all that is asked is of the settled ones.
    pub(crate) fn is_settled(&self) -> bool {
        self.waiting == 0.0
    }

    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    /// The means of all rounds that are settled: the pivot of those that come.
    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The sum of the products of the deviations of two columns of one group.
    pub(crate) fn comoment(&self, i: usize, j: usize) -> f64 {
        let at = self.plan.pairs.binary_search(&[i.min(j), i.max(j)]);
        at.map_or(f64::NAN, |at| self.sums.pairs[at])
    }

    /// The sum over rounds of the product of two linear combinations of columns of one group, less their means.
    pub(crate) fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        let pairs = self.plan.pairs.iter().zip(&self.sums.pairs);
        let term = |([i, j], sum): (&[usize; 2], &f64)| {
            let mixed = if i == j {
                a[*i] * b[*i]
            } else {
                a[*i] * b[*j] + a[*j] * b[*i]
            };
            // What is not asked for may be a product that overflowed.
            if mixed == 0.0 { 0.0 } else { mixed * sum }
        };
        pairs.map(term).sum()
    }

    /// The variance of a linear combination of columns of one group; NaN for fewer than two rounds.
    pub(crate) fn variance(&self, weights: &[f64]) -> f64 {
        if self.count < 2.0 {
            f64::NAN
        } else {
            (self.product(weights, weights) / (self.count - 1.0)).max(0.0)
        }
    }

    /// The sum over rounds of the product of three or four linear combinations of columns of one group, less their means.
    pub(crate) fn contract<const N: usize>(&self, factors: [&[f64]; N]) -> f64 {
        let ways = permutations(N);
        #[allow(clippy::cast_precision_loss, reason = "at most 24")]
        let all = ways.len() as f64;
        let mixed = |of: &[usize]| {
            let one = |way: &Vec<usize>| {
                let parts = way.iter().zip(of).map(|(k, column)| factors[*k][*column]);
                parts.product::<f64>()
            };
            orders(of) / all * ways.iter().map(one).sum::<f64>()
        };
        let triples = self.plan.triples.iter().zip(&self.sums.triples);
        let quads = self.plan.quads.iter().zip(&self.sums.quads);
        match N {
            3 => triples.map(|(t, sum)| mixed(&t.of) * sum).sum(),
            4 => quads.map(|(q, sum)| mixed(&q.of) * sum).sum(),
            _ => f64::NAN,
        }
    }

    /// Skewness and kurtosis of a linear combination of columns of one group; those of a normal law where it does not vary.
    pub(crate) fn shape(&self, weights: &[f64]) -> (f64, f64) {
        let variance = self.variance(weights);
        if !(variance > 0.0) {
            return (0.0, 3.0);
        }
        let triples = self.plan.triples.iter().zip(&self.sums.triples);
        let third: f64 = triples
            .map(|(t, sum)| orders(&t.of) * product(&t.of, weights) * sum)
            .sum();
        let quads = self.plan.quads.iter().zip(&self.sums.quads);
        let fourth: f64 = quads
            .map(|(q, sum)| orders(&q.of) * product(&q.of, weights) * sum)
            .sum();
        (
            third / self.count / variance.powf(1.5),
            fourth / self.count / (variance * variance),
        )
    }

    /// Takes a block of rounds, column by column, as deviations from [`Moments::mean`]. What the columns hold afterwards is of no use.
    #[inline(always)]
    pub(crate) fn add_block(&mut self, columns: &mut [Column], rounds: usize) {
        if rounds == 0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "at most a block")]
        let count = rounds as f64;
        let first = self.count == 0.0;
        for (column, mean) in columns.iter_mut().zip(&mut self.mean) {
            column[rounds..].fill(0.0);
            if first {
                *mean = column.iter().sum::<f64>() / count;
                column[..rounds].iter_mut().for_each(|x| *x -= *mean);
            }
        }
        let Moments {
            plan,
            recent,
            products,
            ..
        } = self;
        plan.add(columns, products, recent);
        self.waiting += count;
        if first || self.waiting >= SETTLED {
            self.settle();
        }
    }

    /// Brings the waiting rounds to their own mean and merges them.
    pub(crate) fn settle(&mut self) {
        if self.is_settled() {
            return;
        }
        let n = self.waiting;
        let mut sums = self.recent.total();
        let shift: Vec<f64> = sums.singles.iter().map(|sum| sum / n).collect();
        self.centre(n, &shift, &mut sums);
        self.combine(n, &shift, &sums);
        self.waiting = 0.0;
        self.recent.fill(Lanes::default());
    }

    /// Brings the sums of `n` rounds about a pivot to their mean, which lies further by `shift`.
    fn centre(&self, n: f64, shift: &[f64], sums: &mut Sums<f64>) {
        let Sums {
            pairs,
            triples,
            quads,
            ..
        } = sums;
        for (quad, sum) in self.plan.quads.iter().zip(quads) {
            for (column, triple) in quad.ones {
                *sum -= shift[column] * triples[triple];
            }
            for [(first, one), (second, two)] in quad.twos {
                *sum += product(&first, shift) * pairs[two] + product(&second, shift) * pairs[one];
            }
            *sum -= 3.0 * n * product(&quad.of, shift);
        }
        for (triple, sum) in self.plan.triples.iter().zip(triples) {
            for (column, pair) in triple.ways {
                *sum -= shift[column] * pairs[pair];
            }
            *sum += 2.0 * n * product(&triple.of, shift);
        }
        for (pair, sum) in self.plan.pairs.iter().zip(pairs) {
            *sum -= n * product(pair, shift);
        }
    }

    /// Adds the rounds of another with the same columns and groups; both are settled.
    pub(crate) fn merge(&mut self, other: &Moments) {
        let means = other.mean.iter().zip(&self.mean);
        let shift: Vec<f64> = means.map(|(x, y)| x - y).collect();
        self.combine(other.count, &shift, &other.sums);
    }

    /// Adds so many rounds, whose means lie further by `shift` and whose sums are about those. Source of the update: Pébay (2008).
    fn combine(&mut self, count: f64, shift: &[f64], other: &Sums<f64>) {
        if count == 0.0 {
            return;
        }
        let (a, b) = (self.count, count);
        let n = a + b;
        let Moments {
            plan, sums, mean, ..
        } = self;
        for (slot, quad) in plan.quads.iter().enumerate() {
            let mut sum = other.quads[slot]
                + a * b * (a * a - a * b + b * b) / (n * n * n) * product(&quad.of, shift);
            for (column, triple) in quad.ones {
                sum += shift[column] * (a * other.triples[triple] - b * sums.triples[triple]) / n;
            }
            for [(first, one), (second, two)] in quad.twos {
                let squares =
                    |pair: usize| (a * a * other.pairs[pair] + b * b * sums.pairs[pair]) / (n * n);
                sum +=
                    product(&first, shift) * squares(two) + product(&second, shift) * squares(one);
            }
            sums.quads[slot] += sum;
        }
        for (slot, triple) in plan.triples.iter().enumerate() {
            let mut sum =
                other.triples[slot] + a * b * (a - b) / (n * n) * product(&triple.of, shift);
            for (column, pair) in triple.ways {
                sum += shift[column] * (a * other.pairs[pair] - b * sums.pairs[pair]) / n;
            }
            sums.triples[slot] += sum;
        }
        for (slot, pair) in plan.pairs.iter().enumerate() {
            sums.pairs[slot] += other.pairs[slot] + a * b / n * product(pair, shift);
        }
        for (mean, shift) in mean.iter_mut().zip(shift) {
            *mean += b / n * shift;
        }
        self.count = n;
    }
}

/// All orders of the first numbers.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    let with = |way: &Vec<usize>| {
        let way = way.clone();
        (0..n).map(move |at| [&way[..at], &[n - 1], &way[at..]].concat())
    };
    shorter.iter().flat_map(with).collect()
}

fn product(of: &[usize], values: &[f64]) -> f64 {
    of.iter().map(|i| values[*i]).product()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::products::tuples;

    fn filled(rows: &[(f64, f64)]) -> Moments {
        let mut moments = Moments::new(2, &[vec![0, 1]], &[]);
        for rows in rows.chunks(BLOCK) {
            let mut columns = [Column::ZERO; 2];
            for (r, row) in rows.iter().enumerate() {
                (columns[0][r], columns[1][r]) =
                    (row.0 - moments.mean()[0], row.1 - moments.mean()[1]);
            }
            moments.add_block(&mut columns, rows.len());
        }
        moments.settle();
        moments
    }

    #[test]
    fn tuples_and_their_orders() {
        assert_eq!(
            tuples::<2>(&[vec![3, 1], vec![1]]),
            [[1, 1], [1, 3], [3, 3]]
        );
        assert_eq!(tuples::<4>(&[vec![0, 1]]).len(), 5);
        let total: f64 = tuples::<4>(&[vec![0, 1, 2]])
            .iter()
            .map(|t| orders(t))
            .sum();
        assert_eq!(total, 81.0);
    }

    /// Columns that jump between blocks and settlements, so that a pivot is far from what is summed about it.
    fn jumping(rounds: usize, seed: u64, jump: f64) -> Vec<[f64; 4]> {
        let mut state = seed;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let row = |i: usize| {
            let level = jump * (i / 3_000) as f64;
            [(); 4].map(|()| uniform().powi(3) + level)
        };
        (0..rounds).map(row).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        /// Groups of one, two and three that overlap, over many settlements, against the definition in two passes.
        #[test]
        fn groups_equal_the_definition(rounds in 1..14_000_usize, seed in 0..1_000_u64, jump in prop::sample::select(vec![0.0, 1.0, -30.0, 1e4])) {
            let rows = jumping(rounds, seed, jump);
            let n = rounds as f64;
            let groups = [vec![0, 1], vec![2, 1], vec![3], vec![3, 0, 2], vec![1]];
            let mut moments = Moments::new(4, &groups, &[vec![1, 3]]);
            for rows in rows.chunks(BLOCK) {
                let mut columns = vec![Column::ZERO; 4];
                for (c, column) in columns.iter_mut().enumerate() {
                    for (x, row) in column.iter_mut().zip(rows) {
                        *x = row[c] - moments.mean()[c];
                    }
                }
                moments.add_block(&mut columns, rows.len());
            }
            moments.settle();
            let mean: Vec<f64> = (0..4).map(|c| rows.iter().map(|r| r[c]).sum::<f64>() / n).collect();
            let scale = 1.0 + jump.abs() * (n / 3_000.0);
            let check = |of: &[usize], found: f64| {
                let product = |row: &[f64; 4]| of.iter().map(|c| row[*c] - mean[*c]).product::<f64>();
                let expected = rows.iter().map(product).sum::<f64>();
                let size = rows.iter().map(|row| product(row).abs()).sum::<f64>();
                // What is lost is relative to the sum of magnitudes; the mean itself is known to so much.
                let lost = 1e-11 * size + 1e-15 * n * scale.powi(of.len() as i32);
                prop_assert!((found - expected).abs() <= lost, "{of:?}: {found} and {expected} of {size}");
                Ok(())
            };
            for (c, expected) in mean.iter().enumerate() {
                prop_assert!((moments.mean()[c] - expected).abs() <= 1e-12 * scale);
            }
            for (pair, found) in moments.plan.pairs.iter().zip(&moments.sums.pairs) {
                check(pair, *found)?;
            }
            for (triple, found) in moments.plan.triples.iter().zip(&moments.sums.triples) {
                check(&triple.of, *found)?;
            }
            for (quad, found) in moments.plan.quads.iter().zip(&moments.sums.quads) {
                check(&quad.of, *found)?;
            }
            let counts = (moments.plan.pairs.len(), moments.plan.triples.len(), moments.plan.quads.len());
            prop_assert_eq!(counts, (10, 15, 22));
        }
    }

    proptest! {
        /// Against the definition in two passes, on numbers far from zero, in one piece and in two.
        #[test]
        fn one_pass_equals_two(rows in prop::collection::vec((-1.0..1.0f64, -3.0..9.0f64), 2..900), offset in -1e4..1e4f64, cut in 0.0..1.0f64) {
            let rows: Vec<(f64, f64)> = rows.iter().map(|(a, b)| (a + offset, *b)).collect();
            let n = rows.len() as f64;
            let (a, b) = (rows.iter().map(|r| r.0).sum::<f64>() / n, rows.iter().map(|r| r.1).sum::<f64>() / n);
            let expected: f64 = rows.iter().map(|r| (r.0 - a) * (r.1 - b)).sum();
            let at = (cut * n) as usize;
            let mut halves = filled(&rows[..at]);
            halves.merge(&filled(&rows[at..]));
            let weights = [0.3, -0.7];
            let combined: Vec<f64> = rows.iter().map(|r| weights[0] * (r.0 - a) + weights[1] * (r.1 - b)).collect();
            let power = |p: i32| combined.iter().map(|x| x.powi(p)).sum::<f64>();
            let variance = power(2) / (n - 1.0);
            for moments in [filled(&rows), halves] {
                prop_assert!((moments.mean()[0] - a).abs() < 1e-9 * (1.0 + a.abs()));
                prop_assert!((moments.comoment(1, 0) - expected).abs() < 1e-7 * n);
                prop_assert!((moments.variance(&weights) - variance).abs() < 1e-8 * (1.0 + variance));
                let other = [1.1, 0.2];
                let by_other: Vec<f64> = rows.iter().map(|r| other[0] * (r.0 - a) + other[1] * (r.1 - b)).collect();
                let mixed = |p: i32, q: i32| combined.iter().zip(&by_other).map(|(x, y)| x.powi(p) * y.powi(q)).sum::<f64>();
                let (third, fourth) = (moments.contract([&weights, &weights, &other]), moments.contract([&weights, &other, &weights, &other]));
                prop_assert!((third - mixed(2, 1)).abs() < 1e-6 * n && (fourth - mixed(2, 2)).abs() < 1e-6 * n, "{third} {fourth}");
                if variance > 1e-3 {
                    let (skewness, kurtosis) = moments.shape(&weights);
                    prop_assert!((skewness - power(3) / n / variance.powf(1.5)).abs() < 1e-6);
                    prop_assert!((kurtosis - power(4) / n / variance.powi(2)).abs() < 1e-6 * (1.0 + kurtosis));
                }
            }
        }
    }
}
