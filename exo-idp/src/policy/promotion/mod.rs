//! A newsvendor who knows the promotions: forecasts by regression, then the quantile.

mod fit;

use nalgebra::DVector;
use statrs::distribution::{ContinuousCDF, Normal};

use super::newsvendor::{coverage, critical_ratio};
use super::plan::Plan;
use crate::arrivals::LeadTimeLaw;
use crate::conventions::Conventions;
use crate::error::Error;
use crate::panel::Panel;
use crate::signals::Signals;

/// A forecast of weekly demand from planned covariates and recent demand, with a spread of its own for every week.
///
/// Logarithms of demand, $y = \ln(1 + D / u)$ with a unit $u$ that is a share of the product's mean demand, are regressed product by product on the planned covariates, the logarithm of the
/// price and the week before's, with a ridge towards the coefficients of all products together; what the last weeks missed
/// is carried forward (exponential smoothing of residuals, shrunk by a factor fitted per horizon). The spread is the
/// product's residual variance, scaled for weeks like the one forecast by a second regression. This baseline is our own
/// formulation.
#[derive(Debug, Clone)]
pub struct PromotionForecast {
    plan: Plan,
    /// The unit of demand of every product, of which logarithms are taken.
    units: Vec<f64>,
    /// Coefficients of every product.
    coefficients: Vec<DVector<f64>>,
    /// Means of the features of every product, used beyond the plan.
    means: Vec<DVector<f64>>,
    /// Smoothed residual known before each week, `[product][week]`.
    residual_level: Vec<Vec<f64>>,
    /// Share of the residual_level that is carried to horizon h.
    damping: Vec<f64>,
    /// Residual variance of every product.
    variance: Vec<f64>,
    /// Coefficients of the logarithm of the relative squared residual.
    spread: DVector<f64>,
    /// Correlation of the errors of weeks `k` apart.
    correlation: Vec<f64>,
}

/// The features of a product's week, without intercept.
fn features(panel: &Panel, product: usize, week: usize) -> DVector<f64> {
    let planned = panel
        .covariates()
        .iter()
        .enumerate()
        .filter(|(_, c)| c.planned);
    let before = week.saturating_sub(1);
    let mut x: Vec<f64> = Vec::with_capacity(2 * panel.covariates().len() + 2);
    for (k, _) in planned {
        x.push(panel.covariate(k, product, week));
        x.push(panel.covariate(k, product, before));
    }
    x.push(panel.price(product, week).ln());
    x.push(panel.price(product, before).ln());
    DVector::from_vec(x)
}

impl PromotionForecast {
    /// The features of a week as they are known when the order of week `origin` is placed; `None` beyond the plan.
    fn known(
        &self,
        panel: &Panel,
        product: usize,
        origin: usize,
        week: usize,
    ) -> Option<DVector<f64>> {
        if week > origin + self.plan.horizon || week >= panel.weeks() {
            return None;
        }
        let mut x = features(panel, product, week);
        if !self.plan.price && week > origin {
            self.present_price(panel, product, origin, &mut x);
        }
        Some(x)
    }

    /// The price to come is not known: that of the week of the order stands in for it.
    fn present_price(&self, panel: &Panel, product: usize, origin: usize, x: &mut DVector<f64>) {
        let n = x.len();
        x[n - 2] = panel.price(product, origin).ln();
        x[n - 1] = panel.price(product, origin).ln();
    }

    /// The features that stand in for those of a week beyond the plan.
    fn usual(&self, panel: &Panel, product: usize, origin: usize) -> DVector<f64> {
        let mut x = self.means[product].clone();
        if !self.plan.price {
            self.present_price(panel, product, origin, &mut x);
        }
        x
    }

    /// The regression's value for the logarithm of demand.
    fn regression(&self, product: usize, x: &DVector<f64>) -> f64 {
        let beta = &self.coefficients[product];
        beta[0] + beta.rows(1, x.len()).dot(x)
    }

    fn residual(&self, panel: &Panel, product: usize, week: usize) -> Option<f64> {
        panel.present(product, week).then(|| {
            self.log1p(product, panel.demand(product, week))
                - self.regression(product, &features(panel, product, week))
        })
    }

    /// The logarithm of one plus demand in the product's unit.
    fn log1p(&self, product: usize, demand: f64) -> f64 {
        (demand / self.units[product]).ln_1p()
    }

    fn deviation(&self, product: usize, x: &DVector<f64>) -> DVector<f64> {
        (x - &self.means[product]).insert_row(0, 1.0)
    }

