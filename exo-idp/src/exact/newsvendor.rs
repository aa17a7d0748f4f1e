//! One decision for one period, and the stationary problems that reduce to it.
//!
//! With holding cost $h$ per unit left and penalty $p$ per unit short, the cost of $Q$ units is
//! $C(Q) = h E(Q-D)^+ + p E(D-Q)^+$ and is least at the fractile $F(Q^{\ast}) = p/(p+h)$.
//! With back-orders and lead time $L$ the same holds for demand over $L+1$ periods.
//! The critical ratios for the discounted reward are this project's own derivation; their
//! assumptions stand with each function.

use statrs::distribution::ContinuousCDF;
use statrs::statistics::Distribution;

use super::demand::DemandLaw;
use super::error::{ExactError, inside_unit, non_negative, positive};

/// The best quantity for one period and its expected cost.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Newsvendor<Q> {
    /// The best quantity, in units.
    pub quantity: Q,
    /// Its expected cost, in money per period.
    pub cost: f64,
    /// The critical fractile $p/(p+h)$.
    pub fractile: f64,
}

/// The critical fractile $p/(p+h)$.
///
/// # Errors
/// A cost is not finite and above zero.
pub fn critical_fractile(holding: f64, penalty: f64) -> Result<f64, ExactError> {
    positive("holding cost", holding)?;
    positive("penalty", penalty)?;
    Ok(penalty / (penalty + holding))
}

/// Expected cost of `quantity` units against one period's demand, $h E(Q-D)^+ + p E(D-Q)^+$.
#[must_use]
pub fn newsvendor_cost(demand: &DemandLaw, quantity: u32, holding: f64, penalty: f64) -> f64 {
    holding * demand.expected_leftover(quantity) + penalty * demand.expected_excess(quantity)
}

/// The smallest best whole quantity for one period.
///
/// ```
/// use hindsight_exo_idp::exact::{DemandLaw, newsvendor};
/// let best = newsvendor(&DemandLaw::poisson(5.0)?, 1.0, 9.0)?;
/// assert_eq!(best.quantity, 8);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
///
/// # Errors
/// A cost is not finite and above zero.
pub fn newsvendor(
    demand: &DemandLaw,
    holding: f64,
    penalty: f64,
) -> Result<Newsvendor<u32>, ExactError> {
    let fractile = critical_fractile(holding, penalty)?;
    let quantity = demand.quantile(fractile)?;
    Ok(Newsvendor {
        quantity,
        cost: newsvendor_cost(demand, quantity, holding, penalty),
        fractile,
    })
}

/// The best quantity against a continuous demand with finite mean.
///
/// The quantity is statrs' quantile; the cost follows from the law's mean and
/// $E(Q-D)^+ = \int_{-\infty}^{Q} F(x) dx$, integrated by adaptive Simpson steps to a relative `1e-10`
/// between the `1e-13` quantile and $Q$.
///
/// ```
/// use hindsight_exo_idp::exact::newsvendor_continuous;
/// use statrs::distribution::Normal;
/// // Normal demand: (h + p) sd phi(z).
/// let best = newsvendor_continuous(&Normal::new(100.0, 20.0).unwrap(), 1.0, 4.0)?;
/// assert!((best.quantity - 116.8324).abs() < 1e-3);
/// assert!((best.cost - 27.996).abs() < 1e-3);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
///
/// # Errors
/// A cost is not finite and above zero, or the law has no finite mean or quantile.
pub fn newsvendor_continuous<D>(
    demand: &D,
    holding: f64,
    penalty: f64,
) -> Result<Newsvendor<f64>, ExactError>
where
    D: ContinuousCDF<f64, f64> + Distribution<f64>,
{
    let fractile = critical_fractile(holding, penalty)?;
    let quantity = demand.inverse_cdf(fractile);
    let mean = demand.mean().unwrap_or(f64::NAN);
    for (name, value) in [
        ("quantile of the demand", quantity),
        ("mean of the demand", mean),
    ] {
        if !value.is_finite() {
            return Err(ExactError::NotFinite { name, value });
        }
    }
    let low = demand.inverse_cdf(1e-13).max(demand.min()).min(quantity);
    let leftover = integrate(
        &|x| demand.cdf(x),
        low,
        quantity,
        1e-10 * (quantity - low).abs().max(1e-12),
    );
    let cost = holding * leftover + penalty * (leftover + mean - quantity).max(0.0);
    Ok(Newsvendor {
        quantity,
        cost,
        fractile,
    })
}

/// The best base-stock level with back-orders, order usable `lead_time` periods later, and its long-run cost per period.
///
/// It is the newsvendor for demand over `lead_time + 1` periods.
///
/// # Errors
/// A cost is not finite and above zero, or the convolved law is too wide.
pub fn backorder_base_stock(
    demand: &DemandLaw,
    lead_time: usize,
    holding: f64,
    penalty: f64,
) -> Result<Newsvendor<u32>, ExactError> {
    newsvendor(&demand.over(lead_time + 1)?, holding, penalty)
}

