//! Means, covariances, third and fourth moments of a few columns in one pass, by blocks.

use std::sync::Arc;

/// Rounds that are taken together: few enough for the first-level cache.
pub(crate) const BLOCK: usize = 256;

/// A block of a column.
pub(crate) type Column = [f64; BLOCK];

/// Running means of columns, and sums of products of their deviations: of pairs, triples and quadruples within groups.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    count: f64,
    mean: Vec<f64>,
    pairs: Vec<f64>,
    triples: Vec<f64>,
    quads: Vec<f64>,
    plan: Arc<Plan>,
    /// Room for the products of pairs of a block.
    products: Vec<Column>,
}

/// Which products are kept, as ascending columns, and where their factors are kept.
#[derive(Debug, PartialEq)]
struct Plan {
    pairs: Vec<[usize; 2]>,
    triples: Vec<Triple>,
    quads: Vec<Quad>,
}

/// A column beside the pair of the other two, in three ways.
#[derive(Debug, PartialEq)]
struct Triple {
    of: [usize; 3],
    ways: [(usize, usize); 3],
}

/// A column beside the triple of the other three, in four ways; two pairs, in three ways, with the columns of each.
#[derive(Debug, PartialEq)]
struct Quad {
    of: [usize; 4],
    ones: [(usize, usize); 4],
    twos: [[([usize; 2], usize); 2]; 3],
}

impl Plan {
    fn new(groups: &[Vec<usize>], bare: &[Vec<usize>]) -> Self {
        let mut pairs = tuples::<2>(groups);
        pairs.extend(tuples::<2>(bare));
        pairs.sort_unstable();
        pairs.dedup();
        let pair = |a: usize, b: usize| {
            let wanted = [a.min(b), a.max(b)];
            pairs.binary_search(&wanted).unwrap_or_default()
        };
        let triples: Vec<Triple> = tuples::<3>(groups)
            .into_iter()
            .map(|of @ [a, b, c]| Triple {
                of,
                ways: [(a, pair(b, c)), (b, pair(a, c)), (c, pair(a, b))],
            })
            .collect();
        let triple = |of: [usize; 3]| {
            triples
                .binary_search_by_key(&of, |t| t.of)
                .unwrap_or_default()
        };
        let both =
            |[a, b]: [usize; 2], [c, d]: [usize; 2]| [([a, b], pair(a, b)), ([c, d], pair(c, d))];
        let quads = tuples::<4>(groups)
            .into_iter()
            .map(|of @ [a, b, c, d]| Quad {
                of,
                ones: [
                    (a, triple([b, c, d])),
                    (b, triple([a, c, d])),
                    (c, triple([a, b, d])),
                    (d, triple([a, b, c])),
                ],
                twos: [
                    both([a, b], [c, d]),
                    both([a, c], [b, d]),
                    both([a, d], [b, c]),
                ],
            });
        let quads = quads.collect();
        Plan {
            pairs,
            triples,
            quads,
        }
    }
}

