//! The answer of every concept is the same game's answer whatever the units: payoffs of each player may be multiplied by a positive number of its own and moved.
//!
//! `PROPTEST_CASES=2000 cargo test --release -p hindsight-games --test units` runs 2,000 games at every scale.

use hindsight_games::Game;
use hindsight_games::equilibrium::{
    Concept, FollowerTies, Objective, best_reply_gains, correlated_equilibrium, deviation_gains,
    lemke_howson, nash_equilibria, solve_zero_sum, stackelberg, undominated_by_mixtures,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Games a scale.
fn cases() -> u64 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
}

/// A random game of the kinds that break solvers: ties, dominated actions, penalties, conflict, players who do not care.
fn draw(rng: &mut Pcg64) -> Game {
    let shape = [rng.random_range(1..10usize), rng.random_range(1..10usize)];
    let size = shape[0] * shape[1];
    let kind = rng.random_range(0..8u8);
    let whole = rng.random_range(2..6u8);
    let mut tensor = |penalty: bool| -> Vec<f64> {
        (0..size)
            .map(|_| match kind {
                0..=2 => rng.random_range(-1.0..1.0),
                _ if penalty && rng.random_range(0..4u8) == 0 => -1000.0,
                _ => f64::from(rng.random_range(0..whole)),
            })
            .collect()
    };
    let a = tensor(kind == 4);
    let b = match kind {
        // Zero-sum and nearly so, in conflict.
        1 | 5 => a.iter().map(|u| -u).collect(),
        2 => {
            let noise = tensor(false);
            a.iter().zip(noise).map(|(u, e)| 0.3 * e - u).collect()
        }
        6 => vec![1.0; size],
        7 => a.clone(),
        _ => tensor(kind == 4),
    };
    Game::new(shape.to_vec(), vec![a, b]).expect("the payoffs are finite")
}

/// Old payoff $u$ becomes `scale * u + shift`.
#[derive(Debug, Clone, Copy)]
struct Unit {
    scale: f64,
    shift: f64,
}

impl Unit {
    fn to(self, u: f64) -> f64 {
        self.scale * u + self.shift
    }
}

fn changed(game: &Game, units: [Unit; 2]) -> Game {
    let tensor = |i: usize| {
        let payoffs = game.payoffs(i).unwrap_or(&[]);
        payoffs.iter().map(|&u| units[i].to(u)).collect()
    };
    Game::new(game.shape().to_vec(), vec![tensor(0), tensor(1)]).expect("the payoffs are finite")
}

fn spread(game: &Game, player: usize) -> f64 {
    let u = game.payoffs(player).unwrap_or(&[]);
    let high = u.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - u.iter().copied().fold(f64::INFINITY, f64::min)
}

/// What differs between the game and the same game in other units.
struct Law<'a> {
    game: &'a Game,
    other: &'a Game,
    units: [Unit; 2],
    failures: Vec<String>,
}

