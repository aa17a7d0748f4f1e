//! The frame of a chart with two axes: margins, grid, ticks, labels, legend.

use super::axis::{Axis, Scale};
use super::letters::{fit, lines, width_of};
use super::svg::{Anchor, Ink, LETTER, Svg};

const TICK: f64 = 11.0;
const EDGE: f64 = 8.0;
const LEGEND_ROW: f64 = 18.0;
const KEY: f64 = 22.0;

/// How a legend shows a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A line; the number chooses the dash.
    Line(usize),
    /// A line with markers: the dash and the shape.
    Marked(usize, usize),
    /// A marker; the number chooses the shape.
    Dot(usize),
    /// A filled box.
    Box,
}

/// One entry of a legend.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) ink: Ink,
    pub(super) key: Key,
}

/// Draws the grid and the ticks of a horizontal axis whose rows lie between `top` and `bottom`.
pub(super) fn ticks_below(
    svg: &mut Svg,
    scale: &Scale,
    (left, right): (f64, f64),
    (top, bottom): (f64, f64),
) {
    for (at, label) in &scale.ticks {
        let Some(share) = scale.place(*at) else {
            continue;
        };
        let x = left + share.clamp(0.0, 1.0) * (right - left);
        svg.line("grid", (x, top), (x, bottom));
        svg.text("tick", Anchor::Middle, (x, bottom + 16.0), label);
    }
}

/// Ticks that an axis of this length has room for: between 2 and 8.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn ticks_wanted(length: f64) -> usize {
    (length / 80.0).clamp(2.0, 8.0) as usize
}

/// The height of a line of an axis' label.
const LABEL_ROW: f64 = 14.0;

/// The room that lines of an axis' label take beyond the first.
pub(super) fn below(label: &[String]) -> f64 {
    label.iter().skip(1).map(|_| LABEL_ROW).sum()
}

/// Writes the label of a horizontal axis around `middle`, the first line at `y`, moved so that no line leaves the drawing.
pub(super) fn axis_label(svg: &mut Svg, label: &[String], middle: f64, mut y: f64) {
    for line in label {
        let half = width_of(line, TICK) / 2.0 + 2.0;
        let x = middle.clamp(half, (svg.width() - half).max(half));
        svg.text("tick", Anchor::Middle, (x, y), line);
        y += LABEL_ROW;
    }
}

/// Draws the legend in rows from the top and returns the height it took.
pub(super) fn legend(svg: &mut Svg, entries: &[Entry], left: f64, top: f64, room: f64) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    let (mut x, mut y) = (left, top);
    for entry in entries {
        let name = lines(&entry.name, LETTER, room - KEY - 8.0);
        let widest = name.iter().map(|line| width_of(line, LETTER));
        let wide = KEY + 6.0 + widest.fold(0.0, f64::max) + 18.0;
        if x > left && x + wide - 18.0 > left + room {
            x = left;
            y += LEGEND_ROW;
        }
        let middle = y + LEGEND_ROW / 2.0;
        let class = entry.ink.class();
        if let Key::Line(dash) | Key::Marked(dash, _) = entry.key {
            let line = format!("line k-{class} d{dash}");
            svg.line(&line, (x, middle), (x + KEY, middle));
        }
        match entry.key {
            Key::Line(_) => (),
            Key::Dot(shape) | Key::Marked(_, shape) => svg.marker(
                &format!("dot f-{class}"),
                shape,
                (x + KEY / 2.0, middle),
                4.0,
                "",
            ),
            Key::Box => svg.rect(
                &format!("bar f-{class}"),
                (x + 6.0, middle - 5.5),
                (x + KEY - 2.0, middle + 5.5),
                "",
            ),
        }
        for (at, line) in name.iter().enumerate() {
            if at > 0 {
                y += LEGEND_ROW;
            }
            let at = (x + KEY + 6.0, y + LEGEND_ROW / 2.0 + 4.0);
            svg.text("", Anchor::Start, at, line);
        }
        x += wide;
    }
    y + LEGEND_ROW - top + 4.0
}

/// A chart whose axes are drawn: data may follow.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) svg: Svg,
    pub(super) x: Scale,
    pub(super) y: Scale,
    /// Pixels: left, top, right, bottom of the plot.
    pub(super) area: (f64, f64, f64, f64),
}

/// What a frame is made of.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) size: (f64, f64),
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) heading: Option<&'a str>,
    pub(super) legend: Vec<Entry>,
    /// Room kept free at the right, for a colour bar.
    pub(super) right: f64,
    pub(super) grid: bool,
    /// Whether the ranges grow to whole ticks.
    pub(super) round: (bool, bool),
}

