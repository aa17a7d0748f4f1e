//! The rows of a file, put product by product with the weeks between filled.

use std::path::Path;

use super::data::{Censoring, Covariate, Group, Product, Table};
use super::input::Input;
use super::plan::{Plan, Source};
use crate::error::{CliError, Complain as _, Place};
use sheet::Domain;

use super::week::Calendar;
use exo_idp::backtest::Notice;
use exo_idp::calendar::main_stretch;
use exo_idp::panel::carry_forward;

/// One product while the file is read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) first: i64,
    pub(super) last: i64,
    /// The week of the latest row.
    pub(super) latest: i64,
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
    let kept = Kept::new(path, input, seen)?;
    let (mut present, columns) = kept.columns(plan, raw);
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
    let orders = input.orders.as_ref().map(|_| next().1);
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
        products: kept.products,
        present,
        demand,
        is_sales: input.sales.is_some(),
        price,
        cost,
        orders,
        covariates,
        censoring,
        notes: kept.notices.iter().map(ToString::to_string).collect(),
        groups: kept.groups,
    })
}

/// The products that have weeks enough.
struct Kept {
    /// The place of every product of the file among those kept.
    places: Vec<Option<usize>>,
    products: Vec<Product>,
    groups: Vec<Group>,
    /// Weeks of all products kept.
    total: usize,
    /// Which products were left out, and what of those kept a reader should know.
    notices: Vec<Notice>,
}

/// Weeks without any product after which the record counts as two.
const APART: i64 = 104;
/// Weeks that a product may end before the record where missing weeks count as weeks without demand.
const EARLY: i64 = 4;

impl Kept {
    fn new(path: &Path, input: &Input, seen: Vec<Seen>) -> Result<Self, CliError> {
        let least = input.drop_short.unwrap_or(0).max(2);
        let spans = seen.iter().map(|own| (own.first..=own.last, own.count));
        let together = main_stretch(spans, APART);
        let end = seen.iter().map(|product| product.last);
        let end = end.filter(|week| together.contains(week)).max();
        let (mut short, mut far, mut early) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Kept {
            places: Vec::with_capacity(seen.len()),
            products: Vec::new(),
            groups: input
                .group
                .iter()
                .map(|name| Group {
                    name: name.clone(),
                    values: Vec::new(),
                })
                .collect(),
            total: 0,
            notices: Vec::new(),
        };
        for product in seen {
            let length = usize::try_from(product.last - product.first + 1).unwrap_or(usize::MAX);
            let away = !together.contains(&product.first);
            if away || length < least {
                let reason = if away { &mut far } else { &mut short };
                reason.push(product.name);
                kept.places.push(None);
                continue;
            }
            if input.missing_is_zero && end.is_some_and(|end| end - product.last >= EARLY) {
                early.push(product.name.clone());
            }
            kept.places.push(Some(kept.products.len()));
            for (group, value) in kept.groups.iter_mut().zip(product.groups) {
                group.values.push(value);
            }
            kept.products.push(Product {
                name: product.name,
                first_week: product.first,
                rows: kept.total..kept.total + length,
            });
            kept.total += length;
        }
        if kept.products.is_empty() {
            return Err(Place::file(path).error(format!("no product has {least} weeks or more")));
        }
        let mut add = |products: Vec<String>, notice: fn(usize, Vec<String>) -> Notice| {
            if !products.is_empty() {
                kept.notices.push(notice(least, products));
            }
        };
        add(short, |least, products| Notice::Short { least, products });
        add(far, |_, products| Notice::FarAway { products });
        add(early, |_, products| Notice::EarlyEnds { products });
        Ok(kept)
    }

    /// Which weeks are recorded, and every column over all weeks.
    fn columns(&self, plan: &Plan, raw: &Raw) -> (Vec<bool>, Vec<Vec<f64>>) {
        let mut present = vec![false; self.total];
        let empty = |source: Source| match source {
            Source::Column(_) => vec![0.0; self.total],
            Source::Constant(number) => vec![number; self.total],
        };
        let mut columns: Vec<Vec<f64>> = plan.slots.iter().map(|s| empty(s.source)).collect();
        for (row, &product) in raw.product.iter().enumerate() {
            let Some(product) = self.places[product].map(|at| &self.products[at]) else {
                continue;
            };
            let week = usize::try_from(raw.week[row] - product.first_week).unwrap_or(0);
            let to = product.rows.start + week;
            present[to] = true;
            for (column, values) in columns.iter_mut().zip(&raw.values) {
                if let Some(value) = values.get(row) {
                    column[to] = *value;
                }
            }
        }
        for (slot, column) in plan.slots.iter().zip(&mut columns) {
            // Amounts (sales, views) and flags of a week without a row are nothing; prices and the like are carried forward.
            let carried = match slot.domain {
                Domain::Amount => false,
                Domain::Positive | Domain::Share => true,
                Domain::Any => column.iter().any(|value| !(0.0..=1.0).contains(value)),
            };
            if carried && matches!(slot.source, Source::Column(_)) {
                carry_forward(column, &present);
            }
        }
        (present, columns)
    }
}
