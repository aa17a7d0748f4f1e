//! Orders to learn from and to judge by, and saved models.

use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;

use ::arrivals::model::GenQot;
use ::arrivals::world::VendorWorld;
use ::arrivals::{ArrivalsError, Grid, Log, Order};
use serde::{Deserialize, Serialize};

use super::read::{self, Counting};
use super::{Common, wrong};
use crate::document::Run;
use crate::error::{CliError, Place};

/// A saved model: the generator with its vendors' names and its way of counting.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    hindsight: String,
    counting: Counting,
    vendors: Vec<String>,
    model: String,
}

impl Saved {
    pub(super) fn read(run: &Run, path: &Path) -> Result<(Self, GenQot), CliError> {
        let mut text = String::new();
        let read = run.inputs().open(path)?.read_to_string(&mut text);
        read.map_err(|error| CliError::reading(path, &error))?;
        let about = |error: &dyn std::fmt::Display| Place::file(path).error(error);
        let saved: Saved =
            serde_json::from_str(&text).map_err(|e| about(&format!("is no saved model ({e})")))?;
        let model = GenQot::from_text(&saved.model).map_err(|e| about(&e))?;
        if saved.vendors.len() != model.vendors() {
            return Err(about(&"names another number of vendors than its model has"));
        }
        Ok((saved, model))
    }

    pub(super) fn bytes(data: &Data, model: &GenQot) -> Result<Vec<u8>, CliError> {
        let saved = Saved {
            hindsight: env!("CARGO_PKG_VERSION").to_owned(),
            counting: data.counting,
            vendors: data.vendors.clone(),
            model: model.to_text(),
        };
        serde_json::to_vec(&saved).map_err(|error| CliError::System(error.to_string()))
    }
}

/// What is learned from, and what is judged or drawn.
pub(super) struct Data {
    pub(super) words: String,
    pub(super) counting: Counting,
    pub(super) vendors: Vec<String>,
    pub(super) grid: Grid,
    pub(super) learned: Log,
    judged: Vec<Order>,
    /// The last orders of the log, with their numbers.
    pub(super) last: Vec<(String, Order)>,
    pub(super) world: Option<VendorWorld>,
}

/// Vendors and weeks of the made-up world.
const WORLD: (usize, usize) = (8, 208);
/// Share of a log's orders, the earliest, that models learn from where they are judged by the others.
const LEARNED: f64 = 0.8;

impl Data {
    /// The log of a run; `split` says whether models learn from its first part alone.
    pub(super) fn new(
        common: &Common,
        run: &Run,
        saved: Option<&(Saved, GenQot)>,
        split: bool,
    ) -> Result<Self, CliError> {
        let Some(file) = &common.input else {
            return Data::made_up(common);
        };
        let counting = saved.map_or(common.counting, |(saved, _)| saved.counting);
        let known = saved.map(|(saved, _)| saved.vendors.as_slice());
        let receipts = read::read(run.inputs(), file, &common.columns, counting, known)?;
        let (book, place) = (&receipts.book, Place::file(file));
        let about = |error: ArrivalsError| place.error(error);
        let longest = saved
            .map(|(_, model)| model.grid().last())
            .or(common.longest);
        let longest = longest.unwrap_or(book.longest());
        let whole = book.log(longest).map_err(about)?;
        let (learned, judged) = if split {
            let from = book.period_at(LEARNED);
            let before = book.before(from, longest).map_err(about)?;
            (before.log(longest), book.complete(from, longest))
        } else {
            (Ok(whole.clone()), book.complete(i64::MIN, longest))
        };
        let open = whole
            .orders()
            .iter()
            .filter(|order| order.seen_until.is_some())
            .count();
        let words = format!(
            "{}: {} orders of {} vendors, {open} of which may still receive more, {} rows of returns left out; times in {} since the {}, nothing later than {longest}",
            file.display(),
            whole.orders().len(),
            book.vendors().len(),
            receipts.returns,
            counting.words()[0],
            counting.words()[1],
        );
        let numbers = book.lines().iter().map(|line| line.order.clone());
        Ok(Data {
            words,
            counting,
            vendors: book.vendors().to_vec(),
            grid: Grid::widening(book.earliest(), longest).map_err(about)?,
            learned: learned.map_err(about)?,
            judged: judged.map_err(about)?.orders().to_vec(),
            last: numbers.zip(whole.orders().iter().cloned()).collect(),
            world: None,
        })
    }

    fn made_up(common: &Common) -> Result<Self, CliError> {
        let (seed, (vendors, weeks)) = (common.seed.seed, WORLD);
        let world = VendorWorld::new(vendors, seed).map_err(wrong)?;
        let judged = world
            .log(4_000, weeks, seed.wrapping_add(1))
            .map_err(wrong)?;
        let judged = judged.filter(|_, order| order.seen_until.is_none());
        let numbers = (1..).map(|number: usize| number.to_string());
        Ok(Data {
            words: format!(
                "A made-up world of {vendors} vendors whose law is known, {weeks} weeks; {} orders to learn from",
                common.orders
            ),
            counting: Counting {
                days: false,
                from_promise: false,
            },
            vendors: (1..=vendors)
                .map(|vendor| format!("vendor {vendor}"))
                .collect(),
            grid: Grid::weekly(world.longest()).map_err(wrong)?,
            learned: world.log(common.orders, weeks, seed).map_err(wrong)?,
            last: numbers.zip(judged.orders().iter().cloned()).collect(),
            judged: judged.orders().to_vec(),
            world: Some(world),
        })
    }

    /// At most so many of the judged orders, spread over all.
    pub(super) fn spread(&self, most: usize) -> Vec<Order> {
        let each = self.judged.len().div_ceil(most).max(1);
        self.judged.iter().step_by(each).cloned().collect()
    }

    /// The periods of curves.
    pub(super) fn periods(&self) -> RangeInclusive<i64> {
        self.grid.first()..=self.grid.last()
    }
}
