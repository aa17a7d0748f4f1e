//! The dual with everything known.

use hindsight_gpu::{Device, Real};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
use crate::dual::{Ascent, Settled, gaps};
use crate::error::{Argument, Error};
use crate::iterates::Iterates;
use crate::maps::{ByWeek, PrimalMap, Replayed};
use crate::roll::Roll;
use crate::shape::{HORIZON, WEIGHT};

impl<F: Real> Cases<F> {
    /// The dual with everything known: prices `[cohort][resource][week]`, in money per volume, by dual ascent on the very weeks that are
    /// played, given what is used at announced prices; and where the ascent ended, by cohort. `ascent` counts in unit prices, and `margin` is
    /// the share of the limits that is kept free: a frontier has one point a margin.
    ///
    /// # Errors
    /// Cases without limits, no step, and those of the primal map.
    pub fn dual_prices(
        &self,
        primal: &dyn PrimalMap,
        ascent: &Ascent,
        margin: f64,
    ) -> Result<(ByWeek, Vec<Settled>), Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        ascent.check()?;
        let (units, scored) = (self.unit_prices(), self.course.warm_up..self.course.weeks);
        let resources = self.shape.resources();
        let flat = |rows: &[Vec<f64>]| -> Vec<f64> {
            let rows = rows.iter().flat_map(|row| &row[scored.clone()]);
            rows.copied().collect()
        };
        let kept: Vec<Vec<f64>> = (self.limits.iter())
            .map(|limits| flat(limits.scaled(1.0 - margin).all()))
            .collect();
        let start = Iterates::new(vec![0.0; resources * scored.len()], scored.len(), ascent);
        let mut paths = vec![start; self.groups()];
        // Nothing is charged before the first scored week.
        let money = |group: usize, prices: &[f64]| -> Vec<Vec<f64>> {
            let rows = prices.chunks_exact(scored.len()).zip(&units[group]);
            rows.map(|(row, unit)| {
                let early = std::iter::repeat_n(0.0, scored.start);
                early.chain(row.iter().map(|price| price * unit)).collect()
            })
            .collect()
        };
        while paths.iter().any(|path| !ascent.over(&path.settled)) {
            let now = paths.iter().enumerate();
            let now: Vec<_> = now.map(|(g, path)| money(g, &path.prices)).collect();
            let usage = primal.usage(&now)?;
            for (group, path) in paths.iter_mut().enumerate() {
                if !ascent.over(&path.settled) {
                    path.observe(&gaps(&flat(&usage[group]), &kept[group], scored.len()));
                }
            }
        }
        let best = paths.iter().enumerate();
        let best = best.map(|(g, path)| money(g, path.best())).collect();
        Ok((best, paths.iter().map(|path| path.settled).collect()))
    }
}

impl<F: Real> Cases<F> {
    /// The Lagrangian of a roll-out, in money by cohort: its reward, and what the prices of the week charge for what the limits left free, less what they
    /// charge for the excess,
    /// $$ L(\lambda) = J + \sum_t \gamma^t \lambda_t (K_t - u_t). $$
    /// For an exact buyer this bounds what any policy that keeps the limits earns (weak duality); for a trained one only as far as it is exact.
    ///
    /// # Errors
    /// Cases without limits.
    pub fn lagrangian(&self, roll: &Roll) -> Result<Vec<f64>, Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        let mut all = roll.reward.clone();
        for (group, (sum, limits)) in all.iter_mut().zip(&self.limits).enumerate() {
            for week in self.course.warm_up..self.course.weeks {
                let weight = self.shared_of(week, group)[WEIGHT];
                for (resource, used) in roll.usage[group].iter().enumerate() {
                    let price = roll.prices[group][week][resource * (HORIZON + 1)];
                    *sum += weight * price * (limits.of(resource)[week] - used[week]);
                }
            }
        }
        Ok(all)
    }
}

impl Cases<f32> {
    /// Plays the buyer at prices `[cohort][resource][week]` that are announced and never revised.
    ///
    /// # Errors
    /// Other prices than one a cohort, resource and week.
    pub fn announced(
        &self,
        buyer: &Buyer,
        prices: &[Vec<Vec<f64>>],
        device: &Device,
    ) -> Result<Roll, Error> {
        let weeks = self.course.weeks;
        let expected = self.groups() * self.shape.resources() * weeks;
        let found = prices.iter().flatten().map(Vec::len).sum();
        if found != expected {
            let argument = Argument::Price;
            return Err(Error::Length {
                argument,
                expected,
                found,
            });
        }
        let of = |path: &Vec<Vec<f64>>| (0..weeks).map(|week| published(path, week)).collect();
        let posted: Vec<Vec<Vec<f64>>> = prices.iter().map(of).collect();
        self.play(buyer, Some(&posted), device)
    }

    /// Plays the buyer at its [dual prices](Cases::dual_prices): the ceiling of what prices can do, for no controller has them.
    ///
    /// # Errors
    /// As [`dual_prices`](Cases::dual_prices).
    pub fn hindsight(
        &self,
        buyer: &Buyer,
        ascent: &Ascent,
        margin: f64,
        device: &Device,
    ) -> Result<(Roll, Vec<Settled>), Error> {
        let cases = self;
        let primal = Replayed {
            cases,
            buyer,
            device,
        };
        let (prices, settled) = self.dual_prices(&primal, ascent, margin)?;
        Ok((self.announced(buyer, &prices, device)?, settled))
    }
}
