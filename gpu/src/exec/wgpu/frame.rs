//! Where the numbers of a side lie: in rows of one number a lane, in device memory or in the memory of the workgroup.

use std::collections::HashMap;
use std::ops::Range;

use super::blocks::kinds;
use super::shape::{HEAD, PER_LANE, VECTORS};
use crate::scalar::Activation;
use crate::record::{Arg, Code, Dense, Op, Plan, Row, Side, Space};

/// What a shader is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mode {
    /// Whether it goes back through the periods.
    pub(super) reverse: bool,
    /// Whether lanes are joined, so that every phase is a dispatch of its own.
    pub(super) joined: bool,
    /// Whether the adjoints of the inputs are wanted.
    pub(super) inputs: bool,
}

/// Where the values of a row of the period are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// Nowhere: read within the block of code that makes it, or in workgroup memory alone.
    Nowhere,
    /// An input of the batch.
    Input(usize),
    /// A row of the groups, seen from a lane.
    Over(Row),
    /// One row a period.
    Tape(usize),
    /// One row, written anew in each period.
    Once(usize),
}

/// The memory of one side for one tile, in rows.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) homes: Vec<Home>,
    /// Of rows over from the groups in the start block, where they come from.
    pub(super) start_over: HashMap<usize, Row>,
    /// Rows whose home keeps the argument of the activation that makes them, of which value and derivative are computed where they are read.
    pub(super) raw: Vec<bool>,
    /// Where what the layers of the period save is kept on the tape, by layer.
    pub(super) saved: HashMap<usize, usize>,
    /// For each layer whose inputs are hot and read by nothing else, the first of their places: until their adjoints are known, those are
    /// free for their values on the way back.
    pub(super) in_place: HashMap<usize, usize>,
    /// Place in workgroup memory.
    pub(super) hot: Vec<Option<usize>>,
    /// Workgroup memory: rows that are hot, and with those that are staged; vectors of it all.
    pub(super) stage: usize,
    pub(super) scratch: usize,
    pub(super) shared: usize,
    /// Rows that later periods read, and their place among the adjoints that wait for them.
    pub(super) ring: HashMap<usize, usize>,
    /// Parameters that are read one by one, and their places among the sums of their adjoints.
    pub(super) scalars: HashMap<usize, usize>,
    /// Periods that the tape of a forward run holds; none where it holds all.
    pub(super) periods: Option<usize>,
    pub(super) start_saved: usize,
    pub(super) once: usize,
    pub(super) once_saved: usize,
    pub(super) logits: usize,
    pub(super) start_adjoints: usize,
    pub(super) adjoints: usize,
    pub(super) waiting: usize,
    pub(super) state_adjoints: usize,
    pub(super) sums: usize,
    pub(super) tape: usize,
    /// Rows of a period of the tape: values, then what is saved of layers.
    pub(super) tape_rows: usize,
    pub(super) tape_stride: usize,
}

impl Frame {
    pub(super) fn new(plan: &Plan, groups: bool, mode: Mode, budget: usize) -> Frame {
        let side = if groups { &plan.group } else { &plan.lane };
        let forward = forward_ops(side, mode);
        let blocks = blocks(side, forward, mode);
        let runs = runs(plan, groups);
        let homes = sources(side, groups, &runs);
        let start_over = if groups { HashMap::new() } else { over_rows(&side.start).collect() };
        let (hot, stage) = hot(side, forward, mode, &runs, budget);
        let sought = Sought {
            taped: taped(plan, groups, mode),
            crossing: crossing(plan, groups, mode, &blocks),
            hot: &hot,
        };
        let (homes, places) = place_rows(homes, &runs, &sought);
        let raw = raw(side, forward, mode, &homes);
        let (saved, saved_rows) = saved(side, forward, mode, &raw);
        let classes = side.scratch.classes;
        let ring = waiting(plan, groups);
        let scalars = scalars(side, &plan.trained);
        let in_place = in_place(plan, groups, &hot);
        let widest = layers(side).filter(|d| d.trained && !in_place.contains_key(&d.id));
        let widest = widest.map(|d| d.width).max().unwrap_or(0);
        let saved_once = if mode.reverse { side.period.saved - side.saved } else { 0 };
        let mut at = side.start.rows;
        let mut take = |rows: usize| {
            at += rows;
            at - rows
        };
        let start_saved = take(side.start.saved);
        let once = take(places.1);
        let once_saved = take(saved_once);
        let logits = take(classes);
        let reverse = |rows: usize| if mode.reverse { rows } else { 0 };
        let start_adjoints = take(reverse(side.start.rows));
        let adjoints = take(reverse(side.period.rows));
        let waiting = take(reverse(ring.len() * (plan.reach + 1)));
        let state_adjoints = take(reverse(side.states.len()));
        let sums = take(reverse(scalars.len() * PER_LANE));
        let all = mode.reverse || groups && !mode.joined;
        let scratch = stage + if mode.reverse { widest } else { 0 };
        Frame {
            homes,
            start_over,
            raw,
            saved,
            in_place,
            hot,
            stage,
            scratch,
            shared: (scratch + HEAD * PER_LANE) * VECTORS,
            ring,
            scalars,
            periods: (!all).then_some(plan.reach + 1),
            start_saved,
            once,
            once_saved,
            logits,
            start_adjoints,
            adjoints,
            waiting,
            state_adjoints,
            sums,
            tape: at,
            tape_rows: places.0,
            tape_stride: places.0 + saved_rows,
        }
    }

