//! Laws of limits, prices and coordinators.
mod control;
mod duality;
mod input;
mod paths;
mod prices;
