//! What a replay fixes for every policy.

use std::borrow::Cow;
use std::ops::Range;

use super::window::Window;
use crate::conventions::{Conventions, Receipts, Unmet};
use crate::error::{Error, within};
use crate::opening::Opening;
use crate::outcomes::{Frame, Waiting};
use crate::paths::Paths;
use crate::schedule::Schedule;
use crate::states::{PLAIN, States};

/// A replay: paths, conventions, a window of weeks and the opening inventory, the same for every policy that is run in it.
#[derive(Debug, Clone)]
pub struct Replay<'p> {
    paths: &'p Paths<'p>,
    conventions: Conventions,
    window: Window,
    opening: States,
}

impl<'p> Replay<'p> {
    /// A replay that opens with a week's reference demand on hand and as much in every order of the weeks before, as far as it has not
    /// arrived: `reference` is in units per week, one number per product. Valued at the costs of the first scored week.
    ///
    /// # Errors
    /// When the conventions are not valid, the window is empty or ends after the panel, or a reference is negative or not finite.
    pub fn new(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        window: Window,
        reference: &[f64],
    ) -> Result<Self, Error> {
        check_window(paths, &window)?;
        let panel = paths.panel();
        if reference.len() != panel.products() {
            return Err(Error::Length {
                array: "reference demand".into(),
                expected: panel.products(),
                found: reference.len(),
            });
        }
        for &units in reference {
            within(
                "reference demand",
                units,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        let lanes = 0..paths.lanes();
        let units: Vec<f64> = lanes
            .clone()
            .map(|lane| reference[paths.product(lane)])
            .collect();
        let start = window.scored.start;
        let book = lanes.map(|lane| {
            let coming = (0..paths.max_lead_time()).map(|age| paths.coming(start, age)[lane]);
            units[lane] * (1.0 + coming.sum::<f64>()) * panel.cost(paths.product(lane), start)
        });
        let book = book.collect();
        let orders = vec![units.clone(); paths.max_lead_time()];
        Replay::opened(
            paths,
            conventions,
            window,
            States::new(units, orders, book)?,
        )
    }

    /// A replay that opens with the stock that products really had, valued at the costs of the first scored week; in whole units where
    /// the conventions say so.
    ///
    /// # Errors
    /// As [`opened`](Replay::opened), and when something at the opening is due later than the longest lead time.
    pub fn stocked(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        window: Window,
        opening: &Opening,
    ) -> Result<Self, Error> {
        check_window(paths, &window)?;
        let states = opening.states(paths, window.scored.start, conventions.whole_units)?;
        Replay::opened(paths, conventions, window, states)
    }

    /// A replay that opens with given states.
    ///
    /// ```
    /// use hindsight_exo_idp::panel::Columns;
    /// use hindsight_exo_idp::period::States;
    /// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
    /// let columns = Columns {
    ///     demand: vec![4.0; 20],
    ///     price: vec![10.0; 20],
    ///     cost: vec![6.0; 20],
    ///     present: vec![true; 20],
    ///     covariates: vec![],
    /// };
    /// let panel = Panel::new(vec!["tea".into()], 20, columns)?;
    /// let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
    /// // Seven units on the shelf, three in transit, at six each.
    /// let states = States::new(vec![7.0], vec![vec![3.0]], vec![60.0])?;
    /// let window = Window { scored: 5..20, warm_up: 5 };
    /// let replay = Replay::opened(&paths, Conventions::default(), window, states)?;
    /// assert_eq!(replay.opening_charge(0), 60.0);
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the conventions are not valid, the window is empty or ends after the panel, or the states have another number of lanes or
    /// of outstanding orders than the paths.
    pub fn opened(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        window: Window,
        opening: States,
    ) -> Result<Self, Error> {
        conventions.validate()?;
        check_window(paths, &window)?;
        for (array, expected, found) in [
            (
                "lanes of the opening states",
                paths.lanes(),
                opening.lanes(),
            ),
            (
                "outstanding orders of the opening states",
                paths.max_lead_time(),
                opening.max_lead_time(),
            ),
        ] {
            if expected != found {
                return Err(Error::Length {
                    array: array.into(),
                    expected,
                    found,
                });
            }
        }
        Ok(Replay {
            paths,
            conventions,
            window,
            opening,
        })
    }

    /// The same replay from a later week on, opened with given states; the weeks before flow into the policy's memory as far as this
    /// replay sees them.
    ///
    /// Discounting begins anew in `week`. See [`Outcomes::closing`](crate::Outcomes::closing) for the states of a base path.
    ///
    /// # Errors
    /// When the week is not scored here, or the states do not fit.
    pub fn fork(&self, week: usize, states: States) -> Result<Self, Error> {
        let seen = self.window.seen();
        self.check_week(week)?;
        let window = Window {
            scored: week..self.window.scored.end,
            warm_up: week - seen.start,
        };
        Replay::opened(self.paths, self.conventions, window, states)
    }

    /// The same replay ended before `week`: its last scored week is the one before.
    ///
    /// # Errors
    /// When no scored week is left, or `week` comes after the end.
    pub fn until(&self, week: usize) -> Result<Self, Error> {
        self.check_week(week.saturating_sub(1))?;
        let mut shorter = self.clone();
        shorter.window.scored.end = week;
        Ok(shorter)
    }

    /// The same replay of some of the products; `paths` are [`Paths::select`] of the same list.
    ///
    /// ```
    /// use hindsight_exo_idp::panel::Columns;
    /// use hindsight_exo_idp::policy::{BaseStock, Selected, Signals};
    /// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
    /// # let columns = Columns {
    /// #     demand: (0..60).map(|i| f64::from(3 + i % 7)).collect(),
    /// #     price: vec![10.0; 60],
    /// #     cost: vec![6.0; 60],
    /// #     present: vec![true; 60],
    /// #     covariates: vec![],
    /// # };
    /// # let panel = Panel::new(vec!["tea".into(), "milk".into()], 30, columns)?;
    /// # let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
    /// # let window = Window { scored: 5..30, warm_up: 5 };
    /// # let replay = Replay::new(&paths, Conventions::default(), window, &[4.0, 5.0])?;
    /// # let device = hindsight_gpu::Device::best();
    /// let policy = BaseStock::new("level", 1.0, Signals::from_fn(30, 1, 2, |_, _, p| 10.0 + p as f64));
    /// let milk = [1];
    /// let few = panel.select(&milk)?;
    /// let of_milk = paths.select(&few, &milk)?;
    /// let alone = replay.select(&of_milk, &milk)?.run(&Selected::new(&policy, &paths, &milk)?, &device)?;
    /// assert_eq!(alone.accrued_reward(0), replay.run(&policy, &device)?.accrued_reward(1));
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a product does not exist, or the paths are of another number of lanes.
    pub fn select<'q>(
        &self,
        paths: &'q Paths<'q>,
        products: &[usize],
    ) -> Result<Replay<'q>, Error> {
        let opening = self.opening.select(&self.paths.lanes_of(products)?);
        Replay::opened(paths, self.conventions, self.window.clone(), opening)
    }

