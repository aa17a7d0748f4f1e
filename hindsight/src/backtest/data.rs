//! The rows of a sales file as columns, checked: what the reader hands to the back-test.

use std::ops::Range;
use std::path::Path;

use exo_idp::backtest::{Dataset, Grouping, Notice};
use exo_idp::censor::{SalesRecord, corrected_demand};

use super::week::{Calendar, Week};
use crate::error::{CliError, Complain as _, Place};

/// One product's place in the columns of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Its name; where several columns name it, joined by `/`.
    pub(crate) name: String,
    /// The place of its first week in the table's calendar.
    pub(crate) first_week: i64,
    /// Where its weeks stand in every column: consecutive weeks, from the first to the last recorded.
    pub(crate) rows: Range<usize>,
}

/// A covariate: a number known for each product and week.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Covariate {
    /// The column's name in the file.
    pub(crate) name: String,
    /// Whether it is known in advance (a promotion that was planned), so that a policy may look ahead at it.
    pub(crate) planned: bool,
    /// One value per row.
    pub(crate) values: Vec<f64>,
}

/// What the correction of censored demand needs, one value per row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Censoring {
    /// The share of the week in which the product was in stock, 0 to 1.
    pub(crate) in_stock: Option<Vec<f64>>,
    /// Views of the product's page while it was out of stock.
    pub(crate) views_out: Option<Vec<f64>>,
    /// Views of the product's page while it was in stock.
    pub(crate) views_in: Option<Vec<f64>>,
    /// Units sold per view.
    pub(crate) conversion: Option<Vec<f64>>,
}

/// A static trait of products by which results are grouped: brand, store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The column's name in the file.
    pub(crate) name: String,
    /// One value per product.
    pub(crate) values: Vec<String>,
}

/// The rows of a file, product by product, weeks without a gap.
///
/// Every column has one value per product and week, product-major, in the order of [`Table::products`]; no value is NaN or
/// infinite, and quantities and money are not negative. A week that the file leaves out between a product's first and last has
/// `present` false; there demand is 0, sales and views are 0 too, price, cost and covariates repeat the last recorded week, and
/// covariates that never leave 0 to 1 (flags, shares) are 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// Where it was read from, as the user named it.
    pub(crate) source: String,
    /// How weeks are counted and written.
    pub(crate) calendar: Calendar,
    /// The products, in the order of their first row.
    pub(crate) products: Vec<Product>,
    /// Rows in the file, the header not counted.
    pub(crate) rows_read: usize,
    /// Whether the file recorded the week.
    pub(crate) present: Vec<bool>,
    /// Units: demand, or sales where [`Table::is_sales`]; see [`Table::panel`].
    pub(crate) demand: Vec<f64>,
    /// Whether `demand` holds sales, which stock-outs have cut short.
    pub(crate) is_sales: bool,
    /// Money per unit.
    pub(crate) price: Vec<f64>,
    /// Money per unit.
    pub(crate) cost: Vec<f64>,
    /// Units really ordered, where the file says it.
    pub(crate) orders: Option<Vec<f64>>,
    /// Further covariates, in the order of the arguments.
    pub(crate) covariates: Vec<Covariate>,
    /// What is known about stock-outs.
    pub(crate) censoring: Censoring,
    /// Traits by which results are grouped.
    pub(crate) groups: Vec<Group>,
    /// What a reader of the results must know about the data.
    pub(crate) notes: Vec<String>,
}

