//! All pure equilibria, and both refinements.

use super::demand::Demand;
use super::model::{Firm, KeyPrices, Sale, SharedRevenue, TieRule};

/// A closed interval of prices.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    fn new(low: f64, high: f64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    fn meet(self, low: f64, high: f64) -> Option<Self> {
        Self::new(self.low.max(low), self.high.min(high))
    }

    /// Whether a price lies in the interval, within a tolerance.
    #[must_use]
    pub fn contains(&self, price: f64, tolerance: f64) -> bool {
        (self.low - tolerance..=self.high + tolerance).contains(&price)
    }
}

/// What the firm that does not sell posts.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum RivalPrice {
    /// The same price, or just above it where the tie rule would give it the sale.
    Same,
    /// Anything at least this high.
    AtLeast(f64),
}

/// A family of pure equilibria: one for each selling price in the interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EquilibriumSet {
    /// Who sells.
    pub firm: Firm,
    /// At which prices.
    pub prices: Interval,
    /// What the other posts.
    pub rival: RivalPrice,
    /// Whether these are equilibria exactly under the tie rule, or only the limit of equilibria on ever finer price grids (a firm would like to undercut by
    /// an infinitesimal).
    pub attained: bool,
}

/// The refined outcome: one of the four kinds the paper heads, or the limit price that appears when the seller's cost is the higher one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "outcome", rename_all = "snake_case")
)]
pub enum Outcome {
    /// The retailer sells at its single-agent price $r^\ast$.
    RetailerAtOwnPrice {
        /// $r^\ast$.
        price: f64,
    },
    /// The retailer sells at the seller's break-even price $s_0$: a limit price, not among the paper's four headings, reported separately.
    RetailerAtLimitPrice {
        /// $s_0$.
        price: f64,
    },
    /// The seller sells at the retailer's indifference price $r_0$.
    SellerAtIndifferencePrice {
        /// $r_0$.
        price: f64,
    },
    /// The seller sells at its single-agent price $s^\ast$.
    SellerAtOwnPrice {
        /// $s^\ast$.
        price: f64,
    },
    /// The seller sells at some price of an interval above the retailer's single-agent price; none of them Pareto-dominates another, so no single one is
    /// "the" equilibrium.
    SellerInInterval {
        /// The prices.
        prices: Interval,
    },
}

impl Outcome {
    /// Who sells.
    #[must_use]
    pub fn firm(&self) -> Firm {
        match self {
            Self::RetailerAtOwnPrice { .. } | Self::RetailerAtLimitPrice { .. } => Firm::Retailer,
            _ => Firm::Seller,
        }
    }

    /// The prices, an interval of length 0 where the outcome is one price.
    #[must_use]
    pub fn prices(&self) -> Interval {
        match *self {
            Self::RetailerAtOwnPrice { price }
            | Self::RetailerAtLimitPrice { price }
            | Self::SellerAtIndifferencePrice { price }
            | Self::SellerAtOwnPrice { price } => Interval {
                low: price,
                high: price,
            },
            Self::SellerInInterval { prices } => prices,
        }
    }
}

impl<D: Demand> SharedRevenue<D> {
    /// All pure equilibria by selling firm and price.
    ///
    /// The seller sells at $p\in[s_0,\min(s^\ast,b)]$ with the retailer at the same price, and at $s^\ast\le b$ with the retailer anywhere above; the retailer sells at
    /// $p\in[r_0,\min(s_0,r^\ast)]$ with the seller just above, and at $r^\ast$ when $s_0\ge r^\ast$ with the seller at least there (at least
    /// $\bar p$ when $r_0>r^\ast$, since otherwise the retailer would rather let it sell). Splitting ties evenly is a different game and not offered.
    #[must_use]
    pub fn equilibria(&self, tie: TieRule) -> Vec<EquilibriumSet> {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        let mut sets = Vec::new();
        let to_seller = tie == TieRule::ToSeller;
        // A seller whose break-even price is above the choke price sells nothing.
        if s0 < self.demand.choke_price() {
            if let Some(prices) = Interval::new(s0, s.min(b)) {
                sets.push(EquilibriumSet {
                    firm: Firm::Seller,
                    prices,
                    rival: RivalPrice::Same,
                    attained: to_seller,
                });
            }
            if s <= b {
                sets.push(EquilibriumSet {
                    firm: Firm::Seller,
                    prices: Interval { low: s, high: s },
                    rival: RivalPrice::AtLeast(s),
                    attained: true,
                });
            }
        }
        if let Some(prices) = Interval::new(r0, s0.min(r)) {
            sets.push(EquilibriumSet {
                firm: Firm::Retailer,
                prices,
                rival: RivalPrice::Same,
                attained: !to_seller,
            });
        }
        if s0 >= r {
            let floor = if r0 > r { b } else { r };
            sets.push(EquilibriumSet {
                firm: Firm::Retailer,
                prices: Interval { low: r, high: r },
                rival: RivalPrice::AtLeast(floor),
                attained: true,
            });
        }
        sets
    }

