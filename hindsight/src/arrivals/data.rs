//! Orders to learn from and to judge by, and saved models.

use std::io::Read;
use std::path::Path;

use ::arrivals::Study;
use ::arrivals::model::GenQot;
use ::arrivals::world::VendorWorld;
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

/// The orders of a run.
pub(super) struct Data {
    pub(super) words: String,
    pub(super) counting: Counting,
    pub(super) vendors: Vec<String>,
    /// The numbers of all orders of the study.
    pub(super) numbers: Vec<String>,
    pub(super) study: Study,
    pub(super) world: Option<VendorWorld>,
}

/// Vendors and weeks of the made-up world.
const WORLD: (usize, usize) = (8, 208);
/// Share of a log's orders, the earliest, that models learn from where they are judged by the others.
const LEARNED: f64 = 0.8;

impl Data {
    /// The orders of a run; `split` says whether models learn from the first of them alone.
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
        let (book, returns) = read::read(run.inputs(), file, &common.columns, counting, known)?;
        let longest = saved.map(|(_, model)| model.grid().last());
        let longest = longest.or(common.longest).unwrap_or(book.longest());
        let study = Study::of_book(&book, longest, split.then_some(LEARNED));
        let study = study.map_err(|error| Place::file(file).error(error))?;
        let orders = study.whole.orders();
        let [unit, origin] = counting.words();
        Ok(Data {
            words: format!(
                "{}: {} orders of {} vendors, {} of which may still receive more, {returns} rows of returns left out; times in {unit} since the {origin}, nothing later than {longest}",
                file.display(),
                orders.len(),
                book.vendors().len(),
                orders
                    .iter()
                    .filter(|order| order.seen_until.is_some())
                    .count(),
            ),
            counting,
            vendors: book.vendors().to_vec(),
            numbers: book.lines().iter().map(|line| line.order.clone()).collect(),
            study,
            world: None,
        })
    }

    fn made_up(common: &Common) -> Result<Self, CliError> {
        let (seed, (vendors, weeks)) = (common.seed.seed, WORLD);
        let world = VendorWorld::new(vendors, seed).map_err(wrong)?;
        let study = Study::of_world(&world, common.orders, weeks, seed).map_err(wrong)?;
        let (orders, names) = (1..=study.whole.orders().len(), 1..=vendors);
        Ok(Data {
            words: format!(
                "A made-up world of {vendors} vendors whose law is known, {weeks} weeks; {} orders to learn from",
                common.orders
            ),
            counting: Counting::default(),
            vendors: names.map(|vendor| format!("vendor {vendor}")).collect(),
            numbers: orders.map(|number| number.to_string()).collect(),
            study,
            world: Some(world),
        })
    }
}
