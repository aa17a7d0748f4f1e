//! Small trees of arms.

use super::table::GainTable;

/// A node of a tree.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) enum Node {
    Leaf(usize),
    Split {
        feature: usize,
        threshold: f64,
        below: Box<Node>,
        above: Box<Node>,
    },
}

impl Node {
    pub(super) fn arm(&self, features: &[f64]) -> usize {
        match self {
            Node::Leaf(arm) => *arm,
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                let low = features.get(*feature).is_some_and(|x| x <= threshold);
                if low {
                    below.arm(features)
                } else {
                    above.arm(features)
                }
            }
        }
    }

    pub(super) fn keeps_all(&self) -> bool {
        match self {
            Node::Leaf(arm) => *arm == 0,
            Node::Split { below, above, .. } => below.keeps_all() && above.keeps_all(),
        }
    }
}

/// The tree of the largest gain, split by split.
pub(super) fn grow(table: &GainTable<'_>, decisions: &[usize], depth: usize, least: usize) -> Node {
    let grower = Grower::new(table, decisions, least);
    grower.grow(&grower.all(), depth)
}

/// Folds of the products across which the number of splits is chosen.
const FOLDS: u64 = 4;

/// The tree of as many splits as gain most across folds of the products; a leaf that keeps where none gains.
pub(super) fn grow_pruned(
    table: &GainTable<'_>,
    decisions: &[usize],
    depth: usize,
    least: usize,
) -> Node {
    let grower = Grower::new(table, decisions, least);
    let mut products: Vec<u64> = decisions.iter().map(|d| table.product[*d]).collect();
    products.sort_unstable();
    products.dedup();
    let fold = |at: u32| {
        let product = table.product[decisions[at as usize]];
        products.binary_search(&product).unwrap_or(0) as u64 % FOLDS
    };
    let mut gained = vec![0.0; depth + 1];
    for held in 0..FOLDS {
        let (out, seen): (Vec<u32>, Vec<u32>) =
            grower.all().into_iter().partition(|at| fold(*at) == held);
        grower.follow(&seen, &out, 0, &mut gained);
    }
    let best = (0..=depth).max_by(|a, b| gained[*a].total_cmp(&gained[*b]));
    match best.filter(|splits| gained[*splits] > 0.0) {
        Some(splits) => grower.grow(&grower.all(), splits),
        None => Node::Leaf(0),
    }
}

/// Bins of a feature, at the most: all its values where they are no more, else as many quantiles.
const BINS: usize = 255;

/// Decisions whose features are binned once, so that a split is found by sums over bins.
struct Grower<'a> {
    arms: usize,
    least: usize,
    /// Weighted gains, `[decision][arm]`.
    gains: Vec<f64>,
    features: Vec<Binned>,
    decisions: &'a [usize],
}

/// A feature of all decisions.
struct Binned {
    /// Between each bin and the next.
    thresholds: Vec<f64>,
    /// The bin of each decision.
    bin: Vec<u8>,
}

impl Binned {
    fn new(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        let firsts = if distinct.len() > BINS {
            let mut firsts: Vec<f64> = (0..BINS).map(|k| sorted[k * sorted.len() / BINS]).collect();
            firsts.dedup();
            firsts
        } else {
            distinct.clone()
        };
        // Half-way to the value before the first of the bin.
        let threshold = |first: &f64| {
            let at = distinct.partition_point(|x| x < first);
            f64::midpoint(distinct[at - 1], *first)
        };
        let thresholds: Vec<f64> = firsts.iter().skip(1).map(threshold).collect();
        #[allow(clippy::cast_possible_truncation, reason = "at most 255 bins")]
        let bin = |x: &f64| thresholds.partition_point(|t| t < x) as u8;
        Binned {
            bin: values.iter().map(bin).collect(),
            thresholds,
        }
    }
}

/// A split, and what the best arms on its two sides gain together.
struct Split {
    gained: f64,
    feature: usize,
    bin: u8,
}

impl<'a> Grower<'a> {
    fn new(table: &'a GainTable<'a>, decisions: &'a [usize], least: usize) -> Self {
        let arms = table.arms;
        let mut gains = Vec::with_capacity(decisions.len() * arms);
        for d in decisions {
            let row = &table.gains[d * arms..][..arms];
            gains.extend(row.iter().map(|g| table.weight[*d] * g));
        }
        let feature = |column: usize| {
            let value = |d: &usize| table.features.row(*d)[column];
            Binned::new(&decisions.iter().map(value).collect::<Vec<_>>())
        };
        Grower {
            arms,
            least,
            gains,
            features: (0..table.features.columns()).map(feature).collect(),
            decisions,
        }
    }

    fn all(&self) -> Vec<u32> {
        (0..).take(self.decisions.len()).collect()
    }

