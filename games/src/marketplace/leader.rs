//! The operator's problem and the subgame-perfect equilibrium.

use autodiff::{F, Float};

use super::model::{Marketplace, Posting, Rationing, Trade};
use super::reply::Regime;
use crate::error::real;

/// The subgame-perfect equilibrium: the operator's best commitment and the seller's reply.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketEquilibrium {
    /// What happens.
    pub regime: Regime,
    /// Whether the operator's payoff is attained at `operator`, or is the limit as its stock rises to the threshold (wait) or its price rises to
    /// the seller's break-even price (limit pricing). An equilibrium in the strict sense exists then only if ties go the operator's way.
    pub attained: bool,
    /// The operator's price and stock (the limit, when not attained).
    pub operator: Posting,
    /// The seller's price and stock; stock 0 when it stays out.
    pub seller: Posting,
    /// Sales and payoffs; the operator's payoff is the supremum over its commitments.
    pub trade: Trade,
    /// Consumer surplus.
    pub consumer_surplus: f64,
}

/// The parameters as numbers that may carry derivatives.
#[derive(Clone, Copy)]
pub(super) struct Lifted<S> {
    pub(super) theta: S,
    pub(super) c_m: S,
    pub(super) c_i: S,
    pub(super) alpha: S,
    pub(super) k: S,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Branch {
    Compete,
    Wait,
}

/// Price, threshold stock and the two branch values at angle $\varphi$: $p=p^\ast-L\cos\varphi$, $\varphi\in[0,\pi/2]$.
pub(super) struct Point<S> {
    pub(super) price: S,
    pub(super) threshold: S,
    pub(super) value: S,
    pub(super) seller_price: S,
    pub(super) seller_stock: S,
}

/// Evaluates a branch of the operator's problem. In this angle $\sqrt{(p-p_0)(\theta-p)}=L\sin\varphi$ and $\theta-p=L(1+\cos\varphi)$: smooth up to both ends.
pub(super) fn branch<S: Float>(
    m: Lifted<S>,
    rationing: Rationing,
    branch: Branch,
    phi: S,
) -> Point<S> {
    let one = S::one();
    let two = one + one;
    let p0 = m.c_i / (one - m.alpha);
    let l = (m.theta - p0) / two;
    let star = p0 + l;
    let (sin, cos) = (phi.sin(), phi.cos());
    let price = star - l * cos;
    let demand = l * (one + cos);
    let (threshold, seller_price, seller_stock) = match (rationing, branch) {
        (Rationing::Intensity, Branch::Compete) => (two * l * (one - sin), price, demand),
        (Rationing::Intensity, Branch::Wait) => (two * l * (one - sin), p0 + l * sin, l * sin),
        (Rationing::Proportional, Branch::Compete) => (demand * cos * cos, price, demand),
        // 1 - q/Q = sin^2
        (Rationing::Proportional, Branch::Wait) => (demand * cos * cos, star, l * sin * sin),
    };
    let fee = (m.alpha * seller_price + m.k) * seller_stock;
    let value = match branch {
        Branch::Compete => fee - m.c_m * threshold,
        Branch::Wait => (price - m.c_m + m.k) * threshold + fee,
    };
    Point {
        price,
        threshold,
        value,
        seller_price,
        seller_stock,
    }
}

const HALF_PI: f64 = std::f64::consts::FRAC_PI_2;
const GRID: usize = 64;

impl Marketplace {
    pub(super) fn lifted(&self) -> Lifted<f64> {
        Lifted {
            theta: self.theta,
            c_m: self.c_m,
            c_i: self.c_i,
            alpha: self.alpha,
            k: self.k,
        }
    }

    /// The angle that maximises a branch: sign changes of the derivative on a grid, each refined by bisection. The derivative is a trigonometric
    /// polynomial of degree at most three, so it has few roots.
    pub(super) fn best_angle(&self, rationing: Rationing, which: Branch) -> f64 {
        if (rationing, which) == (Rationing::Intensity, Branch::Compete) {
            return self.best_compete_angle();
        }
        let m = self.lifted();
        let constant = |v: f64| F::new(v, 0.0);
        let dual = Lifted {
            theta: constant(m.theta),
            c_m: constant(m.c_m),
            c_i: constant(m.c_i),
            alpha: constant(m.alpha),
            k: constant(m.k),
        };
        let both = |phi: f64| {
            let v = branch(dual, rationing, which, F::new(phi, 1.0)).value;
            (v.value(), v.deriv())
        };
        let mut best = (both(0.0).0, 0.0);
        let offer = |best: &mut (f64, f64), phi: f64| {
            let v = both(phi).0;
            if v > best.0 {
                *best = (v, phi);
            }
        };
        offer(&mut best, HALF_PI);
        let mut left = (0.0, both(0.0).1);
        for i in 1..=GRID {
            let phi = HALF_PI * real(i) / real(GRID);
            let slope = both(phi).1;
            if left.1 > 0.0 && slope <= 0.0 {
                let root = bisect(|x| both(x).1, left.0, phi);
                offer(&mut best, root);
            }
            offer(&mut best, phi);
            left = (phi, slope);
        }
        best.1
    }

