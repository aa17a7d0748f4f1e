//! Fitting the forecast: regression with a common prior, smoothed residuals, the spread.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use super::super::plan::Plan;
use super::{PromotionForecast, features};
use crate::count::count;
use crate::error::Error;
use crate::panel::Panel;

/// Weight of the newest residual in the smoothed one.
const SMOOTHING: f64 = 0.25;
/// The unit of demand in which one is added before the logarithm is taken, as a share of the mean demand.
const UNIT: f64 = 0.2;
/// Ridge of a product's coefficients towards the common ones, in equivalent weeks.
const RIDGE: f64 = 10.0;

impl PromotionForecast {
    /// Fits the forecast on some weeks; `horizon` is the farthest week ahead that will be asked for.
    ///
    /// # Errors
    /// When fewer than eight weeks are given.
    pub fn fit(
        panel: &Panel,
        weeks: Range<usize>,
        plan: Plan,
        horizon: usize,
    ) -> Result<Self, Error> {
        if weeks.len() < 8 || weeks.end > panel.weeks() {
            let Range { start, end } = weeks;
            let what = "a forecast needs eight weeks to be fitted";
            return Err(Error::Weeks {
                what,
                start,
                end,
                weeks: panel.weeks(),
            });
        }
        let products = panel.products();
        let width = features(panel, 0, 0).len();
        // Within-product deviations, so that every product has an intercept of its own.
        let units: Vec<f64> = (0..products)
            .map(|p| unit(panel, p, weeks.clone()))
            .collect();
        let mut centred = Vec::with_capacity(products);
        let mut gram = DMatrix::zeros(width, width);
        let mut moment = DVector::zeros(width);
        for (product, &unit) in units.iter().enumerate() {
            let used: Vec<usize> = weeks
                .clone()
                .filter(|&w| panel.present(product, w))
                .collect();
            let n = count(used.len().max(1));
            let rows: Vec<DVector<f64>> =
                used.iter().map(|&w| features(panel, product, w)).collect();
            let ys: Vec<f64> = used
                .iter()
                .map(|&w| (panel.demand(product, w) / unit).ln_1p())
                .collect();
            let mean_x = rows
                .iter()
                .fold(DVector::zeros(width), |s: DVector<f64>, x| s + x)
                / n;
            let mean_y = ys.iter().sum::<f64>() / n;
            let mut own_gram = DMatrix::zeros(width, width);
            let mut own_moment = DVector::zeros(width);
            for (x, y) in rows.iter().zip(&ys) {
                let d = x - &mean_x;
                own_moment += &d * (y - mean_y);
                own_gram += &d * d.transpose();
            }
            gram += &own_gram;
            moment += &own_moment;
            centred.push((mean_x, mean_y, own_gram, own_moment, n));
        }
        let common = solve(
            &gram,
            &moment,
            1e-6 * (1.0 + gram.trace()),
            &DVector::zeros(width),
        );
        // The ridge is in units of the common second moments, per week.
        let total: f64 = centred.iter().map(|c| c.4).sum();
        let scale = DMatrix::from_diagonal(&(gram.diagonal() / total.max(1.0)));
        let mut coefficients = Vec::with_capacity(products);
        let mut means = Vec::with_capacity(products);
        for (mean_x, mean_y, own_gram, own_moment, _) in centred {
            let penalised = &own_gram + &scale * RIDGE;
            let slopes = solve(
                &penalised,
                &(own_moment + &scale * &common * RIDGE),
                1e-9,
                &common,
            );
            let intercept = mean_y - slopes.dot(&mean_x);
            let mut beta = DVector::zeros(width + 1);
            beta[0] = intercept;
            beta.rows_mut(1, width).copy_from(&slopes);
            coefficients.push(beta);
            means.push(mean_x);
        }
        let mut forecast = PromotionForecast {
            plan,
            units,
            coefficients,
            means,
            residual_level: Vec::new(),
            damping: vec![0.0; horizon + 1],
            variance: vec![1.0; products],
            spread: DVector::zeros(width + 1),
            correlation: vec![0.0; horizon + 1],
        };
        forecast.residual_level = (0..products).map(|p| forecast.smooth(panel, p)).collect();
        forecast.fit_carry(panel, weeks.clone());
        forecast.fit_spread(panel, weeks);
        Ok(forecast)
    }

