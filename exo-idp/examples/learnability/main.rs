//! When a back-test can be trusted, and when it cannot: four experiments on the learnability bounds.
//!
//! `cargo run --release -p hindsight-exo-idp --features studies --example learnability [-- --full]`
//!
//! T1: the error of a back-test over a class of 200 policies falls as one over the root of the number of products, whatever the
//! horizon. T2: lead times drawn from a wrong forecast cost in proportion to how many whole paths are wrong; week-by-week errors cost
//! far more. T3: where demand reacts to stock-outs the back-test is wrong, and more products do not help. T4: products
//! that share shocks are fewer than they look.

#![allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]

mod experiments;

use experiments::{
    COST, DEMAND, LEVELS, ORDER, PRICE, block_sums, corruption, coverage, errors_by_size, fragile,
    fragile_exact, largest_difference, log_slope, mean,
};
use hindsight_exo_idp::Error;
use hindsight_exo_idp::learnability::{
    discounted_weeks, effective_products, forecast_term, path_total_variation, return_width,
    uniform_bound,
};

const DISCOUNT: f64 = 0.9;
const DELTA: f64 = 0.05;

fn main() -> Result<(), Error> {
    let full = std::env::args().any(|argument| argument == "--full");
    independent_products(full)?;
    forecast_lead_times(full)?;
    reacting_demand(full);
    shared_shocks(full)
}

fn independent_products(full: bool) -> Result<(), Error> {
    println!(
        "T1  Independent products: largest error over {LEVELS} base-stock levels, discount {DISCOUNT}"
    );
    println!(
        "{:>6} {:>9} {:>8} {:>12} {:>12} {:>12}",
        "weeks", "products", "repeats", "mean error", "worst", "bound (A)"
    );
    let (blocks, truth_blocks) = if full {
        (10_000, 10_000)
    } else {
        (1_500, 2_000)
    };
    let sizes: &[usize] = if full {
        &[1, 3, 10, 32, 100, 320, 1000]
    } else {
        &[1, 3, 10, 32, 100]
    };
    for weeks in [13_u32, 52] {
        let width = return_width(PRICE, DEMAND, COST, ORDER, DISCOUNT, weeks)?;
        let truth = mean(&block_sums(
            1,
            truth_blocks,
            weeks as usize,
            DISCOUNT,
            false,
        ));
        let pool = block_sums(2, blocks, weeks as usize, DISCOUNT, false);
        let rows = errors_by_size(&truth, &pool, sizes, 400);
        for row in &rows {
            let bound = uniform_bound(width, LEVELS as u64, row.products as u64, DELTA)?;
            println!(
                "{weeks:>6} {:>9} {:>8} {:>12.4} {:>12.4} {bound:>12.2}",
                row.products, row.repeats, row.mean_error, row.worst_error
            );
        }
        let points: Vec<_> = rows
            .iter()
            .map(|r| (r.products as f64, r.mean_error))
            .collect();
        println!(
            "       slope of log error on log products: {:.3} (theory -0.5)",
            log_slope(&points)
        );
    }
    println!(
        "    Does the bound bite? A vendor who delivers at once or never, drawn once per product with probability 1/2:"
    );
    let (weeks, products, repeats) = (52_u32, 100, 400);
    let width = 2.0 * fragile_exact(weeks as usize, DISCOUNT, 0.0, false);
    let truth = fragile_exact(weeks as usize, DISCOUNT, 0.5, false);
    let bound = uniform_bound(width, 1, products, DELTA)?;
    let counted_by_week = uniform_bound(width, 1, products * u64::from(weeks), DELTA)?;
    let errors: Vec<f64> = (0..repeats)
        .map(|r| (fragile(1000 + r, products, weeks as usize, DISCOUNT, 0.5, false) - truth).abs())
        .collect();
    let share =
        |limit: f64| errors.iter().filter(|e| **e <= limit).count() as f64 / errors.len() as f64;
    println!(
        "      {products} products, {repeats} repeats: bound held in {:.1} % of repeats",
        100.0 * share(bound)
    );
    println!(
        "      FAILS: counting product-weeks as products, it would have held in {:.1} %\n",
        100.0 * share(counted_by_week)
    );
    Ok(())
}

