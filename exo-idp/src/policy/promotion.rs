//! A newsvendor who knows the promotions: forecasts by regression, then the quantile.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ContinuousCDF, Normal};

use super::Signals;
use super::newsvendor::{coverage, critical_ratio};
use crate::arrivals::LeadTimes;
use crate::conventions::Conventions;
use crate::error::Error;
use crate::panel::Panel;

/// What of the future is known when an order is placed: the retailer's own plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// How many weeks ahead the planned covariates are known; those of the current week are always known.
    pub horizon: usize,
    /// Whether prices are planned too.
    pub price: bool,
}

/// A forecast of weekly demand from planned covariates and recent demand, with a spread of its own for every week.
///
/// Logarithms of demand, $y = \ln(1 + D)$, are regressed product by product on the planned covariates, the logarithm of the
/// price and the week before's, with a ridge towards the coefficients of all products together; what the last weeks missed
/// is carried forward (exponential smoothing of residuals, shrunk by a factor fitted per horizon). The spread is the
/// product's residual variance, scaled for weeks like the one forecast by a second regression. This baseline is our own
/// formulation.
#[derive(Debug, Clone)]
pub struct PromotionForecast {
    plan: Plan,
    /// Coefficients of every product.
    coefficients: Vec<DVector<f64>>,
    /// Means of the features of every product, used beyond the plan.
    means: Vec<DVector<f64>>,
    /// Smoothed residual known before each week, `[product][week]`.
    drift: Vec<Vec<f64>>,
    /// Share of the drift that is carried to horizon h.
    carry: Vec<f64>,
    /// Residual variance of every product.
    variance: Vec<f64>,
    /// Coefficients of the logarithm of the relative squared residual.
    spread: DVector<f64>,
    /// Correlation of the errors of weeks `k` apart.
    correlation: Vec<f64>,
}

/// Weight of the newest residual in the smoothed one.
const SMOOTHING: f64 = 0.25;
/// Ridge of a product's coefficients towards the common ones, in equivalent weeks.
const RIDGE: f64 = 10.0;

fn log1p(demand: f64) -> f64 {
    demand.ln_1p()
}

