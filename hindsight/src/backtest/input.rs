//! Which column of the file means what: arguments and their defaults.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use exo_idp::backtest::Notice;
use exo_idp::io::{
    Columns, Cost, ReadError, RowProblem, SalesColumns, SalesTable, Settings, Weekday,
};
use sheet::{Problem, Sheet};

use crate::error::CliError;
use crate::inputs::Inputs;
use crate::progress::Progress;
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
        value_parser = PossibleValuesParser::new(Weekday::ALL.map(Weekday::name)).try_map(|name| name.parse::<Weekday>()),
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
    /// Column of the week: whole numbers that grow by one a week, or the date (2017-08-15, 15.08.2017) of one weekday
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
    pub(crate) fn bundled() -> Self {
        Input {
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

    /// The columns as the reader takes them.
    fn columns(&self) -> Columns {
        let name = |given: &Option<String>, usual: &str| given.clone().unwrap_or(usual.to_owned());
        Columns {
            product: self.product.clone(),
            week: self.week.clone(),
            demand: name(&self.demand, "demand"),
            sales: self.sales.as_ref().map(|sold| SalesColumns {
                sold: sold.clone(),
                in_stock: self.in_stock.clone(),
                views_out: self.views_out.clone(),
                views_in: self.views_in.clone(),
                conversion: self.conversion.clone(),
            }),
            price: self.price.clone(),
            cost: match self.cost_share {
                Some(share) => Cost::Share(share),
                None => Cost::Column(name(&self.cost, "cost")),
            },
            orders: self.orders.clone(),
            covariates: self.covariate.clone(),
            planned: self.planned.clone(),
            groups: self.group.clone(),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            missing_is_zero: self.missing_is_zero,
            least_weeks: self.drop_short.unwrap_or(0),
            daily: self.daily,
        }
    }

    /// Reads a sales file.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for anything wrong with the arguments, in the file or with its columns, [`CliError::System`] if the disk fails.
    pub(crate) fn read(&self, inputs: &Inputs, path: &Path) -> Result<SalesTable, CliError> {
        let checked = self.columns().check();
        checked.map_err(|error| self.explain(error))?;
        self.read_from(&mut self.format.open(inputs, path)?)
    }

    /// Reads an open sheet.
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    pub(crate) fn read_from(&self, sheet: &mut Sheet) -> Result<SalesTable, CliError> {
        let progress = Progress::new("reading rows", None);
        let table = exo_idp::io::read(sheet, &self.columns(), &self.settings(), |rows| {
            progress.at(rows);
        });
        progress.finish();
        table.map_err(|error| self.explain(error))
    }

    /// The reader's error in the words of the arguments.
    fn explain(&self, error: ReadError) -> CliError {
        let no_cost = self.cost.is_none() && lacks_cost(&error);
        match explain(error, "--") {
            CliError::Input(words) if no_cost => CliError::Input(format!(
                "{words}; without costs, --cost-share 0.7 takes 70 % of the price"
            )),
            other => other,
        }
    }
}

/// An error of a table in the words of the arguments, which all begin alike.
pub(super) fn explain(error: ReadError, prefix: &str) -> CliError {
    let argument = |purpose: &str| format!("{prefix}{}", purpose.replace('_', "-"));
    match error {
        ReadError::Sheet(mut error) => {
            if let Problem::NoColumn { purpose, .. } = &mut *error.problem {
                *purpose = argument(purpose);
            }
            error.into()
        }
        ReadError::Row { ref problem, .. }
            if matches!(
                **problem,
                RowProblem::Repeated { .. } | RowProblem::BeginsAnew { .. }
            ) =>
        {
            const HINT: &str =
                "(where several columns make a product, --product names them all: store,item)";
            CliError::Input(format!("{error} {HINT}"))
        }
        ReadError::CostShare { share } => {
            CliError::argument("--cost-share", share, "must lie above 0 and not above 1")
        }
        ReadError::SalesAlone { sales } => CliError::argument(
            "--sales",
            sales,
            "cannot be told from demand without --in-stock or --views-out (--demand takes them as demand)",
        ),
        ReadError::NoConversion { sales } => CliError::argument(
            "--sales",
            sales,
            "need --conversion, or --views-in to estimate it, beside --views-out",
        ),
        ReadError::NoName { purpose, name } => {
            CliError::argument(&argument(purpose), format!("{name:?}"), "is no column name")
        }
        ReadError::Twice { name } => {
            CliError::argument("--covariate", name, "is given twice, or as --planned too")
        }
        ReadError::Number { purpose, problem } => {
            CliError::Input(format!("{} {problem}", argument(purpose)))
        }
        other => CliError::Input(other.to_string()),
    }
}

/// Whether a table has no column of costs.
fn lacks_cost(error: &ReadError) -> bool {
    matches!(error, ReadError::Sheet(error)
        if matches!(&*error.problem, Problem::NoColumn { purpose, .. } if purpose == "cost"))
}

/// A notice of the reader, with the argument that would change it.
pub(super) fn notice_words(notice: &Notice) -> String {
    match notice {
        Notice::Daily {
            incomplete: 1.., ..
        } => {
            format!("{notice} (--missing-is-zero takes their missing days for days without demand)")
        }
        other => other.to_string(),
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
            let path = Path::new("no file is opened");
            input
                .read(&Inputs::default(), path)
                .unwrap_err()
                .to_string()
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

    #[test]
    fn what_the_table_says_is_told_with_the_arguments() {
        let wrong = |text: &'static str, change: fn(&mut Input)| {
            let mut input = Input::default();
            change(&mut input);
            let format = input.format.checked().unwrap();
            let mut sheet = Sheet::from_reader(text.as_bytes(), "f.csv", format).unwrap();
            let error = input.read_from(&mut sheet).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
            error.to_string()
        };
        let costless = "product,week,demand,price\na,1,1,2\n";
        let told = wrong(costless, |_| {});
        assert!(
            told.contains(" for --cost (the") && told.contains("--cost-share"),
            "{told}"
        );
        assert!(
            !wrong(costless, |input| input.cost = Some("c".to_owned())).contains("--cost-share")
        );
        let told = wrong(costless, |input| input.cost = Some("-1".to_owned()));
        assert_eq!(told, "--cost \"-1\" is negative");
        let twice = "product,week,demand,price,cost\na,1,1,2,1\na,1,1,2,1\n";
        let told = wrong(twice, |_| {});
        assert!(told.ends_with("a duplicated row (where several columns make a product, --product names them all: store,item)"), "{told}");
    }

    #[test]
    fn a_notice_names_the_argument_that_would_change_it() {
        let daily = |incomplete| Notice::Daily {
            first: "2021-03-08".to_owned(),
            dropped: Vec::new(),
            incomplete,
        };
        assert!(!notice_words(&daily(0)).contains("--missing-is-zero"));
        assert!(notice_words(&daily(2)).contains(
            "2 weeks of products with fewer than seven days were left out (--missing-is-zero takes"
        ));
    }
}
