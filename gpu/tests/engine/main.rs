//! The engine against direct evaluation, forward derivatives, differences and itself.

#![allow(
    clippy::float_cmp,
    reason = "whole numbers and equal operations are exact"
)]

mod check;
mod classes;
mod edges;
mod executors;
mod frozen;
mod groups;
mod invariance;
mod lane_sums;
mod many;
mod networks;
mod panics;
mod planted;
mod random_programs;
