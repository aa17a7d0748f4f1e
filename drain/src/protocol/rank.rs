//! Agreement of two orders.

/// Spearman's correlation of ranks; ties have their mean rank. NaN for fewer than two entries, or where all are equal.
///
/// ```
/// use hindsight_drain::protocol::spearman;
/// assert_eq!(spearman(&[1.0, 5.0, 9.0], &[10.0, 11.0, 100.0]), 1.0);
/// assert_eq!(spearman(&[1.0, 5.0, 9.0], &[3.0, 2.0, 1.0]), -1.0);
/// ```
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Ranks about their mean.
#[expect(clippy::cast_precision_loss, reason = "places in a list")]
fn ranks(list: &[f64]) -> Vec<f64> {
    let rank = |v: &f64| {
        let below = list.iter().filter(|u| *u < v).count() as f64;
        let above = list.iter().filter(|u| *u > v).count() as f64;
        (below - above) / 2.0
    };
    list.iter().map(rank).collect()
}
