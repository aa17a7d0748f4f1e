//! Programmes, logs and ensembles as JSON lines: one object a line, empty lines skipped, errors with line and field.
//!
//! | what | a line |
//! |---|---|
//! | [`programmes`] | `stock`, `demand`, `cost` (a row a warehouse; `null` bans the arc); optional: `capacity` (rows; `null` is without limit), `lost_penalty` (a number, or one a region; without it all demand must be served) |
//! | [`log`] | first the network: `price` (`[option][warehouse][zone]`, money per unit) and optional `low` and `high` (the range of a warehouse's mean cost; default: its least and largest price); then periods: `stock`, `demand`, `units` and `cost` by warehouse |
//! | [`ensembles`] | `members` (a number each, or a list of components each) and `outcome` (a number, or components) |
//!
//! ```
//! use hindsight_drain::io::programmes;
//! let text = r#"{"stock": [60, 40], "demand": [30, 80], "cost": [[4, 6], [8, null]], "lost_penalty": 20}"#;
//! assert_eq!(programmes(text.as_bytes())?[0].regions(), 2);
//! let wrong = programmes(&br#"{"stock": [60, -4], "demand": [30], "cost": [[4], [8]]}"#[..]).unwrap_err();
//! assert_eq!(wrong.to_string(), "line 1: stock[1] must not be negative, got -4");
//! # Ok::<(), hindsight_drain::io::ReadError>(())
//! ```

mod ensembles;
mod line;
mod totals;

use std::io::BufRead;

pub use ensembles::{Ensembles, ensembles};
pub use line::{Problem, ReadError};
pub use totals::totals;

use crate::fulfilment::Fulfilment;
use crate::model::{Drain, Log, State, UnitCosts};
use line::{Line, lines};

/// Reads fulfilment programmes.
///
/// # Errors
/// What is wrong with them, with the line.
pub fn programmes(reader: impl BufRead) -> Result<Vec<Fulfilment>, ReadError> {
    let mut found = Vec::new();
    for line in lines(reader) {
        let line = line?;
        line.only(&["stock", "demand", "cost", "capacity", "lost_penalty"])?;
        let [stock, demand] = [line.numbers("stock")?, line.numbers("demand")?];
        let regions = demand.len();
        let cost = line.rows("cost", 2, Some(f64::INFINITY))?;
        let problem = Fulfilment::new(stock, demand, cost).map_err(|e| line.value(e))?;
        let problem = match line.has("capacity") {
            true => problem.with_capacity(line.rows("capacity", 2, Some(f64::INFINITY))?),
            false => Ok(problem),
        };
        let problem = problem.map_err(|e| line.value(e))?;
        found.push(match line.has("lost_penalty") {
            true => problem
                .with_lost_penalty(line.number_or_list("lost_penalty", regions)?)
                .map_err(|e| line.value(e))?,
            false => problem,
        });
    }
    match found.is_empty() {
        true => Err(ReadError::empty()),
        false => Ok(found),
    }
}

/// Reads a log: its network, then its periods in order.
///
/// # Errors
/// What is wrong with it, with the line.
pub fn log(reader: impl BufRead) -> Result<Log, ReadError> {
    let mut lines = lines(reader);
    let first = lines.next().unwrap_or_else(|| Err(ReadError::empty()))?;
    let mut log = Log::new(network(&first)?);
    for line in lines {
        let line = line?;
        line.only(&["stock", "demand", "units", "cost"])?;
        let state = State {
            stock: line.numbers("stock")?,
            demand: line.numbers("demand")?,
        };
        let drain = Drain {
            units: line.numbers("units")?,
            cost: line.numbers("cost")?,
        };
        log.push(state, drain).map_err(|e| line.value(e))?;
    }
    match log.states().is_empty() {
        true => Err(ReadError::empty()),
        false => Ok(log),
    }
}

fn network(line: &Line) -> Result<UnitCosts, ReadError> {
    line.only(&["price", "low", "high"])?;
    let price = line.rows("price", 3, None)?;
    let [options, warehouses, zones] = line.shape("price");
    let prices = |w: usize| {
        let options = (0..options).map(move |o| (o * warehouses + w) * zones);
        options.flat_map(|at| price[at..at + zones].iter().copied())
    };
    let range = |field, start: f64, pick: fn(f64, f64) -> f64| match line.has(field) {
        true => line.numbers(field),
        false => Ok((0..warehouses)
            .map(|w| prices(w).fold(start, pick))
            .collect()),
    };
    let low = range("low", f64::INFINITY, f64::min)?;
    let high = range("high", 0.0, f64::max)?;
    UnitCosts::new(warehouses, zones, price, low, high).map_err(|e| line.value(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        programmes(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_of_a_programme_is_told_with_its_place() {
        let good = r#"{"stock": [1, 2], "demand": [3], "cost": [[1], [null]]}"#;
        for (line, words) in [
            (
                r#"{"stock": [1, 2], "demand": [3], "cost": [[1], [NaN]]}"#,
                "line 3, field cost: ",
            ),
            (
                r#"{"stock": [1, 2], "demand": [3], "cost": [[1]]}"#,
                "line 3: cost has length 1, expected 2",
            ),
            (
                r#"{"stock": [1, 2], "demand": [3], "cost": [[1], [1, 2]]}"#,
                "line 3, field cost: part 1 has length 2, expected 1",
            ),
            (
                r#"{"stock": [1, "2"], "demand": [3], "cost": [[1], [2]]}"#,
                "line 3, field stock: entry 1 is not a number",
            ),
            (
                r#"{"stock": [1, 2], "demand": [3]}"#,
                "line 3, field cost: is missing",
            ),
            (
                r#"{"stock": [1, 2], "demand": [3], "cost": [[1], [2]], "capacity": [[1], [-2]]}"#,
                "line 3: capacity[1] must not be negative, got -2",
            ),
            (
                r#"{"stock": [1, 2], "demand": [3], "cost": [[1], [2]], "penalty": 4}"#,
                "line 3, field penalty: is not known; there may be stock, demand, cost, capacity, lost_penalty",
            ),
            ("[1]", "line 3: is not an object"),
            ("none", "line 3: is not JSON: expected ident at column 2"),
        ] {
            let found = told(&format!("{good}\n\n{line}\n"));
            assert!(found.starts_with(words), "{found}");
        }
        assert_eq!(told("\n"), "there is nothing to read");
        assert_eq!(programmes(good.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn a_log_is_read_and_a_drain_that_cannot_be_is_refused() {
        let network = r#"{"price": [[[1, 3], [3, 1]], [[2, 4], [4, 2]]]}"#;
        let week = r#"{"stock": [5, 5], "demand": [2, 2], "units": [2, 2], "cost": [2, 3]}"#;
        let read = log(format!("{network}\n{week}\n").as_bytes()).unwrap();
        assert_eq!(
            (read.costs().options(), read.costs().range(0)),
            (2, (1.0, 4.0))
        );
        let more = week.replace(r#""units": [2"#, r#""units": [6"#);
        let wrong = log(format!("{network}\n{week}\n{more}\n").as_bytes()).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "line 3: the drain of entry 1 is impossible in its state"
        );
    }
}
