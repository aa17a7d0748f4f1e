//! A documented synthetic world: weekly demand, prices, costs, lead times and censored sales, with the truth kept.
//!
//! No public data set holds demand, stock, lead times and costs together. This world does, and every parameter it drew stays readable,
//! so that oracles and the true error of any estimate can be computed. All of it is this project's own formulation; the list of what
//! such a world must have follows the data that the papers describe.
//!
//! Mean demand of product $i$ in week $t$:
//! $$ m_{it} = b_i \exp\lbrace s_i \cos(2\pi(t-\phi_i)/52) + h_i H_t + g_i 1[\text{promotion}] + z_{G(i)t}\rbrace
//! \left(\frac{p_{it}}{\bar p_i}\right)^{-\eta_i} \ell_{it}, $$
//! with season, holidays, promotions, a shock $z$ that is autoregressive and shared within a group (in part by all), the price
//! relative to the regular one, and a life cycle $\ell$ that ramps up after birth and fades before death. Demand is negative binomial
//! with the product's own dispersion, or intermittent: with some probability one unit and a negative-binomial rest, else none.
//! Views turn into demand with the product's conversion rate.
//!
//! Prices follow a share of the competitor's last move, costs drift with the vendor, promotions last two weeks. Lead times are whole
//! weeks, correlated over time and within a vendor; orders may cross. The record, as opposed to the truth, holds the *sales* of a
//! logged policy that stocks a multiple of recent sales and so loses demand: the share of the week in stock, views in and out of stock
//! ([`censor`](crate::censor) repairs it).
//!
//! Random numbers are keyed by seed, purpose, product and week: product 7 is the same in a world of ten products or a million.
//! Prices, costs, demand and lead times do not react to orders.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in KaTeX are full of underscores"
)]

mod arrivals;
mod config;
mod draw;
mod logged;
mod panel;
mod product;
mod shared;
mod simulation;

pub use arrivals::WorldArrivals;
pub use config::WorldConfig;
pub use logged::Record;
pub use panel::DemandColumn;
pub use product::Product;
pub use shared::Vendor;
pub use simulation::World;

#[cfg(test)]
mod tests;
