//! Refined outcomes over many fees and costs at once.

use super::demand::Demand;
use super::equilibria::Outcome;
use super::model::{Sale, SharedRevenue};
use crate::error::{Argument, GamesError, real};

/// The kind of a refined outcome; where the seller sells at its own price, by who gains against the retailer alone. Our own division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum OutcomeKind {
    /// The retailer sells at its own price.
    RetailerAtOwnPrice,
    /// The retailer sells at the seller's break-even price.
    RetailerAtLimitPrice,
    /// The seller sells at the retailer's indifference price.
    SellerAtIndifferencePrice,
    /// The seller sells at some price of an interval.
    SellerInInterval,
    /// The seller sells at its own price; the retailer and the consumers gain.
    BothGain,
    /// The seller sells at its own price; the retailer loses.
    RetailerLoses,
    /// The seller sells at its own price; the retailer does not lose, the consumers do not gain.
    ConsumersDoNotGain,
}

impl OutcomeKind {
    /// All kinds, in their order.
    pub const ALL: [OutcomeKind; 7] = [
        OutcomeKind::RetailerAtOwnPrice,
        OutcomeKind::RetailerAtLimitPrice,
        OutcomeKind::SellerAtIndifferencePrice,
        OutcomeKind::SellerInInterval,
        OutcomeKind::BothGain,
        OutcomeKind::RetailerLoses,
        OutcomeKind::ConsumersDoNotGain,
    ];

    /// The kind in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            OutcomeKind::RetailerAtOwnPrice => "retailer at its own price",
            OutcomeKind::RetailerAtLimitPrice => "retailer at the seller's break-even price",
            OutcomeKind::SellerAtIndifferencePrice => "seller at the retailer's indifference price",
            OutcomeKind::SellerInInterval => "seller in an interval",
            OutcomeKind::BothGain => "seller at its own price, both gain",
            OutcomeKind::RetailerLoses => "seller at its own price, the retailer loses",
            OutcomeKind::ConsumersDoNotGain => "seller at its own price, consumers do not gain",
        }
    }
}

impl<D: Demand + Clone> SharedRevenue<D> {
    /// The kind of the refined outcome.
    #[must_use]
    pub fn outcome_kind(&self) -> OutcomeKind {
        match self.outcome() {
            Outcome::RetailerAtOwnPrice { .. } => OutcomeKind::RetailerAtOwnPrice,
            Outcome::RetailerAtLimitPrice { .. } => OutcomeKind::RetailerAtLimitPrice,
            Outcome::SellerAtIndifferencePrice { .. } => OutcomeKind::SellerAtIndifferencePrice,
            Outcome::SellerInInterval { .. } => OutcomeKind::SellerInInterval,
            Outcome::SellerAtOwnPrice { .. } if self.both_gain() => OutcomeKind::BothGain,
            Outcome::SellerAtOwnPrice { .. } => {
                let loses = self.outcome_sales()[0].retailer < self.retailer_alone().retailer;
                if loses {
                    OutcomeKind::RetailerLoses
                } else {
                    OutcomeKind::ConsumersDoNotGain
                }
            }
        }
    }

    /// The sales of the outcome, at its lowest and its highest price, at the middles of `cells` equal parts of the fees from 0 to 1; this game's own fee is
    /// not used.
    ///
    /// # Errors
    /// As [`SharedRevenue::with_fee`]; [`GamesError::Empty`] for no cells.
    pub fn sales_over_fees(&self, cells: usize) -> Result<Vec<(f64, [Sale; 2])>, GamesError> {
        if cells == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Cells,
            });
        }
        let fees = (0..cells).map(|i| (real(i) + 0.5) / real(cells));
        fees.map(|fee| Ok((fee, self.with_fee(fee)?.outcome_sales())))
            .collect()
    }

    /// Kinds over fees from 0 to 1 (fastest) and the seller's cost from 0 to 1.5 times the retailer's: `cells * cells` of them, at the middles of equal parts.
    ///
    /// # Errors
    /// As [`SharedRevenue::new`]; [`GamesError::Empty`] for no cells.
    pub fn kinds_over_fees(
        demand: &D,
        retailer_cost: f64,
        cells: usize,
    ) -> Result<Vec<OutcomeKind>, GamesError> {
        plane(1.5, cells, |fee, ratio| {
            SharedRevenue::new(demand.clone(), retailer_cost, ratio * retailer_cost, fee)
        })
    }

    /// Kinds over the retailer's cost (fastest) and the seller's, both from 0 to 1.
    ///
    /// # Errors
    /// As [`SharedRevenue::kinds_over_fees`].
    pub fn kinds_over_costs(
        demand: &D,
        fee: f64,
        cells: usize,
    ) -> Result<Vec<OutcomeKind>, GamesError> {
        plane(1.0, cells, |retailer, seller| {
            SharedRevenue::new(demand.clone(), retailer, seller, fee)
        })
    }
}

/// The kinds of games over `[0, 1]` (fastest) and `[0, high]`.
fn plane<D: Demand + Clone>(
    high: f64,
    cells: usize,
    game: impl Fn(f64, f64) -> Result<SharedRevenue<D>, GamesError>,
) -> Result<Vec<OutcomeKind>, GamesError> {
    if cells == 0 {
        return Err(GamesError::Empty {
            argument: Argument::Cells,
        });
    }
    let centre = |high: f64, i: usize| high * (real(i) + 0.5) / real(cells);
    let pairs = (0..cells).flat_map(|j| (0..cells).map(move |i| (i, j)));
    pairs
        .map(|(i, j)| Ok(game(centre(1.0, i), centre(high, j))?.outcome_kind()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bertrand::LinearDemand;

    #[test]
    fn both_gain_just_where_the_closed_form_says() {
        // Linear demand: both gain exactly when c_S < (1 - a) c_R and a (1 - s_0^2) > (1 - c_R)^2, s_0 = c_S / (1 - a).
        let demand = LinearDemand::new(1.0).unwrap();
        let (fee, cells) = (0.3, 40);
        let kinds = SharedRevenue::kinds_over_costs(&demand, fee, cells).unwrap();
        let mut found = 0;
        for (at, kind) in kinds.iter().enumerate() {
            let centre = |i: usize| (real(i) + 0.5) / real(cells);
            let (retailer, seller) = (centre(at % cells), centre(at / cells));
            let break_even = seller / (1.0 - fee);
            let gap = fee * (1.0 - break_even * break_even) - (1.0 - retailer) * (1.0 - retailer);
            let closed = seller < (1.0 - fee) * retailer && gap > 0.0;
            let game = SharedRevenue::new(demand, retailer, seller, fee).unwrap();
            if gap.abs() > 1e-9 {
                assert_eq!(game.both_gain(), closed, "costs {retailer}, {seller}");
            }
            let own = matches!(game.outcome(), Outcome::SellerAtOwnPrice { .. });
            assert_eq!(*kind == OutcomeKind::BothGain, own && game.both_gain());
            found += usize::from(*kind == OutcomeKind::BothGain);
        }
        assert!(found > 0);
        assert!(SharedRevenue::kinds_over_fees(&demand, 0.6, 0).is_err());
    }
}
