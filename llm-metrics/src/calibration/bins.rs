//! Bin edges on [0, 1] and the rule for a value that lies exactly on one.

use crate::error::{Allowed, Error, Result, check_unit};

/// Which bin owns a value that equals an inner edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum EdgeRule {
    /// Bins are $(l, u]$; 0 belongs to the first. The rule of the authors' code for arXiv:2312.04021, and the default.
    #[default]
    UpperClosed,
    /// Bins are $[l, u)$; 1 belongs to the last. The rule of NumPy's histogram and of netcal.
    LowerClosed,
}

/// Strictly increasing bin edges from 0 to 1 with their [`EdgeRule`].
///
/// Every value of [0, 1] has exactly one bin: the number of inner edges below it (for [`EdgeRule::UpperClosed`]), or not above it
/// (for [`EdgeRule::LowerClosed`]). Values are compared with the edges themselves, never with a rounded multiple.
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges};
/// let edges = Edges::equal_width(10, EdgeRule::UpperClosed)?;
/// assert_eq!(edges.bin_of(0.3), 2); // 0.3 closes (0.2, 0.3]
/// assert_eq!(edges.bin_of(0.0), 0);
/// assert_eq!(edges.bin_of(1.0), 9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Edges {
    values: Vec<f64>,
    rule: EdgeRule,
    uniform: bool,
    /// The upper edge of each bin; infinity for the last and up to [`FEW`] bins, so that comparisons need no special case.
    #[cfg_attr(feature = "serde", serde(skip))]
    guard: Vec<f64>,
}

/// The largest number of bins.
pub(crate) const MAX_BINS: usize = 4096;

impl Edges {
    /// Returns `bins` bins of equal width, with edges $i / M$ rounded to the nearest double.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `bins` is between 1 and 4096.
    #[allow(clippy::cast_precision_loss)] // At most 4096.
    pub fn equal_width(bins: usize, rule: EdgeRule) -> Result<Self> {
        check_bins(bins)?;
        let values = (0..=bins).map(|i| i as f64 / bins as f64).collect();
        Ok(Self::build(values, rule, true))
    }

    /// Returns at most `bins` bins that hold equally many of `values`.
    ///
    /// The sorted values are cut into `bins` parts whose sizes differ by at most one, larger parts first; each inner edge is the
    /// midpoint of the two values at a cut. Cuts within ties coincide and are merged, so that fewer bins may come back; a cut among zeros leaves them
    /// alone in the first bin. With [`EdgeRule::UpperClosed`] this is the rule of the package `uncertainty-calibration` (`get_equal_bins`).
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `bins` is between 1 and 4096; [`Error::Empty`], [`Error::OutOfRange`] for `values`.
    pub fn equal_mass(values: &[f64], bins: usize, rule: EdgeRule) -> Result<Self> {
        check_bins(bins)?;
        check_unit("values", values)?;
        let mut keys: Vec<u64> = values.iter().map(|v| (v + 0.0).to_bits()).collect();
        keys.sort_unstable();
        Ok(Self::from_sorted(
            keys.len(),
            |i| f64::from_bits(keys[i]),
            bins,
            rule,
        ))
    }

    /// Equal-mass edges for n values given in order by a function of the rank.
    pub(crate) fn from_sorted(
        n: usize,
        value: impl Fn(usize) -> f64,
        bins: usize,
        rule: EdgeRule,
    ) -> Self {
        let (base, extra) = (n / bins, n % bins);
        let mut edges = vec![0.0];
        let mut cut = 0;
        for b in 0..bins - 1 {
            cut += base + usize::from(b < extra);
            if cut == 0 || cut >= n {
                continue;
            }
            // A cut among zeros is an edge at 0: zeros have the first bin to themselves, up to the least positive double.
            let edge = f64::midpoint(value(cut - 1), value(cut)).max(f64::from_bits(1));
            if edge > edges[edges.len() - 1] && edge < 1.0 {
                edges.push(edge);
            }
        }
        edges.push(1.0);
        Self::build(edges, rule, false)
    }

