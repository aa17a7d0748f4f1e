//! Where the columns of a sales table are.

use super::columns::{Columns, Cost};
use super::error::ReadError;
use super::sheet::{Domain, Sheet, SheetError};

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Column(usize),
    Constant(f64),
}

/// One number of each row.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) domain: Domain,
}

/// The columns found in the header.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) product: Vec<usize>,
    pub(super) week: usize,
    /// Units, price, cost, what is known of stock, orders, covariates, planned ones: as many as are named, in this order.
    pub(super) slots: Vec<Slot>,
    pub(super) groups: Vec<usize>,
}

impl Places {
    pub(super) fn new(sheet: &Sheet, columns: &Columns) -> Result<Self, ReadError> {
        let all = |names: &[String], purpose| -> Result<Vec<usize>, SheetError> {
            let found = names.iter().map(|name| sheet.column(name, purpose));
            found.collect()
        };
        let product = all(&columns.product, "product")?;
        let week = sheet.column(&columns.week, "week")?;
        let mut slots = Slots {
            sheet,
            found: Vec::new(),
        };
        match &columns.sales {
            None => slots.column(&columns.demand, "demand", Domain::Amount)?,
            Some(sales) => slots.column(&sales.sold, "sales", Domain::Amount)?,
        }
        slots.column_or_number(&columns.price, "price", Domain::Positive)?;
        match &columns.cost {
            Cost::Column(name) => slots.column_or_number(name, "cost", Domain::Positive)?,
            Cost::Share(_) => slots.number("cost", 1.0, Domain::Positive),
        }
        if let Some(sales) = &columns.sales {
            for (name, purpose, domain) in [
                (&sales.in_stock, "in_stock", Domain::Share),
                (&sales.views_out, "views_out", Domain::Amount),
                (&sales.views_in, "views_in", Domain::Amount),
            ] {
                if let Some(name) = name {
                    slots.column(name, purpose, domain)?;
                }
            }
            if let Some(name) = &sales.conversion {
                slots.column_or_number(name, "conversion", Domain::Amount)?;
            }
        }
        if let Some(name) = &columns.orders {
            slots.column(name, "orders", Domain::Amount)?;
        }
        for (names, purpose) in [
            (&columns.covariates, "covariate"),
            (&columns.planned, "planned"),
        ] {
            for name in names {
                slots.column(name, purpose, Domain::Any)?;
            }
        }
        Ok(Places {
            product,
            week,
            slots: slots.found,
            groups: all(&columns.groups, "group")?,
        })
    }
}

/// The slots found so far.
struct Slots<'a> {
    sheet: &'a Sheet,
    found: Vec<Slot>,
}

impl Slots<'_> {
    fn add(&mut self, name: &str, source: Source, domain: Domain) {
        self.found.push(Slot {
            name: name.to_owned(),
            source,
            domain,
        });
    }

    fn column(
        &mut self,
        name: &str,
        purpose: &'static str,
        domain: Domain,
    ) -> Result<(), ReadError> {
        let source = Source::Column(self.sheet.column(name, purpose)?);
        self.add(name, source, domain);
        Ok(())
    }

    fn number(&mut self, name: &str, number: f64, domain: Domain) {
        self.add(name, Source::Constant(number), domain);
    }

    /// A column, or one number for all where no column is called so.
    fn column_or_number(
        &mut self,
        name: &str,
        purpose: &'static str,
        domain: Domain,
    ) -> Result<(), ReadError> {
        let number = name.trim().parse::<f64>().ok();
        match number.filter(|_| !self.sheet.names().iter().any(|other| other == name)) {
            None => self.column(name, purpose, domain),
            Some(number) => {
                let number = domain.check(number, name);
                let number = number.map_err(|problem| ReadError::Number { purpose, problem })?;
                self.number(name, number, domain);
                Ok(())
            }
        }
    }
}
