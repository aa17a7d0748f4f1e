//! Maps of the market as data: the seller's reply over the operator's postings, the equilibrium over both costs.

use super::leader::MarketEquilibrium;
use super::model::{MarketParameters, Marketplace, Posting, Rationing};
use super::reply::Regime;
use crate::error::{Argument, GamesError, real};

/// The reply at one posting of the operator.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReplyCell {
    /// The operator's posting (cell centre).
    pub operator: Posting,
    /// The seller's reply; `None` where imperfect substitutes leave the model.
    pub regime: Option<Regime>,
}

/// The seller's reply over prices (fast axis) and stocks in $\[0,\theta\]$, with the threshold curve.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReplyMap {
    /// Cells along each axis.
    pub cells: usize,
    /// `cells * cells` replies, price fastest.
    pub replies: Vec<ReplyCell>,
    /// Price and threshold stock along the curve.
    pub threshold: Vec<(f64, f64)>,
}

/// The equilibrium at one pair of costs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PhaseCell {
    /// The seller's cost (cell centre).
    pub seller_cost: f64,
    /// The operator's cost (cell centre).
    pub operator_cost: f64,
    /// The regime.
    pub regime: Regime,
    /// Whether the operator's payoff is attained.
    pub attained: bool,
    /// The operator's price.
    pub price: f64,
    /// The operator's stock.
    pub stock: f64,
    /// The operator's payoff.
    pub operator_payoff: f64,
    /// The seller's payoff.
    pub seller_payoff: f64,
    /// Consumer surplus minus that of the seller's monopoly: never negative.
    pub surplus_gain: f64,
    /// Welfare minus that of the seller's monopoly: negative in part of the wait region.
    pub welfare_gain: f64,
}

/// The equilibrium over the plane of both costs in $\[0,\theta\]$.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PhaseDiagram {
    /// Cells along each axis.
    pub cells: usize,
    /// `cells * cells` equilibria, seller's cost fastest.
    pub equilibria: Vec<PhaseCell>,
}

/// What the operator's entry changes for others, over the plane of both costs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Gains {
    /// The gain in every cell, in the order of the diagram; NaN where the seller alone could not trade: there is nothing to compare with.
    pub cells: Vec<f64>,
    /// Share of the compared cells in which it is a loss of more than $10^{-9}$.
    pub share_lost: f64,
    /// The least gain; infinite where nothing can be compared.
    pub least: f64,
}

impl PhaseDiagram {
    /// A gain against the seller's monopoly, such as [`PhaseCell::welfare_gain`], in all cells.
    #[must_use]
    pub fn gains(&self, gain: impl Fn(&PhaseCell) -> f64) -> Gains {
        let viable = |c: &PhaseCell| !matches!(c.regime, Regime::OperatorAlone | Regime::NoTrade);
        let compared: Vec<f64> = self
            .equilibria
            .iter()
            .filter(|c| viable(c))
            .map(&gain)
            .collect();
        let lost = compared.iter().filter(|v| **v < -1e-9).count();
        let cell = |c: &PhaseCell| if viable(c) { gain(c) } else { f64::NAN };
        Gains {
            cells: self.equilibria.iter().map(cell).collect(),
            share_lost: real(lost) / real(compared.len().max(1)),
            least: compared.into_iter().fold(f64::INFINITY, f64::min),
        }
    }

    /// Share of a regime among the cells in which the seller can trade at a profit.
    #[must_use]
    pub fn share(&self, regime: Regime) -> f64 {
        let viable = |c: &&PhaseCell| !matches!(c.regime, Regime::OperatorAlone | Regime::NoTrade);
        let all = self.equilibria.iter().filter(viable).count();
        real(
            self.equilibria
                .iter()
                .filter(viable)
                .filter(|c| c.regime == regime)
                .count(),
        ) / real(all.max(1))
    }
}

/// Payoffs against the fee: pairs of fee and payoff.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FeeCurve {
    /// The best of the fees for the operator, and what it then earns.
    pub best_fee: (f64, f64),
    /// The operator's payoff as leader.
    pub operator: Vec<(f64, f64)>,
    /// The operator's payoff where the seller is alone.
    pub operator_when_seller_alone: Vec<(f64, f64)>,
    /// The seller's payoff.
    pub seller: Vec<(f64, f64)>,
}

