//! How the equilibrium moves with the parameters: derivatives by forward-mode differentiation and the implicit function theorem.

use autodiff::F;

use super::leader::{Branch, Lifted, branch};
use super::model::{Marketplace, Rationing};
use super::reply::Regime;

/// Derivatives of one quantity with respect to the five parameters, inside the current regime.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sensitivity {
    /// With respect to the choke price $\theta$.
    pub choke_price: f64,
    /// With respect to the operator's cost $c_M$.
    pub operator_cost: f64,
    /// With respect to the seller's cost $c_I$.
    pub seller_cost: f64,
    /// With respect to the fee $\alpha$.
    pub fee: f64,
    /// With respect to the experience value $k$.
    pub experience: f64,
}

/// Derivatives of the equilibrium.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sensitivities {
    /// Of the operator's price.
    pub operator_price: Sensitivity,
    /// Of the operator's stock.
    pub operator_stock: Sensitivity,
    /// Of the seller's price (zero when the seller stays out).
    pub seller_price: Sensitivity,
    /// Of the seller's stock.
    pub seller_stock: Sensitivity,
    /// Of the operator's payoff.
    pub operator_payoff: Sensitivity,
    /// Of the seller's payoff.
    pub seller_payoff: Sensitivity,
}

type Dual = F<f64, f64>;
type Second = F<Dual, Dual>;

/// The six quantities of [`Sensitivities`] as dual numbers.
type Outcome = [Dual; 6];

impl Marketplace {
    /// Derivatives of the subgame-perfect equilibrium with respect to each parameter, valid as long as the regime does not change.
    ///
    /// An interior optimum moves by $d\varphi/dx=-f_{\varphi x}/f_{\varphi\varphi}$, with second derivatives from nested dual numbers; an optimum at the end of its range stays
    /// there. Regimes without trade have zero derivatives.
    #[must_use]
    pub fn sensitivities(&self, rationing: Rationing) -> Sensitivities {
        let spne = self.equilibrium(rationing);
        let mut all = [Sensitivity::default(); 6];
        for parameter in 0..5 {
            let m = self.seeded(parameter);
            let outcome = match spne.regime {
                Regime::SellerAlone => on_branch(
                    m,
                    rationing,
                    Branch::Compete,
                    F::new(std::f64::consts::FRAC_PI_2, 0.0),
                ),
                Regime::Compete => self.moved(parameter, rationing, Branch::Compete),
                Regime::Wait => self.moved(parameter, rationing, Branch::Wait),
                Regime::Abstain | Regime::OperatorAlone => {
                    operator_only(m, spne.regime, spne.attained)
                }
                Regime::NoTrade => [F::new(0.0, 0.0); 6],
            };
            for (s, value) in all.iter_mut().zip(outcome) {
                let d = value.deriv();
                match parameter {
                    0 => s.choke_price = d,
                    1 => s.operator_cost = d,
                    2 => s.seller_cost = d,
                    3 => s.fee = d,
                    _ => s.experience = d,
                }
            }
        }
        let [
            operator_price,
            operator_stock,
            seller_price,
            seller_stock,
            operator_payoff,
            seller_payoff,
        ] = all;
        Sensitivities {
            operator_price,
            operator_stock,
            seller_price,
            seller_stock,
            operator_payoff,
            seller_payoff,
        }
    }

    fn seeded(&self, parameter: usize) -> Lifted<Dual> {
        let at = |n: usize, v: f64| F::new(v, if n == parameter { 1.0 } else { 0.0 });
        Lifted {
            theta: at(0, self.theta),
            c_m: at(1, self.c_m),
            c_i: at(2, self.c_i),
            alpha: at(3, self.alpha),
            k: at(4, self.k),
        }
    }

    /// The branch's outcome at its best angle, the angle carrying its derivative.
    fn moved(&self, parameter: usize, rationing: Rationing, which: Branch) -> Outcome {
        let angle = self.best_angle(rationing, which);
        let m = self.seeded(parameter);
        let inside = angle > 1e-9 && angle < std::f64::consts::FRAC_PI_2 - 1e-9;
        let speed = if inside {
            // Inner derivative: the parameter; outer derivative: the angle.
            let lift = |v: Dual| -> Second { F::new(v, F::new(0.0, 0.0)) };
            let lifted = Lifted {
                theta: lift(m.theta),
                c_m: lift(m.c_m),
                c_i: lift(m.c_i),
                alpha: lift(m.alpha),
                k: lift(m.k),
            };
            let phi: Second = F::new(F::new(angle, 0.0), F::new(1.0, 0.0));
            let cross = branch(lifted, rationing, which, phi).value.deriv().deriv();
            let still = self.seeded(usize::MAX);
            let fixed = Lifted {
                theta: lift(still.theta),
                c_m: lift(still.c_m),
                c_i: lift(still.c_i),
                alpha: lift(still.alpha),
                k: lift(still.k),
            };
            let phi: Second = F::new(F::new(angle, 1.0), F::new(1.0, 0.0));
            let curvature = branch(fixed, rationing, which, phi).value.deriv().deriv();
            if curvature.abs() > 1e-300 {
                -cross / curvature
            } else {
                0.0
            }
        } else {
            0.0
        };
        on_branch(m, rationing, which, F::new(angle, speed))
    }
}

