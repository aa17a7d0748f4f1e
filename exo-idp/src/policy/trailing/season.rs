//! The season of the weeks ahead, from the same weeks of the last years.
//!
//! The index of a coming week is its demand one and two years before over the mean of the quarter that ended when this week's order was placed
//! in those years; of short cycles, such as the months of a year or the days of a week, up to six are looked back on, and the mean is that
//! of a whole cycle. One product tells little of it, so it is drawn towards its groups' index and that of the whole panel; how
//! far depends on the noise of its demand, not on the unit it is counted in. Our own formulation.

use super::history::History;

/// Weights of the week before, the week itself and the week after; in a short cycle neighbours differ too much.
const SMOOTH: [f64; 3] = [0.25, 0.5, 0.25];
const SHARP: [f64; 3] = [0.0, 1.0, 0.0];
/// Cycles of at most so many periods are short.
const SHORT: usize = 13;
/// Years looked back on, and short cycles.
const YEARS: usize = 2;
const CYCLES: usize = 6;
/// How many units of a Poisson demand weigh as much as the index of the level above.
const PRIOR: f64 = 10.0;

/// Weeks that a seasonal index compares with: a quarter of the year, the whole of a short cycle.
pub(super) fn base(year: usize) -> usize {
    if year <= SHORT { year } else { year / 4 }
}

/// What the record says of one coming week: demand then, and what a week without season would have had.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    seen: f64,
    usual: f64,
}

impl Evidence {
    fn add(&mut self, other: Evidence) {
        self.seen += other.seen;
        self.usual += other.usual;
    }

    /// The ratio of both, drawn towards `towards` with the weight of `prior` units.
    fn index(self, towards: f64, prior: f64) -> f64 {
        let usual = self.usual + prior;
        if usual > 0.0 {
            ((self.seen + prior * towards) / usual).clamp(0.2, 5.0)
        } else {
            towards
        }
    }
}

/// The seasonal indices of the weeks that an order covers.
#[derive(Debug, Clone)]
pub(super) struct Season<'a> {
    /// Weeks of a year.
    year: usize,
    /// Each product's group on every level, from coarse to fine.
    hierarchy: &'a [Vec<usize>],
}

/// The indices of a product, by week ahead.
#[derive(Debug, Clone, Default)]
pub(super) struct Indices {
    /// The whole panel's.
    pub(super) panel: Vec<f64>,
    /// The product's own, by week ahead.
    pub(super) own: Vec<Vec<f64>>,
    /// Whether a year was there to look at.
    pub(super) known: bool,
}

impl<'a> Season<'a> {
    pub(super) fn new(year: usize, hierarchy: &'a [Vec<usize>]) -> Self {
        Season { year, hierarchy }
    }

    fn evidence(&self, history: &History, ahead: usize) -> Evidence {
        let (now, base) = (history.weeks(), base(self.year));
        let mut evidence = Evidence::default();
        let (years, smooth) = if self.year <= SHORT {
            (CYCLES, SHARP)
        } else {
            (YEARS, SMOOTH)
        };
        for year in 1..=years {
            let Some(then) = now.checked_sub(self.year * year) else {
                break;
            };
            let (n, sum) = history.total(then.saturating_sub(base), then);
            if 3.0 * n < crate::count::count(base) || n <= 0.0 {
                continue;
            }
            for (weight, week) in smooth.iter().zip(then + ahead..) {
                // The week before, the week and the week after: `week` runs one ahead.
                let Some(week) = week.checked_sub(1).filter(|&w| w < now) else {
                    continue;
                };
                if let Some(demand) = history.demand(week) {
                    evidence.add(Evidence {
                        seen: weight * demand,
                        usual: weight * sum / n,
                    });
                }
            }
        }
        evidence
    }

