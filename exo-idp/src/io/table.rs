//! A sales table as columns, checked: what reading gives.

use std::ops::Range;

use super::error::ReadError;
use super::sheet::Place;
use crate::backtest::{Dataset, Grouping, Notice};
use crate::calendar::{Calendar, Week};
use crate::censor::{SalesRecord, corrected_demand};
use crate::error::Error;
use crate::panel::{self, Panel};

/// One product's place in the columns of a [`SalesTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its name; where several columns name it, joined by `/`.
    pub name: String,
    /// The place of its first week in the table's calendar.
    pub first_week: i64,
    /// Where its weeks stand in every column: consecutive weeks, from the first to the last recorded.
    pub rows: Range<usize>,
}

/// A covariate: a number known for each product and week.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// The column's name.
    pub name: String,
    /// Whether it is known in advance (a promotion that was planned), so that a policy may look ahead at it.
    pub planned: bool,
    /// One value per row.
    pub values: Vec<f64>,
}

/// What is known of stock behind sales, one value per row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stock {
    /// The share of the week in which the product was in stock, 0 to 1.
    pub in_stock: Option<Vec<f64>>,
    /// Views of the product's page while it was out of stock.
    pub views_out: Option<Vec<f64>>,
    /// Views of the product's page while it was in stock.
    pub views_in: Option<Vec<f64>>,
    /// Units sold per view.
    pub conversion: Option<Vec<f64>>,
}

/// A static trait of products by which results are grouped: brand, store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The column's name.
    pub name: String,
    /// One value per product.
    pub values: Vec<String>,
}

/// The rows of a table, product by product, weeks without a gap.
///
/// Every column has one value per product and week, product-major; [`Product::rows`] says where each product's stand. No value is NaN or
/// infinite, and quantities and money are not negative. A week that the table leaves out between a product's first and last has
/// `recorded` false; there units and views are 0, price, cost and covariates repeat the last recorded week, and
/// covariates that never leave 0 to 1 (flags, shares) are 0.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SalesTable {
    /// Where it was read from.
    pub source: String,
    /// How weeks are counted and written.
    pub calendar: Calendar,
    /// The products, in the order of their first row.
    pub products: Vec<Product>,
    /// Rows of the table, the header not counted; weeks, where rows were days.
    pub rows_read: usize,
    /// Whether the week has a row.
    pub recorded: Vec<bool>,
    /// Units of demand: sales corrected for stock-outs by [`corrected_demand`], where `sales` are there.
    pub demand: Vec<f64>,
    /// Whether the week's demand is known: not where stock-outs hide it.
    pub known: Vec<bool>,
    /// Units sold, where demand is not what was read.
    pub sales: Option<Vec<f64>>,
    /// Money per unit.
    pub price: Vec<f64>,
    /// Money per unit.
    pub cost: Vec<f64>,
    /// Units really ordered.
    pub orders: Option<Vec<f64>>,
    /// Covariates, those known in advance last.
    pub covariates: Vec<Covariate>,
    /// What is known of stock behind `sales`.
    pub stock: Stock,
    /// Traits of the products.
    pub groups: Vec<Group>,
    /// What a reader of results must know of the table.
    pub notices: Vec<Notice>,
}

impl SalesTable {
    /// First and last week of all products (places in the calendar); `None` without products.
    #[must_use]
    pub fn weeks(&self) -> Option<(i64, i64)> {
        let first = self
            .products
            .iter()
            .map(|product| product.first_week)
            .min()?;
        let last = self
            .products
            .iter()
            .map(|product| product.last_week())
            .max()?;
        Some((first, last))
    }

    /// The week at a place in the calendar, written as in the file.
    #[must_use]
    pub fn week(&self, place: i64) -> Week {
        self.calendar.week(place)
    }

    /// Sets demand behind what was read as demand: sales.
    pub(super) fn correct(&mut self, file: &Place) -> Result<(), ReadError> {
        let sales = self.demand.clone();
        for product in &self.products {
            let rows = product.rows.clone();
            let record = SalesRecord {
                sales: &sales[rows.clone()],
                in_stock: part(&self.stock.in_stock, &rows),
                views_in_stock: part(&self.stock.views_in, &rows),
                views_out_of_stock: part(&self.stock.views_out, &rows),
                conversion: part(&self.stock.conversion, &rows),
            };
            let corrected = corrected_demand(&record).map_err(|error| ReadError::Censored {
                file: file.clone(),
                product: product.name.clone(),
                error: Box::new(error),
            })?;
            self.demand[rows.clone()].copy_from_slice(&corrected.units);
            for (known, now) in self.known[rows].iter_mut().zip(corrected.known) {
                *known &= now;
            }
        }
        self.sales = Some(sales);
        Ok(())
    }