    /// Vectors that a tile takes.
    pub(super) fn vectors(&self, periods: usize) -> usize {
        let kept = self.periods.map_or(periods, |few| few + 1);
        (self.tape + kept * self.tape_stride) * VECTORS
    }

}

/// Operations of the period that run forward: in a differentiated run, those that do not wait for the way back.
pub(super) fn forward_ops(side: &Side, mode: Mode) -> usize {
    if mode.reverse {
        side.period.late
    } else {
        side.period.ops.len()
    }
}

/// Rows of layers that the tape keeps before their activation: its derivative needs that, and of it comes the value.
fn raw(side: &Side, forward: usize, mode: Mode, homes: &[Home]) -> Vec<bool> {
    let mut raw = vec![false; side.period.rows];
    if !mode.reverse {
        return raw;
    }
    for op in &side.period.ops[..forward] {
        if let Op::Dense(dense) = op
            && dense.activation == Activation::Silu
            && dense.outputs > HEAD
            && matches!(homes[dense.out], Home::Tape(_))
        {
            raw[dense.out..dense.out + dense.outputs].fill(true);
        }
    }
    raw
}

/// Places on the tape for what layers save, and the number of rows.
fn saved(side: &Side, forward: usize, mode: Mode, raw: &[bool]) -> (HashMap<usize, usize>, usize) {
    let mut places = HashMap::new();
    let mut rows = 0;
    if mode.reverse {
        for op in &side.period.ops[..forward] {
            if let Some(layer) = op.layer() {
                let is_raw = matches!(op, Op::Dense(_)) && raw[layer.out];
                places.insert(layer.id, rows);
                rows += if is_raw { 0 } else { op.saved() };
            }
        }
    }
    (places, rows)
}

fn layers(side: &Side) -> impl Iterator<Item = &Dense> {
    let ops = side.start.ops.iter().chain(&side.period.ops);
    ops.filter_map(Op::layer)
}

/// Rows that come over from the groups, with the rows that they come from.
pub(super) fn over_rows(code: &Code) -> impl Iterator<Item = (usize, Row)> {
    let bridges = code.phases.iter().flat_map(|phase| &phase.bridges);
    bridges.flat_map(|bridge| {
        (0..bridge.rows).filter_map(|i| match bridge.row(i) {
            (Arg::Row(from), to) => Some((to, from)),
            _ => None,
        })
    })
}

/// The block of code of each forward operation: a new one begins with each phase that is a dispatch of its own.
fn blocks(side: &Side, forward: usize, mode: Mode) -> Vec<usize> {
    let mut blocks = Vec::new();
    let mut first = 0;
    for phase in &side.period.phases {
        let ops = phase.ops.start.min(forward)..phase.ops.end.min(forward);
        if mode.joined {
            first = blocks.last().map_or(0, |last| last + 1);
        }
        let own = kinds(&side.period.ops[ops], Space::Period);
        blocks.extend(own.iter().map(|&(block, _)| first + block));
    }
    blocks
}

