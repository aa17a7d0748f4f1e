//! Saved models: the generator with what it was fitted to.

use serde::{Deserialize, Serialize};

use super::{Counting, ReadError};
use crate::model::GenQot;
use crate::world::VendorWorld;

/// A generator with the names of its vendors and its way of counting, and the world to which it was fitted, if it was one.
///
/// ```
/// use hindsight_arrivals::Grid;
/// use hindsight_arrivals::io::{Counting, SavedModel};
/// use hindsight_arrivals::model::{GenQot, Training};
/// use hindsight_arrivals::world::VendorWorld;
/// use hindsight_gpu::Device;
/// let world = VendorWorld::new(2, 7)?;
/// let (log, grid) = (world.log(200, 104, 1)?, Grid::weekly(world.longest())?);
/// let training = Training { epochs: 1, ..Training::default() };
/// let model = GenQot::fit(&log, &grid, &training, &Device::cpu(1))?;
/// let names = vec!["A".to_owned(), "B".to_owned()];
/// let saved = SavedModel::new(&model, names, Counting::default(), Some(world));
/// let (again, read) = SavedModel::from_json(&saved.to_json()?)?;
/// assert_eq!((again.vendors.len(), read), (2, model));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    /// How times are counted.
    pub counting: Counting,
    /// The vendors' names, by number.
    pub vendors: Vec<String>,
    /// The world to whose orders the model was fitted; none for orders of the real one.
    pub world: Option<VendorWorld>,
    model: String,
}

impl SavedModel {
    /// What is saved of a model.
    #[must_use]
    pub fn new(
        model: &GenQot,
        vendors: Vec<String>,
        counting: Counting,
        world: Option<VendorWorld>,
    ) -> Self {
        SavedModel {
            counting,
            vendors,
            world,
            model: model.to_text(),
        }
    }

    /// The model as JSON.
    ///
    /// # Errors
    /// None that is known: numbers and text can always be written.
    pub fn to_json(&self) -> Result<String, ReadError> {
        Ok(serde_json::to_string(self)?)
    }

    /// A saved model and its generator from JSON.
    ///
    /// # Errors
    /// Text that is no saved model, a network that is damaged or of another version, names for other vendors than it has.
    pub fn from_json(text: &str) -> Result<(Self, GenQot), ReadError> {
        let saved: SavedModel = serde_json::from_str(text)?;
        let model = GenQot::from_text(&saved.model)?;
        let worlds = saved.world.as_ref().map(|world| world.vendors.len());
        for named in [Some(saved.vendors.len()), worlds].into_iter().flatten() {
            if named != model.vendors() {
                let model = model.vendors();
                return Err(ReadError::Vendors { named, model });
            }
        }
        if let Some(world) = &saved.world {
            world.validate()?;
        }
        Ok((saved, model))
    }
}
