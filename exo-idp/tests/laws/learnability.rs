//! The learnability bounds on synthetic worlds: they hold where their assumptions do, and break where they do not.

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../../examples/learnability/experiments.rs"]
mod experiments;

use experiments::{
    COST, DEMAND, LEVELS, ORDER, PRICE, block_sums, corruption, coverage, errors_by_size, fragile,
    fragile_exact, largest_difference, log_slope, mean, real,
};
use hindsight_exo_idp::learnability::{
    forecast_term, path_total_variation, return_width, uniform_bound,
};

const DISCOUNT: f64 = 0.9;
const DELTA: f64 = 0.05;

/// T1: the error falls as one over the root of the number of products, at any horizon, and stays within the bound.
#[test]
fn error_falls_with_the_root_of_the_products_at_any_horizon() {
    for weeks in [13_u32, 52] {
        let width = return_width(PRICE, DEMAND, COST, ORDER, DISCOUNT, weeks).unwrap();
        let truth = mean(&block_sums(21, 1_000, weeks as usize, DISCOUNT, false));
        let pool = block_sums(22, 400, weeks as usize, DISCOUNT, false);
        let rows = errors_by_size(&truth, &pool, &[1, 3, 10, 32], 200);
        for row in &rows {
            let bound = uniform_bound(width, LEVELS as u64, row.products as u64, DELTA).unwrap();
            assert!(
                row.worst_error <= bound,
                "{weeks} weeks, {row:?}: bound {bound}"
            );
        }
        let points: Vec<_> = rows
            .iter()
            .map(|r| (real(r.products), r.mean_error))
            .collect();
        let slope = log_slope(&points);
        assert!(
            (-0.6..=-0.4).contains(&slope),
            "{weeks} weeks: slope {slope}"
        );
    }
}

/// T1: where returns sit at both ends of their interval the bound holds in at least 95 % of repeats, and the same bound with
/// product-weeks counted as products does not.
#[test]
fn bound_holds_for_extreme_returns_and_counting_weeks_as_products_breaks_it() {
    let (weeks, products, repeats) = (52_u32, 100, 300);
    let width = 2.0 * fragile_exact(weeks as usize, DISCOUNT, 0.0, false);
    let truth = fragile_exact(weeks as usize, DISCOUNT, 0.5, false);
    let held = |bound: f64| {
        let errors = (0..repeats).map(|r| {
            (fragile(50 + r, products, weeks as usize, DISCOUNT, 0.5, false) - truth).abs()
        });
        real(errors.filter(|e| *e <= bound).count()) / repeats as f64
    };
    assert!(held(uniform_bound(width, 1, products, DELTA).unwrap()) >= 0.95);
    assert!(held(uniform_bound(width, 1, products * u64::from(weeks), DELTA).unwrap()) < 0.75);
}

/// T2: with whole paths replaced the loss is a straight line in the share replaced, below B e for every policy.
#[test]
fn path_errors_cost_in_proportion() {
    let weeks = 26;
    let shares = [0.0, 0.02, 0.05, 0.1, 0.2];
    let width = return_width(PRICE, DEMAND, COST, ORDER, DISCOUNT, weeks).unwrap();
    let (all_wrong, rows) = corruption(23, 4_000, weeks as usize, DISCOUNT, &shares);
    for row in &rows {
        let limit = forecast_term(width, row.share).unwrap();
        for (k, wrong) in all_wrong.iter().enumerate() {
            let line = row.share * wrong;
            // Two hundred correlated levels: five standard errors leave a false alarm about 1e-4 of the time.
            assert!(
                (row.by_path[k] - line).abs() <= 5.0 * row.line_error[k] + 1e-12,
                "level {k}, {}",
                row.share
            );
            assert!(row.by_path[k].abs() <= limit + 1e-12);
        }
        // The same share of wrong weeks costs more than the same share of wrong paths.
        if row.share > 0.0 {
            let zero = vec![0.0; LEVELS];
            assert!(
                largest_difference(&row.by_week, &zero)
                    > 1.2 * largest_difference(&row.by_path, &zero)
            );
        }
    }
}

/// T2, the failing case: an error per week is no error per path.
#[test]
fn weekly_errors_break_the_bound_that_counts_them_per_week() {
    let (weeks, discount, products) = (52_usize, 0.99, 4_000);
    let right = fragile_exact(weeks, discount, 0.0, false);
    let width = right + 1.0;
    for e in [0.02, 0.05, 0.1] {
        let simulated = fragile(24, products, weeks, discount, e, true);
        let exact = fragile_exact(weeks, discount, e, true);
        assert!((simulated - exact).abs() < 5.0 * 0.5 * width / (products as f64).sqrt());
        let gap = right - exact;
        assert!(gap > 5.0 * forecast_term(width, e).unwrap(), "e {e}: {gap}");
        assert!(gap <= forecast_term(width, path_total_variation(e, 52).unwrap()).unwrap());
        // By path the bound is attained exactly: this vendor is the worst case of the theorem.
        let by_path = right - fragile_exact(weeks, discount, e, false);
        assert!((by_path - forecast_term(width, e).unwrap()).abs() < 1e-9);
    }
}

/// T3, the failing case: where demand reacts to stock-outs the back-test keeps its bias.
#[test]
fn reacting_demand_leaves_a_bias_that_does_not_shrink() {
    let weeks = 26;
    let pool = block_sums(26, 400, weeks, DISCOUNT, false);
    let sizes = [1, 10, 100];
    let error = |reacts: bool| {
        let truth = mean(&block_sums(25, 600, weeks, DISCOUNT, reacts));
        let rows = errors_by_size(&truth, &pool, &sizes, 100);
        let points: Vec<_> = rows
            .iter()
            .map(|r| (real(r.products), r.mean_error))
            .collect();
        (log_slope(&points), rows[2].mean_error)
    };
    let (exogenous_slope, exogenous_error) = error(false);
    let (reacting_slope, reacting_error) = error(true);
    assert!(exogenous_slope < -0.4, "{exogenous_slope}");
    assert!(reacting_slope > -0.15, "{reacting_slope}");
    assert!(
        reacting_error > 5.0 * exogenous_error,
        "{reacting_error} {exogenous_error}"
    );
}

/// T4, the failing case: intervals that resample products alone miss the truth when products share shocks.
#[test]
fn shared_shocks_make_product_intervals_too_short() {
    let calm = coverage(27, 80, 100, 208, 8, 0.0);
    let shocked = coverage(27, 80, 100, 208, 8, 0.8);
    // 80 worlds: the standard error of a coverage of 0.95 is 0.024.
    assert!(calm.products_only > 0.86, "{calm:?}");
    assert!(shocked.products_only < 0.7, "{shocked:?}");
    assert!(shocked.both > 0.86 && calm.both > 0.86, "{shocked:?}");
    assert!(
        shocked.correlation > 5.0 * calm.correlation.max(0.002),
        "{shocked:?} {calm:?}"
    );
}