    fn gain(&self, at: u32, arm: usize) -> f64 {
        match arm {
            0 => 0.0,
            arm => self.gains[at as usize * self.arms + arm - 1],
        }
    }

    /// The arm that gained most in some decisions, and how much.
    fn best(&self, of: &[u32]) -> (usize, f64) {
        let mut totals = vec![0.0; self.arms];
        for at in of {
            let row = &self.gains[*at as usize * self.arms..][..self.arms];
            totals.iter_mut().zip(row).for_each(|(t, g)| *t += g);
        }
        best(&totals)
    }

    fn grow(&self, of: &[u32], depth: usize) -> Node {
        let (arm, gain) = self.best(of);
        let Some(split) = self.split(of, depth, gain) else {
            return Node::Leaf(arm);
        };
        let (below, above) = self.part(of, &split);
        Node::Split {
            feature: split.feature,
            threshold: self.features[split.feature].thresholds[usize::from(split.bin)],
            below: Box::new(self.grow(&below, depth - 1)),
            above: Box::new(self.grow(&above, depth - 1)),
        }
    }

    /// Adds what trees of 0, 1, 2, … splits on the way to a leaf, grown from `of`, gain in `out`.
    fn follow(&self, of: &[u32], out: &[u32], level: usize, gained: &mut [f64]) {
        let (arm, gain) = self.best(of);
        let kept: f64 = out.iter().map(|at| self.gain(*at, arm)).sum();
        gained[level] += kept;
        match self.split(of, gained.len() - 1 - level, gain) {
            None => gained[level + 1..].iter_mut().for_each(|g| *g += kept),
            Some(split) => {
                let (of, out) = (self.part(of, &split), self.part(out, &split));
                self.follow(&of.0, &out.0, level + 1, gained);
                self.follow(&of.1, &out.1, level + 1, gained);
            }
        }
    }

    fn part(&self, of: &[u32], split: &Split) -> (Vec<u32>, Vec<u32>) {
        let bins = &self.features[split.feature].bin;
        of.iter().partition(|at| bins[**at as usize] <= split.bin)
    }

    /// The best split that gains more than one arm for all does.
    fn split(&self, of: &[u32], depth: usize, gain: f64) -> Option<Split> {
        if depth == 0 || of.len() < 2 * self.least {
            return None;
        }
        let mut found: Option<Split> = None;
        for feature in 0..self.features.len() {
            let least = found.as_ref().map_or(gain, |s| s.gained);
            if let Some((gained, bin)) = self.best_bin(of, feature)
                && gained > least
            {
                found = Some(Split {
                    gained,
                    feature,
                    bin,
                });
            }
        }
        found
    }

    /// The last bin below the best threshold of a feature, and what is then gained.
    fn best_bin(&self, of: &[u32], feature: usize) -> Option<(f64, u8)> {
        let Binned { thresholds, bin } = &self.features[feature];
        let arms = self.arms;
        let mut sums = vec![0.0; (thresholds.len() + 1) * arms];
        let mut counts = vec![0_usize; thresholds.len() + 1];
        for at in of {
            let bin = usize::from(bin[*at as usize]);
            counts[bin] += 1;
            let row = &self.gains[*at as usize * arms..][..arms];
            let sums = &mut sums[bin * arms..][..arms];
            sums.iter_mut().zip(row).for_each(|(s, g)| *s += g);
        }
        let mut totals = vec![0.0; arms];
        for sums in sums.chunks_exact(arms) {
            totals.iter_mut().zip(sums).for_each(|(t, s)| *t += s);
        }
        let mut below = vec![0.0; arms];
        let (mut left, mut found): (usize, Option<(f64, u8)>) = (0, None);
        for (bin, sums) in sums.chunks_exact(arms).take(thresholds.len()).enumerate() {
            below.iter_mut().zip(sums).for_each(|(b, s)| *b += s);
            left += counts[bin];
            if counts[bin] == 0 || left < self.least || of.len() - left < self.least {
                continue;
            }
            let above = totals.iter().zip(&below).map(|(t, b)| t - b);
            let gained = best(&below).1 + above.fold(0.0, f64::max);
            if gained > found.map_or(f64::NEG_INFINITY, |f| f.0) {
                #[allow(clippy::cast_possible_truncation, reason = "at most 255 bins")]
                let bin = bin as u8;
                found = Some((gained, bin));
            }
        }
        found
    }
}

/// The arm of the largest total, and the total: 0 for keeping where none is positive.
fn best(totals: &[f64]) -> (usize, f64) {
    let mut best = (0, 0.0);
    for (arm, total) in totals.iter().enumerate() {
        if *total > best.1 {
            best = (arm + 1, *total);
        }
    }
    best
}