impl Law<'_> {
    fn same(&mut self, what: String, player: usize, here: f64, there: f64) {
        let unit = self.units[player];
        let tolerance = 1e-7 * unit.scale * spread(self.game, player).max(1e-3)
            + 1e-14 * (unit.shift.abs() + unit.scale * here.abs());
        let difference = (unit.to(here) - there).abs();
        if difference.is_nan() || difference > tolerance {
            self.failures
                .push(format!("{what}: {} became {there}", unit.to(here)));
        }
    }

    fn result<T>(
        &mut self,
        what: &str,
        result: Result<T, hindsight_games::GamesError>,
    ) -> Option<T> {
        result
            .map_err(|e| self.failures.push(format!("{what}: {e}")))
            .ok()
    }

    fn correlated(&mut self, concept: Concept, rng: &mut Pcg64) {
        let linear: Vec<f64> = (0..self.game.profiles())
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        for objective in [
            Objective::Player(0),
            Objective::AgainstPlayer(0),
            Objective::AgainstPlayer(1),
            Objective::Linear(linear.clone()),
        ] {
            let name = match &objective {
                Objective::Linear(_) => format!("{concept:?} linear"),
                other => format!("{concept:?} {other:?}"),
            };
            let (here, there) = (
                correlated_equilibrium(self.game, concept, &objective),
                correlated_equilibrium(self.other, concept, &objective),
            );
            let (Some(here), Some(there)) = (
                self.result(&format!("{name} here"), here),
                self.result(&name, there),
            ) else {
                continue;
            };
            match objective {
                Objective::Player(i) => self.same(name.clone(), i, here.value, there.value),
                Objective::AgainstPlayer(i) => {
                    self.same(name.clone(), i, -here.value, -there.value);
                }
                _ if (here.value - there.value).abs() > 1e-7 => self
                    .failures
                    .push(format!("{name}: {} became {}", here.value, there.value)),
                _ => {}
            }
            // An equilibrium of the game in its own units, by code that shares nothing with the solver.
            let gains = deviation_gains(self.game, &there.joint).expect("a distribution");
            for (player, gain) in gains.iter().enumerate() {
                let gain = match concept {
                    Concept::Correlated => gain.swap,
                    Concept::CoarseCorrelated => gain.external,
                };
                if gain > 1e-8 * spread(self.game, player) {
                    self.failures
                        .push(format!("{name}: player {player} gains {gain}"));
                }
            }
        }
    }

    /// Objectives that add or compare payoffs of different players: both players in the first one's units.
    fn common_units(&mut self) {
        let unit = self.units[0];
        let common = changed(self.game, [unit; 2]);
        for concept in [Concept::Correlated, Concept::CoarseCorrelated] {
            for (objective, shifts) in [(Objective::Welfare, 2.0), (Objective::MaxMin, 1.0)] {
                let name = format!("{concept:?} {objective:?}");
                let here = correlated_equilibrium(self.game, concept, &objective);
                let there = correlated_equilibrium(&common, concept, &objective);
                let (Some(here), Some(there)) = (
                    self.result(&format!("{name} here"), here),
                    self.result(&name, there),
                ) else {
                    continue;
                };
                // In units of the larger spread, apart from the rounding that the shift leaves.
                let size = spread(self.game, 0).max(spread(self.game, 1)).max(1e-3);
                let rounding = 1e-13 * (1.0 + unit.shift.abs() / unit.scale);
                let back = (there.value - shifts * unit.shift) / unit.scale;
                if (back - here.value).abs() > 1e-7 * size + rounding {
                    self.failures
                        .push(format!("{name}: {} became {back}", here.value));
                }
            }
        }
    }

    fn one_nash(&mut self) {
        let labels = self.game.shape().iter().sum::<usize>();
        for label in [0, labels - 1] {
            let found = lemke_howson(self.other, label);
            let Some(e) = self.result(&format!("Lemke-Howson {label}"), found) else {
                continue;
            };
            let gains = best_reply_gains(self.game, &[e.row.clone(), e.column.clone()])
                .expect("two distributions");
            for (player, gain) in gains.iter().enumerate() {
                if *gain > 1e-8 * spread(self.game, player) {
                    self.failures.push(format!(
                        "Lemke-Howson {label}: player {player} gains {gain}"
                    ));
                }
            }
        }
    }

    fn zero_sum(&mut self) {
        let matrix = |game: &Game| -> Vec<Vec<f64>> {
            let u = game.payoffs(0).unwrap_or(&[]);
            u.chunks(game.shape()[1]).map(<[f64]>::to_vec).collect()
        };
        let (here, there) = (
            solve_zero_sum(&matrix(self.game)),
            solve_zero_sum(&matrix(self.other)),
        );
        if let (Some(here), Some(there)) = (
            self.result("zero-sum here", here),
            self.result("zero-sum", there),
        ) {
            self.same("zero-sum".to_owned(), 0, here.value, there.value);
        }
    }

    fn commitment(&mut self) {
        for leader in [0, 1] {
            for ties in [FollowerTies::ForLeader, FollowerTies::AgainstLeader] {
                let name = format!("{ties:?} leader {leader}");
                let (here, there) = (
                    stackelberg(self.game, leader, ties),
                    stackelberg(self.other, leader, ties),
                );
                if let (Some(here), Some(there)) = (
                    self.result(&format!("{name} here"), here),
                    self.result(&name, there),
                ) {
                    self.same(name, leader, here.value, there.value);
                }
            }
        }
    }

    fn nash(&mut self) {
        if self.game.pure_nash() != self.other.pure_nash() {
            self.failures.push("pure equilibria".to_owned());
        }
        if self.game.undominated() != self.other.undominated() {
            self.failures.push("undominated".to_owned());
        }
        let (here, there) = (
            undominated_by_mixtures(self.game),
            undominated_by_mixtures(self.other),
        );
        if let (Some(here), Some(there)) = (
            self.result("undominated by mixtures here", here),
            self.result("undominated by mixtures", there),
        ) && here != there
        {
            self.failures.push(format!(
                "undominated by mixtures: {here:?} became {there:?}"
            ));
        }
        let (here, there) = (nash_equilibria(self.game), nash_equilibria(self.other));
        let (Some(here), Some(there)) =
            (self.result("Nash here", here), self.result("Nash", there))
        else {
            return;
        };
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7);
        for (one, two, which) in [(&here, &there, "lost"), (&there, &here, "new")] {
            for e in one {
                if !two
                    .iter()
                    .any(|f| near(&e.row, &f.row) && near(&e.column, &f.column))
                {
                    self.failures.push(format!("Nash {which}: {e:?}"));
                }
            }
        }
    }
}

#[test]
fn every_concept_is_invariant_under_changes_of_units() {
    let mut failed = 0;
    for exponent in (-12..=12).step_by(3) {
        for case in 0..cases() {
            let seed = 1000 * case + u64::try_from(exponent + 12).unwrap_or(0);
            let mut rng = Pcg64::seed_from_u64(seed);
            let game = draw(&mut rng);
            let mut unit = |exponent: i32| {
                let scale = rng.random_range(0.2..5.0) * 10f64.powi(exponent);
                let shift = match rng.random_range(0..3u8) {
                    0 => 0.0,
                    _ => rng.random_range(-10.0..10.0) * scale,
                };
                Unit { scale, shift }
            };
            let first = unit(exponent);
            let second = unit(rng_exponent(seed));
            let units = if case % 2 == 0 {
                [first, second]
            } else {
                [second, first]
            };
            let other = changed(&game, units);
            let mut law = Law {
                game: &game,
                other: &other,
                units,
                failures: Vec::new(),
            };
            for concept in [Concept::Correlated, Concept::CoarseCorrelated] {
                law.correlated(concept, &mut rng);
            }
            law.common_units();
            law.zero_sum();
            law.commitment();
            law.nash();
            law.one_nash();
            if !law.failures.is_empty() {
                failed += 1;
                if failed < 20 {
                    println!(
                        "scale 1e{exponent} seed {seed} {units:?}: {:#?}",
                        law.failures
                    );
                }
            }
        }
    }
    assert_eq!(failed, 0, "games with failures");
}

/// The other player's scale.
fn rng_exponent(seed: u64) -> i32 {
    i32::try_from(seed % 25).unwrap_or(0) - 12
}
