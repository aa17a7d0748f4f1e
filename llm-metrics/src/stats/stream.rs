//! Counter-based random numbers: a pure function of the seed and the keys.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;

fn finalise(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 64 random bits that depend on nothing but the arguments (SplitMix64's finaliser over a chain of keys).
pub(crate) fn hash(seed: u64, a: u64, b: u64) -> u64 {
    let h = finalise(seed.wrapping_add(0x9E37_79B9_7F4A_7C15));
    let h = finalise(
        h ^ a
            .wrapping_mul(0xD1B5_4A32_D192_ED03)
            .wrapping_add(0x9E37_79B9_7F4A_7C15),
    );
    finalise(
        h ^ b
            .wrapping_mul(0x8CB9_2BA7_2F3D_8DD7)
            .wrapping_add(0x9E37_79B9_7F4A_7C15),
    )
}

/// An independent generator for one replicate, fold or start.
pub(crate) fn generator(seed: u64, purpose: u64, index: u64) -> Pcg64 {
    Pcg64::seed_from_u64(hash(seed, purpose, index))
}

/// Cumulative Poisson(1) probabilities as fractions of 2^64: P(X <= k) for k = 0, 1, ...
const POISSON: [u64; 20] = poisson_table();

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // Constants below 2^64.
const fn poisson_table() -> [u64; 20] {
    let mut table = [0u64; 20];
    let mut term = 0.367_879_441_171_442_33_f64 * 18_446_744_073_709_551_616.0;
    let mut total = 0u64;
    let mut k = 0;
    while k < 20 {
        total = total.saturating_add(term as u64);
        table[k] = total;
        k += 1;
        term /= k as f64;
    }
    table
}

/// Returns the Poisson(1) bootstrap weight of a record or cluster in a replicate: a pure function of seed, key and replicate.
///
/// Weights keyed by the record rather than drawn in sequence give the same replicate for any sharding, order and thread count. Poisson
/// weights differ from multinomial ones in that the total is random; for ratios and means the difference vanishes as $1/n$.
///
/// ```
/// use hindsight_llm_metrics::stats::poisson_weight;
/// assert_eq!(poisson_weight(1, 42, 7), poisson_weight(1, 42, 7));
/// let mean = (0..10_000).map(|key| f64::from(poisson_weight(1, key, 0))).sum::<f64>() / 1e4;
/// assert!((mean - 1.0).abs() < 0.05);
/// ```
#[must_use]
pub fn poisson_weight(seed: u64, key: u64, replicate: u64) -> u32 {
    let u = hash(seed, key, replicate);
    POISSON.iter().map(|t| u32::from(u >= *t)).sum()
}

/// Returns a 64-bit key of a text (FNV-1a with a final mix), for clusters named by strings.
///
/// ```
/// use hindsight_llm_metrics::stats::text_key;
/// assert_ne!(text_key("doc 1"), text_key("doc 2"));
/// ```
#[must_use]
pub fn text_key(text: &str) -> u64 {
    let h = text.bytes().fold(0xCBF2_9CE4_8422_2325u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    finalise(h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_poisson_one() {
        // Chi-square over the cells 0, 1, 2, 3, 4+; 4 degrees of freedom, 23.5 is exceeded once in 10,000.
        let n = 200_000u64;
        let mut seen = [0f64; 5];
        for key in 0..n {
            seen[poisson_weight(9, key, key % 17).min(4) as usize] += 1.0;
        }
        let e = (-1.0f64).exp();
        let p = [e, e, e / 2.0, e / 6.0, 1.0 - e * (2.0 + 0.5 + 1.0 / 6.0)];
        let chi = |p: &[f64; 5]| {
            (0..5)
                .map(|i| (seen[i] - n as f64 * p[i]).powi(2) / (n as f64 * p[i]))
                .sum::<f64>()
        };
        assert!(chi(&p) < 23.5, "{}", chi(&p));
        // A planted fault of half a per cent in one cell must be seen.
        assert!(chi(&[p[0] + 0.005, p[1] - 0.005, p[2], p[3], p[4]]) > 23.5);
    }

    #[test]
    fn neighbouring_keys_and_replicates_are_uncorrelated() {
        let w = |k: u64, r: u64| f64::from(poisson_weight(3, k, r)) - 1.0;
        let n = 100_000u64;
        for (dk, dr) in [(1, 0), (0, 1), (1, 1)] {
            let c = (0..n).map(|k| w(k, 5) * w(k + dk, 5 + dr)).sum::<f64>() / n as f64;
            assert!(c.abs() < 4.0 / (n as f64).sqrt(), "{dk} {dr} {c}");
        }
    }
}
