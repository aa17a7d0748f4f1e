//! How far a back-test on recorded paths can be from the truth: the learnability bounds as functions.
//!
//! The setting is that of Madeka et al. (arXiv 2210.03137): what happens outside (demand, prices, lead times) does not react to
//! orders, so any policy can be replayed on any recorded path, and the mean discounted return over $N$ recorded products,
//! $\hat J(\pi)$, estimates its expectation $J(\pi)$ without bias. The paper shows that learning then costs no more than supervised
//! learning. The forms and constants below are this project's own, by Hoeffding's inequality:
//!
//! - (A) products independent, returns in an interval of width $B$, a finite class $\Pi$: with probability at least $1-\delta$, for all
//!   policies at once, $|J(\pi)-\hat J(\pi)| \le B\sqrt{\log(2|\Pi|/\delta)/(2N)}$: [`uniform_bound`]. Neither the horizon nor the size of
//!   the state appears but through $B$.
//! - (B) if the part of a path that was never recorded is drawn from a forecast whose law of the *whole path* is within
//!   total variation $\varepsilon_F$ of the truth on average over products, a term $B\varepsilon_F$ is added: [`forecast_term`].
//!
//! Both fail when their assumptions do, and the example `learnability` shows it: a small error per week is a large error per path
//! ([`path_total_variation`]), demand that reacts to stock-outs leaves a bias that no number of products removes, and products that
//! share shocks count for fewer than they are ([`effective_products`]).
//!
//! ```
//! use hindsight_exo_idp::learnability::{forecast_term, products_needed, return_width, uniform_bound};
//! // A year of weeks: price at most 12, cost at most 8, demand at most 60 units, orders at most 50 units a week.
//! let width = return_width(12.0, 60.0, 8.0, 50.0, 0.95, 52)?;
//! let bound = uniform_bound(width, 200, 10_000, 0.05)?;
//! // Ten thousand products place 200 policies within 2.2 % of that width, all at once ...
//! assert!((bound / width - 0.0212).abs() < 1e-4);
//! // ... and half the error takes four times the products.
//! let needed = products_needed(width, 200, 0.5 * bound, 0.05)?;
//! assert!((39_999..=40_001).contains(&needed));
//! // Lead times drawn from a forecast that is off by 0.01 in total variation add 1 % of the width.
//! assert!((forecast_term(width, 0.01)? - 0.01 * width).abs() < 1e-12 * width);
//! # Ok::<(), hindsight_exo_idp::Error>(())
//! ```

#![allow(
    clippy::doc_markdown,
    reason = "formulas in KaTeX are full of underscores"
)]

use crate::error::{Error, within};

/// Width $B$ of the interval in which one product's discounted return lies: $\sum_{t<T}\gamma^t (p_{\max} D_{\max} + c_{\max} a_{\max})$.
///
/// In money; `price` and `cost` in money per unit, `demand` and `order` in units per week, all of them upper limits. `weeks` may be
/// `u32::MAX` for an endless horizon if the discount is below one.
///
/// # Errors
/// A limit is negative or not finite, or the discount is outside (0, 1].
pub fn return_width(
    price: f64,
    demand: f64,
    cost: f64,
    order: f64,
    discount: f64,
    weeks: u32,
) -> Result<f64, Error> {
    non_negative("largest price", price)?;
    non_negative("largest demand", demand)?;
    non_negative("largest cost", cost)?;
    non_negative("largest order", order)?;
    Ok(discounted_weeks(discount, weeks)? * (price * demand + cost * order))
}

/// The discounted number of weeks, $\sum_{t<T}\gamma^t$.
///
/// # Errors
/// The discount is outside (0, 1].
pub fn discounted_weeks(discount: f64, weeks: u32) -> Result<f64, Error> {
    discount_factor(discount)?;
    if discount >= 1.0 {
        return Ok(f64::from(weeks));
    }
    Ok(-(f64::from(weeks) * discount.ln()).exp_m1() / (1.0 - discount))
}

