//! The stock that the scored weeks open with, from a file of the user's.

use std::path::PathBuf;

use clap::Args;
use exo_idp::backtest::Dataset;
use exo_idp::calendar::Week;
use exo_idp::io::{OpeningColumns, SalesTable, read_opening};
use exo_idp::replay::Opening;

use super::input::explain;
use crate::error::CliError;
use crate::inputs::Inputs;
use crate::table::Format;

/// With what stock replays open where no file says it.
pub(super) const MEAN_DEMAND: &str = "a week's mean demand on hand and in every outstanding order";

/// Where the opening stock stands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Opening stock")]
pub(crate) struct OpeningFile {
    /// CSV file with the stock at the beginning of the scored weeks, one row per product; without it every product has a week's mean
    /// demand on hand and in every outstanding order
    #[arg(long, value_name = "FILE")]
    pub(crate) opening: Option<PathBuf>,
    /// Its columns that name the product [default: those of --product]
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN]",
        value_delimiter = ',',
        requires = "opening"
    )]
    opening_product: Vec<String>,
    /// Its column of units on hand
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "on_hand",
        requires = "opening"
    )]
    opening_on_hand: String,
    /// Its columns of units in transit: those that arrive in the first of the weeks, in the second, and so on
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN]",
        value_delimiter = ',',
        requires = "opening"
    )]
    opening_due: Vec<String>,
    /// The week at whose beginning the stock is there, at most the one after the record; replays that open in another week open with as
    /// many weeks of demand [default: the first scored week]
    #[arg(long, value_name = "WEEK", requires = "opening")]
    opening_week: Option<String>,
}

impl OpeningFile {
    /// The opening stock of the products of a record whose first scored week is `scored`; none where no file is given.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for anything wrong in the file, a product of the record that it does not have, or a week outside the record.
    pub(super) fn read(
        &self,
        inputs: &Inputs,
        format: &Format,
        product: &[String],
        table: &SalesTable,
        data: &Dataset,
        scored: usize,
    ) -> Result<Option<Opening>, CliError> {
        let Some(path) = &self.opening else {
            return Ok(None);
        };
        let week = self.week(table, data, scored)?;
        let mut sheet = format.open_beside(inputs, path)?;
        let columns = OpeningColumns {
            product: match &self.opening_product[..] {
                [] => product.to_vec(),
                own => own.to_vec(),
            },
            on_hand: self.opening_on_hand.clone(),
            due: self.opening_due.clone(),
        };
        read_opening(&mut sheet, &columns, &data.panel, week)
            .map(Some)
            .map_err(|error| explain(error, "--opening-"))
    }

    /// The week of the stock, counted from the record's first.
    fn week(&self, table: &SalesTable, data: &Dataset, scored: usize) -> Result<usize, CliError> {
        let Some(text) = &self.opening_week else {
            return Ok(scored);
        };
        let bad =
            |problem: String| CliError::argument("--opening-week", format!("{text:?}"), problem);
        let week = Week::parse(text).ok_or_else(|| bad("is no week".to_owned()))?;
        let place = table.calendar.place(week).map_err(|e| bad(e.to_string()))?;
        let (first, _) = table.weeks().unwrap_or_default();
        let week = usize::try_from(place - first).ok();
        week.filter(|&week| week <= data.panel.weeks())
            .ok_or_else(|| {
                let (from, to) = data.span(&(0..data.panel.weeks()));
                bad(format!(
                    "is outside the record, which has {from} to {to}, and is not the week after it"
                ))
            })
    }

    /// With what stock replays open, in words.
    pub(super) fn words(&self, data: &Dataset) -> String {
        let Some(path) = &self.opening else {
            return MEAN_DEMAND.to_owned();
        };
        let week = data.opening.as_ref().map_or(0, Opening::week);
        let name = match data.weeks.get(week) {
            Some(name) => format!("at the beginning of week {name}"),
            None => "after the last week".to_owned(),
        };
        format!(
            "the stock of {} {name}; in other weeks as many weeks of demand",
            path.display()
        )
    }
}
