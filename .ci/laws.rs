//! From outside the workspace: the laws pass what is right, and catch what is planted.

use std::sync::atomic::{AtomicU32, Ordering};

use hindsight_exo_idp::laws::{self, Case, Known};
use hindsight_exo_idp::market::{Market, MarketInputs};
use hindsight_exo_idp::oracle::JustInTime;
use hindsight_exo_idp::period::Event;
use hindsight_exo_idp::policy::{BaseStock, Observation, Policy, Signals};
use hindsight_exo_idp::{Error, Panel};
use hindsight_games::laws::{Adversary, Regret, regret_within_bound};
use hindsight_games::repeated::{Hedge, Learner};
use hindsight_games::GamesError;
use hindsight_gpu::exec::{Gradient, Rollout};
use hindsight_gpu::laws as engine;
use hindsight_gpu::record::CustomOp;
use hindsight_gpu::{Batch, Cpu, DelayLine, Executor, Program, Real, Scalar, Session};
use hindsight_llm_metrics::laws::{Log, is_calibrated_interval};
use hindsight_llm_metrics::stats::{Interval, wilson};
use proptest::test_runner::{TestCaseResult, TestRunner};

const WEEKS: usize = 26;

/// What a law says of a hundred random worlds.
fn in_worlds(law: impl Fn(Case) -> TestCaseResult) -> Result<(), String> {
    let mut runner = TestRunner::deterministic();
    let run = runner.run(&laws::cases(2, WEEKS), law);
    run.map_err(|error| error.to_string())
}

fn levels(panel: &Panel, level: impl Fn(usize, usize) -> f64) -> BaseStock {
    let signals = Signals::from_fn(panel.weeks(), 1, panel.products(), |week, _, p| level(week, p));
    BaseStock::new("levels", 1.0, signals)
}

fn future(make: impl Fn(&Panel) -> BaseStock) -> Result<(), String> {
    let make = |panel: &Panel| Ok::<_, Error>(make(panel));
    in_worlds(|case| laws::sees_no_future(&case, 11, Known::default(), make))
}

#[test]
fn policies_that_leak_are_caught() {
    // Twice last week's demand: nothing later.
    future(|panel| levels(panel, |week, p| 2.0 * panel.demand(p, week.saturating_sub(1)))).unwrap();
    // This week's demand, next week's price, the mean of the whole record.
    let next = |week: usize| (week + 1).min(WEEKS - 1);
    let mean = |panel: &Panel, p| (0..WEEKS).map(|week| panel.demand(p, week)).sum::<f64>() / 26.0;
    for caught in [
        future(|panel| levels(panel, |week, p| 2.0 * panel.demand(p, week))),
        future(|panel| levels(panel, |week, p| 3.0 * panel.price(p, next(week)))),
        future(|panel| levels(panel, |_, p| 3.0 * mean(panel, p))),
    ] {
        assert!(caught.unwrap_err().contains("moves from"));
    }
}

/// Gives units or money away at the end of a week, or books every sale once more.
#[derive(Debug, Default)]
struct Gift {
    units: f64,
    money: f64,
    sale: f64,
}

impl Market for Gift {
    fn close<S: Scalar>(&self, _: &MarketInputs<'_, S>, event: &mut Event<S>, _: &mut [S]) {
        event.on_hand = event.on_hand + S::constant(self.units);
        event.reward = event.reward + S::constant(self.money) + event.sold * S::constant(self.sale);
    }
}

#[test]
fn earning_more_than_the_hindsight_optimum_is_caught() {
    let bound = |gift: Gift| {
        in_worlds(|case| {
            let paths = case.paths(1)?;
            let replay = case.replay(&paths, 4)?;
            let few = levels(paths.panel(), |_, _| 10.0);
            laws::never_beats_the_hindsight_optimum(&replay, &JustInTime::new(&replay), &())?;
            laws::never_beats_the_hindsight_optimum(&replay, &few, &gift)
        })
    };
    bound(Gift::default()).unwrap();
    for gift in [
        Gift { money: 400.0, ..Gift::default() },
        Gift { units: 30.0, ..Gift::default() },
        Gift { sale: 20.0, ..Gift::default() },
    ] {
        assert!(bound(gift).unwrap_err().contains("above the hindsight optimum"));
    }
}

/// Keeps its own count of the orders it was asked for: not the same in every way of running.
#[derive(Debug)]
struct Counts(AtomicU32);

impl Policy for Counts {
    fn name(&self) -> &str {
        "counts"
    }
    fn order<S: Scalar>(&self, _: &[S], _: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        S::constant(f64::from(self.0.fetch_add(1, Ordering::Relaxed) % 3))
    }
}

#[test]
fn a_policy_that_keeps_its_own_count_is_caught() {
    let agree = |counts: bool| {
        in_worlds(|case| {
            let paths = case.paths(1)?;
            let replay = case.replay(&paths, 4)?;
            match counts {
                true => laws::number_types_agree(&replay, &Counts(AtomicU32::new(0))),
                false => laws::number_types_agree(&replay, &levels(paths.panel(), |_, _| 20.0)),
            }
        })
    };
    agree(false).unwrap();
    assert!(agree(true).is_err());
}

/// Plays one action for good, the last best, or what does worst.
#[derive(Debug)]
struct Naive(fn(&[f64]) -> usize, Vec<f64>, Vec<f64>);

impl Learner for Naive {
    fn actions(&self) -> usize {
        self.1.len()
    }
    fn play(&mut self) -> &[f64] {
        &self.1
    }
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        self.2.iter_mut().zip(rewards).for_each(|(total, r)| *total = 0.01 * *total + r);
        let action = (self.0)(&self.2);
        self.1.fill(0.0);
        self.1[action] = 1.0;
        Ok(())
    }
}

