//! Equilibria as people read them: one sentence that says the answer, then named strategies, profiles, deviations and ranges.

use games::equilibrium::{
    Commitment, Concept, CorrelatedEquilibrium, FollowerTies, NashEquilibrium, ZeroSum,
};
use report::number::{list, plain};
use report::{Column, HeatMap, Svg, Table};
use serde_json::{Value, json};

use super::words::{members, mixture, names, number};
use games::io::NamedGame;

/// Profiles that are listed at most.
const LISTED: usize = 20;
/// Largest matrix that is drawn.
const DRAWN: usize = 12;

fn short(x: f64) -> String {
    plain(x, 4)
}

pub(super) fn correlated(
    named: &NamedGame,
    concept: Concept,
    what: &str,
    best: &CorrelatedEquilibrium,
) -> String {
    let kind = match concept {
        Concept::Correlated => "correlated",
        Concept::CoarseCorrelated => "coarse correlated",
    };
    let earned: Vec<String> = named
        .players
        .iter()
        .zip(&best.payoffs)
        .map(|(name, u)| format!("{name} earns {}", short(*u)))
        .collect();
    format!("The {kind} equilibrium with {what}: {}.", list(&earned))
}

pub(super) fn nash(named: &NamedGame, all: &[NashEquilibrium]) -> String {
    let sum = |e: &NashEquilibrium| e.payoffs[0] + e.payoffs[1];
    let Some(best) = all.iter().max_by(|a, b| sum(a).total_cmp(&sum(b))) else {
        return "No Nash equilibrium was found.".to_owned();
    };
    let (best, count) = (played(named, best), all.len());
    match count {
        1 => format!("One extreme Nash equilibrium: {best}."),
        _ => format!("{count} extreme Nash equilibria. With the greatest sum of payoffs: {best}."),
    }
}

/// Who plays and gets what.
fn played(named: &NamedGame, found: &NashEquilibrium) -> String {
    let strategies = [&found.row, &found.column];
    let each = (0..2).map(|player| {
        let plays = mixture(&json!(strategies[player]), &named.actions[player]);
        let gets = short(found.payoffs[player]);
        format!("{} plays {plays} and gets {gets}", named.players[player])
    });
    each.collect::<Vec<_>>().join(", ")
}

pub(super) fn lemke_howson(named: &NamedGame, found: &NashEquilibrium) -> String {
    format!("A Nash equilibrium: {}.", played(named, found))
}

fn profile(named: &NamedGame, actions: &[usize]) -> String {
    let names = named.actions.iter().zip(actions);
    let names: Vec<&str> = names.map(|(names, a)| names[*a].as_str()).collect();
    format!("({})", names.join(", "))
}

pub(super) fn pure_nash(named: &NamedGame, profiles: &[Vec<usize>]) -> String {
    let shown = profiles.iter().take(LISTED);
    let mut names: Vec<String> = shown.map(|p| profile(named, p)).collect();
    if profiles.len() > LISTED {
        names.push(format!("{} more", profiles.len() - LISTED));
    }
    match profiles.len() {
        0 => "No pure Nash equilibrium.".to_owned(),
        1 => format!("One pure Nash equilibrium: {}.", list(&names)),
        n => format!("{n} pure Nash equilibria: {}.", list(&names)),
    }
}

/// How far a joint distribution that was given is from a correlated equilibrium.
pub(super) fn given(gap: f64) -> String {
    let gains = short(gap);
    format!("In the joint distribution given, a player gains {gains} at most by replacing actions.")
}

/// How far mixed strategies that were given are from a Nash equilibrium.
pub(super) fn replied(sum: f64) -> String {
    let gains = short(sum);
    format!("From the mixed strategies given, best replies gain the players {gains} in sum.")
}

pub(super) fn dominance(named: &NamedGame, left: &[Vec<usize>]) -> String {
    let parts: Vec<String> = left
        .iter()
        .zip(named.players.iter().zip(&named.actions))
        .map(|(left, (player, names))| {
            let names: Vec<String> = left.iter().map(|a| names[*a].clone()).collect();
            format!("{player} {}", list(&names))
        })
        .collect();
    format!("Iterated strict dominance leaves: {}.", parts.join("; "))
}

pub(super) fn zero_sum(named: &NamedGame, solution: &ZeroSum) -> String {
    format!(
        "The game is worth {} to {}, who plays {} against {}.",
        short(solution.value),
        named.players[0],
        mixture(&json!(solution.row), &named.actions[0]),
        mixture(&json!(solution.column), &named.actions[1]),
    )
}

