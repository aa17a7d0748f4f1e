//! Which column of the file is what: the arguments, found in the header.

use super::input::Input;
use crate::error::CliError;
use sheet::{Domain, Sheet};

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Column(usize),
    Constant(f64),
}

/// One number of each row.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) domain: Domain,
}

/// A column, or one number for all where no column is called so.
fn find_or_number(
    sheet: &Sheet,
    name: &str,
    argument: &str,
    domain: Domain,
) -> Result<Source, CliError> {
    if let Ok(number) = name.trim().parse::<f64>()
        && !sheet.names().iter().any(|other| other == name)
    {
        let number = domain.check(number, name);
        return number
            .map(Source::Constant)
            .map_err(|problem| CliError::Input(format!("{argument} {problem}")));
    }
    Ok(Source::Column(sheet.column(name, argument)?))
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
    pub(super) fn new(sheet: &Sheet, input: &Input) -> Result<Self, CliError> {
        let product = input
            .product
            .iter()
            .map(|name| sheet.column(name, "--product"))
            .collect::<Result<_, _>>()?;
        let week = sheet.column(&input.week, "--week")?;
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
            Source::Column(sheet.column(demand, argument)?),
            Domain::Amount,
        );
        add(
            &input.price,
            find_or_number(sheet, &input.price, "--price", Domain::Positive)?,
            Domain::Positive,
        );
        let cost = input.cost.as_deref().unwrap_or("cost");
        // With a share the cost follows from the price.
        let source = if input.cost_share.is_some() {
            Source::Constant(1.0)
        } else {
            find_or_number(sheet, cost, "--cost", Domain::Positive).map_err(
                |error| match error {
                    CliError::Input(words) if input.cost.is_none() => CliError::Input(format!(
                        "{words}; without costs, --cost-share 0.7 takes 70 % of the price"
                    )),
                    other => other,
                },
            )?
        };
        add(cost, source, Domain::Positive);
        for (name, argument, domain) in [
            (&input.in_stock, "--in-stock", Domain::Share),
            (&input.views_out, "--views-out", Domain::Amount),
            (&input.views_in, "--views-in", Domain::Amount),
        ] {
            if let Some(name) = name {
                add(name, Source::Column(sheet.column(name, argument)?), domain);
            }
        }
        if let Some(name) = &input.conversion {
            add(
                name,
                find_or_number(sheet, name, "--conversion", Domain::Amount)?,
                Domain::Amount,
            );
        }
        if let Some(name) = &input.orders {
            let column = sheet.column(name, "--orders")?;
            add(name, Source::Column(column), Domain::Amount);
        }
        for (names, argument) in [
            (&input.covariate, "--covariate"),
            (&input.planned, "--planned"),
        ] {
            for name in names {
                add(
                    name,
                    Source::Column(sheet.column(name, argument)?),
                    Domain::Any,
                );
            }
        }
        let groups = input
            .group
            .iter()
            .map(|name| sheet.column(name, "--group"))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            product,
            week,
            slots,
            groups,
        })
    }
}