impl Table {
    /// First and last week of all products (places in the calendar); `None` without products.
    pub(crate) fn weeks(&self) -> Option<(i64, i64)> {
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
    pub(crate) fn week(&self, place: i64) -> Week {
        self.calendar.week(place)
    }

    /// Demand, and whether each week's is known: sales corrected for stock-outs where the file holds sales.
    fn demand(&self) -> Result<(Vec<f64>, Vec<bool>), CliError> {
        if !self.is_sales {
            return Ok((self.demand.clone(), self.present.clone()));
        }
        let mut units = self.demand.clone();
        let mut known = self.present.clone();
        for product in &self.products {
            let rows = product.rows.clone();
            let record = SalesRecord {
                sales: &self.demand[rows.clone()],
                in_stock: part(&self.censoring.in_stock, &rows),
                views_in_stock: part(&self.censoring.views_in, &rows),
                views_out_of_stock: part(&self.censoring.views_out, &rows),
                conversion: part(&self.censoring.conversion, &rows),
            };
            let corrected = corrected_demand(&record).map_err(|error| {
                Place::file(Path::new(&self.source))
                    .error(format!("product {:?}: {error}", product.name))
            })?;
            units[rows.clone()].copy_from_slice(&corrected.units);
            for (known, now) in known[rows].iter_mut().zip(corrected.known) {
                *known &= now;
            }
        }
        Ok((units, known))
    }

    /// Takes the products out whose demand is known in no week, and notes their names.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if the correction of sales refuses the columns, or no product is left.
    pub(crate) fn leave_out_unknown(&mut self) -> Result<(), CliError> {
        let (_, known) = self.demand()?;
        let keep: Vec<bool> = self
            .products
            .iter()
            .map(|product| known[product.rows.clone()].contains(&true))
            .collect();
        if !keep.contains(&true) {
            return Err(Place::file(Path::new(&self.source))
                .error("no product has a week in which its demand is known"));
        }
        let products: Vec<String> = self
            .products
            .iter()
            .zip(&keep)
            .filter(|(_, keep)| !**keep)
            .map(|(product, _)| product.name.clone())
            .collect();
        if !products.is_empty() {
            self.notes.push(Notice::NeverKnown { products }.to_string());
        }
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
    /// weeks and in weeks that the file leaves out; its demand is not known in weeks whose demand stock-outs hide. Sales become demand by
    /// [`corrected_demand`].
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if the correction or the panel refuses the columns.
    pub(crate) fn panel(&self) -> Result<exo_idp::Panel, CliError> {
        let (first, last) = self.weeks().unwrap_or((0, 0));
        let weeks = usize::try_from(last - first + 1).unwrap_or(0);
        let (demand, known) = self.demand()?;
        let covariate = |covariate: &Covariate| exo_idp::panel::Covariate {
            name: covariate.name.clone(),
            planned: covariate.planned,
            values: self.spread(&covariate.values),
        };
        let columns = exo_idp::panel::Columns {
            demand: self.spread(&demand),
            price: self.spread(&self.price),
            cost: self.spread(&self.cost),
            present: self.spread(&known),
            covariates: self.covariates.iter().map(covariate).collect(),
        };
        let names = self.products.iter().map(|product| product.name.clone());
        exo_idp::Panel::new(names.collect(), weeks, columns)
            .and_then(|panel| panel.with_unknown_demand(self.spread(&self.present)))
            .map_err(|error| Place::file(Path::new(&self.source)).error(error))
    }

    /// The panel with the file's names of weeks, its groups and its orders.
    ///
    /// # Errors
    ///
    /// As [`Table::panel`].
    pub(crate) fn dataset(&self) -> Result<Dataset, CliError> {
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

    /// Weeks that the file leaves out.
    pub(crate) fn missing(&self) -> usize {
        self.present.iter().filter(|present| !**present).count()
    }
}

impl Product {
    /// The place of its last recorded week in the table's calendar.
    pub(crate) fn last_week(&self) -> i64 {
        self.first_week + i64::try_from(self.rows.len()).unwrap_or(i64::MAX) - 1
    }
}

/// The rows of one product of a column that may not exist.
fn part<'a>(column: &'a Option<Vec<f64>>, rows: &Range<usize>) -> Option<&'a [f64]> {
    column.as_deref().map(|column| &column[rows.clone()])
}
