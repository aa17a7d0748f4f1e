//! The exact linear programme of a small problem: what nobody who keeps the limits can beat.

use good_lp::{Expression, Solution, SolverModel, constraint, microlp, variable, variables};
use hindsight_gpu::Real;

use crate::cases::Cases;
use crate::error::{Argument, Error};
use crate::limits::Kind;
use crate::shape::{ARRIVING, COST, DEMAND, PRICE, TERMINAL, WEIGHT};

impl<F: Real> Cases<F> {
    /// The largest reward of a cohort with all demand and arrivals known beforehand, its limits kept in every scored week: an upper bound on
    /// that of every controller that keeps them. Without limits that of no control.
    ///
    /// With prices `[resource][week]`, in money per volume, limits are not kept but paid for, and the value is the dual function
    /// $g(\lambda) + \lambda K$, discounted as the reward: never below the bound.
    ///
    /// The solver is made for some thousands of variables, three a product and week.
    ///
    /// # Errors
    /// A cohort that is not there, prices that do not fit, a programme that has no solution: the limits cannot be kept.
    pub fn bound(&self, group: usize, prices: Option<&[Vec<f64>]>) -> Result<f64, Error> {
        Ok(self.solved(group, prices)?.0)
    }

    /// The value of a cohort's programme, and what is used at its solution, `[resource][week]`.
    pub(crate) fn solved(
        &self,
        group: usize,
        prices: Option<&[Vec<f64>]>,
    ) -> Result<(f64, Vec<Vec<f64>>), Error> {
        if group >= self.groups() {
            return Err(Error::Product {
                product: group,
                products: self.groups(),
            });
        }
        let (weeks, lanes) = (self.course.weeks, self.lanes());
        let first: usize = self.groups[..group].iter().sum();
        let own = first..first + self.groups[group];
        if let Some(prices) = prices
            && (prices.len() != self.shape.resources() || prices.iter().any(|p| p.len() != weeks))
        {
            return Err(Error::Length {
                argument: Argument::Price,
                expected: self.shape.resources(),
                found: prices.len(),
            });
        }
        let mut vars = variables!();
        let mut objective = Expression::from(0.0);
        let mut used = vec![vec![Expression::from(0.0); weeks]; self.shape.resources()];
        let mut rules = Vec::new();
        for lane in own {
            let at = |week: usize, row: usize| self.row(week, row)[lane].to_f64();
            let opening = |row: usize| self.lane[row * lanes + lane].to_f64();
            let orders: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
            let mut on_hand = Expression::from(opening(0));
            let open = |k: usize| opening(1 + k) * at(0, self.shape.outstanding() + k);
            let mut position =
                Expression::from((0..self.shape.lead).map(open).sum::<f64>() + opening(0));
            for week in 0..weeks {
                let shared = self.shared_of(week, group);
                let mut received = Expression::from(0.0);
                for k in 0..=self.shape.lead {
                    let share = at(week, ARRIVING + k);
                    match week.checked_sub(k) {
                        Some(placed) => received += share * orders[placed],
                        None => received += share * opening(k - week),
                    }
                }
                let sold = vars.add(variable().min(0.0).max(at(week, DEMAND)));
                let left = vars.add(variable().min(0.0));
                rules.push(constraint!(on_hand + received.clone() - sold == left));
                on_hand = left.into();
                position += orders[week] - sold;
                objective +=
                    shared[WEIGHT] * (at(week, PRICE) * sold - at(week, COST) * orders[week]);
                objective += shared[TERMINAL] * at(week, self.shape.worth()) * position.clone();
                for (r, kind) in self.shape.kinds.iter().enumerate() {
                    let volume = self.lane[(self.shape.lead + 2 + r) * lanes + lane].to_f64();
                    used[r][week] += match kind {
                        Kind::Storage => volume * left,
                        Kind::Inbound => volume * received.clone(),
                    };
                }
            }
        }
        for week in self.course.warm_up..weeks {
            let weight = self.shared_of(week, group)[WEIGHT];
            for (r, used) in used.iter().enumerate() {
                let used = used[week].clone();
                let Some(limits) = self.limits.get(group) else {
                    continue;
                };
                let limit = limits.of(r)[week];
                match prices {
                    Some(prices) => objective += weight * prices[r][week] * (limit - used),
                    None => rules.push(constraint!(used <= limit)),
                }
            }
        }
        let size = weeks * self.groups[group] * 3;
        let mut model = vars.maximise(objective.clone()).using(microlp);
        for rule in rules {
            model = model.with(rule);
        }
        let solution = model
            .solve()
            .map_err(|_| Error::Programme { variables: size })?;
        let used = used
            .iter()
            .map(|row| row.iter().map(|u| solution.eval(u)).collect());
        Ok((solution.eval(&objective), used.collect()))
    }
}