fn forecast_lead_times(full: bool) -> Result<(), Error> {
    let weeks = 52;
    let products = if full { 200_000 } else { 15_000 };
    println!(
        "T2  Lead times from a wrong forecast (always 3 weeks), {products} products, {weeks} weeks"
    );
    let shares = [0.0, 0.02, 0.05, 0.1, 0.2];
    let width = return_width(PRICE, DEMAND, COST, ORDER, DISCOUNT, weeks)?;
    let (all_wrong, rows) = corruption(3, products, weeks as usize, DISCOUNT, &shares);
    let zero = vec![0.0; LEVELS];
    println!(
        "{:>6} {:>14} {:>14} {:>12} {:>12} {:>14} {:>10}",
        "e", "by path: max", "e x all wrong", "B e", "z of line", "by week: max", "B TV(path)"
    );
    for row in &rows {
        let line: Vec<f64> = all_wrong.iter().map(|x| row.share * x).collect();
        let z = row
            .by_path
            .iter()
            .zip(&line)
            .zip(&row.line_error)
            .filter(|(_, error)| **error > 0.0)
            .map(|((x, y), error)| (x - y).abs() / error)
            .fold(0.0, f64::max);
        println!(
            "{:>6.2} {:>14.4} {:>14.4} {:>12.1} {z:>12.2} {:>14.4} {:>10.1}",
            row.share,
            largest_difference(&row.by_path, &zero),
            largest_difference(&line, &zero),
            forecast_term(width, row.share)?,
            largest_difference(&row.by_week, &zero),
            forecast_term(width, path_total_variation(row.share, weeks)?)?,
        );
    }
    println!(
        "    The vendor who delivers at once or never, the true one always at once; B is the exact width of returns:"
    );
    println!(
        "{:>6} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "e", "by path", "B e", "by week", "B TV(path)", "TV(path)"
    );
    let right = fragile_exact(weeks as usize, 0.99, 0.0, false);
    let width = right + 1.0;
    for e in [0.02, 0.05, 0.1, 0.2] {
        let by_path = right - fragile(5, products, weeks as usize, 0.99, e, false);
        let by_week = right - fragile(6, products, weeks as usize, 0.99, e, true);
        let variation = path_total_variation(e, weeks)?;
        println!(
            "{e:>6.2} {by_path:>12.3} {:>12.3} {by_week:>12.3} {:>12.3} {variation:>12.3}{}",
            forecast_term(width, e)?,
            forecast_term(width, variation)?,
            if by_week > width * e {
                "   FAILS: by week exceeds B e"
            } else {
                ""
            }
        );
    }
    println!(
        "    By path the bound is attained (but for sampling); by week the error grows over {} discounted weeks, and only the path's total variation covers it.\n",
        {
            let weeks = discounted_weeks(0.99, weeks)?;
            format!("{weeks:.1}")
        }
    );
    Ok(())
}

fn reacting_demand(full: bool) {
    let weeks = 52;
    println!(
        "T3  FAILS on purpose: demand falls in the week after a stock-out, the back-test does not know it"
    );
    println!("{:>9} {:>16} {:>16}", "products", "exogenous", "reacting");
    let (blocks, truth_blocks) = if full { (2_000, 10_000) } else { (500, 1_000) };
    let exogenous = mean(&block_sums(7, truth_blocks, weeks, DISCOUNT, false));
    let reacting = mean(&block_sums(7, truth_blocks, weeks, DISCOUNT, true));
    // The record was made with ample stock, so demand in it was never discouraged: it is the exogenous pool.
    let pool = block_sums(8, blocks, weeks, DISCOUNT, false);
    let sizes: &[usize] = if full {
        &[1, 10, 100, 500]
    } else {
        &[1, 10, 100]
    };
    let good = errors_by_size(&exogenous, &pool, sizes, 200);
    let bad = errors_by_size(&reacting, &pool, sizes, 200);
    for (g, b) in good.iter().zip(&bad) {
        println!(
            "{:>9} {:>16.4} {:>16.4}",
            g.products, g.mean_error, b.mean_error
        );
    }
    let slope = |rows: &[experiments::ErrorRow]| {
        log_slope(
            &rows
                .iter()
                .map(|r| (r.products as f64, r.mean_error))
                .collect::<Vec<_>>(),
        )
    };
    println!(
        "    slopes: {:.3} and {:.3}; the second does not fall with the number of products\n",
        slope(&good),
        slope(&bad)
    );
}

fn shared_shocks(full: bool) -> Result<(), Error> {
    let (worlds, products, weeks, block) = if full {
        (500, 400, 208, 8)
    } else {
        (150, 200, 208, 8)
    };
    println!(
        "T4  Shared weekly demand shocks: coverage of nominal 95 % intervals over {worlds} worlds of {products} products, {weeks} weeks"
    );
    println!(
        "{:>8} {:>14} {:>14} {:>12} {:>12} {:>12}",
        "shock", "products only", "blocks of weeks", "both", "correlation", "worth"
    );
    for shock in [0.0, 0.4, 0.8] {
        let c = coverage(11, worlds, products, weeks, block, shock);
        println!(
            "{shock:>8.1} {:>14.3} {:>14.3} {:>12.3} {:>12.4} {:>12.1}{}",
            c.products_only,
            c.weeks_only,
            c.both,
            c.correlation,
            effective_products(products as u64, c.correlation)?,
            if c.products_only < 0.8 {
                "   FAILS: products only"
            } else {
                ""
            }
        );
    }
    Ok(())
}
