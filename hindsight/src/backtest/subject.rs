//! What is back-tested: a panel with the words that its file has for weeks and groups.

use exo_idp::Panel;

use crate::error::CliError;

use super::data::{Group, Table};

/// A panel and its labels.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) panel: Panel,
    /// The weeks as the file writes them.
    pub(super) weeks: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) source: String,
    pub(super) rows: usize,
    pub(super) missing: usize,
    pub(super) warnings: Vec<String>,
    /// The unit of money.
    pub(super) money: String,
}

impl Subject {
    /// The subject of a table.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if the panel refuses the columns.
    pub(super) fn new(table: Table, money: &str) -> Result<Self, CliError> {
        let (first, _) = table.weeks().unwrap_or((0, 0));
        let panel = table.panel()?;
        let weeks = (first..)
            .take(panel.weeks())
            .map(|place| table.week(place).to_string())
            .collect();
        Ok(Subject {
            panel,
            weeks,
            missing: table.missing(),
            rows: table.rows_read,
            source: table.source,
            groups: table.groups,
            warnings: table.notes,
            money: money.to_owned(),
        })
    }
}
