//! What the numbers of a record are made for.

use crate::arrivals::LeadTimeLaw;
use crate::conventions::Conventions;
use crate::error::{Error, within};
use crate::panel::Panel;
use crate::policy::Plan;

/// What [`Trailing`](super::Trailing) is made for.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// The record.
    pub panel: &'a Panel,
    /// The law of lead times.
    pub lead_times: &'a dyn LeadTimeLaw,
    /// The conventions.
    pub conventions: Conventions,
    /// What is known ahead.
    pub plan: Plan,
    /// Periods of a year: 52 for weeks, 12 for months. The seasonal index looks back by this much.
    pub year: usize,
    /// Groups of products from coarse to fine, such as departments and product groups: each product's group, by level. May be empty.
    pub hierarchy: &'a [Vec<usize>],
}

impl Terms<'_> {
    /// An error when a number is outside its domain.
    ///
    /// # Errors
    /// When the conventions are not valid, the probabilities of a product's lead times do not sum to one, the year is empty, or a level of
    /// the hierarchy has not one group for every product.
    pub fn validate(&self) -> Result<(), Error> {
        self.conventions.validate()?;
        for product in 0..self.panel.products() {
            let total: f64 = self.lead_times.probabilities(product).iter().sum();
            let name = "sum of the lead times' probabilities";
            within(name, total, 1.0 - 1e-9, 1.0 + 1e-9, "one")?;
        }
        if self.year == 0 {
            return Err(Error::Empty("the year"));
        }
        let expected = self.panel.products();
        match self.hierarchy.iter().find(|level| level.len() != expected) {
            Some(level) => Err(Error::Length {
                array: "level of the hierarchy".into(),
                expected,
                found: level.len(),
            }),
            None => Ok(()),
        }
    }
}
