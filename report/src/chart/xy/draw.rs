//! Drawing marks, bands and series into a frame.

use super::super::frame::Frame;
use super::super::letters::{fit, width_of};
use super::super::svg::{Anchor, Ink};
use super::series::Look;
use super::{Mark, Series, XyChart};

impl XyChart {
    pub(super) fn draw_marks(&self, frame: &mut Frame) {
        let (left, top, right, bottom) = frame.area;
        // Words of vertical marks that would meet stand one below the other: by line, where the last ones end.
        let mut ends: Vec<f64> = Vec::new();
        for mark in &self.marks {
            match mark {
                Mark::Shade(from, to, words) => {
                    let (Some(a), Some(b)) = (frame.x_at(*from), frame.x_at(*to)) else {
                        continue;
                    };
                    let (a, b) = (a.clamp(left, right), b.clamp(left, right));
                    frame.svg.rect("shade", (a, top), (b, bottom), "");
                    frame.svg.text(
                        "tick halo",
                        Anchor::Start,
                        (a + 5.0, top + 12.0),
                        &fit(words, 11.0, (b - a - 8.0).max(0.0)),
                    );
                }
                Mark::X(x, words) => {
                    let Some((pixel, _)) = frame.point(*x, frame.y.lo) else {
                        continue;
                    };
                    frame.svg.line("ref", (pixel, top), (pixel, bottom));
                    let wide = width_of(words, 11.0);
                    let (anchor, at) = if pixel + wide + 6.0 > right {
                        (Anchor::End, pixel - 5.0)
                    } else {
                        (Anchor::Start, pixel + 5.0)
                    };
                    let from = if anchor == Anchor::End { at - wide } else { at };
                    let height = |line: usize| (0..line).fold(top + 10.0, |y, _| y + 13.0);
                    let room = (0..8).take_while(|&line| height(line) < f64::midpoint(top, bottom));
                    let line = room
                        .filter(|&line| ends.get(line).is_none_or(|end| from > end + 4.0))
                        .min_by_key(|&line| self.lines_through(frame, (from, height(line)), wide))
                        .unwrap_or(ends.len());
                    ends.resize(ends.len().max(line + 1), f64::NEG_INFINITY);
                    ends[line] = ends[line].max(from + wide);
                    let y = height(line);
                    frame.svg.text("tick halo", anchor, (at, y), words);
                }
                Mark::Y(y, words) => {
                    let Some((_, pixel)) = frame.point(frame.x.lo, *y) else {
                        continue;
                    };
                    frame.svg.line("ref", (left, pixel), (right, pixel));
                    let at = self.free_place(frame, pixel, width_of(words, 11.0));
                    frame.svg.text("tick halo", Anchor::Start, at, words);
                }
                Mark::Diagonal(_) => {
                    let (lo, hi) = (frame.x.lo.max(frame.y.lo), frame.x.hi.min(frame.y.hi));
                    let (Some(a), Some(b)) = (frame.point(lo, lo), frame.point(hi, hi)) else {
                        continue;
                    };
                    frame.svg.line("ref", a, b);
                }
            }
        }
    }

    /// Where words of this width stand beside a horizontal mark at `pixel`: at one of its ends, above or below it, where the fewest lines run through them.
    fn free_place(&self, frame: &Frame, pixel: f64, wide: f64) -> (f64, f64) {
        let (left, _, right, bottom) = frame.area;
        let (start, end) = (left + 4.0, right - 2.0 - wide);
        // On narrow charts the words of vertical marks need the right end.
        let ends = if right - left < 400.0 {
            [start, end]
        } else {
            [end, start]
        };
        let below = if pixel + 16.0 < bottom { 13.0 } else { -5.0 };
        let places = [-5.0, below]
            .into_iter()
            .flat_map(|by| ends.map(|x| (x, pixel + by)));
        let fewest = places.min_by_key(|&place| self.lines_through(frame, place, wide));
        fewest.unwrap_or((start, pixel - 5.0))
    }

