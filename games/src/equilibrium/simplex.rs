//! Linear programmes over a probability simplex with implicit rows: a dual simplex method that forms a row only when it is violated.
//!
//! $$\max_{x\ge0}\ c\cdot x \quad\text{s.t.}\quad \sum_{j\in J}x_j=1,\quad Gx\le0,$$
//!
//! where columns outside $J$ must have $c_j\le0$. Every programme of this crate has this form. The rows of correlated equilibrium
//! are many, highly degenerate (right-hand sides are all zero) and almost never binding, and an optimal vertex has few positive
//! columns. So the tableau holds only the positive columns; the activity of all rows is computed from the few positive columns. Costs
//! are perturbed against ties; the true costs come back at the end, followed by primal steps where they are needed. Each claimed optimum is
//! recomputed from the original data and carries its residuals.

use super::programme::{Optimum, Rows, axpy, jitter};
use crate::error::GamesError;
use crate::game::dot;

const TOL: f64 = 1e-9;
const PIVOT: f64 = 1e-9;
const REFRESH: usize = 120;
const CANDIDATES: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Var {
    Column(usize),
    Slack(usize),
}

struct Tableau<'a, R: Rows> {
    rows: &'a R,
    n: usize,
    cost: Vec<f64>,
    /// Squared norm of each row when it was last formed; 0 before.
    norm: Vec<f64>,
    /// Basic columns, with their tableau rows (stride `n - 1`) and values.
    basic: Vec<usize>,
    table: Vec<f64>,
    beta: Vec<f64>,
    nonbasic: Vec<Var>,
    tight: Vec<bool>,
    reduced: Vec<f64>,
    activity: Vec<f64>,
    dense: Vec<f64>,
    work: Vec<f64>,
    since: usize,
    pivots: usize,
}

/// Which constraint leaves: a basic column by its position, or the slack of a row.
#[derive(Clone, Copy)]
enum Leaving {
    Basic(usize),
    Row(usize),
}

/// Solves the programme; `None` when no `x` satisfies the rows.
pub(crate) fn maximise<R: Rows>(rows: &R, cost: &[f64]) -> Result<Option<Optimum>, GamesError> {
    let n = cost.len();
    let width = cost.iter().fold(0.0f64, |a, c| a.max(c.abs()));
    let mut lp = Tableau::new(rows, cost);
    // Columns outside the normalisation keep their sign: the perturbation only lowers costs.
    let size = 1e-7 * if width > 0.0 { width } else { 1.0 };
    let perturbed: Vec<f64> = (0..n).map(|j| cost[j] - size * (0.5 + jitter(j))).collect();
    lp.start(&perturbed);
    let limit = 50 * (n + 100) + 20 * rows.count().min(20_000);
    let mut stage = 0;
    loop {
        if !lp.dual_phase(limit)? {
            return Ok(None);
        }
        lp.refresh()?;
        if lp.leaving().is_some() {
            stage += 1;
            if stage > 20 {
                break;
            }
            continue;
        }
        break;
    }
    // The true costs: usually the same vertex is optimal; otherwise a few primal steps.
    lp.cost = cost.to_vec();
    lp.refresh()?;
    for _ in 0..4 {
        lp.primal_phase(limit)?;
        lp.refresh()?;
        if lp.leaving().is_none() {
            break;
        }
        // Rounding uncovered a violated row: repair it with slightly lowered costs, then return to the true ones.
        lp.lower_costs();
        if !lp.dual_phase(limit)? {
            return Ok(None);
        }
        lp.cost = cost.to_vec();
        lp.refresh()?;
    }
    Ok(Some(lp.optimum()))
}

impl<'a, R: Rows> Tableau<'a, R> {
    fn new(rows: &'a R, cost: &[f64]) -> Self {
        let n = cost.len();
        Self {
            rows,
            n,
            cost: cost.to_vec(),
            norm: vec![0.0; rows.count()],
            basic: Vec::new(),
            table: Vec::new(),
            beta: Vec::new(),
            nonbasic: Vec::new(),
            tight: vec![false; rows.count()],
            reduced: Vec::new(),
            activity: vec![0.0; rows.count()],
            dense: vec![0.0; n],
            work: vec![0.0; n.saturating_sub(1)],
            since: 0,
            pivots: 0,
        }
    }

