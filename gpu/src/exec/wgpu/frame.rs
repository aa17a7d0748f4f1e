//! Where the numbers of a side lie: in rows of one number a lane, in device memory or in the memory of the workgroup.

use std::collections::HashMap;

use super::blocks::blocks;
use super::placement::{Sought, crossing, hot, in_place, place_rows, sources, taped};
use super::shape::{HEAD, PER_LANE, VECTORS};
use crate::record::{Arg, Code, Dense, Op, Phase, Plan, Row, Side, Space, runs};
use crate::scalar::Activation;

/// What a shader is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mode {
    /// Whether it goes back through the periods.
    pub(super) reverse: bool,
    /// Whether the adjoints of the inputs are wanted.
    pub(super) inputs: bool,
    /// Whether every phase is a dispatch, since lanes are joined.
    pub(super) joined: bool,
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
    /// What the lanes of the groups were joined to, in the phase that runs.
    pub(super) joined: usize,
    pub(super) tape: usize,
    /// Rows of a period of the tape: values, then what is saved of layers.
    pub(super) tape_rows: usize,
    pub(super) tape_stride: usize,
}

impl Frame {
    pub(super) fn new(plan: &Plan, groups: bool, mode: Mode, budget: usize) -> Frame {
        let side = if groups { &plan.group } else { &plan.lane };
        let forward = forward_ops(side, mode);
        let blocks = blocks(&side.period, forward);
        let other = if groups { &plan.lane } else { &plan.group };
        let runs = runs(side, other);
        let homes = sources(side, groups, &runs);
        let (hot, stage) = hot(side, forward, mode, &runs, budget);
        let sought = Sought {
            taped: taped(plan, groups, mode),
            crossing: crossing(plan, groups, &blocks),
            hot: &hot,
        };
        let (homes, places) = place_rows(homes, &runs, &sought);
        let raw = raw(side, forward, mode, &homes);
        let (saved, saved_rows) = saved(side, forward, mode, &raw);
        let classes = side.scratch.classes;
        let ring = waiting(plan, groups);
        let scalars = scalars(plan, groups);
        let in_place = in_place(plan, groups, &hot);
        let widest = layers(side).filter(|d| d.trained && !in_place.contains_key(&d.id));
        let widest = widest.map(|d| d.width).max().unwrap_or(0);
        let saved_once = if mode.reverse {
            side.period.saved - side.saved
        } else {
            0
        };
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
        let joined = take(if mode.joined && groups {
            joined_rows(plan)
        } else {
            0
        });
        let all = mode.reverse || groups;
        let scratch = stage + if mode.reverse { widest } else { 0 };
        Frame {
            homes,
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
            joined,
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

pub(super) fn layers(side: &Side) -> impl Iterator<Item = &Dense> {
    let ops = side.start.ops.iter().chain(&side.period.ops);
    ops.filter_map(Op::layer)
}

/// Rows that come over from the groups, with the rows that they come from.
pub(super) fn over_rows(code: &Code) -> impl Iterator<Item = (usize, Row)> {
    code.phases.iter().flat_map(over_rows_of)
}

/// Those that come over at the beginning of a phase.
pub(super) fn over_rows_of(phase: &Phase) -> impl Iterator<Item = (usize, Row)> {
    phase.bridges.iter().flat_map(|bridge| {
        (0..bridge.rows).filter_map(|i| match bridge.row(i) {
            (Arg::Row(from), to) => Some((to, from)),
            _ => None,
        })
    })
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
    side.period
        .ops
        .iter()
        .flat_map(Op::operands)
        .for_each(&mut see);
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
fn scalars(plan: &Plan, groups: bool) -> HashMap<usize, usize> {
    let trained = &plan.trained;
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
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
        code.ops
            .iter()
            .flat_map(Op::operands)
            .for_each(|(arg, _)| see(arg));
    }
    side.initial
        .iter()
        .chain(&side.next)
        .for_each(|&arg| see(arg));
    let phases = other.codes().into_iter().flat_map(|code| &code.phases);
    let bridges = phases.flat_map(|phase| &phase.bridges);
    bridges.for_each(|bridge| see(bridge.from));
    if !groups {
        see(plan.objective);
    }
    scalars
}

/// The most rows that are joined at once: values one way, adjoints the other.
fn joined_rows(plan: &Plan) -> usize {
    let codes = plan.sides().into_iter().flat_map(|side| side.codes());
    let phases = codes.flat_map(|code| &code.phases);
    let rows = |phase: &Phase| phase.bridges.iter().map(|bridge| bridge.rows).sum();
    phases.map(rows).max().unwrap_or(0)
}
