//! The levels that a network starts from, and what it sees of them.

use crate::error::Error;
use crate::signals::Signals;

/// Levels, in units for every product and week, of which a network orders up to a combination, and further numbers that it sees.
///
/// One level alone can only be scaled, and where it is zero (a newsvendor whose price is below his cost this week) nothing is
/// ever ordered and nothing trained. A second level of another kind stays in such weeks. This is our own formulation.
///
/// ```
/// use hindsight_exo_idp::policy::{Anchor, Signals};
/// let level = |units: f64| Signals::from_fn(10, 1, 2, move |_, _, _| units);
/// let anchor = Anchor::new(vec![level(20.0), level(30.0)], None)?;
/// assert_eq!(anchor.levels(), 2);
/// assert!(Anchor::new(vec![], None).is_err());
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    levels: Vec<Signals>,
    inputs: Signals,
}

impl Anchor {
    /// An anchor of levels with one row each, and of any number of further inputs.
    ///
    /// # Errors
    /// When there is no level, one has not one row, or their weeks or columns differ.
    pub fn new(levels: Vec<Signals>, inputs: Option<Signals>) -> Result<Self, Error> {
        let Some(first) = levels.first() else {
            return Err(Error::Empty("the list of levels"));
        };
        let (weeks, columns) = (first.weeks(), first.columns());
        let inputs = inputs.unwrap_or_else(|| Signals::from_fn(weeks, 0, columns, |_, _, _| 0.0));
        for level in &levels {
            if level.rows() != 1 {
                return Err(Error::Length {
                    array: "rows of a level".into(),
                    expected: 1,
                    found: level.rows(),
                });
            }
            level.check(weeks, columns, columns)?;
        }
        inputs.check(weeks, columns, columns)?;
        Ok(Anchor { levels, inputs })
    }

    /// The number of levels.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// A level, in units.
    pub(crate) fn level(&self, k: usize, week: usize, product: usize) -> f64 {
        self.levels[k].row(week, 0)[product]
    }

    /// Rows of further inputs.
    pub(super) fn inputs(&self) -> usize {
        self.inputs.rows()
    }

    /// One of the further inputs.
    pub(super) fn input(&self, k: usize, week: usize, product: usize) -> f64 {
        self.inputs.row(week, k)[product]
    }

    /// An error unless there is a value for every week and product.
    pub(super) fn check(&self, weeks: usize, products: usize) -> Result<(), Error> {
        self.levels[0].check(weeks, products, products)
    }
}
