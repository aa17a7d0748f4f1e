//! Saved coordinators: text with a title, sizes, a parameter a line, and a digest of all that.

use std::fmt::Write;

use hindsight_exo_idp::policy::Policy;
use sha2::{Digest, Sha256};

use crate::buyer::Buyer;
use crate::coordinator::Coordinator;
use crate::error::{Argument, Error, count};
use crate::limits::Kind;
use crate::shape::Shape;

const TITLE: &str = "hindsight-capacity model 1";
const DIGEST: &str = "sha256 ";

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
    /// use hindsight_capacity::{Kind, Model, Shape};
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
            "{TITLE}\n{kinds} {} {}\n",
            shape.lead,
            self.coordinator.hidden()
        );
        for value in self.buyer.theta().iter().chain(self.coordinator.theta()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{value:e}");
        }
        let digest = digest(&text);
        text + DIGEST + &digest + "\n"
    }

    /// A model from its text.
    ///
    /// # Errors
    /// Text that is no model, or not as it was written.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let wrong = |line: usize| Error::NotAModel { line };
        if text.lines().next() != Some(TITLE) {
            return Err(wrong(1));
        }
        let end = text
            .rfind(DIGEST)
            .ok_or_else(|| wrong(text.lines().count()))?;
        let (body, last) = text.split_at(end);
        if last[DIGEST.len()..].trim() != digest(body) {
            return Err(Error::Corrupt);
        }
        let mut lines = body.lines().skip(1);
        let sizes: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let &[kinds, lead, hidden] = &sizes[..] else {
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
        let model = Model::new(&Shape::new(&kinds, lead), hidden, 0);
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

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
