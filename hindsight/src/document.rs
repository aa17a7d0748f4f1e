//! Results out: every subcommand gives its results as a JSON document, a page and a table in the same way.
//!
//! # How a subcommand uses it
//!
//! 1. Its arguments flatten [`Outputs`] (`--json FILE`, `--report FILE`, `--tables FILE`, `--force`) and, where anything is random, [`Seed`] (`--seed`).
//! 2. It begins a [`Run`] with the names of all its inputs, before any work: every output place is probed, and an output that is an input,
//!    or two outputs with one name, are refused. Further files (a fitted model, a drawing) are announced by [`Run::also`].
//! 3. It reads by [`Run::inputs`]: a CSV file through [`crate::table::Format::open`], anything else by [`Inputs::open`] (for logs of
//!    language models `llm_metrics::io::decompressed` takes that reader). Names and digests are kept there.
//! 4. It computes a result that serialises, as a struct of the library, and hands it to [`Run::finish`] with the text for the terminal and
//!    a function that makes the page.
//!
//! ```text
//! let mut run = Run::begin("llm recalibrate", &args.outputs, Some(args.seed.seed), [args.log.as_path()])?;
//! let model = args.save.as_deref().map(|path| run.also(path)).transpose()?;
//! let rows = read(run.inputs(), &args.log)?;
//! let results = compute(&rows)?;
//! if let Some(model) = model {
//!     run.put(model, serde_json::to_vec(&results.map)?);
//! }
//! run.finish(&results, || page(&results), &text(&results))
//! ```
//!
//! # What every document says
//!
//! The JSON document opens with the subcommand, the version of the program, the command line, the seed, and the inputs' names and
//! digests; the fields of the results follow. The page ends with the same. The command line is given without what cannot change a number (where results
//! go, how many threads work, what is said), and no time is in it: the same inputs give the same bytes. A number that is not finite is `null`.
//!
//! `-` as a file name is the standard input or output. Where the JSON document or the page goes to the standard output, no table is
//! printed there. Everywhere else the table is printed in any case, also when a file cannot be written.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use gpu::Device;
use gpu::exec::Used;
use report::Page;
use serde::Serialize;

use crate::device::{Choice, Chosen};
use crate::error::CliError;
use crate::inputs::{Input, Inputs};
use crate::output::{self, GENERATOR, Target};

/// The seed of everything random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(crate) struct Seed {
    /// Seed of everything random: the same seed gives the same numbers, whatever the number of threads
    #[arg(long = "seed", value_name = "N", default_value_t = Seed::default().seed)]
    pub(crate) seed: u64,
}

impl Default for Seed {
    fn default() -> Self {
        Seed { seed: 7 }
    }
}

/// Where results go besides the terminal.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Outputs {
    /// All results as JSON; `-`, or nothing after the option, is the standard output, which then holds nothing else
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) json: Option<PathBuf>,
    /// The page with figures and tables: one HTML file, nothing to fetch
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// All tables of the page, for other programs: Markdown, or CSV where the name ends with `.csv`
    #[arg(long, value_name = "FILE")]
    pub(crate) tables: Option<PathBuf>,
    /// Replace files that this command did not write
    #[arg(long)]
    pub(crate) force: bool,
}

/// A run of a subcommand: its inputs, and the places of its results.
#[derive(Debug)]
pub(crate) struct Run {
    command: &'static str,
    arguments: Vec<String>,
    seed: Option<u64>,
    force: bool,
    sources: Vec<PathBuf>,
    inputs: Inputs,
    json: Option<Target>,
    page: Option<Target>,
    tables: Option<Target>,
    others: Vec<(Target, Vec<u8>)>,
    device: OnceCell<Chosen>,
}

/// A further file of a run, announced by [`Run::also`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Further(usize);

impl Run {
    /// Begins a run: probes every place of `outputs` and refuses those that are one of the inputs, or one another.
    ///
    /// # Errors
    ///
    /// [`CliError`] that names the place.
    pub(crate) fn begin<'a>(
        command: &'static str,
        outputs: &Outputs,
        seed: Option<u64>,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, CliError> {
        let mut run = Run {
            command,
            arguments: arguments(std::env::args_os().skip(1)),
            seed,
            force: outputs.force,
            sources: inputs.into_iter().map(Path::to_path_buf).collect(),
            inputs: Inputs::default(),
            json: None,
            page: None,
            tables: None,
            others: Vec::new(),
            device: OnceCell::new(),
        };
        let target = |run: &Run, path: &Option<PathBuf>| {
            let path = path.as_deref();
            path.map(|path| run.target(path)).transpose()
        };
        run.json = target(&run, &outputs.json)?;
        run.page = target(&run, &outputs.report)?;
        run.tables = target(&run, &outputs.tables)?;
        Ok(run)
    }

    /// Announces a further file, checked like the others; [`Run::put`] gives its content.
    ///
    /// # Errors
    ///
    /// As [`Run::begin`].
    pub(crate) fn also(&mut self, path: &Path) -> Result<Further, CliError> {
        let target = self.target(path)?;
        self.others.push((target, Vec::new()));
        Ok(Further(self.others.len() - 1))
    }

    /// The content of a further file, written by [`Run::finish`].
    pub(crate) fn put(&mut self, file: Further, bytes: impl Into<Vec<u8>>) {
        self.others[file.0].1 = bytes.into();
    }

    /// Opens the device that the run works on, with so many threads beside it; results name it from now on.
    pub(crate) fn device(
        &self,
        choice: Choice,
        threads: Option<NonZeroUsize>,
    ) -> Result<Device, CliError> {
        let chosen = choice.open(threads)?;
        Ok(self.device.get_or_init(|| chosen).device().clone())
    }

