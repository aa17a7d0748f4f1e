//! The cells of a large map: a path a colour, in units of the grid, so that drawings of any size show the same paths.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::svg::number;

/// How far a cell reaches under its neighbours to the right and above, in pixels of the wide drawing: closes the seams between pixels, of the narrow one too.
pub(super) const SEAM: f64 = 1.0;

/// Cells of one colour in a row, joined: from `column` on, so many of them, in the row `down` from the top.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) column: usize,
    pub(super) cells: usize,
    pub(super) down: usize,
}

impl Run {
    /// The upper left and the lower right corner in a map of `columns` by `rows` that stands here.
    pub(super) fn corners(self, columns: usize, rows: usize, area: Area) -> [(f64, f64); 2] {
        let (left, top, right, bottom) = area;
        let x = |at: usize| left + real(at) / real(columns) * (right - left);
        let y = |at: usize| top + real(at) / real(rows) * (bottom - top);
        let (after, below) = (self.column + self.cells, self.down + 1);
        [(x(self.column), y(self.down)), (x(after), y(below))]
    }

    /// The corners, reaching as far as `seam` across and up under the neighbours, where there may be any.
    pub(super) fn under_neighbours(
        self,
        columns: usize,
        [from, to]: [(f64, f64); 2],
        seam: (f64, f64),
    ) -> [(f64, f64); 2] {
        let reach = |neighbour: bool, seam: f64| if neighbour { seam } else { 0.0 };
        let right = reach(self.column + self.cells < columns, seam.0);
        let above = reach(self.down > 0, seam.1);
        [(from.0, from.1 - above), (to.0 + right, to.1)]
    }
}

/// Where a map stands in a drawing: left, top, right, bottom, in pixels.
pub(super) type Area = (f64, f64, f64, f64);

/// A map of cells, ready to be shown in several drawings.
#[derive(Debug, Clone)]
pub(super) struct Mosaic {
    columns: usize,
    rows: usize,
    area: Area,
    paths: BTreeMap<(String, String), String>,
}

impl Mosaic {
    pub(super) fn new(columns: usize, rows: usize, area: Area) -> Self {
        let paths = BTreeMap::new();
        Mosaic {
            columns,
            rows,
            area,
            paths,
        }
    }

    /// Adds a run of cells with this class and this fill, which may be empty.
    pub(super) fn run(&mut self, class: String, fill: String, run: Run) {
        let (left, top, right, bottom) = self.area;
        let (columns, rows) = (real(self.columns), real(self.rows));
        let seam = |cells: f64, pixels: f64| SEAM * cells / pixels.max(1.0);
        let seam = (seam(columns, right - left), seam(rows, bottom - top));
        let corners = run.corners(self.columns, self.rows, (0.0, 0.0, columns, rows));
        let [from, to] = run.under_neighbours(self.columns, corners, seam);
        let path = self.paths.entry((class, fill)).or_default();
        let [x, y, width, height] = [from.0, from.1, to.0 - from.0, to.1 - from.1].map(number);
        let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
    }

    /// The paths inside an element of this name, whose user space is the grid. The group is a chart by itself: where another drawing shows it, colours do
    /// not find the chart around it.
    fn inside(&self, element: &str, more: &str) -> String {
        let mut text = format!(
            "<{element}{more} viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\"><g class=\"chart\">",
            self.columns, self.rows
        );
        for ((class, fill), path) in &self.paths {
            let fill = match fill.as_str() {
                "" => String::new(),
                fill => format!(" fill=\"{fill}\""),
            };
            let _ = write!(text, "<path class=\"{class}\"{fill} d=\"{path}\"/>");
        }
        let _ = write!(text, "</g></{element}>");
        text
    }

    fn place(&self) -> String {
        let (left, top, right, bottom) = self.area;
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(number);
        format!(" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
    }

    /// The map drawn where it stands: for a file alone.
    pub(super) fn alone(&self) -> String {
        self.inside("svg", &self.place())
    }

    /// The paths under a name, to be [shown](Mosaic::shown) by any drawing of the page.
    pub(super) fn defined(&self, name: &str) -> String {
        self.inside("symbol", &format!(" id=\"{name}\""))
    }

    /// The map of this name where this one stands.
    pub(super) fn shown(&self, name: &str) -> String {
        format!("<use href=\"#{name}\"{}/>", self.place())
    }
}

fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mosaic() -> Mosaic {
        let mut mosaic = Mosaic::new(10, 4, (50.0, 10.0, 150.0, 50.0));
        for (column, cells, down) in [(0, 3, 3), (3, 7, 3), (0, 10, 0)] {
            mosaic.run(
                format!("cell f-s{}", column % 2),
                String::new(),
                Run {
                    column,
                    cells,
                    down,
                },
            );
        }
        mosaic
    }

    #[test]
    fn a_colour_is_a_path_and_seams_end_at_the_edges() {
        let text = mosaic().alone();
        assert_eq!(text.matches("<path").count(), 2);
        // Ten pixels a cell: a tenth of a cell to the right and upwards, none past the right edge or the top.
        assert!(text.contains("M0 2.9h3.1v1.1h-3.1z"), "{text}");
        assert!(text.contains("M3 2.9h7v1.1h-7z"), "{text}");
        assert!(text.contains("M0 0h10v1h-10z"), "{text}");
    }

    #[test]
    fn what_is_shown_has_its_place_and_no_cells() {
        let (whole, shown) = (mosaic().defined("m"), mosaic().shown("m"));
        assert!(whole.contains("<symbol id=\"m\"") && !whole.contains("width=\"100\""));
        // Rules of the page reach what is shown elsewhere only from within.
        assert!(whole.contains("><g class=\"chart\"><path class=\"cell f-s"));
        assert_eq!(
            shown,
            "<use href=\"#m\" x=\"50\" y=\"10\" width=\"100\" height=\"40\"/>"
        );
    }
}
