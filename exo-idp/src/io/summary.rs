//! What the columns of a sales table hold, in three numbers each.

use super::table::SalesTable;
use crate::count::count;

/// The least, mean and greatest value of a column over the weeks that have a row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnSummary {
    /// What the column is: `demand` or `sales`, `price`, `cost`, `in stock`, `views while out`, `views while in`, `conversion`, `orders`, or the covariate's name.
    pub name: String,
    /// Whether it is a covariate that is known in advance.
    pub planned: bool,
    /// The least value.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The greatest value.
    pub largest: f64,
}

impl SalesTable {
    /// A summary of every column that is there, covariates last.
    #[must_use]
    pub fn summaries(&self) -> Vec<ColumnSummary> {
        let (units, read) = match &self.sales {
            Some(sales) => ("sales", sales),
            None => ("demand", &self.demand),
        };
        let stock = &self.stock;
        let columns = [
            (units, Some(read)),
            ("price", Some(&self.price)),
            ("cost", Some(&self.cost)),
            ("in stock", stock.in_stock.as_ref()),
            ("views while out", stock.views_out.as_ref()),
            ("views while in", stock.views_in.as_ref()),
            ("conversion", stock.conversion.as_ref()),
            ("orders", self.orders.as_ref()),
        ];
        let columns = columns.into_iter();
        let columns = columns.filter_map(|(name, values)| Some((name, false, values?)));
        let covariates = self.covariates.iter();
        let covariates = covariates.map(|own| (own.name.as_str(), own.planned, &own.values));
        let all = columns.chain(covariates);
        all.map(|(name, planned, values)| self.summary(name, planned, values))
            .collect()
    }

    fn summary(&self, name: &str, planned: bool, values: &[f64]) -> ColumnSummary {
        let recorded = values.iter().zip(&self.recorded);
        let recorded = recorded.filter(|(_, recorded)| **recorded);
        let values: Vec<f64> = recorded.map(|(value, _)| *value).collect();
        let total: f64 = values.iter().sum();
        ColumnSummary {
            name: name.to_owned(),
            planned,
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            mean: total / count(values.len().max(1)),
            largest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}