/// The features of a product's week, without intercept.
fn features(panel: &Panel, product: usize, week: usize) -> DVector<f64> {
    let planned = panel
        .covariates()
        .iter()
        .enumerate()
        .filter(|(_, c)| c.planned);
    let before = week.saturating_sub(1);
    let mut x: Vec<f64> = Vec::new();
    for (k, _) in planned {
        x.push(panel.covariate(k, product, week));
        x.push(panel.covariate(k, product, before));
    }
    x.push(panel.price(product, week).ln());
    x.push(panel.price(product, before).ln());
    DVector::from_vec(x)
}

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
        let mut centred = Vec::with_capacity(products);
        let mut gram = DMatrix::zeros(width, width);
        let mut moment = DVector::zeros(width);
        for product in 0..products {
            let used: Vec<usize> = weeks
                .clone()
                .filter(|&w| panel.present(product, w))
                .collect();
            let n = crate::outcomes::count(used.len().max(1));
            let rows: Vec<DVector<f64>> =
                used.iter().map(|&w| features(panel, product, w)).collect();
            let ys: Vec<f64> = used
                .iter()
                .map(|&w| log1p(panel.demand(product, w)))
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
            coefficients,
            means,
            drift: Vec::new(),
            carry: vec![0.0; horizon + 1],
            variance: vec![1.0; products],
            spread: DVector::zeros(width + 1),
            correlation: vec![0.0; horizon + 1],
        };
        forecast.drift = (0..products).map(|p| forecast.smooth(panel, p)).collect();
        forecast.fit_carry(panel, weeks.clone());
        forecast.fit_spread(panel, weeks);
        Ok(forecast)
    }

    /// The regression's value for the logarithm of a week's demand, with the features known at `origin`.
    fn regression(&self, panel: &Panel, product: usize, origin: usize, week: usize) -> f64 {
        let known = week <= origin + self.plan.horizon && week < panel.weeks();
        let mut x = if known {
            features(panel, product, week)
        } else {
            self.means[product].clone()
        };
        if !self.plan.price && week > origin {
            // The price to come is not known: that of the week of the order stands in for it.
            let n = x.len();
            x[n - 2] = panel.price(product, origin).ln();
            x[n - 1] = panel.price(product, origin).ln();
        }
        let beta = &self.coefficients[product];
        beta[0] + beta.rows(1, x.len()).dot(&x)
    }

    fn residual(&self, panel: &Panel, product: usize, week: usize) -> Option<f64> {
        panel.present(product, week).then(|| {
            log1p(panel.demand(product, week)) - self.regression(panel, product, week, week)
        })
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
        for h in 0..self.carry.len() {
            let (mut xy, mut xx) = (0.0, 1e-9);
            for product in 0..panel.products() {
                for week in weeks.start + h..weeks.end {
                    if let Some(r) = self.residual(panel, product, week) {
                        let d = self.drift[product][week - h];
                        xy += d * r;
                        xx += d * d;
                    }
                }
            }
            self.carry[h] = (xy / xx).clamp(0.0, 1.0);
        }
    }

    /// Errors one week ahead, `None` where the week is missing.
    fn errors(&self, panel: &Panel, product: usize, weeks: Range<usize>) -> Vec<Option<f64>> {
        weeks
            .map(|w| {
                self.residual(panel, product, w)
                    .map(|r| r - self.carry[0] * self.drift[product][w])
            })
            .collect()
    }

    fn fit_spread(&mut self, panel: &Panel, weeks: Range<usize>) {
        let width = self.spread.len();
        let errors: Vec<Vec<Option<f64>>> = (0..panel.products())
            .map(|p| self.errors(panel, p, weeks.clone()))
            .collect();
        for (variance, own) in self.variance.iter_mut().zip(&errors) {
            let n = crate::outcomes::count(own.iter().flatten().count());
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
                let x = self.deviation(panel, product, week);
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

    fn deviation(&self, panel: &Panel, product: usize, week: usize) -> DVector<f64> {
        let x = features(panel, product, week) - &self.means[product];
        x.insert_row(0, 1.0)
    }

    /// The mean and the variance of the logarithm of demand (plus one) in week `origin + h`, as known when the order of week `origin` is
    /// placed.
    #[must_use]
    pub fn log_demand(&self, panel: &Panel, product: usize, origin: usize, h: usize) -> (f64, f64) {
        let week = origin + h;
        let carry = self
            .carry
            .get(h)
            .or(self.carry.last())
            .copied()
            .unwrap_or(0.0);
        let mean =
            self.regression(panel, product, origin, week) + carry * self.drift[product][origin];
        let known = week <= origin + self.plan.horizon && week < panel.weeks();
        let relative = if known {
            self.spread
                .dot(&self.deviation(panel, product, week))
                .clamp(0.2, 5.0)
        } else {
            1.0
        };
        (mean, self.variance[product] * relative)
    }

    /// Mean and variance of the demand of weeks `origin..origin + weeks`.
    fn total(&self, panel: &Panel, product: usize, origin: usize, weeks: usize) -> (f64, f64) {
        let parts: Vec<(f64, f64)> = (0..weeks)
            .map(|h| {
                let (mu, s2) = self.log_demand(panel, product, origin, h);
                ((mu + 0.5 * s2).exp(), s2)
            })
            .collect();
        let mean = parts.iter().map(|&(m, _)| (m - 1.0).max(0.0)).sum();
        let mut variance = 0.0;
        for (i, &(m, s2)) in parts.iter().enumerate() {
            for (j, &(n, r2)) in parts.iter().enumerate() {
                let rho = self.correlation.get(i.abs_diff(j)).copied().unwrap_or(0.0);
                variance += m * n * ((rho * (s2 * r2).sqrt()).exp() - 1.0);
            }
        }
        (mean, variance)
    }

    /// The position that covers demand over lead time and review at the critical ratio, for every product and week: one row
    /// of signals, in units. Lead times are mixed by the law of total variance; the total is taken as log-normal.
    ///
    /// # Errors
    /// When the conventions are not valid.
    pub fn target_position(
        &self,
        panel: &Panel,
        lead_times: &LeadTimes,
        conventions: &Conventions,
    ) -> Result<Signals, Error> {
        conventions.validate()?;
        let law: Vec<(usize, f64)> = lead_times
            .probabilities()
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, p)| p > 0.0)
            .collect();
        let normal = Normal::standard();
        let level = |week: usize, _: usize, product: usize| {
            let (mut mean, mut second, mut ratio) = (0.0, 0.0, 0.0);
            for &(lead, probability) in &law {
                let span = coverage(lead, conventions);
                let (m, v) = self.total(panel, product, week, span);
                mean += probability * m;
                second += probability * (v + m * m);
                let at = |w: usize| panel.price(product, w.min(panel.weeks() - 1));
                let last = if self.plan.price {
                    lead.min(self.plan.horizon)
                } else {
                    0
                };
                let price = (0..=last).map(|h| at(week + h)).sum::<f64>()
                    / crate::outcomes::count(last + 1);
                let cost = panel.cost(product, week);
                ratio += probability * critical_ratio(price, cost, lead, conventions);
            }
            if mean <= 0.0 || ratio <= 0.0 {
                return 0.0;
            }
            let s2 = (second / (mean * mean)).max(1.0).ln();
            (mean.ln() - 0.5 * s2 + s2.sqrt() * normal.inverse_cdf(ratio.min(0.9999))).exp()
        };
        Ok(Signals::from_fn(panel.weeks(), 1, panel.products(), level))
    }
}

impl PromotionForecast {
    /// The target position of [`target_position`](Self::target_position) with, in further rows, what it is made of: for each
    /// of the weeks ahead, as far as the plan reaches, the logarithm of expected demand relative to the product's
    /// mean, and its standard deviation.
    ///
    /// # Errors
    /// When the conventions are not valid.
    pub fn anchor(
        &self,
        panel: &Panel,
        lead_times: &LeadTimes,
        conventions: &Conventions,
        scale: &[f64],
    ) -> Result<Signals, Error> {
        let level = self.target_position(panel, lead_times, conventions)?;
        let rows = 1 + 2 * (self.plan.horizon + 1);
        Ok(Signals::from_fn(
            panel.weeks(),
            rows,
            panel.products(),
            |week, row, product| match row.checked_sub(1) {
                None => level.row(week, 0)[product],
                Some(k) => {
                    let (mean, variance) = self.log_demand(panel, product, week, k / 2);
                    if k % 2 == 0 {
                        (mean - scale[product].max(1e-6).ln()).clamp(-5.0, 5.0)
                    } else {
                        variance.sqrt()
                    }
                }
            },
        ))
    }
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
