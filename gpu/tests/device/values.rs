//! Random programs: values and derivatives, within a lane and in groups whose lanes are joined.

use hindsight_gpu::laws::{
    self,
    random::{Case, Kinds, programs},
};
use proptest::prelude::*;

use crate::device;

/// Each case compiles shaders of its own, which takes seconds where the device is software; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        max_shrink_iters: 40,
        ..ProptestConfig::with_cases(asked.unwrap_or(6))
    }
}

/// Random programs of a size that bounds the time of a compiler: half of the others' instructions, in half as many cases more.
fn small(kinds: Kinds, joined: bool, lanes: std::ops::Range<usize>) -> impl Strategy<Value = Case> {
    programs(kinds, joined, lanes).prop_map(|mut case| {
        case.start.truncate(2);
        case.period.truncate(7);
        case
    })
}

proptest! {
    #![proptest_config(cases())]

    /// Roundings may fall the other way where a number is within an ulp of a half; the tolerance is that of single precision over a few
    /// hundred operations.
    #[test]
    fn values_on_a_device(case in small(Kinds::Continuous, false, 1..80)) {
        if let Some(gpu) = device() {
            laws::values_agree(gpu, &case)?;
        }
    }

    #[test]
    fn gradients_on_a_device(case in small(Kinds::Smooth, false, 1..80)) {
        if let Some(gpu) = device() {
            laws::gradients_agree(gpu, &case)?;
        }
    }
}

/// Groups of a lane, of a few, of a workgroup, and of more than one.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![3 => 1..9_usize, 1 => Just(32_usize), 1 => 33..90_usize];
    prop::collection::vec(size, 1..6)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn values_of_groups_on_a_device(case in small(Kinds::Continuous, true, 1..2), sizes in sizes()) {
        if let Some(gpu) = device() {
            laws::values_agree(gpu, &case.in_groups(sizes))?;
        }
    }

    #[test]
    fn gradients_of_groups_on_a_device(case in small(Kinds::Smooth, true, 1..2), sizes in sizes()) {
        if let Some(gpu) = device() {
            laws::gradients_agree(gpu, &case.in_groups(sizes))?;
        }
    }
}
