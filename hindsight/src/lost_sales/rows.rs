//! The policies of the table.

use std::collections::BTreeMap;

use exo_idp::exact::{
    ChainOptions, Comparison, ComparisonStage, ExactError, LostSales, PolicyFigures, SolveOptions,
};
use exo_idp::train::LostSalesPolicy;
use serde::Serialize;

use crate::progress::Progress;

/// One policy of the table; figures are missing where its chain of states does not fit in memory.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) policy: &'static str,
    pub(super) parameters: BTreeMap<&'static str, u32>,
    /// Money a period.
    pub(super) cost: Option<f64>,
    /// Cost above the optimum, as a share of it.
    pub(super) gap: Option<f64>,
    /// Share of demand served.
    pub(super) fill_rate: Option<f64>,
    /// Units left at the end of a period.
    pub(super) left_over: Option<f64>,
}

/// Solves the problem and evaluates every policy at its best parameters.
pub(super) fn compare(problem: &LostSales, progress: &Progress) -> Result<Comparison, ExactError> {
    let mut begun = false;
    let solve = SolveOptions::default();
    let comparison = problem.compare(&solve, &ChainOptions::default(), |stage| {
        progress.step(u64::from(begun));
        begun = true;
        progress.note(match stage {
            ComparisonStage::Optimum => "optimal policy",
            ComparisonStage::BaseStock => "base stock",
            ComparisonStage::CappedBaseStock => "capped base stock",
            ComparisonStage::Myopic => "myopic",
            _ => "constant order",
        });
    })?;
    progress.step(1);
    Ok(comparison)
}

/// The rows of the table, the optimum's first.
pub(super) fn rows(
    problem: &LostSales,
    comparison: &Comparison,
    trained: Option<&LostSalesPolicy>,
) -> Result<Vec<Row>, ExactError> {
    let (capped, plain, constant) = (
        comparison.capped_base_stock,
        comparison.base_stock,
        comparison.constant_order,
    );
    let mut rows = vec![Row::new("optimal", &[], comparison.optimal)];
    if let Some(policy) = trained {
        let best = comparison.optimum.cost();
        let figures =
            problem.figures(|state| policy.order(state), best, &ChainOptions::default())?;
        rows.push(Row::new("Direct Backprop", &[], figures));
    }
    let of_capped = capped.map_or(vec![], |b| {
        vec![("level", b.parameters.0), ("cap", b.parameters.1)]
    });
    let of_plain = plain.map_or(vec![], |b| vec![("level", b.parameters)]);
    let of_constant = constant.map_or(vec![], |b| vec![("order", b.parameters)]);
    rows.extend([
        Row::new("capped base stock", &of_capped, capped.map(|b| b.figures)),
        Row::new("base stock", &of_plain, plain.map(|b| b.figures)),
        Row::new("myopic", &[], comparison.myopic),
        Row::new("constant order", &of_constant, constant.map(|b| b.figures)),
    ]);
    Ok(rows)
}

impl Row {
    fn new(
        policy: &'static str,
        parameters: &[(&'static str, u32)],
        figures: Option<PolicyFigures>,
    ) -> Self {
        Self {
            policy,
            parameters: parameters.iter().copied().collect(),
            cost: figures.map(|f| f.cost),
            gap: figures.and_then(|f| f.gap),
            fill_rate: figures.map(|f| f.fill_rate),
            left_over: figures.map(|f| f.left_over),
        }
    }

    /// The parameters in words.
    pub(super) fn words(&self) -> String {
        let words: Vec<String> = self
            .parameters
            .iter()
            .rev()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        words.join(", ")
    }
}
