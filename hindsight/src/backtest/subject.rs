//! What is back-tested: a panel with the words that its file has for weeks and groups.

use std::ops::Range;

use exo_idp::Panel;

use crate::error::CliError;

use super::data::{Group, Table};
use super::split::Split;

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

    /// What was known at the end of a split's held-out weeks. Products without a recorded week to learn from, or without one to be
    /// scored on, are left out, and a warning says how many.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if no product is left.
    pub(super) fn at(&self, split: &Split) -> Result<Self, CliError> {
        let recorded = |product: usize, weeks: &Range<usize>| {
            weeks.clone().any(|week| self.panel.present(product, week))
        };
        let kept: Vec<usize> = (0..self.panel.products())
            .filter(|&p| recorded(p, &split.learn) && recorded(p, &split.held_out))
            .collect();
        let ((from, to), source) = (self.span(&split.held_out), &self.source);
        if kept.is_empty() {
            return Err(CliError::Input(format!(
                "{source}: no product has a row in the held-out weeks {from} to {to} and one before them"
            )));
        }
        let mut part = self.part(&kept, split.held_out.end)?;
        let out = self.panel.products() - kept.len();
        if out > 0 {
            part.warnings.push(format!(
                "{out} products without a row in the held-out weeks, or before them, were left out"
            ));
        }
        Ok(part)
    }

    /// The record as it stood after some week; products that came later are left out.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if there is no such week, or hardly anything before it.
    pub(super) fn until(&self, week: &str) -> Result<Self, CliError> {
        let Some(last) = self.weeks.iter().position(|own| own == week.trim()) else {
            let (from, to) = self.span(&(0..self.weeks.len()));
            return Err(CliError::argument(
                "--until",
                format!("{week:?}"),
                format!("is no week of the record, which has {from} to {to}"),
            ));
        };
        let recorded = |product: &usize| (0..=last).any(|w| self.panel.present(*product, w));
        let kept: Vec<usize> = (0..self.panel.products()).filter(recorded).collect();
        self.part(&kept, last + 1)
    }

    /// Some of the products over the first weeks.
    fn part(&self, products: &[usize], weeks: usize) -> Result<Self, CliError> {
        let pick = |values: &[String]| products.iter().map(|&p| values[p].clone()).collect();
        let groups = self.groups.iter().map(|group| Group {
            name: group.name.clone(),
            values: pick(&group.values),
        });
        let panel = self.panel.part(products, weeks);
        Ok(Subject {
            panel: panel.map_err(|error| CliError::Input(format!("{}: {error}", self.source)))?,
            weeks: self.weeks[..weeks].to_vec(),
            groups: groups.collect(),
            source: self.source.clone(),
            rows: self.rows,
            missing: self.missing,
            warnings: self.warnings.clone(),
            money: self.money.clone(),
        })
    }

    /// The first and the last of some weeks, as the file writes them.
    pub(super) fn span(&self, weeks: &Range<usize>) -> (String, String) {
        let week = |at: usize| self.weeks.get(at).cloned().unwrap_or_default();
        (week(weeks.start), week(weeks.end.saturating_sub(1)))
    }
}
