//! Short windows of a record's past, to train on.
//!
//! A policy whose inputs know only the weeks before can be trained on any stretch of the past as if it came next. Many short
//! stretches that begin in random weeks, with random stock, show it more than the one long stretch that was.

use std::ops::Range;

use gpu::{Program, Stream};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::arrivals::Arrivals;
use crate::conventions::{Conventions, Terminal};
use crate::error::Error;
use crate::panel::Panel;
use crate::paths::Paths;
use crate::policy::trailing::Trailing;
use crate::policy::{LevelNetwork, LevelWeights};
use crate::replay::{Arrays, Replay, Window};
use crate::states::States;

/// What windows are cut from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) arrivals: &'a dyn Arrivals,
    pub(crate) conventions: Conventions,
    pub(crate) trailing: &'a Trailing,
    pub(crate) weights: &'a LevelWeights,
}

/// Windows of one length as mini-batches read them.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(crate) program: Program,
    pub(crate) arrays: Arrays<f32>,
    /// What a lane sells in a week, in money, by the record's mean demand and price.
    pub(crate) money: Vec<f64>,
}

/// How windows are cut.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// Weeks that windows lie in.
    pub(crate) weeks: Range<usize>,
    /// Weeks of a window.
    pub(crate) length: usize,
    /// How many windows.
    pub(crate) count: usize,
    /// Products of a window, drawn anew for each; all of them where they are no more.
    pub(crate) products: usize,
    /// Seed of the windows' first weeks, products and opening stocks.
    pub(crate) seed: u64,
}

impl Windows {
    /// Windows that begin in weeks spread over the whole range, each a little at random; one lane a product and window.
    pub(crate) fn cut(source: &Source<'_>, cut: &Cut) -> Result<Self, Error> {
        let Range { start, end } = cut.weeks;
        let Some(room) = end
            .checked_sub(start)
            .and_then(|weeks| weeks.checked_sub(cut.length))
            .filter(|_| cut.length > 0)
        else {
            return Err(Error::Weeks {
                what: "too few weeks for a window to train on",
                start,
                end,
                weeks: source.panel.weeks(),
            });
        };
        // A window's end is not the record's: what is left then goes on being sold. Rounding has no derivative.
        let conventions = Conventions {
            terminal: Terminal::AtCost,
            whole_units: false,
            ..source.conventions
        };
        let typical = source.money(start..end);
        let stream = Stream::new(cut.seed, "windows");
        let pieces: Vec<Piece> = (0..cut.count.max(1))
            .map(|k| Piece::draw(source, cut, room, &stream, k))
            .collect();
        let paths = Piece::paths(&pieces, source.arrivals)?;
        let (mut parts, mut money, mut program) = (Vec::new(), Vec::new(), None);
        for (k, (piece, paths)) in pieces.iter().zip(&paths).enumerate() {
            let network = LevelNetwork::on_piece(
                source.trailing,
                piece.first..piece.first + cut.length,
                &piece.products,
                source.weights,
            );
            let window = Window {
                scored: 0..cut.length,
                warm_up: 0,
            };
            let opening = opening(source, piece, paths, &stream, k)?;
            let replay = Replay::opened(paths, conventions, window, opening)?;
            if program.is_none() {
                program = Some(replay.record(&network, &())?);
            }
            parts.push(replay.arrays::<f32, _, _>(&network, &())?);
            money.extend(piece.products.iter().map(|&product| typical[product]));
        }
        match program {
            Some(program) => Ok(Windows {
                program,
                arrays: Arrays::join(parts)?,
                money,
            }),
            None => Err(Error::Empty("the list of windows")),
        }
    }
}

/// The part of a record that a window reads: some products in its weeks.
#[derive(Debug)]
struct Piece {
    panel: Panel,
    first: usize,
    products: Vec<usize>,
}

impl Piece {
    fn draw(source: &Source<'_>, cut: &Cut, room: usize, stream: &Stream, k: usize) -> Self {
        let mut rng = stream.at(0, u32::try_from(k).unwrap_or(u32::MAX));
        let (low, high) = (k * (room + 1) / cut.count, (k + 1) * (room + 1) / cut.count);
        let first = cut.weeks.start + rng.random_range(low..high.max(low + 1));
        let products = sample(&mut rng, source.panel.products(), cut.products);
        Piece {
            panel: source.panel.piece(&products, first..first + cut.length),
            first,
            products,
        }
    }

    /// The arrivals of every piece: as the whole record would have them, and all of one form.
    fn paths<'p>(pieces: &'p [Piece], arrivals: &dyn Arrivals) -> Result<Vec<Paths<'p>>, Error> {
        let of = |piece: &'p Piece| Paths::new(&piece.panel, &Shifted { arrivals, piece }, 1);
        let paths: Vec<Paths<'p>> = pieces.iter().map(of).collect::<Result<_, Error>>()?;
        if paths.iter().any(Paths::has_yields) {
            return Ok(paths.into_iter().map(Paths::with_yields).collect());
        }
        Ok(paths)
    }
}

/// The arrivals of a piece.
#[derive(Debug)]
struct Shifted<'a> {
    arrivals: &'a dyn Arrivals,
    piece: &'a Piece,
}

