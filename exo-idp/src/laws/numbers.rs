//! Every way to run a replay gives the same numbers.

use gpu::numbers::Lanes;
use gpu::{DelayLine, Device, Executor as _, Scalar};
use proptest::test_runner::TestCaseError;

use crate::outcomes::{Outcomes, Quantity};
use crate::policy::{Observation, Policy, Signals};
use crate::replay::Replay;

/// Week by week, and in every quantity, the policy's recorded program gives the numbers of the plain simulator in double precision (to
/// $10^{-9}$ of the largest of their kind), and SIMD lanes and the program in single precision to theirs (to $10^{-5}$).
///
/// A policy that branches on a value, or rounds on its own, fails here: a recorded program takes one branch for good.
///
/// # Errors
///
/// [`TestCaseError`] with the quantity and the gap.
pub fn number_types_agree<P: Policy>(replay: &Replay<'_>, policy: &P) -> Result<(), TestCaseError> {
    let device = Device::cpu(2);
    let reference = replay.run_as::<f64, P, _>(policy, &(), &device)?;
    let program = replay.record(policy, &())?;
    let arrays = replay.arrays::<f64, P, _>(policy, &())?;
    let batch = arrays.batch(&program)?;
    let run = device.forward(&program, policy.theta(), &batch)?;
    let recorded = replay.outcomes(policy, &(), &run)?;
    let lanes = replay.run_as::<Lanes<16>, P, _>(policy, &(), &device)?;
    let single = replay.run(&Recorded(policy), &device)?;
    for (way, other, tolerance) in [
        ("the recorded program", &recorded, 1e-9),
        ("lanes", &lanes, 1e-5),
        ("the program in single precision", &single, 1e-5),
    ] {
        for quantity in QUANTITIES {
            let gap = gap(&reference, other, quantity);
            if gap.is_nan() || gap > tolerance {
                let name = policy.name();
                return Err(TestCaseError::fail(format!(
                    "{name}: {quantity:?} of {way} differs by {gap} of the largest"
                )));
            }
        }
    }
    Ok(())
}

const QUANTITIES: [Quantity; 9] = [
    Quantity::Order,
    Quantity::Supplied,
    Quantity::Received,
    Quantity::Sold,
    Quantity::Unmet,
    Quantity::OnHand,
    Quantity::Book,
    Quantity::Reward,
    Quantity::Charge,
];

/// The largest gap of a quantity in any lane and week, relative to the largest value of its kind, units or money: what is unmet is a
/// difference of stock and demand.
fn gap(a: &Outcomes, b: &Outcomes, quantity: Quantity) -> f64 {
    let cells = a.scored().flat_map(|week| {
        (0..a.products()).flat_map(move |p| (0..a.samples()).map(move |s| (week, p, s)))
    });
    let money = |q: &Quantity| QUANTITIES[6..].contains(q);
    let kind = QUANTITIES.iter().filter(|q| money(q) == money(&quantity));
    let (mut gap, mut scale) = (0.0_f64, 1.0_f64);
    for (week, product, sample) in cells {
        let at = |o: &Outcomes, q: Quantity| o.sample(q, product, sample, week);
        let here = (at(a, quantity) - at(b, quantity)).abs();
        // NaN is a gap.
        gap = if here <= gap { gap } else { here };
        scale = kind
            .clone()
            .fold(scale, |most, &q| most.max(at(a, q).abs()));
    }
    gap / scale
}

/// A policy run as a recorded program rather than on lanes.
#[derive(Debug)]
struct Recorded<'a, P>(&'a P);

impl<P: Policy> Policy for Recorded<'_, P> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn theta(&self) -> &[f64] {
        self.0.theta()
    }
    fn signals(&self) -> Option<&Signals> {
        self.0.signals()
    }
    fn delay_lines(&self) -> usize {
        self.0.delay_lines()
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        self.0.order(theta, seen, memory)
    }
}
