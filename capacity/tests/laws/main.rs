//! Laws of limits, prices and coordinators.
mod duality;
mod input;
mod paths;
mod prices;
