//! Which products of columns are summed, and the sums over a block.

use crate::moments::Column;

/// Sums that are kept side by side, so that additions do not wait for each other.
const LANES: usize = 8;

/// A sum in lanes.
pub(crate) type Lanes = [f64; LANES];

/// Which products are kept, as ascending columns, and where their factors are kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) pairs: Vec<[usize; 2]>,
    pub(crate) triples: Vec<Triple>,
    pub(crate) quads: Vec<Quad>,
    work: Work,
}

/// A column beside the pair of the other two, in three ways.
#[derive(Debug, PartialEq)]
pub(crate) struct Triple {
    pub(crate) of: [usize; 3],
    pub(crate) ways: [(usize, usize); 3],
}

/// A column beside the triple of the other three, in four ways; two pairs, in three ways, with the columns of each.
#[derive(Debug, PartialEq)]
pub(crate) struct Quad {
    pub(crate) of: [usize; 4],
    pub(crate) ones: [(usize, usize); 4],
    pub(crate) twos: [[([usize; 2], usize); 2]; 3],
}

/// How the sums over a block are made: groups of one and of two columns in one loop each, and what is left one by one.
#[derive(Debug, PartialEq)]
struct Work {
    ones: Vec<One>,
    twos: Vec<Two>,
    singles: Vec<usize>,
    pairs: Vec<usize>,
    /// Pairs whose products are kept for triples and quadruples.
    products: Vec<usize>,
    triples: Vec<usize>,
    quads: Vec<usize>,
}

/// A column, and where its square, cube and fourth power are summed.
#[derive(Debug, PartialEq)]
struct One {
    column: usize,
    pair: usize,
    triple: usize,
    quad: usize,
}

/// Two columns, and where their products are summed, ascending.
#[derive(Debug, PartialEq)]
struct Two {
    columns: [usize; 2],
    pairs: [usize; 3],
    triples: [usize; 4],
    quads: [usize; 5],
}

/// Sums over rounds of deviations and of their products, in the order of a [`Plan`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sums<T> {
    pub(crate) singles: Vec<T>,
    pub(crate) pairs: Vec<T>,
    pub(crate) triples: Vec<T>,
    pub(crate) quads: Vec<T>,
}

impl<T: Copy> Sums<T> {
    pub(crate) fn new(plan: &Plan, columns: usize, zero: T) -> Self {
        Sums {
            singles: vec![zero; columns],
            pairs: vec![zero; plan.pairs.len()],
            triples: vec![zero; plan.triples.len()],
            quads: vec![zero; plan.quads.len()],
        }
    }

    pub(crate) fn fill(&mut self, value: T) {
        for sums in [
            &mut self.singles,
            &mut self.pairs,
            &mut self.triples,
            &mut self.quads,
        ] {
            sums.fill(value);
        }
    }
}

impl Sums<Lanes> {
    /// The sums over all lanes.
    pub(crate) fn total(&self) -> Sums<f64> {
        let total =
            |sums: &[Lanes]| -> Vec<f64> { sums.iter().map(|lanes| lanes.iter().sum()).collect() };
        Sums {
            singles: total(&self.singles),
            pairs: total(&self.pairs),
            triples: total(&self.triples),
            quads: total(&self.quads),
        }
    }
}

impl Plan {
    /// All products within each of `groups`, those of pairs alone within each of `bare`.
    pub(crate) fn new(columns: usize, groups: &[Vec<usize>], bare: &[Vec<usize>]) -> Self {
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
        let quads: Vec<Quad> = quads.collect();
        let work = Work::new(columns, groups, &pairs, &triples, &quads);
        Plan {
            pairs,
            triples,
            quads,
            work,
        }
    }

