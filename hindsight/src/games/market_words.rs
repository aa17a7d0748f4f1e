//! The two markets as people read them: who sells at what price, who earns what, and what decides it.

use report::{Axis, Column, Series, Svg, Table, XyChart};
use serde_json::Value;

use super::words::{members, number};
use report::number::{plain, uncapital};

/// Fees at which payoffs are drawn.
pub(super) const FEES: usize = 200;

/// A number of an answer, in a sentence.
fn at(value: &Value) -> String {
    plain(value.as_f64().unwrap_or(f64::NAN), 4)
}

fn yes(value: &Value) -> String {
    if value == true { "yes" } else { "no" }.to_owned()
}

/// Payoffs over the fee, with the fee of the case marked.
pub(super) fn over_fees(title: &str, fee: f64, lines: Vec<(&str, Vec<(f64, f64)>)>) -> Svg {
    let chart = XyChart::new(
        title,
        Axis::linear("Fee").percent().range(0.0, 1.0),
        Axis::linear("Payoff, surplus").with_zero(),
    );
    let lines = lines.into_iter().enumerate();
    let chart = lines.fold(chart, |chart, (at, (name, points))| {
        chart.series(Series::line(name, points).dash(at))
    });
    chart.mark_x(fee, "this fee").svg()
}

/// The outcome under shared revenue, in a sentence or two.
pub(super) fn bertrand(answer: &Value) -> String {
    let (outcome, sale) = (&answer["outcome"], &answer["at_highest_price"]);
    let price = at(&outcome["price"]);
    let who = match outcome["outcome"].as_str().unwrap_or_default() {
        "retailer_at_own_price" => {
            format!("The retailer sells at {price}, its price without a rival")
        }
        "retailer_at_limit_price" => format!(
            "The retailer sells at {price}, the seller's break-even price, and keeps it out"
        ),
        "seller_at_indifference_price" => {
            format!(
                "The seller sells at {price}, above which the retailer would rather undercut than collect the fee"
            )
        }
        "seller_at_own_price" => format!("The seller sells at {price}, its price without a rival"),
        _ => {
            let prices = &outcome["prices"];
            format!(
                "The seller sells at a price from {} to {}, none of which is better for both; at the highest",
                at(&prices["low"]),
                at(&prices["high"])
            )
        }
    };
    let best = &answer["best_fee"];
    let fee = match best["fee"].as_f64() {
        Some(fee) => format!(
            "A fee of {} would earn the retailer most, {}.",
            report::number::percent(fee, 1),
            at(&best["value"])
        ),
        None => format!(
            "No fee earns the retailer more than selling alone, {}.",
            at(&best["alone"])
        ),
    };
    format!(
        "{who}: the retailer earns {}, the seller {}, consumers {}. {fee}",
        at(&sale["retailer"]),
        at(&sale["seller"]),
        at(&sale["consumers"]),
    )
}

pub(super) fn bertrand_tables(answer: &Value) -> Vec<(String, Table)> {
    let mut sales = Table::new(
        [Column::text(""), Column::text("who sells")]
            .into_iter()
            .chain(["price", "retailer", "seller", "consumers", "welfare"].map(Column::number)),
    );
    let (low, high) = (&answer["at_lowest_price"], &answer["at_highest_price"]);
    let rows = [
        ("at the lowest price", low),
        ("at the highest price", high),
        ("the retailer alone", &answer["retailer_alone"]),
    ];
    for (name, sale) in rows.into_iter().skip(usize::from(low == high)) {
        let name = if low == high && sale == high {
            "the outcome"
        } else {
            name
        };
        let own = [
            name.to_owned(),
            sale["firm"].as_str().unwrap_or_default().to_owned(),
        ];
        let values = ["price", "retailer", "seller", "consumers", "welfare"]
            .map(|field| number(&sale[field]));
        sales.row(own.into_iter().chain(values));
    }
    let mut prices = Table::numbers(["price", "value"]);
    for (field, words) in [
        ("retailer_alone", "the retailer's without a rival"),
        (
            "retailer_indifferent",
            "at which the retailer is as well off collecting the fee",
        ),
        ("undercut_bound", "up to which it does not undercut"),
        ("seller_alone", "the seller's without a rival"),
        ("seller_break_even", "at which the seller breaks even"),
    ] {
        prices.row([words.to_owned(), number(&answer["key_prices"][field])]);
    }
    let mut sets = Table::new([
        Column::text("who sells"),
        Column::number("from"),
        Column::number("to"),
        Column::text("the other posts"),
        Column::text("exact"),
    ]);
    for set in members(&answer["equilibria"]) {
        let other = match set["rival"]["at_least"].as_f64() {
            Some(price) => format!("at least {}", plain(price, 6)),
            None => "the same".to_owned(),
        };
        sets.row([
            set["firm"].as_str().unwrap_or_default().to_owned(),
            number(&set["prices"]["low"]),
            number(&set["prices"]["high"]),
            other,
            yes(&set["attained"]),
        ]);
    }
    vec![
        ("Who earns what".to_owned(), sales),
        ("Prices that decide it".to_owned(), prices),
        (
            "All pure equilibria; those that are not exact are limits of ever finer prices"
                .to_owned(),
            sets,
        ),
    ]
}

