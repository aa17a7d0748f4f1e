//! Regret curves: the average regret of every learner falls with slope -1/2 on sequences that nothing can beat.

use super::learner::opponents::rng;
use super::{
    BlumMansour, Exp3, FromBandit, FromOracle, Ftpl, Hedge, Learner, Noise, RegretAccount,
    RegretMatching, Regrets, SingleActions, StoltzLugosi,
};
use rand::RngExt;

const ACTIONS: usize = 4;

/// Makes a learner for a number of rounds and a seed.
type Make = Box<dyn Fn(usize, u64) -> Box<dyn Learner>>;

/// Mean regrets a round over several runs against fair coins, for which every learner's expected external regret grows like the square root of the rounds.
fn average(make: &dyn Fn(usize, u64) -> Box<dyn Learner>, rounds: usize) -> Regrets {
    let runs = 24u64;
    let mut sum = Regrets {
        rounds,
        external: 0.0,
        internal: 0.0,
        swap: 0.0,
    };
    for seed in 0..runs {
        let mut learner = make(rounds, seed);
        let mut coins = rng(1000 + seed);
        let mut account = RegretAccount::new(ACTIONS).unwrap();
        for _ in 0..rounds {
            let g: [f64; ACTIONS] =
                std::array::from_fn(|_| if coins.random::<bool>() { 1.0 } else { 0.0 });
            let x = learner.play().to_vec();
            account.record(&x, &g).unwrap();
            learner.observe(&g).unwrap();
        }
        let r = account.regrets().average();
        sum.external += r.external / runs as f64;
        sum.internal += r.internal / runs as f64;
        sum.swap += r.swap / runs as f64;
    }
    sum
}

/// Slopes of log average regret against log rounds: external, internal, swap.
fn slopes(make: &dyn Fn(usize, u64) -> Box<dyn Learner>) -> [f64; 3] {
    let points: Vec<(f64, Regrets)> = [100usize, 400, 1600, 6400]
        .iter()
        .map(|&t| ((t as f64).ln(), average(make, t)))
        .collect();
    let mean = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
    let slope = |f: &dyn Fn(&Regrets) -> f64| {
        let (up, down) = points.iter().fold((0.0, 0.0), |(u, d), (x, r)| {
            (u + (x - mean) * f(r).ln(), d + (x - mean) * (x - mean))
        });
        up / down
    };
    [
        slope(&|r| r.external),
        slope(&|r| r.internal),
        slope(&|r| r.swap),
    ]
}

#[test]
fn average_regret_falls_with_the_square_root_of_the_rounds() {
    let k = ACTIONS;
    let learners: [(&str, Make); 8] = [
        (
            "hedge",
            Box::new(move |t, _| Box::new(Hedge::fixed(k, t).unwrap())),
        ),
        (
            "anytime",
            Box::new(move |_, _| Box::new(Hedge::anytime(k).unwrap())),
        ),
        (
            "rm",
            Box::new(move |_, _| Box::new(RegretMatching::new(k).unwrap())),
        ),
        (
            "rm+",
            Box::new(move |_, _| Box::new(RegretMatching::plus(k).unwrap())),
        ),
        (
            "stoltz-lugosi",
            Box::new(move |t, _| Box::new(StoltzLugosi::fixed(k, t).unwrap())),
        ),
        (
            "blum-mansour",
            Box::new(move |t, _| Box::new(BlumMansour::tuned(k, t).unwrap())),
        ),
        (
            "blum-mansour over rm+",
            Box::new(move |_, _| Box::new(BlumMansour::new(k, RegretMatching::plus).unwrap())),
        ),
        (
            "ftpl",
            Box::new(move |t, seed| {
                let rate = (8.0 * (k as f64).ln() / t as f64).sqrt();
                Box::new(
                    FromOracle::new(
                        Ftpl::new(SingleActions(k), Noise::Gumbel { rate }, rng(seed)).unwrap(),
                    )
                    .unwrap(),
                )
            }),
        ),
    ];
    for (name, make) in &learners {
        let slopes = slopes(make.as_ref());
        assert!(
            slopes.iter().all(|s| (-0.62..=-0.38).contains(s)),
            "{name}: {slopes:?}"
        );
    }
}

/// Learners that promise external regret alone, or see one reward a round.
#[test]
fn average_external_regret_of_the_others_falls_likewise() {
    let k = ACTIONS;
    let learners: [(&str, Make); 3] = [
        (
            "exp3",
            Box::new(move |t, seed| Box::new(FromBandit::new(Exp3::new(k, t).unwrap(), rng(seed)))),
        ),
        (
            "exp3-ix",
            Box::new(move |t, seed| {
                Box::new(FromBandit::new(Exp3::implicit(k, t).unwrap(), rng(seed)))
            }),
        ),
        (
            "optimistic hedge",
            Box::new(move |t, _| {
                let rate = (8.0 * (k as f64).ln() / t as f64).sqrt();
                Box::new(Hedge::optimistic(k, rate).unwrap())
            }),
        ),
    ];
    for (name, make) in &learners {
        let [external, ..] = slopes(make.as_ref());
        assert!((-0.62..=-0.38).contains(&external), "{name}: {external}");
    }
}

/// A learner that never learns: the slope test must see it.
#[derive(Debug)]
struct ConstantPlay([f64; ACTIONS]);

impl Learner for ConstantPlay {
    fn actions(&self) -> usize {
        ACTIONS
    }
    fn play(&mut self) -> &[f64] {
        &self.0
    }
    fn observe(&mut self, _rewards: &[f64]) -> Result<(), crate::GamesError> {
        Ok(())
    }
}

#[test]
fn a_biased_opponent_separates_learners_from_the_stubborn() {
    let regret = |learner: &mut dyn Learner, rounds: usize| {
        let mut coins = rng(5);
        let mut account = RegretAccount::new(ACTIONS).unwrap();
        for _ in 0..rounds {
            let g: [f64; ACTIONS] = std::array::from_fn(|a| {
                if coins.random::<f64>() < 0.4 + 0.1 * a as f64 {
                    1.0
                } else {
                    0.0
                }
            });
            let x = learner.play().to_vec();
            account.record(&x, &g).unwrap();
            learner.observe(&g).unwrap();
        }
        account.regrets().average().external
    };
    assert!(regret(&mut ConstantPlay([0.25; ACTIONS]), 4000) > 0.1);
    assert!(regret(&mut Hedge::fixed(ACTIONS, 4000).unwrap(), 4000) < 0.02);
}
