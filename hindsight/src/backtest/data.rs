//! The rows of a sales file as columns, checked: what the reader hands to the back-test.

use std::ops::Range;

use super::week::{Calendar, Week};

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
    /// Units sold per view, 0 to 1.
    pub(crate) conversion: Option<Vec<f64>>,
}

impl Censoring {
    /// Whether nothing is known about stock-outs.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_stock.is_none() && self.views_out.is_none() && self.conversion.is_none()
    }
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
/// `present` false; there demand is 0, price, cost and covariates repeat the last recorded week, and covariates that never leave
/// 0 to 1 (flags, shares) are 0.
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
    /// Products left out because they are too short.
    pub(crate) dropped: usize,
    /// Whether the file recorded the week.
    pub(crate) present: Vec<bool>,
    /// Units: demand, or sales where [`Table::is_sales`].
    pub(crate) demand: Vec<f64>,
    /// Whether `demand` holds sales, which stock-outs have cut short.
    pub(crate) is_sales: bool,
    /// Money per unit.
    pub(crate) price: Vec<f64>,
    /// Money per unit.
    pub(crate) cost: Vec<f64>,
    /// Further covariates, in the order of the arguments.
    pub(crate) covariates: Vec<Covariate>,
    /// What is known about stock-outs.
    pub(crate) censoring: Censoring,
    /// Traits by which results are grouped.
    pub(crate) groups: Vec<Group>,
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
