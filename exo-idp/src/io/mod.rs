//! Sales tables as people have them, read from files: a row a product and week (or day), columns under any names.
//!
//! [`Columns`] says which column is what, [`Settings`] what a missing week means and whether rows are days; [`read`] gives a [`SalesTable`],
//! whose [`dataset`](SalesTable::dataset) is what a back-test takes. Sales that stock-outs cut short become demand on the way
//! ([`SalesColumns`]). [`read_opening`] reads the stock that replays open with. What is odd but no error is said as a
//! [`Notice`](crate::backtest::Notice).
//!
//! ```
//! use hindsight_exo_idp::io::sheet::{Format, Sheet};
//! use hindsight_exo_idp::io::{Columns, Settings, read};
//!
//! let text = "product,week,demand,price,cost,deal\n\
//!             tea,2024-01-01,3,2.5,1,0\n\
//!             tea,2024-01-08,5,2,1,1\n\
//!             tea,2024-01-22,4,2.5,1,0\n\
//!             milk,2024-01-15,7,1,0.5,0\n\
//!             milk,2024-01-22,1,1,0.5,0\n";
//! let open = |text: String| Sheet::from_reader(std::io::Cursor::new(text), "sales.csv", Format::default());
//! let columns = Columns { planned: vec!["deal".into()], ..Columns::default() };
//! let table = read(&mut open(text.to_owned())?, &columns, &Settings::default(), |_| {})?;
//! let data = table.dataset()?;
//! assert_eq!((data.panel.products(), data.panel.weeks()), (2, 4));
//! assert_eq!(data.weeks[2], "2024-01-15");
//! assert!(!data.panel.present(0, 2) && data.panel.demand(0, 3) == 4.0);
//!
//! let wrong = text.replace("tea,2024-01-08,5", "tea,2024-01-08,-5");
//! let wrong = read(&mut open(wrong)?, &columns, &Settings::default(), |_| {}).unwrap_err();
//! assert_eq!(wrong.to_string(), r#"sales.csv:3: column "demand": "-5" is negative"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrange;
mod columns;
mod daily;
mod error;
mod opening;
mod order;
mod places;
mod rows;
mod summary;
mod synthetic;
mod table;
#[cfg(test)]
mod tests;
mod weekday;

pub extern crate hindsight_sheet as sheet;

pub use columns::{Columns, Cost, SalesColumns, Settings};
pub use error::{ReadError, RowProblem};
pub use opening::{OpeningColumns, read_opening};
pub use rows::read;
pub use summary::ColumnSummary;
pub use table::{Covariate, Group, Product, SalesTable, Stock};
pub use weekday::{NoWeekday, Weekday};
