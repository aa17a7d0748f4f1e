//! `hindsight games marketplace`.

use games::marketplace::{MarketEquilibrium, MarketParameters, Marketplace, Posting, Rationing};
use report::{Svg, Table};
use serde_json::{Value, json};

use super::case::Answer;
use super::fields::{named, need};
use super::market_words;
use super::problem::Problem;
use crate::inputs::Inputs;

/// A market; with a price and a stock of the operator also the seller's reply to them.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Choke price of linear demand.
    #[arg(long, value_name = "PRICE")]
    choke_price: Option<f64>,
    /// The operator's unit cost.
    #[arg(long, value_name = "COST", allow_negative_numbers = true)]
    operator_cost: Option<f64>,
    /// The independent seller's unit cost.
    #[arg(long, value_name = "COST", allow_negative_numbers = true)]
    seller_cost: Option<f64>,
    /// Share of the seller's revenue that it pays, in [0, 1).
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    fee: Option<f64>,
    /// Value to the operator of each unit sold by either (default 0).
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    experience: Option<f64>,
    /// intensity (default) or proportional.
    #[arg(long, value_name = "RULE")]
    rationing: Option<String>,
    /// The operator's price, for the seller's reply.
    #[arg(long, requires = "stock", allow_negative_numbers = true)]
    price: Option<f64>,
    /// The operator's stock, for the seller's reply.
    #[arg(long, requires = "price", allow_negative_numbers = true)]
    stock: Option<f64>,
    /// How much demand a unit of the operator's stock takes from the seller, in (0, 1] (default 1), for the reply.
    #[arg(
        long,
        value_name = "SHARE",
        requires = "price",
        allow_negative_numbers = true
    )]
    substitutability: Option<f64>,
}

impl Answer for Case {
    const NAME: &'static str = "games marketplace";
    const TITLE: &'static str = "A marketplace operator as leader";

    fn answer(&self, _inputs: &Inputs) -> Result<Value, Problem> {
        let market = Marketplace::new(MarketParameters {
            choke_price: self.choke_price.unwrap_or(1.0),
            operator_cost: need("operator_cost", self.operator_cost)?,
            seller_cost: need("seller_cost", self.seller_cost)?,
            fee: need("fee", self.fee)?,
            experience: self.experience.unwrap_or(0.0),
        })?;
        let rationing: Rationing = named(
            "rationing",
            self.rationing.as_deref(),
            &["intensity", "proportional"],
        )?;
        let spne = market.equilibrium(rationing);
        let mut answer = json!({
            "parameters": market.parameters(),
            "rationing": rationing,
            "break_even_price": market.break_even_price(),
            "sole_seller_price": market.sole_seller_price(),
            "equilibrium": spne,
            "welfare": market.welfare(&spne),
            "seller_alone": market.benchmark(),
            "sensitivities": market.sensitivities(rationing),
        });
        match (self.price, self.stock) {
            (Some(price), Some(stock)) => {
                let operator = Posting { price, stock };
                let reply = match self.substitutability {
                    Some(gamma) if rationing == Rationing::Intensity => {
                        market.best_reply_imperfect(gamma, operator)?
                    }
                    Some(_) => {
                        return Err(Problem::field(
                            "substitutability",
                            "is defined for intensity rationing only",
                        ));
                    }
                    None => market.best_reply(rationing, operator)?,
                };
                answer["threshold"] = json!(
                    market.threshold(rationing, price) / self.substitutability.unwrap_or(1.0)
                );
                answer["posted"] = json!(operator);
                answer["reply"] = json!(reply);
            }
            (None, None) if self.substitutability.is_none() => {}
            (None, _) => return Err(Problem::missing("price")),
            (_, None) => return Err(Problem::missing("stock")),
        }
        answer["sentence"] = json!(market_words::marketplace(&answer));
        Ok(answer)
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        market_words::marketplace_tables(answer)
    }

    fn figures(&self, answer: &Value) -> Vec<(Svg, String)> {
        let rationing = serde_json::from_value(answer["rationing"].clone());
        let parameters = serde_json::from_value(answer["parameters"].clone());
        let (Ok(rationing), Ok(parameters)) = (rationing, parameters) else {
            return Vec::new();
        };
        let fee = answer["parameters"]["fee"].as_f64().unwrap_or_default();
        let lines = over_fees(parameters, rationing);
        let svg = market_words::over_fees("Payoffs over the fee", fee, lines);
        let caption = "What each side gets in equilibrium, over the fee; all else is as given.";
        vec![(svg, caption.to_owned())]
    }
}

/// Payoffs over the fee, all else as it is.
fn over_fees(
    parameters: MarketParameters,
    rationing: Rationing,
) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let all = Marketplace::over_fees(parameters, rationing, market_words::FEES).unwrap_or_default();
    let line = |value: fn(&MarketEquilibrium) -> f64| {
        let points = all.iter();
        points
            .map(|(market, spne)| (market.parameters().fee, value(spne)))
            .collect()
    };
    vec![
        ("operator", line(|spne| spne.trade.operator_payoff)),
        ("seller", line(|spne| spne.trade.seller_payoff)),
        ("consumers", line(|spne| spne.consumer_surplus)),
    ]
}
