//! What a run asks of the device, in order.

/// How many workgroups an entry point takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// Those of the tiles of lanes.
    Lanes,
    /// One for each tile of groups.
    Groups,
    /// Those that join the lanes of all groups, for so many rows.
    Join(usize),
}

/// An entry point, and on what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dispatch {
    pub(super) entry: String,
    pub(super) on: On,
}

impl Dispatch {
    pub(super) fn new(entry: impl Into<String>, on: On) -> Dispatch {
        Dispatch {
            entry: entry.into(),
            on,
        }
    }
}

/// When a list of dispatches runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Once, at this period.
    Once(Moment),
    /// In every period, from the first.
    Forward,
    /// In every period, from the last.
    Backward,
}

/// A period that is known by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    First,
    Last,
}

/// The dispatches of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) stages: Vec<(When, Vec<Dispatch>)>,
}

impl Schedule {
    /// Every entry point, once.
    pub(super) fn entries(&self) -> impl Iterator<Item = &str> {
        let all = self.stages.iter().flat_map(|(_, dispatches)| dispatches);
        all.map(|dispatch| dispatch.entry.as_str())
    }

    /// Every dispatch of a run of so many periods, by its number among [`entries`](Self::entries), with its period.
    pub(super) fn of(&self, periods: usize) -> impl Iterator<Item = (usize, &Dispatch, usize)> {
        let mut first = 0;
        self.stages.iter().flat_map(move |(when, dispatches)| {
            let own = first;
            first += dispatches.len();
            let times: Vec<usize> = match when {
                When::Once(Moment::First) => vec![0],
                When::Once(Moment::Last) => vec![periods.saturating_sub(1)],
                When::Forward => (0..periods).collect(),
                When::Backward => (0..periods).rev().collect(),
            };
            times
                .into_iter()
                .flat_map(move |t| (own..).zip(dispatches).map(move |(k, d)| (k, d, t)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_through_the_periods() {
        let one = |entry: &str| Dispatch::new(entry, On::Lanes);
        let schedule = Schedule {
            stages: vec![
                (When::Once(Moment::First), vec![one("begin")]),
                (When::Forward, vec![one("a"), one("b")]),
                (When::Once(Moment::Last), vec![one("end")]),
                (When::Backward, vec![one("back")]),
            ],
        };
        let order: Vec<(usize, &str, usize)> = schedule
            .of(2)
            .map(|(k, dispatch, t)| (k, dispatch.entry.as_str(), t))
            .collect();
        let right = [
            (0, "begin", 0),
            (1, "a", 0),
            (2, "b", 0),
            (1, "a", 1),
            (2, "b", 1),
            (3, "end", 1),
            (4, "back", 1),
            (4, "back", 0),
        ];
        assert_eq!(order, right);
        assert_eq!(schedule.entries().count(), 5);
    }
}