fn greatest(values: &[f64]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

fn least(values: &[f64]) -> usize {
    (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

#[test]
fn learners_with_linear_regret_are_caught() {
    let hedge = Hedge::anytime(3).unwrap();
    for adversary in Adversary::ALL {
        let bound = |rounds: usize| hedge.bound(rounds);
        regret_within_bound(&mut hedge.clone(), Regret::External, bound, adversary, 600, 5).unwrap();
    }
    for (rule, adversary) in [
        (greatest as fn(&[f64]) -> usize, Adversary::Flip),
        (least, Adversary::Drift),
        (|_: &[f64]| 0, Adversary::Contrarian),
    ] {
        let mut learner = Naive(rule, vec![1.0, 0.0, 0.0], vec![0.0; 3]);
        let bound = |rounds: usize| hedge.bound(rounds);
        let verdict = regret_within_bound(&mut learner, Regret::External, bound, adversary, 600, 5);
        assert!(verdict.is_err(), "{adversary:?}");
    }
}

#[test]
fn intervals_that_are_too_narrow_are_caught() {
    let right = |seed: u64| {
        let log = Log::distorted(300, seed, |_| 0.8);
        log.correct.iter().filter(|&&y| y).count() as u64
    };
    let judge = |interval: &dyn Fn(u64) -> Interval| {
        is_calibrated_interval(0.95, 0.8, 1_000, |seed| Ok(interval(seed)))
    };
    let claimed = |right: u64, level: f64| Interval { level: 0.95, ..wilson(right, 300, level).unwrap() };
    judge(&|seed| claimed(right(seed), 0.95)).unwrap();
    // An interval of 70 %, one of twice the records, one off its place.
    assert!(judge(&|seed| claimed(right(seed), 0.70)).is_err());
    assert!(judge(&|seed| wilson(2 * right(seed), 600, 0.95).unwrap()).is_err());
    let off = |i: Interval| Interval { lower: i.lower + 0.03, upper: i.upper + 0.03, ..i };
    assert!(judge(&|seed| off(claimed(right(seed), 0.95))).is_err());
}

/// The processor, with a fault in what it gives back.
#[derive(Debug)]
struct Faulty<F: Real> {
    values: fn(&mut Rollout<F>),
    gradient: fn(&mut Gradient<F>),
}

impl<F: Real> Executor<F> for Faulty<F>
where
    Cpu: Executor<F>,
{
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, F>,
    ) -> Result<Box<dyn Session<F> + 'a>, hindsight_gpu::Error> {
        static CPU: std::sync::OnceLock<Cpu> = std::sync::OnceLock::new();
        CPU.get_or_init(|| Cpu::new(1)).open(program, batch)
    }
    fn forward(&self, program: &Program, params: &[F], batch: &Batch<'_, F>) -> Result<Rollout<F>, hindsight_gpu::Error> {
        let mut run = Cpu::new(1).forward(program, params, batch)?;
        (self.values)(&mut run);
        Ok(run)
    }
    fn gradient(&self, program: &Program, params: &[F], batch: &Batch<'_, F>) -> Result<Gradient<F>, hindsight_gpu::Error> {
        let mut run = Cpu::new(1).gradient(program, params, batch)?;
        (self.gradient)(&mut run);
        Ok(run)
    }
}

#[test]
fn executors_with_faults_are_caught() {
    let judge = |executor: &dyn Executor<f32>| {
        let programs = engine::programs(engine::Kinds::Smooth, true, 2..40);
        let mut runner = TestRunner::deterministic();
        runner.run(&programs, |case| engine::executor_agrees(executor, &case))
    };
    judge(&Faulty { values: |_| (), gradient: |_| () }).unwrap();
    // The last lane never computed, a derivative of parameters 2 % off, those of the inputs in another order.
    judge(&Faulty { values: |run| *run.objective.last_mut().unwrap() = 0.0, gradient: |_| () }).unwrap_err();
    let scaled = |run: &mut Gradient<f32>| run.params.iter_mut().for_each(|d| *d *= 1.02);
    judge(&Faulty { values: |_| (), gradient: scaled }).unwrap_err();
    judge(&Faulty { values: |_| (), gradient: |run| run.lane.reverse() }).unwrap_err();
}

/// $x y$ and $e^x$, with a product of one's own.
#[derive(Debug)]
struct Own(fn(&[f64], &[f64], &mut [f64]));

impl CustomOp for Own {
    fn outputs(&self) -> usize {
        2
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&[x[0] * x[1], x[0].exp()]);
    }
    fn vjp(&self, x: &[f64], _: &[f64], dy: &[f64], dx: &mut [f64]) {
        (self.0)(x, dy, dx);
    }
}

#[test]
fn operations_with_wrong_derivatives_are_caught() {
    let judge = |operation: Own| {
        let inputs = proptest::array::uniform2(-2.0_f64..2.0);
        let mut runner = TestRunner::deterministic();
        runner.run(&inputs, |x| engine::derivative_is_right(&operation, &x))
    };
    judge(Own(|x, dy, dx| dx.copy_from_slice(&[dy[0] * x[1] + dy[1] * x[0].exp(), dy[0] * x[0]]))).unwrap();
    // A term left out, one a per mille too large, factors that changed places.
    judge(Own(|x, dy, dx| dx.copy_from_slice(&[dy[0] * x[1], dy[0] * x[0]]))).unwrap_err();
    judge(Own(|x, dy, dx| dx.copy_from_slice(&[dy[0] * x[1] + dy[1] * x[0].exp(), 1.001 * dy[0] * x[0]]))).unwrap_err();
    judge(Own(|x, dy, dx| dx.copy_from_slice(&[dy[0] * x[0] + dy[1] * x[0].exp(), dy[0] * x[1]]))).unwrap_err();
}