/// Neighbouring rows that some operation reads or writes as neighbours: they lie as neighbours in every memory.
fn runs(plan: &Plan, groups: bool) -> Vec<Range<usize>> {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let rows = side.period.rows;
    let mut joined = vec![false; rows];
    let mut join = |arg: Arg, count: usize| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
            && count > 1
        {
            joined[row.index..row.index + count - 1].fill(true);
        }
    };
    for op in &side.period.ops {
        op.operands().into_iter().for_each(|(arg, rows)| join(arg, rows));
        let (out, rows) = op.results();
        join(Arg::Row(Row::of(Space::Period, out)), rows);
    }
    for bridge in other.period.phases.iter().flat_map(|phase| &phase.bridges) {
        join(bridge.from, bridge.rows);
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    for row in 0..rows {
        match runs.last_mut() {
            Some(run) if joined[row - 1] => run.end = row + 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}

/// Rows that are read where they come from: whole runs of inputs, and of rows of the groups.
fn sources(side: &Side, groups: bool, runs: &[Range<usize>]) -> Vec<Home> {
    let mut all = vec![Home::Nowhere; side.period.rows];
    for (k, &row) in side.inputs.iter().enumerate() {
        all[row] = Home::Input(k);
    }
    if !groups {
        for (row, from) in over_rows(&side.period) {
            all[row] = Home::Over(from);
        }
    }
    let follows = |a: Home, b: Home| match (a, b) {
        (Home::Input(a), Home::Input(b)) => a + 1 == b,
        (Home::Over(a), Home::Over(b)) => a.offset(1) == b,
        _ => false,
    };
    for run in runs {
        if !run.clone().skip(1).all(|r| follows(all[r - 1], all[r])) {
            all[run.clone()].fill(Home::Nowhere);
        }
    }
    all
}

/// Rows of the period that layers read and write, in workgroup memory as far as it goes, and the number of them.
fn hot(
    side: &Side,
    forward: usize,
    mode: Mode,
    runs: &[Range<usize>],
    budget: usize,
) -> (Vec<Option<usize>>, usize) {
    let mut hot = vec![None; side.period.rows];
    let mut count = 0;
    if mode.joined {
        return (hot, 0);
    }
    let widest = layers(side).map(|d| d.width).max().unwrap_or(0);
    let budget = budget.saturating_sub(HEAD * PER_LANE + if mode.reverse { widest } else { 0 });
    let mut take = |row: usize| {
        let run = runs.iter().find(|run| run.contains(&row)).cloned();
        let run = run.unwrap_or(0..0);
        if hot[row].is_some() || count + run.len() > budget {
            return;
        }
        for place in &mut hot[run] {
            *place = Some(count);
            count += 1;
        }
    };
    for op in &side.period.ops[..forward] {
        if let Op::Dense(dense) = op {
            for &(row, _) in &dense.segments {
                if row.space == Space::Period && row.lag == 0 {
                    take(row.index);
                }
            }
            take(dense.out);
        }
    }
    (hot, count)
}

/// The layers whose inputs are hot, side by side, and read by nothing else.
fn in_place(plan: &Plan, groups: bool, hot: &[Option<usize>]) -> HashMap<usize, usize> {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut readers = vec![0_u32; side.period.rows];
    let mut see = |(arg, rows): (Arg, usize)| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            readers[row.index..row.index + rows].iter_mut().for_each(|n| *n = n.saturating_add(1));
        }
    };
    side.period.ops.iter().flat_map(Op::operands).for_each(&mut see);
    side.next.iter().for_each(|&arg| see((arg, 1)));
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| see((bridge.from, bridge.rows)));
    if !groups {
        see((plan.objective, 1));
    }
    let mut places = HashMap::new();
    for op in &side.period.ops {
        let Op::Dense(dense) = op else { continue };
        let rows = dense.segments.iter().flat_map(|&(row, rows)| (0..rows).map(move |i| row.offset(i)));
        let alone = |row: Row| {
            let fits = row.space == Space::Period && row.lag == 0 && readers[row.index] == 1;
            if fits { hot[row.index] } else { None }
        };
        let found: Option<Vec<usize>> = rows.map(alone).collect();
        if let Some(found) = found
            && found.windows(2).all(|pair| pair[0] + 1 == pair[1])
            && let Some(&first) = found.first()
        {
            places.insert(dense.id, first);
        }
    }
    places
}

/// Rows of the period that are kept from period to period.
fn taped(plan: &Plan, groups: bool, mode: Mode) -> Vec<bool> {
    let side = if groups { &plan.group } else { &plan.lane };
    let mut taped = vec![false; side.period.rows];
    if mode.reverse {
        taped[..side.kept].fill(true);
    }
    side.carried.iter().for_each(|range| taped[range.clone()].fill(true));
    if groups {
        for (_, from) in over_rows(&plan.lane.period) {
            if from.space == Space::Period {
                taped[from.index] = true;
            }
        }
    }
    taped
}

/// What decides where rows are kept.
struct Sought<'a> {
    taped: Vec<bool>,
    crossing: Crossing,
    hot: &'a [Option<usize>],
}

