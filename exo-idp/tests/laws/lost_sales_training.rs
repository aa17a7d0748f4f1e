//! The trained policy on the lost-sales problem, judged by the exact chain. All sixteen cells are in the example
//! `lost_sales_table`; here one, and a fault that it must show.

use std::ops::ControlFlow;

use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions};
use hindsight_exo_idp::train::{LostSalesTraining, train_lost_sales};
use hindsight_gpu::Device;

fn problem(penalty: f64) -> LostSales {
    LostSales::new(DemandLaw::poisson(5.0).unwrap(), 2, 1.0, penalty).unwrap()
}

/// The gap to the optimum, and that of the best base stock.
fn gaps(trained_for: f64, judged_for: f64) -> (f64, f64) {
    let training = LostSalesTraining {
        steps: 500,
        rounded_steps: 300,
        ..LostSalesTraining::default()
    };
    let watch = |_, _| ControlFlow::Continue(());
    let policy =
        train_lost_sales(&problem(trained_for), &training, &Device::default(), watch).unwrap();
    let judged = problem(judged_for);
    let options = ChainOptions::default();
    let optimum = judged.solve(&SolveOptions::default()).unwrap().cost();
    let cost = judged
        .evaluate(|state| policy.order(state), &options)
        .unwrap()
        .cost;
    let (_, base_stock) = judged.best_base_stock(&options).unwrap();
    (cost / optimum - 1.0, base_stock / optimum - 1.0)
}

#[test]
fn the_trained_policy_is_within_half_a_per_cent_and_beats_the_best_base_stock() {
    let (trained, base_stock) = gaps(9.0, 9.0);
    // Nothing beats the optimum: the small number is the solver's tolerance.
    assert!(trained > -1e-6 && trained < 0.005, "{trained}");
    assert!(trained < base_stock, "{trained} {base_stock}");
}

#[test]
fn a_policy_trained_for_another_penalty_shows_it() {
    let (trained, _) = gaps(4.0, 9.0);
    assert!(trained > 0.01, "{trained}");
}
