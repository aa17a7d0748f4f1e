//! Which column of the file means what: arguments and their defaults.

use std::path::PathBuf;

use clap::Args;

use super::week::Weekday;
use crate::error::CliError;
use crate::table::Format;

/// Columns of the file.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Columns of the file")]
pub(crate) struct Input {
    /// CSV file (plain, gzip or zstd), one row per product and week, with a header; `-` reads the standard input. Without it the
    /// bundled orange-juice data are used
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
    /// Leave out products with fewer weeks than this, instead of refusing a product with one week
    #[arg(long, value_name = "WEEKS", help_heading = "Input")]
    pub(crate) drop_short: Option<usize>,
    /// Take a week without a row, between a product's first and last, as a week without demand (files that list only what
    /// sold); by default such a week is unknown and is not scored
    #[arg(long, help_heading = "Input")]
    pub(crate) missing_is_zero: bool,
    /// One row per product and day (dates): days are summed to weeks that begin on this weekday, prices and the like averaged; weeks
    /// with fewer than seven days are left out, but for those that --missing-is-zero fills
    #[arg(
        long,
        value_name = "WEEKDAY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "monday",
        help_heading = "Input"
    )]
    pub(crate) daily: Option<Weekday>,
    /// Column that names the product; several, separated by commas, are joined
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN]",
        value_delimiter = ',',
        default_value = "product"
    )]
    pub(crate) product: Vec<String>,
    /// Column of the week: whole numbers that grow by one a week, or the date (2017-08-15) of one weekday
    #[arg(long, value_name = "COLUMN", default_value = "week")]
    pub(crate) week: String,
    /// Column of demand in units a week, lost sales included [default: demand]
    #[arg(long, value_name = "COLUMN", conflicts_with = "sales")]
    pub(crate) demand: Option<String>,
    /// Column of units sold, where demand was cut short by stock-outs: see the next four
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sales: Option<String>,
    /// Column of the share of the week in stock, 0 to 1
    #[arg(long, value_name = "COLUMN", requires = "sales")]
    pub(crate) in_stock: Option<String>,
    /// Column of page views while out of stock: demand = sales + conversion x these views
    #[arg(long, value_name = "COLUMN", requires = "sales")]
    pub(crate) views_out: Option<String>,
    /// Column of page views while in stock, from which conversion is estimated where it is not given
    #[arg(long, value_name = "COLUMN", requires = "views_out")]
    pub(crate) views_in: Option<String>,
    /// Column of units sold per view, or one number for all
    #[arg(long, value_name = "COLUMN|NUMBER", requires = "views_out")]
    pub(crate) conversion: Option<String>,
    /// Column of the selling price per unit, or one number for all
    #[arg(long, value_name = "COLUMN|NUMBER", default_value = "price")]
    pub(crate) price: String,
    /// Column of the purchase cost per unit, or one number for all [default: cost]
    #[arg(long, value_name = "COLUMN|NUMBER", conflicts_with = "cost_share")]
    pub(crate) cost: Option<String>,
    /// Purchase cost as a share of the price, where the file has no cost: above 0, at most 1
    #[arg(long, value_name = "SHARE")]
    pub(crate) cost_share: Option<f64>,
    /// Column of the units that were really ordered in the week: replayed as one more policy, "own orders"
    #[arg(long, value_name = "COLUMN")]
    pub(crate) orders: Option<String>,
    /// Column of a further number that is known when the week begins (repeat for more)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) covariate: Vec<String>,
    /// The same, but known weeks ahead: promotions, holidays (repeat for more)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) planned: Vec<String>,
    /// Column of a trait of the product by which results are grouped: brand, store (repeat for more)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Vec<String>,
}

impl Input {
    /// The meaning of the bundled file's columns.
    pub(crate) fn bundled(data: PathBuf) -> Self {
        Input {
            data: Some(data),
            planned: vec!["deal".to_owned(), "feat".to_owned()],
            covariate: vec!["rival_price".to_owned()],
            group: vec!["brand".to_owned(), "store".to_owned()],
            ..Input::default()
        }
    }

    /// Whether any column was named: then the bundled file, whose columns are known, is not meant.
    pub(crate) fn names_columns(&self) -> bool {
        let plain = Input::default();
        self.product != plain.product
            || self.week != plain.week
            || self.price != plain.price
            || [
                &self.demand,
                &self.sales,
                &self.in_stock,
                &self.views_out,
                &self.views_in,
                &self.conversion,
                &self.cost,
                &self.orders,
            ]
            .iter()
            .any(|name| name.is_some())
            || [&self.covariate, &self.planned, &self.group]
                .iter()
                .any(|names| !names.is_empty())
            || self.cost_share.is_some()
            || self.daily.is_some()
    }

