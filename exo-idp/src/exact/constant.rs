//! The best constant order: a queue in disguise.
//!
//! Under the same order $z$ every period the pipeline never changes and the stock that faces demand follows
//! $y' = (y-d)^+ + z$, whatever the lead time. Its stationary law exists for $z < E D$ and has an exponential tail of rate
//! $\theta$ with $E e^{\theta(z-D)} = 1$, so the chain is cut where the tail is below `1e-16` and solved by the elimination of
//! Grassmann, Taksar and Heyman, which subtracts nothing and so loses no digits.

use super::error::ExactError;
use super::lost_sales::LostSales;

/// Longest chain.
const LONGEST: usize = 4_000_000;
/// Tail mass beyond the cut, in natural logarithms.
const LOG_TAIL: f64 = 37.0;

impl LostSales {
    /// The long-run cost per period of ordering `order` units in every period.
    ///
    /// # Errors
    /// The order is not below mean demand, or so close to it that the chain is longer than four million states.
    pub fn constant_order_cost(&self, order: u32) -> Result<f64, ExactError> {
        let demand = self.demand();
        let mean = demand.mean();
        if f64::from(order) >= mean {
            return Err(ExactError::Unstable { order, mean });
        }
        if order == 0 {
            return Ok(self.period_cost(0));
        }
        // Steps of the leftover w = (y - d)+: w' = (w + z - d)+, so up by at most z, down by up to the largest demand.
        let up = order as usize;
        let size = (LOG_TAIL / decay(demand.probabilities(), f64::from(order))).ceil();
        #[allow(clippy::cast_precision_loss, reason = "a bound of four million")]
        let longest = LONGEST as f64;
        if size >= longest {
            return Err(ExactError::TooManyStates { limit: LONGEST });
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked just above"
        )]
        let n = size as usize + up + 2;
        let weights = stationary(n, up, demand.probabilities(), &|y| demand.survival(y));
        let total: f64 = weights.iter().sum();
        let cost: f64 = weights
            .iter()
            .zip(0_u32..)
            .map(|(w, left)| w * self.period_cost(left.saturating_add(order)))
            .sum();
        Ok(cost / total)
    }

    /// The best constant order and its long-run cost per period, over all whole orders below mean demand.
    ///
    /// # Errors
    /// As [`constant_order_cost`](LostSales::constant_order_cost), except that orders too close to mean demand are passed over.
    pub fn best_constant_order(&self) -> Result<(u32, f64), ExactError> {
        let mut best = (0, self.constant_order_cost(0)?);
        for order in (1..).take_while(|&z| f64::from(z) < self.demand().mean()) {
            match self.constant_order_cost(order) {
                Ok(cost) if cost < best.1 => best = (order, cost),
                Ok(_) | Err(ExactError::TooManyStates { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(best)
    }
}

/// The positive root of E exp(theta (z - D)) = 1, by bisection on the logarithm.
fn decay(pmf: &[f64], order: f64) -> f64 {
    let excess = |theta: f64| -> f64 {
        let mut d = 0.0;
        let mut sum = 0.0;
        for p in pmf {
            sum += p * (theta * (order - d)).exp();
            d += 1.0;
        }
        sum - 1.0
    };
    let (mut low, mut high) = (0.0, 1.0);
    // Without a demand below the order the stock never grows, and any rate will do.
    while excess(high) < 0.0 && high < 64.0 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if excess(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    // The lower end: a slower decay only makes the chain longer.
    low.max(1e-9)
}

/// Unnormalised stationary weights of the leftover on {0, ..., n-1}, the top absorbing what would go beyond.
fn stationary(n: usize, up: usize, pmf: &[f64], survival: &dyn Fn(u32) -> f64) -> Vec<f64> {
    let most = pmf.len() - 1;
    let width = up + most + 1;
    // band[i * width + (j + most - i)] is the rate from i to j, for i - most <= j <= i + up.
    let mut band = vec![0.0; n * width];
    for i in 0..n {
        for (d, &p) in pmf.iter().enumerate() {
            let j = (i + up).saturating_sub(d).min(n - 1);
            if d < i + up {
                band[i * width + j + most - i] += p;
            }
        }
        if i <= most {
            // Everything that empties the shelf: P(D >= i + up).
            band[i * width + most - i] += survival(super::demand::index(i + up) - 1);
        }
    }
    // Eliminate from the top: what goes into a removed state is passed on to where that state leads below it.
    for k in (1..n).rev() {
        let from = k.saturating_sub(most);
        let out: f64 = (from..k).map(|j| band[k * width + j + most - k]).sum();
        if out <= 0.0 {
            continue;
        }
        for i in k.saturating_sub(up)..k {
            let share = band[i * width + k + most - i] / out;
            band[i * width + k + most - i] = share;
            // Targets below i - most are out of this row's band: they are handled by the row's own reach.
            for j in from..k {
                let rate = band[k * width + j + most - k];
                band[i * width + j + most - i] += share * rate;
            }
        }
    }
    let mut weights = vec![0.0; n];
    weights[0] = 1.0;
    for k in 1..n {
        weights[k] = (k.saturating_sub(up)..k)
            .map(|i| weights[i] * band[i * width + k + most - i])
            .sum();
    }
    weights
}