    /// How many pieces of lines run through words of this width that begin here.
    fn lines_through(&self, frame: &Frame, (x, y): (f64, f64), wide: f64) -> usize {
        let (from, to) = ((x - 2.0, y - 10.0), (x + wide + 2.0, y + 2.0));
        let pieces = self
            .series
            .iter()
            .flat_map(|series| series.points.windows(2));
        let drawn = pieces.filter_map(|ends| {
            let at = |(x, y): (f64, f64)| frame.point(x, y);
            at(ends[0]).zip(at(ends[1]))
        });
        drawn.filter(|piece| runs_through(*piece, from, to)).count()
    }

    pub(super) fn draw_band(&self, frame: &mut Frame, series: &Series, ink: Ink) {
        let class = ink.class();
        if matches!(series.look, Look::Points | Look::Bars | Look::Cloud) {
            return;
        }
        let pixels: Vec<(f64, f64, f64)> = series
            .band
            .iter()
            .filter(|(x, lo, hi)| x.is_finite() && lo.is_finite() && hi.is_finite())
            .filter_map(|(x, lo, hi)| {
                Some((
                    frame.x_at(*x)?,
                    frame.clipped_y(*lo)?,
                    frame.clipped_y(*hi)?,
                ))
            })
            .collect();
        let step = series.look == Look::Step;
        let mut outline = Vec::new();
        for (upper, points) in [
            (true, pixels.clone()),
            (false, pixels.iter().rev().copied().collect()),
        ] {
            let mut before: Option<(f64, f64)> = None;
            for (x, lo, hi) in points {
                let y = if upper { hi } else { lo };
                if let (true, Some(b)) = (step, before) {
                    outline.push(Some(if upper { (x, b.1) } else { (b.0, y) }));
                }
                outline.push(Some((x, y)));
                before = Some((x, y));
            }
        }
        frame.svg.path(&format!("band f-{class}"), outline, true);
    }

    pub(super) fn draw_series(
        &self,
        frame: &mut Frame,
        series: &Series,
        ink: Ink,
        shape: usize,
        half_bar: f64,
    ) {
        let class = ink.class();
        match series.look {
            Look::Line | Look::Step => {
                let mut path = Vec::new();
                let mut before: Option<(f64, f64)> = None;
                for (x, y) in &series.points {
                    let point = frame.point(*x, *y);
                    if let (Look::Step, Some(b), Some(p)) = (series.look, before, point) {
                        path.push(Some((p.0, b.1)));
                    }
                    path.push(point);
                    before = point;
                }
                let alone = alone(&path);
                frame
                    .svg
                    .path(&format!("line k-{class} d{}", series.dash), path, false);
                if series.marked {
                    self.draw_points(frame, series, "dot", shape, 3.4, &class);
                    return;
                }
                for at in alone {
                    frame.svg.marker(&format!("dot f-{class}"), 0, at, 3.0, "");
                }
            }
            Look::Points | Look::Cloud => {
                for (x, lo, hi) in &series.band {
                    let (Some(x), Some(lo), Some(hi)) =
                        (frame.x_at(*x), frame.clipped_y(*lo), frame.clipped_y(*hi))
                    else {
                        continue;
                    };
                    frame.svg.line(&format!("thin k-{class}"), (x, lo), (x, hi));
                    for end in [lo, hi] {
                        frame
                            .svg
                            .line(&format!("thin k-{class}"), (x - 3.0, end), (x + 3.0, end));
                    }
                }
                let (kind, size) = if series.look == Look::Points {
                    ("dot", 4.0)
                } else {
                    ("cloud", 2.2)
                };
                self.draw_points(frame, series, kind, shape, size, &class);
            }
            Look::Bars => {
                let Some(zero) = frame.clipped_y(0.0) else {
                    return;
                };
                for (x, y) in &series.points {
                    let (Some(a), Some(b), Some(top)) = (
                        frame.x_at(x - 0.9 * half_bar),
                        frame.x_at(x + 0.9 * half_bar),
                        frame.clipped_y(*y),
                    ) else {
                        continue;
                    };
                    let (left, _, right, _) = frame.area;
                    if (zero - top).abs() > 0.01 && b > left && a < right {
                        frame.svg.rect(
                            &format!("bar f-{class}"),
                            (a, zero),
                            (b.max(a + 0.8), top),
                            &self.tip(series, *x, *y),
                        );
                    }
                }
            }
        }
    }

