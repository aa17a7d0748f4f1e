//! The dual simplex method over a small inverse, with perturbed costs, and primal steps for the true costs at the end.

use super::certificate::{self, Claim, Optimum, PROOF};
use super::inverse::{Inverse, dot};
use super::presolve::Reduced;
use super::pricing::{Leaving, Weights};
use super::ratio::{PIVOT, Ratio};
use super::{Rows, axpy};
use crate::error::{GamesError, Method, real};

/// Largest violation of a constraint that counts as none; rows are scaled to a largest entry of 1.
const FEASIBLE: f64 = 1e-10;
/// How far reduced costs may be driven below zero by one step of the dual ratio test.
const HARRIS: f64 = 1e-9;
/// Size of the perturbation of costs, whose spread is 1.
const PERTURBATION: f64 = 1e-7;
/// Reduced costs above minus this are optimal.
const OPTIMAL: f64 = 1e-11;

/// Largest residual of the equations of a basis, relative to the largest value or multiplier.
const RESIDUAL: f64 = 1e-12;
/// Pivots between recomputations.
const REFRESH: usize = 250;

/// Position of a column that is not basic.
const NONE: usize = usize::MAX;

/// A nonbasic variable: a column, or the slack of the tight row at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entering {
    Column(usize),
    Slack(usize),
}

/// Why a run stopped without an answer.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// No point satisfies the rows.
    Infeasible,
    /// The basis became singular or the pivot limit was reached.
    Stuck,
}

struct Simplex<'a, R: Rows> {
    rows: &'a R,
    reduced: &'a Reduced,
    /// Unperturbed costs with a spread of 1.
    true_cost: &'a [f64],
    cost: Vec<f64>,
    /// Position of each column among the basic ones, or `NONE`.
    position: Vec<usize>,
    basic: Vec<usize>,
    tight: Vec<usize>,
    inverse: Inverse,
    x: Vec<f64>,
    /// Reduced costs of columns (0 when basic) and of the slacks of tight rows.
    price: Vec<f64>,
    multiplier: Vec<f64>,
    /// Multiplier of the normalisation.
    first: f64,
    /// Scaled activity of all rows: positive when violated.
    violation: Vec<f64>,
    weights: Weights,
    /// Row of the leaving constraint: over the inverse's columns, and over all columns.
    rho: Vec<f64>,
    alpha: Vec<f64>,
    /// Column of the entering variable: over the basic columns, and over the slacks of all rows.
    image: Vec<f64>,
    direction: Vec<f64>,
    tau: Vec<f64>,
    tau_slack: Vec<f64>,
    since: usize,
    pivots: usize,
    limit: usize,
}

/// Solves the programme; `None` when no `x` satisfies the rows.
///
/// # Errors
/// [`GamesError::NotConverged`] when no attempt ends with a proof.
pub(in super::super) fn maximise<R: Rows>(
    rows: &R,
    cost: &[f64],
) -> Result<Option<Optimum>, GamesError> {
    let n = cost.len();
    let reduced = Reduced::new(rows, n);
    let left = |j: &usize| reduced.alive[*j] && rows.normalised(*j);
    let (low, high) = (0..n)
        .filter(left)
        .map(|j| cost[j])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), c| {
            (l.min(c), h.max(c))
        });
    if low > high {
        return Ok(None);
    }
    let outside = (0..n)
        .filter(|&j| !rows.normalised(j))
        .map(|j| cost[j].abs())
        .fold(0.0, f64::max);
    // What rounding leaves of a constant is no spread.
    let (bottom, top) = cost
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &c| {
            (l.min(c), h.max(c))
        });
    let rounding = 1e-6 * (top - bottom) + 1e-13 * top.abs().max(bottom.abs());
    let spread = match (high - low).max(outside).max(rounding) {
        s if s > 0.0 => s,
        _ => 1.0,
    };
    let scaled: Vec<f64> = (0..n)
        .map(|j| (cost[j] - if rows.normalised(j) { low } else { 0.0 }) / spread)
        .collect();
    let mut last: Option<Claim> = None;
    let mut pivots = 0;
    for attempt in 0..4 {
        let mut simplex = Simplex::new(rows, &reduced, &scaled);
        let end = simplex.run(attempt);
        pivots += simplex.pivots;
        match end {
            Err(Stop::Infeasible) => return Ok(None),
            Err(Stop::Stuck) => continue,
            Ok(()) => {}
        }
        let claim = simplex.claim(pivots);
        if claim.doubt <= PROOF {
            return Ok(Some(claim.optimum.in_units(cost, spread)));
        }
        if last.as_ref().is_none_or(|l| claim.doubt < l.doubt) {
            last = Some(claim);
        }
    }
    Err(GamesError::NotConverged {
        method: Method::DualSimplex,
        residual: last.map_or(f64::INFINITY, |l| l.doubt),
        iterations: pivots,
    })
}

