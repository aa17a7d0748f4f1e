//! Colours of values: the scales of heat maps and the bar that explains them.

use super::axis::Scale;
use super::frame::Frame;
use super::letters::fit;
use super::svg::Anchor;

/// How values become colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shades {
    /// From dark blue (low) to yellow (high): evenly perceived, safe for the colour-blind (viridis).
    Sequential,
    /// Blue below this value, red above it, pale at it.
    Diverging(f64),
}

const VIRIDIS: [[u8; 3]; 11] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x24, 0x75],
    [0x41, 0x44, 0x87],
    [0x35, 0x5f, 0x8d],
    [0x2a, 0x78, 0x8e],
    [0x21, 0x91, 0x8c],
    [0x22, 0xa8, 0x84],
    [0x44, 0xbf, 0x70],
    [0x7a, 0xd1, 0x51],
    [0xbd, 0xdf, 0x26],
    [0xfd, 0xe7, 0x25],
];
const BLUE_RED: [[u8; 3]; 9] = [
    [0x21, 0x66, 0xac],
    [0x43, 0x93, 0xc3],
    [0x92, 0xc5, 0xde],
    [0xd1, 0xe5, 0xf0],
    [0xf7, 0xf7, 0xf7],
    [0xfd, 0xdb, 0xc7],
    [0xf4, 0xa5, 0x82],
    [0xd6, 0x60, 0x4d],
    [0xb2, 0x18, 0x2b],
];

/// The colour at a share of the range, in 32 steps.
pub(super) fn shade(shades: Shades, share: f64) -> String {
    let table: &[[u8; 3]] = match shades {
        Shades::Sequential => &VIRIDIS,
        Shades::Diverging(_) => &BLUE_RED,
    };
    let stepped = (share.clamp(0.0, 1.0) * 32.0).round() / 32.0;
    let last = u32::try_from(table.len() - 1).unwrap_or(1);
    let place = stepped * f64::from(last);
    // Between 0 and the length of the table.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (place.floor() as usize).min(table.len() - 2);
    let part = place - f64::from(u32::try_from(at).unwrap_or(0));
    let mix =
        |n: usize| f64::from(table[at][n]) * (1.0 - part) + f64::from(table[at + 1][n]) * part;
    // Between 0 and 255.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = |n: usize| mix(n).round() as u8;
    format!("#{:02x}{:02x}{:02x}", byte(0), byte(1), byte(2))
}

/// Letters on a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    White,
    Black,
}

/// The letters that are the easier to read on a colour `#rrggbb`; white on what is none.
pub(super) fn letters_on(colour: &str) -> Letters {
    // Both have the same contrast to a colour of this luminance.
    if luminance(colour) < 0.19 {
        Letters::White
    } else {
        Letters::Black
    }
}

/// The relative luminance of a colour `#rrggbb`, as the accessibility guidelines of the Web define it: 0 for black, 1 for white.
pub(super) fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let byte = colour
            .get(at..at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let share = f64::from(byte.unwrap_or(0)) / 255.0;
        if share <= 0.039_28 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

/// The bar beside a map, from `lo` to `hi`.
pub(super) fn colour_bar(
    frame: &mut Frame,
    scale: &Scale,
    label: &str,
    shades: Shades,
    lo: f64,
    hi: f64,
) {
    let (_, top, right, bottom) = frame.area;
    let (x0, x1) = (right + 16.0, right + 30.0);
    for step in 0..33 {
        let share = f64::from(step) / 33.0;
        let (y0, y1) = (
            bottom - share * (bottom - top),
            bottom - (f64::from(step) + 1.0) / 33.0 * (bottom - top),
        );
        let fill = shade(shades, f64::from(step) / 32.0);
        let seam = if step < 32 { 0.6 } else { 0.0 };
        frame
            .svg
            .filled_rect("cell", &fill, (x0, y0), (x1, y1 - seam), "");
    }
    for (at, text) in &scale.ticks {
        let y = bottom - (at - lo) / (hi - lo) * (bottom - top);
        frame.svg.line("axis", (x1, y), (x1 + 3.0, y));
        frame
            .svg
            .text("tick", Anchor::Start, (x1 + 6.0, y + 4.0), text);
    }
    let room = frame.area.2 - frame.area.0;
    frame.svg.text(
        "tick",
        Anchor::End,
        (x1 + 34.0, top - 8.0),
        &fit(label, 11.0, room / 2.0),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_have_the_ends_of_the_colours() {
        assert_eq!(shade(Shades::Sequential, 0.0), "#440154");
        assert_eq!(shade(Shades::Sequential, 1.0), "#fde725");
        assert_eq!(shade(Shades::Diverging(0.0), 0.5), "#f7f7f7");
        assert_eq!(shade(Shades::Sequential, f64::INFINITY), "#fde725");
    }
}
