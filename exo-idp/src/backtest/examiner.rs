//! A closer look at every policy where it is scored.

use gpu::Device;

use super::entry::Entry;
use super::standings::Role;
use crate::error::Error;
use crate::outcomes::Outcomes;
use crate::policy::{Plan, Policy};
use crate::replay::Replay;

/// A policy in a window that scores it.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// Its name in the results.
    pub name: &'a str,
    /// What it is in the comparison.
    pub role: Role,
    /// The window, from 0: the origins in their order.
    pub window: usize,
    /// The replay that scores it.
    pub replay: &'a Replay<'a>,
    /// What came of it there.
    pub outcomes: &'a Outcomes,
    /// How far ahead covariates and prices are known when an order is placed.
    pub plan: Plan,
    /// Where it is run.
    pub device: &'a Device,
}

/// Looks at the policies of a back-test, one by one, in the replays that score them: for questions that the results do not answer.
///
/// See [`BackTest::run_examined`](super::BackTest::run_examined). What an examiner finds, faults included, it keeps.
pub trait Examiner {
    /// Looks at a policy.
    fn examine<P: Policy>(&mut self, scored: &Scored<'_>, policy: &P);
}

/// Looks at nothing.
impl Examiner for () {
    fn examine<P: Policy>(&mut self, _: &Scored<'_>, _: &P) {}
}

/// Runs policies in the replay of a window, and keeps what the results need of each.
pub(super) struct Scoring<'a, E> {
    pub(super) replay: &'a Replay<'a>,
    pub(super) device: &'a Device,
    pub(super) plan: Plan,
    pub(super) window: usize,
    /// Products of which every week is kept.
    pub(super) shown: &'a [usize],
    pub(super) examiner: &'a mut E,
    pub(super) entries: Vec<Entry>,
}

impl<E: Examiner> Scoring<'_, E> {
    pub(super) fn add<P: Policy>(
        &mut self,
        name: &str,
        role: Role,
        policy: &P,
    ) -> Result<(), Error> {
        let outcomes = self.replay.run(policy, self.device)?;
        let scored = Scored {
            name,
            role,
            window: self.window,
            replay: self.replay,
            outcomes: &outcomes,
            plan: self.plan,
            device: self.device,
        };
        self.examiner.examine(&scored, policy);
        self.entries
            .push(Entry::new(name, role, &outcomes, self.shown));
        Ok(())
    }
}