    /// Adds the products of a block; rounds that are not there are zeros.
    #[inline(always)]
    pub(crate) fn add(
        &self,
        columns: &[Column],
        products: &mut Vec<Column>,
        sums: &mut Sums<Lanes>,
    ) {
        let Work {
            ones,
            twos,
            singles,
            pairs,
            products: kept,
            triples,
            quads,
        } = &self.work;
        for one in ones {
            one.add(columns, sums);
        }
        for two in twos {
            two.add(columns, sums);
        }
        for single in singles {
            sum(&columns[*single], &mut sums.singles[*single]);
        }
        for pair in pairs {
            let [i, j] = self.pairs[*pair];
            dot(&columns[i], &columns[j], &mut sums.pairs[*pair]);
        }
        products.resize(kept.len(), Column::ZERO);
        for (pair, product) in kept.iter().zip(products.iter_mut()) {
            let [i, j] = self.pairs[*pair];
            for ((out, a), b) in product.iter_mut().zip(&columns[i][..]).zip(&columns[j][..]) {
                *out = a * b;
            }
        }
        let product = |pair: usize| {
            let at = kept.binary_search(&pair).unwrap_or_default();
            &products[at]
        };
        for triple in triples {
            let (column, pair) = self.triples[*triple].ways[0];
            dot(&columns[column], product(pair), &mut sums.triples[*triple]);
        }
        for quad in quads {
            let [(_, one), (_, other)] = self.quads[*quad].twos[0];
            dot(product(one), product(other), &mut sums.quads[*quad]);
        }
    }
}

impl Work {
    fn new(
        columns: usize,
        groups: &[Vec<usize>],
        pairs: &[[usize; 2]],
        triples: &[Triple],
        quads: &[Quad],
    ) -> Self {
        let pair = |of: [usize; 2]| pairs.binary_search(&of).unwrap_or_default();
        let triple = |of: [usize; 3]| {
            let at = triples.binary_search_by_key(&of, |t| t.of);
            at.unwrap_or_default()
        };
        let quad = |of: [usize; 4]| {
            let at = quads.binary_search_by_key(&of, |q| q.of);
            at.unwrap_or_default()
        };
        // A column belongs to one loop: the first group of two that it is in, else its own group.
        let mut free = vec![true; columns];
        let mut twos = Vec::new();
        let mut ones = Vec::new();
        let sizes = [2, 1];
        for group in sizes
            .iter()
            .flat_map(|size| groups.iter().filter(|g| g.len() == *size))
        {
            if group.iter().any(|column| !free[*column]) {
                continue;
            }
            match group[..] {
                [a, b] if a != b => {
                    let (a, b) = (a.min(b), a.max(b));
                    twos.push(Two {
                        columns: [a, b],
                        pairs: [[a, a], [a, b], [b, b]].map(pair),
                        triples: [[a, a, a], [a, a, b], [a, b, b], [b, b, b]].map(triple),
                        quads: [
                            [a, a, a, a],
                            [a, a, a, b],
                            [a, a, b, b],
                            [a, b, b, b],
                            [b, b, b, b],
                        ]
                        .map(quad),
                    });
                }
                [a] => ones.push(One {
                    column: a,
                    pair: pair([a; 2]),
                    triple: triple([a; 3]),
                    quad: quad([a; 4]),
                }),
                _ => continue,
            }
            group.iter().for_each(|column| free[*column] = false);
        }
        let done = |of: &[usize]| {
            let within = |columns: &[usize]| of.iter().all(|c| columns.contains(c));
            ones.iter().any(|one| within(&[one.column]))
                || twos.iter().any(|two| within(&two.columns))
        };
        let left = |all: Vec<&[usize]>| -> Vec<usize> {
            (0..all.len()).filter(|at| !done(all[*at])).collect()
        };
        let triples_left = left(triples.iter().map(|t| &t.of[..]).collect());
        let quads_left = left(quads.iter().map(|q| &q.of[..]).collect());
        let factors = quads_left
            .iter()
            .flat_map(|at| quads[*at].twos[0].map(|(_, pair)| pair));
        let mut products: Vec<usize> = triples_left
            .iter()
            .map(|at| triples[*at].ways[0].1)
            .chain(factors)
            .collect();
        products.sort_unstable();
        products.dedup();
        Work {
            singles: (0..columns).filter(|column| free[*column]).collect(),
            pairs: left(pairs.iter().map(|p| &p[..]).collect()),
            products,
            triples: triples_left,
            quads: quads_left,
            ones,
            twos,
        }
    }
}