impl<'a, R: Rows> Simplex<'a, R> {
    fn new(rows: &'a R, reduced: &'a Reduced, cost: &'a [f64]) -> Self {
        let (n, m) = (cost.len(), rows.count());
        Self {
            rows,
            reduced,
            true_cost: cost,
            cost: cost.to_vec(),
            position: vec![NONE; n],
            basic: Vec::new(),
            tight: Vec::new(),
            inverse: Inverse::one(),
            x: Vec::new(),
            price: vec![0.0; n],
            multiplier: Vec::new(),
            first: 0.0,
            violation: vec![0.0; m],
            weights: Weights::default(),
            rho: Vec::new(),
            alpha: vec![0.0; n],
            image: Vec::new(),
            direction: vec![0.0; m],
            tau: Vec::new(),
            tau_slack: vec![0.0; m],
            since: 0,
            pivots: 0,
            limit: 20 * (n + m.min(20_000)) + 2000,
        }
    }

    fn run(&mut self, attempt: usize) -> Result<(), Stop> {
        self.start(attempt);
        self.dual_phase()?;
        // The true costs: usually the same vertex is optimal; otherwise a few primal steps.
        for _ in 0..10 {
            self.cost.copy_from_slice(self.true_cost);
            self.refresh()?;
            self.primal_phase()?;
            self.refresh()?;
            if self.leaving().is_none() {
                return Ok(());
            }
            // Rounding uncovered a violated row: repair it with slightly lowered costs, then return to the true ones.
            self.lower_costs();
            self.dual_phase()?;
        }
        Ok(())
    }

    /// The vertex that puts everything on the best normalised column: dual feasible, with exact weights.
    fn start(&mut self, attempt: usize) {
        let n = self.cost.len();
        for (j, c) in self.cost.iter_mut().enumerate() {
            // Lowered only: columns outside the normalisation keep their sign.
            *c -= PERTURBATION * (0.5 + jitter(j + attempt * n));
        }
        let mut best = NONE;
        for j in 0..n {
            if self.reduced.alive[j]
                && self.rows.normalised(j)
                && (best == NONE || self.cost[j] > self.cost[best])
            {
                best = j;
            }
        }
        self.basic.push(best);
        self.position[best] = 0;
        self.x.push(1.0);
        self.set_prices();
        self.set_violations();
        self.weights.basic = vec![1.0];
        self.weights.slack = self.violation.iter().map(|v| 1.0 + v * v).collect();
    }

    fn free(&self, j: usize) -> bool {
        self.position[j] == NONE && self.reduced.alive[j]
    }

    fn leaving(&self) -> Option<Leaving> {
        self.weights.leaving(&self.x, &self.violation, FEASIBLE)
    }

    /// Reduced costs and multipliers from the inverse.
    fn set_prices(&mut self) {
        let cost: Vec<f64> = self.basic.iter().map(|&j| self.cost[j]).collect();
        let mut y = Vec::new();
        self.inverse.left(&cost, &mut y);
        self.multiplier.clear();
        self.multiplier.extend_from_slice(&y[1..]);
        self.first = y[0];
        self.price_columns();
    }