/// Bound (A): with probability at least $1-\delta$ no policy of the class is further than this from its back-test,
/// $B\sqrt{\log(2|\Pi|/\delta)/(2N)}$, in the unit of `width`.
///
/// The best policy of the back-test then loses at most twice this to the best of the class.
///
/// # Errors
/// The width is negative or not finite, a count is zero, or `delta` is not strictly between 0 and 1.
pub fn uniform_bound(width: f64, policies: u64, products: u64, delta: f64) -> Result<f64, Error> {
    let numerator = log_term(width, policies, delta)?;
    if products == 0 {
        return Err(Error::Empty("the set of products"));
    }
    Ok(width * (numerator / (2.0 * real(products))).sqrt())
}

/// The number of products for which [`uniform_bound`] is at most `precision`: its inverse,
/// $\lceil B^2\log(2|\Pi|/\delta)/(2 \text{precision}^2)\rceil$, at least one.
///
/// # Errors
/// As [`uniform_bound`], or the precision is not positive.
pub fn products_needed(
    width: f64,
    policies: u64,
    precision: f64,
    delta: f64,
) -> Result<u64, Error> {
    let numerator = log_term(width, policies, delta)?;
    within(
        "precision",
        precision,
        f64::MIN_POSITIVE,
        f64::MAX,
        "a positive, finite number",
    )?;
    let ratio = width / precision;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturates"
    )]
    Ok(((0.5 * ratio * ratio * numerator).ceil() as u64).max(1))
}

/// The term that bound (B) adds: $B\varepsilon_F$, with $\varepsilon_F$ the mean over products of the total variation between the forecast law
/// and the true law of a product's whole unrecorded path.
///
/// Total variation is the largest difference of probability over events; it is half the sum of absolute differences.
///
/// # Errors
/// The width is negative or not finite, or the total variation is outside [0, 1].
pub fn forecast_term(width: f64, total_variation: f64) -> Result<f64, Error> {
    non_negative("width", width)?;
    within(
        "total variation",
        total_variation,
        0.0,
        1.0,
        "a number from 0 to 1",
    )?;
    Ok(width * total_variation)
}

/// The largest total variation between two laws of a path of `weeks` that differ by `weekly` in each week, independently:
/// $1-(1-e)^T$. It is near one long before `weekly` is: a small error per week is no small $\varepsilon_F$.
///
/// # Errors
/// `weekly` is outside [0, 1].
pub fn path_total_variation(weekly: f64, weeks: u32) -> Result<f64, Error> {
    within("error per week", weekly, 0.0, 1.0, "a number from 0 to 1")?;
    if weeks == 0 {
        return Ok(0.0);
    }
    Ok(-(f64::from(weeks) * (-weekly).ln_1p()).exp_m1())
}

/// How fast the return can change with one open-loop order: at most $\gamma^k\max(c_k,\ p_{\max}-c_k)$ money per unit ordered in
/// week $k$. It does not grow with the horizon.
///
/// The unit is sold at most once, at most at `price` and not before week $k$, and costs $c_k$.
///
/// # Errors
/// Cost or price is negative or not finite, or the discount is outside (0, 1].
pub fn order_lipschitz(week: u32, discount: f64, cost: f64, price: f64) -> Result<f64, Error> {
    non_negative("cost", cost)?;
    non_negative("largest price", price)?;
    discount_factor(discount)?;
    Ok((f64::from(week) * discount.ln()).exp() * cost.max(price - cost))
}

/// The number of independent products that tell as much about a mean as `products` with pairwise `correlation` of their
/// returns: $N/(1+(N-1)\rho)$. It never exceeds $1/\rho$.
///
/// # Errors
/// There are no products, or the correlation is outside [0, 1].
pub fn effective_products(products: u64, correlation: f64) -> Result<f64, Error> {
    within("correlation", correlation, 0.0, 1.0, "a number from 0 to 1")?;
    if products == 0 {
        return Err(Error::Empty("the set of products"));
    }
    Ok(real(products) / (1.0 + (real(products) - 1.0) * correlation))
}

fn log_term(width: f64, policies: u64, delta: f64) -> Result<f64, Error> {
    non_negative("width", width)?;
    within(
        "delta",
        delta,
        f64::MIN_POSITIVE,
        1.0 - f64::EPSILON,
        "a number strictly between 0 and 1",
    )?;
    if policies == 0 {
        return Err(Error::Empty("the class of policies"));
    }
    Ok((2.0 * real(policies) / delta).ln())
}

