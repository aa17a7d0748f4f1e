#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chart;
pub mod figures;
pub mod number;
mod page;
mod table;

pub use chart::{
    Axis, BarChart, Estimate, HeatMap, Ink, IntervalChart, Series, Shades, Svg, XyChart,
};
pub use page::Page;
pub use table::{Column, Table, Width};