/// All ascending tuples, with repetition, within groups; sorted, each once.
fn tuples<const N: usize>(groups: &[Vec<usize>]) -> Vec<[usize; N]> {
    let mut all = Vec::new();
    for group in groups {
        let mut members = group.clone();
        members.sort_unstable();
        members.dedup();
        let mut started: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..N {
            started = started
                .into_iter()
                .flat_map(|start| {
                    let least = start.last().copied().unwrap_or(0);
                    let next = members.iter().copied().filter(move |m| *m >= least);
                    next.map(|m| [&start[..], &[m]].concat())
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        all.extend(
            started
                .into_iter()
                .filter_map(|t| <[usize; N]>::try_from(t).ok()),
        );
    }
    all.sort_unstable();
    all.dedup();
    all
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
        let sums = |m: &Moments| [&m.mean[..], &m.pairs, &m.triples, &m.quads].concat();
        self.count == other.count && self.plan == other.plan && sums(self) == sums(other)
    }
}

impl Moments {
    /// Moments without a row: all products within each of `groups`, those of pairs alone within each of `bare`.
    pub(crate) fn new(columns: usize, groups: &[Vec<usize>], bare: &[Vec<usize>]) -> Self {
        let plan = Arc::new(Plan::new(groups, bare));
        Moments {
            count: 0.0,
            mean: vec![0.0; columns],
            pairs: vec![0.0; plan.pairs.len()],
            triples: vec![0.0; plan.triples.len()],
            quads: vec![0.0; plan.quads.len()],
            plan,
            products: Vec::new(),
        }
    }

    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The sum of the products of the deviations of two columns of one group.
    pub(crate) fn comoment(&self, i: usize, j: usize) -> f64 {
        let at = self.plan.pairs.binary_search(&[i.min(j), i.max(j)]);
        at.map_or(f64::NAN, |at| self.pairs[at])
    }

    /// The sum over rounds of the product of two linear combinations of columns of one group, less their means.
    pub(crate) fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        let pairs = self.plan.pairs.iter().zip(&self.pairs);
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
        let triples = self.plan.triples.iter().zip(&self.triples);
        let quads = self.plan.quads.iter().zip(&self.quads);
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
        let triples = self.plan.triples.iter().zip(&self.triples);
        let third: f64 = triples
            .map(|(t, sum)| orders(&t.of) * product(&t.of, weights) * sum)
            .sum();
        let quads = self.plan.quads.iter().zip(&self.quads);
        let fourth: f64 = quads
            .map(|(q, sum)| orders(&q.of) * product(&q.of, weights) * sum)
            .sum();
        (
            third / self.count / variance.powf(1.5),
            fourth / self.count / (variance * variance),
        )
    }

    /// Takes a block of rounds, column by column; their deviations from the block's means are left in `columns`.
    #[inline(always)]
    pub(crate) fn add_block(&mut self, columns: &mut [Column], rounds: usize) {
        if rounds == 0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "at most a block")]
        let count = rounds as f64;
        let mut products = std::mem::take(&mut self.products);
        products.resize(self.pairs.len(), [0.0; BLOCK]);
        let mut block = Moments {
            count,
            ..self.clone()
        };
        block.fill(columns, rounds, &mut products);
        self.merge(&block);
        self.products = products;
    }

    #[inline(always)]
    fn fill(&mut self, columns: &mut [Column], rounds: usize, products: &mut [Column]) {
        for (mean, column) in self.mean.iter_mut().zip(columns.iter_mut()) {
            column[rounds..].fill(0.0);
            *mean = sum(column) / self.count;
            column[..rounds].iter_mut().for_each(|x| *x -= *mean);
        }
        let pairs = self.plan.pairs.iter().zip(products.iter_mut());
        for (([i, j], product), sum_of) in pairs.zip(&mut self.pairs) {
            let (a, b) = (&columns[*i], &columns[*j]);
            for ((out, a), b) in product.iter_mut().zip(a).zip(b) {
                *out = a * b;
            }
            *sum_of = sum(product);
        }
        for (triple, sum_of) in self.plan.triples.iter().zip(&mut self.triples) {
            let (column, pair) = triple.ways[0];
            *sum_of = dot(&columns[column], &products[pair]);
        }
        for (quad, sum_of) in self.plan.quads.iter().zip(&mut self.quads) {
            let [(_, one), (_, other)] = quad.twos[0];
            *sum_of = dot(&products[one], &products[other]);
        }
    }

    /// Adds the rounds of another with the same columns and groups. Source of the update: Pébay (2008).
    pub(crate) fn merge(&mut self, other: &Moments) {
        if other.count == 0.0 {
            return;
        }
        let (a, b) = (self.count, other.count);
        let n = a + b;
        let shift: Vec<f64> = other
            .mean
            .iter()
            .zip(&self.mean)
            .map(|(x, y)| x - y)
            .collect();
        let plan = Arc::clone(&self.plan);
        for (slot, quad) in plan.quads.iter().enumerate() {
            let mut sum = other.quads[slot]
                + a * b * (a * a - a * b + b * b) / (n * n * n) * product(&quad.of, &shift);
            for (column, triple) in quad.ones {
                sum += shift[column] * (a * other.triples[triple] - b * self.triples[triple]) / n;
            }
            for [(first, one), (second, two)] in quad.twos {
                let squares =
                    |pair: usize| (a * a * other.pairs[pair] + b * b * self.pairs[pair]) / (n * n);
                sum += product(&first, &shift) * squares(two)
                    + product(&second, &shift) * squares(one);
            }
            self.quads[slot] += sum;
        }
        for (slot, triple) in plan.triples.iter().enumerate() {
            let mut sum =
                other.triples[slot] + a * b * (a - b) / (n * n) * product(&triple.of, &shift);
            for (column, pair) in triple.ways {
                sum += shift[column] * (a * other.pairs[pair] - b * self.pairs[pair]) / n;
            }
            self.triples[slot] += sum;
        }
        for (slot, pair) in plan.pairs.iter().enumerate() {
            self.pairs[slot] += other.pairs[slot] + a * b / n * product(pair, &shift);
        }
        for (mean, shift) in self.mean.iter_mut().zip(&shift) {
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

const LANES: usize = 16;

#[inline(always)]
fn sum(values: &Column) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in values.chunks_exact(LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    lanes.iter().sum()
}

#[inline(always)]
fn dot(a: &Column, b: &Column) -> f64 {
    let mut lanes = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(rows: &[(f64, f64)]) -> Moments {
        let mut moments = Moments::new(2, &[vec![0, 1]], &[]);
        for rows in rows.chunks(BLOCK) {
            let mut columns = [[0.0; BLOCK]; 2];
            for (r, row) in rows.iter().enumerate() {
                (columns[0][r], columns[1][r]) = *row;
            }
            moments.add_block(&mut columns, rows.len());
        }
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
