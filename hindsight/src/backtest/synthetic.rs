//! The synthetic world as rows: what stands in where no data are given.

use exo_idp::world::{World, WorldConfig};

use super::data::{Censoring, Covariate, Group, Product, Table};
use super::week::Calendar;
use crate::error::CliError;

/// The synthetic world of this seed, with its true demand.
///
/// # Errors
///
/// [`CliError::Input`] if the world refuses its configuration.
pub(crate) fn table(seed: u64) -> Result<Table, CliError> {
    let config = WorldConfig {
        seed,
        ..WorldConfig::default()
    };
    let world = World::new(&config).map_err(|error| CliError::Input(error.to_string()))?;
    let mut products = Vec::new();
    let (mut demand, mut price, mut cost, mut present) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut covariates: Vec<Covariate> = World::COVARIATES
        .iter()
        .map(|(name, planned)| Covariate {
            name: (*name).to_owned(),
            planned: *planned,
            values: Vec::new(),
        })
        .collect();
    let mut groups = ["vendor", "group"].map(|name| Group {
        name: name.to_owned(),
        values: Vec::new(),
    });
    for (id, traits) in world.products().iter().enumerate() {
        // Only the weeks of its life: a product shorter than two weeks has none to be judged on.
        let life = traits.born..traits.dies.min(config.weeks);
        if life.len() < 2 {
            continue;
        }
        let start = demand.len();
        demand.extend_from_slice(&world.demand(id)[life.clone()]);
        price.extend_from_slice(&world.price(id)[life.clone()]);
        cost.extend_from_slice(&world.cost(id)[life.clone()]);
        present.extend_from_slice(&world.present(id)[life.clone()]);
        for covariate in &mut covariates {
            covariate.values.extend_from_slice(
                &world.covariate(&covariate.name, id).unwrap_or_default()[life.clone()],
            );
        }
        for (group, value) in groups.iter_mut().zip([traits.vendor, traits.group]) {
            group.values.push(value.to_string());
        }
        products.push(Product {
            name: world.name(id),
            first_week: i64::try_from(life.start).unwrap_or(0),
            rows: start..demand.len(),
        });
    }
    Ok(Table {
        source: format!("synthetic world of seed {seed}"),
        calendar: Calendar::Numbers,
        rows_read: demand.len(),
        products,
        present,
        demand,
        is_sales: false,
        price,
        cost,
        orders: None,
        covariates,
        censoring: Censoring::default(),
        groups: groups.to_vec(),
        notes: vec!["these are no data but a synthetic world, drawn from the seed; its demand is the true one".to_owned()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_makes_a_panel_and_the_seed_makes_the_world() {
        let world = table(3).unwrap();
        let panel = world.panel().unwrap();
        assert_eq!(panel.products(), world.products.len());
        assert_eq!(panel.covariates().len(), World::COVARIATES.len());
        assert!(world.products.iter().all(|product| product.rows.len() > 1));
        assert_eq!(world, table(3).unwrap());
        assert_ne!(world.demand, table(4).unwrap().demand);
    }
}