    /// The same kind of forecast fitted on `part`, a record with some weeks of `panel` left out; what the last weeks missed is still
    /// carried forward from the whole of it.
    pub(crate) fn refitted(
        &self,
        part: &Panel,
        panel: &Panel,
        weeks: Range<usize>,
    ) -> Result<Self, Error> {
        let mut forecast = Self::fit(part, weeks, self.plan, self.damping.len() - 1)?;
        forecast.residual_level = (0..panel.products())
            .map(|p| forecast.smooth(panel, p))
            .collect();
        Ok(forecast)
    }

    /// The smoothed residual before every week: it knows the weeks before, not the week itself.
    fn smooth(&self, panel: &Panel, product: usize) -> Vec<f64> {
        let mut level = 0.0;
        (0..=panel.weeks())
            .map(|week| {
                let known = level;
                if week < panel.weeks()
                    && let Some(r) = self.residual(panel, product, week)
                {
                    level += SMOOTHING * (r - level);
                }
                known
            })
            .collect()
    }

    fn fit_carry(&mut self, panel: &Panel, weeks: Range<usize>) {
        for h in 0..self.damping.len() {
            let (mut xy, mut xx) = (0.0, 1e-9);
            for product in 0..panel.products() {
                for week in weeks.start + h..weeks.end {
                    if let Some(r) = self.residual(panel, product, week) {
                        let d = self.residual_level[product][week - h];
                        xy += d * r;
                        xx += d * d;
                    }
                }
            }
            self.damping[h] = (xy / xx).clamp(0.0, 1.0);
        }
    }

    /// Errors one week ahead, `None` where the week is missing.
    fn errors(&self, panel: &Panel, product: usize, weeks: Range<usize>) -> Vec<Option<f64>> {
        weeks
            .map(|w| {
                self.residual(panel, product, w)
                    .map(|r| r - self.damping[0] * self.residual_level[product][w])
            })
            .collect()
    }

    fn fit_spread(&mut self, panel: &Panel, weeks: Range<usize>) {
        let width = self.spread.len();
        let errors: Vec<Vec<Option<f64>>> = (0..panel.products())
            .map(|p| self.errors(panel, p, weeks.clone()))
            .collect();
        for (variance, own) in self.variance.iter_mut().zip(&errors) {
            let n = count(own.iter().flatten().count());
            let sum: f64 = own.iter().flatten().map(|e| e * e).sum();
            // A prior of four weeks at a variance of 0.25 keeps short series sane.
            *variance = (sum + 4.0 * 0.25) / (n + 4.0);
        }
        // The squared error relative to the product's own, by the features' deviation from their mean: linear, kept positive.
        let mut gram = DMatrix::zeros(width, width);
        let mut moment = DVector::zeros(width);
        for (product, own) in errors.iter().enumerate() {
            for (week, error) in weeks.clone().zip(own) {
                let Some(e) = error else { continue };
                let x = self.deviation(product, &features(panel, product, week));
                let relative = (e * e / self.variance[product]).min(20.0);
                moment += &x * relative;
                gram += &x * x.transpose();
            }
        }
        self.spread = solve(
            &gram,
            &moment,
            1e-6 * (1.0 + gram.trace()),
            &DVector::zeros(width),
        );
        for k in 1..self.correlation.len() {
            let (mut cross, mut own) = (0.0, 1e-9);
            for series in &errors {
                for (a, b) in series.iter().zip(series.iter().skip(k)) {
                    if let (Some(a), Some(b)) = (a, b) {
                        cross += a * b;
                        own += 0.5 * (a * a + b * b);
                    }
                }
            }
            self.correlation[k] = (cross / own).clamp(0.0, 0.9);
        }
        if let Some(same) = self.correlation.first_mut() {
            *same = 1.0;
        }
    }
}

/// The unit of a product's demand: a share of its mean, one where it has none.
fn unit(panel: &Panel, product: usize, weeks: Range<usize>) -> f64 {
    let known = weeks.filter(|&w| panel.present(product, w));
    let demand: Vec<f64> = known.map(|w| panel.demand(product, w)).collect();
    let mean = demand.iter().sum::<f64>() / count(demand.len().max(1));
    if mean > 0.0 { UNIT * mean } else { 1.0 }
}

/// The solution of `(a + ridge I) x = b + ridge prior`.
fn solve(a: &DMatrix<f64>, b: &DVector<f64>, ridge: f64, prior: &DVector<f64>) -> DVector<f64> {
    let n = a.nrows();
    let matrix = a + DMatrix::identity(n, n) * ridge;
    let right = b + prior * ridge;
    matrix
        .cholesky()
        .map_or_else(|| prior.clone(), |c| c.solve(&right))
}
