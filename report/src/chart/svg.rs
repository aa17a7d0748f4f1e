//! The SVG writer: elements, escaping, widths of words, colours by role.

use std::fmt::Write as _;

use super::colour::{Letters, letters_on};
use super::mosaic::Mosaic;

/// Colours by role; their values for light and dark grounds are in `css`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The n-th series: eight colours, then again from the first.
    Series(usize),
    /// What stands back: earlier baselines, references.
    Muted,
    /// Axes and letters.
    Text,
}

impl Ink {
    /// The class suffix.
    pub(super) fn class(self) -> String {
        match self {
            Ink::Series(n) => format!("s{}", n % LIGHT.len()),
            Ink::Muted => "m".to_owned(),
            Ink::Text => "t".to_owned(),
        }
    }
}

/// Series colours on white: the Okabe-Ito set, the pale ones darkened so that thin lines stay visible (a contrast of 3 at least).
const LIGHT: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#a8509f", "#b87e00", "#3391cb", "#7a5c3e", "#4d4d4d",
];
/// The same on a dark ground.
const DARK: [&str; 8] = [
    "#57aee8", "#ff8f4d", "#3fcb9d", "#dd8fd3", "#f0c04a", "#93d3f7", "#c7a684", "#c9ccd1",
];
/// Muted, text, grid, ground.
const LIGHT_ROLES: [&str; 4] = ["#6f7680", "#1f2328", "#e3e6ea", "#ffffff"];
const DARK_ROLES: [&str; 4] = ["#9aa3ad", "#e4e7eb", "#363b43", "#15181d"];
const ROLES: [&str; 4] = ["m", "t", "grid", "ground"];

const FONT: &str = "Helvetica, Arial, 'Liberation Sans', sans-serif";
/// Kinds of lines: the solid one, and `d1` to `d5` of the style sheet.
pub(super) const DASHES: usize = 6;
/// Size of letters in pixels.
pub(super) const LETTER: f64 = 12.0;

fn rules() -> String {
    let mut text = format!(
        ".chart text{{font:{LETTER}px {FONT};fill:var(--t);stroke:none}}\
         .chart .tick{{fill:var(--m);font-size:11px}}\
         .chart .name{{font-weight:600}}\
         .chart .axis{{stroke:var(--t);stroke-width:1;fill:none;shape-rendering:crispEdges}}\
         .chart .grid{{stroke:var(--grid);stroke-width:1;fill:none;shape-rendering:crispEdges}}\
         .chart .ref{{stroke:var(--m);stroke-width:1;stroke-dasharray:4 3;fill:none}}\
         .chart .shade{{fill:var(--grid);opacity:.55;stroke:none}}\
         .chart .line{{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}}\
         .chart .thin{{fill:none;stroke-width:1.3}}\
         .chart .band{{stroke:none;opacity:.18}}\
         .chart .dot{{stroke:var(--ground);stroke-width:.8}}\
         .chart .cloud{{stroke:none;opacity:.45}}\
         .chart .bar{{stroke:none}}\
         .chart .d1{{stroke-dasharray:6 4}}\
         .chart .d2{{stroke-dasharray:2 3}}\
         .chart .d3{{stroke-dasharray:8 4 1.5 4}}\
         .chart .d4{{stroke-dasharray:14 5}}\
         .chart .d5{{stroke-dasharray:10 3 1.5 3 1.5 3}}\
         .chart .cell{{shape-rendering:crispEdges;stroke:none}}\
         .chart .under{{fill:var(--ground);stroke:none}}\
         .chart .halo{{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}}\
         .chart .onlight{{fill:#111}}.chart .ondark{{fill:#fff}}"
    );
    let classes = (0..LIGHT.len())
        .map(|n| format!("s{n}"))
        .chain(["m".to_owned(), "t".to_owned()]);
    for class in classes {
        let _ = write!(
            text,
            ".chart .k-{class}{{stroke:var(--{class})}}.chart .f-{class}{{fill:var(--{class})}}.chart .on-{class}{{fill:var(--on-{class})}}"
        );
    }
    text
}

fn variables(series: &[&str; 8], roles: &[&str; 4]) -> Vec<(String, String)> {
    let named = series
        .iter()
        .enumerate()
        .map(|(n, colour)| (format!("--s{n}"), (*colour).to_owned()));
    let others = ROLES
        .iter()
        .zip(roles)
        .map(|(role, colour)| (format!("--{role}"), (*colour).to_owned()));
    let all: Vec<(String, String)> = named.chain(others).collect();
    let letters = all.iter().map(|(name, colour)| {
        let name = format!("--on-{}", name.trim_start_matches('-'));
        let letters = match letters_on(colour) {
            Letters::White => "#fff",
            Letters::Black => "#111",
        };
        (name, letters.to_owned())
    });
    letters.chain(all.iter().cloned()).collect()
}

