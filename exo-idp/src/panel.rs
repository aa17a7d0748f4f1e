//! Recorded demand, prices and costs, validated.

use crate::error::Error;

/// One covariate of a panel.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Covariate {
    /// Its name.
    pub name: String,
    /// Whether its value of a week is known weeks before, as a planned promotion is; otherwise a policy sees it a week late.
    pub planned: bool,
    /// Its values, product by product, weeks contiguous.
    pub values: Vec<f64>,
}

/// The columns from which a [`Panel`] is made: product by product, weeks contiguous, `products * weeks` numbers each.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Units wanted in the week, lost sales included; not the units sold. See [`censor`](crate::censor).
    pub demand: Vec<f64>,
    /// Selling price, money per unit.
    pub price: Vec<f64>,
    /// Purchase cost, money per unit.
    pub cost: Vec<f64>,
    /// Whether the product was on sale in the week and its demand is known: before its first and after its last week, and in missing
    /// weeks, it is not.
    pub present: Vec<bool>,
    /// Whatever else is known.
    pub covariates: Vec<Covariate>,
}

/// Recorded demand, prices and costs of products over weeks, validated: the exogenous record that policies are replayed on.
///
/// Demand is at least zero, prices and costs are positive, covariates are finite in every week that is present; in other weeks
/// demand counts as zero and prices and costs are carried over from the nearest week that is present.
///
/// ```
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::Panel;
/// let columns = Columns {
///     demand: vec![3.0, 0.0, 5.0],
///     price: vec![2.0, 2.0, 1.5],
///     cost: vec![1.0, 1.0, 1.0],
///     present: vec![true, true, true],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["juice".into()], 3, columns)?;
/// assert_eq!(panel.demand(0, 2), 5.0);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Panel {
    names: Vec<String>,
    weeks: usize,
    demand: Vec<f64>,
    price: Vec<f64>,
    cost: Vec<f64>,
    present: Vec<bool>,
    /// Weeks on sale whose demand is not known; empty where there are none.
    unknown: Vec<bool>,
    covariates: Vec<Covariate>,
}

impl Panel {
    /// A panel of named products over `weeks` weeks.
    ///
    /// # Errors
    /// When there are no products or fewer than two weeks, a column has the wrong length, a demand is negative, a price or cost is
    /// not positive, or any value in a week that is present is not finite; the error names the product and the week.
    pub fn new(names: Vec<String>, weeks: usize, columns: Columns) -> Result<Panel, Error> {
        let products = names.len();
        if products == 0 {
            return Err(Error::Empty("the list of products"));
        }
        if weeks < 2 {
            return Err(Error::Weeks {
                what: "a panel needs two weeks",
                start: 0,
                end: weeks,
                weeks,
            });
        }
        let Columns {
            mut demand,
            mut price,
            mut cost,
            present,
            covariates,
        } = columns;
        let cells = products * weeks;
        let length = |array: &str, found: usize| {
            if found == cells {
                Ok(())
            } else {
                Err(Error::Length {
                    array: array.into(),
                    expected: cells,
                    found,
                })
            }
        };
        length("demand", demand.len())?;
        length("price", price.len())?;
        length("cost", cost.len())?;
        length("present", present.len())?;
        for covariate in &covariates {
            length(&covariate.name, covariate.values.len())?;
        }
        let cell = |column: &str, at: usize, domain, value| {
            let (product, week) = (at / weeks, at % weeks);
            Err(Error::Cell {
                column: column.into(),
                product,
                week,
                domain,
                value,
            })
        };
        for at in (0..cells).filter(|&at| present[at]) {
            if !(demand[at] >= 0.0 && demand[at].is_finite()) {
                return cell("demand", at, "a finite number, at least zero", demand[at]);
            }
            for (column, values) in [("price", &price), ("cost", &cost)] {
                if !(values[at] > 0.0 && values[at].is_finite()) {
                    return cell(column, at, "a positive, finite number", values[at]);
                }
            }
            for covariate in &covariates {
                if !covariate.values[at].is_finite() {
                    return cell(&covariate.name, at, "a finite number", covariate.values[at]);
                }
            }
        }
        let mut covariates = covariates;
        for product in 0..products {
            let span = product * weeks..(product + 1) * weeks;
            if !present[span.clone()].contains(&true) {
                return Err(Error::Weeks {
                    what: "a product is never present",
                    start: 0,
                    end: weeks,
                    weeks,
                });
            }
            for (d, &on) in demand[span.clone()].iter_mut().zip(&present[span.clone()]) {
                *d = if on { *d } else { 0.0 };
            }
            carry(&mut price[span.clone()], &present[span.clone()]);
            carry(&mut cost[span.clone()], &present[span.clone()]);
            for covariate in &mut covariates {
                carry(&mut covariate.values[span.clone()], &present[span.clone()]);
            }
        }
        Ok(Panel {
            names,
            weeks,
            demand,
            price,
            cost,
            present,
            unknown: Vec::new(),
            covariates,
        })
    }

