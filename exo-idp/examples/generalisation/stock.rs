//! Stock at the opening and groups of products, from files beside a record.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use hindsight_exo_idp::Panel;
use hindsight_exo_idp::replay::Opening;

/// The numbers of some columns by the record's products, named `Store/Product` or `Product`.
fn columns(
    path: &Path,
    panel: &Panel,
    wanted: &[&str],
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let at = |name: &str| {
        header
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("no column {name:?} in {}", path.display()))
    };
    let (product, store) = (at("product")?, at("store").ok());
    let wanted = wanted
        .iter()
        .map(|name| at(name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = BTreeMap::new();
    for line in reader.records() {
        let line = line?;
        let name = match store {
            Some(store) => format!("{}/{}", &line[store], &line[product]),
            None => line[product].to_owned(),
        };
        let row: Vec<String> = wanted.iter().map(|&k| line[k].to_owned()).collect();
        rows.insert(name, row);
    }
    let of = |name: &String| {
        let row = rows.get(name);
        row.cloned()
            .ok_or_else(|| format!("nothing on {name} in {}", path.display()))
    };
    Ok(panel.names().iter().map(of).collect::<Result<_, _>>()?)
}

/// The stock after the record's last week: columns `End Inventory`, `In Transit W+1`, `In Transit W+2`.
pub(crate) fn opening(path: &Path, panel: &Panel) -> Result<Opening, Box<dyn Error>> {
    let wanted = ["End Inventory", "In Transit W+1", "In Transit W+2"];
    let rows = columns(path, panel, &wanted)?;
    let number = |k: usize| -> Result<Vec<f64>, std::num::ParseFloatError> {
        rows.iter().map(|r| r[k].parse()).collect()
    };
    let [on_hand, next, after] = [number(0)?, number(1)?, number(2)?];
    Ok(Opening::new(
        panel,
        panel.weeks(),
        on_hand,
        vec![next, after],
    )?)
}

/// Each product's group by some columns, from coarse to fine.
pub(crate) fn groups(
    path: &Path,
    panel: &Panel,
    wanted: &str,
) -> Result<Vec<Vec<usize>>, Box<dyn Error>> {
    let wanted: Vec<&str> = wanted.split(',').collect();
    let rows = columns(path, panel, &wanted)?;
    let level = |k: usize| {
        let mut seen = BTreeMap::new();
        let group = |row: &Vec<String>| {
            let next = seen.len();
            *seen.entry(row[k].clone()).or_insert(next)
        };
        rows.iter().map(group).collect()
    };
    Ok((0..wanted.len()).map(level).collect())
}
