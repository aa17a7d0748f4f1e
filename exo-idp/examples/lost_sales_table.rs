//! The lost-sales test bed: Poisson demand of mean 5, holding cost 1, lead times 1 to 4, penalties 4, 9, 19 and 39. The
//! exact optimum, the best base stock, the best capped base stock and the trained policy with whole orders, all evaluated exactly.
//!
//! `cargo run --release -p hindsight-exo-idp --features studies --example lost_sales_table -- [STEPS] [SEED]`

use std::error::Error;
use std::ops::ControlFlow;

use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions};
use hindsight_exo_idp::train::{LostSalesTraining, train_lost_sales};
use hindsight_gpu::Device;

/// Published optima, by lead time and penalty.
const PUBLISHED: [[f64; 4]; 4] = [
    [4.041, 5.438, 6.676, 7.836],
    [4.395, 6.094, 7.664, 9.106],
    [4.599, 6.531, 8.363, 10.038],
    [4.729, 6.836, 8.887, 10.794],
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut training = LostSalesTraining::default();
    if let Some(steps) = args.next() {
        training.steps = steps.parse()?;
        training.rounded_steps = training.steps;
    }
    if let Some(seed) = args.next() {
        training.seed = seed.parse()?;
    }
    let options = ChainOptions::default();
    println!(
        "lead penalty   published  optimum  base stock    gap   capped    gap   trained    gap"
    );
    let (mut trained_gaps, mut capped_gaps, mut beaten) = (Vec::new(), Vec::new(), 0);
    for (lead, row) in (1..).zip(PUBLISHED) {
        for (penalty, published) in [4.0, 9.0, 19.0, 39.0].into_iter().zip(row) {
            let problem = LostSales::new(DemandLaw::poisson(5.0)?, lead, 1.0, penalty)?;
            let optimum = problem.solve(&SolveOptions::default())?.cost();
            let plain = problem.best_base_stock(&options)?;
            let base = problem
                .evaluate(hindsight_exo_idp::exact::base_stock(plain.0), &options)?
                .cost;
            let (_, capped) = problem.best_capped_base_stock_near(plain, &options)?;
            let policy = train_lost_sales(&problem, &training, &Device::default(), |_, _| {
                ControlFlow::Continue(())
            })?;
            let trained = problem
                .evaluate(|state| policy.order(state), &options)?
                .cost;
            let gap = |cost: f64| 100.0 * (cost / optimum - 1.0);
            println!(
                "{lead:4} {penalty:7} {published:11.3} {optimum:8.3} {base:11.3} {:5.2} % {capped:7.3} {:5.2} % {trained:8.3} {:5.2} %",
                gap(base),
                gap(capped),
                gap(trained)
            );
            trained_gaps.push(gap(trained));
            capped_gaps.push(gap(capped));
            beaten += usize::from(trained < base);
        }
    }
    let mean = |gaps: &[f64]| gaps.iter().sum::<f64>() / 16.0;
    println!(
        "trained: mean gap {:.2} %, largest {:.2} %; capped base stock: mean {:.2} %; the trained policy beats the best base stock in {beaten} of {} cells",
        mean(&trained_gaps),
        trained_gaps.iter().copied().fold(0.0, f64::max),
        mean(&capped_gaps),
        trained_gaps.len()
    );
    Ok(())
}