    /// The vertex that puts everything on the best normalised column: dual feasible.
    fn start(&mut self, cost: &[f64]) {
        self.cost = cost.to_vec();
        let mut best = 0;
        for j in 0..self.n {
            if self.rows.normalised(j) && (!self.rows.normalised(best) || cost[j] > cost[best]) {
                best = j;
            }
        }
        self.basic = vec![best];
        self.beta = vec![1.0];
        self.nonbasic = (0..self.n)
            .filter(|&j| j != best)
            .map(Var::Column)
            .collect();
        self.table.clear();
        self.reduced.clear();
        for j in (0..self.n).filter(|&j| j != best) {
            let e = if self.rows.normalised(j) { 1.0 } else { 0.0 };
            self.table.push(e);
            self.reduced.push(cost[best] * e - cost[j]);
        }
    }

    fn lower_costs(&mut self) {
        for (k, var) in self.nonbasic.iter().enumerate() {
            if self.reduced[k] < 0.0 {
                if let Var::Column(j) = *var {
                    self.cost[j] += self.reduced[k];
                }
                self.reduced[k] = 0.0;
            }
        }
    }

    fn width(&self) -> usize {
        self.n - 1
    }

    fn support(&self) -> Vec<(usize, f64)> {
        self.basic
            .iter()
            .copied()
            .zip(self.beta.iter().copied())
            .collect()
    }

    /// The violated constraint whose edge is steepest among the [`CANDIDATES`] that look steepest, if any is violated.
    ///
    /// The steepness of a violation $v$ is $v^2/(1+\lVert R\rVert^2)$ with $R$ the constraint's row over the nonbasic variables. Rows that are not
    /// stored carry the norm from when they were last formed.
    fn leaving(&mut self) -> Option<Leaving> {
        self.activity.fill(0.0);
        let support = self.support();
        self.rows.activity(&support, &mut self.activity);
        let mut top: Vec<(f64, Leaving)> = Vec::with_capacity(CANDIDATES + 1);
        let mut offer = |score: f64, leaving: Leaving| {
            if top.len() < CANDIDATES || score > top[top.len() - 1].0 {
                let at = top.partition_point(|c| c.0 >= score);
                top.insert(at, (score, leaving));
                top.truncate(CANDIDATES);
            }
        };
        let w = self.width();
        for (i, &b) in self.beta.iter().enumerate() {
            if b < -TOL {
                let row = &self.table[i * w..(i + 1) * w];
                offer(b * b / (1.0 + dot(row, row)), Leaving::Basic(i));
            }
        }
        for (r, &g) in self.activity.iter().enumerate() {
            if g > TOL && !self.tight[r] {
                if self.norm[r] == 0.0 {
                    self.dense.fill(0.0);
                    self.rows.row(r, &mut self.dense);
                    self.norm[r] = 1e-30 + dot(&self.dense, &self.dense);
                }
                offer(g * g / self.norm[r], Leaving::Row(r));
            }
        }
        if top.len() == 1 {
            return Some(top[0].1);
        }
        let mut best = None;
        let mut steepest = 0.0;
        for (mut score, leaving) in top {
            if let Leaving::Row(r) = leaving {
                let v = self.form(leaving);
                self.norm[r] = 1.0 + dot(&self.work, &self.work);
                score = v * v / self.norm[r];
            }
            if score > steepest {
                steepest = score;
                best = Some(leaving);
            }
        }
        best
    }