/// What happens in the marketplace, in a sentence or two.
pub(super) fn marketplace(answer: &Value) -> String {
    let spne = &answer["equilibrium"];
    let (operator, seller, trade) = (&spne["operator"], &spne["seller"], &spne["trade"]);
    let what = regime(
        spne["regime"].as_str().unwrap_or_default(),
        operator,
        seller,
    );
    let limit = match spne["attained"] == false {
        true => " It is a limit: ties have to go the operator's way.",
        false => "",
    };
    let replied = match answer["reply"].is_object() {
        true => format!(" To the posting given: {}.", uncapital(&reply(answer))),
        false => String::new(),
    };
    format!(
        "{what}: the operator earns {}, the seller {}, consumers {}.{limit}{replied}",
        at(&trade["operator_payoff"]),
        at(&trade["seller_payoff"]),
        at(&spne["consumer_surplus"]),
    )
}

/// What happens after the price and the stock given.
fn reply(answer: &Value) -> String {
    let reply = &answer["reply"];
    let name = reply["regime"].as_str().unwrap_or_default();
    regime(name, &answer["posted"], &reply["posting"])
}

fn regime(name: &str, operator: &Value, seller: &Value) -> String {
    let (price, stock, reply) = (
        at(&operator["price"]),
        at(&operator["stock"]),
        at(&seller["price"]),
    );
    match name {
        "compete" => format!(
            "The seller matches the operator's price of {price} and serves everyone; the operator's stock of {stock} is a threat only"
        ),
        "wait" => format!(
            "The operator sells out its stock of {stock} at {price}, then the seller serves what is left at {reply}"
        ),
        "abstain" => format!("The operator sells at {price}, and the seller stays out"),
        "seller_alone" => {
            format!("The seller sells alone at {reply}; the operator's price does not bind")
        }
        "operator_alone" => format!("The operator is alone and sells at {price}"),
        _ => "Nobody can trade at a profit".to_owned(),
    }
}

pub(super) fn marketplace_tables(answer: &Value) -> Vec<(String, Table)> {
    let spne = &answer["equilibrium"];
    let mut postings = Table::numbers(["", "price", "stock", "sells", "earns"]);
    let mut row = |name: &str, posting: &Value, trade: &Value, who: &str| {
        let of = |what: &str| number(&trade[format!("{who}_{what}")]);
        postings.row([
            name.to_owned(),
            number(&posting["price"]),
            number(&posting["stock"]),
            of("sales"),
            of("payoff"),
        ]);
    };
    row("operator", &spne["operator"], &spne["trade"], "operator");
    row("seller", &spne["seller"], &spne["trade"], "seller");
    let mut tables = vec![("Who posts and sells what".to_owned(), postings)];
    if answer["reply"].is_object() {
        let reply = &answer["reply"];
        let mut facts = Table::new([Column::text("quantity"), Column::text("value")]);
        for (name, value) in [
            ("what happens", self::reply(answer)),
            (
                "stock above which the seller competes",
                number(&answer["threshold"]),
            ),
            ("the seller's price", number(&reply["posting"]["price"])),
            ("the seller's stock", number(&reply["posting"]["stock"])),
            (
                "the operator earns",
                number(&reply["trade"]["operator_payoff"]),
            ),
            ("the seller earns", number(&reply["trade"]["seller_payoff"])),
        ] {
            facts.row([name.to_owned(), value]);
        }
        tables.push((
            "The seller's reply to the price and the stock given".to_owned(),
            facts,
        ));
    }
    let mut welfare = Table::numbers(["", "consumers", "operator", "seller", "total"]);
    for (name, field) in [
        ("in equilibrium", "welfare"),
        ("the seller alone", "seller_alone"),
    ] {
        let values =
            ["consumers", "operator", "seller", "total"].map(|part| number(&answer[field][part]));
        welfare.row(std::iter::once(name.to_owned()).chain(values));
    }
    let whats = [
        ("operator_price", "operator's price"),
        ("operator_stock", "its stock"),
        ("operator_payoff", "its payoff"),
        ("seller_price", "seller's price"),
        ("seller_stock", "its stock"),
        ("seller_payoff", "its payoff"),
    ];
    let mut slopes =
        Table::numbers(std::iter::once("a unit more of").chain(whats.map(|(_, words)| words)));
    for (field, words) in [
        ("choke_price", "choke price"),
        ("operator_cost", "operator's cost"),
        ("seller_cost", "seller's cost"),
        ("fee", "fee"),
        ("experience", "experience value"),
    ] {
        let values = whats.map(|(what, _)| number(&answer["sensitivities"][what][field]));
        slopes.row(std::iter::once(words.to_owned()).chain(values));
    }
    tables.push(("Welfare".to_owned(), welfare));
    tables.push(("What small changes do: derivatives".to_owned(), slopes));
    tables
}
