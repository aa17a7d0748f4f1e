//! Charts as SVG text: drawn here, without a script or a font of their own, fit for a page (light and dark) and for a paper.
//!
//! | chart | for | type |
//! |---|---|---|
//! | lines with bands, steps, points with error bars, thin bars | series over time, scatter, reliability diagrams, training curves | [`XyChart`] |
//! | dot and interval (forest) plot | estimates by policy, with a reference line | [`IntervalChart`] |
//! | horizontal bars, grouped or stacked | shares and counts by group | [`BarChart`] |
//! | heat map, phase map | a value or a class over a grid of two parameters | [`HeatMap`] |
//!
//! Every chart has a title and a description, which screen readers speak, and ends in an [`Svg`]:
//!
//! ```ignore
//! let svg = XyChart::new("Reward while training", Axis::linear("Epoch"), Axis::linear("Reward, USD a week"))
//!     .series(Series::line("training", curve))
//!     .series(Series::line("validation", held_out).band(interval).dashed())
//!     .mark_x(best, "best epoch")
//!     .svg();
//! page.figure(svg, "Reward by epoch; the band is a 95 % interval.");   // in a page
//! std::fs::write("curve.svg", svg.standalone());                       // alone
//! ```
//!
//! Rules kept by all: the legend stands above the plot and never on data; the label of the vertical axis stands level above
//! it; colours are told apart by people who confuse red and green, and lines also differ by dash, points by shape; values that
//! are not finite are left out (a line breaks there); every label is escaped. Hovering over a mark tells its value.

mod axis;
mod bar;
mod colour;
mod frame;
#[cfg(test)]
mod gallery;
mod heat;
mod interval;
mod letters;
mod svg;
mod xy;

pub(crate) use axis::Axis;
pub(crate) use bar::BarChart;
pub(crate) use colour::Shades;
pub(crate) use heat::HeatMap;
pub(crate) use interval::{Estimate, IntervalChart};
pub(crate) use svg::{Ink, Svg, css, escape};
pub(crate) use xy::{Series, XyChart};