    /// Writes the leaving constraint's row over the nonbasic variables into `work`; returns its value.
    fn form(&mut self, leaving: Leaving) -> f64 {
        let w = self.width();
        match leaving {
            Leaving::Basic(i) => {
                self.work.copy_from_slice(&self.table[i * w..(i + 1) * w]);
                self.beta[i]
            }
            Leaving::Row(r) => {
                self.dense.fill(0.0);
                self.rows.row(r, &mut self.dense);
                for (out, var) in self.work.iter_mut().zip(&self.nonbasic) {
                    *out = match *var {
                        Var::Column(j) => self.dense[j],
                        Var::Slack(_) => 0.0,
                    };
                }
                let mut value = 0.0;
                for (i, &j) in self.basic.iter().enumerate() {
                    let g = self.dense[j];
                    if g != 0.0 {
                        value -= g * self.beta[i];
                        axpy(-g, &self.table[i * w..(i + 1) * w], &mut self.work);
                    }
                }
                value
            }
        }
    }

    /// Dual simplex: true at a feasible vertex, false when the rows cannot be satisfied.
    fn dual_phase(&mut self, limit: usize) -> Result<bool, GamesError> {
        while let Some(leaving) = self.leaving() {
            let value = self.form(leaving);
            // Ratio test in two passes: the smallest bound with a tolerance, then the largest pivot below it.
            let mut bound = f64::INFINITY;
            let mut largest = 0.0f64;
            for (&a, &d) in self.work.iter().zip(&self.reduced) {
                if a < -PIVOT {
                    bound = bound.min((d.max(0.0) + 1e-11) / -a);
                }
                largest = largest.max(a.abs());
            }
            let mut entering = None;
            let mut pivot = 0.0;
            for (k, (&a, &d)) in self.work.iter().zip(&self.reduced).enumerate() {
                if a < -PIVOT && d.max(0.0) <= bound * -a && -a > pivot {
                    pivot = -a;
                    entering = Some(k);
                }
            }
            let Some(k) = entering else {
                if self.since > 0 {
                    self.refresh()?;
                    continue;
                }
                if value > -1e-7 * largest.max(1.0) {
                    return Ok(true); // a violation within rounding and no way to repair it
                }
                return Ok(false);
            };
            self.pivot(leaving, k, value)?;
            if self.pivots > limit {
                return Err(GamesError::NotConverged {
                    method: "dual simplex",
                    residual: -value,
                    iterations: self.pivots,
                });
            }
        }
        Ok(true)
    }

    /// Primal simplex from a feasible vertex, until no reduced cost is negative.
    fn primal_phase(&mut self, limit: usize) -> Result<(), GamesError> {
        let w = self.width();
        let scale = self
            .cost
            .iter()
            .fold(0.0f64, |a, c| a.max(c.abs()))
            .max(1e-300);
        let mut stalled = 0usize;
        let start = self.pivots;
        let mut direction = vec![0.0; self.rows.count()];
        loop {
            let mut entering = None;
            let mut least = -1e-11 * scale;
            for (k, &d) in self.reduced.iter().enumerate() {
                if d < least {
                    entering = Some(k);
                    if stalled > 50 {
                        break; // first improving column, against cycling
                    }
                    least = d;
                }
            }
            let Some(k) = entering else { return Ok(()) };
            if self.pivots - start > limit.min(2000) {
                return Ok(()); // the gap of the result says how far from the optimum this is
            }
            // How every slack falls as the column enters.
            let mut step: Vec<(usize, f64)> = self
                .basic
                .iter()
                .enumerate()
                .map(|(i, &j)| (j, -self.table[i * w + k]))
                .collect();
            if let Var::Column(j) = self.nonbasic[k] {
                step.push((j, 1.0));
            }
            direction.fill(0.0);
            self.rows.activity(&step, &mut direction);
            self.activity.fill(0.0);
            let support = self.support();
            self.rows.activity(&support, &mut self.activity);
            let mut bound = f64::INFINITY;
            let each = |visit: &mut dyn FnMut(Leaving, f64, f64)| {
                for (i, &b) in self.beta.iter().enumerate() {
                    visit(Leaving::Basic(i), b, self.table[i * w + k]);
                }
                for (r, (&g, &d)) in self.activity.iter().zip(&direction).enumerate() {
                    if !self.tight[r] {
                        visit(Leaving::Row(r), -g, d);
                    }
                }
            };
            each(&mut |_, value, fall| {
                if fall > PIVOT {
                    bound = bound.min((value.max(0.0) + TOL) / fall);
                }
            });
            let mut best = None;
            let mut pivot = 0.0;
            each(&mut |leaving, value, fall| {
                if fall > PIVOT && value.max(0.0) <= bound * fall && fall > pivot {
                    pivot = fall;
                    best = Some((leaving, value));
                }
            });
            let Some((leaving, value)) = best else {
                return Ok(());
            };
            stalled = if value.max(0.0) / pivot > 1e-12 {
                0
            } else {
                stalled + 1
            };
            let value = self.form(leaving).max(0.0).min(value.max(0.0));
            self.pivot(leaving, k, value)?;
        }
    }

