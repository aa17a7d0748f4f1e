//! What does not fit on the device at once: a part in lots of lanes or groups, each with arrays of its own.

use std::borrow::Cow;
use std::ops::Range;

use crate::exec::batch::Batch;
use crate::exec::inputs::Inputs;
use crate::exec::part::{Part, Pick};

/// Which lanes or groups of a part run at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lot {
    Whole,
    Lanes(Vec<usize>),
    Groups(Vec<usize>),
}

impl Lot {
    /// The lot as a part of the batch, of the periods of `part`.
    pub(super) fn part<'p>(&'p self, part: &Part<'p>) -> Part<'p> {
        let own = match self {
            Lot::Whole => return part.clone(),
            Lot::Lanes(lanes) => Part::lanes(lanes),
            Lot::Groups(groups) => Part::groups(groups),
        };
        Part {
            periods: part.periods.clone(),
            ..own
        }
    }
}

/// Lots of a part, each as large as `fits` says (of a number of lanes and of groups), and whether any could be split again. Lanes in groups stay
/// together, and so do lanes that are joined; of other lanes a lot has `least` or more.
pub(super) fn lots(
    batch: &Batch<'_, f32>,
    part: &Part<'_>,
    sizes: &[usize],
    joined: bool,
    least: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> (Vec<Lot>, bool) {
    let lanes: usize = sizes.iter().sum();
    let grouped = batch.groups.is_some();
    let can = if grouped {
        sizes.len() > 1
    } else {
        !joined && lanes > least
    };
    if !can || fits(lanes, sizes.len()) {
        return (vec![Lot::Whole], can);
    }
    let number = |all: usize, at: Range<usize>| -> Vec<usize> {
        match part.pick {
            Pick::Lanes(picked) | Pick::Groups(picked) => picked[at].to_vec(),
            Pick::All => at.filter(|&i| i < all).collect(),
        }
    };
    let mut lots = Vec::new();
    if grouped {
        let (mut first, mut own, mut several) = (0, 0, false);
        for (g, &size) in sizes.iter().enumerate() {
            if g > first && !fits(own + size, g + 1 - first) {
                lots.push(Lot::Groups(number(sizes.len(), first..g)));
                (first, own) = (g, 0);
            }
            own += size;
            several |= g > first;
        }
        lots.push(Lot::Groups(number(sizes.len(), first..sizes.len())));
        return (lots, several);
    }
    let mut each = lanes;
    while each > least && !fits(each, 1) {
        each = each.div_ceil(2).max(least);
    }
    for first in (0..lanes).step_by(each) {
        lots.push(Lot::Lanes(number(lanes, first..(first + each).min(lanes))));
    }
    (lots, each > least)
}

/// The lanes and periods that a batch runs, and the sizes of their groups, as a batch of their own.
pub(super) fn gathered(some: &Batch<'_, f32>, sizes: &[usize]) -> Batch<'static, f32> {
    let lanes: Vec<usize> = match &some.selection {
        Some(picked) => picked.to_vec(),
        None => (0..some.lanes).collect(),
    };
    let shape = some.shape;
    let rows = |inputs: &Inputs<'_, f32>, count: usize, periods: Range<usize>| {
        let mut values = Vec::with_capacity(count * periods.len() * lanes.len());
        for t in periods {
            for k in 0..count {
                values.extend(lanes.iter().map(|&lane| inputs.at(t, k, lane)));
            }
        }
        Inputs::owned(values, count, lanes.len())
    };
    let groups = some
        .shared_groups
        .map(|_| some.places_of_shared(sizes.len()));
    let mut shared = Vec::new();
    for t in some.window.clone() {
        for k in 0..shape.shared {
            let row = (t * shape.shared + k) * some.groups_of_shared();
            match &groups {
                None => shared.push(some.shared[row]),
                Some(groups) => shared.extend(groups.iter().map(|&g| some.shared[row + g])),
            }
        }
    }
    let mut first = 0;
    let mut starts = vec![0];
    for size in sizes {
        first += size;
        starts.push(first);
    }
    Batch {
        shape,
        lanes: lanes.len(),
        horizon: some.window.len(),
        lane: rows(&some.lane, shape.lane, 0..1),
        exo: rows(&some.exo, shape.exo, some.window.clone()),
        shared: Cow::Owned(shared),
        weights: some
            .weights
            .as_ref()
            .map(|all| lanes.iter().map(|&i| all[i]).collect()),
        selection: None,
        window: 0..some.window.len(),
        differentiate_inputs: some.differentiate_inputs,
        groups: Some(starts),
        shared_groups: groups.map(|groups| groups.len()),
        picked: None,
    }
}

/// Copies rows of some lanes to their place among all.
pub(super) fn put(rows: &[f32], (first, count): (usize, usize), lanes: usize, out: &mut [f32]) {
    let rows = rows.chunks_exact(count.max(1));
    for (row, out) in rows.zip(out.chunks_exact_mut(lanes.max(1))) {
        out[first..first + count].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Program, Shape, Start, Step};

    fn program() -> Program {
        let shape = Shape {
            lane: 1,
            exo: 1,
            shared: 1,
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, _| Start::default(),
            |_, i| Step {
                objective: i.exo[0] * i.shared[0] + i.lane[0],
                ..Step::new()
            },
        )
    }

    #[test]
    fn lots_are_the_part_in_order() {
        let program = program();
        let batch = Batch::<f32>::new(&program, 7, 1);
        let fits = |lanes: usize, _: usize| lanes <= 2;
        let (split, more) = lots(&batch, &Part::all(), &[7], false, 1, fits);
        let right = [vec![0, 1], vec![2, 3], vec![4, 5], vec![6]];
        assert_eq!(split, right.map(Lot::Lanes));
        assert!(more);
        assert_eq!(
            lots(&batch, &Part::all(), &[7], true, 1, fits),
            (vec![Lot::Whole], false)
        );
        let picked = [5, 0, 5];
        let (split, _) = lots(&batch, &Part::lanes(&picked), &[3], false, 1, fits);
        assert_eq!(split, [Lot::Lanes(vec![5, 0]), Lot::Lanes(vec![5])]);
        let batch = batch.groups(&[1, 1, 4, 1]).unwrap();
        let (split, _) = lots(&batch, &Part::all(), &[1, 1, 4, 1], true, 1, fits);
        let right = [vec![0, 1], vec![2], vec![3]];
        assert_eq!(split, right.map(Lot::Groups));
        // Where not even one group fits, there is nothing left to split.
        let (split, more) = lots(&batch, &Part::all(), &[1, 1, 4, 1], true, 1, |_, _| false);
        assert_eq!((split.len(), more), (4, false));
        let (split, more) = lots(&batch, &Part::all(), &[1, 1, 4, 1], true, 1, |lanes, _| {
            lanes < 3
        });
        assert_eq!((split.len(), more), (3, true));
    }

    #[test]
    fn a_gathered_batch_has_the_numbers_of_its_part() {
        let program = program();
        let exo: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let (lane, shared, weights) = (
            [1.0, 2.0, 3.0],
            [0.5, 0.25, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
            [3.0, 2.0, 1.0],
        );
        let batch = Batch::new(&program, 3, 4)
            .lane(&lane)
            .and_then(|b| b.exo(&exo))
            .and_then(|b| b.weights(&weights))
            .and_then(|b| b.groups(&[1, 2]))
            .and_then(|b| b.shared_by_group(&shared))
            .unwrap();
        let (some, sizes) = batch.part(&Part::groups(&[1]).periods(1..3)).unwrap();
        let own = gathered(&some, &sizes);
        assert_eq!(own.exo.in_memory().0, [4.0, 5.0, 7.0, 8.0]);
        assert_eq!(own.lane.in_memory().0, [2.0, 3.0]);
        assert_eq!(&*own.shared, [6.0, 8.0]);
        assert_eq!(own.weights.as_deref(), Some(&[2.0, 1.0][..]));
        assert_eq!((own.run_lanes(), own.run_periods(), sizes), (2, 2, vec![2]));
    }
}