    /// The indices of every product for the next `ahead` weeks.
    pub(super) fn indices(&self, histories: &[History], ahead: usize) -> Indices {
        let now = histories.first().map_or(0, History::weeks);
        if now < self.year + base(self.year) {
            return Indices {
                panel: vec![1.0; ahead],
                own: vec![vec![1.0; ahead]; histories.len()],
                known: false,
            };
        }
        let dispersion: Vec<f64> = histories.iter().map(History::dispersion).collect();
        let mut own = vec![Vec::with_capacity(ahead); histories.len()];
        let mut panel = Vec::with_capacity(ahead);
        for h in 0..ahead {
            let evidence: Vec<Evidence> = histories.iter().map(|p| self.evidence(p, h)).collect();
            let whole = pool(evidence.iter().zip(&dispersion));
            let chain = whole.0.index(1.0, PRIOR * whole.1);
            let mut index = vec![chain; histories.len()];
            for groups in self.hierarchy {
                self.draw(groups, &evidence, &dispersion, &mut index);
            }
            for ((own, (e, d)), towards) in own
                .iter_mut()
                .zip(evidence.iter().zip(&dispersion))
                .zip(index)
            {
                own.push(e.index(towards, PRIOR * d));
            }
            panel.push(chain);
        }
        Indices {
            panel,
            own,
            known: true,
        }
    }

    /// Replaces every product's index by that of its group, drawn towards the index of the level above.
    fn draw(&self, groups: &[usize], evidence: &[Evidence], dispersion: &[f64], index: &mut [f64]) {
        let last = groups.iter().copied().max().map_or(0, |g| g + 1);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); last];
        for (product, &group) in groups.iter().enumerate() {
            members[group].push(product);
        }
        for members in members.iter().filter(|m| !m.is_empty()) {
            let pooled = pool(members.iter().map(|&p| (&evidence[p], &dispersion[p])));
            let own = pooled.0.index(index[members[0]], PRIOR * pooled.1);
            members.iter().for_each(|&p| index[p] = own);
        }
    }
}

/// The evidence of several products together, and their mean dispersion, weighted by demand.
fn pool<'e>(products: impl Iterator<Item = (&'e Evidence, &'e f64)>) -> (Evidence, f64) {
    let (mut sum, mut noise) = (Evidence::default(), 0.0);
    for (&evidence, &dispersion) in products {
        noise += dispersion * evidence.usual;
        sum.add(evidence);
    }
    let dispersion = if sum.usual > 0.0 {
        noise / sum.usual
    } else {
        0.0
    };
    (sum, dispersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panel with a true season: the index finds it, and finds none in a flat one.
    #[test]
    fn a_season_is_found_and_none_invented() {
        let peak = |week: usize| if week % 52 >= 48 { 3.0 } else { 1.0 };
        let histories = |season: bool| -> Vec<History> {
            let of = |product: usize| {
                let mut history = History::new();
                for week in 0..98 {
                    let noise = 1.0 + 0.2 * f64::from(u8::from((week * 7 + product * 3) % 5 < 2));
                    let index = if season { peak(week) } else { 1.0 };
                    history.push(true, 10.0 * index * noise, 1.0, 1.0);
                }
                history
            };
            (0..8).map(of).collect()
        };
        let season = Season::new(52, &[]);
        // Week 98 is week 46 of its year: the peak begins two weeks ahead.
        let found = season.indices(&histories(true), 6);
        assert!(found.known && found.panel[0] < 1.2 && found.panel[4] > 2.5);
        assert!(found.own.iter().all(|own| own[4] > 2.2));
        let flat = season.indices(&histories(false), 6);
        assert!(flat.panel.iter().all(|i| (i - 1.0).abs() < 0.1));
    }

    /// So does the index of a short cycle: the days of a week, neighbours far apart.
    #[test]
    fn the_days_of_a_week_are_told_apart() {
        let day = |at: usize| [0.5, 1.0, 1.0, 0.2, 1.5, 2.3, 0.5][at % 7];
        let mut history = History::new();
        (0..60).for_each(|at| history.push(true, 20.0 * day(at), 1.0, 1.0));
        let found = Season::new(7, &[]).indices(&[history], 3);
        for (ahead, index) in found.own[0].iter().enumerate() {
            let wanted = day(60 + ahead);
            assert!((index / wanted - 1.0).abs() < 0.25, "{index} for {wanted}");
        }
    }

    /// Before a year is over nothing is claimed.
    #[test]
    fn without_a_year_the_index_is_one() {
        let mut history = History::new();
        (0..40).for_each(|week| history.push(true, f64::from(week), 1.0, 1.0));
        let found = Season::new(52, &[]).indices(&[history], 3);
        assert!(!found.known && found.own[0] == [1.0, 1.0, 1.0]);
    }
}