    /// Root of $\sin\varphi\thinspace(2\alpha L\cos\varphi-k-\alpha p_0)+2c_M\cos\varphi$, which is positive to the left of it and negative to the right.
    fn best_compete_angle(&self) -> f64 {
        let l = self.half_width();
        let a = self.k + self.alpha * self.break_even_price();
        let slope = |phi: f64| {
            phi.sin() * (2.0 * self.alpha * l * phi.cos() - a) + 2.0 * self.c_m * phi.cos()
        };
        if self.c_m <= 0.0 {
            // p = clip(theta/2 - k/(2 alpha), p0, p*); with neither fee nor experience value every price is as good: stay out.
            let b = 2.0 * self.alpha * l;
            return if a <= 0.0 {
                HALF_PI
            } else if a >= b {
                0.0
            } else {
                (a / b).acos()
            };
        }
        if a <= 0.0 && self.alpha * l <= 0.0 {
            return HALF_PI; // stock costs and sales are worth nothing: stay out
        }
        bisect(slope, 0.0, HALF_PI)
    }

    /// The subgame-perfect equilibrium, or its limit.
    ///
    /// For a fixed price the operator's payoff is convex in its stock while the seller waits and falls in it while the seller competes, so only a few
    /// stocks matter and three one-dimensional price problems remain (the structure is the paper's; the formulas under proportional rationing are derived):
    /// compete $(\alpha p+k)(\theta-p)-c_Mq^\dagger(p)$, wait just below $q^\dagger(p)$, and abstain $(p+k-c_M)(\theta-p)$, $p\le p_0$.
    #[must_use]
    pub fn equilibrium(&self, rationing: Rationing) -> MarketEquilibrium {
        let p0 = self.break_even_price();
        if !self.seller_is_viable() {
            let price = (0.5 * (self.theta + self.c_m - self.k)).clamp(0.0, self.theta);
            let trades = price + self.k - self.c_m >= 0.0 && self.demand(price) > 0.0;
            let stock = if trades { self.demand(price) } else { 0.0 };
            let regime = if trades {
                Regime::OperatorAlone
            } else {
                Regime::NoTrade
            };
            return self.finish(
                regime,
                true,
                rationing,
                Posting { price, stock },
                Posting {
                    price: p0,
                    stock: 0.0,
                },
            );
        }
        let m = self.lifted();
        let compete_angle = self.best_angle(rationing, Branch::Compete);
        let compete = branch(m, rationing, Branch::Compete, compete_angle);
        let wait_angle = self.best_angle(rationing, Branch::Wait);
        let wait = branch(m, rationing, Branch::Wait, wait_angle);
        let abstain_price = (0.5 * (self.theta + self.c_m - self.k)).max(0.0).min(p0);
        let abstain = (abstain_price + self.k - self.c_m) * (self.theta - abstain_price);
        // Ties go to the earlier of: staying out or competing, abstain, wait.
        let edge = 1e-12 * (self.theta * (self.theta + self.k + self.c_m));
        // A wait at the break-even price is limit pricing, and one at p* is staying out.
        if wait.value > compete.value.max(abstain) + edge
            && wait_angle > 0.0
            && wait_angle < HALF_PI
        {
            let operator = Posting {
                price: wait.price,
                stock: wait.threshold,
            };
            let seller = Posting {
                price: wait.seller_price,
                stock: wait.seller_stock,
            };
            return self.finish(Regime::Wait, false, rationing, operator, seller);
        }
        if abstain > compete.value + edge {
            let operator = Posting {
                price: abstain_price,
                stock: self.theta - abstain_price,
            };
            return self.finish(
                Regime::Abstain,
                abstain_price < p0,
                rationing,
                operator,
                Posting {
                    price: p0,
                    stock: 0.0,
                },
            );
        }
        let regime = if compete.threshold > 0.0 {
            Regime::Compete
        } else {
            Regime::SellerAlone
        };
        // The threshold as the reply computes it, so that the reply to this very posting is to compete.
        let stock = self.threshold(rationing, compete.price);
        let operator = Posting {
            price: compete.price,
            stock,
        };
        let seller = Posting {
            price: compete.seller_price,
            stock: compete.seller_stock,
        };
        self.finish(regime, true, rationing, operator, seller)
    }

    fn finish(
        &self,
        regime: Regime,
        attained: bool,
        rationing: Rationing,
        operator: Posting,
        seller: Posting,
    ) -> MarketEquilibrium {
        let operator_sales = match regime {
            Regime::Wait | Regime::Abstain | Regime::OperatorAlone => operator.stock,
            _ => 0.0,
        };
        MarketEquilibrium {
            regime,
            attained,
            operator,
            seller,
            trade: self.settle(operator, seller, operator_sales, seller.stock),
            consumer_surplus: self.surplus(rationing, operator, seller, operator_sales, regime),
        }
    }
}

/// A root of a function that is non-negative on the left and non-positive on the right.
pub(super) fn bisect(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests;