    /// The markers of a series; each tells its values, unless they are too many.
    fn draw_points(
        &self,
        frame: &mut Frame,
        series: &Series,
        kind: &str,
        shape: usize,
        size: f64,
        class: &str,
    ) {
        let told = series.look == Look::Points || series.points.len() <= 500;
        let class = format!("{kind} f-{class}");
        for (x, y) in &series.points {
            let Some(at) = frame.point(*x, *y) else {
                continue;
            };
            let tip = if told {
                self.tip(series, *x, *y)
            } else {
                String::new()
            };
            frame.svg.marker(&class, shape, at, size, &tip);
        }
    }

    fn tip(&self, series: &Series, x: f64, y: f64) -> String {
        let name = if series.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", series.name)
        };
        format!("{name}{} at {}", self.y.tell(y), self.x.tell(x))
    }
}

/// The points of a path without a neighbour: a line alone would not show them.
fn alone(path: &[Option<(f64, f64)>]) -> Vec<(f64, f64)> {
    let drawn = |at: Option<usize>| at.and_then(|at| path.get(at)).is_some_and(Option::is_some);
    path.iter()
        .enumerate()
        .filter(|(at, _)| !drawn(at.checked_sub(1)) && !drawn(Some(at + 1)))
        .filter_map(|(_, point)| *point)
        .collect()
}

/// Whether a straight line runs through a rectangle.
fn runs_through((a, b): ((f64, f64), (f64, f64)), from: (f64, f64), to: (f64, f64)) -> bool {
    let (left, right) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    if left.0 > to.0 || right.0 < from.0 {
        return false;
    }
    let wide = right.0 - left.0;
    let height = |x: f64| left.1 + (right.1 - left.1) / wide * (x.clamp(left.0, right.0) - left.0);
    let (one, other) = if wide > 1e-9 {
        (height(from.0), height(to.0))
    } else {
        (left.1, right.1)
    };
    one.max(other) >= from.1 && one.min(other) <= to.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_through_words_are_seen_and_others_are_not() {
        let (from, to) = ((10.0, 10.0), (40.0, 22.0));
        for (a, b, through) in [
            ((0.0, 16.0), (100.0, 16.0), true),
            ((0.0, 0.0), (100.0, 100.0), true),
            ((20.0, 100.0), (20.0, 0.0), true),
            ((100.0, 16.0), (50.0, 16.0), false),
            ((0.0, 30.0), (100.0, 30.0), false),
            ((0.0, 0.0), (100.0, 20.0), false),
        ] {
            assert_eq!(runs_through((a, b), from, to), through, "{a:?} {b:?}");
        }
    }

    /// A limit whose right end a line runs along is named below it or at the left.
    #[test]
    fn words_of_a_horizontal_mark_keep_away_from_lines() {
        use crate::chart::{Axis, Series, XyChart};
        let place = |points: Vec<(f64, f64)>| {
            let axis = || Axis::linear("x").range(0.0, 100.0);
            let chart = XyChart::new("t", axis(), axis()).mark_y(50.0, "limit");
            let drawing = chart.series(Series::line("own", points)).svg();
            let text = drawing.inline("c");
            let tag = text.split("<text").find(|tag| tag.contains(">limit<"));
            let number = |name: &str| {
                let value = tag.unwrap().split(&format!(" {name}=\"")).nth(1).unwrap();
                value.split('"').next().unwrap().parse::<f64>().unwrap()
            };
            (number("x"), number("y"))
        };
        let free = place(vec![(0.0, 90.0), (100.0, 90.0)]);
        let above = place(vec![(0.0, 51.5), (100.0, 51.5)]);
        assert!(above.1 > free.1 + 10.0, "{above:?} {free:?}");
        let right = place(vec![(0.0, 90.0), (80.0, 90.0), (81.0, 47.0), (100.0, 52.0)]);
        assert!(right.0 < free.0 - 100.0, "{right:?} {free:?}");
    }
}
