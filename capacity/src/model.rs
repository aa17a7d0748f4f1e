//! Saved coordinators: text with a title, sizes, a parameter a line, and a digest of all that.

use std::fmt::Write;

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::nn::saved;

use crate::buyer::Buyer;
use crate::coordinator::Coordinator;
use crate::error::{Argument, Error, count};
use crate::limits::Kind;
use crate::shape::Shape;

/// The first line: what it is, and the version of the form.
const KIND: &str = "hindsight-capacity model";
const VERSION: u32 = 1;

/// A buyer and a coordinator that were trained together.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The buyer.
    pub buyer: Buyer,
    /// The coordinator.
    pub coordinator: Coordinator,
}

impl Model {
    /// An untrained pair, with `hidden` numbers in either hidden layer of both.
    #[must_use]
    pub fn new(shape: &Shape, hidden: usize, seed: u64) -> Self {
        Model {
            buyer: Buyer::new(shape, hidden, seed),
            coordinator: Coordinator::new(shape, hidden, seed.wrapping_add(1)),
        }
    }

    /// The model as text. The same bits come back.
    ///
    /// ```
    /// use hindsight_capacity::{Model, Shape, limits::Kind};
    /// let model = Model::new(&Shape::new(&[Kind::Storage], 2), 4, 0);
    /// let text = model.to_text();
    /// assert_eq!(Model::from_text(&text)?, model);
    /// assert!(Model::from_text(&text.replacen("e-1", "e-2", 1)).is_err());
    /// # Ok::<(), hindsight_capacity::Error>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        let shape = self.coordinator.shape();
        let kind = |kind: &Kind| if *kind == Kind::Storage { 's' } else { 'i' };
        let kinds: String = shape.kinds.iter().map(kind).collect();
        let mut text = format!(
            "{KIND} {VERSION}\n{kinds} {} {} {}\n",
            shape.lead,
            self.coordinator.hidden(),
            self.coordinator.forecasts()
        );
        for value in self.buyer.theta().iter().chain(self.coordinator.theta()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{value:e}");
        }
        saved::seal(text)
    }

    /// A model from its text.
    ///
    /// # Errors
    /// Text that is no model, or not as it was written.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let wrong = |line: usize| Error::NotAModel { line };
        let lines = saved::open(KIND, VERSION, text).map_err(unread)?;
        let mut lines = lines.into_iter().skip(1);
        let sizes: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let &[kinds, lead, hidden, forecasts] = &sizes[..] else {
            return Err(wrong(2));
        };
        let kind = |c| match c {
            's' => Ok(Kind::Storage),
            'i' => Ok(Kind::Inbound),
            _ => Err(wrong(2)),
        };
        let kinds = kinds.chars().map(kind).collect::<Result<Vec<Kind>, _>>()?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong(2));
        let (lead, hidden) = (number(lead)?, number(hidden)?);
        let value = |(line, text): (usize, &str)| text.parse().map_err(|_| wrong(line + 3));
        let theta = lines
            .enumerate()
            .map(value)
            .collect::<Result<Vec<f64>, _>>()?;
        // No sizes are laid out that the parameters could not fill.
        if kinds.is_empty() || hidden == 0 || kinds.len().max(lead).max(hidden) > theta.len() {
            return Err(wrong(2));
        }
        let shape = Shape::new(&kinds, lead);
        let mut model = Model::new(&shape, hidden, 0);
        if !forecasts.parse::<bool>().map_err(|_| wrong(2))? {
            model.coordinator = Coordinator::without_forecasts(&shape, hidden, 0);
        }
        let own = model.buyer.theta().len();
        if theta.len() != own + model.coordinator.theta().len() {
            return Err(wrong(2));
        }
        let (buyer, coordinator) = theta.split_at(own);
        Ok(Model {
            buyer: model.buyer.with_theta(buyer.to_vec())?,
            coordinator: model.coordinator.with_theta(coordinator.to_vec())?,
        })
    }
}

/// Why a text is no model; one of another version is none.
fn unread(error: hindsight_gpu::Error) -> Error {
    match error {
        hindsight_gpu::Error::NotAModel { line } => Error::NotAModel { line },
        hindsight_gpu::Error::Version { .. } => Error::NotAModel { line: 1 },
        hindsight_gpu::Error::Corrupt => Error::Corrupt,
        other => Error::Engine(other),
    }
}

/// An error unless there are as many parameters as expected, all finite.
pub(crate) fn finite(expected: usize, theta: &[f64]) -> Result<(), Error> {
    if theta.len() != expected {
        return Err(Error::Length {
            argument: Argument::Training,
            expected,
            found: theta.len(),
        });
    }
    match theta.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::Setting {
            argument: Argument::Training,
            value: count(at),
        }),
        None => Ok(()),
    }
}
