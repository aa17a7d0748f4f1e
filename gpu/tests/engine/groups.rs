//! Lanes in groups: each group is a run of its own.

use hindsight_gpu::{Batch, Cpu, Executor, Part, Program, Scalar, Shape, Start, Step};
use proptest::prelude::*;

use crate::check::{Arrays, distance};
use crate::spec::{Class, Data, specs};

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![3 => 1..9_usize, 1 => Just(1_usize), 1 => Just(64_usize), 1 => Just(96_usize), 1 => 60..200_usize];
    prop::collection::vec(size, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A batch in groups is its groups, one after another: values, parameters' and inputs' derivatives.
    #[test]
    fn a_group_is_a_run_of_its_own(mut spec in specs(Class::Any, true, 1..2), sizes in sizes()) {
        spec.lanes = sizes.iter().sum();
        let arrays = Arrays::<f64>::of(&Data::of(&spec));
        let program = spec.program();
        let batch = || arrays.batch(&program, spec.lanes, spec.periods).weights(&arrays.weights).expect("weights").differentiate_inputs();
        let cpu = Cpu::new(2);
        let grouped = batch().groups(&sizes).expect("sizes that add up");
        let run = cpu.forward(&program, &arrays.params, &grouped).expect("a run");
        let gradient = cpu.gradient(&program, &arrays.params, &grouped).expect("a run");
        let mut sum = vec![0.0; arrays.params.len()];
        let mut first = 0;
        for &size in &sizes {
            let lanes: Vec<usize> = (first..first + size).collect();
            let mut session = cpu.open(&program, batch()).expect("a session");
            session.load(&arrays.params).expect("as many parameters");
            let alone = session.forward(&Part::lanes(&lanes)).expect("a run");
            let own = |rows: &[f64]| -> Vec<f64> {
                rows.chunks_exact(spec.lanes).flat_map(|row| row[first..first + size].to_vec()).collect()
            };
            prop_assert!(distance(&own(&run.objective), &alone.objective) < 1e-11);
            prop_assert!(distance(&own(&run.traces), &alone.traces) < 1e-11);
            prop_assert!(distance(&own(&run.state), &alone.state) < 1e-11);
            let alone = session.gradient(&Part::lanes(&lanes)).expect("a run");
            sum.iter_mut().zip(&alone.params).for_each(|(s, g)| *s += g);
            prop_assert!(distance(&own(&gradient.lane), &alone.lane) < 1e-10);
            prop_assert!(distance(&own(&gradient.exo), &alone.exo) < 1e-10);
            first += size;
        }
        prop_assert!(distance(&gradient.params, &sum) < 1e-10);
    }
}

#[test]
fn sums_and_maxima_are_over_the_group() {
    let shape = Shape {
        lane: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let x = inputs.lane[0];
            Step {
                objective: x.lane_max(),
                traces: vec![x.lane_sum()],
                ..Step::new()
            }
        },
    );
    let batch = Batch::new(&program, 5, 1)
        .lane(&[1.0_f64, -4.0, 3.0, -2.0, -7.0])
        .and_then(|batch| batch.groups(&[1, 2, 2]))
        .expect("five lanes");
    let cpu = Cpu::new(1);
    let mut session = cpu
        .open(&program, batch.differentiate_inputs())
        .expect("a session");
    let run = session.forward(&Part::all()).expect("a run");
    assert_eq!(run.objective, [1.0, 3.0, 3.0, -2.0, -2.0]);
    assert_eq!(run.traces, [1.0, -1.0, -1.0, -9.0, -9.0]);
    let part = session.forward(&Part::groups(&[2, 0])).expect("a run");
    assert_eq!(part.objective, [-2.0, -2.0, 1.0]);
    // The maximum has no derivative.
    let gradient = session.gradient(&Part::all()).expect("a run");
    assert_eq!(gradient.lane, [0.0; 5]);
}