/// The style sheet that charts inside a page need: once per page.
pub(crate) fn css() -> String {
    let list = |pairs: Vec<(String, String)>| -> String {
        pairs
            .iter()
            .map(|(name, value)| format!("{name}:{value};"))
            .collect()
    };
    format!(
        ":root{{{}}}@media (prefers-color-scheme:dark){{:root{{{}}}}}@media print{{:root{{{}}}}}{}",
        list(variables(&LIGHT, &LIGHT_ROLES)),
        list(variables(&DARK, &DARK_ROLES)),
        list(variables(&LIGHT, &LIGHT_ROLES)),
        rules()
    )
}

/// A finished chart.
#[derive(Debug, Clone)]
#[must_use]
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
    /// A map of cells, and where in `body` it is drawn.
    mosaic: Option<(usize, Mosaic)>,
    narrow: Option<Box<Svg>>,
}

/// The width of a chart on a telephone, in pixels.
pub(super) const NARROW: f64 = 342.0;

impl Svg {
    pub(super) fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        Svg {
            width,
            height,
            title: title.to_owned(),
            description: description.to_owned(),
            body: String::new(),
            mosaic: None,
            narrow: None,
        }
    }

    /// The same with a second drawing for narrow screens, where it would be read in small print.
    pub(super) fn with_narrow(mut self, draw: impl FnOnce() -> Svg) -> Self {
        if self.width > NARROW + 40.0 {
            self.narrow = Some(Box::new(draw()));
        }
        self
    }

    /// The drawing for narrow screens, where there is one.
    pub(crate) fn narrow(&self) -> Option<&Svg> {
        self.narrow.as_deref()
    }

    /// The title, which the page also uses.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Width in pixels at natural size.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The element for a page that holds `css`; `id` must be unique in the page.
    #[must_use]
    pub fn inline(&self, id: &str) -> String {
        let name = format!("{}-cells", escape(id));
        self.element(id, "", "", |mosaic| {
            mosaic.defined(&name) + &mosaic.shown(&name)
        })
    }

    /// The same beside the element `wide` of the page, which holds the cells of both.
    pub(crate) fn inline_beside(&self, wide: &str, id: &str) -> String {
        let name = format!("{}-cells", escape(wide));
        self.element(id, "", "", |mosaic| mosaic.shown(&name))
    }

    /// A file of its own, on white; `generator` names the program that writes it, with its version.
    #[must_use]
    pub fn standalone(&self, generator: &str) -> String {
        let mut style = rules();
        for (name, value) in variables(&LIGHT, &LIGHT_ROLES) {
            style = style.replace(&format!("var({name})"), &value);
        }
        let ground = format!(
            "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>",
            LIGHT_ROLES[3]
        );
        let head = format!("<style>{style}</style>{ground}");
        let size = format!(
            " width=\"{}\" height=\"{}\"",
            number(self.width),
            number(self.height)
        );
        format!(
            "{}. -->\n{}\n",
            Svg::opening(generator),
            self.element("chart", &size, &head, Mosaic::alone)
        )
    }

    /// The first bytes of every [`standalone`](Svg::standalone) file whose generator starts with `generator`.
    ///
    /// ```
    /// use hindsight_report::{Axis, Svg, XyChart};
    ///
    /// let svg = XyChart::new("t", Axis::linear("x"), Axis::linear("y")).svg();
    /// assert!(svg.standalone("plan 1.0").starts_with(&Svg::opening("plan ")));
    /// ```
    #[must_use]
    pub fn opening(generator: &str) -> String {
        // Two hyphens would end the comment.
        let name = escape(generator).replace("--", "- -");
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- Drawn by {name}")
    }

    fn element(
        &self,
        id: &str,
        size: &str,
        head: &str,
        cells: impl FnOnce(&Mosaic) -> String,
    ) -> String {
        let id = escape(id);
        let (below, cells, above) = match &self.mosaic {
            None => ("", String::new(), self.body.as_str()),
            Some((at, mosaic)) => (&self.body[..*at], cells(mosaic), &self.body[*at..]),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {} {}\"{size} role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{head}{below}{cells}{above}</svg>",
            number(self.width),
            number(self.height),
            escape(&self.title),
            escape(&self.description)
        )
    }

    /// Draws the cells of a map over what is drawn so far.
    pub(super) fn map(&mut self, mosaic: Mosaic) {
        self.mosaic = Some((self.body.len(), mosaic));
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1)
        );
    }

    /// A rectangle with, if not empty, a value told on hovering. Sides may be given in either order.
    pub(super) fn rect(&mut self, class: &str, from: (f64, f64), to: (f64, f64), tip: &str) {
        self.filled_rect(class, "", from, to, tip);
    }

    /// The same with a fill of its own (heat maps).
    pub(super) fn filled_rect(
        &mut self,
        class: &str,
        fill: &str,
        from: (f64, f64),
        to: (f64, f64),
        tip: &str,
    ) {
        let fill = if fill.is_empty() {
            String::new()
        } else {
            format!(" fill=\"{fill}\"")
        };
        let _ = write!(
            self.body,
            "<rect class=\"{class}\"{fill} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(from.0.min(to.0)),
            number(from.1.min(to.1)),
            number((to.0 - from.0).abs()),
            number((to.1 - from.1).abs())
        );
        self.close("rect", tip);
    }

    /// An open or closed path through the points; a break where a point is `None`.
    pub(super) fn path(
        &mut self,
        class: &str,
        points: impl IntoIterator<Item = Option<(f64, f64)>>,
        closed: bool,
    ) {
        let mut data = String::new();
        let mut pen_down = false;
        let mut before = (f64::NAN, f64::NAN);
        for point in points {
            match point {
                Some((x, y)) => {
                    let text = (number(x), number(y));
                    if !pen_down {
                        let _ = write!(data, "M{} {}", text.0, text.1);
                    } else if text.1 == number(before.1) {
                        let _ = write!(data, "H{}", text.0);
                    } else if text.0 == number(before.0) {
                        let _ = write!(data, "V{}", text.1);
                    } else {
                        let _ = write!(data, "L{} {}", text.0, text.1);
                    }
                    before = (x, y);
                    pen_down = true;
                }
                None => pen_down = false,
            }
        }
        if data.is_empty() {
            return;
        }
        let end = if closed { "Z" } else { "" };
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}{end}\"/>");
    }

    /// The n-th marker shape: circle, square, triangle, diamond.
    pub(super) fn marker(
        &mut self,
        class: &str,
        shape: usize,
        at: (f64, f64),
        size: f64,
        tip: &str,
    ) {
        let (x, y) = at;
        // A ninth has the first one's colour again, but not its shape.
        match (shape + shape / LIGHT.len()) % 4 {
            0 => {
                let _ = write!(
                    self.body,
                    "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"",
                    number(x),
                    number(y),
                    number(size)
                );
                self.close("circle", tip);
            }
            1 => {
                let half = 0.89 * size;
                self.rect(class, (x - half, y - half), (x + half, y + half), tip);
            }
            other => {
                let data = if other == 2 {
                    let (dx, dy) = (1.17 * size, 1.0 * size);
                    format!(
                        "M{} {}L{} {}H{}Z",
                        number(x),
                        number(y - 1.35 * size),
                        number(x + dx),
                        number(y + dy * 0.68),
                        number(x - dx)
                    )
                } else {
                    let d = 1.3 * size;
                    format!(
                        "M{} {}l{d:.2} {d:.2} -{d:.2} {d:.2} -{d:.2} -{d:.2}Z",
                        number(x),
                        number(y - d)
                    )
                };
                let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}\"");
                self.close("path", tip);
            }
        }
    }

    fn close(&mut self, name: &str, tip: &str) {
        if tip.is_empty() {
            self.body.push_str("/>");
        } else {
            let _ = write!(self.body, "><title>{}</title></{name}>", escape(tip));
        }
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), words: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let _ = write!(
            self.body,
            "<text{class}{anchor} x=\"{}\" y=\"{}\">{}</text>",
            number(at.0),
            number(at.1),
            escape(&crate::number::typographic(words))
        );
    }
}