/// Gives a home to every run of rows that has to outlive the block of code that makes it; counts those on the tape and the others.
fn place_rows(
    mut homes: Vec<Home>,
    runs: &[Range<usize>],
    sought: &Sought<'_>,
) -> (Vec<Home>, (usize, usize)) {
    let mut places = (0, 0);
    for run in runs {
        let any = |marks: &[bool]| marks[run.clone()].contains(&true);
        let hot = sought.hot[run.start].is_some();
        if homes[run.start] != Home::Nowhere {
            continue;
        }
        let taped = any(&sought.taped);
        let once = any(&sought.crossing.late) || any(&sought.crossing.forward) && !hot;
        for row in run.clone() {
            if taped {
                homes[row] = Home::Tape(places.0);
                places.0 += 1;
            } else if once {
                homes[row] = Home::Once(places.1);
                places.1 += 1;
            }
        }
    }
    (homes, places)
}

/// Rows of the period that are read outside the block of code that makes them, or by a number that is not known beforehand.
struct Crossing {
    /// In the forward pass, where rows in workgroup memory are found too.
    forward: Vec<bool>,
    /// Elsewhere.
    late: Vec<bool>,
}

fn crossing(plan: &Plan, groups: bool, mode: Mode, blocks: &[usize]) -> Crossing {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut made = vec![usize::MAX; side.period.rows];
    let none = || vec![false; side.period.rows];
    let (mut forward, mut late) = (none(), none());
    for (op, &block) in side.period.ops.iter().zip(blocks) {
        let (out, rows) = op.results();
        made[out..out + rows].fill(block);
    }
    let mark = |marks: &mut Vec<bool>, (arg, rows): (Arg, usize), block: Option<usize>| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            let span = row.index..row.index + rows;
            span.for_each(|r| marks[r] |= Some(made[r]) != block);
        }
    };
    let own = |row: usize, rows: usize| (Arg::Row(Row::of(Space::Period, row)), rows);
    for (at, op) in side.period.ops.iter().enumerate() {
        let by_number = matches!(op, Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::Pick { .. });
        let (out, rows) = op.results();
        match blocks.get(at) {
            Some(&block) => {
                for (k, operand) in op.operands().into_iter().enumerate() {
                    let by_number = by_number && k == 0;
                    mark(&mut forward, operand, (!by_number).then_some(block));
                }
                if by_number {
                    mark(&mut forward, own(out, rows), None);
                }
            }
            None => {
                op.operands().into_iter().for_each(|o| mark(&mut late, o, None));
                mark(&mut late, own(out, rows), None);
            }
        }
    }
    // What the end of the period reads, and in phases of their own what its beginning makes, lies in memory.
    let end = |marks: &mut Vec<bool>, arg: Arg| mark(marks, (arg, 1), None);
    side.next.iter().for_each(|&arg| end(&mut late, arg));
    let bridges = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    bridges.for_each(|bridge| mark(&mut late, (bridge.from, bridge.rows), None));
    if groups {
        let bridges = side.period.phases.iter().flat_map(|phase| &phase.bridges);
        bridges.for_each(|bridge| mark(&mut late, own(bridge.to, bridge.rows), None));
    }
    let begun = if mode.joined { &mut late } else { &mut forward };
    side.states.iter().for_each(|&row| mark(begun, own(row, 1), None));
    if !groups {
        plan.traces.iter().for_each(|&arg| end(&mut forward, arg));
        end(&mut forward, plan.objective);
    }
    Crossing { forward, late }
}

/// Rows that are looked back on, each with its place among the adjoints that wait.
fn waiting(plan: &Plan, groups: bool) -> HashMap<usize, usize> {
    let side = if groups { &plan.group } else { &plan.lane };
    let mut ring = HashMap::new();
    let mut see = |(arg, rows): (Arg, usize)| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
            && row.lag > 0
        {
            for r in row.index..row.index + rows {
                let next = ring.len();
                ring.entry(r).or_insert(next);
            }
        }
    };
    side.period.ops.iter().flat_map(Op::operands).for_each(&mut see);
    side.next.iter().for_each(|&arg| see((arg, 1)));
    let other = if groups { &plan.lane } else { &plan.group };
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| see((bridge.from, bridge.rows)));
    if !groups {
        see((plan.objective, 1));
    }
    ring
}

/// Trained parameters that are read one by one.
fn scalars(side: &Side, trained: &[bool]) -> HashMap<usize, usize> {
    let mut scalars = HashMap::new();
    let mut see = |arg: Arg| {
        if let Arg::Param(p) = arg
            && trained[p]
        {
            let next = scalars.len();
            scalars.entry(p).or_insert(next);
        }
    };
    for code in side.codes() {
        code.ops.iter().flat_map(Op::operands).for_each(|(arg, _)| see(arg));
    }
    side.initial.iter().chain(&side.next).for_each(|&arg| see(arg));
    scalars
}
