//! The same for logs in columns: rows are read in place.

use crate::error::Result;
use crate::evaluation::{Buffer, Evaluation};
use crate::moments::{BLOCK, Column};
use crate::round::{Round, SUM_TOLERANCE, Table};
use crate::vectorize::vectorize;

impl Evaluation {
    /// Takes all rounds of a table, as [`Evaluation::push`] takes one.
    ///
    /// # Errors
    /// As [`Evaluation::push`], of the first round that is at fault; no round of its block of 256 and none after it is then taken.
    /// When the columns differ in length, before any round is taken.
    pub fn extend<T: Copy + Into<f64>>(&mut self, table: &Table<'_, T>) -> Result<()> {
        let rounds = table.check()?;
        let mut first = 0;
        while first < rounds {
            // Blocks end where those of `push` end.
            let last = rounds.min(first + BLOCK - self.buffer.rounds);
            match table.actions {
                2 => self.block::<T, 2>(table, first, last),
                3 => self.block::<T, 3>(table, first, last),
                4 => self.block::<T, 4>(table, first, last),
                5 => self.block::<T, 5>(table, first, last),
                6 => self.block::<T, 6>(table, first, last),
                7 => self.block::<T, 7>(table, first, last),
                8 => self.block::<T, 8>(table, first, last),
                _ => self.block::<T, 0>(table, first, last),
            }?;
            first = last;
        }
        Ok(())
    }

    /// Takes a block with `K` actions (any number for `K = 0`), or finds what is wrong with it.
    fn block<T: Copy + Into<f64>, const K: usize>(
        &mut self,
        table: &Table<'_, T>,
        first: usize,
        last: usize,
    ) -> Result<()> {
        let part = table.part(first, last);
        let sound = self.range().is_none()
            && (table.predicted.is_some() || !self.needs_model())
            && vectorize(
                #[inline(always)]
                || {
                    if K == 0 {
                        self.any(&part)
                    } else {
                        self.few::<T, K>(&part)
                    }
                },
            );
        if !sound {
            return self.slow(table, first, last);
        }
        self.buffer.rounds += last - first;
        self.taken += (last - first) as u64;
        if self.buffer.rounds == BLOCK {
            self.flush();
        }
        Ok(())
    }

    /// Computes weights and predictions of a block with `K` actions; false, with nothing counted, if something in it is wrong.
    #[inline(always)]
    fn few<T: Copy + Into<f64>, const K: usize>(&mut self, part: &Table<'_, T>) -> bool {
        let rounds = part.action.len();
        let rows = &part.target.as_chunks::<K>().0[..rounds];
        let mut inverses = Column::ZERO;
        let sound = match part.predicted {
            Some(predicted) => {
                let predicted = &predicted.as_chunks::<K>().0[..rounds];
                weigh::<T, K, true>(part, rows, predicted, &mut self.buffer, &mut inverses)
            }
            None => weigh::<T, K, false>(part, rows, rows, &mut self.buffer, &mut inverses),
        };
        if sound {
            self.support.widen(K);
            self.support.log_block::<K>(part.action, &inverses);
            self.support.rows_block::<T, K>(rows);
        }
        sound
    }

    /// The same with any number of actions.
    #[inline(always)]
    fn any<T: Copy + Into<f64>>(&mut self, part: &Table<'_, T>) -> bool {
        let actions = part.actions;
        let offset = self.buffer.rounds;
        let buffer = &mut self.buffer;
        let mut fine = true;
        for (i, row) in part.target.chunks_exact(actions).enumerate() {
            let action = part.action[i] as usize;
            let Some(&chosen) = row.get(action) else {
                return false;
            };
            let propensity: f64 = part.propensity[i].into();
            let reward: f64 = part.reward[i].into();
            let (mut sum, mut value, mut least) = (0.0, 0.0, 0.0_f64);
            let mut logged = 0.0;
            for p in row {
                let p: f64 = (*p).into();
                sum += p;
                least = least.min(p);
            }
            if let Some(predicted) = part.predicted {
                let predicted = &predicted[i * actions..][..actions];
                for (p, q) in row.iter().zip(predicted) {
                    let (p, q): (f64, f64) = ((*p).into(), (*q).into());
                    value += p * q;
                }
                logged = predicted[action].into();
                fine &= value.is_finite();
            }
            fine &= (sum - 1.0).abs() <= SUM_TOLERANCE && least >= 0.0;
            fine &= propensity > 0.0 && propensity <= 1.0 && reward.is_finite();
            let at = offset + i;
            buffer.weight[at] = chosen.into() / propensity;
            buffer.propensity[at] = propensity;
            buffer.reward[at] = reward;
            buffer.logged[at] = logged;
            buffer.target[at] = value;
        }
        if !fine {
            return false;
        }
        self.support.widen(actions);
        for (i, row) in part.target.chunks_exact(actions).enumerate() {
            for (total, p) in self.support.mass.iter_mut().zip(row) {
                *total += (*p).into();
            }
            self.support
                .log(part.action[i] as usize, 1.0 / part.propensity[i].into());
        }
        true
    }

