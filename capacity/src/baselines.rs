//! Prices to compare a coordinator with: a constant, and the dual with everything known.

use hindsight_gpu::Device;

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
use crate::dual::{Ascent, Path, Settled, gaps};
use crate::error::{Argument, Error, count};
use crate::roll::Roll;

impl Cases<f32> {
    /// Plays the buyer at a constant price of every resource, in shares of the unit price.
    ///
    /// # Errors
    /// Other than one share a resource.
    pub fn at_constant(
        &self,
        buyer: &Buyer,
        shares: &[f64],
        device: &Device,
    ) -> Result<Roll, Error> {
        if shares.len() != self.shape.resources() {
            return Err(Error::Length {
                argument: Argument::Price,
                expected: self.shape.resources(),
                found: shares.len(),
            });
        }
        let of = |units: &Vec<f64>| {
            let path: Vec<Vec<f64>> = units.iter().zip(shares).map(|(u, s)| vec![u * s]).collect();
            vec![published(&path, 0); self.course.weeks]
        };
        let prices: Vec<_> = self.unit_prices().iter().map(of).collect();
        self.play(buyer, Some(&prices), device)
    }

    /// The best constant price on a grid of shares of the unit price, the same for all resources: that with the largest mean reward less
    /// `penalty` times the mean violation and the reward without control.
    ///
    /// # Errors
    /// An empty grid, cases without limits.
    pub fn best_constant(
        &self,
        buyer: &Buyer,
        grid: &[f64],
        penalty: f64,
        device: &Device,
    ) -> Result<f64, Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        let free: f64 = self.play(buyer, None, device)?.reward.iter().sum();
        let mut best: Option<(f64, f64)> = None;
        for &share in grid {
            let shares = vec![share; self.shape.resources()];
            let roll = self.at_constant(buyer, &shares, device)?;
            let scores = self.scores(&roll);
            let violation = scores.iter().map(|s| s.violation).sum::<f64>() / count(scores.len());
            let value = roll.reward.iter().sum::<f64>() / free - penalty * violation;
            if best.is_none_or(|(most, _)| value > most) {
                best = Some((value, share));
            }
        }
        best.map(|(_, share)| share)
            .ok_or(Error::Empty(Argument::Price))
    }

    /// The dual with everything known: prices of every path by dual ascent on the very weeks that are played, published without revision; and
    /// where the ascent ended, by cohort. The ceiling of what prices can do; no controller has it. `ascent.rate` is in unit prices, and
    /// `margin` the share of the limits that is kept free: below zero it is room that there is not, for a frontier.
    ///
    /// # Errors
    /// Cases without limits, no step.
    pub fn hindsight_dual(
        &self,
        buyer: &Buyer,
        ascent: &Ascent,
        margin: f64,
        device: &Device,
    ) -> Result<(Roll, Vec<Settled>), Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        ascent.check()?;
        let (units, scored) = (self.unit_prices(), self.course.warm_up..self.course.weeks);
        let resources = self.shape.resources();
        let flat = |rows: &[Vec<f64>], by: f64| -> Vec<f64> {
            let row = |row: &Vec<f64>| row[scored.clone()].iter().map(|x| x * by).collect();
            rows.iter().flat_map(|r| -> Vec<f64> { row(r) }).collect()
        };
        let limits = |group: usize| -> Vec<f64> {
            let of = |r| self.limits[group].of(r).to_vec();
            flat(&(0..resources).map(of).collect::<Vec<_>>(), 1.0 - margin)
        };
        let limits: Vec<Vec<f64>> = (0..self.groups()).map(limits).collect();
        let start = Path::new(vec![0.0; resources * scored.len()], ascent);
        let mut paths = vec![start; self.groups()];
        // Nothing is charged before the first scored week.
        let posted = |group: usize, prices: &[f64]| -> Vec<Vec<f64>> {
            let rows = prices.chunks_exact(scored.len()).zip(&units[group]);
            let row = |(row, unit): (&[f64], &f64)| {
                let early = std::iter::repeat_n(0.0, scored.start);
                early.chain(row.iter().map(|price| price * unit)).collect()
            };
            let path: Vec<Vec<f64>> = rows.map(row).collect();
            (0..scored.end).map(|week| published(&path, week)).collect()
        };
        let all = |prices: &[Vec<f64>]| -> Vec<Vec<Vec<f64>>> {
            let prices = prices.iter().enumerate();
            prices.map(|(group, own)| posted(group, own)).collect()
        };
        while paths.iter().any(|path| !ascent.over(&path.settled)) {
            let prices: Vec<Vec<f64>> = paths.iter().map(|path| path.prices.clone()).collect();
            let roll = self.play(buyer, Some(&all(&prices)), device)?;
            for (group, path) in paths.iter_mut().enumerate() {
                if !ascent.over(&path.settled) {
                    path.observe(&gaps(&flat(&roll.usage[group], 1.0), &limits[group]));
                }
            }
        }
        let best: Vec<Vec<f64>> = paths.iter().map(|path| path.best().to_vec()).collect();
        let settled = paths.iter().map(|path| path.settled).collect();
        Ok((self.play(buyer, Some(&all(&best)), device)?, settled))
    }
}
