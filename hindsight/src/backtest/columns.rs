//! The header of a file: which column is what, what a field may hold, and the reading of one number.

use super::input::Input;
use crate::error::{CliError, Place};

/// Quantities and money beyond this are taken for mistakes.
const LARGEST: f64 = 1e12;

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Column(usize),
    Constant(f64),
}

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Domain {
    /// Units: not negative.
    Amount,
    /// Money per unit: above zero.
    Positive,
    /// Between 0 and 1.
    Share,
    /// Any finite number.
    Any,
}

/// One number of each row.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) domain: Domain,
}

/// Columns of the file, found by name.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) place: Place,
}

impl Header<'_> {
    fn find(&self, name: &str, argument: &str) -> Result<usize, CliError> {
        let mut found = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, other)| other.trim() == name);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some(_), Some(_)) => Err(self.place.error(format!("two columns are called {name:?}"))),
            (None, _) => {
                let shown: Vec<String> = self
                    .names
                    .iter()
                    .take(30)
                    .map(|name| shorten(name.trim()))
                    .collect();
                let more = if self.names.len() > 30 { ", ..." } else { "" };
                let separator = match self.names.as_slice() {
                    [only] if only.contains(';') => {
                        "; the separator looks like a semicolon: --delimiter ';'"
                    }
                    [only] if only.contains('\t') => {
                        "; the separator looks like a tab: --delimiter tab"
                    }
                    _ => "",
                };
                Err(self.place.error(format!(
                    "no column {name:?} for {argument} (the header has {}{more}){separator}",
                    shown.join(", ")
                )))
            }
        }
    }

    /// A column, or one number for all where no column is called so.
    fn find_or_number(
        &self,
        name: &str,
        argument: &str,
        domain: Domain,
    ) -> Result<Source, CliError> {
        if let Ok(number) = name.trim().parse::<f64>()
            && !self.names.iter().any(|other| other.trim() == name)
        {
            let problem = check(number, domain);
            return problem.map_or(Ok(Source::Constant(number)), |problem| {
                Err(CliError::argument(argument, name, problem))
            });
        }
        self.find(name, argument).map(Source::Column)
    }
}

pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return format!("{text:?}");
    }
    format!("{:?}", text.chars().take(37).collect::<String>() + "...")
}

/// What is wrong with a number, if anything.
fn check(number: f64, domain: Domain) -> Option<&'static str> {
    if !number.is_finite() {
        return Some("is not a finite number");
    }
    match domain {
        Domain::Amount | Domain::Positive if number < 0.0 => Some("is negative"),
        Domain::Positive if number <= 0.0 => Some("is zero, but must be above zero"),
        Domain::Share if !(0.0..=1.0).contains(&number) => Some("does not lie between 0 and 1"),
        _ if number.abs() > LARGEST => Some("is larger than 1e12"),
        _ => None,
    }
}

pub(super) fn parse(text: &str, domain: Domain) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty (leave the whole row out for a week that is unknown)".to_owned());
    }
    let number: f64 = text
        .parse()
        .map_err(|_| format!("{} is not a number", shorten(text)))?;
    check(number, domain).map_or(Ok(number), |problem| {
        Err(format!("{} {problem}", shorten(text)))
    })
}

/// The columns that a run needs, found in the header.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) product: Vec<usize>,
    pub(super) week: usize,
    /// Demand, price, then the others in the order of `Shape`.
    pub(super) slots: Vec<Slot>,
    pub(super) groups: Vec<usize>,
}

impl Plan {
    pub(super) fn new(header: &Header<'_>, input: &Input) -> Result<Self, CliError> {
        let product = input
            .product
            .iter()
            .map(|name| header.find(name, "--product"))
            .collect::<Result<_, _>>()?;
        let week = header.find(&input.week, "--week")?;
        let mut slots = Vec::new();
        let mut add = |name: &str, source: Source, domain: Domain| {
            slots.push(Slot {
                name: name.to_owned(),
                source,
                domain,
            })
        };
        let (demand, argument) = match (&input.sales, &input.demand) {
            (Some(sales), _) => (sales.as_str(), "--sales"),
            (None, Some(demand)) => (demand.as_str(), "--demand"),
            (None, None) => ("demand", "--demand"),
        };
        add(
            demand,
            Source::Column(header.find(demand, argument)?),
            Domain::Amount,
        );
        add(
            &input.price,
            header.find_or_number(&input.price, "--price", Domain::Positive)?,
            Domain::Positive,
        );
        let cost = input.cost.as_deref().unwrap_or("cost");
        // With a share the cost follows from the price.
        let source = if input.cost_share.is_some() {
            Source::Constant(1.0)
        } else {
            header.find_or_number(cost, "--cost", Domain::Positive)?
        };
        add(cost, source, Domain::Positive);
        for (name, argument, domain) in [
            (&input.in_stock, "--in-stock", Domain::Share),
            (&input.views_out, "--views-out", Domain::Amount),
            (&input.views_in, "--views-in", Domain::Amount),
        ] {
            if let Some(name) = name {
                add(name, Source::Column(header.find(name, argument)?), domain);
            }
        }
        if let Some(name) = &input.conversion {
            add(
                name,
                header.find_or_number(name, "--conversion", Domain::Amount)?,
                Domain::Amount,
            );
        }
        for (names, argument) in [
            (&input.covariate, "--covariate"),
            (&input.planned, "--planned"),
        ] {
            for name in names {
                add(
                    name,
                    Source::Column(header.find(name, argument)?),
                    Domain::Any,
                );
            }
        }
        let groups = input
            .group
            .iter()
            .map(|name| header.find(name, "--group"))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            product,
            week,
            slots,
            groups,
        })
    }
}
