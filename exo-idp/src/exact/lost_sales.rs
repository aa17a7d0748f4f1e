//! The lost-sales problem with a lead time: what is given, and the bounds on what an optimal policy does.

use super::demand::DemandLaw;
use super::error::{ExactError, positive};
use super::newsvendor::{critical_fractile, newsvendor_cost};

/// Longest supported lead time.
pub(crate) const LONGEST_LEAD: usize = 8;

/// Periodic review with lost sales, a lead time in whole periods and linear costs; the convention is in the
/// [module's page](super).
///
/// ```
/// use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions, base_stock};
/// let problem = LostSales::new(DemandLaw::poisson(5.0)?, 1, 1.0, 4.0)?;
/// let best = problem.solve(&SolveOptions::default())?;
/// assert!((best.cost() - 4.04).abs() < 0.005);
/// // Any policy on the same problem: state in (on hand, then pipeline, oldest first), order out.
/// let plain = problem.evaluate(base_stock(12), &ChainOptions::default())?;
/// assert!((plain.cost / best.cost() - 1.030).abs() < 0.001);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LostSales {
    demand: DemandLaw,
    lead_time: usize,
    holding: f64,
    penalty: f64,
}

impl LostSales {
    /// The problem with `holding` cost per unit left and `penalty` per unit of demand lost, both per period.
    ///
    /// # Errors
    /// A cost is not finite and above zero, the lead time is above eight periods, or demand is zero with certainty.
    pub fn new(
        demand: DemandLaw,
        lead_time: usize,
        holding: f64,
        penalty: f64,
    ) -> Result<Self, ExactError> {
        critical_fractile(
            positive("holding cost", holding)?,
            positive("penalty", penalty)?,
        )?;
        if lead_time > LONGEST_LEAD {
            return Err(ExactError::LeadTime {
                value: lead_time,
                limit: LONGEST_LEAD,
            });
        }
        if demand.largest() == 0 {
            return Err(ExactError::NoDemand);
        }
        Ok(Self {
            demand,
            lead_time,
            holding,
            penalty,
        })
    }

    /// The demand law of one period.
    #[must_use]
    pub fn demand(&self) -> &DemandLaw {
        &self.demand
    }

    /// Periods from order to use.
    #[must_use]
    pub fn lead_time(&self) -> usize {
        self.lead_time
    }

    /// Holding cost per unit left at the end of a period.
    #[must_use]
    pub fn holding(&self) -> f64 {
        self.holding
    }

    /// Penalty per unit of lost demand.
    #[must_use]
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// Number of entries of the state: $\max(L, 1)$.
    #[must_use]
    pub fn state_len(&self) -> usize {
        self.lead_time.max(1)
    }

    /// Expected cost of a period that faces demand with `stock` units.
    #[must_use]
    pub fn period_cost(&self, stock: u32) -> f64 {
        newsvendor_cost(&self.demand, stock, self.holding, self.penalty)
    }

    /// The critical fractile $p/(p+h)$.
    #[must_use]
    pub fn fractile(&self) -> f64 {
        self.penalty / (self.penalty + self.holding)
    }

    /// The largest order an optimal policy needs: the critical fractile of one period's demand (bound of Zipkin 2008).
    #[must_use]
    pub fn order_bound(&self) -> u32 {
        // The fractile lies in (0, 1): both costs are positive.
        self.demand
            .quantile(self.fractile())
            .unwrap_or_else(|_| self.demand.largest())
            .max(1)
    }

    /// The largest stock and pipeline, order included, an optimal policy needs: the critical fractile of demand over
    /// $L+1$ periods (bound of Zipkin 2008). It is also the best base-stock level with back-orders.
    ///
    /// # Errors
    /// The convolved law is too wide.
    pub fn position_bound(&self) -> Result<u32, ExactError> {
        Ok(self
            .demand
            .over(self.lead_time + 1)?
            .quantile(self.fractile())?
            .max(1))
    }
}

/// Probabilities of demand laid out for the recursions: forward, and $P(D\ge y)$.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// `reversed[j]` = P(D = n - 1 - j), with n the table's length.
    reversed: Vec<f64>,
    /// `at_least[y]` = P(D >= y), up to and including y = n.
    at_least: Vec<f64>,
}

impl Kernel {
    pub(crate) fn new(demand: &DemandLaw) -> Self {
        let reversed: Vec<f64> = demand.probabilities().iter().rev().copied().collect();
        let mut at_least = vec![1.0];
        at_least.extend((0..=demand.largest()).map(|d| demand.survival(d)));
        Self { reversed, at_least }
    }

    /// P(D >= y).
    pub(crate) fn at_least(&self, y: usize) -> f64 {
        self.at_least.get(y).copied().unwrap_or(0.0)
    }

    /// The leftovers k >= 1 that `y` units can leave and their probabilities, as (first k, probabilities).
    pub(crate) fn leftovers(&self, y: usize) -> (usize, &[f64]) {
        let n = self.reversed.len();
        // Leftover k has probability pmf[y - k] = reversed[n - 1 - y + k].
        let first = 1.max((y + 1).saturating_sub(n));
        if y == 0 {
            return (first, &[]);
        }
        (first, &self.reversed[n - 1 + first - y..])
    }

    /// E g((y - D)+), with g given from leftover 0 on.
    pub(crate) fn expect(&self, g: &[f64], y: usize) -> f64 {
        let (first, weights) = self.leftovers(y);
        self.at_least(y) * g[0] + dot(weights, &g[first..])
    }
}

/// Dot product over the shorter length, in four interleaved sums.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut sum = [0.0_f64; 4];
    let (ca, cb) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = ca
        .remainder()
        .iter()
        .zip(cb.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in ca.zip(cb) {
        for i in 0..4 {
            sum[i] += x[i] * y[i];
        }
    }
    (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_is_the_expectation() {
        let law = DemandLaw::from_counts(&[1, 0, 3, 2]).unwrap();
        let kernel = Kernel::new(&law);
        let g: Vec<f64> = (0..20).map(|k| f64::from(k * k + 3)).collect();
        for y in 0..15_u32 {
            let want: f64 = (0..=law.largest())
                .map(|d| law.pmf(d) * g[y.saturating_sub(d) as usize])
                .sum();
            assert!((kernel.expect(&g, y as usize) - want).abs() < 1e-12, "{y}");
        }
    }

    #[test]
    fn bounds_of_the_test_bed() {
        let problem = LostSales::new(DemandLaw::poisson(5.0).unwrap(), 4, 1.0, 39.0).unwrap();
        assert_eq!(
            (problem.order_bound(), problem.position_bound().unwrap()),
            (10, 35)
        );
    }

    #[test]
    fn bad_problems_are_refused() {
        let law = DemandLaw::poisson(5.0).unwrap();
        assert!(matches!(
            LostSales::new(law.clone(), 1, 0.0, 4.0),
            Err(ExactError::NotPositive { .. })
        ));
        assert!(matches!(
            LostSales::new(law.clone(), 1, 1.0, f64::NAN),
            Err(ExactError::NotPositive { .. })
        ));
        assert!(matches!(
            LostSales::new(law, 9, 1.0, 4.0),
            Err(ExactError::LeadTime { value: 9, .. })
        ));
        let none = DemandLaw::from_counts(&[3]).unwrap();
        assert_eq!(LostSales::new(none, 1, 1.0, 4.0), Err(ExactError::NoDemand));
    }
}
