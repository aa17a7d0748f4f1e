//! What can be wrong with a sales table, and where.

use super::sheet::{NumberProblem, Place, Row, SheetError, shorten};
use crate::calendar::{CalendarError, Week};
use crate::censor::CensorError;
use crate::error::Error;

/// An error of a sales table, of the names of its columns, or of an opening stock.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The table cannot be read, lacks a column, or a number is none.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A field is wrong.
    #[error("{place}: {problem}")]
    Row {
        /// Where.
        place: Place,
        /// What is wrong.
        problem: Box<RowProblem>,
    },
    /// The cost is to be a share of the price that is none.
    #[error("the cost as a share of the price is {share}: it must lie above 0 and not above 1")]
    CostShare {
        /// The share.
        share: f64,
    },
    /// Sales without a word on stock.
    #[error(
        "sales ({sales:?}) cannot be told from demand without the share in stock or views while out of stock"
    )]
    SalesAlone {
        /// The column of units sold.
        sales: String,
    },
    /// Views while out of stock that cannot be turned into units.
    #[error(
        "sales ({sales:?}) with views while out of stock need the conversion, or views while in stock to estimate it"
    )]
    NoConversion {
        /// The column of units sold.
        sales: String,
    },
    /// A column's name is blank.
    #[error("{purpose}: {name:?} is no column name")]
    NoName {
        /// What the column is for.
        purpose: &'static str,
        /// The name.
        name: String,
    },
    /// A covariate is named twice.
    #[error("the covariate {name:?} is named twice, or is planned too")]
    Twice {
        /// The name.
        name: String,
    },
    /// A number in place of a column is out of its domain.
    #[error("{purpose} {problem}")]
    Number {
        /// What it is for.
        purpose: &'static str,
        /// What is wrong.
        problem: NumberProblem,
    },
    /// The table has no row.
    #[error("{file}: has a header and no rows")]
    NoRows {
        /// The table.
        file: Place,
    },
    /// All products are too short.
    #[error("{file}: no product has {least} weeks or more")]
    TooShort {
        /// The table.
        file: Place,
        /// Weeks that a product needs.
        least: usize,
    },
    /// The demand of no product is known in any week.
    #[error("{file}: no product has a week in which its demand is known")]
    NeverKnown {
        /// The table.
        file: Place,
    },
    /// The correction of a product's sales refuses them.
    #[error("{file}: product {product:?}: {error}")]
    Censored {
        /// The table.
        file: Place,
        /// The product.
        product: String,
        /// Why.
        error: Box<CensorError>,
    },
    /// An opening stock lacks products of the record.
    #[error(
        "{file}: has no row of product {} ({missing} of {products} products are missing)",
        shorten(.product)
    )]
    NoStock {
        /// The opening stock.
        file: Place,
        /// The first product that is missing.
        product: String,
        /// Products that are missing.
        missing: usize,
        /// Products of the record.
        products: usize,
    },
    /// An opening stock as a whole makes no sense.
    #[error("{file}: {error}")]
    Opening {
        /// The opening stock.
        file: Place,
        /// What is wrong.
        error: Box<Error>,
    },
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// Nothing stands there.
    #[error("is empty")]
    Empty,
    /// It is no week.
    #[error("{} is neither a whole number nor a date like 2017-08-15 or 15.08.2017", shorten(.text))]
    NoWeek {
        /// The field.
        text: String,
    },
    /// It looks like an ISO week, and there is none of that number.
    #[error("{} is no ISO week: years have 52 or 53, from 01 on, the first that of 4 January; give dates where weeks are numbered in another way", shorten(.text))]
    NoIsoWeek {
        /// The field.
        text: String,
    },
    /// The week does not go with those before it.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The product already has a row of that week.
    #[error("product {product:?} has week {week} already on line {line}: a duplicated row")]
    Repeated {
        /// The product.
        product: String,
        /// The week.
        week: Week,
        /// The line of the first.
        line: u64,
    },
    /// The same where the numbers begin anew with the year.
    #[error(
        "week {week} of product {product:?} follows {before} and is already on line {line}: weeks of a year that begin anew are not consecutive, give dates or a running number"
    )]
    BeginsAnew {
        /// The product.
        product: String,
        /// The week.
        week: Week,
        /// That of the row before.
        before: Week,
        /// The line of the first.
        line: u64,
    },
    /// The weeks of a product go up and down.
    #[error(
        "week {week} of product {product:?} comes after week {before} on line {line}: sort the rows of each product by week"
    )]
    OutOfOrder {
        /// The product.
        product: String,
        /// The week.
        week: Week,
        /// That of the row before.
        before: Week,
        /// The line of the row before.
        line: u64,
    },
    /// The numbers are made of year and week.
    #[error(
        "week {week} of product {product:?} follows {before}: numbers made of year and week are not consecutive; give dates or a running number"
    )]
    YearAndWeek {
        /// The product.
        product: String,
        /// The week.
        week: Week,
        /// That of the row before.
        before: Week,
    },
    /// Too many weeks without a row for anything but a mistake.
    #[error(
        "week {week} of product {product:?} comes {gap} weeks after week {before} on line {line}"
    )]
    Gap {
        /// The product.
        product: String,
        /// The week.
        week: Week,
        /// Weeks between.
        gap: i64,
        /// That of the row before.
        before: Week,
        /// The line of the row before.
        line: u64,
    },
    /// A trait of the product was another in an earlier row.
    #[error("{}, but product {product:?} had {first:?} on line {line}", shorten(.text))]
    OtherTrait {
        /// The field.
        text: String,
        /// The product.
        product: String,
        /// What stood there first.
        first: String,
        /// On that line.
        line: u64,
    },
    /// Two products have one name once its parts are joined.
    #[error("{parts:?} and {other:?} make the same name {name:?}: rename one of them")]
    SameName {
        /// The parts of this one.
        parts: Vec<String>,
        /// Those of the earlier one.
        other: Vec<String>,
        /// The name.
        name: String,
    },
    /// A product of an opening stock has two rows.
    #[error("product {} is already on line {line}", shorten(.product))]
    StockTwice {
        /// The product.
        product: String,
        /// The line of the first.
        line: u64,
    },
}

impl ReadError {
    /// An error about a field.
    pub(super) fn row(row: &Row<'_>, column: usize, problem: RowProblem) -> Self {
        let (place, problem) = (row.place(column), Box::new(problem));
        ReadError::Row { place, problem }
    }

    /// No column names the product.
    pub(super) fn no_product() -> Self {
        ReadError::NoName {
            purpose: "product",
            name: String::new(),
        }
    }
}
