//! Laws over random programs that stay within a lane.

use hindsight_gpu::{Batch, Cpu, Executor};
use proptest::prelude::*;

use crate::check::{by_engine, forward_distance, reverse_distance};
use crate::executors::executors;
use hindsight_gpu::laws::{
    self,
    random::{Arrays, Kinds, cast, distance, programs},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Both run the same operations in `f64`; only a dense layer fuses multiplication and addition, and so rounds less.
    #[test]
    fn recorded_equals_direct(case in programs(Kinds::Any, false, 1..4)) {
        for (name, executor) in executors() {
            let gap = forward_distance(&case, &*executor);
            prop_assert!(gap < 1e-12, "{name}: distance {gap}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// With lanes that are joined too.
    #[test]
    fn executors_agree(case in programs(Kinds::Any, true, 1..200)) {
        for (_, executor) in executors::<f64>() {
            laws::executor_agrees(&*executor, &case)?;
        }
    }

    #[test]
    fn reverse_equals_forward_duals(case in programs(Kinds::Any, false, 1..4)) {
        for (name, executor) in executors() {
            let gap = reverse_distance(&case, &case.program(), &*executor);
            prop_assert!(gap < 1e-10, "{name}: distance {gap}");
        }
    }

    /// Along random directions of the parameters.
    #[test]
    fn reverse_equals_central_differences(case in programs(Kinds::Smooth, false, 1..4), seed: u64) {
        let program = case.program();
        let arrays = Arrays::<f64>::of(&case);
        let batch = arrays.batch(&program, case.lanes, case.periods)?;
        let batch = batch.weights(&arrays.weights)?;
        laws::gradient_is_right(&Cpu::new(1), &program, &arrays.params, &batch, seed)?;
    }

    /// Single precision follows double precision: operations are good to about 1e-7, and small programs amplify that a
    /// few hundred times.
    #[test]
    fn single_precision_is_close_to_double(case in programs(Kinds::Smooth, false, 1..4)) {
        let program = case.program();
        let double = by_engine::<f64>(&case, &program, &Cpu::new(1));
        let single = by_engine::<f32>(&case, &program, &Cpu::new(1));
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let gap = distance(&[double.objective], &[single.objective])
            .max(distance(&double.params, &wide(&single.params)))
            .max(distance(&double.lane, &wide(&single.lane)))
            .max(distance(&double.exo, &wide(&single.exo)));
        prop_assert!(gap < 2e-3, "distance {gap}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// The forward run that keeps no horizon and the one that keeps it are the same run.
    #[test]
    fn both_runs_have_the_same_objective(case in programs(Kinds::Any, false, 1..70)) {
        let data = Arrays::<f64>::of(&case);
        let program = case.program();
        let arrays = &data;
        let batch: Batch<'_, f64> = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit");
        let run = Cpu::new(1).forward(&program, &arrays.params, &batch).expect("a run");
        let gradient = by_engine::<f64>(&case, &program, &Cpu::new(1));
        let weights: Vec<f64> = cast(&data.weights);
        let sum: f64 = run.objective.iter().zip(&weights).map(|(o, w)| o * w).sum();
        // The sums over lanes are taken in another order.
        prop_assert!(distance(&[sum], &[gradient.objective]) < 1e-12);
    }
}
