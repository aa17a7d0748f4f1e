//! The world as a panel that policies are replayed on.

use super::simulation::World;
use crate::censor::{SalesRecord, conversion_rate, corrected_demand};
use crate::error::Error;
use crate::panel::{Columns, Covariate, Panel};

/// What stands in the demand column of a panel made from a [`World`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum DemandColumn {
    /// The true demand, lost sales included: for judging.
    Truth,
    /// The sales of the logged policy, censored by its stock: what a careless user takes for demand.
    Sales,
    /// Sales corrected by the views while out of stock, the conversion rate estimated from the record.
    Corrected,
}

impl World {
    /// The panel of all products with the stated demand column, and the covariates of [`World::COVARIATES`].
    ///
    /// ```
    /// use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
    /// let world = World::new(&WorldConfig { products: 5, weeks: 30, ..WorldConfig::default() })?;
    /// let panel = world.panel(DemandColumn::Truth)?;
    /// assert_eq!((panel.products(), panel.weeks(), panel.demand(2, 7)), (5, 30, world.demand(2)[7]));
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// None for a world that could be drawn; the panel's own checks are passed on.
    pub fn panel(&self, demand: DemandColumn) -> Result<Panel, Error> {
        let products = 0..self.products.len();
        let all = |path: &dyn Fn(usize) -> Vec<f64>| {
            products.clone().flat_map(path).collect::<Vec<f64>>()
        };
        let covariates = Self::COVARIATES.iter().map(|&(name, planned)| Covariate {
            name: name.to_owned(),
            planned,
            values: all(&|i| self.covariate(name, i).unwrap_or_default()),
        });
        let columns = Columns {
            demand: match demand {
                DemandColumn::Truth => all(&|i| self.demand(i).to_vec()),
                DemandColumn::Sales => all(&|i| self.sales(i).to_vec()),
                DemandColumn::Corrected => {
                    let pooled = self.pooled_conversion();
                    all(&|i| self.corrected(i, pooled))
                }
            },
            price: all(&|i| self.price(i).to_vec()),
            cost: all(&|i| self.cost(i).to_vec()),
            present: products.clone().flat_map(|i| self.present(i)).collect(),
            covariates: covariates.collect(),
        };
        Panel::new(
            products.map(|i| self.name(i)).collect(),
            self.config.weeks,
            columns,
        )
    }

    /// Corrected demand of a product, at its own estimated conversion rate, or the pooled one if it was never seen in stock.
    fn corrected(&self, product: usize, pooled: f64) -> Vec<f64> {
        let (sales, seen) = (self.sales(product), self.views_in_stock(product));
        let rates = vec![conversion_rate(sales, seen).unwrap_or(pooled); sales.len()];
        let record = SalesRecord {
            sales,
            views_out_of_stock: Some(self.views_out_of_stock(product)),
            conversion: Some(&rates),
            ..SalesRecord::default()
        };
        corrected_demand(&record).map_or_else(|_| sales.to_vec(), |demand| demand.units)
    }

    fn pooled_conversion(&self) -> f64 {
        let sum = |path: fn(&Self, usize) -> &[f64]| -> f64 {
            (0..self.products.len())
                .map(|i| path(self, i).iter().sum::<f64>())
                .sum()
        };
        let views = sum(Self::views_in_stock);
        if views > 0.0 {
            sum(Self::sales) / views
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::WorldConfig;

    #[test]
    fn sales_fall_short_of_demand_and_the_correction_makes_it_up() {
        let config = WorldConfig {
            products: 150,
            weeks: 104,
            safety: 0.8,
            seed: 2,
            ..WorldConfig::default()
        };
        let world = World::new(&config).unwrap();
        let total = |column| {
            let panel = world.panel(column).unwrap();
            let cells = (0..150).flat_map(|i| (0..104).map(move |week| (i, week)));
            cells.map(|(i, week)| panel.demand(i, week)).sum::<f64>()
        };
        let (truth, sales, corrected) = (
            total(DemandColumn::Truth),
            total(DemandColumn::Sales),
            total(DemandColumn::Corrected),
        );
        assert!(sales < 0.9 * truth, "{sales} {truth}");
        assert!(
            (corrected / truth - 1.0).abs() < 0.02,
            "{corrected} {truth}"
        );
    }

    #[test]
    fn a_dead_product_is_not_present() {
        let world = World::new(&WorldConfig {
            products: 40,
            weeks: 60,
            deaths: 1.0,
            ..WorldConfig::default()
        })
        .unwrap();
        let panel = world.panel(DemandColumn::Truth).unwrap();
        for (i, product) in world.products().iter().enumerate() {
            for week in 0..60 {
                assert_eq!(
                    panel.present(i, week),
                    (product.born..product.dies).contains(&week)
                );
            }
        }
    }
}