    /// Exchanges the leaving constraint (its row is in `work`) with nonbasic `k`.
    fn pivot(&mut self, leaving: Leaving, k: usize, value: f64) -> Result<(), GamesError> {
        let w = self.width();
        let inverse = 1.0 / self.work[k];
        for a in &mut self.work {
            *a *= inverse;
        }
        self.work[k] = inverse;
        let step = value * inverse;
        for i in 0..self.basic.len() {
            let row = &mut self.table[i * w..(i + 1) * w];
            let t = row[k];
            if t != 0.0 {
                row[k] = 0.0;
                axpy(-t, &self.work, row);
                self.beta[i] -= t * step;
            }
        }
        let d = self.reduced[k];
        self.reduced[k] = 0.0;
        axpy(-d, &self.work, &mut self.reduced);
        let entering = self.nonbasic[k];
        self.nonbasic[k] = match leaving {
            Leaving::Basic(i) => Var::Column(self.basic[i]),
            Leaving::Row(r) => {
                self.tight[r] = true;
                Var::Slack(r)
            }
        };
        match (entering, leaving) {
            (Var::Column(j), Leaving::Basic(i)) => {
                self.basic[i] = j;
                self.beta[i] = step;
                self.table[i * w..(i + 1) * w].copy_from_slice(&self.work);
            }
            (Var::Column(j), Leaving::Row(_)) => {
                self.basic.push(j);
                self.beta.push(step);
                self.table.extend_from_slice(&self.work);
            }
            (Var::Slack(r), leaving) => {
                self.tight[r] = false;
                if let Leaving::Basic(i) = leaving {
                    let last = self.basic.len() - 1;
                    self.basic.swap_remove(i);
                    self.beta.swap_remove(i);
                    if i < last {
                        self.table.copy_within(last * w..(last + 1) * w, i * w);
                    }
                    self.table.truncate(last * w);
                }
            }
        }
        self.pivots += 1;
        self.since += 1;
        if self.since >= REFRESH {
            self.refresh()?;
        }
        Ok(())
    }

