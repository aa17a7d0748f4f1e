//! Laws of limits, prices and coordinators.
mod control;
mod duality;
mod input;
mod market;
mod paths;
mod prices;