impl Plan<'_> {
    /// Lays the frame out for data of these coordinates.
    pub(super) fn draw(
        self,
        x_axis: &Axis,
        y_axis: &Axis,
        xs: impl Iterator<Item = f64>,
        ys: impl Iterator<Item = f64>,
    ) -> Frame {
        let (width, height) = self.size;
        let mut svg = Svg::new(width, height, self.title, self.description);
        let y = y_axis.resolve(ys, ticks_in(height - 90.0, 46.0), self.round.1);
        let x = x_axis.resolve(xs, ticks_in(width - 80.0, 80.0), self.round.0);
        let widest = y
            .ticks
            .iter()
            .map(|(_, label)| width_of(label, TICK))
            .fold(0.0, f64::max);
        let left = EDGE + widest.min(width / 3.0) + 8.0;
        let last_label = x.ticks.last().map_or(0.0, |(at, label)| {
            let overhang = width_of(label, TICK) / 2.0;
            if x.place(*at).unwrap_or(0.0) > 0.9 {
                overhang
            } else {
                0.0
            }
        });
        let right = width - self.right - EDGE.max(last_label + 2.0);
        let mut top = 4.0;
        if let Some(heading) = self.heading {
            svg.text(
                "name",
                Anchor::Start,
                (EDGE, top + 13.0),
                &fit(heading, LETTER, width - 2.0 * EDGE),
            );
            top += 22.0;
        }
        top += legend(&mut svg, &self.legend, EDGE, top, width - 2.0 * EDGE);
        if !y_axis.label().is_empty() {
            svg.text(
                "tick",
                Anchor::Start,
                (EDGE, top + 12.0),
                &fit(y_axis.label(), TICK, width - 2.0 * EDGE),
            );
            top += 18.0;
        }
        top += 6.0;
        let label = lines(x_axis.label(), TICK, width - 2.0 * EDGE);
        let bottom = height
            - if label.is_empty() {
                24.0
            } else {
                42.0 + below(&label)
            };
        let mut frame = Frame {
            svg,
            x,
            y,
            area: (left, top, right, bottom),
        };
        frame.axes(&label, self.grid);
        frame
    }
}

fn ticks_in(pixels: f64, each: f64) -> usize {
    // Between 2 and 12.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = (pixels / each).round().clamp(2.0, 12.0) as usize;
    count
}

impl Frame {
    fn axes(&mut self, label: &[String], grid: bool) {
        let (left, top, right, bottom) = self.area;
        for (at, label) in self.y.ticks.clone() {
            let Some(y) = self.y_at(at) else { continue };
            if grid {
                self.svg.line("grid", (left, y), (right, y));
            } else {
                self.svg.line("axis", (left - 4.0, y), (left, y));
            }
            self.svg.text(
                "tick",
                Anchor::End,
                (left - 7.0, y + 4.0),
                &fit(&label, TICK, left - 7.0 - 2.0),
            );
        }
        // Labels that would touch their neighbour are left out.
        let mut free_from = f64::NEG_INFINITY;
        for (at, label) in self.x.ticks.clone() {
            let Some(x) = self.x_at(at) else { continue };
            self.svg.line("axis", (x, bottom), (x, bottom + 4.0));
            let half = width_of(&label, TICK) / 2.0;
            if x - half > free_from {
                self.svg
                    .text("tick", Anchor::Middle, (x, bottom + 16.0), &label);
                free_from = x + half + 6.0;
            }
        }
        // What parts the zeros of a logarithmic axis from its scale.
        if let Some(end) = self.y.zeros_end() {
            let y = bottom - end * (bottom - top);
            self.svg.line("ref", (left - 4.0, y), (right, y));
            let at = (left + 4.0, y - 4.0);
            let words = "below this line: zero";
            self.svg.text("tick halo", Anchor::Start, at, words);
        }
        if let Some(end) = self.x.zeros_end() {
            let x = left + end * (right - left);
            self.svg.line("ref", (x, top), (x, bottom + 4.0));
        }
        self.svg.line("axis", (left, bottom), (right, bottom));
        if !grid {
            self.svg.line("axis", (left, top), (left, bottom));
        }
        axis_label(
            &mut self.svg,
            label,
            f64::midpoint(left, right),
            bottom + 34.0,
        );
    }

    pub(super) fn x_at(&self, x: f64) -> Option<f64> {
        let (left, _, right, _) = self.area;
        self.x.place(x).map(|share| left + share * (right - left))
    }

    pub(super) fn y_at(&self, y: f64) -> Option<f64> {
        let (_, top, _, bottom) = self.area;
        self.y.place(y).map(|share| bottom - share * (bottom - top))
    }

    /// The pixel of a point, if it lies in the frame (a hair outside is moved in).
    pub(super) fn point(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let inside = |share: f64| (-1e-6..=1.0 + 1e-6).contains(&share);
        (self.x.place(x).is_some_and(inside) && self.y.place(y).is_some_and(inside))
            .then(|| Some((self.x_at(x)?, self.y_at(y)?)))
            .flatten()
    }

    /// The pixel of a value clipped to the vertical range: for bands and bars that may leave the frame.
    pub(super) fn clipped_y(&self, y: f64) -> Option<f64> {
        let (_, top, _, bottom) = self.area;
        self.y_at(y).map(|pixel| pixel.clamp(top, bottom))
    }

    /// Says below the plot how many values it does not show.
    pub(super) fn say_hidden(&mut self, count: usize) {
        let words = match count {
            0 => return,
            1 => "1 value lies outside the axes".to_owned(),
            _ => format!("{count} values lie outside the axes"),
        };
        let (_, _, _, bottom) = self.area;
        let at = (EDGE, bottom + 34.0);
        self.svg.text("tick halo", Anchor::Start, at, &words);
    }

    /// Says that there is nothing to draw.
    pub(super) fn nothing(&mut self) {
        let (left, top, right, bottom) = self.area;
        self.svg.text(
            "tick",
            Anchor::Middle,
            ((left + right) / 2.0, (top + bottom) / 2.0),
            "no data",
        );
    }
}