pub(super) fn commitment(
    named: &NamedGame,
    leader: usize,
    ties: FollowerTies,
    best: &Commitment,
) -> String {
    let follower = 1 - leader;
    let strategy = mixture(&json!(best.strategy), &named.actions[leader]);
    let reply = &named.actions[follower][best.reply];
    let (name, other, value) = (
        &named.players[leader],
        &named.players[follower],
        short(best.value),
    );
    match ties {
        FollowerTies::ForLeader => format!(
            "By committing to {strategy} {name} gets {value}; {other} replies with {reply} and gets {}.",
            short(best.follower_payoff)
        ),
        FollowerTies::AgainstLeader => format!(
            "With ties against it, {name} gets as close to {value} as it likes by commitments near {strategy}; {other} replies with {reply}."
        ),
    }
}

/// The profiles with positive probability, most likely first.
pub(super) fn profiles(named: &NamedGame, joint: &[f64]) -> Value {
    let mut order: Vec<usize> = (0..joint.len()).filter(|s| joint[*s] > 1e-9).collect();
    order.sort_by(|&a, &b| joint[b].total_cmp(&joint[a]));
    order
        .into_iter()
        .map(|s| {
            let payoffs: Vec<f64> = (0..named.players.len())
                .filter_map(|i| named.game.payoffs(i).map(|u| u[s]))
                .collect();
            json!({ "actions": named.profile(s), "probability": joint[s], "payoffs": payoffs })
        })
        .collect()
}

/// The tables of an answer with their captions.
pub(super) fn tables(answer: &Value) -> Vec<(String, Table)> {
    let players = names(&answer["players"]);
    let actions: Vec<Vec<String>> = members(&answer["actions"]).iter().map(names).collect();
    let mut all = Vec::new();
    if answer["equilibria"].is_array() {
        all.push((
            "Nash equilibria".to_owned(),
            nash_table(answer, &players, &actions),
        ));
    }
    if let Some(table) = plays(answer, &players, &actions) {
        let left = answer["concept"] == "dominance";
        let caption = ["What each player plays", "What is left to each player"][usize::from(left)];
        all.push((caption.to_owned(), table));
    }
    if answer["joint"].is_array() {
        if let [rows, columns] = actions.as_slice()
            && rows.len().max(columns.len()) <= DRAWN
        {
            let caption = format!("How likely each pair is: {} by {}", players[0], players[1]);
            all.push((
                caption,
                Table::matrix(rows, columns, members(&answer["joint"]).iter().map(number)),
            ));
        }
        all.push((
            "The pairs that occur, the likeliest first".to_owned(),
            profile_table(answer, &players),
        ));
        if !members(&answer["binding"]).is_empty() {
            all.push((
                "Deviations that bind, by what the objective would gain for each unit of gain allowed to them".to_owned(),
                binding_table(answer, &players, &actions),
            ));
        }
    }
    if answer["payoff_ranges"].is_array() {
        let mut table = Table::numbers(["player", "at least", "at most"]);
        for (name, range) in players.iter().zip(members(&answer["payoff_ranges"])) {
            table.row([name.clone(), number(&range[0]), number(&range[1])]);
        }
        all.push(("Payoffs over all such equilibria".to_owned(), table));
    }
    let mut facts = Table::new([Column::text("quantity"), Column::number("value")]);
    let value = match answer["concept"].as_str().unwrap_or_default() {
        "zero_sum" => format!("what the game is worth to {}", players[0]),
        "stackelberg" | "weak_stackelberg" => "payoff of the leader".to_owned(),
        _ => "value of the objective".to_owned(),
    };
    for (field, words) in [
        ("value", value.as_str()),
        ("gap", "a better one adds at most"),
        ("infeasibility", "largest gain of a deviation"),
        ("duality_gap", "distance between both guarantees"),
        ("follower_payoff", "payoff of the follower"),
    ] {
        if answer[field].is_number() {
            facts.row([words.to_owned(), number(&answer[field])]);
        }
    }
    for (field, words) in [
        ("gaps", "gap of the joint distribution"),
        ("nash_conv", "gain by best replies"),
    ] {
        if let Some(gaps) = answer[field].as_object() {
            for (name, value) in gaps.iter().filter(|(_, v)| v.is_number()) {
                facts.row([format!("{words}, {name}"), number(value)]);
            }
        }
    }
    for field in names(&answer["renormalised"]) {
        facts.row([format!("--{field}"), "rescaled to sum to one".to_owned()]);
    }
    if facts.rows().next().is_some() {
        all.push(("The answer in numbers".to_owned(), facts));
    }
    all
}

