//! A graphics processor against the processor in double precision.

use hindsight_gpu::exec::Gpu;
use hindsight_gpu::{Cpu, Executor};
use proptest::prelude::*;

use crate::check::{Arrays, by_engine, distance};
use crate::spec::{Class, Data, Spec, specs};

/// The graphics processor of this machine; where there is none, that is said.
fn device() -> Option<&'static Gpu> {
    static DEVICE: std::sync::OnceLock<Option<Gpu>> = std::sync::OnceLock::new();
    DEVICE
        .get_or_init(|| match Gpu::new() {
            Ok(gpu) => {
                eprintln!("graphics processor: {}", gpu.name());
                Some(gpu)
            }
            Err(error) => {
                eprintln!("skipped: {error}");
                None
            }
        })
        .as_ref()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// The distance of a run on the device from one on the processor in double precision.
fn forward_distance(spec: &Spec, gpu: &Gpu) -> f64 {
    let data = Data::of(spec);
    let program = spec.program();
    let (one, two) = (Arrays::<f64>::of(&data), Arrays::<f32>::of(&data));
    let batch = one.batch(&program, spec.lanes, spec.periods);
    let right = Cpu::new(1).forward(&program, &one.params, &batch).expect("a run");
    let batch = two.batch(&program, spec.lanes, spec.periods);
    let run = gpu.forward(&program, &two.params, &batch).expect("a run on the device");
    distance(&run.objective, &right.objective)
        .max(distance(&wide(&run.traces), &right.traces))
        .max(distance(&wide(&run.state), &right.state))
}

fn gradient_distance(spec: &Spec, gpu: &Gpu) -> f64 {
    let data = Data::of(spec);
    let program = spec.program();
    let right = by_engine::<f64>(spec, &program, &data, &Cpu::new(1));
    let run = by_engine::<f32>(spec, &program, &data, gpu);
    distance(&[run.objective], &[right.objective])
        .max(distance(&wide(&run.params), &right.params))
        .max(distance(&wide(&run.lane), &right.lane))
        .max(distance(&wide(&run.exo), &right.exo))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn values_on_a_device(spec in specs(Class::Any, false, 1..80)) {
        if let Some(gpu) = device() {
            let off = forward_distance(&spec, gpu);
            prop_assert!(off < 1e-3, "{off}");
        }
    }

    #[test]
    fn gradients_on_a_device(spec in specs(Class::Continuous, false, 1..80)) {
        if let Some(gpu) = device() {
            let off = gradient_distance(&spec, gpu);
            prop_assert!(off < 1e-3, "{off}");
        }
    }
}