    fn check_week(&self, week: usize) -> Result<(), Error> {
        if self.window.scored.contains(&week) {
            return Ok(());
        }
        let Range { start, end } = self.window.scored;
        Err(Error::Weeks {
            what: "the week is not among the scored ones",
            start: week,
            end: week + 1,
            weeks: end - start,
        })
    }

    /// The paths.
    #[must_use]
    pub fn paths(&self) -> &'p Paths<'p> {
        self.paths
    }

    /// The conventions.
    #[must_use]
    pub fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    /// The window of weeks.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The inventory of every lane with which the replay opens.
    #[must_use]
    pub fn opening(&self) -> &States {
        &self.opening
    }

    /// The weight of a week's reward, and that of the value of the stock at its end.
    #[must_use]
    pub fn weights(&self, week: usize) -> (f64, f64) {
        let Range { start, end } = self.window.scored;
        let power = |n: usize| {
            self.conventions
                .discount
                .powi(i32::try_from(n).unwrap_or(i32::MAX))
        };
        let weight = if week >= start {
            power(week - start)
        } else {
            0.0
        };
        let last = week + 1 == end;
        let terminal = if last {
            power(end - start) * self.conventions.salvage()
        } else {
            0.0
        };
        (weight, terminal)
    }

    /// Units of a lane, on hand and in orders, with which the replay opens.
    #[must_use]
    pub fn opening_units(&self, lane: usize) -> f64 {
        let orders = (0..self.paths.max_lead_time()).map(|age| self.opening.orders(age)[lane]);
        self.opening.on_hand()[lane] + orders.sum::<f64>()
    }

    /// What the opening stock of a lane is charged: its book value, the same for every policy.
    #[must_use]
    pub fn opening_charge(&self, lane: usize) -> f64 {
        self.opening.book()[lane]
    }

