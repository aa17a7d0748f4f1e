//! Demand behind a record of sales: what was sold, and what would have been sold had there been stock.
//!
//! A policy trained on sales learns to starve: it orders little, sells little, and takes that for demand. The repair of Madeka et al.
//! (arXiv 2210.03137) is
//! $$ D = \text{sales} + \text{conversion} \times \text{views while out of stock}. $$
//! Without views, weeks that were not in stock throughout can only be marked as unknown. Without any word on stock there is no
//! telling, and the functions here refuse.

/// An error of the censored-demand correction.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CensorError {
    /// The record says nothing on stock.
    #[error(
        "the record holds neither a share in stock nor views while out of stock: sales cannot be told from demand"
    )]
    NoStockInformation,
    /// Out-of-stock views without a conversion rate or the in-stock views to estimate it from.
    #[error(
        "views while out of stock need a conversion rate, or views while in stock to estimate it"
    )]
    NoConversion,
    /// No view was ever counted while in stock.
    #[error("no views while in stock: a conversion rate cannot be estimated")]
    NoViews,
    /// A column has the wrong number of weeks.
    #[error("{column}: {found} weeks, expected {expected}")]
    Length {
        /// The column.
        column: &'static str,
        /// Weeks it has.
        found: usize,
        /// Weeks it must have.
        expected: usize,
    },
    /// A value is outside its domain.
    #[error("{column} in week {week} is {value}, expected {domain}")]
    Cell {
        /// The column.
        column: &'static str,
        /// The week's number.
        week: usize,
        /// The value.
        value: f64,
        /// The domain, in words.
        domain: &'static str,
    },
}

/// What the record shows of one product, week by week; columns that do not exist are `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SalesRecord<'a> {
    /// Units sold.
    pub sales: &'a [f64],
    /// Share of the week with stock on hand, from 0 to 1.
    pub in_stock: Option<&'a [f64]>,
    /// Page views while in stock.
    pub views_in_stock: Option<&'a [f64]>,
    /// Page views while out of stock.
    pub views_out_of_stock: Option<&'a [f64]>,
    /// Units per page view while in stock.
    pub conversion: Option<&'a [f64]>,
}

/// Demand as far as the record tells it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CorrectedDemand {
    /// Units of demand; sales alone in weeks that are not known.
    pub units: Vec<f64>,
    /// Whether the week's demand is known: corrected by views, or in stock throughout.
    pub known: Vec<bool>,
}

/// Demand behind the sales of one product.
///
/// With views while out of stock, the paper's correction; the conversion rate is the record's, or else, our formulation, sales over
/// views while in stock, all weeks together ([`conversion_rate`]). With only the share in stock, weeks not in stock throughout
/// are left as sales and marked as not known.
///
/// ```
/// use hindsight_exo_idp::censor::{SalesRecord, corrected_demand};
/// let record = SalesRecord {
///     sales: &[10.0, 4.0],
///     views_in_stock: Some(&[100.0, 40.0]),
///     views_out_of_stock: Some(&[0.0, 50.0]),
///     ..SalesRecord::default()
/// };
/// assert_eq!(corrected_demand(&record)?.units, [10.0, 9.0]);
/// // Sales alone are not demand.
/// assert!(corrected_demand(&SalesRecord { sales: &[10.0, 4.0], ..SalesRecord::default() }).is_err());
/// # Ok::<(), hindsight_exo_idp::censor::CensorError>(())
/// ```
///
/// # Errors
/// The record says nothing on stock, a conversion rate is needed and cannot be had, columns differ in length, or a value is
/// negative, not finite or, for shares, above one.
pub fn corrected_demand(record: &SalesRecord<'_>) -> Result<CorrectedDemand, CensorError> {
    let weeks = record.sales.len();
    check("sales", Some(record.sales), weeks, f64::MAX)?;
    check("in-stock share", record.in_stock, weeks, 1.0)?;
    check(
        "views while in stock",
        record.views_in_stock,
        weeks,
        f64::MAX,
    )?;
    check(
        "views while out of stock",
        record.views_out_of_stock,
        weeks,
        f64::MAX,
    )?;
    check("conversion", record.conversion, weeks, f64::MAX)?;
    if let Some(views) = record.views_out_of_stock {
        let units = match (record.conversion, record.views_in_stock) {
            (Some(rates), _) => record
                .sales
                .iter()
                .zip(views)
                .zip(rates)
                .map(|((sold, missed), rate)| sold + rate * missed)
                .collect(),
            (None, Some(seen)) => {
                // A record never out of stock needs no rate.
                let rate = if views.iter().any(|v| *v > 0.0) {
                    conversion_rate(record.sales, seen)?
                } else {
                    0.0
                };
                record
                    .sales
                    .iter()
                    .zip(views)
                    .map(|(sold, missed)| sold + rate * missed)
                    .collect()
            }
            (None, None) => return Err(CensorError::NoConversion),
        };
        return Ok(CorrectedDemand {
            units,
            known: vec![true; weeks],
        });
    }
    let in_stock = record.in_stock.ok_or(CensorError::NoStockInformation)?;
    Ok(CorrectedDemand {
        units: record.sales.to_vec(),
        known: in_stock.iter().map(|share| *share >= 1.0).collect(),
    })
}

