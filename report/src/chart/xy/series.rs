//! One series and how it is drawn.

use super::super::svg::{DASHES, Ink};

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
/// | series | drawn as |
/// |---|---|
/// | [`Series::line`] | a line that breaks where a value is not finite |
/// | [`Series::step`] | a value that is kept until the next point: stock, demand by week |
/// | [`Series::points`] | points with a shape of their own; a band becomes error bars |
/// | [`Series::cloud`] | many small translucent points |
/// | [`Series::bars`] | thin bars from zero: a histogram, orders by week |
#[derive(Debug, Clone)]
#[must_use]
pub struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) ink: Option<Ink>,
    pub(super) dash: usize,
    pub(super) marked: bool,
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
            marked: false,
        }
    }

    /// A line through the points; it breaks where a value is not finite.
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Line, points)
    }

    /// A step line: each value holds until the next point, and the last as long as the one before.
    pub fn step(name: impl Into<String>, mut points: Vec<(f64, f64)>) -> Self {
        if let [.., (before, _), (x, y)] = points[..] {
            points.push((x + (x - before), y));
        }
        Series::new(name, Look::Step, points)
    }

    /// Points; each series has its own shape.
    pub fn points(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Points, points)
    }

    /// Many small translucent points.
    pub fn cloud(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Cloud, points)
    }

    /// Thin bars from zero.
    pub fn bars(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Bars, points)
    }

    /// An interval `(x, lo, hi)` at each point: a band behind a line, error bars on points.
    pub fn band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// Another colour than the next in order.
    pub fn ink(mut self, ink: Ink) -> Self {
        self.ink = Some(ink);
        self
    }

    /// A dashed line.
    pub fn dashed(self) -> Self {
        self.dash(1)
    }

    /// A dotted line.
    pub fn dotted(self) -> Self {
        self.dash(2)
    }

    /// The n-th kind of line: solid, dashed, dotted, dashes with dots, long dashes; then again from the first. Lines are then told apart without their colours.
    pub fn dash(mut self, n: usize) -> Self {
        self.dash = n % DASHES;
        self
    }

    /// A line with a marker of its own shape at each point: many lines of few points are told apart without their colours.
    pub fn marked(mut self) -> Self {
        self.marked = true;
        self
    }
}
