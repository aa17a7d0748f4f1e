//! One exchange of variables, and the recomputation of everything from the original data.

use super::axpy;
use super::inverse::dot;
use super::pricing::Leaving;
use super::simplex::{Entering, NONE, Simplex, Stop};
use super::{Rows, vectors::Field};

/// Largest residual of the equations of a basis, relative to the largest value or multiplier.
const RESIDUAL: f64 = 1e-12;
/// Pivots between recomputations.
const REFRESH: usize = 250;

impl<R: Rows> Simplex<'_, R> {
    /// Exchanges `leaving` (its row is in `rho` and `alpha`) and `entering` (its column is in `image` and `direction`), which takes the value `step`.
    pub(super) fn pivot(
        &mut self,
        leaving: Leaving,
        entering: Entering,
        step: f64,
    ) -> Result<(), Stop> {
        let pivot = self.down(leaving);
        self.move_weights(leaving, pivot);
        let weight = {
            let norm = dot(&self.rho, &self.rho);
            (norm
                + if matches!(leaving, Leaving::Row(_)) {
                    1.0
                } else {
                    0.0
                })
                / (pivot * pivot)
        };
        axpy(-step, &self.image, &mut self.x);
        axpy(step, &self.direction, &mut self.violation);
        let ratio = self.price_of(entering) / pivot;
        axpy(-ratio, &self.alpha, &mut self.price);
        axpy(-ratio, &self.rho[1..], &mut self.multiplier);
        for &j in &self.basic {
            self.price[j] = 0.0;
        }
        if let Leaving::Row(_) = leaving {
            self.rho.iter_mut().for_each(|v| *v = -*v);
        }
        match (entering, leaving) {
            (Entering::Column(j), Leaving::Basic(i)) => {
                self.inverse.exchange_column(i, &self.image);
                let out = std::mem::replace(&mut self.basic[i], j);
                (self.position[out], self.position[j]) = (NONE, i);
                (self.price[out], self.price[j]) = (-ratio, 0.0);
                (self.x[i], self.weights.basic[i]) = (step, weight);
            }
            (Entering::Column(j), Leaving::Row(r)) => {
                self.inverse.grow(&self.image, &self.rho, pivot);
                self.position[j] = self.basic.len();
                self.basic.push(j);
                self.price[j] = 0.0;
                self.x.push(step);
                self.weights.basic.push(weight);
                self.tight.push(r);
                self.multiplier.push(-ratio);
                self.violation[r] = 0.0;
            }
            (Entering::Slack(t), Leaving::Basic(i)) => {
                self.inverse.shrink(i, t + 1);
                self.weights.slack[self.tight[t]] = weight;
                let out = self.basic.swap_remove(i);
                self.position[out] = NONE;
                if let Some(&moved) = self.basic.get(i) {
                    self.position[moved] = i;
                }
                self.price[out] = -ratio;
                self.x.swap_remove(i);
                self.weights.basic.swap_remove(i);
                self.tight.swap_remove(t);
                self.multiplier.swap_remove(t);
            }
            (Entering::Slack(t), Leaving::Row(r)) => {
                self.inverse.exchange_row(t + 1, &self.rho);
                let out = std::mem::replace(&mut self.tight[t], r);
                self.weights.slack[out] = weight;
                self.multiplier[t] = -ratio;
                self.violation[r] = 0.0;
            }
        }
        self.pivots += 1;
        self.since += 1;
        if self.pivots > self.limit {
            return Err(Stop::Stuck);
        }
        if self.since >= REFRESH {
            self.refresh()?;
        }
        Ok(())
    }

    pub(super) fn move_weights(&mut self, leaving: Leaving, pivot: f64) {
        self.inverse.times(&self.rho, &mut self.tau);
        self.tau_slack.fill(0.0);
        for (&j, &a) in self.basic.iter().zip(&self.tau) {
            self.rows.add_column(j, -a, &mut self.tau_slack);
        }
        self.scale_rows_of(Field::Tau);
        let norm = dot(&self.rho, &self.rho);
        let weight = match leaving {
            Leaving::Basic(_) => norm,
            Leaving::Row(_) => norm + 1.0,
        };
        self.weights.update(
            pivot,
            weight,
            (&self.image, &self.direction),
            (&self.tau, &self.tau_slack),
        );
    }

    /// Recomputes values, prices and violations from the original data; the inverse only serves to refine them, and is formed anew when it does not.
    pub(super) fn refresh(&mut self) -> Result<(), Stop> {
        self.since = 0;
        for _ in 0..2 {
            self.x.clear();
            self.x.extend_from_slice(self.inverse.column(0));
            self.set_prices();
            if self.refine() {
                for &j in &self.basic {
                    self.price[j] = 0.0;
                }
                for &r in &self.tight {
                    self.violation[r] = 0.0;
                }
                return Ok(());
            }
            self.invert()?;
        }
        Err(Stop::Stuck)
    }

    /// Refines values and multipliers by their residuals; whether these end below [`RESIDUAL`].
    pub(super) fn refine(&mut self) -> bool {
        let (mut residual, mut correction) = (Vec::new(), Vec::new());
        for step in 0..4 {
            self.set_violations();
            residual.clear();
            let used: f64 = self
                .basic
                .iter()
                .zip(&self.x)
                .filter(|(j, _)| self.rows.normalised(**j))
                .map(|(_, x)| x)
                .sum();
            residual.push(1.0 - used);
            residual.extend(self.tight.iter().map(|&r| -self.violation[r]));
            let worst = largest(&residual) / largest(&self.x).max(1.0);
            self.inverse.times(&residual, &mut correction);
            axpy(1.0, &correction, &mut self.x);
            residual.clear();
            residual.extend(self.basic.iter().map(|&j| self.price[j]));
            let size = largest(&self.multiplier).max(self.first.abs()).max(1.0);
            let worst = worst.max(largest(&residual) / size);
            if worst < RESIDUAL {
                return true;
            }
            if step == 3 || worst > 1e-3 {
                return false;
            }
            self.inverse.left(&residual, &mut correction);
            self.first -= correction[0];
            axpy(-1.0, &correction[1..], &mut self.multiplier);
            self.price_columns();
        }
        false
    }

    pub(super) fn invert(&mut self) -> Result<(), Stop> {
        let k = self.basic.len();
        let mut matrix = vec![0.0; k * k];
        for (m, &j) in matrix.iter_mut().zip(&self.basic) {
            *m = if self.rows.normalised(j) { 1.0 } else { 0.0 };
        }
        for (&r, row) in self.tight.iter().zip(matrix.chunks_exact_mut(k).skip(1)) {
            let scale = self.reduced.scale[r];
            self.rows.entries(r, |j, v| {
                if self.position[j] != NONE {
                    row[self.position[j]] += scale * v;
                }
            });
        }
        if self.inverse.invert(&mut matrix, k) {
            Ok(())
        } else {
            Err(Stop::Stuck)
        }
    }

    /// After a sign that the inverse has drifted.
    pub(super) fn renew(&mut self) -> Result<(), Stop> {
        self.invert()?;
        self.refresh()
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, v| a.max(v.abs()))
}
