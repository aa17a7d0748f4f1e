//! The incentive rows of correlated and coarse correlated equilibria, in units of each player's payoff spread.

use super::correlated::{Concept, Deviation};
use super::lp::Rows;
use crate::game::Game;

/// A player's payoffs in units of their spread, in both orders of access.
struct Player {
    /// First row.
    first: usize,
    actions: usize,
    stride: usize,
    /// Profiles of the other players.
    others: usize,
    /// `[own action][others]`.
    by_own: Vec<f64>,
    /// `[others][own action]`.
    by_others: Vec<f64>,
}

/// Rows over profiles: for each player and deviation what it gains, at most zero in all; then for the max-min objective the rows
/// $u_0-u_i-w\le0$ with an extra column $w$.
pub(super) struct Incentives {
    concept: Concept,
    players: Vec<Player>,
    deviations: usize,
    profiles: usize,
    /// Payoffs of all players in one common unit, for the max-min objective.
    common: Option<Vec<Vec<f64>>>,
}

impl Incentives {
    /// The rows of a game given in units of its players' spreads.
    pub(super) fn new(unit: &Game, concept: Concept, common: Option<Vec<Vec<f64>>>) -> Self {
        let mut deviations = 0;
        let players = unit
            .shape()
            .iter()
            .enumerate()
            .map(|(i, &actions)| {
                let tensor = unit.payoffs(i).unwrap_or(&[]);
                let (stride, others) = (unit.stride(i), tensor.len() / actions);
                let mut player = Player {
                    first: deviations,
                    actions,
                    stride,
                    others,
                    by_own: vec![0.0; tensor.len()],
                    by_others: vec![0.0; tensor.len()],
                };
                for (s, &u) in tensor.iter().enumerate() {
                    let (a, o) = player.split(s);
                    player.by_own[a * others + o] = u;
                    player.by_others[o * actions + a] = u;
                }
                deviations += match concept {
                    Concept::Correlated => actions * actions,
                    Concept::CoarseCorrelated => actions,
                };
                player
            })
            .collect();
        Self {
            concept,
            players,
            deviations,
            profiles: unit.profiles(),
            common,
        }
    }

    /// The deviation that row `r` belongs to; `None` for a row of the max-min objective.
    pub(super) fn deviation(&self, r: usize) -> Option<Deviation> {
        if r >= self.deviations {
            return None;
        }
        let player = self.players.partition_point(|p| p.first <= r) - 1;
        let (at, k) = (r - self.players[player].first, self.players[player].actions);
        Some(match self.concept {
            Concept::Correlated => Deviation {
                player,
                from: Some(at / k),
                to: at % k,
            },
            Concept::CoarseCorrelated => Deviation {
                player,
                from: None,
                to: at,
            },
        })
    }
}

impl Player {
    /// Own action and number of the others' profile.
    fn split(&self, s: usize) -> (usize, usize) {
        let block = s / self.stride;
        (
            block % self.actions,
            block / self.actions * self.stride + s % self.stride,
        )
    }

    /// What each profile with own action `from` gains by `to`.
    fn gains(&self, from: usize, to: usize, visit: &mut impl FnMut(usize, f64)) {
        let line = |a: usize| &self.by_own[a * self.others..(a + 1) * self.others];
        let blocks = line(to)
            .chunks_exact(self.stride)
            .zip(line(from).chunks_exact(self.stride));
        for (block, (better, own)) in blocks.enumerate() {
            let base = (block * self.actions + from) * self.stride;
            for (low, (b, u)) in better.iter().zip(own).enumerate() {
                visit(base + low, b - u);
            }
        }
    }
}

impl Rows for Incentives {
    fn count(&self) -> usize {
        self.deviations
            + if self.common.is_some() {
                self.players.len() - 1
            } else {
                0
            }
    }

    fn entries(&self, r: usize, mut visit: impl FnMut(usize, f64)) {
        let Some(Deviation { player, from, to }) = self.deviation(r) else {
            if let Some(common) = &self.common {
                let pair = common[0].iter().zip(&common[r - self.deviations + 1]);
                pair.enumerate().for_each(|(s, (u, v))| visit(s, u - v));
            }
            visit(self.profiles, -1.0);
            return;
        };
        let player = &self.players[player];
        match from {
            Some(from) => player.gains(from, to, &mut visit),
            None => (0..player.actions).for_each(|from| player.gains(from, to, &mut visit)),
        }
    }

    fn add_column(&self, s: usize, p: f64, out: &mut [f64]) {
        if s >= self.profiles {
            out[self.deviations..].iter_mut().for_each(|o| *o -= p);
            return;
        }
        for player in &self.players {
            let (a, o) = player.split(s);
            let k = player.actions;
            let line = &player.by_others[o * k..(o + 1) * k];
            let own = line[a];
            let first = match self.concept {
                Concept::Correlated => player.first + a * k,
                Concept::CoarseCorrelated => player.first,
            };
            for (o, u) in out[first..first + k].iter_mut().zip(line) {
                *o += p * (u - own);
            }
        }
        if let Some(common) = &self.common {
            for (o, other) in out[self.deviations..].iter_mut().zip(&common[1..]) {
                *o += p * (common[0][s] - other[s]);
            }
        }
    }

    fn normalised(&self, j: usize) -> bool {
        j < self.profiles
    }
}
