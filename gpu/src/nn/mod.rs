//! Layers: where their weights lie among the parameters, and what they compute.

mod conv;
mod dense;
mod embedding;
mod gru;
mod layout;
pub mod saved;

pub use conv::CausalConv;
pub use dense::Dense;
pub use embedding::Embedding;
pub use gru::Gru;
pub use layout::Layout;

pub use crate::scalar::Activation;
