//! A verifier that compares two responses at a time.

use std::collections::HashMap;
use std::path::Path;

use llm_metrics::{
    Error,
    stats::text_key,
    verification::{
        Game, GapOptions, Responses, recorded_tournament, tournament, tournament_rounds,
    },
};
use serde_json::{Value, json};

use super::super::plots;
use super::{Args, Estimated, each_row, estimate, fault, points, value};
use crate::document::Run;
use crate::error::{CliError, Place};
use crate::inputs::Inputs;
use report::number::{interval, percent};
use report::{Axis, Column, Page, Series, Table, XyChart};

/// The responses of the log, grouped by prompt, and where each is.
struct Log {
    responses: Responses,
    /// Names of the prompts, in the order of the groups.
    prompts: Vec<String>,
    /// Group of each prompt, by the key of its name.
    place: HashMap<u64, usize>,
    /// Position of each response within its prompt, by the key of its name.
    members: Vec<HashMap<u64, usize>>,
}

/// Comparisons with their lines, and whether their rounds were recorded (else they are 0).
struct Games {
    list: Vec<Game>,
    lines: Vec<u64>,
    recorded: bool,
}

/// More rounds than this no tournament has: each halves the responses.
const MOST_ROUNDS: f64 = 64.0;

/// Judges the survivors of every round and reports them.
pub(super) fn run(
    args: &Args,
    file: &Path,
    options: GapOptions,
    run: &Run,
) -> Result<(), CliError> {
    let log = read_log(run.inputs(), args)?;
    let games = read_games(run.inputs(), args, file, &log)?;
    let recorded = games.recorded;
    let rounds = if recorded {
        recorded_rounds(file, &log, &games)?
    } else {
        drawn_rounds(args, file, &log, &games)?
    };
    let mut estimates = Vec::new();
    for w in &rounds {
        estimates.push(estimate(
            args,
            &log.responses,
            w,
            options,
            ("", "tournament"),
        )?);
    }
    report(args, file, &estimates, recorded, run)
}

fn read_log(inputs: &Inputs, args: &Args) -> Result<Log, CliError> {
    let fields = [&args.prompt, &args.utility, &args.response].map(Clone::clone);
    let mut lists: Vec<Vec<f64>> = Vec::new();
    let mut prompts = Vec::new();
    let mut place = HashMap::new();
    let mut members: Vec<HashMap<u64, usize>> = Vec::new();
    each_row(
        inputs,
        &args.file,
        &fields,
        args.filter.as_deref(),
        |rows, row| {
            let (prompt, response) = (rows.text(row, 0)?, rows.text(row, 2)?);
            let at = *place.entry(text_key(&prompt)).or_insert(lists.len());
            if at == lists.len() {
                lists.push(Vec::new());
                prompts.push(prompt.clone());
                members.push(HashMap::new());
            }
            let own = members[at].len();
            if members[at].insert(text_key(&response), own).is_some() {
                let problem =
                    format!("the response {response:?} of prompt {prompt:?} is there twice");
                return Err(rows.fault(row, 2, problem));
            }
            lists[at].push(rows.utility(row, 1)?);
            Ok(())
        },
    )?;
    Ok(Log {
        responses: Responses::new(&lists).map_err(|e| fault(&args.file, &e))?,
        prompts,
        place,
        members,
    })
}