    /// What arrives of the orders before the opening, week by week from the first scored one, and in all, in units of a lane.
    pub(crate) fn opening_due(&self, lane: usize) -> (Vec<f64>, f64) {
        let (longest, start) = (self.paths.max_lead_time(), self.window.scored.start);
        let schedule = if self.opening.scheduled() {
            let rows =
                States::inventory_rows(longest, false)..States::inventory_rows(longest, true);
            let units: Vec<f64> = rows.map(|row| self.opening.row(row)[lane]).collect();
            Schedule::from_units(longest, &units)
        } else {
            Schedule::from_fn(longest, |age, weeks| {
                self.opening.orders(age - 1)[lane]
                    * self.paths.before(start, age, age + weeks)[lane]
            })
        };
        let due = (0..longest).map(|weeks| {
            let ages = 1..=longest - weeks;
            ages.map(|age| schedule.in_weeks(age, weeks)).sum()
        });
        (due.collect(), schedule.coming())
    }

    /// The outline of the outcomes of a run.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            products: self.paths.panel().products(),
            samples: self.paths.samples(),
            seen: self.window.seen(),
            scored: self.window.scored.clone(),
            discount: self.conventions.discount,
            salvage: self.conventions.salvage(),
            opening: self.opening.book().to_vec(),
            waiting: (self.conventions.unmet == Unmet::Backordered).then(|| {
                let on_hand = self.opening.on_hand().iter();
                Waiting {
                    opening: on_hand.map(|units| (-units).max(0.0)).collect(),
                    after_demand: self.conventions.receipts == Receipts::AfterDemand,
                }
            }),
        }
    }

    /// The rows of the opening states as a run reads them, `[row][lane]`: with a schedule of deliveries or without, and `own` rows of
    /// the market's own.
    pub(super) fn opening_rows(
        &self,
        scheduled: bool,
        own: usize,
    ) -> Result<Cow<'_, [f64]>, Error> {
        let (lanes, longest) = (self.paths.lanes(), self.paths.max_lead_time());
        let known = &self.opening;
        let wanted = States::inventory_rows(longest, scheduled) + own;
        if known.scheduled() == scheduled && known.rows().len() == wanted * lanes {
            return Ok(Cow::Borrowed(known.rows()));
        }
        if known.scheduled() && scheduled && known.rows().len() == (wanted - own) * lanes {
            let mut rows = known.rows().to_vec();
            rows.resize(wanted * lanes, 0.0);
            return Ok(Cow::Owned(rows));
        }
        let plain = PLAIN + longest;
        if known.rows().len() != plain * lanes {
            return Err(Error::Length {
                array: "rows of the opening states, which another market left".into(),
                expected: wanted,
                found: known.rows().len() / lanes,
            });
        }
        let mut rows = known.rows().to_vec();
        if scheduled {
            // Orders that were placed before arrive as the paths say; what of them is not received is open.
            let start = self.window.scored.start;
            for age in 0..longest {
                let open = rows[(PLAIN + age) * lanes..].iter_mut();
                for (units, share) in open.zip(self.paths.outstanding(start, age)) {
                    *units *= share;
                }
            }
            for lane in 0..lanes {
                let due = Schedule::from_fn(longest, |age, weeks| {
                    let placed = self.paths.before(start, age, age + weeks)[lane];
                    known.orders(age - 1)[lane] * placed
                });
                if lane == 0 {
                    rows.resize(States::inventory_rows(longest, true) * lanes, 0.0);
                }
                for (row, &units) in due.units().iter().enumerate() {
                    rows[(plain + row) * lanes + lane] = units;
                }
            }
        }
        rows.resize(wanted * lanes, 0.0);
        Ok(Cow::Owned(rows))
    }
}

fn check_window(paths: &Paths<'_>, window: &Window) -> Result<(), Error> {
    let (there, weeks) = (paths.weeks(), paths.panel().weeks());
    for (what, seen, wrong) in [
        (
            "the scored weeks are empty or outside the panel",
            &window.scored,
            window.scored.is_empty() || window.scored.end > weeks,
        ),
        (
            "the paths have no arrivals for all weeks seen",
            &window.seen(),
            window.seen().start < there.start || window.scored.end > there.end,
        ),
    ] {
        if wrong {
            let Range { start, end } = *seen;
            return Err(Error::Weeks {
                what,
                start,
                end,
                weeks,
            });
        }
    }
    Ok(())
}