    /// The mean and the variance of the logarithm of one plus demand, in the product's own unit, in week `origin + h`, as known when the order of week `origin` is
    /// placed.
    #[must_use]
    pub fn log_demand(&self, panel: &Panel, product: usize, origin: usize, h: usize) -> (f64, f64) {
        let week = origin + h;
        let damping = self
            .damping
            .get(h)
            .or(self.damping.last())
            .copied()
            .unwrap_or(0.0);
        let (value, relative) = match self.known(panel, product, origin, week) {
            Some(x) => {
                let relative = self.spread.dot(&self.deviation(product, &x));
                (self.regression(product, &x), relative.clamp(0.2, 5.0))
            }
            None => (
                self.regression(product, &self.usual(panel, product, origin)),
                1.0,
            ),
        };
        let mean = value + damping * self.residual_level[product][origin];
        (mean, self.variance[product] * relative)
    }

    /// Mean and variance of the demand of the first 0, 1, …, `weeks` weeks from `origin` on.
    fn totals(
        &self,
        panel: &Panel,
        product: usize,
        origin: usize,
        weeks: usize,
    ) -> Vec<(f64, f64)> {
        let unit = self.units[product];
        let mut parts: Vec<(f64, f64)> = Vec::with_capacity(weeks);
        let mut totals = Vec::with_capacity(weeks + 1);
        let (mut mean, mut variance) = (0.0, 0.0);
        totals.push((mean, variance));
        for h in 0..weeks {
            let (mu, s2) = self.log_demand(panel, product, origin, h);
            let part = ((mu + 0.5 * s2).exp(), s2);
            let covariance = |k: usize, (m, r2): (f64, f64)| {
                let rho = self.correlation.get(k).copied().unwrap_or(0.0);
                m * part.0 * ((rho * (r2 * s2).sqrt()).exp() - 1.0)
            };
            for (i, &other) in parts.iter().enumerate() {
                variance += 2.0 * covariance(h - i, other);
            }
            variance += covariance(0, part);
            mean += (part.0 - 1.0).max(0.0);
            parts.push(part);
            totals.push((unit * mean, unit * unit * variance));
        }
        totals
    }

    /// The level of one product and week in [`target_position`](Self::target_position).
    pub(crate) fn level(
        &self,
        panel: &Panel,
        lead_times: &dyn LeadTimeLaw,
        conventions: &Conventions,
        week: usize,
        product: usize,
    ) -> f64 {
        let law = lead_times
            .probabilities(product)
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, p)| p > 0.0);
        let longest = law.clone().next_back().map_or(0, |(lead, _)| lead);
        let totals = self.totals(panel, product, week, coverage(longest, conventions));
        let (mut mean, mut second, mut ratio) = (0.0, 0.0, 0.0);
        for (lead, probability) in law {
            let (m, v) = totals[coverage(lead, conventions)];
            mean += probability * m;
            second += probability * (v + m * m);
            let at = |w: usize| panel.price(product, w.min(panel.weeks() - 1));
            let last = if self.plan.price {
                lead.min(self.plan.horizon)
            } else {
                0
            };
            let price =
                (0..=last).map(|h| at(week + h)).sum::<f64>() / crate::count::count(last + 1);
            let cost = panel.cost(product, week);
            ratio += probability * critical_ratio(price, cost, lead, conventions);
        }
        if mean <= 0.0 || ratio <= 0.0 {
            return 0.0;
        }
        let s2 = (second / (mean * mean)).max(1.0).ln();
        (mean.ln() - 0.5 * s2 + s2.sqrt() * Normal::standard().inverse_cdf(ratio.min(0.9999))).exp()
    }

    /// The position that covers demand over lead time and review at the critical ratio, for every product and week: one row
    /// of signals, in units. Lead times are mixed by the law of total variance; the total is taken as log-normal.
    ///
    /// # Errors
    /// When the conventions are not valid.
    pub fn target_position(
        &self,
        panel: &Panel,
        lead_times: &dyn LeadTimeLaw,
        conventions: &Conventions,
    ) -> Result<Signals, Error> {
        conventions.validate()?;
        let level = |week, _, product| self.level(panel, lead_times, conventions, week, product);
        Ok(Signals::from_fn(panel.weeks(), 1, panel.products(), level))
    }
}

impl PromotionForecast {
    /// The number of forecasts in a week: two for each of the weeks ahead, as far as the plan reaches.
    pub(crate) fn rows(&self) -> usize {
        2 * (self.plan.horizon + 1)
    }

    /// A forecast of a week: the logarithm of expected demand relative to `scale` (in units), or its standard deviation.
    pub(crate) fn signal(
        &self,
        panel: &Panel,
        week: usize,
        row: usize,
        product: usize,
        scale: f64,
    ) -> f64 {
        let (mean, variance) = self.log_demand(panel, product, week, row / 2);
        if row.is_multiple_of(2) {
            (mean - (scale / self.units[product]).max(1e-6).ln()).clamp(-5.0, 5.0)
        } else {
            variance.sqrt()
        }
    }
}
