//! Deliveries that are due, where an order's own size decides when it arrives.

use gpu::Scalar;

/// Units that are due, by order and week: where arrivals depend on what was ordered they are part of the state.
///
/// Of the order of `age` weeks ago there are `longest - age + 1` numbers: what arrives this week, the next, and so on;
/// $L (L + 1) / 2$ numbers in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule<S> {
    longest: usize,
    units: Vec<S>,
}

impl<S: Scalar> Schedule<S> {
    /// The schedule of orders that take at most `longest` weeks; `units(age, weeks)` is what of the order of `age` weeks ago (1 to
    /// `longest`) arrives in so many weeks.
    pub fn from_fn(longest: usize, mut units: impl FnMut(usize, usize) -> S) -> Self {
        let mut all = Vec::with_capacity(Self::len(longest));
        for age in 1..=longest {
            all.extend((0..=longest - age).map(|weeks| units(age, weeks)));
        }
        Schedule {
            longest,
            units: all,
        }
    }

    pub(crate) fn from_units(longest: usize, units: &[S]) -> Self {
        Schedule {
            longest,
            units: units.to_vec(),
        }
    }

    pub(crate) fn len(longest: usize) -> usize {
        longest * (longest + 1) / 2
    }

    pub(crate) fn units(&self) -> &[S] {
        &self.units
    }

    /// Where the numbers of the order of `age` weeks ago begin.
    #[inline(always)]
    fn start(&self, age: usize) -> usize {
        (age - 1) * self.longest - (age - 1) * age.saturating_sub(2) / 2
    }

    /// What of the order of `age` weeks ago, 1 to the longest time, arrives this week.
    ///
    /// # Panics
    /// When there is no such order.
    #[must_use]
    #[inline(always)]
    pub fn due(&self, age: usize) -> S {
        self.in_weeks(age, 0)
    }

    /// What of the order of `age` weeks ago arrives in so many weeks, at most the longest time less `age`.
    ///
    /// # Panics
    /// When there is no such number.
    #[must_use]
    #[inline(always)]
    pub fn in_weeks(&self, age: usize, weeks: usize) -> S {
        self.units[self.start(age) + weeks]
    }

    /// What arrives this week.
    #[must_use]
    #[inline(always)]
    pub fn due_now(&self) -> S {
        (1..=self.longest).fold(S::constant(0.0), |sum, age| sum + self.due(age))
    }

    /// What arrives this week or later.
    #[must_use]
    #[inline(always)]
    pub fn coming(&self) -> S {
        self.units
            .iter()
            .fold(S::constant(0.0), |sum, &units| sum + units)
    }

    /// Moves to the next week: `order` was placed in this one and arrives in the given shares, now, in a week, and so on.
    #[inline(always)]
    pub(crate) fn advance(&mut self, order: S, shares: &[S]) {
        for age in (2..=self.longest).rev() {
            let (from, to) = (self.start(age - 1), self.start(age));
            for k in 0..=self.longest - age {
                self.units[to + k] = self.units[from + k + 1];
            }
        }
        for (units, &share) in self.units.iter_mut().zip(&shares[1..]) {
            *units = order * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_arrives_once_and_when_it_is_due() {
        let longest = 4;
        let mut schedule = Schedule::from_fn(longest, |_, _| 0.0);
        let order = |week: usize| [8.0, 0.0, 3.0, 5.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0][week];
        let share = |week: usize, k: usize| {
            [[0.1, 0.2, 0.3, 0.4, 0.0], [0.0, 0.0, 0.5, 0.0, 0.7]][week % 2][k]
        };
        for week in 0..10 {
            let expected: f64 = (1..=longest.min(week))
                .map(|k| order(week - k) * share(week - k, k))
                .sum();
            assert!((schedule.due_now() - expected).abs() < 1e-12, "week {week}");
            let coming: f64 = (1..=longest.min(week))
                .map(|age| {
                    (age..=longest)
                        .map(|k| order(week - age) * share(week - age, k))
                        .sum::<f64>()
                })
                .sum();
            assert!((schedule.coming() - coming).abs() < 1e-12);
            let shares: Vec<f64> = (0..=longest).map(|k| share(week, k)).collect();
            schedule.advance(order(week), &shares);
        }
        assert_eq!(Schedule::<f64>::len(longest), 10);
    }
}
