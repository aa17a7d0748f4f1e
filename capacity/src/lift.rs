//! What prices and planned covariates do to demand.

use std::ops::Range;

use hindsight_exo_idp::Panel;
use nalgebra::{DMatrix, DVector};

use crate::record::Record;

/// Weight of the ridge, in rows of the record: collinear covariates share their effect.
const RIDGE: f64 = 10.0;
/// An index lies within these bounds.
const BOUNDS: [f64; 2] = [0.1, 20.0];

impl Record<'_> {
    /// The index of demand that prices and planned covariates give, `[week * products + product]`: a log-linear regression with a level of every
    /// product, fitted on `weeks`,
    /// $$ \ln(d_{it} + 0.1 \bar d_i) = a_i + \sum_k \beta_k x_{kit}, $$
    /// $x$ the logarithm of the price and the planned covariates. An index of one is demand at a product's mean $x$. Indices are cut to
    /// $[0.1, 20]$. Our own formulation.
    #[must_use]
    pub fn planned_index(panel: &Panel, weeks: Range<usize>) -> Vec<f64> {
        let planned: Vec<usize> = (0..panel.covariates().len())
            .filter(|&k| panel.covariates()[k].planned)
            .collect();
        let terms = planned.len() + 1;
        let row = |product: usize, week: usize| -> DVector<f64> {
            let log = panel.price(product, week).max(1e-9).ln();
            let others = planned.iter().map(|&k| panel.covariate(k, product, week));
            DVector::from_iterator(terms, std::iter::once(log).chain(others))
        };
        let mut means = Vec::with_capacity(panel.products());
        let mut gram = DMatrix::identity(terms, terms) * RIDGE;
        let mut moments = DVector::zeros(terms);
        for product in 0..panel.products() {
            let own: Vec<usize> = weeks
                .clone()
                .filter(|&week| panel.present(product, week))
                .collect();
            let n = crate::error::count(own.len().max(1));
            let level = own.iter().map(|&t| panel.demand(product, t)).sum::<f64>() / n;
            let mut mean = DVector::zeros(terms);
            for &week in &own {
                mean += row(product, week) / n;
            }
            if level > 0.0 {
                let log = |week: usize| (panel.demand(product, week) + 0.1 * level).ln();
                let centre = own.iter().map(|&t| log(t)).sum::<f64>() / n;
                for &week in &own {
                    let x = row(product, week) - &mean;
                    moments += &x * (log(week) - centre);
                    gram += &x * x.transpose();
                }
            }
            means.push(mean);
        }
        // A ridge makes the matrix positive definite.
        let effects = gram
            .cholesky()
            .map_or_else(|| DVector::zeros(terms), |factors| factors.solve(&moments));
        let index = |week: usize, product: usize| {
            let x = row(product, week) - &means[product];
            effects.dot(&x).exp().clamp(BOUNDS[0], BOUNDS[1])
        };
        (0..panel.weeks())
            .flat_map(|week| (0..panel.products()).map(move |product| (week, product)))
            .map(|(week, product)| index(week, product))
            .collect()
    }
}
