//! Whole units for reporting.

/// Whole numbers near `units` with the same sum, rounded, none above its limit: each is rounded down, and the units that are left go where the most was cut off, the
/// first of several.
///
/// Where the limits (rounded down) do not allow the sum, they are what is returned.
///
/// ```
/// use hindsight_drain::model::whole_units;
/// assert_eq!(whole_units(&[1.4, 2.4, 3.2], &[9.0; 3]), [2, 2, 3]);
/// assert_eq!(whole_units(&[1.4, 2.4, 3.2], &[1.0, 9.0, 9.0]), [1, 3, 3]);
/// ```
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of units saturate"
)]
pub fn whole_units(units: &[f64], limits: &[f64]) -> Vec<u64> {
    let limit: Vec<u64> = limits.iter().map(|l| l.max(0.0) as u64).collect();
    // A rounding error below a whole number is no fraction of a unit.
    let down = |v: f64| (v.max(0.0) * (1.0 + 1e-12)) as u64;
    let mut whole: Vec<u64> = units
        .iter()
        .zip(&limit)
        .map(|(v, l)| down(*v).min(*l))
        .collect();
    let wanted = units.iter().sum::<f64>().round() as u64;
    let mut left = wanted.saturating_sub(whole.iter().sum());
    let mut order: Vec<usize> = (0..units.len()).collect();
    #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
    let cut = |w: usize| units[w] - whole[w] as f64;
    order.sort_by(|&a, &b| cut(b).total_cmp(&cut(a)).then(a.cmp(&b)));
    while left > 0 {
        let before = left;
        for &w in &order {
            if left > 0 && whole[w] < limit[w] {
                whole[w] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    whole
}