    /// Where the inputs are opened.
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Writes the files, all or none, and prints `text` unless the standard output is taken.
    ///
    /// # Errors
    ///
    /// [`CliError::System`] if a place cannot be written; the text has then been printed all the same.
    pub(crate) fn finish(
        &self,
        results: &impl Serialize,
        page: impl FnOnce() -> Page,
        text: &str,
    ) -> Result<(), CliError> {
        // As little as can be is compiled for every kind of results.
        let head = &self.head();
        let json =
            (self.json.as_ref()).map(|_| serde_json::to_vec_pretty(&Document { head, results }));
        let page = (self.page.is_some() || self.tables.is_some()).then(page);
        self.close(head, json.transpose(), page, text)
    }

    fn close(
        &self,
        head: &Head<'_>,
        json: serde_json::Result<Option<Vec<u8>>>,
        page: Option<Page>,
        text: &str,
    ) -> Result<(), CliError> {
        let taken = output::is_quiet() || self.targets().any(Target::is_standard);
        let json = json.map_err(|error| CliError::System(format!("cannot write JSON: {error}")));
        let written = json.and_then(|json| self.write(head, json, page));
        let device = head.device.as_ref();
        let device = device.map(|used| format!("\nDevice: {used}.\n"));
        let printed = if taken {
            Ok(())
        } else {
            output::print(&[text, device.as_deref().unwrap_or_default()].concat())
        };
        written.and(printed)
    }

    fn head(&self) -> Head<'_> {
        Head {
            hindsight: self.command,
            version: env!("CARGO_PKG_VERSION"),
            command_line: &self.arguments,
            seed: self.seed,
            inputs: self.inputs.list(),
            device: self.device.get().and_then(Chosen::used),
        }
    }

    fn write(
        &self,
        head: &Head<'_>,
        json: Option<Vec<u8>>,
        page: Option<Page>,
    ) -> Result<(), CliError> {
        let mut files: Vec<(&Target, Vec<u8>)> = Vec::new();
        if let Some((target, mut bytes)) = self.json.as_ref().zip(json) {
            bytes.push(b'\n');
            files.push((target, bytes));
        }
        if let Some(mut page) = page {
            if let Some(target) = &self.tables {
                let title = format!("{}{GENERATOR}", output::TABLES);
                let csv = target.shown().extension().is_some_and(|end| end == "csv");
                files.push((target, page.tables_text(&title, csv).into_bytes()));
            }
            if let Some(target) = &self.page {
                page.generator(GENERATOR)
                    .section("Made by")
                    .facts(head.facts());
                files.push((target, page.to_html().into_bytes()));
            }
        }
        let others = self.others.iter();
        files.extend(others.map(|(target, bytes)| (target, bytes.clone())));
        output::write_all(files)
    }

    fn target(&self, path: &Path) -> Result<Target, CliError> {
        let target = Target::new(path, self.force)?;
        for input in &self.sources {
            target.is_not(input)?;
        }
        match self.targets().find(|other| target.is_same(other)) {
            Some(other) => Err(CliError::Input(format!(
                "{}: is the place of two outputs (the other is {})",
                path.display(),
                other.shown().display()
            ))),
            None => Ok(target),
        }
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        let others = self.others.iter().map(|(target, _)| target);
        let tables = self.json.iter().chain(&self.page).chain(&self.tables);
        tables.chain(others)
    }
}

/// The JSON document of a run.
#[derive(Debug, Serialize)]
struct Document<'a, R> {
    #[serde(flatten)]
    head: &'a Head<'a>,
    #[serde(flatten)]
    results: &'a R,
}

/// How a document begins. `output::Target` knows our files by its first two fields.
#[derive(Debug, Serialize)]
struct Head<'a> {
    hindsight: &'static str,
    version: &'static str,
    command_line: &'a [String],
    seed: Option<u64>,
    inputs: Vec<Input>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Used>,
}

impl Head<'_> {
    /// What the page says of the run.
    fn facts(&self) -> Vec<(String, String)> {
        let mut facts = vec![
            (
                "command".to_owned(),
                report::command_line(self.command_line),
            ),
            ("version".to_owned(), format!("hindsight {}", self.version)),
        ];
        if let Some(seed) = self.seed {
            facts.push(("seed".to_owned(), seed.to_string()));
        }
        if let Some(device) = &self.device {
            facts.push(("device".to_owned(), device.to_string()));
        }
        for input in &self.inputs {
            let digest = input.sha256.as_deref().unwrap_or("unknown");
            facts.push((input.name.clone(), format!("SHA-256 {digest}")));
        }
        facts
    }
}

/// Options that cannot change a number, and whether a value follows.
const WITHOUT_EFFECT: [(&str, bool); 9] = [
    ("--json", true),
    ("--report", true),
    ("--tables", true),
    ("--no-report", false),
    ("--force", false),
    ("--threads", true),
    ("--quiet", false),
    ("-q", false),
    ("--color", true),
];

/// The command line without the options of [`WITHOUT_EFFECT`].
fn arguments(all: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let mut kept = vec!["hindsight".to_owned()];
    let mut all = all.into_iter().peekable();
    while let Some(argument) = all.next() {
        let argument = argument.to_string_lossy().into_owned();
        let name = argument.split('=').next().unwrap_or_default();
        match WITHOUT_EFFECT.iter().find(|(option, _)| *option == name) {
            Some((_, true)) if name.len() == argument.len() => {
                // `--json` may stand alone, and `-` is a value.
                all.next_if(|next| {
                    let next = next.to_string_lossy();
                    next == "-" || !next.starts_with('-')
                });
            }
            Some(_) => {}
            None => kept.push(argument),
        }
    }
    kept
}
