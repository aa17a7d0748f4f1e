//! One series and how it is drawn.

use super::super::svg::Ink;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Line,
    Step,
    Points,
    Cloud,
    Bars,
}

/// One series of an [`XyChart`](super::XyChart).
///
/// ```ignore
/// Series::line("validation", curve).band(vec![(x, lo, hi)]).dashed()
/// Series::step("on hand", weeks)                // constant from each x to the next
/// Series::points("bins", reliability).band(intervals) // a band on points is drawn as error bars
/// Series::cloud("products", pairs)              // many small translucent points
/// Series::bars("orders", weeks)                 // thin bars from zero: a histogram, orders by week
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) ink: Option<Ink>,
    pub(super) dash: usize,
}

impl Series {
    fn new(name: impl Into<String>, look: Look, points: Vec<(f64, f64)>) -> Self {
        Series {
            name: name.into(),
            look,
            points,
            band: Vec::new(),
            ink: None,
            dash: 0,
        }
    }

    /// A line through the points; it breaks where a value is not finite.
    pub(crate) fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Line, points)
    }

    /// A step line: each value holds until the next point.
    pub(crate) fn step(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Step, points)
    }

    /// Points; each series has its own shape.
    pub(crate) fn points(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Points, points)
    }

    /// Many small translucent points.
    pub(crate) fn cloud(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Cloud, points)
    }

    /// Thin bars from zero.
    pub(crate) fn bars(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Bars, points)
    }

    /// An interval `(x, lo, hi)` at each point: a band behind a line, error bars on points.
    pub(crate) fn band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// Another colour than the next in order.
    pub(crate) fn ink(mut self, ink: Ink) -> Self {
        self.ink = Some(ink);
        self
    }

    /// A dashed line.
    pub(crate) fn dashed(mut self) -> Self {
        self.dash = 1;
        self
    }

    /// A dotted line.
    pub(crate) fn dotted(mut self) -> Self {
        self.dash = 2;
        self
    }
}
