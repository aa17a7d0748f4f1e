//! Exact answers to small inventory problems: the yardstick for every other policy.
//!
//! - [`DemandLaw`]: a discrete demand law with its quantile and loss functions.
//! - [`newsvendor()`], [`backorder_base_stock`], [`discounted_base_stock`]: problems that reduce to a fractile.
//! - [`LostSales`]: periodic review, lost sales, lead time $L$, average cost. [`LostSales::solve`] is the exact dynamic
//!   programme, [`LostSales::evaluate`] the exact long-run cost of any whole-number policy, and [`LostSales::compare`] the
//!   table of the optimum beside the best base stock, the best capped base stock, the myopic policy and the best constant order.
//! - [`SetupCost`]: the optimal (s, S) policy with a fixed cost per order and back-orders.
//!
//! # Convention of the lost-sales problem
//! The state $x=(x_0,x_1,\dots,x_{L-1})$ is seen before ordering: $x_0$ is on hand after this period's receipt, $x_1$ arrives next
//! period, and so on, oldest first. The order $z$ becomes usable $L$ periods later. Then demand $d$ comes, the period costs
//! $h (x_0-d)^+ + p (d-x_0)^+$, and the next state is $((x_0-d)^+ + x_1, x_2,\dots,x_{L-1}, z)$. With $L=0$ the state is the stock
//! on hand alone and the order serves the same period: replace $x_0$ by $x_0+z$. Units are whole, the purchase cost is zero
//! (it is paid on all that is sold, and a unit cost $c$ only lowers the penalty by $c$), and costs are averages per period.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in KaTeX are full of underscores"
)]

mod chain;
mod comparison;
mod constant;
mod demand;
mod error;
mod heuristics;
mod lost_sales;
mod newsvendor;
mod optimum;
mod s_s;

pub use chain::{Chain, ChainOptions, Evaluation, Stationary};
pub use comparison::{BestOf, Comparison, ComparisonStage, PolicyFigures};
pub use demand::DemandLaw;
pub use error::ExactError;
pub use heuristics::{Myopic, base_stock, capped_base_stock, constant_order};
pub use lost_sales::LostSales;
pub use newsvendor::{
    Newsvendor, backorder_base_stock, critical_fractile, discounted_base_stock,
    discounted_base_stock_value, discounted_fractile, discounted_fractile_with_lead, newsvendor,
    newsvendor_continuous, newsvendor_cost,
};
pub use optimum::{Optimum, SolveOptions};
pub use s_s::{SetupCost, SsPolicy};
