//! `hindsight drain solve`.

use ::drain::Cut;
use ::drain::fulfilment::{Answer, Fulfilment, answer_all};
use ::drain::io::programmes;
use report::number::{fixed, plain, significant};
use report::{Column, Page, Table};
use serde::Serialize;

use super::{Common, Stores, charts, wrong};
use crate::error::CliError;

const EXAMPLES: &str = "\
Examples:
  Eight weeks of the bundled stores:
    hindsight drain solve

  Your own programmes, a line each: {\"stock\": [60, 40], \"demand\": [30, 80], \"cost\": [[4, 6], [8, null]], \"lost_penalty\": 20}
  (null bans an arc; without lost_penalty all demand must be served; \"capacity\" has the shape of cost):
    hindsight drain solve --input programmes.jsonl --json plans.json";

/// Arguments of `hindsight drain solve`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
struct Results {
    programmes: Vec<Answer>,
}

/// Weeks of the embedded network.
const WEEKS: u32 = 8;

/// Runs `hindsight drain solve`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = args.common.begin("drain solve", None)?;
    let (problems, words) = match &args.common.input {
        Some(file) => (
            super::read(run.inputs(), file, programmes)?,
            format!("{}: each line is a programme", file.display()),
        ),
        None => {
            let stores = Stores::open(run.inputs())?;
            let weeks = stores.world.programmes(args.common.seed.seed, WEEKS);
            (
                weeks.map_err(wrong)?,
                format!(
                    "{}. Each line is a week, stock in proportion to local demand",
                    stores.words
                ),
            )
        }
    };
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let programmes = answer_all(&problems, threads).map_err(wrong)?;
    let table = table(&problems, &programmes);
    let finding = finding(&programmes);
    let text = format!(
        "{finding}\n\n{}\n{words}.\n",
        table.render(crate::output::width())
    );
    let results = Results { programmes };
    let page = || {
        let mut page = Page::new("The cheapest fulfilment", words.clone());
        page.note(&finding).section("Programmes").table(&table, "A price is what one more unit would save. Where none can serve all demand, the cut says why.");
        let solved = problems.iter().zip(&results.programmes).enumerate();
        let first = solved.filter_map(|(k, (problem, answer))| match answer {
            Answer::Optimal(plan) => Some((k, problem, plan)),
            Answer::Infeasible(_) => None,
        });
        for (k, problem, plan) in first.take(1) {
            let title = format!("Flows of programme {}", k + 1);
            page.section("Flows").figure(
                &charts::flow_map(&title, &plan.flow, problem.regions()),
                &format!("{title}: how many units each warehouse ships to each region."),
            );
        }
        page
    };
    run.finish(&results, page, &text)
}

fn finding(programmes: &[Answer]) -> String {
    let costs = programmes.iter().filter_map(|answer| match answer {
        Answer::Optimal(plan) => Some(plan.cost),
        Answer::Infeasible(_) => None,
    });
    let costs: Vec<f64> = costs.collect();
    let infeasible = programmes.len() - costs.len();
    let cost = fixed(costs.iter().sum(), 2);
    match infeasible {
        all if all == programmes.len() => match all {
            1 => "The programme cannot serve all demand.".to_owned(),
            _ => format!("None of the {all} programmes can serve all demand."),
        },
        0 => format!(
            "The cheapest plans of all {} programmes cost {cost} together.",
            costs.len()
        ),
        _ => format!(
            "{infeasible} of {} programmes cannot serve all demand; the cheapest plans of the others cost {cost} together.",
            programmes.len()
        ),
    }
}

/// The cut that proves that a programme has no plan, of so much demand in all.
fn short(cut: &Cut, all: f64) -> String {
    let named = |what: &str, list: &[usize]| {
        let names: Vec<String> = list.iter().map(ToString::to_string).collect();
        let plural = if list.len() == 1 { "" } else { "s" };
        format!("{what}{plural} {}", names.join(", "))
    };
    let sources = match cut.warehouses.is_empty() {
        true => String::new(),
        false => format!("{} and ", named("warehouse", &cut.warehouses)),
    };
    format!(
        "{} short of {} units (of {} in all): {sources}open arcs from elsewhere send no more",
        named("region", &cut.regions),
        significant(cut.shortfall, 6),
        significant(all, 6)
    )
}

fn table(problems: &[Fulfilment], answers: &[Answer]) -> Table {
    let list = |list: &[f64]| {
        let words = list.iter().map(|v| plain(*v, 4));
        words.collect::<Vec<_>>().join(", ")
    };
    let names = [
        "programme",
        "cost",
        "drained by warehouse",
        "lost",
        "prices of stock",
        "unique",
    ];
    let mut table = Table::new(names.map(Column::text));
    for (k, (problem, answer)) in problems.iter().zip(answers).enumerate() {
        let name = (k + 1).to_string();
        match answer {
            Answer::Optimal(plan) => {
                let lost = plain(plan.lost.iter().sum(), 4);
                let unique = if plan.prices.unique() { "yes" } else { "no" };
                table.row([
                    name,
                    fixed(plan.cost, 2),
                    list(&plan.drain),
                    lost,
                    list(&plan.prices.stock),
                    unique.to_owned(),
                ]);
            }
            Answer::Infeasible(cut) => {
                let words = short(cut, problem.demand().iter().sum());
                table.row([
                    name,
                    "infeasible".to_owned(),
                    words,
                    String::new(),
                    String::new(),
                    String::new(),
                ]);
            }
        }
    }
    table
}
