//! How demand responded to price and plan so far.
//!
//! The logarithm of a week's demand relative to the product's mean is regressed on the logarithm of its relative price and on the planned
//! covariates, product by product, with a ridge towards the slopes of all products together that weighs as much as [`PRIOR`] typical weeks.
//! Everything is a sum over the weeks so far: slopes of a week know nothing of it.

use nalgebra::{DMatrix, DVector};

use crate::count::count;

/// Weeks that the slopes of all products weigh in those of one.
const PRIOR: f64 = 6.0;
/// Where nothing is known, demand falls by this for each unit of log-price.
const ELASTICITY: f64 = -2.0;
/// Weeks that this weighs in the slopes of all products.
const ELASTICITY_PRIOR: f64 = 20.0;
/// Variance of the logarithm of price below which prices tell nothing.
const PRICE_FLOOR: f64 = 0.01;
/// Share of a regressor's mean square below which its variance is rounding.
const STILL: f64 = 1e-12;
/// What the logarithm adds to demand, as a share of the mean: weeks without demand count, but not without end.
const SHIFT: f64 = 0.2;

/// Sums over the weeks of one product: of the regressors, of the response, and their products.
#[derive(Debug, Clone)]
struct Sums {
    n: f64,
    x: DVector<f64>,
    y: f64,
    xx: DMatrix<f64>,
    xy: DVector<f64>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Sums {
            n: 0.0,
            x: DVector::zeros(width),
            y: 0.0,
            xx: DMatrix::zeros(width, width),
            xy: DVector::zeros(width),
        }
    }

    fn push(&mut self, x: &DVector<f64>, y: f64) {
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx.ger(1.0, x, x, 1.0);
        self.xy.axpy(y, x, 1.0);
    }

    /// Second moments around the product's own means; zero of a regressor that has not moved but by rounding.
    fn centred(&self) -> (DMatrix<f64>, DVector<f64>) {
        let n = self.n.max(1.0);
        let mut xx = &self.xx - (&self.x * self.x.transpose()) / n;
        let mut xy = &self.xy - &self.x * (self.y / n);
        for k in 0..self.x.len() {
            if xx[(k, k)] <= STILL * self.xx[(k, k)] {
                xx.row_mut(k).fill(0.0);
                xx.column_mut(k).fill(0.0);
                xy[k] = 0.0;
            }
        }
        (xx, xy)
    }
}

/// The factor on demand that an effect on the shifted logarithm stands for.
pub(super) fn factor(effect: f64) -> f64 {
    ((1.0 + SHIFT) * effect.clamp(-2.0, 2.5).exp() - SHIFT).max(0.05)
}

/// The slopes of every product, updated week by week.
#[derive(Debug, Clone)]
pub(super) struct Response {
    width: usize,
    products: Vec<Sums>,
    /// Sums of the covariates of every product, for their means.
    pooled: DVector<f64>,
    /// Variance of each regressor within products.
    variance: DVector<f64>,
}

impl Response {
    /// No slopes yet, for a number of products and planned covariates.
    pub(super) fn new(products: usize, covariates: usize) -> Self {
        let width = 1 + covariates;
        let mut response = Response {
            width,
            products: vec![Sums::new(width); products],
            pooled: DVector::zeros(width),
            variance: DVector::zeros(width),
        };
        response.refresh();
        response
    }

    /// Regressors of a week: the logarithm of price over its mean so far, and the covariates.
    pub(super) fn regressors(
        &self,
        relative_price: f64,
        covariates: impl Iterator<Item = f64>,
    ) -> DVector<f64> {
        let price = relative_price.ln().clamp(-1.0, 1.0);
        DVector::from_iterator(self.width, std::iter::once(price).chain(covariates))
    }

    /// Adds a week of a product whose mean demand so far, this week included, is `mean`.
    pub(super) fn push(&mut self, product: usize, x: &DVector<f64>, demand: f64, mean: f64) {
        if mean > 0.0 {
            let y = ((demand + SHIFT * mean) / ((1.0 + SHIFT) * mean)).ln();
            self.products[product].push(x, y);
        }
    }

    /// Takes the weeks pushed into the slopes of all products together.
    pub(super) fn refresh(&mut self) {
        let mut xx = DMatrix::zeros(self.width, self.width);
        let mut xy = DVector::zeros(self.width);
        let mut freedom = 0.0;
        for sums in &self.products {
            let (own, response) = sums.centred();
            xx += own;
            xy += response;
            freedom += (sums.n - 1.0).max(0.0);
        }
        self.variance = xx.diagonal() / f64::max(freedom, 1.0);
        self.variance[0] = self.variance[0].max(PRICE_FLOOR);
        let mut prior = &self.variance * ELASTICITY_PRIOR;
        // A covariate that never moved keeps a slope of zero.
        prior
            .iter_mut()
            .for_each(|p| *p = p.max(f64::MIN_POSITIVE.sqrt()));
        xy[0] += prior[0] * ELASTICITY;
        xx += DMatrix::from_diagonal(&prior);
        self.pooled = solve(xx, &xy).unwrap_or_else(|| self.pooled.clone());
    }

