//! The optimum beside the classical policies at their best parameters, with what each holds and serves.

use super::chain::ChainOptions;
use super::error::ExactError;
use super::heuristics::{Myopic, base_stock, capped_base_stock};
use super::lost_sales::LostSales;
use super::optimum::{Optimum, SolveOptions};

/// Exact long-run averages of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PolicyFigures {
    /// Money a period.
    pub cost: f64,
    /// Cost above the optimum, as a share of it; none where the optimum costs nothing but rounding.
    pub gap: Option<f64>,
    /// Share of demand served.
    pub fill_rate: f64,
    /// Units left at the end of a period.
    pub left_over: f64,
}

/// A policy at its best parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BestOf<P> {
    /// The best parameters.
    pub parameters: P,
    /// What the policy earns with them.
    pub figures: PolicyFigures,
}

/// The optimum and the classical policies of one problem. A policy whose chain of states is larger than the options allow is `None`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Comparison {
    /// The optimal policy with its proven bounds.
    pub optimum: Optimum,
    /// The optimal policy, evaluated as the others are.
    pub optimal: Option<PolicyFigures>,
    /// Capped base stock: level and cap.
    pub capped_base_stock: Option<BestOf<(u32, u32)>>,
    /// Base stock: level.
    pub base_stock: Option<BestOf<u32>>,
    /// [`Myopic`].
    pub myopic: Option<PolicyFigures>,
    /// Constant order: the order.
    pub constant_order: Option<BestOf<u32>>,
}

/// What [`LostSales::compare`] turns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComparisonStage {
    /// The dynamic programme.
    Optimum,
    /// The search for the level.
    BaseStock,
    /// The search for level and cap.
    CappedBaseStock,
    /// The myopic policy.
    Myopic,
    /// The search for the order.
    ConstantOrder,
}

impl LostSales {
    /// The exact optimum and every classical policy at its best parameters; `stage` is told what comes next.
    ///
    /// ```
    /// use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions};
    /// let problem = LostSales::new(DemandLaw::poisson(5.0)?, 2, 1.0, 4.0)?;
    /// let table = problem.compare(&SolveOptions::default(), &ChainOptions::default(), |_| ())?;
    /// let capped = table.capped_base_stock.expect("a small problem");
    /// assert!(capped.figures.gap.is_some_and(|gap| (0.0..0.01).contains(&gap)));
    /// assert!(capped.figures.fill_rate > 0.8);
    /// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](LostSales::solve) and [`evaluate`](LostSales::evaluate), but for policies that need too many states.
    pub fn compare(
        &self,
        solve: &SolveOptions,
        chain: &ChainOptions,
        mut stage: impl FnMut(ComparisonStage),
    ) -> Result<Comparison, ExactError> {
        stage(ComparisonStage::Optimum);
        let optimum = self.solve(solve)?;
        let best = optimum.cost();
        // The optimal policy never leaves the states of its programme.
        let optimal = self.figures(|state| optimum.order(state).unwrap_or(0), best, chain)?;
        stage(ComparisonStage::BaseStock);
        let plain = fits(self.best_base_stock(chain))?;
        stage(ComparisonStage::CappedBaseStock);
        let capped = match plain {
            Some(plain) => fits(self.best_capped_base_stock_near(plain, chain))?,
            None => None,
        };
        let capped = match capped {
            Some((parameters, _)) => {
                let policy = capped_base_stock(parameters.0, parameters.1);
                best_of(parameters, self.figures(policy, best, chain)?)
            }
            None => None,
        };
        let plain = match plain {
            Some((level, _)) => best_of(level, self.figures(base_stock(level), best, chain)?),
            None => None,
        };
        stage(ComparisonStage::Myopic);
        let myopic = Myopic::new(self);
        let myopic = self.figures(|state| myopic.order(state), best, chain)?;
        stage(ComparisonStage::ConstantOrder);
        let constant = fits(self.best_constant_order())?.map(|(order, cost)| {
            // What is not ordered is lost, and what the penalty does not explain is held.
            let lost = self.demand().mean() - f64::from(order);
            let figures = PolicyFigures {
                cost,
                gap: self.gap(cost, best),
                fill_rate: 1.0 - lost / self.demand().mean(),
                left_over: (cost - self.penalty() * lost) / self.holding(),
            };
            BestOf {
                parameters: order,
                figures,
            }
        });
        Ok(Comparison {
            optimum,
            optimal,
            capped_base_stock: capped,
            base_stock: plain,
            myopic,
            constant_order: constant,
        })
    }

    /// The figures of any policy over whole states (on hand, then the pipeline, oldest first), `best` being the optimal cost; `None`
    /// where its chain of states is larger than the options allow.
    ///
    /// # Errors
    /// As [`evaluate`](LostSales::evaluate).
    pub fn figures(
        &self,
        policy: impl Fn(&[u32]) -> u32,
        best: f64,
        options: &ChainOptions,
    ) -> Result<Option<PolicyFigures>, ExactError> {
        let Some(chain) = fits(self.chain(policy, options))? else {
            return Ok(None);
        };
        let cost = chain.evaluate(options)?.cost;
        let averages = chain.stationary(options)?;
        Ok(Some(PolicyFigures {
            cost,
            gap: self.gap(cost, best),
            fill_rate: averages.fill_rate,
            left_over: averages.left,
        }))
    }

    /// The cost above the optimum as a share of it; none where the optimum costs nothing but rounding.
    fn gap(&self, cost: f64, best: f64) -> Option<f64> {
        (best > 1e-6 * self.holding().min(self.penalty())).then_some(cost / best - 1.0)
    }
}

fn best_of<P>(parameters: P, figures: Option<PolicyFigures>) -> Option<BestOf<P>> {
    figures.map(|figures| BestOf {
        parameters,
        figures,
    })
}

/// Too many states is no result; any other error is one.
fn fits<T>(result: Result<T, ExactError>) -> Result<Option<T>, ExactError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ExactError::TooManyStates { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