/// What each player plays, or is left by dominance, in answers without payoffs of their own: a column a player.
fn plays(answer: &Value, players: &[String], actions: &[Vec<String>]) -> Option<Table> {
    let each = |of: &Value, cell: fn(&Value, &[String]) -> String| -> Vec<String> {
        let own = members(of).iter().zip(actions);
        own.map(|(own, names)| cell(own, names)).collect()
    };
    let several = |left: &Value, names: &[String]| {
        let left = members(left).iter().map(|action| chosen(action, names));
        left.collect::<Vec<_>>().join(", ")
    };
    let profiles = members(&answer["profiles"]).iter().take(LISTED);
    let rows: Vec<Vec<String>> = match answer["concept"].as_str()? {
        "pure_nash" => profiles.map(|own| each(own, chosen)).collect(),
        "dominance" => vec![each(&answer["undominated_by_mixtures"], several)],
        "zero_sum" => vec![each(&json!([answer["row"], answer["column"]]), mixture)],
        "stackelberg" | "weak_stackelberg" => {
            let leader = usize::from(answer["leader"] == 1);
            let strategy = mixture(&answer["strategy"], &actions[leader]);
            let mut both = vec![strategy, chosen(&answer["reply"], &actions[1 - leader])];
            both.rotate_left(leader);
            vec![both]
        }
        _ => return None,
    };
    let mut table = Table::new(players.iter().map(Column::text));
    for row in &rows {
        table.row(row);
    }
    (!rows.is_empty()).then_some(table)
}

/// The name of an action.
fn chosen(action: &Value, names: &[String]) -> String {
    let at = action.as_u64().and_then(|a| usize::try_from(a).ok());
    at.and_then(|a| names.get(a).cloned())
        .unwrap_or_else(|| "anything".to_owned())
}

fn nash_table(answer: &Value, players: &[String], actions: &[Vec<String>]) -> Table {
    let payoffs = players.iter().map(|p| Column::number(format!("{p} earns")));
    let plays = players.iter().map(|p| Column::text(format!("{p} plays")));
    let mut table = Table::new(plays.chain(payoffs));
    for e in members(&answer["equilibria"]) {
        table.row([
            mixture(&e["row"], &actions[0]),
            mixture(&e["column"], &actions[1]),
            number(&e["payoffs"][0]),
            number(&e["payoffs"][1]),
        ]);
    }
    table
}

fn profile_table(answer: &Value, players: &[String]) -> Table {
    let payoffs = players.iter().map(|p| Column::number(format!("{p} earns")));
    let mut table = Table::new(
        players
            .iter()
            .map(Column::text)
            .chain([Column::number("probability")])
            .chain(payoffs),
    );
    let all = members(&answer["profiles"]);
    for one in all.iter().take(LISTED) {
        let mut row = names(&one["actions"]);
        row.push(number(&one["probability"]));
        row.extend(members(&one["payoffs"]).iter().map(number));
        table.row(row);
    }
    if all.len() > LISTED {
        let blanks = std::iter::repeat_n(String::new(), 2 * players.len());
        table.row(std::iter::once(format!("{} more", all.len() - LISTED)).chain(blanks));
    }
    table
}

fn binding_table(answer: &Value, players: &[String], actions: &[Vec<String>]) -> Table {
    let mut table = Table::new([
        Column::text("player"),
        Column::text("told"),
        Column::text("would play"),
        Column::number("multiplier"),
    ]);
    let at = |value: &Value| value.as_u64().and_then(|v| usize::try_from(v).ok());
    for pair in members(&answer["binding"]).iter().take(LISTED) {
        let deviation = &pair[0];
        let Some(player) = at(&deviation["player"]) else {
            continue;
        };
        table.row([
            players[player].clone(),
            chosen(&deviation["from"], &actions[player]),
            chosen(&deviation["to"], &actions[player]),
            number(&pair[1]),
        ]);
    }
    table
}

/// The probabilities of the profiles of two players as a map.
pub(super) fn chart(answer: &Value) -> Option<Svg> {
    let (players, actions) = (names(&answer["players"]), members(&answer["actions"]));
    let actions: Vec<Vec<String>> = actions.iter().map(names).collect();
    let [rows, columns] = &actions[..] else {
        return None;
    };
    let joint = members(&answer["joint"]);
    let size = (rows.len(), columns.len());
    if joint.is_empty() || size.0.max(size.1) > DRAWN {
        return None;
    }
    let joint: Vec<f64> = joint.iter().map(|p| p.as_f64().unwrap_or(0.0)).collect();
    let title = "How likely each pair of actions is";
    let (across, down) = (
        (players[1].as_str(), &columns[..]),
        (players[0].as_str(), &rows[..]),
    );
    let map = HeatMap::matrix(title, across, down, &joint, "probability");
    Some(map.size(460.0, 320.0).svg())
}
