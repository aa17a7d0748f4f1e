//! Programmes against microlp and Clarabel, and laws that need no other solver.

use good_lp::{
    Expression, Solution, SolverModel, clarabel, constraint, microlp, variable, variables,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{Rows, maximise};

/// Rows as they stand; columns from `normalised` on are outside the normalisation.
#[derive(Debug, Clone)]
struct Dense {
    rows: Vec<Vec<f64>>,
    normalised: usize,
}

impl Rows for Dense {
    fn count(&self) -> usize {
        self.rows.len()
    }
    fn entries(&self, r: usize, mut visit: impl FnMut(usize, f64)) {
        self.rows[r]
            .iter()
            .enumerate()
            .for_each(|(j, &v)| visit(j, v));
    }
    fn add_column(&self, j: usize, p: f64, out: &mut [f64]) {
        for (o, row) in out.iter_mut().zip(&self.rows) {
            *o += p * row[j];
        }
    }
    fn normalised(&self, j: usize) -> bool {
        j < self.normalised
    }
}

/// The optimum by another solver; `None` when it finds none.
fn other<S: good_lp::Solver>(solver: S, programme: &Dense, cost: &[f64]) -> Option<f64> {
    let mut pool = variables!();
    let x = pool.add_vector(variable().min(0.0), cost.len());
    let sum = |c: &[f64]| -> Expression { c.iter().zip(&x).map(|(c, x)| *c * *x).sum() };
    let mut model = pool.maximise(sum(cost)).using(solver);
    let total: Expression = x[..programme.normalised].iter().copied().sum();
    model.add_constraint(constraint!(total == 1.0));
    for row in &programme.rows {
        model.add_constraint(constraint!(sum(row) <= 0.0));
    }
    let solution = model.solve().ok()?;
    Some(
        x.iter()
            .zip(cost)
            .map(|(x, c)| c * solution.value(*x))
            .sum(),
    )
}

fn draw(rng: &mut Pcg64) -> (Dense, Vec<f64>) {
    let (n, m) = (rng.random_range(1..9usize), rng.random_range(0..12usize));
    let whole = rng.random::<bool>();
    let outside = rng.random::<bool>();
    let mut number = |low: f64| {
        let v: f64 = rng.random_range(low..1.0);
        if whole { (3.0 * v).round() } else { v }
    };
    let mut rows: Vec<Vec<f64>> = (0..m)
        .map(|_| (0..n).map(|_| number(-1.5)).collect())
        .collect();
    let mut cost: Vec<f64> = (0..n).map(|_| number(-1.0)).collect();
    if outside {
        rows.iter_mut().for_each(|row| row.push(-1.0));
        cost.push(-1.0);
    }
    (
        Dense {
            rows,
            normalised: n,
        },
        cost,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn optima_are_those_of_other_solvers(seed in any::<u64>()) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (programme, cost) = draw(&mut rng);
        let ours = maximise(&programme, &cost).unwrap();
        let theirs = other(microlp, &programme, &cost);
        match (&ours, theirs) {
            (Some(ours), Some(theirs)) => {
                prop_assert!((ours.value - theirs).abs() < 1e-6, "{} {theirs}", ours.value);
                let interior = other(clarabel, &programme, &cost).unwrap();
                prop_assert!((ours.value - interior).abs() < 1e-5, "{} {interior}", ours.value);
            }
            (None, None) => {}
            _ => prop_assert!(false, "{ours:?} {theirs:?}"),
        }
    }

    #[test]
    fn a_result_carries_its_proof(seed in any::<u64>()) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (programme, cost) = draw(&mut rng);
        let Some(best) = maximise(&programme, &cost).unwrap() else { return Ok(()) };
        // Feasible, and priced at most at the value by non-negative multipliers.
        prop_assert!((best.x[..programme.normalised].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mut price = cost.clone();
        for row in &programme.rows {
            prop_assert!(row.iter().zip(&best.x).map(|(a, x)| a * x).sum::<f64>() < 1e-8);
        }
        for &(r, y) in &best.duals {
            prop_assert!(y > 0.0);
            programme.entries(r, |j, v| price[j] -= y * v);
        }
        for (j, p) in price.iter().enumerate() {
            let bound = if programme.normalised(j) { best.value } else { 0.0 };
            prop_assert!(*p <= bound + 1e-6, "column {j}: {p} above {bound}");
        }
    }

    #[test]
    fn units_of_rows_and_objective_do_not_matter(seed in any::<u64>(), power in -12i32..13) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut programme, cost) = draw(&mut rng);
        let here = maximise(&programme, &cost).unwrap().map(|o| o.value);
        for row in &mut programme.rows {
            let unit = 10f64.powi(rng.random_range(-12..13));
            row.iter_mut().for_each(|v| *v *= unit);
        }
        let unit = 10f64.powi(power);
        let moved: Vec<f64> = cost.iter().map(|c| c * unit).collect();
        let there = maximise(&programme, &moved).unwrap().map(|o| o.value / unit);
        match (here, there) {
            (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-7),
            (a, b) => prop_assert_eq!(a.is_some(), b.is_some()),
        }
    }
}

#[test]
fn rows_that_force_columns_leave_what_they_must() {
    // Column 0 is forced by the first row, then column 1 by the second.
    let programme = Dense {
        rows: vec![vec![1.0, 0.0, 0.0], vec![-1.0, 2.0, 0.0]],
        normalised: 3,
    };
    let best = maximise(&programme, &[3.0, 2.0, 1.0]).unwrap().unwrap();
    assert_eq!(best.x, [0.0, 0.0, 1.0]);
    assert_eq!(best.pivots, 0);
    let price = |j: usize, c: f64| {
        best.duals
            .iter()
            .fold(c, |p, (r, y)| p - y * programme.rows[*r][j])
    };
    assert!(price(0, 3.0) <= 1.0 + 1e-12 && price(1, 2.0) <= 1.0 + 1e-12);
}

#[test]
fn a_constant_objective_is_its_own_proof() {
    let programme = Dense {
        rows: vec![vec![-2.0, 1.0], vec![2e9, -4e9]],
        normalised: 2,
    };
    for constant in [-0.1, 0.1 + 0.2, 1e12 / 3.0] {
        let best = maximise(&programme, &[constant; 2]).unwrap().unwrap();
        assert!((best.value / constant - 1.0).abs() < 1e-12);
    }
}

#[test]
fn rows_that_cannot_be_met_are_reported() {
    let programme = Dense {
        rows: vec![vec![1.0, 2.0]],
        normalised: 2,
    };
    assert!(maximise(&programme, &[1.0, 1.0]).unwrap().is_none());
}
