//! What is back-tested: a panel with the words that its file has for weeks, products and groups.

use exo_idp::Panel;
use exo_idp::censor::{SalesRecord, corrected_demand};
use exo_idp::world::{DemandColumn, World, WorldConfig};

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
}

impl Subject {
    /// The subject of a file; sales are corrected by the views that met an empty shelf where the file has them.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if the panel or the correction refuses the columns.
    pub(super) fn of_table(mut table: Table, warnings: Vec<String>) -> Result<Self, CliError> {
        if table.is_sales && table.censoring.views_out.is_some() {
            correct(&mut table)?;
        }
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
            warnings,
        })
    }

    /// The synthetic world that stands in where no file is found.
    ///
    /// # Errors
    ///
    /// [`CliError::System`] if the world cannot be drawn.
    pub(super) fn synthetic(seed: u64) -> Result<Self, CliError> {
        let broken = |error: String| CliError::System(error);
        let config = WorldConfig {
            seed,
            ..WorldConfig::default()
        };
        let world = World::new(&config).map_err(|error| broken(error.to_string()))?;
        let panel = world
            .panel(DemandColumn::Truth)
            .map_err(|error| broken(error.to_string()))?;
        let warning = "the bundled data were not found here: this is the synthetic world of exo-idp, not real data";
        Ok(Subject {
            weeks: (0..panel.weeks()).map(|week| week.to_string()).collect(),
            rows: panel.products() * panel.weeks(),
            missing: 0,
            groups: Vec::new(),
            source: format!("synthetic world, seed {seed}"),
            warnings: vec![warning.to_owned()],
            panel,
        })
    }
}

/// Replaces sales by demand, product by product.
fn correct(table: &mut Table) -> Result<(), CliError> {
    for product in &table.products {
        let rows = product.rows.clone();
        let part =
            |column: &Option<Vec<f64>>| column.as_ref().map(|values| values[rows.clone()].to_vec());
        let sales = table.demand[rows.clone()].to_vec();
        let (in_stock, views_out) = (
            part(&table.censoring.in_stock),
            part(&table.censoring.views_out),
        );
        let conversion = part(&table.censoring.conversion);
        let record = SalesRecord {
            sales: &sales,
            in_stock: in_stock.as_deref(),
            views_out_of_stock: views_out.as_deref(),
            conversion: conversion.as_deref(),
            ..SalesRecord::default()
        };
        let corrected = corrected_demand(&record).map_err(|error| {
            CliError::Input(format!(
                "{}, product {}: {error}",
                table.source, product.name
            ))
        })?;
        table.demand[rows].copy_from_slice(&corrected.units);
    }
    Ok(())
}
