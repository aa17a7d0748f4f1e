//! The bootstrap distribution of a binned calibration error.

use rand_distr::{Distribution, Poisson};

use crate::calibration::bins::Edges;
use crate::error::{Result, check_len, check_unit};
use crate::stats::par;
use crate::stats::stream::{generator, poisson_weight};

/// Parts of a bin in which confidences are treated as one value by [`ece_bootstrap`].
const PARTS: usize = 64;

/// Returns Poisson-bootstrap replicates of the expected calibration error over fixed `edges`.
///
/// Each replicate gives every record an independent Poisson(1) weight. Records of one outcome whose confidences agree to 1/64 of a bin
/// share one value (their mean), and the sum of their n weights is drawn at once as Poisson(n): the distribution is that of record-by-record weights, at a cost of
/// `bins * 128` draws per replicate however many records there are. The draws are keyed by (seed, replicate).
///
/// These show the spread of the plug-in error. Percentiles of them are not a confidence interval near zero: use [`calibration_interval`](crate::calibration::calibration_interval).
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges, ece_bootstrap};
/// let edges = Edges::equal_width(10, EdgeRule::UpperClosed)?;
/// let replicates = ece_bootstrap(&[0.9, 0.9, 0.9, 0.6], &[true, true, false, true], &edges, 100, 1)?;
/// assert_eq!(replicates.len(), 100);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`](crate::Error::Length), [`Error::Empty`](crate::Error::Empty), [`Error::OutOfRange`](crate::Error::OutOfRange).
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // Counts and small indices.
pub fn ece_bootstrap(
    confidence: &[f64],
    correct: &[bool],
    edges: &Edges,
    replicates: usize,
    seed: u64,
) -> Result<Vec<f64>> {
    check_len("correct", confidence.len(), correct.len())?;
    check_unit("confidence", confidence)?;
    let bounds = edges.values();
    let mut cells = vec![(0u64, 0u128); edges.len() * PARTS * 2];
    for (&c, &y) in confidence.iter().zip(correct) {
        let b = edges.bin_of(c);
        let part = ((c - bounds[b]) / (bounds[b + 1] - bounds[b]) * PARTS as f64) as usize;
        let cell = &mut cells[(b * PARTS + part.min(PARTS - 1)) * 2 + usize::from(y)];
        cell.0 += 1;
        cell.1 += u128::from(crate::stats::exact_sum::unit(c));
    }
    // Bin, gap of the cell's records (outcome minus mean confidence), law of the sum of their weights.
    let filled: Vec<(usize, f64, Poisson<f64>)> = cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| cell.0 > 0)
        .filter_map(|(i, &(n, sum))| {
            let mean = sum as f64 * crate::stats::exact_sum::UNIT_SCALE / n as f64;
            Poisson::new(n as f64)
                .ok()
                .map(|law| (i / (2 * PARTS), (i % 2) as f64 - mean, law))
        })
        .collect();
    Ok(par::map(replicates, |r| {
        let mut rng = generator(seed, 0xB007, r as u64);
        let mut gaps = vec![0.0; edges.len()];
        let mut total = 0.0;
        for (b, gap, law) in &filled {
            let weight = law.sample(&mut rng);
            gaps[*b] += weight * gap;
            total += weight;
        }
        if total > 0.0 {
            gaps.iter().map(|g| g.abs()).sum::<f64>() / total
        } else {
            0.0
        }
    }))
}

/// Returns Poisson-bootstrap replicates of the expected calibration error with one weight per cluster (a document, a prompt).
///
/// `keys` names the cluster of each record; the weight is [`poisson_weight`] of (seed, key, replicate), so any sharding gives the same
/// replicates. With the record's own number as the key this is the record-by-record bootstrap.
///
/// # Errors
/// [`Error::Length`](crate::Error::Length), [`Error::Empty`](crate::Error::Empty), [`Error::OutOfRange`](crate::Error::OutOfRange).
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn cluster_ece_bootstrap(
    confidence: &[f64],
    correct: &[bool],
    keys: &[u64],
    edges: &Edges,
    replicates: usize,
    seed: u64,
) -> Result<Vec<f64>> {
    check_len("correct", confidence.len(), correct.len())?;
    check_len("keys", confidence.len(), keys.len())?;
    check_unit("confidence", confidence)?;
    let mut records: Vec<(u64, usize, f64)> = (0..confidence.len())
        .map(|i| {
            (
                keys[i],
                edges.bin_of(confidence[i]),
                f64::from(u8::from(correct[i])) - confidence[i],
            )
        })
        .collect();
    records.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    Ok(par::map(replicates, |r| {
        let mut gaps = vec![0.0; edges.len()];
        let mut total = 0.0;
        for cluster in records.chunk_by(|a, b| a.0 == b.0) {
            let weight = f64::from(poisson_weight(seed, cluster[0].0, r as u64));
            if weight > 0.0 {
                for (_, b, gap) in cluster {
                    gaps[*b] += weight * gap;
                }
                total += weight * cluster.len() as f64;
            }
        }
        if total > 0.0 {
            gaps.iter().map(|g| g.abs()).sum::<f64>() / total
        } else {
            0.0
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::bins::EdgeRule;
    use crate::stats::interval::{mean, sample_sd};
    use crate::testing::distorted;

    fn edges() -> Edges {
        Edges::equal_width(10, EdgeRule::default()).unwrap()
    }

    #[test]
    fn cell_and_record_bootstraps_have_the_same_mean_and_spread() {
        let (conf, y) = distorted(3000, 5, |p| p.powf(1.5));
        let keys: Vec<u64> = (0..3000).collect();
        let a = ece_bootstrap(&conf, &y, &edges(), 800, 1).unwrap();
        let b = cluster_ece_bootstrap(&conf, &y, &keys, &edges(), 800, 1).unwrap();
        let se = sample_sd(&b) * (2.0f64 / 800.0).sqrt();
        assert!((mean(&a) - mean(&b)).abs() < 4.0 * se);
        // The standard deviation of a standard deviation from 800 draws is a fortieth; two of them, four times.
        assert!((sample_sd(&a) / sample_sd(&b) - 1.0).abs() < 4.0 * (2.0f64).sqrt() / 40.0);
    }

    #[test]
    fn repeated_records_widen_the_clustered_spread() {
        let (conf, y) = distorted(500, 6, |p| p.powf(1.5));
        let twice = |v: &[f64]| [v, v, v, v].concat();
        let (c4, y4) = (twice(&conf), [&y[..], &y, &y, &y].concat());
        let keys: Vec<u64> = (0..2000).map(|i| i % 500).collect();
        let own: Vec<u64> = (0..2000).collect();
        let clustered = cluster_ece_bootstrap(&c4, &y4, &keys, &edges(), 400, 1).unwrap();
        let single = cluster_ece_bootstrap(&c4, &y4, &own, &edges(), 400, 1).unwrap();
        assert!(sample_sd(&clustered) > 1.5 * sample_sd(&single));
    }
}