    /// The slopes of a product, drawn towards those of all.
    pub(super) fn slopes(&self, product: usize) -> DVector<f64> {
        let (mut xx, mut xy) = self.products[product].centred();
        for k in 0..self.width {
            let prior = (PRIOR * self.variance[k]).max(f64::MIN_POSITIVE.sqrt());
            xx[(k, k)] += prior;
            xy[k] += prior * self.pooled[k];
        }
        solve(xx, &xy).unwrap_or_else(|| self.pooled.clone())
    }

    /// The logarithm of what a week's plan does to demand, given the slopes: the part of the price, and that of the covariates as
    /// they differ from their mean so far.
    pub(super) fn effect(
        &self,
        product: usize,
        slopes: &DVector<f64>,
        x: &DVector<f64>,
    ) -> (f64, f64) {
        let sums = &self.products[product];
        let price = slopes[0].clamp(-8.0, 2.0) * x[0];
        let rest: f64 = (1..self.width)
            .map(|k| {
                let mean = if sums.n > 0.0 {
                    sums.x[k] / sums.n
                } else {
                    x[k]
                };
                slopes[k] * (x[k] - mean)
            })
            .sum();
        (price, rest.clamp(-3.0, 3.0))
    }
}

fn solve(matrix: DMatrix<f64>, right: &DVector<f64>) -> Option<DVector<f64>> {
    // Regressors differ in scale: the factorisation sees them all at one.
    let scale = matrix
        .diagonal()
        .map(|d| 1.0 / d.max(f64::MIN_POSITIVE).sqrt());
    let n = count(scale.len());
    let scaled = DMatrix::from_fn(scale.len(), scale.len(), |i, j| {
        matrix[(i, j)] * scale[i] * scale[j] + if i == j { 1e-12 * n } else { 0.0 }
    });
    let solution = scaled.cholesky()?.solve(&right.component_mul(&scale));
    Some(solution.component_mul(&scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A covariate that has only ever had one value has no slope, whatever the value: not that of the rounding of its mean.
    #[test]
    fn what_never_moved_has_no_slope() {
        for value in [0.3, 1.0, 1e-7, 123_456.7] {
            let mut response = Response::new(2, 1);
            for week in 0..23_u32 {
                let demand = f64::from(3 + week * week % 11);
                for product in 0..2 {
                    let x = response.regressors(1.0, std::iter::once(value));
                    response.push(product, &x, demand, 7.0);
                }
                response.refresh();
            }
            let slope = response.slopes(0)[1] * value;
            assert!(slope.abs() < 1e-9, "{value}: {slope}");
        }
    }

    /// What price and promotion do to demand is found, and does not depend on the unit of demand or on the scale of a covariate.
    #[test]
    fn true_effects_are_found_in_any_unit() {
        let found = |unit: f64, scale: f64| -> Vec<f64> {
            let mut response = Response::new(5, 1);
            let mut sums = [0.0; 5];
            for week in 0..80_u32 {
                let at = week as usize;
                for (product, sum) in sums.iter_mut().enumerate() {
                    let promoted = f64::from(u8::from((at + product).is_multiple_of(6)));
                    let price: f64 = if (at * 3 + product).is_multiple_of(5) {
                        0.8
                    } else {
                        1.0
                    };
                    let demand = 10.0 * (-2.5 * price.ln() + 0.7 * promoted).exp();
                    *sum += demand * unit;
                    let x = response.regressors(price, std::iter::once(promoted * scale));
                    response.push(product, &x, demand * unit, *sum / f64::from(week + 1));
                }
                response.refresh();
            }
            let slopes = response.slopes(2);
            let of = |price: f64, promoted: f64| {
                let x = response.regressors(price, std::iter::once(promoted * scale));
                let (price, rest) = response.effect(2, &slopes, &x);
                factor(price + rest)
            };
            // The effect is against an ordinary week, which has a sixth of a promotion.
            let ordinary = of(1.0, 0.0);
            vec![of(0.8, 0.0) / ordinary, of(1.0, 1.0) / ordinary]
        };
        let plain = found(1.0, 1.0);
        assert!((plain[0] - 0.8_f64.powf(-2.5)).abs() < 0.15, "{plain:?}");
        assert!((plain[1] - 0.7_f64.exp()).abs() < 0.2, "{plain:?}");
        for (unit, scale) in [(1e-3, 1.0), (1e4, 1.0), (1.0, 100.0), (12.0, 0.01)] {
            for (a, b) in plain.iter().zip(found(unit, scale)) {
                assert!((a - b).abs() < 1e-6, "{plain:?}");
            }
        }
    }

    /// A covariate that never moves and prices that never move leave the prior.
    #[test]
    fn what_never_moves_tells_nothing() {
        let mut response = Response::new(1, 1);
        for _ in 0..30 {
            let x = response.regressors(1.0, std::iter::once(3.0));
            response.push(0, &x, 5.0, 5.0);
            response.refresh();
        }
        let slopes = response.slopes(0);
        assert!(
            (slopes[0] - ELASTICITY).abs() < 1e-6 && slopes[1].abs() < 1e-6,
            "{slopes:?}"
        );
    }
}
