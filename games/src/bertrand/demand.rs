//! Demand curves: linear with closed forms, any other numerically.

use crate::error::{Argument, GamesError, positive};

/// A demand curve: non-increasing in the price, zero from the choke price on, with single-peaked profit $(p-c)Q(p)$ for every cost.
///
/// Only `quantity` and `choke_price` must be given; the rest is computed numerically (to about $10^{-9}$ of the choke price) unless a closed form is supplied.
/// The formulas that use a demand assume what the first sentence says; it is not checked.
pub trait Demand {
    /// Units demanded at a price.
    fn quantity(&self, price: f64) -> f64;

    /// The price at and above which nothing is demanded.
    fn choke_price(&self) -> f64;

    /// The price that maximises $(p-c)Q(p)$; the choke price when the cost is at least that.
    fn monopoly_price(&self, cost: f64) -> f64 {
        let high = self.choke_price();
        if cost >= high {
            return high;
        }
        golden(|p| (p - cost) * self.quantity(p), cost, high)
    }

    /// Consumer surplus $\int_p^{\theta}Q$.
    fn surplus(&self, price: f64) -> f64 {
        let (low, high) = (price, self.choke_price());
        if low >= high {
            return 0.0;
        }
        // Composite five-point Gauss-Legendre.
        const NODES: [(f64, f64); 3] = [
            (0.0, 0.568_888_888_888_888_9),
            (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
            (0.906_179_845_938_664, 0.236_926_885_056_189_1),
        ];
        let panels = 64;
        let h = (high - low) / f64::from(panels);
        let mut sum = 0.0;
        for i in 0..panels {
            let middle = low + h * (f64::from(i) + 0.5);
            for (x, w) in NODES {
                let d = 0.5 * h * x;
                let pair = if x > 0.0 {
                    self.quantity(middle - d) + self.quantity(middle + d)
                } else {
                    self.quantity(middle)
                };
                sum += 0.5 * h * w * pair;
            }
        }
        sum
    }

    /// The largest price in `[from, choke price]` at which revenue $pQ(p)$ is at least `revenue`, given that revenue falls from `from` on and is at least `revenue` there.
    fn highest_price_with_revenue(&self, revenue: f64, from: f64) -> f64 {
        let (mut low, mut high) = (from, self.choke_price());
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if middle * self.quantity(middle) >= revenue {
                low = middle
            } else {
                high = middle
            }
        }
        low
    }
}

/// Linear demand $Q(p)=\max(\theta-p,0)$, with closed forms.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LinearDemand {
    choke_price: f64,
}

impl LinearDemand {
    /// Linear demand with choke price $\theta>0$.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`].
    pub fn new(choke_price: f64) -> Result<Self, GamesError> {
        Ok(Self {
            choke_price: positive(Argument::ChokePrice, choke_price)?,
        })
    }
}

impl Demand for LinearDemand {
    fn quantity(&self, price: f64) -> f64 {
        (self.choke_price - price).max(0.0)
    }
    fn choke_price(&self) -> f64 {
        self.choke_price
    }
    fn monopoly_price(&self, cost: f64) -> f64 {
        (0.5 * (self.choke_price + cost)).min(self.choke_price)
    }
    fn surplus(&self, price: f64) -> f64 {
        0.5 * self.quantity(price).powi(2)
    }
    fn highest_price_with_revenue(&self, revenue: f64, from: f64) -> f64 {
        let theta = self.choke_price;
        (0.5 * (theta + (theta * theta - 4.0 * revenue).max(0.0).sqrt())).max(from)
    }
}

/// Demand $Q(p)=\max(1-p/\theta,0)^b$, $b>0$: values with density $\propto(1-v/\theta)^{b-1}$. Linear (up to scale) at $b=1$; concave below, convex above.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PowerDemand {
    choke_price: f64,
    exponent: f64,
}

impl PowerDemand {
    /// Power demand.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] unless both numbers are positive.
    pub fn new(choke_price: f64, exponent: f64) -> Result<Self, GamesError> {
        Ok(Self {
            choke_price: positive(Argument::ChokePrice, choke_price)?,
            exponent: positive(Argument::Exponent, exponent)?,
        })
    }
}

impl Demand for PowerDemand {
    fn quantity(&self, price: f64) -> f64 {
        (1.0 - price / self.choke_price)
            .max(0.0)
            .powf(self.exponent)
    }
    fn choke_price(&self) -> f64 {
        self.choke_price
    }
}

/// The maximiser of a single-peaked function.
pub(super) fn golden(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let ratio = 0.5 * (5.0f64.sqrt() - 1.0);
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..90 {
        if fa >= fb {
            high = b;
            (b, fb) = (a, fa);
            a = high - ratio * (high - low);
            fa = f(a);
        } else {
            low = a;
            (a, fa) = (b, fb);
            b = low + ratio * (high - low);
            fb = f(b);
        }
    }
    0.5 * (low + high)
}

/// Linear demand that hides its closed forms: the numerical defaults against them.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Numerical(pub(super) LinearDemand);

#[cfg(test)]
impl Demand for Numerical {
    fn quantity(&self, price: f64) -> f64 {
        self.0.quantity(price)
    }
    fn choke_price(&self) -> f64 {
        self.0.choke_price()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numerical_defaults_equal_the_closed_forms(theta in 0.1f64..20.0, x in 0.0f64..1.2, y in 0.0f64..1.0) {
            let linear = LinearDemand::new(theta).unwrap();
            let numerical = Numerical(linear);
            prop_assert!((linear.monopoly_price(x * theta) - numerical.monopoly_price(x * theta)).abs() < 1e-6 * theta);
            prop_assert!((linear.surplus(x * theta) - numerical.surplus(x * theta)).abs() < 1e-9 * theta * theta);
            let revenue = y * theta * theta / 4.0;
            let (a, b) = (linear.highest_price_with_revenue(revenue, theta / 2.0), numerical.highest_price_with_revenue(revenue, theta / 2.0));
            prop_assert!((a - b).abs() < 1e-7 * theta);
        }

        #[test]
        fn power_demand_has_its_own_closed_form(theta in 0.1f64..5.0, b in 0.3f64..4.0, x in 0.0f64..0.95) {
            // Argmax of (p - c)(1 - p/theta)^b is (theta + b c) / (1 + b); surplus at p is theta (1 - p/theta)^(b+1) / (b+1).
            let demand = PowerDemand::new(theta, b).unwrap();
            let cost = x * theta;
            prop_assert!((demand.monopoly_price(cost) - (theta + b * cost) / (1.0 + b)).abs() < 1e-6 * theta);
            let surplus = theta * (1.0 - x).powf(b + 1.0) / (b + 1.0);
            prop_assert!((demand.surplus(cost) - surplus).abs() < 1e-5 * theta);
        }
    }
}
