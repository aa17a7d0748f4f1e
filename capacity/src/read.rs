//! Limits and volumes from files.

use std::cmp::Ordering;

use hindsight_exo_idp::calendar::{Calendar, Week};
use sheet::{Domain, Place, Row, Sheet};

use crate::error::Error;
use crate::limits::Limits;

/// An error with the place in the file that it is about.
fn at(place: Place, error: Error) -> Error {
    Error::InFile {
        place,
        error: Box::new(error),
    }
}

/// Limits from a table with a column `week` (whole numbers, dates or ISO weeks, each a week after that before) and one of every resource, by its name, in volume:
/// `weeks` rows. A limit is known `notice` weeks ahead.
///
/// ```
/// use hindsight_capacity::limits::read_limits;
/// use sheet::{Format, Sheet};
/// let file = "week,storage,inbound\n1,900,300\n2,nan,300\n";
/// let mut sheet = Sheet::from_reader(file.as_bytes(), "limits.csv", Format::default())?;
/// let error = read_limits(&mut sheet, &["storage", "inbound"], 2, 13).unwrap_err();
/// assert!(error.to_string().starts_with("limits.csv:3: column \"storage\": "));
/// # Ok::<(), sheet::SheetError>(())
/// ```
///
/// # Errors
/// With file, line and column: a column that is missing, a limit that is no number, negative or not finite, a week that does not follow; fewer or more weeks
/// than needed.
pub fn read_limits(
    sheet: &mut Sheet,
    resources: &[&str],
    weeks: usize,
    notice: usize,
) -> Result<Limits, Error> {
    let week = sheet.column("week", "the week")?;
    let columns = resources
        .iter()
        .map(|name| sheet.column(name, "the limit of a resource"))
        .collect::<Result<Vec<usize>, _>>()?;
    let (file, mut last) = (sheet.file().clone(), 1);
    let (mut calendar, mut before) = (None::<Calendar>, None::<i64>);
    let mut values = vec![Vec::new(); columns.len()];
    while let Some(row) = sheet.next_row()? {
        let own = Week::parse(row.text(week));
        let at_place = own.and_then(|own| {
            let calendar = calendar.get_or_insert_with(|| own.calendar());
            calendar.place(own).ok()
        });
        let follows = at_place.is_some_and(|own| before.is_none_or(|before| own == before + 1));
        if !follows {
            let text = row.text(week).to_owned();
            return Err(at(row.place(week), Error::Order { week: text }));
        }
        before = at_place;
        for (values, &column) in values.iter_mut().zip(&columns) {
            values.push(row.number(column, Domain::Amount)?);
        }
        last = row.line();
    }
    let found = values.first().map_or(0, Vec::len);
    let needed = weeks;
    let wrong = match found.cmp(&needed) {
        Ordering::Less => Some(Error::TooShort { needed, found }),
        Ordering::Equal => None,
        Ordering::Greater => Some(Error::TooLong { needed, found }),
    };
    if let Some(error) = wrong {
        return Err(at(file.line(last), error));
    }
    Limits::new(values, notice)
}

/// Volumes a unit of every product, from a table with a column `product` and one of every resource, by its name: `[resource][product]`. A table with one
/// column `volume` has the same for all resources.
///
/// # Errors
/// With file, line and column: a column that is missing, a product that is not among `products` or named twice, a volume that is no number or
/// not above zero; a product without a row.
pub fn read_volumes(
    sheet: &mut Sheet,
    products: &[String],
    resources: &[&str],
) -> Result<Vec<Vec<f64>>, Error> {
    let product_at = sheet.column("product", "the product")?;
    let same = sheet.names().iter().any(|name| name == "volume");
    let columns = resources
        .iter()
        .map(|name| sheet.column(if same { "volume" } else { name }, "the volume of a unit"))
        .collect::<Result<Vec<usize>, _>>()?;
    let file = sheet.file().clone();
    let numbers: std::collections::HashMap<&str, usize> =
        products.iter().map(String::as_str).zip(0..).collect();
    let mut values = vec![vec![None; products.len()]; columns.len()];
    let known = |row: &Row<'_>| {
        let name = row.text(product_at).trim().to_owned();
        let number = numbers.get(name.as_str()).copied();
        number.ok_or_else(|| at(row.place(product_at), Error::Unknown { product: name }))
    };
    while let Some(row) = sheet.next_row()? {
        let number = known(&row)?;
        for (values, &column) in values.iter_mut().zip(&columns) {
            let volume = row.number(column, Domain::Positive)?;
            if values[number].replace(volume).is_some() {
                let product = products[number].clone();
                return Err(at(row.place(product_at), Error::Repeated { product }));
            }
        }
    }
    let missing = |number: usize| {
        let product = products[number].clone();
        at(file.clone(), Error::NoVolume { product })
    };
    values
        .into_iter()
        .map(|row| {
            let row = row.into_iter().enumerate();
            row.map(|(number, value)| value.ok_or_else(|| missing(number)))
                .collect()
        })
        .collect()
}