    /// Round by round, with every check and its message.
    fn slow<T: Copy + Into<f64>>(
        &mut self,
        table: &Table<'_, T>,
        first: usize,
        last: usize,
    ) -> Result<()> {
        let before = self.clone();
        let row = |column: &[T], round: usize| -> Vec<f64> {
            let row = &column[round * table.actions..][..table.actions];
            row.iter().map(|v| (*v).into()).collect()
        };
        for round in first..last {
            let predicted = table.predicted.map(|column| row(column, round));
            let taken = self.push(&Round {
                action: table.action[round] as usize,
                reward: table.reward[round].into(),
                propensity: table.propensity[round].into(),
                target: &row(table.target, round),
                predicted: predicted.as_deref(),
                logging: None,
            });
            if taken.is_err() {
                *self = before;
                return taken;
            }
        }
        Ok(())
    }
}

/// Writes a block's rounds in weighted form and the inverses of their propensities, with predictions if there is a `MODEL`; false if something in it
/// is wrong. No step branches, and nothing is added up over rounds, so that many rounds are computed at a time.
#[inline(always)]
fn weigh<T: Copy + Into<f64>, const K: usize, const MODEL: bool>(
    part: &Table<'_, T>,
    rows: &[[T; K]],
    predicted: &[[T; K]],
    buffer: &mut Buffer,
    inverses: &mut Column,
) -> bool {
    let rounds = rows.len();
    let place = buffer.rounds..buffer.rounds + rounds;
    let [weight, propensity, reward, logged, target] = [
        &mut buffer.weight,
        &mut buffer.propensity,
        &mut buffer.reward,
        &mut buffer.logged,
        &mut buffer.target,
    ]
    .map(|column| &mut column[place.clone()]);
    let inverses = &mut inverses[..rounds];
    let (actions, chances, rewards) = (
        &part.action[..rounds],
        &part.propensity[..rounds],
        &part.reward[..rounds],
    );
    let predicted = &predicted[..rounds];
    let mut wrong = 0_u64;
    for i in 0..rounds {
        let (row, predictions) = (rows[i].map(Into::into), predicted[i].map(Into::into));
        let action = actions[i] as usize;
        let (mut sum, mut value, mut least) = (0.0, 0.0, 0.0_f64);
        let (mut chosen, mut expected) = (0.0, 0.0);
        for k in 0..K {
            let (p, q) = (row[k], predictions[k]);
            sum += p;
            least = if p < least { p } else { least };
            chosen = if action == k { p } else { chosen };
            if MODEL {
                value += p * q;
                expected = if action == k { q } else { expected };
            }
        }
        let chance: f64 = chances[i].into();
        let earned: f64 = rewards[i].into();
        // A prediction that is not finite and not wanted hides in the product 0 * q, which is NaN.
        let sound = ((sum - 1.0_f64).abs() <= SUM_TOLERANCE)
            & (least >= 0.0)
            & (chance > 0.0)
            & (chance <= 1.0)
            & (earned.abs() < f64::INFINITY)
            & (value.abs() < f64::INFINITY)
            & (action < K);
        wrong |= u64::from(!sound);
        weight[i] = chosen / chance;
        propensity[i] = chance;
        reward[i] = earned;
        logged[i] = expected;
        target[i] = value;
        inverses[i] = 1.0 / chance;
    }
    wrong == 0
}