fn on_branch(m: Lifted<Dual>, rationing: Rationing, which: Branch, phi: Dual) -> Outcome {
    let point = branch(m, rationing, which, phi);
    let one = F::new(1.0, 0.0);
    let seller = ((one - m.alpha) * point.seller_price - m.c_i) * point.seller_stock;
    [
        point.price,
        point.threshold,
        point.seller_price,
        point.seller_stock,
        point.value,
        seller,
    ]
}

fn operator_only(m: Lifted<Dual>, regime: Regime, attained: bool) -> Outcome {
    let (zero, one, two) = (F::new(0.0, 0.0), F::new(1.0, 0.0), F::new(2.0, 0.0));
    let mut price = (m.theta + m.c_m - m.k) / two;
    if price.value() < 0.0 {
        price = zero;
    } else if regime == Regime::Abstain && !attained {
        price = m.c_i / (one - m.alpha); // limit pricing
    }
    let stock = m.theta - price;
    [
        price,
        stock,
        zero,
        zero,
        (price + m.k - m.c_m) * stock,
        zero,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::leader::MarketEquilibrium;
    use super::super::reply::tests::market;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_seller_alone_moves_by_half_a_unit() {
        let market = Marketplace {
            theta: 1.0,
            c_m: 0.9,
            c_i: 0.2,
            alpha: 0.0,
            k: 0.0,
        };
        assert_eq!(
            market.equilibrium(Rationing::Intensity).regime,
            Regime::SellerAlone
        );
        let s = market.sensitivities(Rationing::Intensity);
        assert!(
            (s.seller_price.choke_price - 0.5).abs() < 1e-12
                && (s.seller_price.seller_cost - 0.5).abs() < 1e-12
        );
        assert!(
            (s.seller_payoff.seller_cost + 0.4).abs() < 1e-12
                && s.operator_stock.operator_cost.abs() < 1e-12
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn derivatives_equal_central_differences(market in market(), proportional in any::<bool>()) {
            let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
            let h = 1e-5;
            let here = market.equilibrium(rationing);
            let s = market.sensitivities(rationing);
            let shifted = |n: usize, by: f64| {
                let mut m = market;
                match n { 0 => m.theta += by, 1 => m.c_m += by, 2 => m.c_i += by, 3 => m.alpha += by, _ => m.k += by }
                m
            };
            let pick = |x: &Sensitivity, n: usize| [x.choke_price, x.operator_cost, x.seller_cost, x.fee, x.experience][n];
            // Away from the edges of the parameters, and where both neighbours keep the regime and do not jump to another optimum.
            prop_assume!(market.c_m > 0.01 && market.c_i > 0.01 && market.alpha > 0.01 && market.alpha < 0.9 && market.k > 0.01);
            for n in 0..5 {
                let (up, down) = (shifted(n, h).equilibrium(rationing), shifted(n, -h).equilibrium(rationing));
                let same = |e: &MarketEquilibrium| e.regime == here.regime && e.attained == here.attained && (e.operator.price - here.operator.price).abs() < 1e-2;
                if !(same(&up) && same(&down)) || here.operator.stock < 1e-3 || (here.operator.price - market.break_even_price()).abs() < 1e-3 || here.operator.price < 1e-3 {
                    continue;
                }
                let slope = |f: &dyn Fn(&MarketEquilibrium) -> f64| (f(&up) - f(&down)) / (2.0 * h);
                let close = |ours: f64, theirs: f64| (ours - theirs).abs() < 2e-3 * (1.0 + ours.abs().max(theirs.abs()));
                prop_assert!(close(pick(&s.operator_price, n), slope(&|e| e.operator.price)), "{} {:?} {:?}", n, here, market);
                prop_assert!(close(pick(&s.operator_stock, n), slope(&|e| e.operator.stock)));
                prop_assert!(close(pick(&s.operator_payoff, n), slope(&|e| e.trade.operator_payoff)));
                prop_assert!(close(pick(&s.seller_payoff, n), slope(&|e| e.trade.seller_payoff)));
                if here.seller.stock > 0.0 {
                    prop_assert!(close(pick(&s.seller_price, n), slope(&|e| e.seller.price)));
                    prop_assert!(close(pick(&s.seller_stock, n), slope(&|e| e.seller.stock)));
                }
            }
        }

        #[test]
        fn competing_prices_rise_with_own_cost_and_fall_with_experience(market in market()) {
            let here = market.equilibrium(Rationing::Intensity);
            if here.regime == Regime::Compete {
                let s = market.sensitivities(Rationing::Intensity);
                prop_assert!(s.operator_price.operator_cost >= -1e-9);
                prop_assert!(s.operator_price.experience <= 1e-9);
                prop_assert!(s.operator_stock.experience >= -1e-9);
            }
        }
    }
}
