//! Pretraining on synthetic records.

mod draw;
mod level;
mod record;
