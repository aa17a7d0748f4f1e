//! Charts as SVG text: drawn here, without a script or a font of their own, fit for a page (light and dark) and for a paper.
//!
//! | chart | for | type |
//! |---|---|---|
//! | lines with bands, steps, points with error bars, thin bars | series over time, scatter, reliability diagrams, training curves | [`XyChart`] |
//! | dot and interval (forest) plot | estimates by policy, with a reference line | [`IntervalChart`] |
//! | horizontal bars, grouped or stacked | shares and counts by group | [`BarChart`] |
//! | heat map, phase map | a value or a class over a grid of two parameters | [`HeatMap`] |
//!
//! Every chart has a title and a description, which screen readers speak, and ends in an [`Svg`].

mod axis;
mod bar;
mod colour;
mod frame;
mod heat;
mod interval;
mod letters;
mod mosaic;
mod svg;
mod xy;

pub use axis::Axis;
pub use bar::BarChart;
pub use colour::Shades;
pub use heat::HeatMap;
pub use interval::{Estimate, IntervalChart};
pub use svg::{Ink, Svg};
pub(crate) use svg::{css, escape};
pub use xy::{Series, XyChart};