    /// Reduced costs of all columns from the multipliers.
    fn price_columns(&mut self) {
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

    fn set_violations(&mut self) {
        self.violation.fill(0.0);
        for (&j, &p) in self.basic.iter().zip(&self.x) {
            self.rows.add_column(j, p, &mut self.violation);
        }
        self.scale_rows_of(Field::Violation);
    }

    fn scale_rows_of(&mut self, field: Field) {
        let values = match field {
            Field::Violation => &mut self.violation,
            Field::Direction => &mut self.direction,
            Field::Tau => &mut self.tau_slack,
        };
        for (v, s) in values.iter_mut().zip(&self.reduced.scale) {
            *v *= s;
        }
    }

    fn lower_costs(&mut self) {
        for j in 0..self.cost.len() {
            if self.price[j] < 0.0 && self.free(j) {
                self.cost[j] += self.price[j];
                self.price[j] = 0.0;
            }
        }
        self.multiplier.iter_mut().for_each(|y| *y = y.max(0.0));
    }

    /// Writes the leaving constraint's row into `rho` and `alpha`; returns its value.
    fn form_row(&mut self, leaving: Leaving) -> f64 {
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
    fn form_column(&mut self, entering: Entering) {
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

    fn price_of(&self, entering: Entering) -> f64 {
        match entering {
            Entering::Column(j) => self.price[j],
            Entering::Slack(t) => self.multiplier[t],
        }
    }

    /// The leaving row's entry at a nonbasic variable.
    fn across(&self, entering: Entering) -> f64 {
        match entering {
            Entering::Column(j) => self.alpha[j],
            Entering::Slack(t) => self.rho[t + 1],
        }
    }

    /// The entering column's entry at a basic variable.
    fn down(&self, leaving: Leaving) -> f64 {
        match leaving {
            Leaving::Basic(i) => self.image[i],
            Leaving::Row(r) => self.direction[r],
        }
    }

    fn dual_ratio(&self) -> Option<Entering> {
        let n = self.alpha.len();
        let mut ratio = Ratio::new(HARRIS);
        for j in 0..n {
            if self.alpha[j] < 0.0 && self.free(j) {
                ratio.bound(self.price[j], -self.alpha[j]);
            }
        }
        for (&y, &p) in self.multiplier.iter().zip(&self.rho[1..]) {
            ratio.bound(y, -p);
        }
        for j in 0..n {
            if self.alpha[j] < 0.0 && self.free(j) {
                ratio.choose(j, self.price[j], -self.alpha[j]);
            }
        }
        for (t, (&y, &p)) in self.multiplier.iter().zip(&self.rho[1..]).enumerate() {
            ratio.choose(n + t, y, -p);
        }
        ratio.best().map(|at| {
            if at < n {
                Entering::Column(at)
            } else {
                Entering::Slack(at - n)
            }
        })
    }

    /// Dual simplex to a feasible vertex.
    fn dual_phase(&mut self) -> Result<(), Stop> {
        while let Some(leaving) = self.leaving() {
            let value = self.form_row(leaving);
            let Some(entering) = self.dual_ratio() else {
                if self.since > 0 {
                    self.renew()?;
                    continue;
                }
                if value > -PROOF {
                    return Ok(()); // a violation within rounding and no way to repair it
                }
                return Err(Stop::Infeasible);
            };
            self.form_column(entering);
            if self.drifted(leaving, entering) && self.since > 0 {
                self.renew()?;
                continue;
            }
            let down = self.down(leaving);
            if down > -PIVOT {
                return Err(Stop::Stuck);
            }
            self.pivot(leaving, entering, value / down)?;
        }
        Ok(())
    }

    /// Whether the two ways to the pivot, by its row and by its column, differ: the inverse has drifted then.
    fn drifted(&self, leaving: Leaving, entering: Entering) -> bool {
        let (across, down) = (self.across(entering), self.down(leaving));
        (across - down).abs() > 1e-8 * down.abs().max(1e-3)
    }

    /// Primal simplex from a feasible vertex, until no reduced cost is negative.
    fn primal_phase(&mut self) -> Result<(), Stop> {
        let mut stalled = 0usize;
        let start = self.pivots;
        loop {
            let mut entering = None;
            let mut least = -OPTIMAL;
            for j in 0..self.price.len() {
                if self.price[j] < least && self.free(j) {
                    entering = Some(Entering::Column(j));
                    least = self.price[j];
                    if stalled > 200 {
                        break; // first improving column, against cycling
                    }
                }
            }
            for (t, &y) in self.multiplier.iter().enumerate() {
                if y < least {
                    entering = Some(Entering::Slack(t));
                    least = y;
                }
            }
            let Some(entering) = entering else {
                return Ok(());
            };
            if self.pivots - start > 5000 {
                return Ok(()); // the certificate says how far from the optimum this is
            }
            self.form_column(entering);
            let Some(leaving) = self.primal_ratio() else {
                if self.since > 0 {
                    self.renew()?;
                    continue;
                }
                return Ok(());
            };
            let value = match leaving {
                Leaving::Basic(i) => self.x[i],
                Leaving::Row(r) => -self.violation[r],
            };
            self.form_row(leaving);
            if self.drifted(leaving, entering) && self.since > 0 {
                self.renew()?;
                continue;
            }
            let step = value.max(0.0) / self.down(leaving);
            stalled = if step > 1e-12 { 0 } else { stalled + 1 };
            self.pivot(leaving, entering, step)?;
        }
    }

    fn primal_ratio(&self) -> Option<Leaving> {
        let k = self.basic.len();
        let mut ratio = Ratio::new(FEASIBLE);
        for (&x, &a) in self.x.iter().zip(&self.image) {
            ratio.bound(x, a);
        }
        // Tight rows do not move, but for the one that enters, which only falls.
        for (&v, &d) in self.violation.iter().zip(&self.direction) {
            ratio.bound(-v, d);
        }
        for (i, (&x, &a)) in self.x.iter().zip(&self.image).enumerate() {
            ratio.choose(i, x, a);
        }
        for (r, (&v, &d)) in self.violation.iter().zip(&self.direction).enumerate() {
            ratio.choose(k + r, -v, d);
        }
        ratio.best().map(|at| {
            if at < k {
                Leaving::Basic(at)
            } else {
                Leaving::Row(at - k)
            }
        })
    }

    /// Exchanges `leaving` (its row is in `rho` and `alpha`) and `entering` (its column is in `image` and `direction`), which takes the value `step`.
    fn pivot(&mut self, leaving: Leaving, entering: Entering, step: f64) -> Result<(), Stop> {
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

    fn move_weights(&mut self, leaving: Leaving, pivot: f64) {
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
    fn refresh(&mut self) -> Result<(), Stop> {
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
    fn refine(&mut self) -> bool {
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

    fn invert(&mut self) -> Result<(), Stop> {
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
    fn renew(&mut self) -> Result<(), Stop> {
        self.invert()?;
        self.refresh()
    }

    fn claim(&self, pivots: usize) -> Claim {
        let mut x = vec![0.0; self.true_cost.len()];
        for (&j, &v) in self.basic.iter().zip(&self.x) {
            x[j] = v;
        }
        let y = self
            .tight
            .iter()
            .zip(&self.multiplier)
            .map(|(&r, &y)| (r, y * self.reduced.scale[r]));
        certificate::claim(self.rows, self.true_cost, self.reduced, x, y, pivots)
    }
}

/// Vectors over all rows.
#[derive(Debug, Clone, Copy)]
enum Field {
    Violation,
    Direction,
    Tau,
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, v| a.max(v.abs()))
}

/// A number in $[0,1)$ that depends on `j` alone.
fn jitter(j: usize) -> f64 {
    let mut z = (j as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    real(((z ^ (z >> 31)) >> 40) as usize) / 16_777_216.0
}
