#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-report`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | lines, steps, bars, points over two axes | [`XyChart`], [`Series`], [`Axis`] |
//! | estimates with intervals | [`IntervalChart`] |
//! | a bar for each name | [`BarChart`] |
//! | maps of values or classes | [`HeatMap`] |
//! | a table for terminal, page, Markdown, CSV | [`Table`] |
//! | one file that holds all of it | [`Page`] |
//!
//! # What to take instead
//!
//! Interactive exploration: a notebook with a plotting library. Charts of every kind in the browser: Vega-Lite.
#![forbid(unsafe_code)]

mod chart;
pub mod figures;
pub mod number;
mod page;
mod table;

pub use chart::{
    Axis, BarChart, Estimate, HeatMap, Ink, IntervalChart, Series, Shades, Svg, XyChart,
};
pub use page::{Page, command_line};
pub use table::{Column, Table, Width};
