//! The market: parameters, rationing, and the payoffs of any pair of postings.

use crate::error::{Argument, GamesError, non_negative, positive, share};

/// Parameters of the market; see [`Marketplace::new`] for the limits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketParameters {
    /// Choke price $\theta>0$: demand is $Q(p)=\max(\theta-p,0)$, so units of quantity are units of price.
    pub choke_price: f64,
    /// The operator's unit cost of stock $c_M\ge0$.
    pub operator_cost: f64,
    /// The independent seller's unit cost of stock $c_I\ge0$.
    pub seller_cost: f64,
    /// Share $\alpha\in[0,1)$ of the seller's revenue paid to the operator.
    pub fee: f64,
    /// Customer-experience value $k\ge0$ to the operator of each unit sold by either player.
    pub experience: f64,
}

/// Who is served at the lower price when its stock runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Rationing {
    /// Efficient: the highest values first; the dearer player faces $\max(Q(p)-q,0)$.
    Intensity,
    /// Proportional: a random share; the dearer player faces $Q(p)\max(1-q/Q(p'),0)$.
    Proportional,
}

/// A price and a stock.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Posting {
    /// Posted price.
    pub price: f64,
    /// Units bought; unsold units are lost.
    pub stock: f64,
}

/// Units sold and payoffs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trade {
    /// Units the operator sells.
    pub operator_sales: f64,
    /// Units the seller sells.
    pub seller_sales: f64,
    /// $u_M=p_Ms_M-c_Mq_M+\alpha p_Is_I+k(s_M+s_I)$.
    pub operator_payoff: f64,
    /// $u_I=(1-\alpha)p_Is_I-c_Iq_I$.
    pub seller_payoff: f64,
}

/// A marketplace operator that sells on its own platform against an independent seller (arXiv 2503.06582).
///
/// The operator $M$ commits to a price and a stock, the seller $I$ sees them and answers, then consumers buy. The lower price is served first,
/// at equal prices the seller; unsold stock is worth nothing. Simultaneous moves, salvage, and a tie in the operator's favour are different games and not
/// offered.
///
/// ```
/// use hindsight_games::marketplace::{MarketParameters, Marketplace, Rationing, Regime};
/// let market = Marketplace::new(MarketParameters {
///     choke_price: 1.0, operator_cost: 0.6, seller_cost: 0.2, fee: 0.1, experience: 0.1,
/// })?;
/// let spne = market.equilibrium(Rationing::Intensity);
/// assert_eq!(spne.regime, Regime::Compete);
/// assert!(spne.seller.price < market.sole_seller_price()); // competition without selling a unit
/// assert_eq!(spne.trade.operator_sales, 0.0);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marketplace {
    pub(super) theta: f64,
    pub(super) c_m: f64,
    pub(super) c_i: f64,
    pub(super) alpha: f64,
    pub(super) k: f64,
}

impl Marketplace {
    /// A market with the given parameters.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] with the name of the parameter: the choke price must be positive, costs and experience value
    /// non-negative, the fee in $[0,1)$.
    pub fn new(parameters: MarketParameters) -> Result<Self, GamesError> {
        Ok(Self {
            theta: positive(Argument::ChokePrice, parameters.choke_price)?,
            c_m: non_negative(Argument::OperatorCost, parameters.operator_cost)?,
            c_i: non_negative(Argument::SellerCost, parameters.seller_cost)?,
            alpha: share(Argument::Fee, parameters.fee)?,
            k: non_negative(Argument::Experience, parameters.experience)?,
        })
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> MarketParameters {
        MarketParameters {
            choke_price: self.theta,
            operator_cost: self.c_m,
            seller_cost: self.c_i,
            fee: self.alpha,
            experience: self.k,
        }
    }

    /// Demand at a price, $\max(\theta-p,0)$.
    #[must_use]
    pub fn demand(&self, price: f64) -> f64 {
        (self.theta - price).max(0.0)
    }

    /// The seller's break-even price $p_0=c_I/(1-\alpha)$.
    #[must_use]
    pub fn break_even_price(&self) -> f64 {
        self.c_i / (1.0 - self.alpha)
    }

    /// The price $p^\ast=(\theta+p_0)/2$ of a seller who is alone; the choke price when it would not trade.
    #[must_use]
    pub fn sole_seller_price(&self) -> f64 {
        (0.5 * (self.theta + self.break_even_price())).min(self.theta)
    }

    /// Half the width of the seller's range, $L=(\theta-p_0)/2$; negative when the seller is never active.
    pub(super) fn half_width(&self) -> f64 {
        0.5 * (self.theta - self.break_even_price())
    }

    /// Whether the seller could ever trade at a profit: $p_0<\theta$.
    #[must_use]
    pub fn seller_is_viable(&self) -> bool {
        self.break_even_price() < self.theta
    }

    /// Sales and payoffs of any two postings, straight from the rules: no assumption that anyone plays well.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative price or stock.
    pub fn payoffs(
        &self,
        rationing: Rationing,
        operator: Posting,
        seller: Posting,
    ) -> Result<Trade, GamesError> {
        check_posting(operator)?;
        check_posting(seller)?;
        Ok(self.trade(rationing, operator, seller))
    }

    pub(super) fn trade(&self, rationing: Rationing, operator: Posting, seller: Posting) -> Trade {
        let residual = |own: Posting, rival: Posting| match rationing {
            Rationing::Intensity => (self.demand(own.price) - rival.stock).max(0.0),
            Rationing::Proportional => {
                let served = self.demand(rival.price);
                if served > 0.0 {
                    self.demand(own.price) * (1.0 - rival.stock / served).max(0.0)
                } else {
                    0.0
                }
            }
        };
        let (facing_operator, facing_seller) = if seller.price <= operator.price {
            (residual(operator, seller), self.demand(seller.price))
        } else {
            (self.demand(operator.price), residual(seller, operator))
        };
        self.settle(
            operator,
            seller,
            operator.stock.min(facing_operator),
            seller.stock.min(facing_seller),
        )
    }

    /// Payoffs of given sales.
    pub(super) fn settle(
        &self,
        operator: Posting,
        seller: Posting,
        operator_sales: f64,
        seller_sales: f64,
    ) -> Trade {
        let revenue = seller.price * seller_sales;
        Trade {
            operator_sales,
            seller_sales,
            operator_payoff: operator.price * operator_sales - self.c_m * operator.stock
                + self.alpha * revenue
                + self.k * (operator_sales + seller_sales),
            seller_payoff: (1.0 - self.alpha) * revenue - self.c_i * seller.stock,
        }
    }
}

pub(super) fn check_posting(posting: Posting) -> Result<(), GamesError> {
    non_negative(Argument::Price, posting.price)?;
    non_negative(Argument::Stock, posting.stock)?;
    Ok(())
}
