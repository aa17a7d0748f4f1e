//! Learners with small internal or swap regret: Stoltz-Lugosi, Blum-Mansour over any learner, TreeSwap.

use super::hedge::{Hedge, softmax};
use super::learner::{Learner, check_actions, check_horizon, check_rewards};
use super::stationary::stationary;
use crate::error::{Argument, GamesError, positive, real};

/// Internal regret by exponential weights over ordered pairs of actions (Foster and Vohra; Stoltz and Lugosi 2005).
///
/// The pair $i\to j$ gains $x_t(i)(g_t(j)-g_t(i))$; the play is the fixed point $x=\sum_{i\ne j}w(i\to j)\thinspace\varphi_{ij}(x)$, where $\varphi_{ij}$ moves
/// the mass of $i$ to $j$. Internal regret over $T$ rounds of rewards in $\[0,1\]$: at most $\sqrt{2T\ln(K(K-1))}$. Time $K^3$ a round.
#[derive(Debug, Clone)]
pub struct StoltzLugosi {
    rate: f64,
    totals: Vec<f64>,
    weights: Vec<f64>,
    matrix: Vec<f64>,
    play: Vec<f64>,
    fresh: bool,
}

impl StoltzLugosi {
    /// The rate that is best for a known number of rounds.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    pub fn fixed(actions: usize, horizon: usize) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        let pairs = real((k * (k - 1)).max(1));
        // Gains lie in [-1, 1]: width 2.
        let rate = 0.5 * (8.0 * pairs.ln() / real(check_horizon(horizon)?)).sqrt();
        Ok(Self {
            rate,
            totals: vec![0.0; k * k],
            weights: vec![0.0; k * k],
            matrix: vec![0.0; k * k],
            play: vec![1.0 / real(k); k],
            fresh: true,
        })
    }

    /// The bound $\sqrt{2T\ln(K(K-1))}$ on the internal regret at the horizon that set the rate.
    #[must_use]
    pub fn bound(&self, rounds: usize) -> f64 {
        let k = self.play.len();
        (2.0 * real(rounds) * real((k * (k - 1)).max(1)).ln()).sqrt()
    }
}

impl Learner for StoltzLugosi {
    fn actions(&self) -> usize {
        self.play.len()
    }

    fn play(&mut self) -> &[f64] {
        if !self.fresh {
            // The diagonal carries the maximum shift too, but is not an expert: its weight is not read.
            softmax(self.rate, &self.totals, &mut self.weights);
            self.matrix.copy_from_slice(&self.weights);
            stationary(&mut self.matrix, &mut self.play);
            self.fresh = true;
        }
        &self.play
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        let k = self.play.len();
        check_rewards(k, rewards)?;
        self.play();
        for (i, row) in self.totals.chunks_exact_mut(k).enumerate() {
            let x = self.play[i];
            for (t, g) in row.iter_mut().zip(rewards) {
                *t += x * (g - rewards[i]);
            }
        }
        self.fresh = false;
        Ok(())
    }
}

/// Swap regret from one copy of an external-regret learner for each action (Blum and Mansour 2007).
///
/// Copy $i$ sees $x_t(i)\thinspace g_t$ and proposes a distribution; these are the rows of a stochastic matrix whose stationary distribution is played. The swap
/// regret is at most the sum of the copies' external regrets. Time: $K$ copies and $K^3$ a round.
///
/// ```
/// use hindsight_games::repeated::{BlumMansour, Learner, RegretMatching};
/// let mut learner = BlumMansour::new(3, |k| RegretMatching::plus(k))?; // over any learner
/// learner.observe(&[1.0, 0.0, 0.5])?;
/// assert!((learner.play().iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BlumMansour<L> {
    copies: Vec<L>,
    matrix: Vec<f64>,
    play: Vec<f64>,
    scaled: Vec<f64>,
    fresh: bool,
}

impl<L: Learner> BlumMansour<L> {
    /// One copy for each action, made by `copy(actions)`.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions, [`GamesError::Length`] when a copy has another number of actions, and what `copy` returns.
    pub fn new(
        actions: usize,
        mut copy: impl FnMut(usize) -> Result<L, GamesError>,
    ) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        let copies = (0..k).map(|_| copy(k)).collect::<Result<Vec<L>, _>>()?;
        for c in &copies {
            crate::error::length(Argument::LearnerActions, k, c.actions())?;
        }
        Ok(Self {
            copies,
            matrix: vec![0.0; k * k],
            play: vec![1.0 / real(k); k],
            scaled: vec![0.0; k],
            fresh: false,
        })
    }
}

