//! Exogenous paths: what happens whatever the policy does.

use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::panel::Panel;

/// The exogenous paths of a panel: its record, with one or several samples of what the record lacks (arrivals).
///
/// A *lane* is one product with one sample of arrivals; lane `sample * products + product`.
#[derive(Debug, Clone)]
pub struct Paths<'p> {
    panel: &'p Panel,
    samples: usize,
    longest: usize,
    /// `[week][k][lane]`: the share of the order of `k` weeks ago that arrives this week.
    arriving: Vec<f64>,
    /// `[week][k][lane]`: the share of the order of `k + 1` weeks ago that has not arrived before this week.
    outstanding: Vec<f64>,
}

impl<'p> Paths<'p> {
    /// The paths of a panel with `samples` samples of arrivals per product.
    ///
    /// # Errors
    /// When `samples` is zero, or the shares of an order are negative or sum to more than one.
    pub fn new(panel: &'p Panel, arrivals: &dyn Arrivals, samples: usize) -> Result<Self, Error> {
        if samples == 0 {
            return Err(Error::Empty("the set of samples"));
        }
        let (products, weeks, longest) = (panel.products(), panel.weeks(), arrivals.longest());
        let lanes = products * samples;
        let mut arriving = vec![0.0; weeks * (longest + 1) * lanes];
        let mut outstanding = vec![0.0; weeks * longest * lanes];
        let mut shares = vec![0.0; longest + 1];
        for lane in 0..lanes {
            let (product, sample) = (lane % products, lane / products);
            for placed in 0..weeks + longest {
                // The first orders are placed before the first week.
                let week = to_i64(placed) - to_i64(longest);
                arrivals.shares(product, sample, week, &mut shares);
                let total: f64 = shares.iter().sum();
                if shares.iter().any(|&s| !(0.0..=1.0).contains(&s)) || total > 1.0 + 1e-9 {
                    return Err(Error::Domain {
                        name: "shares of an order",
                        domain: "at least 0, sum at most 1",
                        value: total,
                    });
                }
                let mut left = total;
                for (k, &share) in shares.iter().enumerate() {
                    let Some(t) = (placed + k).checked_sub(longest).filter(|&t| t < weeks) else {
                        left -= share;
                        continue;
                    };
                    arriving[(t * (longest + 1) + k) * lanes + lane] = share;
                    if k > 0 {
                        outstanding[(t * longest + k - 1) * lanes + lane] = left.max(0.0);
                    }
                    left -= share;
                }
            }
        }
        Ok(Paths {
            panel,
            samples,
            longest,
            arriving,
            outstanding,
        })
    }

    /// The panel.
    #[must_use]
    pub fn panel(&self) -> &'p Panel {
        self.panel
    }

    /// Samples of arrivals per product.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of lanes: products times samples.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.panel.products() * self.samples
    }

    /// The product of a lane.
    #[must_use]
    pub fn product(&self, lane: usize) -> usize {
        lane % self.panel.products()
    }

    /// The longest time that any part of an order takes, in weeks.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The shares, by lane, of the order of `k` weeks ago that arrive in a week.
    #[must_use]
    pub fn arriving(&self, week: usize, k: usize) -> &[f64] {
        &self.arriving[(week * (self.longest + 1) + k) * self.lanes()..][..self.lanes()]
    }

    /// The shares, by lane, of the order of `k + 1` weeks ago that have not arrived before a week.
    #[must_use]
    pub fn outstanding(&self, week: usize, k: usize) -> &[f64] {
        &self.outstanding[(week * self.longest + k) * self.lanes()..][..self.lanes()]
    }
}

#[allow(clippy::cast_possible_wrap, reason = "weeks are far below 2^63")]
fn to_i64(week: usize) -> i64 {
    week as i64
}