    /// Returns bins with the given edges, which must start at 0, end at 1 and increase strictly.
    ///
    /// # Errors
    /// [`Error::Edges`] at the first edge that breaks this; [`Error::TooFew`] for fewer than two edges.
    #[allow(clippy::float_cmp)] // The ends must be 0 and 1 exactly.
    pub fn from_values(values: Vec<f64>, rule: EdgeRule) -> Result<Self> {
        if values.len() < 2 {
            return Err(Error::TooFew {
                what: "the number of edges",
                needed: 2,
                found: values.len(),
            });
        }
        check_bins(values.len() - 1)?;
        let last = values.len() - 1;
        for (index, &value) in values.iter().enumerate() {
            let ordered = index == 0 || value > values[index - 1];
            if !ordered || (index == 0 && value != 0.0) || (index == last && value != 1.0) {
                return Err(Error::Edges { index, value });
            }
        }
        Ok(Self::build(values, rule, false))
    }

    fn build(values: Vec<f64>, rule: EdgeRule, uniform: bool) -> Self {
        let mut guard = values[1..].to_vec();
        guard[values.len() - 2] = f64::INFINITY;
        guard.resize(guard.len().max(FEW), f64::INFINITY);
        Self {
            values,
            rule,
            uniform,
            guard,
        }
    }

    /// Returns the number of bins.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // There is always at least one bin.
    pub fn len(&self) -> usize {
        self.values.len() - 1
    }

    /// Returns the edges, one more than bins.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the rule for values on an edge.
    #[must_use]
    pub fn rule(&self) -> EdgeRule {
        self.rule
    }

    /// Returns the bin of `p`. Values below 0 and NaN go to the first bin, values above 1 to the last.
    #[must_use]
    #[inline]
    pub fn bin_of(&self, p: f64) -> usize {
        if self.uniform {
            // NaN is not above zero.
            let p = if p > 0.0 { p.min(1.0) } else { 0.0 };
            let bin = guess(p, self.scale());
            let high = self.guard[bin];
            bin + usize::from(match self.rule {
                EdgeRule::UpperClosed => p > high,
                EdgeRule::LowerClosed => p >= high,
            })
        } else {
            let inner = &self.values[1..self.values.len() - 1];
            match self.rule {
                EdgeRule::UpperClosed => inner.partition_point(|e| p > *e),
                EdgeRule::LowerClosed => inner.partition_point(|e| p >= *e),
            }
        }
    }

    /// M, less a part in 2^48: products with doubles in [0, 1] and edges i / M are off by a few parts in 2^53.
    #[inline(always)]
    #[allow(clippy::cast_precision_loss)] // At most 4096.
    fn scale(&self) -> f64 {
        self.len() as f64 * (1.0 - 1.0 / (1u64 << 48) as f64)
    }

    /// What [`few_bin`] needs: upper edges and scale, if the bins are of equal width and at most [`FEW`].
    pub(crate) fn few(&self) -> Option<(&[f64; FEW], f64)> {
        let small = self.uniform && self.len() <= FEW;
        let guard = self.guard.first_chunk::<FEW>()?;
        small.then(|| (guard, self.scale()))
    }
}

/// The largest number of bins whose table has a fixed size, so that no index needs a check.
pub(crate) const FEW: usize = 64;

/// The bin of p in [0, 1] by `p * M`, made smaller by more than its rounding error: that is at most the bin's number and misses it by at
/// most one, so that a single comparison with the bin's upper edge repairs it. The number is rounded down by an addition to
/// 1.5 * 2^52, whose unit in the last place is 1.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // The low bits are the number.
fn guess(p: f64, scale: f64) -> usize {
    const UNITS: f64 = 6_755_399_441_055_744.0;
    usize::from(((p * scale - 0.5) + UNITS).to_bits() as u16)
}

/// The bin of p in [0, 1] among at most [`FEW`].
#[inline(always)]
pub(crate) fn few_bin<const UPPER: bool>(upper: &[f64; FEW], scale: f64, p: f64) -> usize {
    let bin = guess(p, scale) % FEW;
    let high = upper[bin];
    (bin + usize::from(if UPPER { p > high } else { p >= high })) % FEW
}