/// The critical ratio of the discounted reward with no lead time, $F(S^{\ast}) = (p-c)/(p-\gamma c)$.
///
/// Reward of a period: price times sales minus cost times order; stationary price, cost and demand; the order serves
/// the same period; stock left at the end is worth its cost. Zero if a sale does not pay (`price <= cost`).
/// Our formulation.
///
/// # Errors
/// Price is not finite and above zero, cost is negative or not finite, discount is not strictly between 0 and 1.
pub fn discounted_fractile(price: f64, cost: f64, discount: f64) -> Result<f64, ExactError> {
    discounted_fractile_with_lead(price, cost, discount, 0)
}

/// The critical ratio of the discounted reward with lead time $L$, $(\gamma^L p-c)/(\gamma^L p-\gamma c)$, to be used with
/// demand over $L+1$ periods.
///
/// Exact for $L=0$; for longer lead times an approximation, as it treats lost sales as back-orders. Zero if a sale does
/// not pay ($\gamma^L p \le c$). Our formulation.
///
/// # Errors
/// As [`discounted_fractile`].
pub fn discounted_fractile_with_lead(
    price: f64,
    cost: f64,
    discount: f64,
    lead_time: u32,
) -> Result<f64, ExactError> {
    positive("price", price)?;
    non_negative("cost", cost)?;
    inside_unit("discount", discount)?;
    let worth = discount.powi(i32::try_from(lead_time).unwrap_or(i32::MAX)) * price;
    Ok(if worth <= cost {
        0.0
    } else {
        (worth - cost) / (worth - discount * cost)
    })
}

/// The discounted reward, over an infinite horizon, of ordering up to `level` each period with no lead time and lost sales,
/// from an empty shelf.
///
/// With $m = E\min(D,S)$ it is $-cS + \frac{p m}{1-\gamma} - \frac{\gamma c m}{1-\gamma}$: the first order fills the shelf,
/// each later one replaces what was sold.
///
/// ```
/// use hindsight_exo_idp::exact::{DemandLaw, discounted_base_stock_value};
/// let demand = DemandLaw::poisson(5.0)?;
/// let value = discounted_base_stock_value(&demand, 7, 10.0, 7.0, 0.9)?;
/// assert!((value - 126.55).abs() < 0.005);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
///
/// # Errors
/// As [`discounted_fractile`].
pub fn discounted_base_stock_value(
    demand: &DemandLaw,
    level: u32,
    price: f64,
    cost: f64,
    discount: f64,
) -> Result<f64, ExactError> {
    discounted_fractile(price, cost, discount)?;
    let sales = demand.expected_sales(level);
    Ok(-cost * f64::from(level) + (price - discount * cost) * sales / (1.0 - discount))
}

/// The best base-stock level for [`discounted_base_stock_value`], the quantile at [`discounted_fractile`].
///
/// # Errors
/// As [`discounted_fractile`].
pub fn discounted_base_stock(
    demand: &DemandLaw,
    price: f64,
    cost: f64,
    discount: f64,
) -> Result<u32, ExactError> {
    let ratio = discounted_fractile(price, cost, discount)?;
    if ratio <= 0.0 {
        return Ok(0);
    }
    demand.quantile(ratio)
}

