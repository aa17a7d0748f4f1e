//! `hindsight drain score`.

use ::drain::DrainError;
use ::drain::gpu::Stream;
use ::drain::io::{Ensembles, ensembles};
use ::drain::scores::Summary;
use report::number::{percent, significant};
use report::{Column, Page, Table, figures};

use super::{Common, Stores, wrong};
use crate::error::{CliError, Complain as _, Place};

const EXAMPLES: &str = "\
Examples:
  Ensembles of weekly demand of the bundled stores, calibrated by construction:
    hindsight drain score

  Your own, a forecast a line: {\"members\": [[3, 5], [4, 4], [2, 7]], \"outcome\": [3, 6]}, or {\"members\": [3, 4, 2], \"outcome\": 3}:
    hindsight drain score --input ensembles.jsonl --report scores.html";

/// Arguments of `hindsight drain score`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs `hindsight drain score`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = args.common.begin("drain score", None)?;
    let seed = args.common.seed.seed;
    let (found, words) = match &args.common.input {
        Some(file) => (
            super::read(run.inputs(), file, ensembles)?,
            file.display().to_string(),
        ),
        None => {
            let stores = Stores::open(run.inputs())?;
            let (members, outcomes) = stores.world.demand_ensembles(seed, 100, 40);
            let zones = stores.layout.zones.len();
            let words = format!(
                "{}. 100 weeks of demand, forecast by 40 other weeks of the same law",
                stores.words
            );
            (Ensembles::new(members, outcomes, zones), words)
        }
    };
    let fault = |error: DrainError| match &args.common.input {
        Some(file) => Place::file(file).error(error),
        None => wrong(error),
    };
    let forecasts = found.forecasts().map_err(fault)?;
    let mut rng = Stream::new(seed, "ranks").at(0, 0);
    let summary = Summary::of(&forecasts, &mut rng).map_err(fault)?;
    let mut table = Table::new([Column::text("score"), Column::number("mean")]);
    for (name, value) in [
        ("CRPS", summary.crps),
        ("CRPS, fair", summary.crps_fair),
        ("energy score", summary.energy),
        ("energy score, fair", summary.energy_fair),
        ("variogram score, order 0.5", summary.variogram),
    ] {
        table.row([name.to_owned(), significant(value, 4)]);
    }
    for c in &summary.coverage {
        table.row([
            format!("covered by the central {} interval", percent(c.level, 0)),
            percent(c.share, 1),
        ]);
    }
    let words = format!(
        "{words}: {} forecasts of {} members and {} components",
        summary.forecasts, summary.members, summary.components
    );
    let wide = summary.coverage.last();
    let covered = wide.map_or_else(String::new, |c| {
        format!(
            "; their central {} intervals cover {}",
            percent(c.level, 0),
            percent(c.share, 1)
        )
    });
    let crps = significant(summary.crps_fair, 4);
    let finding = format!("The forecasts have a fair CRPS of {crps} on average{covered}.");
    let text = format!(
        "{finding}\n\n{}\n{words}.\n",
        table.render(crate::output::width())
    );
    let page = || {
        let mut page = Page::new("How good are these forecasts?", words.clone());
        page.note(&finding).section("Scores").table(
            &table,
            "Lower is better. Fair scores are those of the law that the ensemble is a sample of.",
        );
        let [pit, reliability] = figures::calibration(&summary.pit, &summary.reliability);
        page.section("Calibration").figure(
            &pit,
            "Flat where forecasts are calibrated; ties are broken at random.",
        );
        page.figure(
            &reliability,
            "On the diagonal where forecasts are calibrated.",
        );
        page
    };
    run.finish(&summary, page, &text)
}
