//! The same for logs in columns: rows are read in place.

use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::moments::BLOCK;
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
        let sound = self.range().is_none()
            && (table.predicted.is_some() || !self.needs_model())
            && vectorize(
                #[inline(always)]
                || self.fast::<T, K>(table, first, last),
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

    /// Computes weights and predictions of a block; false, with nothing counted, if something in it is wrong.
    #[inline(always)]
    fn fast<T: Copy + Into<f64>, const K: usize>(
        &mut self,
        table: &Table<'_, T>,
        first: usize,
        last: usize,
    ) -> bool {
        let actions = if K == 0 { table.actions } else { K };
        self.support.widen(actions);
        let offset = self.buffer.rounds;
        let buffer = &mut self.buffer;
        let mut fine = true;
        let mut mass = [0.0; K];
        let mut inverse = [0.0; BLOCK];
        for (i, round) in (first..last).enumerate() {
            let row = &table.target[round * actions..][..actions];
            let action = table.action[round] as usize;
            let Some(&chosen) = row.get(action) else {
                return false;
            };
            let propensity: f64 = table.propensity[round].into();
            let reward: f64 = table.reward[round].into();
            let (mut sum, mut value, mut least) = (0.0, 0.0, 0.0_f64);
            let mut logged = 0.0;
            if let Some(predicted) = table.predicted {
                let predicted = &predicted[round * actions..][..actions];
                for (p, q) in row.iter().zip(predicted) {
                    let (p, q): (f64, f64) = ((*p).into(), (*q).into());
                    sum += p;
                    value += p * q;
                    least = least.min(p);
                }
                logged = predicted[action].into();
                // A prediction that is not finite and not wanted hides in the product 0 * q, which is NaN.
                fine &= value.is_finite();
            } else {
                for p in row {
                    let p: f64 = (*p).into();
                    sum += p;
                    least = least.min(p);
                }
            }
            for (mass, p) in mass.iter_mut().zip(row) {
                *mass += (*p).into();
            }
            fine &= (sum - 1.0).abs() <= SUM_TOLERANCE && least >= 0.0;
            fine &= propensity > 0.0 && propensity <= 1.0 && reward.is_finite();
            let at = offset + i;
            buffer.weight[at] = chosen.into() / propensity;
            buffer.propensity[at] = propensity;
            buffer.reward[at] = reward;
            buffer.logged[at] = logged;
            buffer.target[at] = value;
            inverse[i] = 1.0 / propensity;
        }
        if !fine {
            return false;
        }
        for (total, mass) in self.support.mass.iter_mut().zip(mass) {
            *total += mass;
        }
        if K == 0 {
            for round in first..last {
                let row = &table.target[round * actions..][..actions];
                for (total, p) in self.support.mass.iter_mut().zip(row) {
                    *total += (*p).into();
                }
            }
        }
        for (i, round) in (first..last).enumerate() {
            self.support.log(table.action[round] as usize, inverse[i]);
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