    /// Takes the products out whose demand is known in no week.
    pub(super) fn leave_out_unknown(&mut self, file: &Place) -> Result<(), ReadError> {
        let known = |product: &Product| self.known[product.rows.clone()].contains(&true);
        let keep: Vec<bool> = self.products.iter().map(known).collect();
        if !keep.contains(&true) {
            let file = file.clone();
            return Err(ReadError::NeverKnown { file });
        }
        let left_out = self.products.iter().zip(&keep).filter(|(_, keep)| !**keep);
        let products: Vec<String> = left_out.map(|(product, _)| product.name.clone()).collect();
        if products.is_empty() {
            return Ok(());
        }
        self.notices.push(Notice::NeverKnown { products });
        let mut flags = keep.iter();
        self.products.retain(|_| flags.next() == Some(&true));
        for group in &mut self.groups {
            let mut flags = keep.iter();
            group.values.retain(|_| flags.next() == Some(&true));
        }
        Ok(())
    }

    /// A column over all weeks of the table, product by product; nothing outside a product's own weeks.
    fn spread<T: Copy + Default>(&self, column: &[T]) -> Vec<T> {
        let (first, last) = self.weeks().unwrap_or((0, 0));
        let weeks = usize::try_from(last - first + 1).unwrap_or(0);
        let mut cells = vec![T::default(); self.products.len() * weeks];
        for (product, cells) in self.products.iter().zip(cells.chunks_mut(weeks.max(1))) {
            let place = usize::try_from(product.first_week - first).unwrap_or(0);
            cells[place..][..product.rows.len()].copy_from_slice(&column[product.rows.clone()]);
        }
        cells
    }

    /// The panel over all weeks of the table: week 0 is the first week of any product. A product is not on sale outside its own
    /// weeks and in weeks without a row; its demand is not known in weeks whose demand stock-outs hide.
    ///
    /// # Errors
    /// When the panel refuses the columns, as it refuses two covariates of one name.
    ///
    /// # Panics
    /// When a column was given another length than the products have weeks.
    pub fn panel(&self) -> Result<Panel, Error> {
        let (first, last) = self.weeks().unwrap_or((0, 0));
        let weeks = usize::try_from(last - first + 1).unwrap_or(0);
        let covariate = |covariate: &Covariate| panel::Covariate {
            name: covariate.name.clone(),
            planned: covariate.planned,
            values: self.spread(&covariate.values),
        };
        let columns = panel::Columns {
            demand: self.spread(&self.demand),
            price: self.spread(&self.price),
            cost: self.spread(&self.cost),
            present: self.spread(&self.known),
            covariates: self.covariates.iter().map(covariate).collect(),
        };
        let names = self.products.iter().map(|product| product.name.clone());
        Panel::new(names.collect(), weeks, columns)?
            .with_unknown_demand(self.spread(&self.recorded))
    }

    /// The panel with the names of its weeks, its groups and its orders.
    ///
    /// # Errors
    /// As [`SalesTable::panel`].
    ///
    /// # Panics
    /// As [`SalesTable::panel`].
    pub fn dataset(&self) -> Result<Dataset, Error> {
        let panel = self.panel()?;
        let (first, _) = self.weeks().unwrap_or((0, 0));
        let weeks = (first..).take(panel.weeks());
        let groups = self.groups.iter().map(|group| Grouping {
            name: group.name.clone(),
            values: group.values.clone(),
        });
        let mut data = Dataset::new(panel);
        data.weeks = weeks.map(|place| self.week(place).to_string()).collect();
        data.groups = groups.collect();
        data.orders = self.orders.as_ref().map(|orders| self.spread(orders));
        Ok(data)
    }

    /// Weeks between products' first and last that have no row.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.recorded.iter().filter(|recorded| !**recorded).count()
    }
}

impl Product {
    /// The place of its last recorded week in the table's calendar.
    #[must_use]
    pub fn last_week(&self) -> i64 {
        self.first_week + i64::try_from(self.rows.len()).unwrap_or(i64::MAX) - 1
    }
}

/// The rows of one product of a column that may not exist.
fn part<'a>(column: &'a Option<Vec<f64>>, rows: &Range<usize>) -> Option<&'a [f64]> {
    column.as_deref().map(|column| &column[rows.clone()])
}
