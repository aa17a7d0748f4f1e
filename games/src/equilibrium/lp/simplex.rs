//! The dual simplex method over a small inverse, with perturbed costs, and primal steps for the true costs at the end.

use super::Rows;
use super::certificate::{self, Claim, PROOF};
use super::inverse::Inverse;
use super::presolve::Reduced;
use super::pricing::{Leaving, Weights};
use super::ratio::{PIVOT, Ratio};
use crate::error::real;

/// Largest violation of a constraint that counts as none; rows are scaled to a largest entry of 1.
const FEASIBLE: f64 = 1e-10;
/// How far reduced costs may be driven below zero by one step of the dual ratio test.
const HARRIS: f64 = 1e-9;
/// Size of the perturbation of costs, whose spread is 1.
const PERTURBATION: f64 = 1e-7;
/// Reduced costs above minus this are optimal.
const OPTIMAL: f64 = 1e-11;

/// Position of a column that is not basic.
pub(super) const NONE: usize = usize::MAX;

/// A nonbasic variable: a column, or the slack of the tight row at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entering {
    Column(usize),
    Slack(usize),
}

/// Why a run stopped without an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// No point satisfies the rows.
    Infeasible,
    /// The basis became singular or the pivot limit was reached.
    Stuck,
}

pub(super) struct Simplex<'a, R: Rows> {
    pub(super) rows: &'a R,
    pub(super) reduced: &'a Reduced,
    /// Unperturbed costs with a spread of 1.
    pub(super) true_cost: &'a [f64],
    pub(super) cost: Vec<f64>,
    /// Position of each column among the basic ones, or `NONE`.
    pub(super) position: Vec<usize>,
    pub(super) basic: Vec<usize>,
    pub(super) tight: Vec<usize>,
    pub(super) inverse: Inverse,
    pub(super) x: Vec<f64>,
    /// Reduced costs of columns (0 when basic) and of the slacks of tight rows.
    pub(super) price: Vec<f64>,
    pub(super) multiplier: Vec<f64>,
    /// Multiplier of the normalisation.
    pub(super) first: f64,
    /// Scaled activity of all rows: positive when violated.
    pub(super) violation: Vec<f64>,
    pub(super) weights: Weights,
    /// Row of the leaving constraint: over the inverse's columns, and over all columns.
    pub(super) rho: Vec<f64>,
    pub(super) alpha: Vec<f64>,
    /// Column of the entering variable: over the basic columns, and over the slacks of all rows.
    pub(super) image: Vec<f64>,
    pub(super) direction: Vec<f64>,
    pub(super) tau: Vec<f64>,
    pub(super) tau_slack: Vec<f64>,
    pub(super) since: usize,
    pub(super) pivots: usize,
    pub(super) limit: usize,
}

impl<'a, R: Rows> Simplex<'a, R> {
    pub(super) fn new(rows: &'a R, reduced: &'a Reduced, cost: &'a [f64]) -> Self {
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

    pub(super) fn run(&mut self, attempt: usize) -> Result<(), Stop> {
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

    pub(super) fn free(&self, j: usize) -> bool {
        self.position[j] == NONE && self.reduced.alive[j]
    }

    fn leaving(&self) -> Option<Leaving> {
        self.weights.leaving(&self.x, &self.violation, FEASIBLE)
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

    pub(super) fn price_of(&self, entering: Entering) -> f64 {
        match entering {
            Entering::Column(j) => self.price[j],
            Entering::Slack(t) => self.multiplier[t],
        }
    }

    /// The leaving row's entry at a nonbasic variable.
    pub(super) fn across(&self, entering: Entering) -> f64 {
        match entering {
            Entering::Column(j) => self.alpha[j],
            Entering::Slack(t) => self.rho[t + 1],
        }
    }

    /// The entering column's entry at a basic variable.
    pub(super) fn down(&self, leaving: Leaving) -> f64 {
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

    pub(super) fn claim(&self, pivots: usize) -> Claim {
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

/// A number in $[0,1)$ that depends on `j` alone.
fn jitter(j: usize) -> f64 {
    let mut z = (j as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    real(((z ^ (z >> 31)) >> 40) as usize) / 16_777_216.0
}
