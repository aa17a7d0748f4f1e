//! Laws over random programs that stay within a lane.

use hindsight_gpu::{Batch, Cpu, Executor};
use proptest::prelude::*;

use crate::check::{
    Arrays, by_differences, by_engine, cast, distance, forward_distance, reverse_distance,
};
use crate::executors::executors;
use crate::spec::{Class, Data, specs};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Both run the same operations in `f64`; only a dense layer fuses multiplication and addition, and so rounds less.
    #[test]
    fn recorded_equals_direct(spec in specs(Class::Any, false, 1..4)) {
        for (name, executor) in executors() {
            let gap = forward_distance(&spec, &*executor);
            prop_assert!(gap < 1e-12, "{name}: distance {gap}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn reverse_equals_forward_duals(spec in specs(Class::Any, false, 1..4)) {
        for (name, executor) in executors() {
            let gap = reverse_distance(&spec, &spec.program(), &*executor);
            prop_assert!(gap < 1e-10, "{name}: distance {gap}");
        }
    }

    /// With step $h$ the error of a central difference is of order $h^2$ times the third derivative, plus rounding over $h$:
    /// at $h = 10^{-4}$ about $10^{-8}$ times a third derivative that is up to a thousand times the first here.
    #[test]
    fn reverse_equals_central_differences(spec in specs(Class::Smooth, false, 1..4)) {
        let data = Data::of(&spec);
        let program = spec.program();
        let arrays = Arrays::<f64>::of(&data);
        let batch = arrays.batch(&program, spec.lanes, spec.periods);
        let reverse = by_engine::<f64>(&spec, &program, &data, &Cpu::new(1));
        let differences = by_differences(&program, &arrays, &batch);
        let gap = distance(&reverse.params, &differences);
        prop_assert!(gap < 1e-5, "distance {gap}");
    }

    /// Single precision follows double precision: operations are good to about 1e-7, and small programs amplify that a
    /// few hundred times.
    #[test]
    fn single_precision_is_close_to_double(spec in specs(Class::Smooth, false, 1..4)) {
        let data = Data::of(&spec);
        let program = spec.program();
        let double = by_engine::<f64>(&spec, &program, &data, &Cpu::new(1));
        let single = by_engine::<f32>(&spec, &program, &data, &Cpu::new(1));
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
    fn both_runs_have_the_same_objective(spec in specs(Class::Any, false, 1..70)) {
        let data = Data::of(&spec);
        let program = spec.program();
        let arrays = Arrays::<f64>::of(&data);
        let batch: Batch<'_, f64> = arrays.batch(&program, spec.lanes, spec.periods);
        let run = Cpu::new(1).forward(&program, &arrays.params, &batch).expect("a run");
        let gradient = by_engine::<f64>(&spec, &program, &data, &Cpu::new(1));
        let weights: Vec<f64> = cast(&data.weights);
        let sum: f64 = run.objective.iter().zip(&weights).map(|(o, w)| o * w).sum();
        // The sums over lanes are taken in another order.
        prop_assert!(distance(&[sum], &[gradient.objective]) < 1e-12);
    }
}