/// Units sold per page view while in stock, over all weeks together.
///
/// # Errors
/// The columns differ in length, a value is negative or not finite, or there is no view.
pub fn conversion_rate(sales: &[f64], views_in_stock: &[f64]) -> Result<f64, CensorError> {
    check("sales", Some(sales), sales.len(), f64::MAX)?;
    check(
        "views while in stock",
        Some(views_in_stock),
        sales.len(),
        f64::MAX,
    )?;
    let views: f64 = views_in_stock.iter().sum();
    if views <= 0.0 {
        return Err(CensorError::NoViews);
    }
    Ok(sales.iter().sum::<f64>() / views)
}

fn check(
    column: &'static str,
    values: Option<&[f64]>,
    weeks: usize,
    most: f64,
) -> Result<(), CensorError> {
    let Some(values) = values else { return Ok(()) };
    if values.len() != weeks {
        return Err(CensorError::Length {
            column,
            found: values.len(),
            expected: weeks,
        });
    }
    let domain = if most > 1.0 {
        "a finite number, at least zero"
    } else {
        "a number from 0 to 1"
    };
    match values.iter().position(|v| !(0.0..=most).contains(v)) {
        Some(week) => Err(CensorError::Cell {
            column,
            week,
            value: values[week],
            domain,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{World, WorldConfig};

    #[test]
    fn sales_alone_are_refused() {
        let record = SalesRecord {
            sales: &[1.0],
            ..SalesRecord::default()
        };
        assert_eq!(
            corrected_demand(&record),
            Err(CensorError::NoStockInformation)
        );
        let record = SalesRecord {
            sales: &[1.0],
            views_out_of_stock: Some(&[3.0]),
            ..SalesRecord::default()
        };
        assert_eq!(corrected_demand(&record), Err(CensorError::NoConversion));
        let record = SalesRecord {
            views_in_stock: Some(&[0.0]),
            ..record
        };
        assert_eq!(corrected_demand(&record), Err(CensorError::NoViews));
    }

    #[test]
    fn bad_cells_are_named() {
        let record = SalesRecord {
            sales: &[1.0, 2.0],
            in_stock: Some(&[1.0, 1.2]),
            ..SalesRecord::default()
        };
        assert!(matches!(
            corrected_demand(&record),
            Err(CensorError::Cell {
                column: "in-stock share",
                week: 1,
                ..
            })
        ));
        let record = SalesRecord {
            sales: &[1.0, f64::NAN],
            ..record
        };
        assert!(matches!(
            corrected_demand(&record),
            Err(CensorError::Cell {
                column: "sales",
                week: 1,
                ..
            })
        ));
        let record = SalesRecord {
            sales: &[1.0],
            in_stock: Some(&[]),
            ..SalesRecord::default()
        };
        assert!(matches!(
            corrected_demand(&record),
            Err(CensorError::Length {
                found: 0,
                expected: 1,
                ..
            })
        ));
    }

    #[test]
    fn a_mask_leaves_censored_weeks_unknown() {
        let record = SalesRecord {
            sales: &[5.0, 2.0],
            in_stock: Some(&[1.0, 0.4]),
            ..SalesRecord::default()
        };
        let demand = corrected_demand(&record).unwrap();
        assert_eq!(demand.known, [true, false]);
        assert_eq!(demand.units, [5.0, 2.0]);
    }

    /// On the synthetic world, whose true demand is known, sales fall far short and corrected demand does not.
    #[test]
    fn correction_is_unbiased_where_views_convert_alike_in_and_out_of_stock() {
        let config = WorldConfig {
            products: 150,
            weeks: 104,
            seed: 5,
            safety: 0.8,
            ..WorldConfig::default()
        };
        let world = World::new(&config).unwrap();
        let (mut error, mut variance, mut lost, mut total) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..config.products {
            let rate = vec![world.products()[i].conversion; config.weeks];
            let record = SalesRecord {
                sales: world.sales(i),
                views_out_of_stock: Some(world.views_out_of_stock(i)),
                conversion: Some(&rate),
                ..SalesRecord::default()
            };
            let corrected = corrected_demand(&record).unwrap();
            for ((units, truth), (sold, missed)) in corrected
                .units
                .iter()
                .zip(world.demand(i))
                .zip(world.sales(i).iter().zip(world.views_out_of_stock(i)))
            {
                error += units - truth;
                // Given the views, missed demand is binomial.
                variance += missed * rate[0] * (1.0 - rate[0]);
                lost += truth - sold;
                total += truth;
            }
        }
        assert!(
            lost > 0.1 * total,
            "the logged policy loses {lost} of {total}"
        );
        // Five standard errors, below one false alarm in a million; the raw record is ten times further off.
        assert!(
            error.abs() < 5.0 * variance.sqrt(),
            "{error} {}",
            variance.sqrt()
        );
        assert!(lost > 50.0 * variance.sqrt());
    }
}
