//! The vectors of a basis: prices and violations, the row of a constraint, the column of a variable.

use super::Rows;
use super::pricing::Leaving;
use super::simplex::{Entering, NONE, Simplex};

impl<R: Rows> Simplex<'_, R> {
    /// Reduced costs and multipliers from the inverse.
    pub(super) fn set_prices(&mut self) {
        let cost: Vec<f64> = self.basic.iter().map(|&j| self.cost[j]).collect();
        let mut y = Vec::new();
        self.inverse.left(&cost, &mut y);
        self.multiplier.clear();
        self.multiplier.extend_from_slice(&y[1..]);
        self.first = y[0];
        self.price_columns();
    }

    /// Reduced costs of all columns from the multipliers.
    pub(super) fn price_columns(&mut self) {
        for (j, p) in self.price.iter_mut().enumerate() {
            *p = if self.rows.normalised(j) {
                self.first
            } else {
                0.0
            } - self.cost[j];
        }
        for (&r, &y) in self.tight.iter().zip(&self.multiplier) {
            let y = y * self.reduced.scale[r];
            let price = &mut self.price;
            self.rows.entries(r, |j, v| price[j] += y * v);
        }
    }

    pub(super) fn set_violations(&mut self) {
        self.violation.fill(0.0);
        for (&j, &p) in self.basic.iter().zip(&self.x) {
            self.rows.add_column(j, p, &mut self.violation);
        }
        self.scale_rows_of(Field::Violation);
    }

    pub(super) fn scale_rows_of(&mut self, field: Field) {
        let values = match field {
            Field::Violation => &mut self.violation,
            Field::Direction => &mut self.direction,
            Field::Tau => &mut self.tau_slack,
        };
        for (v, s) in values.iter_mut().zip(&self.reduced.scale) {
            *v *= s;
        }
    }

    /// Writes the leaving constraint's row into `rho` and `alpha`; returns its value.
    pub(super) fn form_row(&mut self, leaving: Leaving) -> f64 {
        self.alpha.fill(0.0);
        let value = match leaving {
            Leaving::Basic(i) => {
                self.inverse.row(i, &mut self.rho);
                self.x[i]
            }
            Leaving::Row(r) => {
                let scale = self.reduced.scale[r];
                let mut met = Vec::new();
                self.rows.entries(r, |j, v| {
                    let g = scale * v;
                    self.alpha[j] += g;
                    if self.position[j] != NONE && g != 0.0 {
                        met.push((self.position[j], -g));
                    }
                });
                self.inverse.left_sparse(&met, &mut self.rho);
                -self.violation[r]
            }
        };
        let first = self.rho[0];
        if first != 0.0 {
            for (j, a) in self.alpha.iter_mut().enumerate() {
                if self.rows.normalised(j) {
                    *a += first;
                }
            }
        }
        for (&r, &p) in self.tight.iter().zip(&self.rho[1..]) {
            if p.abs() > 1e-15 {
                let p = p * self.reduced.scale[r];
                let alpha = &mut self.alpha;
                self.rows.entries(r, |j, v| alpha[j] += p * v);
            }
        }
        value
    }

    /// Writes the entering variable's column into `image` and `direction`.
    pub(super) fn form_column(&mut self, entering: Entering) {
        self.direction.fill(0.0);
        match entering {
            Entering::Column(j) => {
                self.rows.add_column(j, 1.0, &mut self.direction);
                let mut column = Vec::with_capacity(self.basic.len());
                column.push(if self.rows.normalised(j) { 1.0 } else { 0.0 });
                column.extend(
                    self.tight
                        .iter()
                        .map(|&r| self.direction[r] * self.reduced.scale[r]),
                );
                self.inverse.times(&column, &mut self.image);
            }
            Entering::Slack(t) => {
                self.image.clear();
                self.image.extend_from_slice(self.inverse.column(t + 1));
            }
        }
        for (&j, &a) in self.basic.iter().zip(&self.image) {
            if a != 0.0 {
                self.rows.add_column(j, -a, &mut self.direction);
            }
        }
        self.scale_rows_of(Field::Direction);
    }
}

/// Vectors over all rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Violation,
    Direction,
    Tau,
}
