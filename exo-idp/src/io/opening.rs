//! The stock that replays open with, from a table.

use std::collections::HashMap;

use super::error::{ReadError, RowProblem};
use super::sheet::{Domain, Sheet};
use crate::opening::Opening;
use crate::panel::Panel;

/// The names of the columns of an opening stock, a row a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningColumns {
    /// Those that name the product, joined as those of the sales table are. Default `product`.
    pub product: Vec<String>,
    /// Units on hand. Default `on_hand`.
    pub on_hand: String,
    /// Units in transit: those that arrive in the week, in the next, and so on. Default none.
    pub due: Vec<String>,
}

impl Default for OpeningColumns {
    fn default() -> Self {
        OpeningColumns {
            product: vec!["product".to_owned()],
            on_hand: "on_hand".to_owned(),
            due: Vec::new(),
        }
    }
}

/// Reads the stock of a panel's products at the beginning of a week of it; rows of other products are skipped.
///
/// # Errors
/// A missing column, a number that is none, two rows of a product, a product of the panel without a row, a week past the one after the panel's last.
///
/// ```
/// use hindsight_exo_idp::io::sheet::{Format, Sheet};
/// use hindsight_exo_idp::io::{OpeningColumns, read_opening};
/// use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
///
/// let world = World::new(&WorldConfig { products: 2, weeks: 20, ..WorldConfig::default() })?;
/// let panel = world.panel(DemandColumn::Truth)?;
/// let text = format!("product,on_hand,next\n{},9,3\n{},4,0\n", world.name(1), world.name(0));
/// let mut sheet = Sheet::from_reader(std::io::Cursor::new(text), "stock.csv", Format::default())?;
/// let columns = OpeningColumns { due: vec!["next".into()], ..OpeningColumns::default() };
/// let opening = read_opening(&mut sheet, &columns, &panel, 20)?;
/// assert_eq!((opening.on_hand(), &opening.due()[0][..]), (&[4.0, 9.0][..], &[0.0, 3.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_opening(
    sheet: &mut Sheet,
    columns: &OpeningColumns,
    panel: &Panel,
    week: usize,
) -> Result<Opening, ReadError> {
    let named = |names: &[String], purpose| -> Result<Vec<usize>, _> {
        names
            .iter()
            .map(|name| sheet.column(name, purpose))
            .collect()
    };
    let product = named(&columns.product, "product")?;
    let Some(&first) = product.first() else {
        return Err(ReadError::no_product());
    };
    let mut units = vec![sheet.column(&columns.on_hand, "on_hand")?];
    units.extend(named(&columns.due, "due")?);
    let names = panel.names().iter().enumerate();
    let places: HashMap<&str, usize> = names.map(|(at, name)| (name.as_str(), at)).collect();
    let mut lines: Vec<Option<u64>> = vec![None; panel.products()];
    let mut values = vec![vec![0.0; panel.products()]; units.len()];
    while let Some(row) = sheet.next_row()? {
        let parts: Vec<&str> = product.iter().map(|&column| row.text(column)).collect();
        let Some(&at) = places.get(parts.join("/").as_str()) else {
            continue;
        };
        if let Some(line) = lines[at].replace(row.line()) {
            let name = panel.names()[at].clone();
            let problem = RowProblem::StockTwice {
                product: name,
                line,
            };
            return Err(ReadError::row(&row, first, problem));
        }
        for (values, &column) in values.iter_mut().zip(&units) {
            values[at] = row.number(column, Domain::Amount)?;
        }
    }
    let file = sheet.file().clone();
    if let Some(at) = lines.iter().position(Option::is_none) {
        return Err(ReadError::NoStock {
            file,
            product: panel.names()[at].clone(),
            missing: lines.iter().filter(|line| line.is_none()).count(),
            products: panel.products(),
        });
    }
    let on_hand = values.remove(0);
    Opening::new(panel, week, on_hand, values).map_err(|error| {
        let error = Box::new(error);
        ReadError::Opening { file, error }
    })
}
