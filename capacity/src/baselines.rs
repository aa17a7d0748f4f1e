//! Prices to compare a coordinator with: a constant, and the dual with everything known.

use hindsight_gpu::Device;

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
use crate::dual::Ascent;
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

    /// The dual with everything known: prices of every path by dual ascent on the very weeks that are played, published without revision.
    /// The ceiling of what prices can do; no controller has it. `ascent.rate` is in unit prices.
    ///
    /// # Errors
    /// Cases without limits, no step.
    pub fn hindsight_dual(
        &self,
        buyer: &Buyer,
        ascent: &Ascent,
        device: &Device,
    ) -> Result<Roll, Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        if ascent.steps == 0 {
            return Err(Error::Empty(Argument::Baseline));
        }
        let (weeks, resources, units) = (
            self.course.weeks,
            self.shape.resources(),
            self.unit_prices(),
        );
        let mut now = vec![vec![vec![0.0; weeks]; resources]; self.groups()];
        let mut mean = now.clone();
        let first = ascent.steps / 2;
        let posted = |paths: &[Vec<Vec<f64>>]| -> Vec<Vec<Vec<f64>>> {
            let of = |path: &Vec<Vec<f64>>| (0..weeks).map(|week| published(path, week)).collect();
            paths.iter().map(of).collect()
        };
        for step in 0..ascent.steps {
            let roll = self.play(buyer, Some(&posted(&now)), device)?;
            let size = ascent.rate / count(step + 1).sqrt();
            for group in 0..self.groups() {
                for r in 0..resources {
                    let limits = self.limits[group].of(r);
                    for week in self.course.warm_up..weeks {
                        let gap =
                            (roll.usage[group][r][week] - limits[week]) / limits[week].max(1e-9);
                        let price = &mut now[group][r][week];
                        *price = (*price + size * units[group][r] * gap.clamp(-1.0, 1.0)).max(0.0);
                        if step >= first {
                            mean[group][r][week] += *price / count(ascent.steps - first);
                        }
                    }
                }
            }
        }
        self.play(buyer, Some(&posted(&mean)), device)
    }
}
