//! Equilibria and how far a play is from one.

mod correlated;
mod simplex;
pub use correlated::{Concept, CorrelatedEquilibrium, Deviation, Objective, correlated_equilibrium, payoff_range};