impl BlumMansour<Hedge> {
    /// Hedge copies with the common rate $\sqrt{8K\ln K/T}$: swap regret at most $\sqrt{KT\ln K/2}$, since the copies share the play,
    /// $\sum_i(\ln K/\eta+\tfrac\eta8\sum_tx_t(i)^2)\le K\ln K/\eta+\eta T/8$.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    pub fn tuned(actions: usize, horizon: usize) -> Result<Self, GamesError> {
        let k = real(check_actions(actions)?);
        let rate = (8.0 * k * k.ln() / real(check_horizon(horizon)?)).sqrt();
        if actions == 1 {
            return Self::new(1, Hedge::anytime);
        }
        Self::with_rate(actions, rate)
    }

    /// Hedge copies with a rate of one's own: swap regret at most $K\ln K/\eta+\eta T/8$.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions, [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for the rate.
    pub fn with_rate(actions: usize, rate: f64) -> Result<Self, GamesError> {
        let rate = positive(Argument::Rate, rate)?;
        Self::new(actions, |k| Hedge::with_rate(k, rate))
    }

    /// The bound $\sqrt{KT\ln K/2}$ on the swap regret of the tuned learner.
    #[must_use]
    pub fn bound(&self, rounds: usize) -> f64 {
        let k = real(self.play.len());
        (0.5 * k * real(rounds) * k.ln()).sqrt()
    }
}

impl<L: Learner> Learner for BlumMansour<L> {
    fn actions(&self) -> usize {
        self.play.len()
    }

    fn play(&mut self) -> &[f64] {
        if !self.fresh {
            let k = self.play.len();
            for (row, copy) in self.matrix.chunks_exact_mut(k).zip(&mut self.copies) {
                row.copy_from_slice(copy.play());
            }
            stationary(&mut self.matrix, &mut self.play);
            self.fresh = true;
        }
        &self.play
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.play.len(), rewards)?;
        self.play();
        for (copy, &x) in self.copies.iter_mut().zip(&self.play) {
            for (s, g) in self.scaled.iter_mut().zip(rewards) {
                *s = x * g;
            }
            copy.observe(&self.scaled)?;
        }
        self.fresh = false;
        Ok(())
    }
}

/// Swap regret from a tree of external-regret learners (Dagan, Daskalakis, Fishelson and Golowich 2023; Peng and Rubinstein 2023).
///
/// With $T=M^d$ rounds, level $h$ holds each of its plays for $M^{d-h}$ rounds, feeds its learner the average reward of that block, and starts a fresh
/// learner whenever the level above moves. The uniform mixture of the $d$ current plays is played. Average swap regret after $M^d$ rounds: at most
/// $R_{\mathrm{ext}}(M)/M+1/d$. Only $d$ learners live at a time. After $M^d$ rounds it starts afresh.
#[derive(Debug, Clone)]
pub struct TreeSwap<L, F> {
    make: F,
    branching: usize,
    learners: Vec<L>,
    current: Vec<Vec<f64>>,
    blocks: Vec<Vec<f64>>,
    lengths: Vec<usize>,
    play: Vec<f64>,
    round: usize,
}

impl<L: Learner, F: FnMut() -> L> TreeSwap<L, F> {
    /// A tree with `branching` $M$ and `depth` $d$ over learners made by `make` (each lives for $M$ of its own rounds).
    ///
    /// # Errors
    /// [`GamesError::Empty`] when `branching` or `depth` is 0, [`GamesError::TooLarge`] when $M^d$ overflows.
    pub fn new(branching: usize, depth: usize, mut make: F) -> Result<Self, GamesError> {
        if branching == 0 || depth == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Branching,
            });
        }
        let too_large = GamesError::TooLarge {
            argument: Argument::Depth,
            size: depth,
            limit: 62,
        };
        let power = |e: usize| u32::try_from(e).ok().and_then(|e| branching.checked_pow(e));
        power(depth).ok_or(too_large.clone())?;
        let lengths = (1..=depth)
            .map(|h| power(depth - h).ok_or(too_large.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut learners: Vec<L> = (0..depth).map(|_| make()).collect();
        let k = learners[0].actions();
        let current: Vec<Vec<f64>> = learners.iter_mut().map(|l| l.play().to_vec()).collect();
        let mut tree = Self {
            make,
            branching,
            blocks: vec![vec![0.0; k]; depth],
            play: vec![0.0; k],
            learners,
            current,
            lengths,
            round: 0,
        };
        tree.mix();
        Ok(tree)
    }

    fn mix(&mut self) {
        let share = 1.0 / real(self.current.len());
        self.play.fill(0.0);
        for x in &self.current {
            for (p, v) in self.play.iter_mut().zip(x) {
                *p += share * v;
            }
        }
    }
}

