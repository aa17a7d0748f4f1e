//! Programmes against other solvers.
