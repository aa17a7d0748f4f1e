//! A product of the synthetic world: its parameters, its demand law, its price path.

use gpu::Stream;
use rand::{Rng, RngExt};

use super::config::WorldConfig;
use super::draw::{floor, gamma, normal, period, poisson, real};
use super::shared::Shared;
use crate::exact::{DemandLaw, ExactError};

/// Weeks of promotion.
const PROMOTION_WEEKS: usize = 2;
/// Weeks that a new product takes to full demand, and that demand fades before a product dies.
const RAMP: usize = 8;

/// The parameters of one product.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Product {
    /// Its vendor.
    pub vendor: usize,
    /// Its group: products of a group share demand shocks.
    pub group: usize,
    /// Mean weekly demand at regular price, out of season, without promotion.
    pub base: f64,
    /// Dispersion of the negative-binomial law: variance $m + m^2/r$ at mean $m$.
    pub dispersion: f64,
    /// Largest probability that a week has any demand; below one the demand is intermittent.
    pub occurrence: f64,
    /// Amplitude of the yearly season, in logarithms.
    pub season: f64,
    /// Week of the year at which the season peaks.
    pub peak: f64,
    /// Lift of demand in holiday weeks, in logarithms.
    pub holiday: f64,
    /// Lift of demand by a promotion beside its price, in logarithms.
    pub promotion: f64,
    /// Price elasticity of demand.
    pub elasticity: f64,
    /// Regular price, money per unit.
    pub regular_price: f64,
    /// Margin: one minus cost over regular price, at the start.
    pub margin: f64,
    /// Share of the competitor's last price move that the price follows.
    pub follow: f64,
    /// Probability that a page view of an available product turns into a unit of demand.
    pub conversion: f64,
    /// Multiple of recent sales over lead time and review that the logged policy stocks.
    pub safety: f64,
    /// First week of life.
    pub born: usize,
    /// Week after the last of life.
    pub dies: usize,
}

impl Product {
    /// Draws a product's parameters.
    pub(super) fn draw(config: &WorldConfig, stream: &Stream, id: usize) -> Self {
        let mut rng = stream.at(id as u64, 0);
        let weeks = config.weeks;
        let vendor = rng.random_range(0..config.vendors);
        let group = rng.random_range(0..config.groups);
        let base = (config.median_demand.ln() + config.demand_spread * normal(&mut rng)).exp();
        let dispersion = (1.5 + 0.6 * normal(&mut rng)).exp();
        let intermittent = rng.random::<f64>() < config.intermittent;
        let occurrence = if intermittent {
            rng.random_range(0.1..0.5)
        } else {
            1.0
        };
        let season = 0.4 * normal(&mut rng).abs();
        let peak = rng.random_range(0.0..52.0);
        let holiday = 0.5 * rng.random::<f64>();
        let promotion = rng.random_range(0.1..0.5);
        let elasticity = rng.random_range(0.5..2.5);
        let regular_price = (2.5 + 0.7 * normal(&mut rng)).exp();
        let margin = rng.random_range(0.2..0.5);
        let follow = rng.random_range(0.3..1.0);
        let conversion = rng.random_range(0.02..0.2);
        let safety = config.safety * (0.35 * normal(&mut rng)).exp();
        let late = rng.random::<f64>() < config.births;
        let early = rng.random::<f64>() < config.deaths;
        let (first, last): (f64, f64) = (rng.random(), rng.random());
        // Births in the first two thirds, deaths at least two weeks later.
        let born = if late {
            floor(first * real(weeks) * 2.0 / 3.0)
        } else {
            0
        };
        let left = weeks - born;
        let dies = if early && left > 2 {
            (born + 2 + floor(last * real(left - 2))).min(weeks)
        } else {
            weeks
        };
        Self {
            vendor,
            group,
            base,
            dispersion,
            occurrence,
            season,
            peak,
            holiday,
            promotion,
            elasticity,
            regular_price,
            margin,
            follow,
            conversion,
            safety,
            born,
            dies,
        }
    }