    /// The same record where products were on sale in some more weeks, whose demand is not known: sold out, for instance. Orders can be
    /// placed in such a week and arrive in it; nothing is sold or charged, and nothing is learnt from it. Product by product, weeks
    /// contiguous; weeks that are present stay as they are.
    ///
    /// ```
    /// use hindsight_exo_idp::panel::Columns;
    /// use hindsight_exo_idp::Panel;
    /// let columns = Columns {
    ///     demand: vec![3.0, 0.0, 5.0],
    ///     price: vec![2.0; 3],
    ///     cost: vec![1.0; 3],
    ///     present: vec![true, false, true],
    ///     covariates: vec![],
    /// };
    /// let panel = Panel::new(vec!["juice".into()], 3, columns)?.with_unknown_demand(vec![false, true, false])?;
    /// assert!(panel.on_sale(0, 1) && !panel.present(0, 1));
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is not one flag for every product and week.
    pub fn with_unknown_demand(mut self, mut unknown: Vec<bool>) -> Result<Panel, Error> {
        if unknown.len() != self.present.len() {
            return Err(Error::Length {
                array: "weeks of unknown demand".into(),
                expected: self.present.len(),
                found: unknown.len(),
            });
        }
        for (unknown, &present) in unknown.iter_mut().zip(&self.present) {
            *unknown &= !present;
        }
        self.unknown = if unknown.contains(&true) {
            unknown
        } else {
            Vec::new()
        };
        Ok(self)
    }

    /// The number of products.
    #[must_use]
    pub fn products(&self) -> usize {
        self.names.len()
    }

    /// The number of weeks.
    #[must_use]
    pub fn weeks(&self) -> usize {
        self.weeks
    }