    /// Checks what the arguments alone can tell.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the argument and its value.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if let Some(share) = self.cost_share
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(CliError::argument(
                "--cost-share",
                share,
                "must lie above 0 and not above 1",
            ));
        }
        if let Some(sales) = &self.sales {
            let problem = if self.in_stock.is_none() && self.views_out.is_none() {
                "cannot be told from demand without --in-stock or --views-out (--demand takes them as demand)"
            } else if self.views_out.is_some()
                && self.conversion.is_none()
                && self.views_in.is_none()
            {
                "need --conversion, or --views-in to estimate it, beside --views-out"
            } else {
                ""
            };
            if !problem.is_empty() {
                return Err(CliError::argument("--sales", sales, problem));
            }
        }
        self.format.checked()?;
        for (argument, name) in self.named() {
            if name.trim().is_empty() {
                return Err(CliError::argument(
                    argument,
                    format!("{name:?}"),
                    "is no column name",
                ));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for name in self.covariate.iter().chain(&self.planned) {
            if seen.contains(&name.as_str()) {
                return Err(CliError::argument(
                    "--covariate",
                    name,
                    "is given twice, or as --planned too",
                ));
            }
            seen.push(name);
        }
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let single = [
            ("--week", Some(&self.week)),
            ("--demand", self.demand.as_ref()),
            ("--sales", self.sales.as_ref()),
            ("--in-stock", self.in_stock.as_ref()),
            ("--views-out", self.views_out.as_ref()),
            ("--views-in", self.views_in.as_ref()),
            ("--conversion", self.conversion.as_ref()),
            ("--price", Some(&self.price)),
            ("--cost", self.cost.as_ref()),
            ("--orders", self.orders.as_ref()),
        ];
        let many = [
            ("--product", &self.product),
            ("--covariate", &self.covariate),
            ("--planned", &self.planned),
            ("--group", &self.group),
        ];
        let many = many
            .into_iter()
            .flat_map(|(argument, names)| names.iter().map(move |name| (argument, name)));
        single
            .into_iter()
            .filter_map(|(argument, name)| Some((argument, name?)))
            .chain(many)
    }
}

impl Default for Input {
    fn default() -> Self {
        Input {
            data: None,
            format: Format::default(),
            drop_short: None,
            missing_is_zero: false,
            daily: None,
            product: vec!["product".to_owned()],
            week: "week".to_owned(),
            demand: None,
            sales: None,
            in_stock: None,
            views_out: None,
            views_in: None,
            conversion: None,
            price: "price".to_owned(),
            cost: None,
            cost_share: None,
            orders: None,
            covariate: Vec::new(),
            planned: Vec::new(),
            group: Vec::new(),
        }
    }
}

/// Where the bundled data are: `data/orange_juice.csv.gz` in the working folder or above it, or above the program itself.
pub(crate) fn bundled_file() -> Option<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts.into_iter().flatten().find_map(|start| {
        start
            .ancestors()
            .map(|folder| folder.join("data").join("orange_juice.csv.gz"))
            .find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        input: Input,
    }

    #[test]
    fn the_defaults_are_those_of_the_parser() {
        let input = Cli::try_parse_from(["x"]).unwrap().input;
        assert_eq!(format!("{input:?}"), format!("{:?}", Input::default()));
        assert!(!input.names_columns());
        assert!(
            Cli::try_parse_from(["x", "--planned", "deal"])
                .unwrap()
                .input
                .names_columns()
        );
    }

    #[test]
    fn arguments_that_exclude_each_other() {
        for wrong in [
            vec!["x", "--demand", "a", "--sales", "b"],
            vec!["x", "--cost", "a", "--cost-share", "0.5"],
            vec!["x", "--views-out", "a", "--conversion", "b"],
            vec!["x", "--sales", "a", "--views-in", "b"],
            vec!["x", "--in-stock", "a"],
        ] {
            assert!(Cli::try_parse_from(wrong.clone()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn values_out_of_range_are_told() {
        let wrong = |change: fn(&mut Input)| {
            let mut input = Input::default();
            change(&mut input);
            input.check().unwrap_err().to_string()
        };
        assert!(
            wrong(|input| input.sales = Some("sold".to_owned()))
                .contains("--sales sold: cannot be told from demand")
        );
        assert!(
            wrong(|input| {
                input.sales = Some("sold".to_owned());
                input.views_out = Some("views".to_owned());
            })
            .contains("--conversion")
        );
        assert!(wrong(|input| input.cost_share = Some(1.5)).contains("--cost-share 1.5"));
        assert!(wrong(|input| input.cost_share = Some(f64::NAN)).contains("--cost-share NaN"));
        assert!(
            wrong(|input| input.format.delimiter = Some("::".to_owned())).contains("--delimiter")
        );
        assert!(
            wrong(|input| input.planned = vec!["a".to_owned(), "a".to_owned()]).contains("twice")
        );
        assert!(wrong(|input| input.group = vec![" ".to_owned()]).contains("--group"));
    }
}