fn discount_factor(discount: f64) -> Result<(), Error> {
    within(
        "discount",
        discount,
        f64::MIN_POSITIVE,
        1.0,
        "a number above 0, at most 1",
    )
}

fn non_negative(name: &'static str, value: f64) -> Result<(), Error> {
    within(name, value, 0.0, f64::MAX, "a finite number, at least zero")
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a count inside a logarithm or a root"
)]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits() {
        assert!((discounted_weeks(0.9, u32::MAX).unwrap() - 10.0).abs() < 1e-12);
        assert!((discounted_weeks(1.0, 52).unwrap() - 52.0).abs() < 1e-12);
        assert!(
            (path_total_variation(0.05, 52).unwrap() - (1.0 - 0.95_f64.powi(52))).abs() < 1e-12
        );
        assert!((path_total_variation(1.0, 3).unwrap() - 1.0).abs() < 1e-12);
        assert!(path_total_variation(1.0, 0).unwrap().abs() < 1e-12);
        assert!((effective_products(1000, 0.1).unwrap() - 9.91).abs() < 0.01);
        assert!((effective_products(7, 0.0).unwrap() - 7.0).abs() < 1e-12);
    }

    #[test]
    fn bad_input_is_named() {
        assert!(matches!(
            uniform_bound(1.0, 0, 5, 0.1),
            Err(Error::Empty(_))
        ));
        assert!(matches!(
            uniform_bound(1.0, 5, 0, 0.1),
            Err(Error::Empty(_))
        ));
        for delta in [0.0, 1.0, f64::NAN] {
            assert!(matches!(
                uniform_bound(1.0, 5, 5, delta),
                Err(Error::Domain { name: "delta", .. })
            ));
        }
        assert!(products_needed(1.0, 5, 0.0, 0.1).is_err());
        assert!(forecast_term(f64::INFINITY, 0.1).is_err());
        assert!(discounted_weeks(0.0, 3).is_err() && discounted_weeks(1.1, 3).is_err());
    }

    proptest! {
        #[test]
        fn products_needed_inverts_the_bound(
            width in 0.1_f64..1e6, policies in 1_u64..10_000, share in 1e-3_f64..2.0, delta in 0.001_f64..0.5,
        ) {
            let precision = share * width;
            let n = products_needed(width, policies, precision, delta).unwrap();
            prop_assert!(uniform_bound(width, policies, n, delta).unwrap() <= precision * (1.0 + 1e-9));
            prop_assert!(n == 1 || uniform_bound(width, policies, n - 1, delta).unwrap() >= precision * (1.0 - 1e-9));
        }

        #[test]
        fn closed_sums_are_the_sums(discount in 0.3_f64..=1.0, weeks in 0_u32..80) {
            let sum: f64 = (0..weeks).map(|t| discount.powi(t.cast_signed())).sum();
            prop_assert!((discounted_weeks(discount, weeks).unwrap() - sum).abs() < 1e-9);
        }

        #[test]
        fn one_order_moves_the_return_by_no_more_than_the_constant(
            demand in proptest::collection::vec(0.0_f64..10.0, 1..30),
            price in proptest::collection::vec(1.0_f64..12.0, 30),
            cost in 0.0_f64..15.0, discount in 0.5_f64..=1.0, lead in 0_usize..4, at in 0_usize..30,
            orders in proptest::collection::vec(0.0_f64..10.0, 30), change in 0.0_f64..20.0,
        ) {
            let weeks = demand.len();
            let at = at % weeks;
            let value = |orders: &[f64]| -> f64 {
                let (mut on_hand, mut total, mut weight) = (0.0_f64, 0.0, 1.0);
                for t in 0..weeks {
                    if t >= lead {
                        on_hand += orders[t - lead];
                    }
                    let sold = on_hand.min(demand[t]);
                    on_hand -= sold;
                    total += weight * (price[t] * sold - cost * orders[t]);
                    weight *= discount;
                }
                total
            };
            let mut moved = orders.clone();
            moved[at] += change;
            let constant =
                order_lipschitz(u32::try_from(at).unwrap(), discount, cost, price.iter().copied().fold(0.0, f64::max)).unwrap();
            prop_assert!((value(&moved) - value(&orders)).abs() <= constant * change + 1e-8);
        }
    }
}
