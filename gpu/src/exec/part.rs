//! Parts of a batch.

use std::ops::Range;

/// Which lanes and periods of a batch a run takes: a mini-batch copies nothing.
///
/// ```
/// use hindsight_gpu::{Batch, Cpu, Executor, Part, Program, Shape, Start, Step};
/// let shape = Shape { lane: 1, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| Step { objective: i.lane[0], ..Step::new() });
/// let batch = Batch::new(&program, 3, 4).lane(&[1.0_f64, 2.0, 5.0])?;
/// let cpu = Cpu::new(1);
/// let mut session = cpu.open(&program, batch)?;
/// let part = Part::lanes(&[2, 0]).periods(1..3);
/// assert_eq!(session.forward(&part)?.objective, [10.0, 2.0]);
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part<'a> {
    pub(super) pick: Pick<'a>,
    pub(super) periods: Option<Range<usize>>,
}

/// Which lanes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Pick<'a> {
    #[default]
    All,
    Lanes(&'a [usize]),
    Groups(&'a [usize]),
}

impl<'a> Part<'a> {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Part::default()
    }

    /// These lanes, in this order; a lane may appear more than once. Not for a batch in groups: there, whole groups are picked.
    #[must_use]
    pub fn lanes(lanes: &'a [usize]) -> Self {
        Part {
            pick: Pick::Lanes(lanes),
            periods: None,
        }
    }

    /// The lanes of these groups, in this order; a group may appear more than once. See [`Batch::groups`](crate::Batch::groups).
    #[must_use]
    pub fn groups(groups: &'a [usize]) -> Self {
        Part {
            pick: Pick::Groups(groups),
            periods: None,
        }
    }

    /// The same lanes in these periods.
    #[must_use]
    pub fn periods(self, range: Range<usize>) -> Self {
        Part {
            periods: Some(range),
            ..self
        }
    }
}

/// A part with lists of its own, to be told from another later.
#[cfg(feature = "wgpu")]
#[derive(Debug)]
pub(super) struct Kept {
    /// Whether groups were picked, and which; none where all lanes are run.
    picked: Option<(bool, Vec<usize>)>,
    periods: Option<Range<usize>>,
}

#[cfg(feature = "wgpu")]
impl Kept {
    pub(super) fn of(part: &Part<'_>) -> Kept {
        Kept {
            picked: match part.pick {
                Pick::All => None,
                Pick::Lanes(lanes) => Some((false, lanes.to_vec())),
                Pick::Groups(groups) => Some((true, groups.to_vec())),
            },
            periods: part.periods.clone(),
        }
    }

    /// Whether it is the same part.
    pub(super) fn is(&self, part: &Part<'_>) -> bool {
        let picked = match (&self.picked, part.pick) {
            (None, Pick::All) => true,
            (Some((false, own)), Pick::Lanes(lanes)) => own == lanes,
            (Some((true, own)), Pick::Groups(groups)) => own == groups,
            _ => false,
        };
        picked && self.periods == part.periods
    }
}
