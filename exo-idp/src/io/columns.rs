//! Which column of a sales table means what.

use super::error::ReadError;
use super::weekday::Weekday;

/// The names of the columns of a sales table.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Those that name the product; the texts of several are joined by `/`. Default `product`.
    pub product: Vec<String>,
    /// The week: whole numbers that grow by one a week, dates of one weekday, or ISO weeks. Default `week`.
    pub week: String,
    /// Demand in units, lost sales included; of no account where `sales` is given. Default `demand`.
    pub demand: String,
    /// Units sold, where stock-outs cut demand short.
    pub sales: Option<SalesColumns>,
    /// Selling price per unit, or one number for all rows. Default `price`.
    pub price: String,
    /// Purchase cost per unit. Default the column `cost`.
    pub cost: Cost,
    /// Units that were really ordered.
    pub orders: Option<String>,
    /// Numbers that are known when the week begins.
    pub covariates: Vec<String>,
    /// Numbers that are known weeks ahead.
    pub planned: Vec<String>,
    /// Traits of the product, such as its brand: the same in all of its rows.
    pub groups: Vec<String>,
}

/// The columns of units sold, and of what is known of the stock behind them: the share in stock or the views while out of stock at least.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SalesColumns {
    /// Units sold.
    pub sold: String,
    /// Share of the week in stock, 0 to 1.
    pub in_stock: Option<String>,
    /// Page views while out of stock: demand is sales plus conversion times these.
    pub views_out: Option<String>,
    /// Page views while in stock, from which conversion is estimated where it is not given.
    pub views_in: Option<String>,
    /// Units sold per view, or one number for all rows.
    pub conversion: Option<String>,
}

/// Where the purchase cost comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Cost {
    /// A column of costs per unit, or one number for all rows.
    Column(String),
    /// A share of the price: above 0, at most 1.
    Share(f64),
}

/// How rows become weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether a week without a row, between a product's first and last, is one without demand. Otherwise its demand is unknown.
    pub missing_is_zero: bool,
    /// Fewer weeks than this, or than 2, are too few: such products are left out.
    pub least_weeks: usize,
    /// Where rows are days (dates): the day on which weeks begin. Units are summed to weeks, other numbers averaged; weeks
    /// with fewer than seven days are left out, but for those that `missing_is_zero` fills.
    pub daily: Option<Weekday>,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            product: vec!["product".to_owned()],
            week: "week".to_owned(),
            demand: "demand".to_owned(),
            sales: None,
            price: "price".to_owned(),
            cost: Cost::default(),
            orders: None,
            covariates: Vec::new(),
            planned: Vec::new(),
            groups: Vec::new(),
        }
    }
}

impl Default for Cost {
    fn default() -> Self {
        Cost::Column("cost".to_owned())
    }
}

impl Columns {
    /// Checks what the names alone can tell. [`read`](super::read) does it too.
    ///
    /// # Errors
    /// A cost that is no share of the price, sales without a word on stock, no column of products, an empty name, a covariate named twice.
    pub fn check(&self) -> Result<(), ReadError> {
        if let Cost::Share(share) = self.cost
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(ReadError::CostShare { share });
        }
        if let Some(sales) = &self.sales {
            let sold = || sales.sold.clone();
            if sales.in_stock.is_none() && sales.views_out.is_none() {
                return Err(ReadError::SalesAlone { sales: sold() });
            }
            let converts = sales.conversion.is_some() || sales.views_in.is_some();
            if sales.views_out.is_some() && !converts {
                return Err(ReadError::NoConversion { sales: sold() });
            }
        }
        if self.product.is_empty() {
            return Err(ReadError::no_product());
        }
        let empty = |(_, name): &(&str, &str)| name.trim().is_empty();
        if let Some((purpose, name)) = self.named().into_iter().find(empty) {
            let name = name.to_owned();
            return Err(ReadError::NoName { purpose, name });
        }
        let mut seen: Vec<&str> = Vec::new();
        for name in self.covariates.iter().chain(&self.planned) {
            if seen.contains(&name.as_str()) {
                let name = name.clone();
                return Err(ReadError::Twice { name });
            }
            seen.push(name);
        }
        Ok(())
    }

    /// Every name with what it is for.
    fn named(&self) -> Vec<(&'static str, &str)> {
        let mut all = vec![("week", self.week.as_str()), ("price", &self.price)];
        match &self.sales {
            None => all.push(("demand", &self.demand)),
            Some(sales) => all.push(("sales", &sales.sold)),
        }
        let stock = self.sales.iter().flat_map(|sales| {
            [
                ("in_stock", &sales.in_stock),
                ("views_out", &sales.views_out),
                ("views_in", &sales.views_in),
                ("conversion", &sales.conversion),
            ]
        });
        for (purpose, name) in stock.chain([("orders", &self.orders)]) {
            all.extend(name.as_ref().map(|name| (purpose, name.as_str())));
        }
        if let Cost::Column(name) = &self.cost {
            all.push(("cost", name));
        }
        for (purpose, names) in [
            ("product", &self.product),
            ("covariate", &self.covariates),
            ("planned", &self.planned),
            ("group", &self.groups),
        ] {
            all.extend(names.iter().map(|name| (purpose, name.as_str())));
        }
        all
    }
}
