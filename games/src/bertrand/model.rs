//! The game: a retailer and a seller that shares its revenue, simultaneous prices, the lowest serves all.

use super::demand::{Demand, LinearDemand};
use crate::error::{Argument, GamesError, non_negative, share};

/// Who serves when both post the same price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum TieRule {
    /// The seller. The outcomes in which the seller sells at the retailer's indifference price or in an interval are then equilibria exactly.
    ToSeller,
    /// The retailer. Those outcomes then survive only as limits of equilibria on ever finer price grids.
    ToRetailer,
}

/// Whose sale it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Firm {
    /// The retailer $R$, who also collects the fee.
    Retailer,
    /// The seller $S$.
    Seller,
}

/// Payoffs, surplus and welfare of a sale.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sale {
    /// Who sells.
    pub firm: Firm,
    /// At what price.
    pub price: f64,
    /// The retailer's payoff: profit when it sells, fee when the seller does.
    pub retailer: f64,
    /// The seller's payoff.
    pub seller: f64,
    /// Consumer surplus.
    pub consumers: f64,
    /// The sum of all three.
    pub welfare: f64,
}

/// Shared-revenue Bertrand competition (arXiv 2502.07952).
///
/// Retailer $R$ (cost $c_R$) and seller $S$ (cost $c_S$) post prices at once; the lowest serves all demand. The seller pays the share $\alpha$ of its revenue to the
/// retailer, who therefore earns when it loses: $u_R=\alpha pQ(p)$. The existence of four kinds of outcome, two refinements, the fee as an action and an outside option is
/// the paper's; every formula here is derived and checked against enumeration of lattice games.
///
/// ```
/// use hindsight_games::bertrand::{LinearDemand, Outcome, SharedRevenue};
/// let game = SharedRevenue::new(LinearDemand::new(1.0)?, 0.6, 0.1, 0.2)?;
/// assert!(matches!(game.outcome(), Outcome::SellerAtOwnPrice { .. }));
/// assert!(game.both_gain());
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedRevenue<D = LinearDemand> {
    pub(super) demand: D,
    pub(super) c_r: f64,
    pub(super) c_s: f64,
    pub(super) alpha: f64,
}

/// The prices that decide the game.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KeyPrices {
    /// $r^\ast$, the retailer's price when alone.
    pub retailer_alone: f64,
    /// $\pi^\ast$, its profit then.
    pub retailer_profit: f64,
    /// $r_0=c_R/(1-\alpha)$, where it does not care who sells.
    pub retailer_indifferent: f64,
    /// $s_0=c_S/(1-\alpha)$, the seller's break-even price.
    pub seller_break_even: f64,
    /// $s^\ast$, the seller's price when alone.
    pub seller_alone: f64,
    /// $b$: the retailer lets the seller sell at $p$ exactly when $p\le b$. $r_0$ when $r_0\le r^\ast$, else $\bar p$, the highest price at which the fee
    /// is worth $\pi^\ast$.
    pub undercut_bound: f64,
}

impl<D: Demand> SharedRevenue<D> {
    /// A game with the retailer's cost, the seller's cost and the fee.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`]: costs must be non-negative, the retailer's below the choke price, the fee in $[0,1)$.
    pub fn new(
        demand: D,
        retailer_cost: f64,
        seller_cost: f64,
        fee: f64,
    ) -> Result<Self, GamesError> {
        if non_negative(Argument::RetailerCost, retailer_cost)? >= demand.choke_price() {
            return Err(GamesError::OutOfRange {
                argument: Argument::RetailerCost,
                interval: "[0, choke price)",
                value: retailer_cost,
            });
        }
        Ok(Self {
            demand,
            c_r: retailer_cost,
            c_s: non_negative(Argument::SellerCost, seller_cost)?,
            alpha: share(Argument::Fee, fee)?,
        })
    }

    /// The same game with another fee.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a fee outside $[0,1)$.
    pub fn with_fee(&self, fee: f64) -> Result<Self, GamesError>
    where
        D: Clone,
    {
        Ok(Self {
            demand: self.demand.clone(),
            c_r: self.c_r,
            c_s: self.c_s,
            alpha: share(Argument::Fee, fee)?,
        })
    }

    /// The fee.
    #[must_use]
    pub fn fee(&self) -> f64 {
        self.alpha
    }

    /// The prices that decide the game.
    #[must_use]
    pub fn key_prices(&self) -> KeyPrices {
        let keep = 1.0 - self.alpha;
        let r = self.demand.monopoly_price(self.c_r);
        let profit = (r - self.c_r) * self.demand.quantity(r);
        let (r0, s0) = (self.c_r / keep, self.c_s / keep);
        let bound = if r0 <= r {
            r0
        } else {
            self.demand
                .highest_price_with_revenue(profit / self.alpha, r)
        };
        KeyPrices {
            retailer_alone: r,
            retailer_profit: profit,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: self.demand.monopoly_price(s0),
            undercut_bound: bound,
        }
    }

    /// Payoffs and surplus when a firm sells to everyone at a price.
    #[must_use]
    pub fn sale(&self, firm: Firm, price: f64) -> Sale {
        let quantity = self.demand.quantity(price);
        let (retailer, seller) = match firm {
            Firm::Retailer => ((price - self.c_r) * quantity, 0.0),
            Firm::Seller => (
                self.alpha * price * quantity,
                ((1.0 - self.alpha) * price - self.c_s) * quantity,
            ),
        };
        let consumers = self.demand.surplus(price);
        Sale {
            firm,
            price,
            retailer,
            seller,
            consumers,
            welfare: consumers + retailer + seller,
        }
    }

    /// The sale that follows from two posted prices, straight from the rules.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative price.
    pub fn posted(
        &self,
        tie: TieRule,
        retailer_price: f64,
        seller_price: f64,
    ) -> Result<Sale, GamesError> {
        non_negative(Argument::RetailerPrice, retailer_price)?;
        non_negative(Argument::SellerPrice, seller_price)?;
        let seller_first = match tie {
            TieRule::ToSeller => seller_price <= retailer_price,
            TieRule::ToRetailer => seller_price < retailer_price,
        };
        Ok(if seller_first {
            self.sale(Firm::Seller, seller_price)
        } else {
            self.sale(Firm::Retailer, retailer_price)
        })
    }

    /// The retailer without a seller: price $r^\ast$, payoff $\pi^\ast$.
    #[must_use]
    pub fn retailer_alone(&self) -> Sale {
        self.sale(Firm::Retailer, self.demand.monopoly_price(self.c_r))
    }
}