    /// Rebuilds the tableau from the original rows by Gauss-Jordan elimination with partial pivoting.
    fn refresh(&mut self) -> Result<(), GamesError> {
        self.since = 0;
        let (m, w) = (self.basic.len(), self.width());
        let tight: Vec<usize> = self
            .nonbasic
            .iter()
            .filter_map(|v| {
                if let Var::Slack(r) = *v {
                    Some(r)
                } else {
                    None
                }
            })
            .collect();
        // Columns: the basis matrix, all nonbasic variables, the right-hand side.
        let stride = m + w + 1;
        let mut system = vec![0.0; m * stride];
        for (line, row) in system.chunks_exact_mut(stride).enumerate() {
            self.dense.fill(0.0);
            if line == 0 {
                for (j, d) in self.dense.iter_mut().enumerate() {
                    *d = if self.rows.normalised(j) { 1.0 } else { 0.0 };
                }
                row[stride - 1] = 1.0;
            } else {
                self.rows.row(tight[line - 1], &mut self.dense);
            }
            for (i, &j) in self.basic.iter().enumerate() {
                row[i] = self.dense[j];
            }
            for (k, var) in self.nonbasic.iter().enumerate() {
                row[m + k] = match *var {
                    Var::Column(j) => self.dense[j],
                    Var::Slack(r) => {
                        if line > 0 && tight[line - 1] == r {
                            1.0
                        } else {
                            0.0
                        }
                    }
                };
            }
        }
        let mut order: Vec<usize> = (0..m).collect();
        let mut pivot_row = vec![0.0; stride];
        for column in 0..m {
            let best = (column..m)
                .max_by(|&a, &b| {
                    system[order[a] * stride + column]
                        .abs()
                        .total_cmp(&system[order[b] * stride + column].abs())
                })
                .unwrap_or(column);
            order.swap(column, best);
            let at = order[column] * stride;
            let pivot = system[at + column];
            if pivot.abs() < 1e-12 {
                return Err(GamesError::NotConverged {
                    method: "simplex basis",
                    residual: pivot.abs(),
                    iterations: self.pivots,
                });
            }
            for v in &mut system[at + column..at + stride] {
                *v /= pivot;
            }
            pivot_row[column..].copy_from_slice(&system[at + column..at + stride]);
            for other in 0..m {
                if other != order[column] {
                    let t = system[other * stride + column];
                    if t != 0.0 {
                        axpy(
                            -t,
                            &pivot_row[column..],
                            &mut system[other * stride + column..(other + 1) * stride],
                        );
                    }
                }
            }
        }
        for (i, &at) in order.iter().enumerate() {
            self.table[i * w..(i + 1) * w]
                .copy_from_slice(&system[at * stride + m..at * stride + m + w]);
            self.beta[i] = system[at * stride + m + w];
        }
        for (k, var) in self.nonbasic.iter().enumerate() {
            self.reduced[k] = match *var {
                Var::Column(j) => -self.cost[j],
                Var::Slack(_) => 0.0,
            };
        }
        for (i, &j) in self.basic.iter().enumerate() {
            axpy(
                self.cost[j],
                &self.table[i * w..(i + 1) * w],
                &mut self.reduced,
            );
        }
        Ok(())
    }

    fn optimum(mut self) -> Optimum {
        let mut x = vec![0.0; self.n];
        for (&j, &b) in self.basic.iter().zip(&self.beta) {
            x[j] = b.max(0.0);
        }
        let total: f64 = (0..self.n)
            .filter(|&j| self.rows.normalised(j))
            .map(|j| x[j])
            .sum();
        for v in &mut x {
            *v /= total;
        }
        let value: f64 = x.iter().zip(&self.cost).map(|(x, c)| x * c).sum();
        let support: Vec<(usize, f64)> = x
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, v)| v > 0.0)
            .collect();
        self.activity.fill(0.0);
        self.rows.activity(&support, &mut self.activity);
        let infeasibility = self.activity.iter().fold(0.0f64, |a, &g| a.max(g));
        let mut duals = Vec::new();
        let mut price = self.cost.clone();
        for (k, var) in self.nonbasic.iter().enumerate() {
            if let Var::Slack(r) = *var {
                let y = self.reduced[k].max(0.0);
                if y > 0.0 {
                    duals.push((r, y));
                    self.dense.fill(0.0);
                    self.rows.row(r, &mut self.dense);
                    axpy(-y, &self.dense, &mut price);
                }
            }
        }
        // Weak duality: for y >= 0 the optimum is at most the largest priced cost (0 for columns outside the normalisation).
        let mut bound = f64::NEG_INFINITY;
        let mut excess = 0.0f64;
        for (j, &p) in price.iter().enumerate() {
            if self.rows.normalised(j) {
                bound = bound.max(p);
            } else {
                excess = excess.max(p);
            }
        }
        duals.sort_unstable_by_key(|d| d.0);
        Optimum {
            x,
            value,
            duals,
            gap: (bound - value).max(0.0) + excess,
            infeasibility,
            pivots: self.pivots,
        }
    }
}
