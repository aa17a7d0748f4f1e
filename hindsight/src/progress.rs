//! Progress of long work: a bar where someone watches, a line now and then where not, nothing for short work.
//!
//! ```text
//! let progress = Progress::new("training", Some(epochs));
//! for epoch in 0..epochs {
//!     progress.step(1);
//!     progress.note(format!("validation reward {best:.0}"));
//! }
//! progress.finish();
//! ```
//!
//! Nothing is shown for the first second. Then a terminal on the standard error gets a bar; a file or a pipe gets a line
//! every thirty seconds. It is `Sync`: worker threads may call [`Progress::step`].

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const SILENT: Duration = Duration::from_secs(1);
/// Away from a terminal, one line in so long.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The progress of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    bar: ProgressBar,
    started: Instant,
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    shown: bool,
    last_line: Instant,
}

impl Progress {
    /// The progress of work of `total` steps, or of unknown length.
    pub(crate) fn new(label: impl Into<String>, total: Option<u64>) -> Self {
        let label = label.into();
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let form = if total.is_some() {
            "{prefix} {bar:30} {pos}/{len} {elapsed} (eta {eta}) {msg}"
        } else {
            "{prefix} {spinner} {pos} {elapsed} {msg}"
        };
        bar.set_style(
            ProgressStyle::with_template(form)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        bar.set_prefix(label.clone());
        let now = Instant::now();
        Progress {
            label,
            bar,
            started: now,
            terminal: console::Term::stderr().is_term(),
            state: Mutex::new(State {
                shown: false,
                last_line: now,
            }),
        }
    }

    /// `steps` more are done.
    pub(crate) fn step(&self, steps: u64) {
        self.bar.inc(steps);
        self.show();
    }

    /// `done` steps are done in all.
    pub(crate) fn at(&self, done: u64) {
        self.bar.set_position(done);
        self.show();
    }

    /// A few words beside the bar.
    pub(crate) fn note(&self, words: impl Into<String>) {
        self.bar.set_message(words.into());
        self.show();
    }

    /// The work is done: the bar goes.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let elapsed = self.started.elapsed();
        if elapsed < SILENT || output::is_quiet() {
            return;
        }
        // Another thread is showing: nothing is lost by leaving it to that one.
        let Ok(mut state) = self.state.try_lock() else {
            return;
        };
        if self.terminal {
            if !state.shown {
                state.shown = true;
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
        } else if state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            eprintln!(
                "{}",
                line(
                    &self.label,
                    self.bar.position(),
                    self.bar.length(),
                    elapsed,
                    &self.bar.message()
                )
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn line(label: &str, done: u64, total: Option<u64>, elapsed: Duration, words: &str) -> String {
    let of = total.map_or_else(|| done.to_string(), |total| format!("{done} of {total}"));
    let words = if words.is_empty() {
        String::new()
    } else {
        format!(", {words}")
    };
    format!("{label}: {of} after {} s{words}", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_work_shows_nothing() {
        let progress = Progress::new("work", Some(3));
        progress.step(2);
        progress.note("half");
        assert!(progress.bar.is_hidden());
        assert_eq!(progress.bar.position(), 2);
        progress.finish();
    }

    #[test]
    fn a_line_says_how_far() {
        let at = Duration::from_secs(61);
        assert_eq!(
            line("training", 3, Some(10), at, "reward 5"),
            "training: 3 of 10 after 61 s, reward 5"
        );
        assert_eq!(line("reading", 3, None, at, ""), "reading: 3 after 61 s");
    }
}
