//! Random lead times.

use gpu::Stream;
use rand::RngExt;

use crate::arrivals::{Arrivals, LeadTimeLaw};
use crate::error::{Error, within};

/// Random lead times, which may cross: a later order may arrive first.
///
/// The lead time of a week is, with probability `persistence`, that of the week before, otherwise a fresh draw: a Markov
/// chain whose stationary law is the law of the draws. Public data has no lead times; this law and its seed stand in for them.
///
/// ```
/// use hindsight_exo_idp::{Arrivals, LeadTimes};
/// let law = LeadTimes::uniform(2, 4, 0.5, 7)?;
/// let mut shares = [0.0; 5];
/// law.shares(0, 0, 10, &mut shares);
/// assert_eq!(shares.iter().sum::<f64>(), 1.0);
/// assert_eq!(&shares[..2], [0.0, 0.0]);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LeadTimes {
    probabilities: Vec<f64>,
    persistence: f64,
    stream: Stream,
}

/// Weeks that streams start before the first week of a panel.
const ORIGIN: i64 = -1024;

impl LeadTimes {
    /// The same lead time for every order.
    #[must_use]
    pub fn fixed(weeks: usize) -> Self {
        let mut probabilities = vec![0.0; weeks + 1];
        probabilities[weeks] = 1.0;
        LeadTimes {
            probabilities,
            persistence: 0.0,
            stream: Stream::new(0, "lead time"),
        }
    }

    /// Lead times with the given probabilities of 0, 1, 2, … weeks.
    ///
    /// # Errors
    /// When a probability is negative or they do not sum to one, or the persistence is outside [0, 1).
    pub fn new(probabilities: Vec<f64>, persistence: f64, seed: u64) -> Result<Self, Error> {
        for &p in &probabilities {
            within("probability of a lead time", p, 0.0, 1.0, "a probability")?;
        }
        let total: f64 = probabilities.iter().sum();
        within(
            "sum of the lead times' probabilities",
            total,
            1.0 - 1e-9,
            1.0 + 1e-9,
            "one",
        )?;
        within(
            "persistence",
            persistence,
            0.0,
            1.0 - 1e-9,
            "a probability below one",
        )?;
        Ok(LeadTimes {
            probabilities,
            persistence,
            stream: Stream::new(seed, "lead time"),
        })
    }

    /// Lead times of `low` to `high` weeks, all equally likely.
    ///
    /// # Errors
    /// When `high` is below `low`, or the persistence is outside [0, 1).
    #[allow(
        clippy::cast_precision_loss,
        reason = "lead times are far below 2^52 weeks"
    )]
    pub fn uniform(low: usize, high: usize, persistence: f64, seed: u64) -> Result<Self, Error> {
        if high < low {
            return Err(Error::Domain {
                name: "longest lead time",
                domain: "at least the shortest",
                value: high as f64,
            });
        }
        let mut probabilities = vec![0.0; high + 1];
        probabilities[low..].fill(1.0 / (high - low + 1) as f64);
        LeadTimes::new(probabilities, persistence, seed)
    }

    /// The lead time of an order placed in `week`.
    #[must_use]
    pub fn lead_time(&self, product: usize, sample: usize, week: i64) -> usize {
        let mut week = week.max(ORIGIN);
        loop {
            match self.fresh(product, sample, week) {
                Some(lead) => return lead,
                None => week -= 1,
            }
        }
    }

    /// The lead time of a week, unless it is that of the week before.
    fn fresh(&self, product: usize, sample: usize, week: i64) -> Option<usize> {
        let lane = ((sample as u64) << 32) | product as u64;
        let period = u32::try_from(week - ORIGIN).unwrap_or(u32::MAX);
        let mut rng = self.stream.at(lane, period);
        let keep: f64 = rng.random();
        let draw: f64 = rng.random();
        if keep < self.persistence && week > ORIGIN {
            return None;
        }
        let mut below = 0.0;
        let last = self
            .probabilities
            .iter()
            .rposition(|&p| p > 0.0)
            .unwrap_or(0);
        let lead = self.probabilities[..last].iter().position(|&p| {
            below += p;
            draw < below
        });
        Some(lead.unwrap_or(last))
    }
}

impl LeadTimeLaw for LeadTimes {
    fn probabilities(&self, _: usize) -> &[f64] {
        &self.probabilities
    }
}

impl Arrivals for LeadTimes {
    fn max_lead_time(&self) -> usize {
        self.probabilities.len() - 1
    }

    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        shares.fill(0.0);
        shares[self.lead_time(product, sample, week)] = 1.0;
    }

    fn run(&self, product: usize, sample: usize, first: i64, shares: &mut [f64]) {
        shares.fill(0.0);
        let weeks = shares.chunks_exact_mut(self.probabilities.len());
        let mut lead = None;
        for (week, shares) in (first..).zip(weeks) {
            let of = match lead {
                Some(before) if week > ORIGIN => {
                    self.fresh(product, sample, week).unwrap_or(before)
                }
                _ => self.lead_time(product, sample, week),
            };
            shares[of] = 1.0;
            lead = Some(of);
        }
    }
}
