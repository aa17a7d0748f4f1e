//! What products share: the calendar, demand shocks, vendors.

use gpu::Stream;
use rand::RngExt;
use statrs::distribution::{ContinuousCDF, Normal};

use super::config::WorldConfig;
use super::draw::{normal, period, real};

/// Weeks of the year with a holiday, and its strength.
const HOLIDAYS: [(usize, f64); 6] = [
    (6, 0.6),
    (14, 0.8),
    (27, 0.7),
    (47, 1.5),
    (50, 1.2),
    (51, 1.6),
];

/// The parameters of one vendor.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Vendor {
    /// Centre of its lead times, in weeks.
    pub lead_time: f64,
    /// Standard deviation of its lead times before rounding, in weeks.
    pub lead_spread: f64,
}

impl Vendor {
    /// The lead time for a standard normal number: rounded to whole weeks, from 0 to the longest.
    fn lead(&self, z: f64, longest: usize) -> usize {
        let weeks = (self.lead_time + self.lead_spread * z)
            .round()
            .clamp(0.0, real(longest));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a small range"
        )]
        let whole = weeks as usize;
        whole
    }

    /// The probabilities of 0, 1, ... `longest` weeks in any one week.
    pub(super) fn law(&self, longest: usize) -> Vec<f64> {
        let standard = Normal::standard();
        let below = |k: usize| standard.cdf((real(k) + 0.5 - self.lead_time) / self.lead_spread);
        (0..=longest)
            .map(|k| {
                let upper = if k == longest { 1.0 } else { below(k) };
                let lower = if k == 0 { 0.0 } else { below(k - 1) };
                upper - lower
            })
            .collect()
    }
}

/// Paths that products share.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Shared {
    weeks: usize,
    /// `[group][week]`
    shocks: Vec<Vec<f64>>,
    /// `[vendor][week]`: congestion, standard normal.
    congestion: Vec<Vec<f64>>,
    /// `[vendor][week]`: drift of cost in logarithms.
    drift: Vec<Vec<f64>>,
    vendors: Vec<Vendor>,
}

impl Shared {
    pub(super) fn draw(config: &WorldConfig) -> Self {
        let shocks = Stream::new(config.seed, "world shocks");
        let market = autoregression(&shocks, 0, config.weeks, config.shock_persistence);
        let groups = (0..config.groups)
            .map(|group| {
                let own = autoregression(
                    &shocks,
                    1 + group as u64,
                    config.weeks,
                    config.shock_persistence,
                );
                let half = std::f64::consts::FRAC_1_SQRT_2;
                let mix = market.iter().zip(own).map(|(m, o)| half * (m + o));
                // Less half the variance: the shock's exponential has mean one.
                mix.map(|z| config.shock * z - 0.5 * config.shock * config.shock)
                    .collect()
            })
            .collect();
        let vendors = Stream::new(config.seed, "world vendors");
        let of_vendors = |purpose: &str, persistence: f64| -> Vec<Vec<f64>> {
            let stream = Stream::new(config.seed, purpose);
            (0..config.vendors)
                .map(|v| autoregression(&stream, v as u64, config.weeks, persistence))
                .collect()
        };
        let mut drift = of_vendors("world costs", 0.98);
        drift.iter_mut().flatten().for_each(|x| *x *= 0.06);
        Self {
            weeks: config.weeks,
            shocks: groups,
            congestion: of_vendors("world congestion", config.lead_persistence),
            drift,
            vendors: (0..config.vendors)
                .map(|v| {
                    let mut rng = vendors.at(v as u64, 0);
                    let top = real(config.longest_lead).clamp(0.5, 4.0);
                    Vendor {
                        lead_time: rng.random_range(0.25 * top..top),
                        lead_spread: rng.random_range(0.4..1.2),
                    }
                })
                .collect(),
        }
    }

    pub(super) fn weeks(&self) -> usize {
        self.weeks
    }

    pub(super) fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    pub(super) fn shock(&self, group: usize, week: usize) -> f64 {
        self.shocks[group][week]
    }

    pub(super) fn cost_drift(&self, vendor: usize, week: usize) -> f64 {
        self.drift[vendor][week]
    }

    /// Strength of a week's holiday, zero in other weeks.
    pub(super) fn holiday(&self, week: usize) -> f64 {
        HOLIDAYS
            .iter()
            .find(|(h, _)| *h == week % 52)
            .map_or(0.0, |(_, strength)| *strength)
    }

    /// Weeks until the next holiday, zero in a holiday week.
    pub(super) fn weeks_to_holiday(&self, week: usize) -> usize {
        (0..52)
            .find(|ahead| self.holiday(week + ahead) > 0.0)
            .unwrap_or(52)
    }

    /// Lead times of a product's orders, week by week: partly its vendor's congestion, partly its own. Sample 0 is the world's
    /// record; others have the same law and are independent of it.
    pub(super) fn lead_times(
        &self,
        config: &WorldConfig,
        vendor: usize,
        id: usize,
        sample: usize,
    ) -> Vec<usize> {
        let own = autoregression(
            &Stream::new(config.seed, &purpose("world lead times", sample)),
            id as u64,
            self.weeks,
            config.lead_persistence,
        );
        let drawn;
        let congestion = if sample == 0 {
            &self.congestion[vendor]
        } else {
            let stream = Stream::new(config.seed, &purpose("world congestion", sample));
            drawn = autoregression(&stream, vendor as u64, self.weeks, config.lead_persistence);
            &drawn
        };
        let (common, rest) = (
            config.vendor_share.sqrt(),
            (1.0 - config.vendor_share).sqrt(),
        );
        let both = congestion.iter().zip(own);
        both.map(|(c, o)| self.vendors[vendor].lead(common * c + rest * o, config.longest_lead))
            .collect()
    }
}

fn purpose(name: &str, sample: usize) -> String {
    if sample == 0 {
        name.to_owned()
    } else {
        format!("{name}, sample {sample}")
    }
}

/// A stationary autoregression of standard normal numbers.
fn autoregression(stream: &Stream, lane: u64, weeks: usize, persistence: f64) -> Vec<f64> {
    let innovation = (1.0 - persistence * persistence).sqrt();
    let mut z = normal(&mut stream.at(lane, 0));
    (0..weeks)
        .map(|week| {
            z = persistence * z + innovation * normal(&mut stream.at(lane, period(week)));
            z
        })
        .collect()
}
