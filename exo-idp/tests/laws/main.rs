//! The laws of the crate, in one program: each file is about one of them.

#![allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]

mod anchors;
mod censoring;
mod compare;
mod deviations;
mod exact;
mod faults;
mod learnability;
mod lost_sales_training;
mod market;
mod optimum;
mod replay;
mod shares;
mod units;
mod untuned_target;