impl Marketplace {
    /// The market and its equilibrium at the middles of `cells` equal parts of the fees from 0 to 1, other parameters as in `base`.
    ///
    /// # Errors
    /// As [`Marketplace::new`]; [`GamesError::Empty`] for no cells.
    pub fn over_fees(
        base: MarketParameters,
        rationing: Rationing,
        cells: usize,
    ) -> Result<Vec<(Marketplace, MarketEquilibrium)>, GamesError> {
        if cells == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Cells,
            });
        }
        let fees = (0..cells).map(|i| (real(i) + 0.5) / real(cells));
        let markets = fees.map(|fee| Marketplace::new(MarketParameters { fee, ..base }));
        markets
            .map(|market| market.map(|market| (market, market.equilibrium(rationing))))
            .collect()
    }

    /// Payoffs [over fees](Marketplace::over_fees).
    ///
    /// # Errors
    /// As [`Marketplace::over_fees`].
    pub fn fee_curve(
        base: MarketParameters,
        rationing: Rationing,
        cells: usize,
    ) -> Result<FeeCurve, GamesError> {
        let mut curve = FeeCurve {
            best_fee: (0.0, f64::NEG_INFINITY),
            operator: Vec::with_capacity(cells),
            operator_when_seller_alone: Vec::with_capacity(cells),
            seller: Vec::with_capacity(cells),
        };
        for (market, MarketEquilibrium { trade, .. }) in
            Marketplace::over_fees(base, rationing, cells)?
        {
            let fee = market.parameters().fee;
            if trade.operator_payoff > curve.best_fee.1 {
                curve.best_fee = (fee, trade.operator_payoff);
            }
            let alone = market.benchmark().operator;
            curve.operator.push((fee, trade.operator_payoff));
            curve.operator_when_seller_alone.push((fee, alone));
            curve.seller.push((fee, trade.seller_payoff));
        }
        Ok(curve)
    }

    /// The seller's reply over the operator's prices and stocks. `gamma` below 1 gives imperfect substitutes (intensity rationing), with no reply
    /// where the threshold exceeds demand.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for no cells, [`GamesError::OutOfRange`] for `gamma`.
    pub fn reply_map(
        &self,
        rationing: Rationing,
        gamma: f64,
        cells: usize,
    ) -> Result<ReplyMap, GamesError> {
        if cells == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Cells,
            });
        }
        let centre = |i: usize| self.theta * (real(i) + 0.5) / real(cells);
        let mut replies = Vec::with_capacity(cells * cells);
        for j in 0..cells {
            for i in 0..cells {
                let operator = Posting {
                    price: centre(i),
                    stock: centre(j),
                };
                let reply = if gamma < 1.0 {
                    self.best_reply_imperfect(gamma, operator)
                } else {
                    self.best_reply(rationing, operator)
                };
                let regime = match reply {
                    Ok(reply) => Some(reply.regime),
                    Err(GamesError::ThresholdAboveDemand { .. }) => None,
                    Err(other) => return Err(other),
                };
                replies.push(ReplyCell { operator, regime });
            }
        }
        let threshold = (0..=2 * cells)
            .map(|i| {
                let price = self.theta * real(i) / real(2 * cells);
                (price, self.threshold(rationing, price) / gamma.min(1.0))
            })
            .collect();
        Ok(ReplyMap {
            cells,
            replies,
            threshold,
        })
    }

    /// The equilibrium over the plane of both costs, other parameters as in `base` (its own costs are not used).
    ///
    /// # Errors
    /// As [`Marketplace::new`]; [`GamesError::Empty`] for no cells.
    pub fn phase_diagram(
        base: MarketParameters,
        rationing: Rationing,
        cells: usize,
    ) -> Result<PhaseDiagram, GamesError> {
        if cells == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Cells,
            });
        }
        let centre = |i: usize| base.choke_price * (real(i) + 0.5) / real(cells);
        let mut equilibria = Vec::with_capacity(cells * cells);
        for j in 0..cells {
            for i in 0..cells {
                let market = Marketplace::new(MarketParameters {
                    seller_cost: centre(i),
                    operator_cost: centre(j),
                    ..base
                })?;
                let spne = market.equilibrium(rationing);
                let (now, before) = (market.welfare(&spne), market.benchmark());
                equilibria.push(PhaseCell {
                    seller_cost: centre(i),
                    operator_cost: centre(j),
                    regime: spne.regime,
                    attained: spne.attained,
                    price: spne.operator.price,
                    stock: spne.operator.stock,
                    operator_payoff: spne.trade.operator_payoff,
                    seller_payoff: spne.trade.seller_payoff,
                    surplus_gain: now.consumers - before.consumers,
                    welfare_gain: now.total - before.total,
                });
            }
        }
        Ok(PhaseDiagram { cells, equilibria })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regime_shares_equal_those_found_by_brute_force() {
        for (fee, experience, compete, wait, abstain) in [
            (0.1, 0.1, 0.39, 0.12, 0.49),
            (0.3, 0.3, 0.50, 0.0, 0.50),
            (0.05, 0.0, 0.30, 0.25, 0.45),
        ] {
            let base = MarketParameters {
                choke_price: 1.0,
                operator_cost: 0.0,
                seller_cost: 0.0,
                fee,
                experience,
            };
            let map = Marketplace::phase_diagram(base, Rationing::Intensity, 100).unwrap();
            let found = [
                map.share(Regime::Compete),
                map.share(Regime::Wait),
                map.share(Regime::Abstain),
            ];
            for (f, e) in found.iter().zip([compete, wait, abstain]) {
                assert!((f - e).abs() < 0.015, "fee {fee} k {experience}: {found:?}");
            }
        }
    }

    #[test]
    fn reply_maps_hold_the_threshold_and_refuse_points_outside_the_model() {
        let market = Marketplace::new(MarketParameters {
            choke_price: 1.0,
            operator_cost: 0.1,
            seller_cost: 0.2,
            fee: 0.2,
            experience: 0.0,
        })
        .unwrap();
        let map = market.reply_map(Rationing::Intensity, 1.0, 40).unwrap();
        assert!(map.replies.iter().all(|c| c.regime.is_some()));
        for cell in &map.replies {
            let above =
                cell.operator.stock >= market.threshold(Rationing::Intensity, cell.operator.price);
            assert_eq!(above, cell.regime != Some(Regime::Wait));
        }
        let holes = market.reply_map(Rationing::Intensity, 0.5, 40).unwrap();
        assert!(
            holes.replies.iter().any(|c| c.regime.is_none())
                && holes
                    .replies
                    .iter()
                    .any(|c| c.regime == Some(Regime::Compete))
        );
        assert!(market.reply_map(Rationing::Intensity, 0.0, 4).is_err());
    }

    #[test]
    fn gains_and_fees_are_those_of_the_cells() {
        let base = MarketParameters {
            choke_price: 1.0,
            operator_cost: 0.3,
            seller_cost: 0.2,
            fee: 0.05,
            experience: 0.0,
        };
        let rule = Rationing::Intensity;
        let map = Marketplace::phase_diagram(base, rule, 30).unwrap();
        // Consumers never lose by the operator's entry; welfare falls in part of the wait region.
        let surplus = map.gains(|cell| cell.surplus_gain);
        assert!(surplus.share_lost == 0.0 && surplus.least > -1e-9);
        let welfare = map.gains(|cell| cell.welfare_gain);
        assert!(welfare.share_lost > 0.0 && welfare.least < -1e-9);
        for (cell, gain) in map.equilibria.iter().zip(&welfare.cells) {
            let alone = matches!(cell.regime, Regime::OperatorAlone | Regime::NoTrade);
            assert_eq!(gain.is_nan(), alone);
            assert!(alone || gain.total_cmp(&cell.welfare_gain).is_eq());
        }
        let curve = Marketplace::fee_curve(base, rule, 20).unwrap();
        let (fee, best) = curve.best_fee;
        assert!(curve.operator.iter().all(|&(_, payoff)| payoff <= best));
        let market = Marketplace::new(MarketParameters { fee, ..base }).unwrap();
        assert_eq!(market.equilibrium(rule).trade.operator_payoff, best);
        assert!(Marketplace::fee_curve(base, rule, 0).is_err());
    }
}
