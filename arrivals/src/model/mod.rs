//! Gen-QOT: an autoregressive generator of arrivals, learned from receipts.
//!
//! [`GenQot::fit`] learns from a [`Log`](crate::Log), [`GenQot::fit_validated`] as long as that pays, [`GenQot::on`] gives an [`ArrivalModel`](crate::ArrivalModel) that samples, [`GeneratedArrivals`] puts it into a
//! replay, [`GenQot::to_text`] saves it.
//!
//! ```
//! use hindsight_arrivals::model::{GenQot, Training};
//! use hindsight_arrivals::world::VendorWorld;
//! use hindsight_arrivals::{ArrivalModel, Grid, Samples};
//! use hindsight_gpu::Device;
//! let world = VendorWorld::new(2, 7)?;
//! let log = world.log(300, 104, 1)?;
//! let training = Training { epochs: 2, ..Training::default() };
//! let device = Device::cpu(1);
//! let model = GenQot::fit(&log, &Grid::weekly(world.longest())?, &training, &device)?;
//! let request = world.request(0, 30.0, 20.0, 50, 1);
//! let paths = model.on(&device).sample(&[request], Samples { seed: 1, sample: 0 })?;
//! assert!(paths[0].total() <= 16.0);
//! # Ok::<(), hindsight_arrivals::ArrivalsError>(())
//! ```
//!
//! ## The law
//!
//! An order is a sequence of pieces, each a cell of the [`Grid`]: periods since the piece before, then its share of the order given that time,
//! until "nothing more". What is exactly the rest of the order (all of it, for the first piece) and "nothing" are atoms. A gated
//! recurrent unit reads the piece before and the context; the context is a dense layer on the order's size (alone, and
//! against the usual order, the minimum and the batch), the time of the year, the promised time, covariates, the vendor's embedding and a causal
//! convolution over the product's last eight periods of orders and of what was open of them.
//!
//! Trained by maximum likelihood. An order that is open at the end of the data counts with the probability that its next piece comes
//! later, or never: "not yet" is never "never".
//!
//! That the generator is autoregressive, with a recurrent decoder and trained by likelihood, is the paper's (arXiv:2310.17168); cells, atoms, censoring and layers are
//! our own formulation.

mod arrays;
mod file;
mod fit;
mod held_out;
mod length;
mod market;
mod network;
mod sample;

pub use fit::Training;
pub use held_out::HeldOut;
pub use length::{Trial, Validated};
pub use market::{GeneratedArrivals, OrderContext};
pub use network::Size;
pub use sample::Generator;

use crate::error::{Argument, ArrivalsError};
use crate::grid::Grid;
use network::Network;

/// A trained generator of arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct GenQot {
    size: Size,
    grid: Grid,
    vendors: usize,
    covariates: usize,
    params: Vec<f64>,
}

impl GenQot {
    /// The cells in which it tells arrivals apart.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The number of vendors that it knows.
    #[must_use]
    pub fn vendors(&self) -> usize {
        self.vendors
    }

    /// The number of covariates that it reads.
    #[must_use]
    pub fn covariates(&self) -> usize {
        self.covariates
    }

    /// The number of its parameters.
    #[must_use]
    pub fn params(&self) -> usize {
        self.params.len()
    }

    fn network(&self) -> Network {
        Network::new(self.size, &self.grid, self.vendors, self.covariates)
    }
}

/// Training can diverge; its result then is no model.
fn finite(params: &[f64]) -> Result<(), ArrivalsError> {
    params.iter().enumerate().try_for_each(|(index, &value)| {
        crate::error::within(Argument::Parameter, index, value, [f64::MIN, f64::MAX])
    })
}
