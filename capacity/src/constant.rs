//! The best constant price.

use hindsight_gpu::Device;

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
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
}
