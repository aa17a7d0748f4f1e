//! How wide words are, so that labels find room.

/// Widths of the printable ASCII letters in Helvetica and its metric twins, thousandths of the letter size, from the space on.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Where none of the fonts named is there, a browser takes another: DejaVu Sans, the widest of the usual ones, needs this much more room.
const ROOM: f64 = 1.16;

/// The width that the words may take, in pixels, at the given letter size.
pub(super) fn width_of(words: &str, letter: f64) -> f64 {
    let thousandths: f64 = words
        .chars()
        .map(|c| {
            let place = (c as usize)
                .checked_sub(32)
                .and_then(|place| WIDTHS.get(place));
            place.map_or(if (c as u32) < 0x2e80 { 600.0 } else { 1000.0 }, |&width| {
                f64::from(width)
            })
        })
        .sum();
    ROOM * thousandths * letter / 1000.0
}

/// The words cut with an ellipsis to fit `room` pixels.
pub(super) fn fit(words: &str, letter: f64, room: f64) -> String {
    if width_of(words, letter) <= room {
        return words.to_owned();
    }
    let mut kept: Vec<char> = words.chars().collect();
    while kept.pop().is_some() {
        let shorter: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width_of(&shorter, letter) <= room {
            return shorter;
        }
    }
    "…".to_owned()
}

/// The words in lines that fit `room` pixels, parted at blanks; a word that is longer is cut with an ellipsis. No line where there are no
/// words.
pub(super) fn lines(words: &str, letter: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        let joined = lines.last().map(|line| format!("{line} {word}"));
        match joined.filter(|line| width_of(line, letter) <= room) {
            Some(line) => {
                lines.pop();
                lines.push(line);
            }
            None => lines.push(fit(word, letter, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::svg::LETTER;
    use super::*;

    #[test]
    fn lines_fit_and_hold_every_word() {
        let words = "Coverage: share of records answered, most confident first";
        for room in 70..400 {
            let found = lines(words, 11.0, f64::from(room));
            assert!(
                found
                    .iter()
                    .all(|line| width_of(line, 11.0) <= f64::from(room))
            );
            assert_eq!(found.join(" "), words);
        }
        assert!(lines("", 11.0, 50.0).is_empty());
    }

    #[test]
    fn cut_words_fit() {
        for room in 5..200 {
            let words = fit(
                "Direct Backprop trained on everything",
                LETTER,
                f64::from(room),
            );
            assert!(words == "…" || width_of(&words, LETTER) <= f64::from(room));
        }
    }
}
