//! Series over a plane: lines with bands, steps, points with error bars, thin bars.

mod draw;
mod series;

use super::axis::Axis;
use super::frame::{Entry, Frame, Key, Plan};
use super::svg::{Ink, NARROW, Svg};

use series::Look;
pub use series::Series;

#[derive(Debug, Clone)]
enum Mark {
    X(f64, String),
    Y(f64, String),
    Diagonal(String),
    Shade(f64, f64, String),
}

/// A chart of series over two axes.
///
/// ```
/// use hindsight_report::{Axis, Series, XyChart};
///
/// let svg = XyChart::new("Reward while training", Axis::linear("Step"), Axis::linear("Reward, USD a week"))
///     .series(Series::line("training weeks", vec![(0.0, 20.0), (100.0, 31.0)]))
///     .series(Series::line("validation weeks", vec![(0.0, 19.0), (100.0, 29.0)]).band(vec![(0.0, 18.0, 20.0), (100.0, 27.5, 30.5)]).dashed())
///     .mark_x(100.0, "best step")
///     .svg();
/// assert!(svg.standalone("my program 1.0").contains("best step"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct XyChart {
    title: String,
    description: Option<String>,
    heading: Option<String>,
    size: (f64, f64),
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    marks: Vec<Mark>,
}

impl XyChart {
    /// An empty chart, 720 by 320 pixels.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        XyChart {
            title: title.into(),
            description: None,
            heading: None,
            size: (720.0, 320.0),
            x,
            y,
            series: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// What a screen reader says after the title; by default the axes and the series are named.
    pub fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }

    /// A heading drawn in the chart: for small charts side by side.
    pub fn heading(mut self, words: impl Into<String>) -> Self {
        self.heading = Some(words.into());
        self
    }

    /// Width and height in pixels, at least 160 by 120.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        self.size = (width.max(160.0), height.max(120.0));
        self
    }

    /// Adds a series; later ones are drawn above earlier ones. An empty name stays out of the legend.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// A vertical reference line with a few words at its top.
    pub fn mark_x(mut self, x: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::X(x, words.into()));
        self
    }

    /// A horizontal reference line with a few words at its right end.
    pub fn mark_y(mut self, y: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Y(y, words.into()));
        self
    }

    /// The line of equality of x and y.
    pub fn diagonal(mut self, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Diagonal(words.into()));
        self
    }

    /// A shaded range of x with a few words at its top: held-out weeks, a recession.
    pub fn shade(mut self, from: f64, to: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Shade(from, to, words.into()));
        self
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Svg {
        self.drawn().with_narrow(|| {
            let size = (NARROW, self.size.1.clamp(240.0, 360.0));
            let chart = self.clone();
            XyChart { size, ..chart }.drawn()
        })
    }

    fn drawn(&self) -> Svg {
        let inks: Vec<Ink> = self.inks();
        let shapes = |at: usize| {
            self.series[..at]
                .iter()
                .filter(|s| s.marked || matches!(s.look, Look::Points | Look::Cloud))
                .count()
        };
        let legend = self
            .series
            .iter()
            .enumerate()
            .filter(|(_, series)| !series.name.is_empty())
            .map(|(at, series)| Entry {
                name: series.name.clone(),
                ink: inks[at],
                key: match series.look {
                    Look::Line | Look::Step if series.marked => {
                        Key::Marked(series.dash, shapes(at))
                    }
                    Look::Line | Look::Step => Key::Line(series.dash),
                    Look::Points | Look::Cloud => Key::Dot(shapes(at)),
                    Look::Bars => Key::Box,
                },
            });
        // A diagonal is named there too: beside the line its words would lie under the points.
        let diagonals = self.marks.iter().filter_map(|mark| match mark {
            Mark::Diagonal(words) => Some(Entry {
                name: words.clone(),
                ink: Ink::Muted,
                key: Key::Line(1),
            }),
            _ => None,
        });
        let legend: Vec<Entry> = legend.chain(diagonals).collect();
        // One series needs no legend: the caption names it. Two or more do.
        let legend = if legend.len() < 2 { Vec::new() } else { legend };
        let description = self
            .description
            .clone()
            .unwrap_or_else(|| self.default_description());
        let plan = Plan {
            size: self.size,
            title: &self.title,
            description: &description,
            heading: self.heading.as_deref(),
            legend,
            right: 0.0,
            grid: true,
            round: (false, true),
        };
        let half_bar = self.half_bar();
        let (xs, ys) = self.coordinates(half_bar);
        let mut frame = plan.draw(&self.x, &self.y, xs.into_iter(), ys.into_iter());
        self.draw_marks(&mut frame);
        for (at, series) in self.series.iter().enumerate() {
            self.draw_band(&mut frame, series, inks[at]);
        }
        for (at, series) in self.series.iter().enumerate() {
            self.draw_series(&mut frame, series, inks[at], shapes(at), half_bar);
        }
        if self
            .series
            .iter()
            .all(|series| series.points.is_empty() && series.band.is_empty())
        {
            frame.nothing();
        }
        frame.say_hidden(self.hidden(&frame));
        frame.svg
    }

    /// The coordinates that the axes must hold: of points, bands, bars and marks.
    fn coordinates(&self, half_bar: f64) -> (Vec<f64>, Vec<f64>) {
        let xs = self.series.iter().flat_map(|series| {
            let pad = if series.look == Look::Bars {
                half_bar
            } else {
                0.0
            };
            let points = series
                .points
                .iter()
                .flat_map(move |p| [p.0 - pad, p.0 + pad]);
            points.chain(series.band.iter().map(|b| b.0))
        });
        let xs: Vec<f64> = xs
            .chain(self.marks.iter().filter_map(|mark| {
                if let Mark::X(x, _) = mark {
                    Some(*x)
                } else {
                    None
                }
            }))
            .collect();
        let ys = self.series.iter().flat_map(|series| {
            let zero = (series.look == Look::Bars).then_some(0.0);
            let points = series.points.iter().map(|p| p.1);
            points
                .chain(series.band.iter().flat_map(|b| [b.1, b.2]))
                .chain(zero)
        });
        let ys = ys.chain(self.marks.iter().filter_map(|mark| {
            if let Mark::Y(y, _) = mark {
                Some(*y)
            } else {
                None
            }
        }));
        (self.padded(xs), ys.collect())
    }

    /// Values that cannot be shown: outside a fixed range, infinite, or not positive on a logarithmic axis.
    fn hidden(&self, frame: &Frame) -> usize {
        let values = self.series.iter().flat_map(|series| {
            let bars = series.look == Look::Bars;
            series.points.iter().map(move |point| (bars, *point))
        });
        let unseen = |&(bars, (x, y)): &(bool, (f64, f64))| {
            // A bar that leaves the frame is seen to leave it.
            let placed = if bars && y.is_finite() {
                frame.x_at(x).is_some()
            } else {
                frame.point(x, y).is_some()
            };
            !x.is_nan() && !y.is_nan() && !placed
        };
        values.filter(unseen).count()
    }

    fn inks(&self) -> Vec<Ink> {
        let mut next = 0;
        self.series
            .iter()
            .map(|series| {
                series.ink.unwrap_or_else(|| {
                    next += 1;
                    Ink::Series(next - 1)
                })
            })
            .collect()
    }

    /// Points keep off the edges of the frame; lines may touch them.
    fn padded(&self, mut xs: Vec<f64>) -> Vec<f64> {
        let dots = self
            .series
            .iter()
            .any(|series| matches!(series.look, Look::Points | Look::Cloud));
        let (lo, hi) = xs
            .iter()
            .filter(|x| x.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        if dots && lo < hi {
            if self.x.is_log() {
                if lo > 0.0 {
                    let factor = (hi / lo).powf(0.03);
                    xs.extend([lo / factor, hi * factor]);
                }
            } else {
                let pad = 0.03 * (hi - lo);
                xs.extend([lo - pad, hi + pad]);
            }
        }
        xs
    }

    /// Half of the least distance between neighbouring bars.
    fn half_bar(&self) -> f64 {
        let mut places: Vec<f64> = self
            .series
            .iter()
            .filter(|series| series.look == Look::Bars)
            .flat_map(|series| series.points.iter().map(|p| p.0))
            .filter(|x| x.is_finite())
            .collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let least = places
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(f64::INFINITY, f64::min);
        if least.is_finite() { least / 2.0 } else { 0.5 }
    }

    fn default_description(&self) -> String {
        let names: Vec<&str> = self
            .series
            .iter()
            .map(|series| series.name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        let of = if names.is_empty() {
            String::new()
        } else {
            format!(" Series: {}.", names.join(", "))
        };
        format!("{} over {}.{of}", self.y.label(), self.x.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_breaks_the_line() {
        let chart = XyChart::new("t", Axis::linear("x"), Axis::linear("y")).series(Series::line(
            "a",
            vec![
                (0.0, 1.0),
                (1.0, 2.0),
                (2.0, f64::NAN),
                (3.0, 1.0),
                (4.0, 2.0),
            ],
        ));
        let svg = chart.svg().inline("f");
        let path = svg.split("<path").nth(1).unwrap_or_default();
        assert_eq!(path.matches('M').count(), 2, "{path}");
    }

    #[test]
    fn a_point_without_neighbours_is_seen_on_a_line() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 2.0)];
        let chart = XyChart::new("t", Axis::linear("x"), Axis::linear("y"))
            .series(Series::line("a", points));
        assert_eq!(chart.svg().inline("f").matches("<circle").count(), 1);
    }

    #[test]
    fn words_of_marks_that_would_meet_stand_below_one_another() {
        let heights = |second: f64| {
            let line = Series::line("a", vec![(0.0, 1.0), (35.0, 2.0)]);
            let chart = XyChart::new("t", Axis::linear("x"), Axis::linear("y")).series(line);
            let marked = chart.mark_x(0.0, "known").mark_x(second, "limit lower");
            let svg = marked.svg().inline("f");
            let y = |words: &str| {
                let text = svg
                    .split("<text")
                    .find(|text| text.contains(words))
                    .unwrap();
                let number = text
                    .split("y=\"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap();
                number.parse::<f64>().unwrap()
            };
            y(">limit lower<") - y(">known<")
        };
        assert!(heights(1.0) > 11.0 && heights(20.0).abs() < 1e-9);
    }

    #[test]
    fn no_data_is_said() {
        let svg = XyChart::new("t", Axis::linear("x"), Axis::log("y"))
            .svg()
            .inline("f");
        assert!(svg.contains("no data"));
    }

    #[test]
    fn two_series_have_a_legend_and_one_has_none() {
        let one = XyChart::new("t", Axis::linear("x"), Axis::linear("y"))
            .series(Series::line("first", vec![(0.0, 1.0), (1.0, 2.0)]));
        assert!(!one.svg().inline("f").contains(">first</text>"));
        let two = one.series(Series::points("second", vec![(0.0, 1.0)]));
        let svg = two.svg().inline("f");
        assert!(svg.contains(">first</text>") && svg.contains(">second</text>"));
    }

    #[test]
    fn points_outside_a_fixed_range_are_counted_not_drawn() {
        let chart = XyChart::new(
            "t",
            Axis::linear("x").range(0.0, 1.0),
            Axis::linear("y").range(0.0, 1.0),
        )
        .series(Series::points(
            "p",
            vec![(0.5, 0.5), (2.0, 0.5), (0.5, -1.0), (0.5, f64::NAN)],
        ));
        let svg = chart.svg().inline("f");
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(svg.contains("2 values lie outside the axes"), "{svg}");
    }
}