#[allow(clippy::cast_precision_loss)] // For the message alone.
fn check_bins(bins: usize) -> Result<()> {
    if (1..=MAX_BINS).contains(&bins) {
        Ok(())
    } else {
        Err(Error::Parameter {
            name: "bins",
            value: bins as f64,
            allowed: Allowed::Within(1.0, 4096.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: count the inner edges below (or not above) p.
    fn naive(edges: &Edges, p: f64) -> usize {
        let inner = &edges.values()[1..edges.len()];
        match edges.rule() {
            EdgeRule::UpperClosed => inner.iter().filter(|e| p > **e).count(),
            EdgeRule::LowerClosed => inner.iter().filter(|e| p >= **e).count(),
        }
    }

    #[test]
    fn every_rule_holds_at_and_beside_every_edge() {
        for rule in [EdgeRule::UpperClosed, EdgeRule::LowerClosed] {
            for m in (1..=130).chain([1000, 4096]) {
                let edges = Edges::equal_width(m, rule).unwrap();
                for &e in edges.values() {
                    for p in [e, e.next_down().max(0.0), e.next_up().min(1.0)] {
                        assert_eq!(edges.bin_of(p), naive(&edges, p), "{m} {p}");
                        let Some((upper, scale)) = edges.few() else {
                            assert!(m > FEW);
                            continue;
                        };
                        let few = match rule {
                            EdgeRule::UpperClosed => few_bin::<true>(upper, scale, p),
                            EdgeRule::LowerClosed => few_bin::<false>(upper, scale, p),
                        };
                        assert_eq!(few, naive(&edges, p), "{m} {p}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn equal_mass_bins_differ_by_at_most_one_without_ties(
            n in 20usize..200, m in 1usize..20, seed in 0u64..1000,
        ) {
            let values: Vec<f64> = (0..n).map(|i| ((i as u64 * 7919 + seed) % 100_003) as f64 / 100_003.0).collect();
            let mut distinct = values.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let edges = Edges::equal_mass(&distinct, m, EdgeRule::UpperClosed).unwrap();
            let mut counts = vec![0usize; edges.len()];
            for &v in &distinct { counts[edges.bin_of(v)] += 1; }
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }

        #[test]
        fn any_value_has_the_naive_bin(p in 0.0f64..=1.0, cuts in proptest::collection::btree_set(1u32..999, 0..12)) {
            let mut v = vec![0.0];
            v.extend(cuts.iter().map(|c| f64::from(*c) / 1000.0));
            v.push(1.0);
            for rule in [EdgeRule::UpperClosed, EdgeRule::LowerClosed] {
                let edges = Edges::from_values(v.clone(), rule).unwrap();
                prop_assert_eq!(edges.bin_of(p), naive(&edges, p));
            }
        }
    }

    #[test]
    fn ties_merge_cuts_and_wrong_edges_are_named() {
        let edges = Edges::equal_mass(&[0.5; 100], 10, EdgeRule::UpperClosed).unwrap();
        assert_eq!(edges.values(), [0.0, 0.5, 1.0]);
        let one = Edges::equal_mass(&[0.0; 3], 10, EdgeRule::UpperClosed).unwrap();
        assert_eq!(one.values(), [0.0, f64::from_bits(1), 1.0]);
        // 55 zeros and 45 values from 0.02: the zeros are alone in the first bin.
        let mut values = vec![0.0; 55];
        values.extend((1..=45).map(|i| 0.02 * f64::from(i)));
        let edges = Edges::equal_mass(&values, 10, EdgeRule::UpperClosed).unwrap();
        let first = values.iter().filter(|v| edges.bin_of(**v) == 0).count();
        assert_eq!((first, edges.len()), (55, 6));
        let e = Edges::from_values(vec![0.0, 0.5, 0.5, 1.0], EdgeRule::UpperClosed);
        assert_eq!(
            e.unwrap_err(),
            Error::Edges {
                index: 2,
                value: 0.5
            }
        );
        assert!(Edges::equal_width(0, EdgeRule::UpperClosed).is_err());
        for p in [-5.0, -0.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(
                Edges::equal_width(15, EdgeRule::LowerClosed)
                    .unwrap()
                    .bin_of(p),
                0
            );
        }
        assert_eq!(
            Edges::equal_width(15, EdgeRule::UpperClosed)
                .unwrap()
                .bin_of(7.0),
            14
        );
    }
}