impl Arrivals for Shifted<'_> {
    fn max_lead_time(&self) -> usize {
        self.arrivals.max_lead_time()
    }

    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let first = i64::try_from(self.piece.first).unwrap_or(i64::MAX);
        let product = self.piece.products[product];
        let week = week.saturating_add(first);
        self.arrivals.shares(product, sample, week, shares);
    }

    fn run(&self, product: usize, sample: usize, first: i64, shares: &mut [f64]) {
        let offset = i64::try_from(self.piece.first).unwrap_or(i64::MAX);
        let product = self.piece.products[product];
        let first = first.saturating_add(offset);
        self.arrivals.run(product, sample, first, shares);
    }
}

impl Source<'_> {
    /// What every product sells in a week, in money: by the mean over the weeks, for a product's first weeks may be far from typical.
    fn money(&self, weeks: Range<usize>) -> Vec<f64> {
        let of = |product: usize| {
            let known = weeks.clone().filter(|&w| self.panel.present(product, w));
            let (mut n, mut demand, mut price) = (0.0, 0.0, 0.0);
            for week in known {
                n += 1.0;
                demand += self.panel.demand(product, week);
                price += self.panel.price(product, week);
            }
            let last = weeks.end - 1;
            if n <= 0.0 {
                (n, price) = (1.0, self.panel.price(product, last));
            }
            // Without any sale, what the trailing numbers take for one.
            let units = f64::max(demand / n, self.trailing.scale(last, product));
            (units * price / n).max(f64::MIN_POSITIVE)
        };
        (0..self.panel.products()).map(of).collect()
    }
}

/// `wanted` of the numbers below `all`, in rising order; all of them where they are no more.
pub(crate) fn sample<R: Rng>(rng: &mut R, all: usize, wanted: usize) -> Vec<usize> {
    let mut left = wanted.min(all);
    let mut taken = Vec::with_capacity(left);
    for at in 0..all {
        if rng.random_range(0..all - at) < left {
            taken.push(at);
            left -= 1;
        }
    }
    taken
}

/// A plausible stock: about a week of mean demand on hand and in every order of the weeks before, more or less by a random factor, valued at
/// what of it is there or will arrive.
fn opening(
    source: &Source<'_>,
    piece: &Piece,
    paths: &Paths<'_>,
    stream: &Stream,
    window: usize,
) -> Result<States, Error> {
    let longest = paths.max_lead_time();
    let (mut on_hand, mut book) = (Vec::new(), Vec::new());
    let mut orders = vec![Vec::new(); longest];
    for (lane, &product) in piece.products.iter().enumerate() {
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let mut rng = stream.at(product as u64 + 1, window);
        let mut about = |units: f64, spread: f64| {
            let z: f64 = rng.sample(StandardNormal);
            units * (spread * z).exp()
        };
        let mean = source.trailing.scale(piece.first, product);
        let mut units = about(mean, 0.7);
        on_hand.push(units);
        for (age, order) in orders.iter_mut().enumerate() {
            let ordered = about(mean, 0.3);
            units += ordered * paths.coming(0, age)[lane];
            order.push(ordered);
        }
        book.push(units * source.panel.cost(product, piece.first));
    }
    States::new(on_hand, orders, book)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::LeadTimes;
    use crate::panel::Columns;
    use crate::policy::Plan;
    use crate::policy::trailing::Terms;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// An opening is charged for what is on hand or will arrive, no order that has arrived before: as in replays that judge.
        #[test]
        fn openings_are_charged_for_what_is_there(seed in 0_u64..1000, low in 0_usize..3, wide in 0_usize..4, first in 12_usize..24) {
            let (products, weeks) = (3, 30);
            let columns = Columns {
                demand: (0..products * weeks).map(|i| 5.0 + f64::from(u8::try_from(i % 7).unwrap())).collect(),
                price: vec![5.0; products * weeks],
                cost: (0..products * weeks).map(|i| 3.0 + 0.1 * f64::from(u8::try_from(i % 5).unwrap())).collect(),
                present: vec![true; products * weeks],
                covariates: vec![],
            };
            let names = ["tea", "mate", "coffee"].map(str::to_owned).to_vec();
            let panel = Panel::new(names, weeks, columns).unwrap();
            let law = LeadTimes::uniform(low, low + wide, 0.3, seed).unwrap();
            let (conventions, plan) = (Conventions::default(), Plan { horizon: 1, price: true });
            let terms = Terms { panel: &panel, lead_times: &law, conventions, plan, year: 52, hierarchy: &[] };
            let trailing = Trailing::new(&terms, 8..weeks).unwrap();
            let source = Source { panel: &panel, arrivals: &law, conventions, trailing: &trailing, weights: LevelWeights::pretrained() };
            let products = vec![0, 2];
            let piece = Piece { panel: panel.piece(&products, first..first + 4), first, products };
            let paths = &Piece::paths(std::slice::from_ref(&piece), &law).unwrap()[0];
            let states = opening(&source, &piece, paths, &Stream::new(seed, "test"), 0).unwrap();
            let window = Window { scored: 0..4, warm_up: 0 };
            let replay = Replay::opened(paths, conventions, window, states).unwrap();
            for lane in 0..paths.lanes() {
                let (_, coming) = replay.opening_due(lane);
                let there = replay.opening().on_hand()[lane] + coming;
                let charge = there * panel.cost(piece.products[lane], first);
                prop_assert!((replay.opening_charge(lane) - charge).abs() < 1e-9 * charge, "{charge}");
            }
        }
    }
}
