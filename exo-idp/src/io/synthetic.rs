//! The synthetic world as a table: what stands in where no data are given.

use super::table::{Covariate, Group, Product, SalesTable, Stock};
use crate::calendar::Calendar;
use crate::world::World;

impl SalesTable {
    /// A world with its true demand, as if it had been read: the weeks of each product's life, if there are two at least; vendors and groups are traits.
    ///
    /// ```
    /// use hindsight_exo_idp::io::SalesTable;
    /// use hindsight_exo_idp::world::{World, WorldConfig};
    /// let world = World::new(&WorldConfig { products: 5, weeks: 40, ..WorldConfig::default() })?;
    /// assert_eq!(SalesTable::of_world(&world).panel()?.weeks(), 40);
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let mut products = Vec::new();
        let (mut demand, mut price, mut cost, mut recorded) =
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
            let life = traits.born..traits.dies.min(world.config().weeks);
            if life.len() < 2 {
                continue;
            }
            let start = demand.len();
            demand.extend_from_slice(&world.demand(id)[life.clone()]);
            price.extend_from_slice(&world.price(id)[life.clone()]);
            cost.extend_from_slice(&world.cost(id)[life.clone()]);
            recorded.extend_from_slice(&world.present(id)[life.clone()]);
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
        SalesTable {
            source: format!("synthetic world of seed {}", world.config().seed),
            calendar: Calendar::Numbers,
            rows_read: demand.len(),
            products,
            known: recorded.clone(),
            recorded,
            demand,
            sales: None,
            price,
            cost,
            orders: None,
            covariates,
            stock: Stock::default(),
            groups: groups.to_vec(),
            notices: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::WorldConfig;

    #[test]
    fn the_world_makes_a_panel_and_the_seed_makes_the_world() {
        let made = |seed| {
            let config = WorldConfig {
                products: 30,
                seed,
                ..WorldConfig::default()
            };
            SalesTable::of_world(&World::new(&config).unwrap())
        };
        let table = made(3);
        let panel = table.panel().unwrap();
        assert_eq!(panel.products(), table.products.len());
        assert_eq!(panel.covariates().len(), World::COVARIATES.len());
        assert!(table.products.iter().all(|product| product.rows.len() > 1));
        assert_eq!(table, made(3));
        assert_ne!(table.demand, made(4).demand);
    }
}