/// Adaptive Simpson integration with the usual Richardson end correction.
fn integrate(f: &impl Fn(f64) -> f64, a: f64, b: f64, tolerance: f64) -> f64 {
    fn step(
        f: &impl Fn(f64) -> f64,
        x: [f64; 3],
        y: [f64; 3],
        whole: f64,
        tolerance: f64,
        depth: u32,
    ) -> f64 {
        let (left, right) = (0.5 * (x[0] + x[1]), 0.5 * (x[1] + x[2]));
        let (fl, fr) = (f(left), f(right));
        let sixth = (x[1] - x[0]) / 6.0;
        let lower = sixth * (y[0] + 4.0 * fl + y[1]);
        let upper = sixth * (y[1] + 4.0 * fr + y[2]);
        let error = lower + upper - whole;
        if depth == 0 || error.abs() <= 15.0 * tolerance {
            return lower + upper + error / 15.0;
        }
        step(
            f,
            [x[0], left, x[1]],
            [y[0], fl, y[1]],
            lower,
            0.5 * tolerance,
            depth - 1,
        ) + step(
            f,
            [x[1], right, x[2]],
            [y[1], fr, y[2]],
            upper,
            0.5 * tolerance,
            depth - 1,
        )
    }
    // Sixteen pieces first, so that a narrow rise between the first points is not missed.
    let pieces = 16_u32;
    let width = (b - a) / f64::from(pieces);
    let mut sum = 0.0;
    for k in 0..pieces {
        let x0 = a + f64::from(k) * width;
        let x = [x0, x0 + 0.5 * width, x0 + width];
        let y = [f(x[0]), f(x[1]), f(x[2])];
        let whole = width / 6.0 * (y[0] + 4.0 * y[1] + y[2]);
        sum += step(f, x, y, whole, tolerance / f64::from(pieces), 40);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Continuous, Exp, Gamma, LogNormal, Normal, Uniform};

    #[test]
    fn discounted_values_of_the_anchor() {
        let demand = DemandLaw::poisson(5.0).unwrap();
        for (level, expected) in [(5, 117.54), (6, 124.75), (7, 126.55), (8, 124.48)] {
            let value = discounted_base_stock_value(&demand, level, 10.0, 7.0, 0.9).unwrap();
            assert!((value - expected).abs() < 0.005, "{level}: {value}");
        }
        assert_eq!(discounted_base_stock(&demand, 10.0, 7.0, 0.9).unwrap(), 7);
        assert_eq!(
            discounted_base_stock(&demand, 10.0, 7.0, 0.995).unwrap(),
            11
        );
        assert!((discounted_fractile(10.0, 7.0, 0.9).unwrap() - 0.8108).abs() < 5e-5);
        assert!((discounted_fractile(10.0, 7.0, 0.995).unwrap() - 0.9885).abs() < 5e-5);
        assert_eq!(discounted_base_stock(&demand, 6.0, 7.0, 0.9).unwrap(), 0);
    }

    #[test]
    fn normal_cost_is_the_closed_form() {
        for (mean, sd, h, p) in [
            (100.0, 20.0, 1.0, 4.0),
            (50.0, 8.0, 0.18, 0.70),
            (10.0, 3.0, 2.0, 39.0),
        ] {
            let law = Normal::new(mean, sd).unwrap();
            let got = newsvendor_continuous(&law, h, p).unwrap();
            let z = (got.quantity - mean) / sd;
            let want = (h + p) * sd * Normal::standard().pdf(z);
            assert!((got.cost / want - 1.0).abs() < 1e-8, "{} {want}", got.cost);
        }
    }

    #[test]
    fn exponential_and_uniform_costs_are_the_closed_forms() {
        let (h, p) = (1.0, 9.0);
        // Exponential of rate a: Q = ln((p+h)/h)/a and the cost at the optimum is h Q.
        let got = newsvendor_continuous(&Exp::new(0.2).unwrap(), h, p).unwrap();
        assert!((got.quantity - 5.0 * 10.0_f64.ln()).abs() < 1e-7);
        assert!((got.cost - h * got.quantity).abs() < 1e-7);
        // Uniform on [2, 12]: cost (h Q0^2 + p (10-Q0)^2) / 20 with Q0 = 10 * fractile.
        let got = newsvendor_continuous(&Uniform::new(2.0, 12.0).unwrap(), h, p).unwrap();
        assert!(
            (got.cost - (81.0 + 9.0) / 20.0).abs() < 1e-8,
            "{}",
            got.cost
        );
    }

    #[test]
    fn the_quantity_is_the_minimum_for_skewed_laws() {
        // Derivative of the cost in the costs themselves (envelope): dC/dh = E(Q-D)+ must be between 0 and Q.
        let gamma = newsvendor_continuous(&Gamma::new(2.0, 0.1).unwrap(), 1.0, 9.0).unwrap();
        let step = newsvendor_continuous(&Gamma::new(2.0, 0.1).unwrap(), 1.001, 9.009).unwrap();
        // Costs are homogeneous of degree one in (h, p).
        assert!((step.cost / gamma.cost - 1.001).abs() < 1e-9);
        let log_normal =
            newsvendor_continuous(&LogNormal::new(1.0, 0.5).unwrap(), 1.0, 9.0).unwrap();
        assert!(log_normal.cost > 0.0 && log_normal.quantity > 1.0_f64.exp());
    }

    #[test]
    fn long_lead_with_no_margin_orders_nothing() {
        assert!(discounted_fractile_with_lead(10.0, 7.0, 0.9, 4).unwrap() <= 0.0);
        let short = discounted_fractile_with_lead(10.0, 7.0, 0.99, 1).unwrap();
        let long = discounted_fractile_with_lead(10.0, 7.0, 0.99, 4).unwrap();
        assert!(long < short && short < discounted_fractile(10.0, 7.0, 0.99).unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_whole_quantity_is_cheaper(
            counts in proptest::collection::vec(0_u64..9, 2..12),
            h in 0.1_f64..5.0, p in 0.1_f64..50.0, lead in 0_usize..3,
        ) {
            prop_assume!(counts.iter().sum::<u64>() > 0);
            let law = DemandLaw::from_counts(&counts).unwrap();
            let best = backorder_base_stock(&law, lead, h, p).unwrap();
            let total = law.over(lead + 1).unwrap();
            for q in 0..=total.largest() {
                prop_assert!(newsvendor_cost(&total, q, h, p) >= best.cost - 1e-9);
            }
        }

        #[test]
        fn discounted_level_is_the_best(mean in 0.5_f64..20.0, price in 1.0_f64..20.0, share in 0.0_f64..1.0, g in 0.5_f64..0.99) {
            let law = DemandLaw::poisson(mean).unwrap();
            let cost = share * price;
            let level = discounted_base_stock(&law, price, cost, g).unwrap();
            let best = discounted_base_stock_value(&law, level, price, cost, g).unwrap();
            for s in 0..=law.largest().min(80) {
                let other = discounted_base_stock_value(&law, s, price, cost, g).unwrap();
                prop_assert!(other <= best + 1e-9 * best.abs().max(1.0));
            }
        }
    }
}
