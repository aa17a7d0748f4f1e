//! `hindsight games bertrand`.

use games::bertrand::{
    Demand, LinearDemand, LumpSum, PowerDemand, Sale, Selection, SharedRevenue, TieRule,
};
use report::{Svg, Table};
use serde_json::{Value, json};

use super::case::Answer;
use super::fields::{named, need};
use super::market_words;
use super::problem::Problem;
use crate::inputs::Inputs;

/// A retailer and a seller that pays it a share of its revenue.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Choke price of demand (default 1).
    #[arg(long, value_name = "PRICE")]
    choke_price: Option<f64>,
    /// Demand (1 - p/choke price)^EXPONENT instead of linear demand.
    #[arg(long)]
    exponent: Option<f64>,
    /// The retailer's unit cost.
    #[arg(long, value_name = "COST", allow_negative_numbers = true)]
    retailer_cost: Option<f64>,
    /// The seller's unit cost.
    #[arg(long, value_name = "COST", allow_negative_numbers = true)]
    seller_cost: Option<f64>,
    /// Share of the seller's revenue that it pays, in [0, 1).
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    fee: Option<f64>,
    /// Who serves at equal prices: to_seller (default) or to_retailer.
    #[arg(long, value_name = "RULE")]
    tie: Option<String>,
    /// What the seller gets if it stays out (default 0), for the best fee.
    #[arg(long, value_name = "PAYOFF", allow_negative_numbers = true)]
    outside_option: Option<f64>,
    /// Which price of an interval is played when the fee is chosen: highest_price (default) or lowest_price.
    #[arg(long, value_name = "RULE")]
    selection: Option<String>,
}

impl Answer for Case {
    const NAME: &'static str = "games bertrand";
    const TITLE: &'static str = "Shared-revenue Bertrand";

    fn answer(&self, _inputs: &Inputs) -> Result<Value, Problem> {
        let choke = self.choke_price.unwrap_or(1.0);
        let omega = self.outside_option.unwrap_or(0.0);
        let selection: Selection = named(
            "selection",
            self.selection.as_deref(),
            &["highest_price", "lowest_price"],
        )?;
        match self.exponent {
            Some(exponent) => self.solve(PowerDemand::new(choke, exponent)?, |game| {
                Ok(json!(game.search_fee(
                    selection,
                    &LumpSum::new(omega)?,
                    1000
                )?))
            }),
            None => self.solve(LinearDemand::new(choke)?, |game| {
                Ok(match selection {
                    Selection::HighestPrice => json!(game.best_fee(omega)?),
                    Selection::LowestPrice => {
                        json!(game.search_fee(selection, &LumpSum::new(omega)?, 2000)?)
                    }
                })
            }),
        }
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        market_words::bertrand_tables(answer)
    }

    fn figures(&self, _answer: &Value) -> Vec<(Svg, String)> {
        let choke = self.choke_price.unwrap_or(1.0);
        let chart = match self.exponent {
            Some(exponent) => self.over_fees(PowerDemand::new(choke, exponent).ok()),
            None => self.over_fees(LinearDemand::new(choke).ok()),
        };
        let caption = "What each side gets, over the fee, at the highest price where an interval of prices is possible; the costs are those given.";
        chart
            .map(|svg| (svg, caption.to_owned()))
            .into_iter()
            .collect()
    }
}

impl Case {
    /// Payoffs over the fee, all else as it is.
    fn over_fees<D: Demand + Clone>(&self, demand: Option<D>) -> Option<Svg> {
        let (retailer, seller, fee) = (self.retailer_cost?, self.seller_cost?, self.fee?);
        let game = SharedRevenue::new(demand?, retailer, seller, 0.0).ok()?;
        let sales = game.sales_over_fees(market_words::FEES).ok()?;
        let line = |value: fn(&Sale) -> f64| {
            let points = sales.iter();
            points.map(|(at, [_, high])| (*at, value(high))).collect()
        };
        let lines = vec![
            ("retailer", line(|sale| sale.retailer)),
            ("seller", line(|sale| sale.seller)),
            ("consumers", line(|sale| sale.consumers)),
        ];
        Some(market_words::over_fees("Payoffs over the fee", fee, lines))
    }

    fn solve<D: Demand + Clone>(
        &self,
        demand: D,
        best_fee: impl Fn(&SharedRevenue<D>) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        let tie: TieRule = named("tie", self.tie.as_deref(), &["to_seller", "to_retailer"])?;
        let game = SharedRevenue::new(
            demand,
            need("retailer_cost", self.retailer_cost)?,
            need("seller_cost", self.seller_cost)?,
            need("fee", self.fee)?,
        )?;
        let [low, high] = game.outcome_sales();
        let mut answer = json!({
            "key_prices": game.key_prices(),
            "outcome": game.outcome(),
            "at_lowest_price": low,
            "at_highest_price": high,
            "retailer_alone": game.retailer_alone(),
            "both_gain": game.both_gain(),
            "best_fee": best_fee(&game)?,
            "equilibria": game.equilibria(tie),
            "admissible": game.admissible(tie),
        });
        answer["sentence"] = json!(market_words::bertrand(&answer));
        Ok(answer)
    }
}