fn read_games(inputs: &Inputs, args: &Args, file: &Path, log: &Log) -> Result<Games, CliError> {
    let fields = [&args.prompt, "winner", "loser", "round"].map(str::to_owned);
    let mut games = Games {
        list: Vec::new(),
        lines: Vec::new(),
        recorded: false,
    };
    each_row(inputs, file, &fields, None, |rows, row| {
        let name = rows.text(row, 0)?;
        let Some(&prompt) = log.place.get(&text_key(&name)) else {
            let problem = format!("the log of responses has no prompt {name:?}");
            return Err(rows.fault(row, 0, problem));
        };
        let player = |field: usize| {
            let response = rows.text(row, field)?;
            let found = log.members[prompt].get(&text_key(&response));
            found.copied().ok_or_else(|| {
                let problem = format!("prompt {name:?} has no response {response:?}");
                rows.fault(row, field, problem)
            })
        };
        let (winner, loser) = (player(1)?, player(2)?);
        if winner == loser {
            return Err(rows.fault(row, 2, "a response plays against itself".to_owned()));
        }
        games.recorded = rows.found().contains(&fields[3]);
        let number = if games.recorded {
            rows.number(row, 3)?
        } else {
            0.0
        };
        if games.recorded && (!(1.0..=MOST_ROUNDS).contains(&number) || number.fract() != 0.0) {
            let problem = format!("{number} is not a whole number from 1 to {MOST_ROUNDS}");
            return Err(rows.fault(row, 3, problem));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
        let round = number as usize;
        games.list.push(Game {
            prompt,
            winner,
            loser,
            round,
        });
        games.lines.push(row.line());
        Ok(())
    })?;
    Ok(games)
}

/// Weights after each recorded round. Who did not play in a round goes through it.
fn recorded_rounds(file: &Path, log: &Log, games: &Games) -> Result<Vec<Vec<f64>>, CliError> {
    recorded_tournament(&log.responses, &games.list).map_err(|e| match e {
        Error::Game { index, problem } => {
            let game = games.list[index];
            Place::file(file).line(games.lines[index]).error(format!(
                "prompt {:?}: {problem} (round {})",
                log.prompts[game.prompt], game.round
            ))
        }
        other => fault(file, &other),
    })
}

/// Weights after each round of a tournament drawn by the seed, its games looked up among the comparisons.
fn drawn_rounds(
    args: &Args,
    file: &Path,
    log: &Log,
    games: &Games,
) -> Result<Vec<Vec<f64>>, CliError> {
    let mut results: HashMap<(usize, usize, usize), u64> = HashMap::new();
    for (game, number) in games.list.iter().zip(&games.lines) {
        if let Some(line) = results.get(&(game.prompt, game.loser, game.winner)) {
            let problem = format!("the same two had the other result on line {line}");
            return Err(Place::file(file).line(*number).error(problem));
        }
        results.insert((game.prompt, game.winner, game.loser), *number);
    }
    let mut missing = None;
    let mut all = Vec::new();
    for round in 1..=tournament_rounds(&log.responses) {
        all.push(tournament(
            &log.responses,
            round,
            args.uncertainty.seed.seed,
            |prompt, i, j| {
                let won = results.contains_key(&(prompt, i, j));
                if !won && !results.contains_key(&(prompt, j, i)) && missing.is_none() {
                    missing = Some((prompt, i, j, round));
                }
                won
            },
        ));
        if let Some((prompt, i, j, round)) = missing {
            return Err(Place::file(file).error(format!(
                "responses number {} and {} of prompt {:?} meet in round {round}, but no line compares them (a tournament played elsewhere \
                 needs the field round)",
                i + 1,
                j + 1,
                log.prompts[prompt]
            )));
        }
    }
    Ok(all)
}

fn report(
    args: &Args,
    file: &Path,
    estimates: &[Estimated],
    recorded: bool,
    run: &Run,
) -> Result<(), CliError> {
    let level = 100.0 * args.uncertainty.level;
    let mut table = Table::new([
        Column::number("rounds"),
        Column::number("kept"),
        Column::number("utility %"),
        Column::number("filtered %"),
        Column::number("gap, points"),
        Column::number(format!("{level:.0} % interval")),
        Column::number("relative %"),
        Column::number("pooled %").optional(),
    ]);
    let (mut line, mut band) = (vec![(0.0, 0.0)], vec![(0.0, 0.0, 0.0)]);
    for (round, e) in (1u32..).zip(estimates) {
        let (g, ends) = (&e.gap, (100.0 * e.interval.lower, 100.0 * e.interval.upper));
        table.row([
            round.to_string(),
            percent(g.kept, 1),
            points(g.base),
            points(g.filtered),
            points(g.gap),
            interval(ends.0, ends.1, 2),
            points(g.relative),
            points(g.pooled),
        ]);
        line.push((f64::from(round), 100.0 * g.gap));
        band.push((f64::from(round), ends.0, ends.1));
    }
    let first = estimates.first().map(|e| &e.gap);
    let words = format!(
        "{} prompts, {} responses; {}. Intervals by bootstrap over prompts, relative gap in per cent: the mean of the prompts' ratios.",
        first.map_or(0, |g| g.prompts),
        first.map_or(0, |g| g.responses),
        if recorded {
            "survivors of the recorded games; a response without a game goes through".to_owned()
        } else {
            format!(
                "pairs drawn with seed {}; with an odd number one goes through without a game",
                args.uncertainty.seed.seed
            )
        }
    );
    let ticks = plots::ticks(0..=estimates.len());
    let chart = XyChart::new(
        "Gap and rounds",
        Axis::linear("Rounds of the tournament").ticks(ticks),
        Axis::linear("Gap, percentage points").with_zero(),
    )
    .series(Series::line("gap", line).band(band));
    let mut page = Page::new("Generation-verification gap of a tournament", words.clone());
    page.section("Gap");
    page.figure(
        &chart.svg(),
        &format!("Gain in utility by keeping the survivors, with {level:.0} % bootstrap intervals over prompts."),
    );
    page.table(&table, "Gap after each round.");
    let rows = (1u32..)
        .zip(estimates)
        .map(|(round, e)| {
            Ok(json!({ "round": round, "estimate": value(&e.gap)?, "interval": value(&e.interval)?, "relative_interval": value(&e.relative)? }))
        })
        .collect::<Result<Vec<Value>, CliError>>()?;
    let results = json!({ "tournament": file.display().to_string(), "recorded": recorded,
                          "level": args.uncertainty.level, "rounds": rows });
    let text = format!("{}\n{words}", table.render(crate::output::width()));
    run.finish(&results, || page, &text)
}