/// Which end of the words stands at the given point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A coordinate with at most two digits after the point; what is not finite becomes 0 rather than broken SVG.
pub(super) fn number(x: f64) -> String {
    if !x.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The text with the five characters escaped that HTML and XML reserve; control characters that XML forbids become a box.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(' '),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{25a1}')
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::colour::luminance;
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        let mut svg = Svg::new(100.0, 50.0, "a<b>\"&'", "\u{0}x");
        svg.text(
            "",
            Anchor::Start,
            (1.0, 2.0),
            "</text><script>alert(1)</script>",
        );
        let text = svg.inline("f\"1");
        assert!(
            !text.contains("<script") && text.contains("&lt;script"),
            "{text}"
        );
        assert!(!text.contains('\u{0}') && text.contains("a&lt;b&gt;&quot;&amp;&#39;"));
    }

    #[test]
    fn a_file_alone_needs_no_variables() {
        let text = Svg::new(1.0, 1.0, "t", "d").standalone("a--b 1");
        assert!(!text.contains("var("), "{text}");
        assert!(text.starts_with(&Svg::opening("a--b ")), "{text}");
    }

    /// Letters on bars and muted words have a contrast of 4.5 at least, marks one of 3, on light grounds and on dark ones.
    #[test]
    fn words_and_marks_stand_out_from_their_ground() {
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        for (series, roles) in [(LIGHT, LIGHT_ROLES), (DARK, DARK_ROLES)] {
            let ground = luminance(roles[3]);
            for colour in series.iter().chain(&roles[..2]) {
                let own = luminance(colour);
                let letters = match letters_on(colour) {
                    Letters::White => "#ffffff",
                    Letters::Black => "#111111",
                };
                assert!(
                    contrast(own, luminance(letters)) >= 4.5,
                    "letters on {colour}"
                );
                assert!(contrast(own, ground) >= 3.0, "{colour}");
            }
            for words in &roles[..2] {
                assert!(contrast(luminance(words), ground) >= 4.5, "{words}");
            }
        }
    }

    #[test]
    fn coordinates_are_short_and_finite() {
        assert_eq!(number(1.0 / 3.0), "0.33");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(10.0), "10");
        assert_eq!(number(f64::NAN), "0");
    }
}
