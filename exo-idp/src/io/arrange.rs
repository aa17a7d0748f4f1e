//! The rows of a file, put product by product with the weeks between filled.

use super::columns::{Columns, Cost, Settings};
use super::error::ReadError;
use super::places::{Places, Source};
use super::sheet::{Domain, Place};
use super::table::{Covariate, Group, Product, SalesTable, Stock};
use crate::backtest::Notice;
use crate::calendar::{Calendar, main_stretch};
use crate::panel::carry_forward;

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
    file: &Place,
    columns: &Columns,
    settings: &Settings,
    places: &Places,
    calendar: Calendar,
    seen: Vec<Seen>,
    raw: &Raw,
) -> Result<SalesTable, ReadError> {
    let kept = Kept::new(file, columns, settings, seen)?;
    let (mut recorded, values) = kept.columns(places, raw);
    if settings.missing_is_zero {
        recorded.fill(true);
    }
    let mut values = values.into_iter();
    let mut next = || values.next().unwrap_or_default();
    let (units, price, cost) = (next(), next(), next());
    let cost = match columns.cost {
        Cost::Column(_) => cost,
        Cost::Share(share) => price.iter().map(|price| share * price).collect(),
    };
    let stock = columns
        .sales
        .as_ref()
        .map_or_else(Stock::default, |sales| Stock {
            in_stock: sales.in_stock.as_ref().map(|_| next()),
            views_out: sales.views_out.as_ref().map(|_| next()),
            views_in: sales.views_in.as_ref().map(|_| next()),
            conversion: sales.conversion.as_ref().map(|_| next()),
        });
    let orders = columns.orders.as_ref().map(|_| next());
    let named = columns.covariates.iter().map(|name| (name, false));
    let named = named.chain(columns.planned.iter().map(|name| (name, true)));
    let covariates = named.map(|(name, planned)| Covariate {
        name: name.clone(),
        planned,
        values: next(),
    });
    let covariates = covariates.collect();
    let mut table = SalesTable {
        source: file.path().display().to_string(),
        calendar,
        rows_read: raw.product.len(),
        products: kept.products,
        known: recorded.clone(),
        recorded,
        demand: units,
        sales: None,
        price,
        cost,
        orders,
        covariates,
        stock,
        notices: kept.notices,
        groups: kept.groups,
    };
    if columns.sales.is_some() {
        table.correct(file)?;
    }
    table.leave_out_unknown(file)?;
    Ok(table)
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
    fn new(
        file: &Place,
        columns: &Columns,
        settings: &Settings,
        seen: Vec<Seen>,
    ) -> Result<Self, ReadError> {
        let least = settings.least_weeks.max(2);
        let spans = seen.iter().map(|own| (own.first..=own.last, own.count));
        let together = main_stretch(spans, APART);
        let end = seen.iter().map(|product| product.last);
        let end = end.filter(|week| together.contains(week)).max();
        let (mut short, mut far, mut early) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Kept {
            places: Vec::with_capacity(seen.len()),
            products: Vec::new(),
            groups: columns
                .groups
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
            if settings.missing_is_zero && end.is_some_and(|end| end - product.last >= EARLY) {
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
            let file = file.clone();
            return Err(ReadError::TooShort { file, least });
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
    fn columns(&self, places: &Places, raw: &Raw) -> (Vec<bool>, Vec<Vec<f64>>) {
        let mut present = vec![false; self.total];
        let empty = |source: Source| match source {
            Source::Column(_) => vec![0.0; self.total],
            Source::Constant(number) => vec![number; self.total],
        };
        let mut columns: Vec<Vec<f64>> = places.slots.iter().map(|s| empty(s.source)).collect();
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
        for (slot, column) in places.slots.iter().zip(&mut columns) {
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
