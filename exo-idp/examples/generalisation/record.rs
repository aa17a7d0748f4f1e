//! Records from comma-separated files: a row a product and period.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use hindsight_exo_idp::Panel;
use hindsight_exo_idp::panel::{Columns, Covariate};
use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};

/// How a file is read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// Price where the file has none, in money.
    pub(crate) price: f64,
    /// Cost where the file has none, as a share of the price.
    pub(crate) cost_share: f64,
    /// Weeks that a product must have.
    pub(crate) least: usize,
    /// Whether a missing row is a week without demand.
    pub(crate) missing_is_zero: bool,
    /// Takes every so many product of the file.
    pub(crate) every: usize,
}

struct Row {
    price: f64,
    cost: f64,
    demand: f64,
    planned: Vec<f64>,
}

/// The panel of a file with columns product (or store and product), week, demand (or sales), and where they are there price, cost,
/// deal, feat, in_stock.
pub(crate) fn read(path: &Path, reading: &Reading) -> Result<Panel, Box<dyn Error>> {
    let mut text = String::new();
    let file = File::open(path)?;
    if path.extension().is_some_and(|e| e == "gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text)?;
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let column = |names: &[&str]| header.iter().position(|h| names.contains(&h));
    let need = |names: &[&str]| column(names).ok_or_else(|| format!("no column {names:?}"));
    let (product, week, demand) = (
        need(&["product"])?,
        need(&["week"])?,
        need(&["demand", "sales"])?,
    );
    let (price, cost, stock, store) = (
        column(&["price"]),
        column(&["cost"]),
        column(&["in_stock"]),
        column(&["store"]),
    );
    let planned: Vec<usize> = ["deal", "feat"]
        .iter()
        .filter_map(|&name| column(&[name]))
        .collect();
    let mut rows: BTreeMap<String, BTreeMap<i64, Row>> = BTreeMap::new();
    let mut weeks: BTreeSet<i64> = BTreeSet::new();
    for line in reader.records() {
        let line = line?;
        let number = |k: usize| line[k].parse::<f64>();
        let name = store.map_or(line[product].to_owned(), |s| {
            format!("{}/{}", &line[s], &line[product])
        });
        let when = week_number(&line[week]).ok_or_else(|| format!("no week: {:?}", &line[week]))?;
        weeks.insert(when);
        if stock.is_some_and(|k| &line[k] == "0") {
            continue;
        }
        let price = price.map_or(Ok(reading.price), number)?;
        let row = Row {
            price,
            cost: cost.map_or(Ok(price * reading.cost_share), number)?,
            demand: number(demand)?,
            planned: planned
                .iter()
                .map(|&k| number(k))
                .collect::<Result<_, _>>()?,
        };
        rows.entry(name).or_default().insert(when, row);
    }
    rows.retain(|_, weeks| weeks.len() >= reading.least);
    let mut at = 0;
    rows.retain(|_, _| {
        at += 1;
        at % reading.every == 0
    });
    let (first, last) = (weeks.first().copied(), weeks.last().copied());
    let weeks: Vec<i64> = (first.unwrap_or(0)..=last.unwrap_or(0)).collect();
    let mut columns = Columns::default();
    let mut covariates = vec![Vec::new(); planned.len()];
    for record in rows.values() {
        let any = record.values().next().ok_or("a product without rows")?;
        for week in &weeks {
            let row = record.get(week);
            columns
                .present
                .push(row.is_some() || reading.missing_is_zero);
            columns.demand.push(row.map_or(0.0, |r| r.demand));
            columns.price.push(row.map_or(any.price, |r| r.price));
            columns.cost.push(row.map_or(any.cost, |r| r.cost));
            for (k, values) in covariates.iter_mut().enumerate() {
                values.push(row.map_or(0.0, |r| r.planned[k]));
            }
        }
    }
    columns.covariates = covariates
        .into_iter()
        .zip(&planned)
        .map(|(values, &k)| Covariate {
            name: header[k].to_owned(),
            planned: true,
            values,
        })
        .collect();
    Ok(Panel::new(
        rows.into_keys().collect(),
        weeks.len(),
        columns,
    )?)
}

/// A synthetic world of `SEED,PRODUCTS,WEEKS,INTERMITTENT,PROMOTIONS`: the last two are the share of intermittent products and the
/// probability of a promotion.
pub(crate) fn world(numbers: &str) -> Result<Panel, Box<dyn Error>> {
    let numbers: Vec<&str> = numbers.split(',').collect();
    let [seed, products, weeks, intermittent, promotions] = numbers[..] else {
        return Err("world:SEED,PRODUCTS,WEEKS,INTERMITTENT,PROMOTIONS".into());
    };
    let config = WorldConfig {
        seed: seed.parse()?,
        products: products.parse()?,
        weeks: weeks.parse()?,
        intermittent: intermittent.parse()?,
        promotion_rate: promotions.parse()?,
        births: 0.0,
        deaths: 0.0,
        ..WorldConfig::default()
    };
    Ok(World::new(&config)?.panel(DemandColumn::Truth)?)
}

/// The number of a week: as it is written, or counted from the year 0 where it is the date of its first day.
fn week_number(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Days since the first of March of the year 0, years beginning in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(days.div_euclid(7))
}
