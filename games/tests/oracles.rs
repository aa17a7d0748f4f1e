//! Correlated equilibria against Clarabel and microlp, which are told the whole programme.

use good_lp::{
    Expression, Solution, SolverModel, clarabel, constraint, microlp, variable, variables,
};
use hindsight_games::Game;
use hindsight_games::equilibrium::{Concept, Objective, correlated_equilibrium};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn random(n: usize, correlation: f64, seed: u64) -> Game {
    let mut rng = Pcg64::seed_from_u64(seed);
    let a: Vec<f64> = (0..n * n).map(|_| rng.random_range(-1.0..1.0)).collect();
    let rest = (1.0 - correlation * correlation).sqrt();
    let b = a
        .iter()
        .map(|u| correlation * u + rest * rng.random_range(-1.0..1.0))
        .collect();
    Game::new(vec![n, n], vec![a, b]).expect("finite payoffs")
}

/// The greatest welfare of an equilibrium, by another solver.
fn welfare<S: good_lp::Solver>(solver: S, game: &Game, concept: Concept) -> f64 {
    let (m, n) = (game.shape()[0], game.shape()[1]);
    let (a, b) = (
        game.payoffs(0).expect("two players"),
        game.payoffs(1).expect("two players"),
    );
    let mut pool = variables!();
    let p = pool.add_vector(variable().min(0.0), m * n);
    let total: Expression = p.iter().map(|p| 1.0 * *p).sum();
    let objective: Expression = (0..m * n).map(|s| (a[s] + b[s]) * p[s]).sum();
    let mut model = pool.maximise(objective).using(solver);
    model.add_constraint(constraint!(total == 1.0));
    // What `told -> to` gains at each profile; the coarse concept sums over what is told.
    for (u, own, other, own_stride, other_stride) in [(a, m, n, n, 1), (b, n, m, 1, n)] {
        for to in 0..own {
            let gain = |told: usize| -> Expression {
                (0..other)
                    .map(|o| {
                        let at = told * own_stride + o * other_stride;
                        (u[to * own_stride + o * other_stride] - u[at]) * p[at]
                    })
                    .sum()
            };
            match concept {
                Concept::Correlated => {
                    for told in (0..own).filter(|t| *t != to) {
                        model.add_constraint(constraint!(gain(told) <= 0.0));
                    }
                }
                Concept::CoarseCorrelated => {
                    let all: Expression = (0..own).map(gain).sum();
                    model.add_constraint(constraint!(all <= 0.0));
                }
            }
        }
    }
    let solution = model.solve().expect("an equilibrium exists");
    (0..m * n)
        .map(|s| (a[s] + b[s]) * solution.value(p[s]))
        .sum()
}

#[test]
fn clarabel_finds_the_same_welfare_up_to_thirty_actions() {
    for (n, correlation, seed) in [(4, 0.0, 1), (8, -0.9, 2), (12, 0.5, 3), (30, 0.0, 4)] {
        let game = random(n, correlation, seed);
        for concept in [Concept::Correlated, Concept::CoarseCorrelated] {
            let ours = correlated_equilibrium(&game, concept, &Objective::Welfare)
                .expect("proved")
                .value;
            let theirs = welfare(clarabel, &game, concept);
            assert!(
                (ours - theirs).abs() < 1e-5,
                "{n} {concept:?}: {ours} {theirs}"
            );
        }
    }
}

#[test]
fn microlp_finds_the_same_welfare() {
    for (n, concept) in [
        (3, Concept::Correlated),
        (6, Concept::Correlated),
        (30, Concept::CoarseCorrelated),
    ] {
        let game = random(n, 0.0, 9);
        let ours = correlated_equilibrium(&game, concept, &Objective::Welfare)
            .expect("proved")
            .value;
        let theirs = welfare(microlp, &game, concept);
        assert!(
            (ours - theirs).abs() < 1e-7,
            "{n} {concept:?}: {ours} {theirs}"
        );
    }
}