    /// Price, cost, competitor's price and depth of promotion (share off the price), week by week.
    pub(super) fn prices(
        &self,
        config: &WorldConfig,
        shared: &Shared,
        stream: &Stream,
        id: usize,
    ) -> Prices {
        let mut prices = Prices::default();
        // The competitor's price in logarithms about the regular one: it reverts slowly, and jumps now and then.
        let (mut rival, mut last_rival) = (0.0_f64, 0.0_f64);
        let (mut left, mut depth) = (0, 0.0);
        for week in 0..config.weeks {
            let mut rng = stream.at(id as u64, period(week));
            let jump: f64 = rng.random();
            rival = 0.93 * rival + 0.02 * normal(&mut rng);
            if jump < 0.03 {
                rival += 0.12 * normal(&mut rng);
            }
            let start: f64 = rng.random();
            let size = rng.random_range(0.15..0.4);
            left = usize::saturating_sub(left, 1);
            if left == 0 {
                depth = 0.0;
                if start < config.promotion_rate {
                    (left, depth) = (PROMOTION_WEEKS, size);
                }
            }
            prices.competitor.push(self.regular_price * rival.exp());
            prices
                .price
                .push(self.regular_price * (self.follow * last_rival).exp() * (1.0 - depth));
            prices.cost.push(
                self.regular_price
                    * (1.0 - self.margin)
                    * shared.cost_drift(self.vendor, week).exp(),
            );
            prices.promotion.push(depth);
            last_rival = rival;
        }
        prices
    }

    /// Mean demand of a week, given its price, promotion, season, holiday and shock.
    pub(super) fn mean(&self, shared: &Shared, prices: &Prices, week: usize) -> f64 {
        if week < self.born || week >= self.dies {
            return 0.0;
        }
        let angle = std::f64::consts::TAU * (real(week % 52) - self.peak) / 52.0;
        let mut log = self.season * angle.cos()
            + self.holiday * shared.holiday(week)
            + shared.shock(self.group, week);
        log -= self.elasticity * (prices.price[week] / self.regular_price).ln();
        if prices.promotion[week] > 0.0 {
            log += self.promotion;
        }
        let mut life = 1.0_f64;
        if self.born > 0 {
            life = life.min(real(week - self.born + 1) / real(RAMP));
        }
        if self.dies < shared.weeks() {
            life = life.min(real(self.dies - week) / real(RAMP));
        }
        self.base * log.exp() * life
    }

    /// The law of demand in a week of mean `mean`: negative binomial; if intermittent, with probability
    /// $\pi=\min(\text{occurrence}, m)$ one unit and a negative-binomial rest, and else nothing.
    pub(super) fn law(&self, mean: f64) -> Result<DemandLaw, ExactError> {
        if mean <= 0.0 {
            return DemandLaw::from_counts(&[1]);
        }
        if self.occurrence >= 1.0 {
            return DemandLaw::negative_binomial(mean, self.dispersion);
        }
        let some = self.occurrence.min(mean);
        let rest = mean / some - 1.0;
        let mut table = vec![1.0 - some];
        if rest > 0.0 {
            table.extend(
                DemandLaw::negative_binomial(rest, self.dispersion)?
                    .probabilities()
                    .iter()
                    .map(|p| some * p),
            );
        } else {
            table.push(some);
        }
        DemandLaw::from_probabilities(&table)
    }

    /// Demand of a week, and the page views that did not turn into demand.
    ///
    /// Views come at a random rate; each turns into a unit with probability `conversion`, so that demand has exactly the law of
    /// [`law`](Self::law) and views that come while there is no stock would have turned into demand at the same rate.
    pub(super) fn demand<R: Rng>(&self, mean: f64, rng: &mut R) -> (u32, u64) {
        if mean <= 0.0 {
            return (0, 0);
        }
        let some = if self.occurrence >= 1.0 {
            1.0
        } else {
            self.occurrence.min(mean)
        };
        let certain = if self.occurrence >= 1.0 { 0.0 } else { 1.0 };
        if rng.random::<f64>() >= some {
            return (0, 0);
        }
        let rate = (mean / some - certain) * gamma(self.dispersion, rng);
        let demand = certain + poisson(rate, rng);
        let looked = poisson(
            (certain + rate) * (1.0 - self.conversion) / self.conversion,
            rng,
        );
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts; the cast saturates"
        )]
        (demand as u32, looked as u64)
    }
}

/// Paths of one product's prices.
#[derive(Debug, Clone, Default)]
pub(super) struct Prices {
    pub(super) price: Vec<f64>,
    pub(super) cost: Vec<f64>,
    pub(super) competitor: Vec<f64>,
    pub(super) promotion: Vec<f64>,
}