impl<L: Learner, F: FnMut() -> L> Learner for TreeSwap<L, F> {
    fn actions(&self) -> usize {
        self.play.len()
    }

    fn play(&mut self) -> &[f64] {
        &self.play
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.play.len(), rewards)?;
        self.round += 1;
        for h in 0..self.learners.len() {
            let length = self.lengths[h];
            for (b, g) in self.blocks[h].iter_mut().zip(rewards) {
                *b += g / real(length);
            }
            if self.round.is_multiple_of(length) {
                if self.round.is_multiple_of(length * self.branching) {
                    self.learners[h] = (self.make)();
                } else {
                    self.learners[h].observe(&self.blocks[h])?;
                }
                self.blocks[h].fill(0.0);
                self.current[h].copy_from_slice(self.learners[h].play());
            }
        }
        self.mix();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::learner::opponents::rng;
    use super::super::{RegretAccount, RegretMatching};
    use super::*;
    use crate::laws::Adversary;
    use proptest::prelude::*;

    fn run(
        learner: &mut dyn Learner,
        opponent: Adversary,
        horizon: usize,
        seed: u64,
    ) -> RegretAccount {
        let k = learner.actions();
        let mut rng = rng(seed);
        let mut account = RegretAccount::new(k).unwrap();
        let mut g = vec![0.0; k];
        for t in 0..horizon {
            let x = learner.play().to_vec();
            assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            opponent.rewards(t, &x, &mut rng, &mut g);
            account.record(&x, &g).unwrap();
            learner.observe(&g).unwrap();
        }
        account
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn internal_and_swap_regret_stay_below_their_bounds(k in 1usize..9, horizon in 10usize..1200, seed in any::<u64>()) {
            for opponent in Adversary::ALL {
                let mut pairs = StoltzLugosi::fixed(k, horizon).unwrap();
                let internal = run(&mut pairs, opponent, horizon, seed).internal();
                prop_assert!(internal <= pairs.bound(horizon) + 1e-9, "internal {} above {}", internal, pairs.bound(horizon));
                let mut copies = BlumMansour::tuned(k, horizon).unwrap();
                let swap = run(&mut copies, opponent, horizon, seed).swap();
                prop_assert!(swap <= copies.bound(horizon) + 1e-9, "swap {} above {}", swap, copies.bound(horizon));
                // Over regret matching: at most the sum of the copies' bounds.
                let mut matching = BlumMansour::new(k, RegretMatching::plus).unwrap();
                let swap = run(&mut matching, opponent, horizon, seed).swap();
                prop_assert!(swap <= real(k) * (real(k) * real(horizon)).sqrt() + 1e-9);
            }
        }

        #[test]
        fn tree_swap_stays_below_its_bound(k in 2usize..10, shape in prop_oneof![Just((4usize, 4usize)), Just((30, 2)), Just((8, 3)), Just((2, 8))], seed in any::<u64>()) {
            let (branching, depth) = shape;
            let horizon = branching.pow(u32::try_from(depth).unwrap());
            for opponent in Adversary::ALL {
                let mut tree = TreeSwap::new(branching, depth, || Hedge::fixed(k, branching).unwrap()).unwrap();
                let swap = run(&mut tree, opponent, horizon, seed).swap() / real(horizon);
                let external = (real(k).ln() / (2.0 * real(branching))).sqrt();
                prop_assert!(swap <= external + 1.0 / real(depth) + 1e-9, "{} above {}", swap, external + 1.0 / real(depth));
            }
        }
    }

    /// A learner without swap guarantee fails where the others hold: the bound above can fail.
    #[test]
    fn hedge_alone_has_linear_swap_regret_where_blum_mansour_has_not() {
        // Three actions, long phases: switching late leaves the mass on the action that has just turned bad.
        let horizon = 3000;
        let phases = |t: usize, g: &mut [f64]| {
            let good = t / 1000;
            for (a, r) in g.iter_mut().enumerate() {
                *r = if a == good {
                    1.0
                } else if a < good {
                    0.0
                } else {
                    0.45
                };
            }
        };
        let swap = |learner: &mut dyn Learner| {
            let mut account = RegretAccount::new(3).unwrap();
            let mut g = [0.0; 3];
            for t in 0..horizon {
                phases(t, &mut g);
                let x = learner.play().to_vec();
                account.record(&x, &g).unwrap();
                learner.observe(&g).unwrap();
            }
            account.swap()
        };
        let mut tuned = BlumMansour::tuned(3, horizon).unwrap();
        assert!(swap(&mut tuned) <= tuned.bound(horizon));
        assert!(swap(&mut Hedge::fixed(3, horizon).unwrap()) > tuned.bound(horizon));
    }
}