    /// The equilibria that survive the first refinement: no firm plays a weakly dominated price. Undominated are prices between $r_0$ and $r^\ast$ for the
    /// retailer and in $(s_0,s^\ast]$ for the seller (its closure is used where the seller posts just above $s_0$).
    #[must_use]
    pub fn admissible(&self, tie: TieRule) -> Vec<EquilibriumSet> {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        let (low, high) = (r0.min(r), r0.max(r));
        self.equilibria(tie)
            .into_iter()
            .filter_map(|set| {
                let prices = match (set.firm, set.rival) {
                    (Firm::Seller, RivalPrice::Same) => {
                        set.prices.meet(low.max(s0), high.min(s))?
                    }
                    // The retailer must have an undominated price at or above s*.
                    (Firm::Seller, RivalPrice::AtLeast(_)) => {
                        if s <= high {
                            set.prices
                        } else {
                            return None;
                        }
                    }
                    (Firm::Retailer, RivalPrice::Same) => {
                        set.prices.meet(low.max(s0), high.min(s))?
                    }
                    // The seller must have an undominated price high enough.
                    (Firm::Retailer, RivalPrice::AtLeast(_)) => {
                        let floor = if r0 > r { b } else { r };
                        if s >= floor || s0 >= self.demand.choke_price() {
                            set.prices
                        } else {
                            return None;
                        }
                    }
                };
                Some(EquilibriumSet { prices, ..set })
            })
            .collect()
    }

    /// The outcome after both refinements: admissibility, then removal of equilibria that another Pareto-dominates.
    ///
    /// | condition | outcome | price |
    /// |---|---|---|
    /// | $r_0\le r^\ast$, $s_0\ge r^\ast$ | retailer | $r^\ast$ |
    /// | $r_0\le r^\ast$, $r_0\le s_0<r^\ast$ | retailer | $s_0$ |
    /// | $r_0\le r^\ast$, $s_0<r_0\le s^\ast$ | seller | $r_0$ |
    /// | $r_0\le r^\ast$, $s^\ast<r_0$ | seller | $s^\ast$ |
    /// | $r_0>r^\ast$, $s_0\ge\bar p$ | retailer | $r^\ast$ |
    /// | $r_0>r^\ast$, $s_0<\bar p$, $s^\ast>r^\ast$ | seller | $\[\max(r^\ast,s_0),\min(s^\ast,\bar p)\]$ |
    /// | $r_0>r^\ast$, $s^\ast\le r^\ast$ | seller | $s^\ast$ |
    ///
    /// At $s_0=r_0$ the second and third rows meet at one price and either firm may sell; the second is returned.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        if r0 <= r {
            if s0 >= r {
                Outcome::RetailerAtOwnPrice { price: r }
            } else if s0 >= r0 {
                Outcome::RetailerAtLimitPrice { price: s0 }
            } else if s >= r0 {
                Outcome::SellerAtIndifferencePrice { price: r0 }
            } else {
                Outcome::SellerAtOwnPrice { price: s }
            }
        } else if s <= r {
            Outcome::SellerAtOwnPrice { price: s }
        } else if s0 >= b {
            Outcome::RetailerAtOwnPrice { price: r }
        } else {
            Outcome::SellerInInterval {
                prices: Interval {
                    low: r.max(s0),
                    high: s.min(b),
                },
            }
        }
    }

    /// Payoffs at both ends of the outcome's prices (equal unless it is an interval). Inside an interval the seller's payoff rises with the price and the retailer's falls.
    #[must_use]
    pub fn outcome_sales(&self) -> [Sale; 2] {
        let outcome = self.outcome();
        let prices = outcome.prices();
        [
            self.sale(outcome.firm(), prices.low),
            self.sale(outcome.firm(), prices.high),
        ]
    }

    /// Whether the retailer and the consumers both gain strictly against the retailer alone, at every price of the outcome.
    ///
    /// With linear demand: exactly when $c_S<(1-\alpha)c_R$ and $\alpha(\theta^2-s_0^2)>(\theta-c_R)^2$.
    #[must_use]
    pub fn both_gain(&self) -> bool {
        let alone = self.retailer_alone();
        self.outcome_sales().iter().all(|sale| {
            let edge = 1e-12 * (alone.retailer.abs() + alone.consumers.abs());
            sale.retailer > alone.retailer + edge && sale.consumers > alone.consumers + edge
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
