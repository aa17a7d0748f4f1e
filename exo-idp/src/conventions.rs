//! Everything about a period that textbooks and systems do differently, as named options.

use crate::error::{Error, within};

/// When what is due in a week is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Receipts {
    /// Before demand: an order of lead time $v$ serves the demand of $v$ weeks later, with lead time 0 that of its own week.
    #[default]
    BeforeDemand,
    /// After demand: it serves the demand of $v + 1$ weeks later; a lead time of 0 cannot serve its own week.
    AfterDemand,
}

/// What a policy sees when it orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ObservationTiming {
    /// Stock before this week's receipts; what will arrive this week still counts as outstanding.
    #[default]
    BeforeReceipts,
    /// Stock after this week's receipts of earlier orders, as in Zipkin's lost-sales problems.
    AfterReceipts,
}

/// What happens to demand that finds no stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Unmet {
    /// It is lost.
    #[default]
    Lost,
    /// It waits, and is sold, at the price of the week in which stock is there.
    Backordered,
}

/// What stock and outstanding orders are worth after the last week.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Terminal {
    /// Nothing: the best policy then stops ordering about a lead time before the end.
    Nothing,
    /// What they cost, on average and discounted, so that ordering continues as if weeks followed. At the cost of the last week
    /// an order in a cheaper week would pay without ever being sold; at what was paid it never does.
    #[default]
    AtCost,
    /// A share of that cost.
    ShareOfCost(f64),
}

/// The conventions of a period. Every policy of a comparison is scored under the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Conventions {
    /// When orders are received.
    pub receipts: Receipts,
    /// What a policy sees.
    pub observation_timing: ObservationTiming,
    /// What becomes of unmet demand.
    pub unmet: Unmet,
    /// Value at the end of the horizon.
    pub terminal: Terminal,
    /// Discount factor per week, in (0, 1].
    pub discount: f64,
    /// Holding cost per unit left at the end of a week, as a share of the unit's cost.
    pub holding_share: f64,
    /// Holding cost per unit left at the end of a week, in money, added to the share.
    pub holding: f64,
    /// Cost of a unit of demand that is lost (or still waiting at the end of a week), in money, beside its margin.
    pub penalty: f64,
    /// Whether orders are rounded to whole units, halves to even, whoever places them; in training the gradient passes as if they were
    /// not.
    pub whole_units: bool,
}

impl Default for Conventions {
    /// The papers' reward: lost sales, receipts before demand, no holding cost but the discount (0.995 a week), and stock at the
    /// end worth its cost.
    fn default() -> Self {
        Conventions {
            receipts: Receipts::default(),
            observation_timing: ObservationTiming::default(),
            unmet: Unmet::default(),
            terminal: Terminal::default(),
            discount: 0.995,
            holding_share: 0.0,
            holding: 0.0,
            penalty: 0.0,
            whole_units: false,
        }
    }
}

impl Conventions {
    /// An error when a number is outside its domain.
    ///
    /// # Errors
    /// When the discount is outside (0, 1], or a cost or share is negative or not finite.
    pub fn validate(&self) -> Result<(), Error> {
        within(
            "discount",
            self.discount,
            f64::MIN_POSITIVE,
            1.0,
            "a factor in (0, 1]",
        )?;
        within(
            "holding_share",
            self.holding_share,
            0.0,
            f64::MAX,
            "a finite share, at least zero",
        )?;
        within(
            "holding",
            self.holding,
            0.0,
            f64::MAX,
            "a finite cost, at least zero",
        )?;
        within(
            "penalty",
            self.penalty,
            0.0,
            f64::MAX,
            "a finite cost, at least zero",
        )?;
        within(
            "terminal share of cost",
            self.salvage(),
            0.0,
            1.0,
            "a share in [0, 1]",
        )
    }

    /// The share of its cost that a unit is worth after the last week.
    #[must_use]
    pub fn salvage(&self) -> f64 {
        match self.terminal {
            Terminal::Nothing => 0.0,
            Terminal::AtCost => 1.0,
            Terminal::ShareOfCost(share) => share,
        }
    }
}