    /// The products' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn at(&self, product: usize, week: usize) -> usize {
        assert!(week < self.weeks, "week {week} of {}", self.weeks);
        product * self.weeks + week
    }

    /// Demand, prices and costs, in which weeks products are present, and in which more they are on sale (empty for none): product by
    /// product, weeks contiguous.
    pub(crate) fn cells(&self) -> ([&[f64]; 3], [&[bool]; 2]) {
        let numbers = [&self.demand[..], &self.price, &self.cost];
        (numbers, [&self.present, &self.unknown])
    }

    /// Units wanted; zero in a week that is not present.
    ///
    /// # Panics
    /// Like an index into an array, when product or week does not exist; so do the other accessors.
    #[must_use]
    pub fn demand(&self, product: usize, week: usize) -> f64 {
        self.demand[self.at(product, week)]
    }

    /// Selling price, money per unit.
    #[must_use]
    pub fn price(&self, product: usize, week: usize) -> f64 {
        self.price[self.at(product, week)]
    }

    /// Purchase cost, money per unit.
    #[must_use]
    pub fn cost(&self, product: usize, week: usize) -> f64 {
        self.cost[self.at(product, week)]
    }

    /// Whether the product was on sale and its demand is known.
    #[must_use]
    pub fn present(&self, product: usize, week: usize) -> bool {
        self.present[self.at(product, week)]
    }

    /// Whether the product was on sale, so that orders can be placed, be its demand [known](Panel::present) or
    /// [not](Panel::with_unknown_demand).
    #[must_use]
    pub fn on_sale(&self, product: usize, week: usize) -> bool {
        let at = self.at(product, week);
        self.present[at] || self.unknown.get(at).is_some_and(|&unknown| unknown)
    }

    /// Whether there is a week on sale whose demand is not known.
    pub(crate) fn has_unknown_demand(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// The covariates.
    #[must_use]
    pub fn covariates(&self) -> &[Covariate] {
        &self.covariates
    }

    /// The value of covariate `k`.
    #[must_use]
    pub fn covariate(&self, k: usize, product: usize, week: usize) -> f64 {
        self.covariates[k].values[self.at(product, week)]
    }

    /// The same record without what happened in some weeks: no product is present in them. A product may then be present in none.
    pub(crate) fn without(&self, weeks: std::ops::Range<usize>) -> Panel {
        let mut panel = self.clone();
        for product in 0..self.products() {
            let cells = self.at(product, 0) + weeks.start..self.at(product, 0) + weeks.end;
            panel.present[cells.clone()].fill(false);
            if panel.has_unknown_demand() {
                panel.unknown[cells.clone()].fill(false);
            }
            panel.demand[cells].fill(0.0);
        }
        panel
    }

    /// Some of the products in some of the weeks, as the whole record has them: prices are carried over from weeks outside too, and a product
    /// may be present in none.
    pub(crate) fn piece(&self, products: &[usize], weeks: std::ops::Range<usize>) -> Panel {
        fn cells<T: Clone>(
            panel: &Panel,
            values: &[T],
            products: &[usize],
            weeks: &std::ops::Range<usize>,
        ) -> Vec<T> {
            if values.is_empty() {
                return Vec::new();
            }
            let of = |&product: &usize| {
                let first = product * panel.weeks;
                values[first + weeks.start..first + weeks.end]
                    .iter()
                    .cloned()
            };
            products.iter().flat_map(of).collect()
        }
        let covariates = self.covariates.iter().map(|c| Covariate {
            name: c.name.clone(),
            planned: c.planned,
            values: cells(self, &c.values, products, &weeks),
        });
        Panel {
            names: products.iter().map(|&p| self.names[p].clone()).collect(),
            demand: cells(self, &self.demand, products, &weeks),
            price: cells(self, &self.price, products, &weeks),
            cost: cells(self, &self.cost, products, &weeks),
            present: cells(self, &self.present, products, &weeks),
            unknown: cells(self, &self.unknown, products, &weeks),
            covariates: covariates.collect(),
            weeks: weeks.len(),
        }
    }

    /// The panel of some of the products, in the given order.
    ///
    /// # Errors
    /// When none is given, or one does not exist.
    pub fn select(&self, products: &[usize]) -> Result<Panel, Error> {
        self.restrict(products, self.weeks)
    }

    /// The record of some of the products as it stood after `weeks` weeks: what came later is not in it, so that whatever is made from
    /// it cannot have seen it.
    ///
    /// ```
    /// use hindsight_exo_idp::panel::Columns;
    /// use hindsight_exo_idp::Panel;
    /// let columns = Columns {
    ///     demand: vec![3.0, 0.0, 5.0],
    ///     price: vec![2.0; 3],
    ///     cost: vec![1.0; 3],
    ///     present: vec![true; 3],
    ///     covariates: vec![],
    /// };
    /// let panel = Panel::new(vec!["juice".into()], 3, columns)?;
    /// assert_eq!(panel.restrict(&[0], 2)?.weeks(), 2);
    /// assert!(panel.restrict(&[0], 4).is_err());
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When no product is given or one does not exist, there are fewer than two weeks or more than the record has, or a product is present in none of
    /// them.
    pub fn restrict(&self, products: &[usize], weeks: usize) -> Result<Panel, Error> {
        if weeks > self.weeks {
            return Err(Error::Weeks {
                what: "the record ends earlier",
                start: 0,
                end: weeks,
                weeks: self.weeks,
            });
        }
        if let Some(&product) = products.iter().find(|&&product| product >= self.products()) {
            return Err(Error::Product {
                product,
                products: self.products(),
            });
        }
        let first = |product: usize| product * self.weeks..product * self.weeks + weeks;
        fn pick<T: Clone>(
            values: &[T],
            products: &[usize],
            first: impl Fn(usize) -> std::ops::Range<usize>,
        ) -> Vec<T> {
            let of = |&product: &usize| values[first(product)].iter().cloned();
            products.iter().flat_map(of).collect()
        }
        let covariates = self.covariates.iter().map(|c| Covariate {
            name: c.name.clone(),
            planned: c.planned,
            values: pick(&c.values, products, first),
        });
        let columns = Columns {
            demand: pick(&self.demand, products, first),
            price: pick(&self.price, products, first),
            cost: pick(&self.cost, products, first),
            present: pick(&self.present, products, first),
            covariates: covariates.collect(),
        };
        let names = products.iter().map(|&p| self.names[p].clone());
        let panel = Panel::new(names.collect(), weeks, columns)?;
        if self.has_unknown_demand() {
            return panel.with_unknown_demand(pick(&self.unknown, products, first));
        }
        Ok(panel)
    }
}

/// Replaces the values of weeks that are not present by those of the last present week, or the first one.
fn carry(values: &mut [f64], present: &[bool]) {
    let Some(first) = present.iter().position(|&on| on) else {
        return;
    };
    let mut last = values[first];
    for (value, &on) in values.iter_mut().zip(present) {
        if on {
            last = *value;
        } else {
            *value = last;
        }
    }
}

/// Repeats the last recorded value of a column in rows that are not `present`; 0 before the first that is.
///
/// ```
/// let mut price = [2.0, 0.0, 0.0, 3.0];
/// hindsight_exo_idp::panel::carry_forward(&mut price, &[true, false, false, true]);
/// assert_eq!(price, [2.0, 2.0, 2.0, 3.0]);
/// ```
pub fn carry_forward(column: &mut [f64], present: &[bool]) {
    let mut last = 0.0;
    for (value, present) in column.iter_mut().zip(present) {
        if *present {
            last = *value;
        } else {
            *value = last;
        }
    }
}