impl One {
    #[inline(always)]
    fn add(&self, columns: &[Column], sums: &mut Sums<Lanes>) {
        let mut all = [
            sums.singles[self.column],
            sums.pairs[self.pair],
            sums.triples[self.triple],
            sums.quads[self.quad],
        ];
        for x in columns[self.column].as_chunks::<LANES>().0 {
            let square = times(x, x);
            let powers = [*x, square, times(&square, x), times(&square, &square)];
            for (sum, power) in all.iter_mut().zip(&powers) {
                *sum = plus(sum, power);
            }
        }
        sums.singles[self.column] = all[0];
        sums.pairs[self.pair] = all[1];
        sums.triples[self.triple] = all[2];
        sums.quads[self.quad] = all[3];
    }
}

impl Two {
    #[inline(always)]
    fn add(&self, columns: &[Column], sums: &mut Sums<Lanes>) {
        let [i, j] = self.columns;
        let mut singles = self.columns.map(|at| sums.singles[at]);
        let mut pairs = self.pairs.map(|at| sums.pairs[at]);
        let mut triples = self.triples.map(|at| sums.triples[at]);
        let mut quads = self.quads.map(|at| sums.quads[at]);
        let (first, second) = (&columns[i], &columns[j]);
        for (a, b) in first
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(second.as_chunks::<LANES>().0)
        {
            let (aa, ab, bb) = (times(a, a), times(a, b), times(b, b));
            accumulate(&mut singles, [*a, *b]);
            accumulate(&mut pairs, [aa, ab, bb]);
            let cubes = [times(&aa, a), times(&aa, b), times(a, &bb), times(&bb, b)];
            accumulate(&mut triples, cubes);
            let fourths = [
                times(&aa, &aa),
                times(&aa, &ab),
                times(&aa, &bb),
                times(&ab, &bb),
                times(&bb, &bb),
            ];
            accumulate(&mut quads, fourths);
        }
        put(&mut sums.singles, self.columns, singles);
        put(&mut sums.pairs, self.pairs, pairs);
        put(&mut sums.triples, self.triples, triples);
        put(&mut sums.quads, self.quads, quads);
    }
}

#[inline(always)]
fn put<const N: usize>(sums: &mut [Lanes], places: [usize; N], values: [Lanes; N]) {
    for (place, value) in places.into_iter().zip(values) {
        sums[place] = value;
    }
}

#[inline(always)]
fn accumulate<const N: usize>(sums: &mut [Lanes; N], terms: [Lanes; N]) {
    for (sum, term) in sums.iter_mut().zip(&terms) {
        *sum = plus(sum, term);
    }
}

#[inline(always)]
fn times(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane] * b[lane])
}

#[inline(always)]
fn plus(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane] + b[lane])
}

#[inline(always)]
pub(crate) fn sum(values: &Column, into: &mut Lanes) {
    let mut total = *into;
    for x in values.as_chunks::<LANES>().0 {
        total = plus(&total, x);
    }
    *into = total;
}

#[inline(always)]
pub(crate) fn dot(a: &Column, b: &Column, into: &mut Lanes) {
    let mut total = *into;
    let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    for (a, b) in a.iter().zip(b) {
        total = plus(&total, &times(a, b));
    }
    *into = total;
}

/// All ascending tuples, with repetition, within groups; sorted, each once.
pub(crate) fn tuples<const N: usize>(groups: &[Vec<usize>]) -> Vec<[usize; N]> {
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
