//! Piecewise linear functions of one number, as dynamic programmes over a stock make them.

/// A continuous, piecewise linear function: values at ordered points, slopes beyond the first and the last.
#[derive(Debug, Clone)]
pub(super) struct Piecewise {
    points: Vec<(f64, f64)>,
    left: f64,
    right: f64,
}

impl Piecewise {
    /// Zero everywhere.
    pub(super) fn zero() -> Self {
        Piecewise {
            points: vec![(0.0, 0.0)],
            left: 0.0,
            right: 0.0,
        }
    }

    /// The value at `x`.
    pub(super) fn at(&self, x: f64) -> f64 {
        let after = self.points.partition_point(|p| p.0 <= x);
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        if after == 0 {
            return first.1 + self.left * (x - first.0);
        }
        if after == self.points.len() {
            return last.1 + self.right * (x - last.0);
        }
        between(self.points[after - 1], self.points[after], x)
    }

    /// $f(x) \to f(x - \text{by})$: the graph moves to the right.
    pub(super) fn shift(&mut self, by: f64) {
        self.points.iter_mut().for_each(|p| p.0 += by);
    }

    /// Adds a constant.
    pub(super) fn raise(&mut self, by: f64) {
        self.points.iter_mut().for_each(|p| p.1 += by);
    }

    /// Adds `left * (x - at)` below `at` and `right * (x - at)` above.
    pub(super) fn bend(&mut self, at: f64, left: f64, right: f64) {
        let before = self.points.partition_point(|p| p.0 < at);
        if self.points.get(before).is_none_or(|p| p.0 > at) {
            let value = self.at(at);
            self.points.insert(before, (at, value));
        }
        for p in &mut self.points {
            p.1 += (p.0 - at) * if p.0 < at { left } else { right };
        }
        self.left += left;
        self.right += right;
    }

    /// $f(x) \to f(\max(x, \text{floor}))$.
    pub(super) fn level_below(&mut self, floor: f64) {
        let value = self.at(floor);
        self.points.retain(|p| p.0 > floor);
        self.points.insert(0, (floor, value));
        self.left = 0.0;
    }

    /// Forgets the corners beyond the first at `x` or above: from there on the function is a line below what it was.
    pub(super) fn forget_above(&mut self, x: f64) {
        let kept = self.points.partition_point(|p| p.0 < x) + 1;
        if kept >= self.points.len() {
            return;
        }
        let pairs = self.points[kept - 1..].windows(2);
        let apart = pairs.filter(|pair| pair[0].0 < pair[1].0);
        let slopes = apart.map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
        self.right = slopes.fold(self.right, f64::min);
        self.points.truncate(kept);
    }

    /// The least $y \ge x$ at which $f(y) - c (y - x)$ is the largest, to rounding. The slope beyond the last point must be at most `c`.
    pub(super) fn raised(&self, x: f64, cost: f64) -> f64 {
        if cost.is_infinite() {
            return x;
        }
        let mut best = (x, self.at(x) - cost * x);
        for &(y, value) in self.points.iter().filter(|p| p.0 > x) {
            let here = value - cost * y;
            if here > best.1 + 1e-12 * (1.0 + best.1.abs()) {
                best = (y, here);
            }
        }
        best.0
    }

    /// $f(x) \to \max_{y \ge x} f(y) - c (y - x)$: stock may be raised at a cost of `c` a unit. The slope beyond the last point must be
    /// at most `c`.
    pub(super) fn buy(&mut self, cost: f64) {
        if cost.is_infinite() {
            return;
        }
        // Relative to the line of cost: the largest value to the right, from the right to the left.
        let above = |p: (f64, f64)| p.1 - cost * p.0;
        let mut right = self.points[self.points.len() - 1];
        let mut most = above(right);
        let mut kept = vec![right];
        // The line of cost holds down to where the function rises above it.
        let meet = |kept: &mut Vec<(f64, f64)>, x: f64, most: f64| {
            if kept.last().is_none_or(|last| x < last.0) {
                kept.push((x, most + cost * x));
            }
        };
        for &point in self.points.iter().rev().skip(1) {
            let here = above(point);
            if here > most {
                let share = (here - most) / (here - above(right));
                meet(&mut kept, point.0 + share * (right.0 - point.0), most);
                kept.push(point);
                most = here;
            }
            right = point;
        }
        let slope = self.left - cost;
        if slope < 0.0 {
            meet(&mut kept, right.0 + (most - above(right)) / slope, most);
        } else {
            self.left = cost;
        }
        kept.reverse();
        self.points = kept;
    }
}

fn between(a: (f64, f64), b: (f64, f64), x: f64) -> f64 {
    a.1 + (b.1 - a.1) * ((x - a.0) / (b.0 - a.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn functions() -> impl Strategy<Value = Piecewise> {
        let bends = prop::collection::vec((-10.0_f64..10.0, -5.0_f64..5.0, -5.0_f64..0.5), 0..8);
        bends.prop_map(|bends| {
            let mut f = Piecewise::zero();
            for (at, left, right) in bends {
                f.bend(at, left, right);
            }
            f
        })
    }

    proptest! {
        /// What can be bought is the best of all larger stocks, by a fine grid and the points themselves.
        #[test]
        fn buying_takes_the_best_larger_stock(f in functions(), cost in 4.0_f64..6.0, x in -12.0_f64..12.0) {
            let mut bought = f.clone();
            bought.buy(cost);
            let of = |y: f64| f.at(y) - cost * (y - x);
            let grid = (0..4000).map(|i| x + 0.01 * f64::from(i));
            let points = f.points.iter().map(|p| p.0).filter(|&y| y >= x);
            let best = grid.chain(points).map(of).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((bought.at(x) - best).abs() < 1e-9 * (1.0 + best.abs()), "{} {best}", bought.at(x));
            let y = f.raised(x, cost);
            prop_assert!(y >= x && (of(y) - best).abs() < 1e-9 * (1.0 + best.abs()));
        }

        /// The other operations are what their formulas say.
        #[test]
        fn operations_are_their_formulas(f in functions(), by in -3.0_f64..3.0, x in -12.0_f64..12.0) {
            let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * (1.0 + a.abs());
            let mut g = f.clone();
            g.shift(by);
            prop_assert!(close(g.at(x), f.at(x - by)));
            g.raise(by);
            prop_assert!(close(g.at(x), f.at(x - by) + by));
            let mut g = f.clone();
            g.bend(by, 2.0, -1.0);
            let hinge = if x < by { 2.0 } else { -1.0 } * (x - by);
            prop_assert!(close(g.at(x), f.at(x) + hinge));
            let mut g = f.clone();
            g.level_below(by);
            prop_assert!(close(g.at(x), f.at(x.max(by))));
            let mut g = f.clone();
            g.forget_above(by);
            let tolerance = 1e-9 * (1.0 + f.at(x).abs());
            prop_assert!(g.at(x) <= f.at(x) + tolerance && (x > by || close(g.at(x), f.at(x))));
        }
    }
}
