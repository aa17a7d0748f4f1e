//! The rows of a file, put product by product with the weeks between filled.

use std::path::Path;

use super::data::{Censoring, Covariate, Group, Product, Table};
use super::input::Input;
use super::plan::{Plan, Source};
use crate::error::{CliError, Place};
use crate::sheet::{Calendar, Domain};

/// One product while the file is read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: usize,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
    pub(super) groups: Vec<String>,
}

/// The rows in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) product: Vec<usize>,
    pub(super) week: Vec<i64>,
    pub(super) line: Vec<u64>,
    pub(super) values: Vec<Vec<f64>>,
}

/// Puts the rows product by product, with the weeks between filled.
pub(super) fn arrange(
    path: &Path,
    input: &Input,
    plan: &Plan,
    calendar: Calendar,
    seen: Vec<Seen>,
    raw: &Raw,
) -> Result<Table, CliError> {
    let least = input.drop_short.unwrap_or(0).max(2);
    let mut kept: Vec<Option<usize>> = Vec::with_capacity(seen.len());
    let mut products = Vec::new();
    let mut groups: Vec<Group> = input
        .group
        .iter()
        .map(|name| Group {
            name: name.clone(),
            values: Vec::new(),
        })
        .collect();
    let mut total = 0;
    for product in seen {
        let length = usize::try_from(product.last - product.first + 1).unwrap_or(usize::MAX);
        if length < least {
            if input.drop_short.is_none() {
                let week = calendar.week(product.first);
                return Err(Place::file(path).line(product.first_line).column(&input.product.join(",")).error(format!(
                    "product {:?} has one week only ({week}); --drop-short 2 leaves such products out",
                    product.name
                )));
            }
            kept.push(None);
            continue;
        }
        kept.push(Some(products.len()));
        for (group, value) in groups.iter_mut().zip(product.groups) {
            group.values.push(value);
        }
        products.push(Product {
            name: product.name,
            first_week: product.first,
            rows: total..total + length,
        });
        total += length;
    }
    if products.is_empty() {
        return Err(Place::file(path).error(format!("no product has {least} weeks or more")));
    }

    let mut present = vec![false; total];
    let mut columns: Vec<Vec<f64>> = plan
        .slots
        .iter()
        .map(|slot| match slot.source {
            Source::Column(_) => vec![0.0; total],
            Source::Constant(number) => vec![number; total],
        })
        .collect();
    for (row, &product) in raw.product.iter().enumerate() {
        let Some(product) = kept[product].map(|at| &products[at]) else {
            continue;
        };
        let to =
            product.rows.start + usize::try_from(raw.week[row] - product.first_week).unwrap_or(0);
        present[to] = true;
        for (column, values) in columns.iter_mut().zip(&raw.values) {
            if let Some(value) = values.get(row) {
                column[to] = *value;
            }
        }
    }
    for (definition, column) in plan.slots.iter().zip(&mut columns) {
        // Amounts (sales, views) and flags of a week without a row are nothing; prices and the like go on.
        let goes_on = match definition.domain {
            Domain::Amount => false,
            Domain::Positive | Domain::Share => true,
            Domain::Any => column.iter().any(|value| !(0.0..=1.0).contains(value)),
        };
        if goes_on && matches!(definition.source, Source::Column(_)) {
            carry_forward(column, &present);
        }
    }
    if input.missing_is_zero {
        present.fill(true);
    }

    let mut columns = columns.into_iter().zip(&plan.slots);
    let mut next = || {
        columns
            .next()
            .map(|(values, slot)| (slot.name.clone(), values))
            .unwrap_or_default()
    };
    let (demand, price, cost) = (next().1, next().1, next().1);
    let cost = input.cost_share.map_or(cost, |share| {
        price.iter().map(|price| share * price).collect()
    });
    let censoring = Censoring {
        in_stock: input.in_stock.as_ref().map(|_| next().1),
        views_out: input.views_out.as_ref().map(|_| next().1),
        views_in: input.views_in.as_ref().map(|_| next().1),
        conversion: input.conversion.as_ref().map(|_| next().1),
    };
    let planned = std::iter::repeat_n(false, input.covariate.len())
        .chain(std::iter::repeat_n(true, input.planned.len()));
    let covariates = planned
        .map(|planned| {
            let (name, values) = next();
            Covariate {
                name,
                planned,
                values,
            }
        })
        .collect();
    Ok(Table {
        source: path.display().to_string(),
        calendar,
        rows_read: raw.product.len(),
        dropped: kept.iter().filter(|kept| kept.is_none()).count(),
        products,
        present,
        demand,
        is_sales: input.sales.is_some(),
        price,
        cost,
        covariates,
        censoring,
        notes: Vec::new(),
        groups,
    })
}

/// Repeats the last recorded value in weeks without a row; a product's first week is always recorded.
fn carry_forward(column: &mut [f64], present: &[bool]) {
    let mut last = 0.0;
    for (value, present) in column.iter_mut().zip(present) {
        if *present {
            last = *value;
        } else {
            *value = last;
        }
    }
}
